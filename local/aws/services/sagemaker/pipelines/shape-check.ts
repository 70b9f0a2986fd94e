import { NormalizedSchema } from '@smithy/core/schema';
import { childPath, isExpression } from './expressions.ts';
import type { PathPart } from './json-path.ts';

export interface Problem {
  /** JSON path from the root of the definition. */
  path: string;
  message: string;
}

type Schema = Parameters<typeof NormalizedSchema.of>[0];

/** The members of a structure that a request must bring. The runtime schemas list them first and say how many they are. */
function requiredMembers(schema: NormalizedSchema): string[] {
  const raw = schema.getSchema() as unknown as [number, string, string, unknown, string[], unknown[], number?];
  return raw[4].slice(0, raw[6] ?? 0);
}

function nounOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function expected(schema: NormalizedSchema): { noun: string; fits: (value: unknown) => boolean } {
  const object = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (schema.isStructSchema()) return { noun: 'an object', fits: object };
  if (schema.isMapSchema()) return { noun: 'an object', fits: object };
  if (schema.isListSchema()) return { noun: 'a list', fits: Array.isArray };
  if (schema.isBooleanSchema()) return { noun: 'a boolean', fits: (value) => typeof value === 'boolean' };
  if (schema.isNumericSchema()) return { noun: 'a number', fits: (value) => typeof value === 'number' };
  if (schema.isStringSchema()) return { noun: 'a text', fits: (value) => typeof value === 'string' };
  return { noun: 'a value', fits: () => true };
}

/**
 * Checks a JSON value against the shape of an API request. An expression fits everywhere, `null` counts as absent.
 * `given` names the members that the caller fills in itself.
 */
export function checkShape(schema: Schema, value: unknown, path: string, given: readonly string[] = []): Problem[] {
  return check(NormalizedSchema.of(schema), value, path, given);
}

function check(schema: NormalizedSchema, value: unknown, path: string, given: readonly string[]): Problem[] {
  if (value === null || isExpression(value)) return [];
  const { noun, fits } = expected(schema);
  if (!fits(value)) return [{ path, message: `expected ${noun}, found ${nounOf(value)}` }];
  if (schema.isStructSchema()) {
    const object = value as Record<string, unknown>;
    const members = new Map(schema.structIterator());
    const problems: Problem[] = [];
    for (const [key, item] of Object.entries(object)) {
      const member = members.get(key);
      const at = childPath(path, key);
      if (member === undefined) problems.push({ path: at, message: `Cannot parse object, unknown property '${key}'` });
      else problems.push(...check(member, item, at, []));
    }
    for (const name of requiredMembers(schema)) {
      if ((object[name] ?? null) === null && !given.includes(name)) {
        problems.push({
          path: childPath(path, name),
          message: 'Value null failed to satisfy constraint: Member must not be null',
        });
      }
    }
    return problems;
  }
  if (schema.isListSchema()) {
    return (value as unknown[]).flatMap((item, index) =>
      check(schema.getValueSchema(), item, childPath(path, index), []),
    );
  }
  if (schema.isMapSchema()) {
    return Object.entries(value as object).flatMap(([key, item]) =>
      check(schema.getValueSchema(), item, childPath(path, key), []),
    );
  }
  return [];
}

/** Whether a Describe answer can hold something at the path; a text says where the path leaves its shape. */
export function checkResponsePath(schema: Schema, parts: readonly PathPart[]): string | undefined {
  let current = NormalizedSchema.of(schema);
  for (const part of parts) {
    if (current.isStructSchema()) {
      const member = part.kind === 'member' ? new Map(current.structIterator()).get(part.name) : undefined;
      if (member === undefined) {
        return `${current.getName(false)} has no property ${part.kind === 'member' ? `'${part.name}'` : `[${part.index}]`}`;
      }
      current = member;
    } else if (current.isListSchema()) {
      current = current.getValueSchema();
    } else if (current.isMapSchema() && part.kind === 'member') {
      current = current.getValueSchema();
    } else {
      return `${current.getName(false) ?? 'a plain value'} has nothing inside`;
    }
  }
  return undefined;
}
