import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import type { Json } from './read.ts';

export interface References {
  /** Names in Ref and ${...} of Fn::Sub, pseudo parameters included. */
  names: Set<string>;
  attributes: { resource: string; attribute: string | undefined }[];
  conditions: Set<string>;
  mappings: Set<string>;
}

/** The ${...} parts of a Fn::Sub text; ${!Literal} is none. */
export const substitution = /\$\{([^}!][^}]*)\}/g;

export const functions = new Set([
  'Ref',
  'Condition',
  'Fn::And',
  'Fn::Base64',
  'Fn::Cidr',
  'Fn::Equals',
  'Fn::FindInMap',
  'Fn::GetAZs',
  'Fn::GetAtt',
  'Fn::If',
  'Fn::ImportValue',
  'Fn::Join',
  'Fn::Not',
  'Fn::Or',
  'Fn::Select',
  'Fn::Split',
  'Fn::Sub',
]);

/** Functions that AWS offers only through a transform, which the local platform does not run. */
const transformFunctions: Record<string, string> = {
  'Fn::Length': 'Fn::Length (on AWS it needs the transform AWS::LanguageExtensions)',
  'Fn::ToJsonString': 'Fn::ToJsonString (on AWS it needs the transform AWS::LanguageExtensions)',
  'Fn::ForEach': 'Fn::ForEach (on AWS it needs the transform AWS::LanguageExtensions)',
  'Fn::Transform': 'macros (Fn::Transform)',
};

/** The intrinsic function that an object is, undefined for ordinary objects. */
export function functionOf(value: Record<string, Json>): { name: string; argument: Json } | undefined {
  const keys = Object.keys(value);
  if (keys.length !== 1) {
    const stray = keys.find((key) => key.startsWith('Fn::') || key === 'Ref');
    if (stray?.startsWith('Fn::')) {
      throw validationError(
        `Template format error: ${stray} must be the only member of its map; it stands beside ${keys.filter((key) => key !== stray).join(', ')}.`,
      );
    }
    return undefined;
  }
  const [name] = keys as [string];
  const argument = value[name] as Json;
  const needsTransform = Object.keys(transformFunctions).find((key) => name === key || name.startsWith(`${key}::`));
  if (needsTransform !== undefined) throw new NotImplementedError(transformFunctions[needsTransform] as string);
  // {"Condition": {...}} is an ordinary member of policy statements; as a function it always holds a name.
  if (name === 'Condition' && typeof argument !== 'string') return undefined;
  if (functions.has(name)) return { name, argument };
  if (name.startsWith('Fn::')) {
    throw validationError(`Template format error: Template error: unrecognized intrinsic function ${name}`);
  }
  return undefined;
}

/** Everything that a value refers to. Throws ValidationError where a function's argument has a wrong form. */
export function collectReferences(value: Json): References {
  const references: References = { names: new Set(), attributes: [], conditions: new Set(), mappings: new Set() };
  collect(value, references);
  return references;
}

function collect(value: Json, references: References): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, references);
    return;
  }
  if (typeof value !== 'object') return;
  const call = functionOf(value);
  if (call === undefined) {
    for (const item of Object.values(value)) collect(item, references);
    return;
  }
  const { name, argument } = call;
  switch (name) {
    case 'Ref':
      if (typeof argument !== 'string')
        throw validationError('Template format error: every Ref object must have a single String value.');
      references.names.add(argument);
      return;
    case 'Condition':
      references.conditions.add(argument as string);
      return;
    case 'Fn::GetAtt': {
      const { resource, attribute } = attributeReference(argument);
      references.attributes.push({ resource, attribute: typeof attribute === 'string' ? attribute : undefined });
      if (typeof attribute !== 'string') collect(attribute, references);
      return;
    }
    case 'Fn::Sub': {
      const { text, variables } = subArguments(argument);
      for (const item of Object.values(variables)) collect(item, references);
      for (const [, reference] of text.matchAll(substitution)) {
        const part = (reference as string).trim();
        if (part in variables) continue;
        const dot = part.indexOf('.');
        if (dot < 0) references.names.add(part);
        else references.attributes.push({ resource: part.slice(0, dot), attribute: part.slice(dot + 1) });
      }
      return;
    }
    case 'Fn::If': {
      if (!Array.isArray(argument) || argument.length !== 3 || typeof argument[0] !== 'string') {
        throw validationError(
          'Template error: Fn::If requires a list argument with three elements, the first one the name of a condition',
        );
      }
      references.conditions.add(argument[0]);
      collect(argument[1] as Json, references);
      collect(argument[2] as Json, references);
      return;
    }
    case 'Fn::FindInMap': {
      if (!Array.isArray(argument) || argument.length < 3) {
        throw validationError('Template error: Fn::FindInMap requires a list argument with three elements');
      }
      if (argument.length > 3)
        throw new NotImplementedError('DefaultValue of Fn::FindInMap (on AWS it needs AWS::LanguageExtensions)');
      if (typeof argument[0] === 'string') references.mappings.add(argument[0]);
      for (const item of argument) collect(item, references);
      return;
    }
    default:
      collect(argument, references);
  }
}

export function attributeReference(argument: Json): { resource: string; attribute: Json } {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    if (dot > 0) return { resource: argument.slice(0, dot), attribute: argument.slice(dot + 1) };
  }
  if (!Array.isArray(argument) || argument.length !== 2 || typeof argument[0] !== 'string') {
    throw validationError(
      'Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute',
    );
  }
  return { resource: argument[0], attribute: argument[1] as Json };
}

export function subArguments(argument: Json): { text: string; variables: Record<string, Json> } {
  if (typeof argument === 'string') return { text: argument, variables: {} };
  if (Array.isArray(argument) && argument.length === 2 && typeof argument[0] === 'string') {
    const [text, variables] = argument as [string, Json];
    if (typeof variables === 'object' && !Array.isArray(variables)) return { text, variables };
  }
  throw validationError(
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
  );
}
