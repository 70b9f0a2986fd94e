import { createRequire } from 'node:module';
import type { Json as Value } from '../template/read.ts';

export type PropertyType =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'json'
  | 'date-time'
  | 'null'
  | 'tag'
  | { array: PropertyType }
  | { map: PropertyType }
  | { union: PropertyType[] }
  | { enum: string[] }
  | { definition: string };

export interface PropertySchema {
  type: PropertyType;
  required?: boolean;
  replacement?: 'yes' | 'maybe';
}

export interface ResourceSchema {
  primaryIdentifier?: string[];
  tags?: { tagPropertyName: string; variant: 'standard' | 'map' | 'asg' };
  properties: Record<string, PropertySchema>;
  attributes: string[];
  definitions: Record<string, Record<string, PropertySchema>>;
}

interface Extract {
  types: Record<string, ResourceSchema>;
  others: string[];
}

let extract: (Extract & { otherSet: Set<string> }) | undefined;

function load(): Extract & { otherSet: Set<string> } {
  if (extract === undefined) {
    const read = createRequire(import.meta.url)('../resource-types.generated.json') as Extract;
    extract = { ...read, otherSet: new Set(read.others) };
  }
  return extract;
}

/** What AWS says about a type that the platform can create; undefined for every other type. */
export function resourceSchema(type: string): ResourceSchema | undefined {
  return load().types[type];
}

/** Whether AWS would recognise the type: others are refused before a stack is made. */
export function typeIsKnownToAws(type: string): boolean {
  const { types, otherSet } = load();
  return type in types || otherSet.has(type) || type.startsWith('Custom::');
}

export interface CheckedProperties {
  properties: Record<string, Value>;
  problems: string[];
}

/**
 * Checks properties against their schema and brings scalars into the declared type, as CloudFormation does ("1" for an
 * integer, 1 for a string). Problems are worded like those of CloudFormation's resource handlers.
 */
export function checkProperties(schema: ResourceSchema, properties: Record<string, Value>): CheckedProperties {
  const problems: string[] = [];
  const checked = checkMembers(schema.properties, properties, '#', schema, problems);
  return { properties: checked, problems };
}

function checkMembers(
  members: Record<string, PropertySchema>,
  value: Record<string, Value>,
  path: string,
  schema: ResourceSchema,
  problems: string[],
): Record<string, Value> {
  const result: Record<string, Value> = {};
  for (const [name, member] of Object.entries(members)) {
    if (member.required && value[name] === undefined) problems.push(`${path}: required key [${name}] not found`);
  }
  for (const [name, item] of Object.entries(value)) {
    const member = members[name];
    if (member === undefined) problems.push(`${path}: extraneous key [${name}] is not permitted`);
    else result[name] = checkValue(member.type, item, `${path}/${name}`, schema, problems);
  }
  return result;
}

function kindOf(value: Value): string {
  if (Array.isArray(value)) return 'JSONArray';
  if (typeof value === 'object') return 'JSONObject';
  return { string: 'String', number: 'Number', boolean: 'Boolean' }[typeof value as 'string' | 'number' | 'boolean'];
}

const tagMembers: Record<string, PropertySchema> = {
  Key: { type: 'string', required: true },
  Value: { type: 'string', required: true },
};

function checkValue(type: PropertyType, value: Value, path: string, schema: ResourceSchema, problems: string[]): Value {
  const wrong = (expected: string): Value => {
    problems.push(`${path}: expected type: ${expected}, found: ${kindOf(value)}`);
    return value;
  };
  if (type === 'json' || type === 'null') return value;
  if (type === 'tag') {
    if (typeof value !== 'object' || Array.isArray(value)) return wrong('JSONObject');
    return checkMembers(tagMembers, value, path, schema, problems);
  }
  if (type === 'string' || type === 'date-time' || (typeof type === 'object' && 'enum' in type)) {
    if (typeof value === 'object') return wrong('String');
    const text = String(value);
    if (typeof type === 'object' && !type.enum.includes(text)) {
      problems.push(`${path}: ${text} is not a valid enum value`);
    }
    return text;
  }
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    return wrong('Boolean');
  }
  if (type === 'number' || type === 'integer') {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || Number.isNaN(number)) return wrong(type === 'integer' ? 'Integer' : 'Number');
    if (type === 'integer' && !Number.isInteger(number)) return wrong('Integer');
    return number;
  }
  if ('array' in type) {
    if (!Array.isArray(value)) return wrong('JSONArray');
    return value.map((item, index) => checkValue(type.array, item, `${path}/${index}`, schema, problems));
  }
  if ('union' in type) {
    for (const member of type.union) {
      const attempt: string[] = [];
      const checked = checkValue(member, value, path, schema, attempt);
      if (attempt.length === 0 && kindOf(checked) === kindOf(value)) return checked;
    }
    return wrong(
      type.union.map((member) => (typeof member === 'string' ? member : JSON.stringify(member))).join(' or '),
    );
  }
  if (typeof value !== 'object' || Array.isArray(value)) return wrong('JSONObject');
  if ('map' in type) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, checkValue(type.map, item, `${path}/${key}`, schema, problems)]),
    );
  }
  const definition = schema.definitions[type.definition];
  return definition === undefined ? value : checkMembers(definition, value, path, schema, problems);
}
