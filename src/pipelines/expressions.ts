import type { PipelineExecutionStep } from '@aws-sdk/client-sagemaker';
import { allSteps, type Definition } from './definition.ts';

/** What is needed to compute the sides of a condition after the fact. */
export interface Scope {
  definition: Definition;
  parameters: Readonly<Record<string, string>>;
  steps: readonly PipelineExecutionStep[];
  /** S3 URI of a processing step's output. */
  outputUri: (step: string, output: string) => Promise<string | undefined>;
  readJson: (uri: string) => Promise<unknown>;
}

/** Reads `a.b[0]['c']` from a JSON value. */
export function readPath(value: unknown, path: string): unknown {
  const parts = [...path.matchAll(/([^.[\]'"]+)|\['([^']+)'\]|\["([^"]+)"\]/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  let current = value;
  for (const part of parts) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Record<string, unknown>)[part];
  }
  return current;
}

/** Value of a literal, a parameter, a Join or a JsonGet; undefined for what cannot be known from here. */
export async function evaluate(expression: unknown, scope: Scope): Promise<unknown> {
  if (expression === null || typeof expression !== 'object') return expression;
  const object = expression as Record<string, any>;
  if (typeof object.Get === 'string') {
    const [kind, ...rest] = object.Get.split('.');
    if (kind !== 'Parameters') return undefined;
    const name = rest.join('.');
    const declared = scope.definition.Parameters?.find((parameter) => parameter.Name === name);
    const value = scope.parameters[name] ?? declared?.DefaultValue;
    return ['Integer', 'Float'].includes(declared?.Type ?? '') ? Number(value) : value;
  }
  if (object['Std:Join'] !== undefined) {
    const parts = await Promise.all(
      ((object['Std:Join'].Values ?? []) as unknown[]).map((part) => evaluate(part, scope)),
    );
    return parts.includes(undefined) ? undefined : parts.join(object['Std:Join'].On ?? '');
  }
  const jsonGet = object['Std:JsonGet'];
  if (jsonGet !== undefined) {
    const uri =
      jsonGet.S3Uri === undefined
        ? await propertyFile(jsonGet.PropertyFile, scope)
        : await evaluate(jsonGet.S3Uri, scope);
    return typeof uri === 'string' ? readPath(await scope.readJson(uri), jsonGet.Path) : undefined;
  }
  return undefined;
}

async function propertyFile(expression: any, scope: Scope): Promise<string | undefined> {
  const match = /^Steps\.([^.]+)\.PropertyFiles\.(.+)$/.exec(expression?.Get ?? '');
  if (match === null) return undefined;
  const [, stepName = '', fileName] = match;
  const step = allSteps(scope.definition).find((entry) => entry.step.Name === stepName)?.step;
  const file = step?.PropertyFiles?.find((entry) => entry.PropertyFileName === fileName);
  const folder = file === undefined ? undefined : await scope.outputUri(stepName, file.OutputName);
  return file === undefined || folder === undefined ? undefined : `${folder.replace(/\/$/, '')}/${file.FilePath}`;
}

/** How people name one side: its parameter, its JSON path, or the literal. */
export function labelOf(expression: unknown): string {
  if (expression === null || typeof expression !== 'object') return String(expression);
  const object = expression as Record<string, any>;
  if (typeof object.Get === 'string') return object.Get.replace(/^Parameters\./, '');
  if (object['Std:JsonGet'] !== undefined) return String(object['Std:JsonGet'].Path);
  return 'a joined text';
}

const symbols: Record<string, string> = {
  Equals: '==',
  GreaterThan: '>',
  GreaterThanOrEqualTo: '>=',
  LessThan: '<',
  LessThanOrEqualTo: '<=',
};

function holds(type: string, left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  const [a, b] = [left as number, right as number];
  switch (type) {
    case 'Equals':
      return a === b;
    case 'GreaterThan':
      return a > b;
    case 'GreaterThanOrEqualTo':
      return a >= b;
    case 'LessThan':
      return a < b;
    case 'LessThanOrEqualTo':
      return a <= b;
    default:
      return undefined;
  }
}

/** A condition with its values filled in: "regression_metrics.mse.value 4.72 <= SanityLimit 0 is false". */
export async function describeCondition(
  condition: any,
  scope: Scope,
): Promise<{ text: string; holds: boolean | undefined }> {
  const side = async (expression: unknown) => {
    const value = await evaluate(expression, scope).catch(() => undefined);
    const label = labelOf(expression);
    const shown = value === undefined ? '(unknown)' : JSON.stringify(value);
    return { value, text: label === shown || label === String(value) ? shown : `${label} ${shown}` };
  };
  if (condition?.Type === 'Not') {
    const inner = await describeCondition(condition.Condition, scope);
    return { text: `not (${inner.text})`, holds: inner.holds === undefined ? undefined : !inner.holds };
  }
  if (condition?.Type === 'Or') {
    const parts = await Promise.all(
      ((condition.Conditions ?? []) as unknown[]).map((entry) => describeCondition(entry, scope)),
    );
    const known = parts.map((part) => part.holds);
    return {
      text: parts.map((part) => part.text).join(' or '),
      holds: known.includes(true) ? true : known.includes(undefined) ? undefined : false,
    };
  }
  if (condition?.Type === 'In') {
    const query = await side(condition.QueryValue);
    const values = await Promise.all(((condition.Values ?? []) as unknown[]).map(side));
    return {
      text: `${query.text} in (${values.map(({ text }) => text).join(', ')})`,
      holds: query.value === undefined ? undefined : values.some(({ value }) => value === query.value),
    };
  }
  const [left, right] = [await side(condition?.LeftValue), await side(condition?.RightValue)];
  const symbol = symbols[condition?.Type] ?? String(condition?.Type);
  return { text: `${left.text} ${symbol} ${right.text}`, holds: holds(condition?.Type, left.value, right.value) };
}
