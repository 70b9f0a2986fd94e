import { readFileSync } from 'node:fs';
import { childPath, isExpression } from './expressions.ts';
import type { Problem } from './shape-check.ts';

interface Shape {
  min?: number;
  max?: number;
  enum?: string[];
  members?: Record<string, string>;
  element?: string;
  key?: string;
  value?: string;
}

interface Limits {
  operations: Record<string, string>;
  shapes: Record<string, Shape>;
}

let table: Limits | undefined;

/** The table that the wire layer checks requests by, made from botocore's models. */
function limits(): Limits {
  table ??= JSON.parse(readFileSync(new URL('../../../wire/limits.json', import.meta.url), 'utf8')).services
    .sagemaker as Limits;
  return table;
}

/**
 * Checks the plain values inside Arguments against enumerations, ranges and lengths of the request that they will become,
 * as CreatePipeline does ("Model Validation failed"). Patterns wait for the evaluated request. Expressions fit everywhere.
 */
export function checkConstraints(operation: string, value: unknown, path: string): Problem[] {
  return visit(limits().operations[operation], value, path);
}

function visit(name: string | undefined, value: unknown, path: string): Problem[] {
  const shape = name === undefined ? undefined : limits().shapes[name];
  if (name === undefined || shape === undefined || value === null || value === undefined || isExpression(value))
    return [];
  const problems = broken(name, shape, value).map((message) => ({ path, message }));
  if (Array.isArray(value)) {
    return [...problems, ...value.flatMap((item, index) => visit(shape.element, item, childPath(path, index)))];
  }
  if (typeof value !== 'object') return problems;
  for (const [key, item] of Object.entries(value)) {
    const at = childPath(path, key);
    if (shape.key !== undefined) problems.push(...visit(shape.key, key, at));
    problems.push(...visit(shape.members?.[key] ?? shape.value, item, at));
  }
  return problems;
}

function broken(name: string, shape: Shape, value: unknown): string[] {
  const fails = (constraint: string) =>
    `Model Validation failed: Value '${typeof value === 'object' ? JSON.stringify(value) : value}' for '${name}' failed to satisfy ${constraint}`;
  const { min = -Infinity, max = Infinity } = shape;
  if (typeof value === 'number') {
    return value < min || value > max ? [fails(`constraint: value between ${min} and ${max}`)] : [];
  }
  if (shape.enum !== undefined && typeof value === 'string' && !shape.enum.includes(value)) {
    return [fails(`enum value set: [${shape.enum.join(', ')}]`)];
  }
  const length =
    typeof value === 'string'
      ? [...value].length
      : Array.isArray(value)
        ? value.length
        : shape.members === undefined && typeof value === 'object' && value !== null
          ? Object.keys(value).length
          : undefined;
  if (length !== undefined && (length < min || length > max)) {
    return [fails(`constraint: length between ${min} and ${max}`)];
  }
  return [];
}
