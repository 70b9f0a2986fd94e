import { type PathPart, parsePath } from './json-path.ts';

/** Variables of an execution; the two job names are those of the step that evaluates them. */
export const executionVariables = [
  'StartDateTime',
  'CurrentDateTime',
  'PipelineName',
  'PipelineArn',
  'PipelineExecutionId',
  'PipelineExecutionArn',
  'TrainingJobName',
  'ProcessingJobName',
] as const;
export type ExecutionVariable = (typeof executionVariables)[number];

export type Expression =
  | { kind: 'parameter'; name: string }
  | { kind: 'execution'; variable: ExecutionVariable }
  | { kind: 'experiment'; member: 'ExperimentName' | 'TrialName' }
  | { kind: 'step'; step: string; path: PathPart[]; text: string }
  | { kind: 'property-file'; step: string; file: string }
  | { kind: 'join'; on: string; values: unknown[] }
  | { kind: 'json-get-file'; step: string; file: string; path: PathPart[]; text: string }
  | { kind: 'json-get-s3'; uri: unknown; path: PathPart[]; text: string };

const forms = ['Get', 'Std:Join', 'Std:JsonGet'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object with exactly one member, named as an expression form. */
export function isExpression(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && forms.includes(keys[0] as string);
}

function parseGet(reference: unknown): Expression | string {
  if (typeof reference !== 'string') return 'Get takes a reference as text, such as "Parameters.NAME"';
  // Split at the first two dots only: what follows may hold dots of its own.
  const [, head, second, rest] = /^([^.]*)\.([^.[]*)(?:\.?(.*))?$/s.exec(reference) ?? [];
  if (head === 'Parameters' && second !== undefined && !rest) return { kind: 'parameter', name: second };
  if (head === 'Execution' && second !== undefined && !rest) {
    const variable = executionVariables.find((name) => name === second);
    return variable === undefined ? `unknown execution variable '${second}'` : { kind: 'execution', variable };
  }
  if (head === 'PipelineExperimentConfig' && (second === 'ExperimentName' || second === 'TrialName') && !rest) {
    return { kind: 'experiment', member: second };
  }
  if (head === 'Steps' && second !== undefined && rest) {
    const file = /^PropertyFiles\.(.+)$/s.exec(rest);
    if (file?.[1] !== undefined) return { kind: 'property-file', step: second, file: file[1] };
    const path = parsePath(rest);
    if (path === undefined) return `'${rest}' is not a path of .key, ['name'] and [n]`;
    return { kind: 'step', step: second, path, text: rest };
  }
  return `'${reference}' is none of Parameters.NAME, Execution.VARIABLE and Steps.STEP.PATH`;
}

function parseJoin(body: unknown): Expression | string {
  if (!isObject(body)) return 'Std:Join takes an object with On and Values';
  const unknown = Object.keys(body).find((key) => key !== 'On' && key !== 'Values');
  if (unknown !== undefined) return `Cannot parse object, unknown property '${unknown}'`;
  const { On: on, Values: values } = body;
  if (on !== undefined && typeof on !== 'string') return 'On of Std:Join must be a text';
  if (!Array.isArray(values)) return 'Values of Std:Join must be a list';
  return { kind: 'join', on: on ?? '', values };
}

function parseJsonGet(body: unknown): Expression | string {
  if (!isObject(body)) return 'Std:JsonGet takes an object with Path and either PropertyFile or S3Uri';
  const unknown = Object.keys(body).find((key) => !['PropertyFile', 'S3Uri', 'Path'].includes(key));
  if (unknown !== undefined) return `Cannot parse object, unknown property '${unknown}'`;
  const { PropertyFile: file, S3Uri: uri, Path: text } = body;
  if ((file === undefined) === (uri === undefined)) return 'Std:JsonGet takes either PropertyFile or S3Uri';
  if (typeof text !== 'string') return 'Path of Std:JsonGet must be a literal text';
  const path = parsePath(text);
  if (path === undefined) return `'${text}' is not a path of .key, ['name'] and [n] (without a leading "$.")`;
  if (uri !== undefined) return { kind: 'json-get-s3', uri, path, text };
  const reference = isExpression(file)
    ? parseExpression(file)
    : 'PropertyFile must be {"Get": "Steps.STEP.PropertyFiles.NAME"}';
  if (typeof reference === 'string') return reference;
  if (reference.kind !== 'property-file') return 'PropertyFile must be {"Get": "Steps.STEP.PropertyFiles.NAME"}';
  return { kind: 'json-get-file', step: reference.step, file: reference.file, path, text };
}

/** Parses an expression object; a text says what is wrong with it. */
export function parseExpression(value: Record<string, unknown>): Expression | string {
  if ('Get' in value) return parseGet(value['Get']);
  if ('Std:Join' in value) return parseJoin(value['Std:Join']);
  return parseJsonGet(value['Std:JsonGet']);
}

export interface FoundExpression {
  /** JSON path from the root of the definition. */
  at: string;
  expression: Expression | string;
}

export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return /^[A-Za-z0-9_-]+$/.test(key) ? `${path}.${key}` : `${path}['${key}']`;
}

/** Every expression inside a value, nested ones after those that hold them. */
export function findExpressions(value: unknown, path: string): FoundExpression[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => findExpressions(item, childPath(path, index)));
  if (!isObject(value)) return [];
  if (!isExpression(value)) {
    return Object.entries(value).flatMap(([key, item]) => findExpressions(item, childPath(path, key)));
  }
  const expression = parseExpression(value);
  const found: FoundExpression[] = [{ at: path, expression }];
  if (typeof expression === 'string') return found;
  if (expression.kind === 'join') {
    return [...found, ...findExpressions(expression.values, `${childPath(path, 'Std:Join')}.Values`)];
  }
  if (expression.kind === 'json-get-s3') {
    return [...found, ...findExpressions(expression.uri, `${childPath(path, 'Std:JsonGet')}.S3Uri`)];
  }
  return found;
}

/** The steps that a value refers to, each once. */
export function referencedSteps(value: unknown): string[] {
  const steps = findExpressions(value, '$').flatMap(({ expression }) =>
    typeof expression !== 'string' && 'step' in expression ? [expression.step] : [],
  );
  return [...new Set(steps)];
}
