import { type ExecutionVariable, isExpression, parseExpression } from './expressions.ts';
import { select } from './json-path.ts';
import { formatScalar, type ParameterType, type ParameterValue } from './parameters.ts';

/** An expression that has no value: the step that holds it fails with this text. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EvaluationError';
  }
}

/** Where the values of expressions come from. */
export interface EvaluationScope {
  parameter(name: string): { value: ParameterValue; type: ParameterType } | undefined;
  execution(variable: ExecutionVariable): string | undefined;
  experiment(member: 'ExperimentName' | 'TrialName'): string | undefined;
  /** The Describe answer of a step that has succeeded. Throws EvaluationError when the step has none. */
  step(name: string): Promise<unknown>;
  /** The parsed JSON of a property file. Throws EvaluationError when it cannot be read. */
  propertyFile(step: string, file: string): Promise<unknown>;
  s3Json(uri: string): Promise<unknown>;
}

function text(value: unknown, type: ParameterType | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return formatScalar(value, type);
  if (value instanceof Date) return value.toISOString();
  throw new EvaluationError(
    `Std:Join cannot join ${JSON.stringify(value)}: only texts, numbers and booleans can be joined`,
  );
}

async function evaluateExpression(value: Record<string, unknown>, scope: EvaluationScope): Promise<unknown> {
  const expression = parseExpression(value);
  if (typeof expression === 'string') throw new EvaluationError(expression);
  switch (expression.kind) {
    case 'parameter': {
      const parameter = scope.parameter(expression.name);
      if (parameter === undefined) throw new EvaluationError(`Parameter '${expression.name}' is undefined.`);
      return parameter.value;
    }
    case 'execution': {
      const variable = scope.execution(expression.variable);
      if (variable === undefined)
        throw new EvaluationError(`Execution.${expression.variable} has no value in this step`);
      return variable;
    }
    case 'experiment':
      return scope.experiment(expression.member) ?? '';
    case 'step': {
      const found = select(await scope.step(expression.step), expression.path);
      if (found === undefined || found === null) {
        throw new EvaluationError(`Step '${expression.step}' has no property '${expression.text}'`);
      }
      return found;
    }
    case 'property-file':
      throw new EvaluationError('A property file has no value of its own: read it with Std:JsonGet');
    case 'join': {
      const parts: string[] = [];
      for (const item of expression.values) {
        const parsed = isExpression(item) ? parseExpression(item) : undefined;
        const type =
          typeof parsed === 'object' && parsed.kind === 'parameter' ? scope.parameter(parsed.name)?.type : undefined;
        parts.push(text(await evaluate(item, scope), type));
      }
      return parts.join(expression.on);
    }
    case 'json-get-file':
    case 'json-get-s3': {
      let document: unknown;
      let source: string;
      if (expression.kind === 'json-get-file') {
        source = `property file '${expression.file}' of step '${expression.step}'`;
        document = await scope.propertyFile(expression.step, expression.file);
      } else {
        source = String(await evaluate(expression.uri, scope));
        document = await scope.s3Json(source);
      }
      const found = select(document, expression.path);
      if (found === undefined) throw new EvaluationError(`Path '${expression.text}' is not in ${source}`);
      return found;
    }
  }
}

/** Replaces every expression in a value by what it stands for; members that are null count as absent. */
export async function evaluate(value: unknown, scope: EvaluationScope): Promise<unknown> {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await evaluate(item, scope));
    return items;
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (isExpression(value)) return evaluateExpression(value, scope);
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) entries.push([key, await evaluate(item, scope)]);
  }
  // Not by assignment: a key named __proto__ is a key like any other.
  return Object.fromEntries(entries);
}

/** Like `evaluate`, but leaves the expressions that wait for a step as they stand. */
export async function evaluateKnown(value: unknown, scope: EvaluationScope): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => evaluateKnown(item, scope)));
  if (typeof value !== 'object' || value === null) return value;
  if (isExpression(value)) {
    try {
      return await evaluateExpression(value, scope);
    } catch (error) {
      if (error instanceof EvaluationError) return value;
      throw error;
    }
  }
  const entries = await Promise.all(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(async ([key, item]) => [key, await evaluateKnown(item, scope)] as const),
  );
  return Object.fromEntries(entries);
}
