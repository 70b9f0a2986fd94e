import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import { cidrBlocks } from './cidr.ts';
import type { Json } from './read.ts';
import { attributeReference, functionOf, subArguments, substitution } from './references.ts';
import { pseudoParameters, type Template } from './template.ts';

export type Value = string | number | boolean | Value[] | { [key: string]: Value };

/** What AWS::NoValue stands for: the member or item is left out. */
const absent = Symbol('AWS::NoValue');
type Evaluated = Value | typeof absent;

export interface EvaluationScope {
  template: Template;
  parameters: Record<string, string | string[]>;
  /** AWS::Region and so on; AWS::NoValue is none of them. */
  pseudo: Record<string, string | string[]>;
  availabilityZones: string[];
  /** The value of Ref for a resource of the template. */
  refOf(logicalId: string): Value;
  attributeOf(logicalId: string, attribute: string): Value;
  /** The value of an export of this account and region. */
  importValue(name: string): string;
}

/** Evaluates the Conditions section. Throws ValidationError for anything that a condition may not use. */
export function evaluateConditions(scope: EvaluationScope): Record<string, boolean> {
  const results: Record<string, boolean> = {};
  const lookup = (name: string): boolean => {
    const known = results[name];
    if (known !== undefined) return known;
    const result = conditionValue(scope.template.conditions[name] as Json, scope, lookup);
    results[name] = result;
    return result;
  };
  for (const name of Object.keys(scope.template.conditions)) lookup(name);
  return results;
}

/** Evaluates a value of Resources or Outputs; undefined when the whole value is AWS::NoValue. */
export function evaluate(value: Json, scope: EvaluationScope, conditions: Record<string, boolean>): Value | undefined {
  const result = evaluateAny(value, scope, (name) => conditions[name] === true);
  return result === absent ? undefined : result;
}

type ConditionLookup = (name: string) => boolean;

function conditionValue(value: Json, scope: EvaluationScope, lookup: ConditionLookup): boolean {
  const call = typeof value === 'object' && !Array.isArray(value) ? functionOf(value) : undefined;
  const list = (): Json[] => {
    if (!Array.isArray(call?.argument)) {
      throw validationError(`Template validation error: Template error: every ${call?.name} object requires a list`);
    }
    return call.argument;
  };
  switch (call?.name) {
    case 'Condition':
      return lookup(call.argument as string);
    case 'Fn::And':
    case 'Fn::Or': {
      const members = list();
      if (members.length < 2 || members.length > 10) {
        throw validationError(
          `Template validation error: Template error: every ${call.name} object requires a list of at least 2 and at most 10 boolean parameters.`,
        );
      }
      const values = members.map((member) => conditionValue(member, scope, lookup));
      return call.name === 'Fn::And' ? values.every(Boolean) : values.some(Boolean);
    }
    case 'Fn::Not': {
      const members = list();
      if (members.length !== 1) {
        throw validationError(
          'Template validation error: Template error: every Fn::Not object requires one boolean parameter.',
        );
      }
      return !conditionValue(members[0] as Json, scope, lookup);
    }
    case 'Fn::Equals': {
      const members = list();
      if (members.length !== 2) {
        throw validationError(
          'Template validation error: Template error: every Fn::Equals object requires a list of 2 string parameters.',
        );
      }
      const [left, right] = members.map((member) => evaluateAny(member, scope, lookup));
      return comparable(left as Evaluated) === comparable(right as Evaluated);
    }
    default:
      throw validationError(
        `Template format error: Conditions can only be boolean operations on parameters and other conditions, not ${JSON.stringify(value)}`,
      );
  }
}

function comparable(value: Evaluated): string {
  if (value === absent) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function evaluateAny(value: Json, scope: EvaluationScope, lookup: ConditionLookup): Evaluated {
  if (Array.isArray(value)) {
    return value.map((item) => evaluateAny(item, scope, lookup)).filter((item) => item !== absent);
  }
  if (typeof value !== 'object') return value;
  const call = functionOf(value);
  if (call !== undefined) return evaluateFunction(call.name, call.argument, scope, lookup);
  const result: Record<string, Value> = {};
  for (const [key, item] of Object.entries(value)) {
    const evaluated = evaluateAny(item, scope, lookup);
    if (evaluated !== absent) result[key] = evaluated;
  }
  return result;
}

function text(value: Evaluated, name: string): string {
  if (value === absent || typeof value === 'object') {
    throw validationError(
      `Template error: every ${name} object requires string values, not ${value === absent ? 'AWS::NoValue' : JSON.stringify(value)}`,
    );
  }
  return String(value);
}

function evaluateFunction(name: string, argument: Json, scope: EvaluationScope, lookup: ConditionLookup): Evaluated {
  const inner = (value: Json): Evaluated => evaluateAny(value, scope, lookup);
  const items = (count: number): Json[] => {
    if (!Array.isArray(argument) || argument.length !== count) {
      throw validationError(`Template error: every ${name} object requires ${count} parameters`);
    }
    return argument;
  };
  switch (name) {
    case 'Ref':
      return reference(argument as string, scope);
    case 'Fn::GetAtt': {
      const { resource, attribute } = attributeReference(argument);
      return scope.attributeOf(resource, text(inner(attribute), name));
    }
    case 'Fn::Sub':
      return substitute(argument, scope, lookup);
    case 'Fn::Join': {
      const [delimiter, list] = items(2) as [Json, Json];
      const values = inner(list);
      if (typeof delimiter !== 'string' || !Array.isArray(values)) {
        throw validationError(
          'Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined',
        );
      }
      return values.map((item) => text(item, name)).join(delimiter);
    }
    case 'Fn::Split': {
      const [delimiter, source] = items(2) as [Json, Json];
      if (typeof delimiter !== 'string' || delimiter === '') {
        throw validationError(
          'Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split',
        );
      }
      return text(inner(source), name).split(delimiter);
    }
    case 'Fn::Select': {
      const [position, list] = items(2) as [Json, Json];
      const index = Number(text(inner(position), name));
      const values = inner(list);
      if (!Number.isInteger(index) || !Array.isArray(values)) {
        throw validationError(
          'Template error: Fn::Select requires a list argument with two elements: an integer index and a list',
        );
      }
      const selected = values[index];
      if (selected === undefined) {
        throw validationError(`Template error: Fn::Select cannot select nonexistent value at index ${index}`);
      }
      return selected;
    }
    case 'Fn::If': {
      const [condition, yes, no] = items(3) as [string, Json, Json];
      return inner(lookup(condition) ? yes : no);
    }
    case 'Fn::FindInMap':
      return findInMap(items(3).map(inner), scope);
    case 'Fn::Base64':
      return Buffer.from(text(inner(argument), name)).toString('base64');
    case 'Fn::Cidr': {
      if (!Array.isArray(argument) || argument.length < 2 || argument.length > 3) {
        throw validationError(
          'Template error: every Fn::Cidr object requires a list of 2 or 3 parameters: block, count, bits',
        );
      }
      const [block, count, bits] = argument.map((item) => text(inner(item), name));
      return cidrBlocks(block as string, Number(count), bits === undefined ? 8 : Number(bits));
    }
    case 'Fn::GetAZs': {
      const region = inner(argument);
      if (region !== absent && region !== '' && region !== scope.pseudo['AWS::Region']) {
        throw new NotImplementedError(`Fn::GetAZs of another region (${String(region)})`);
      }
      return scope.availabilityZones;
    }
    case 'Fn::ImportValue':
      return scope.importValue(text(inner(argument), name));
    case 'Condition':
      return { Condition: argument as string };
    default:
      return conditionValue({ [name]: argument }, scope, lookup);
  }
}

function reference(name: string, scope: EvaluationScope): Evaluated {
  if (name === 'AWS::NoValue') return absent;
  if (pseudoParameters.has(name)) return scope.pseudo[name] ?? absent;
  const parameter = scope.parameters[name];
  if (parameter !== undefined) return parameter;
  return scope.refOf(name);
}

function substitute(argument: Json, scope: EvaluationScope, lookup: ConditionLookup): Value {
  const { text: template, variables } = subArguments(argument);
  return template
    .replace(substitution, (_, inside: string) => {
      const part = inside.trim();
      if (part in variables) return text(evaluateAny(variables[part] as Json, scope, lookup), 'Fn::Sub');
      const dot = part.indexOf('.');
      const value = dot < 0 ? reference(part, scope) : scope.attributeOf(part.slice(0, dot), part.slice(dot + 1));
      return text(value, 'Fn::Sub');
    })
    .replace(/\$\{!/g, '${');
}

function findInMap(keys: Evaluated[], scope: EvaluationScope): Value {
  const [map, top, second] = keys.map((key) => text(key, 'Fn::FindInMap')) as [string, string, string];
  const mapping = scope.template.mappings[map];
  if (mapping === undefined) {
    throw validationError(
      `Template error: Mapping named '${map}' is not present in the 'Mappings' section of template.`,
    );
  }
  const value = mapping[top]?.[second];
  if (value === undefined) {
    throw validationError(`Template error: Unable to get mapping for ${map}::${top}::${second}`);
  }
  return value;
}
