import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { validationError } from '../errors.ts';

export type Json = string | number | boolean | Json[] | { [key: string]: Json };

/** Short tags of YAML templates, see "Intrinsic function reference" of the CloudFormation user guide. */
const functionTags = new Set([
  'And',
  'Base64',
  'Cidr',
  'Equals',
  'FindInMap',
  'ForEach',
  'GetAZs',
  'GetAtt',
  'If',
  'ImportValue',
  'Join',
  'Length',
  'Not',
  'Or',
  'Select',
  'Split',
  'Sub',
  'ToJsonString',
  'Transform',
]);

/** CloudFormation reads YAML 1.1 without these (user guide, "CloudFormation template formats"); dates stay strings. */
const unsupportedYamlTags = ['timestamp', 'binary', 'omap', 'pairs', 'set', 'merge'];

function parseYaml(body: string): unknown {
  const document = parseDocument(body, {
    version: '1.1',
    logLevel: 'silent',
    customTags: (tags) =>
      tags.filter((tag) => {
        const name = typeof tag === 'string' ? tag : tag.tag.replace('tag:yaml.org,2002:', '');
        return !unsupportedYamlTags.includes(name);
      }),
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const [position] = error.linePos ?? [];
    const where = position === undefined ? '' : ` (line ${position.line}, column ${position.col})`;
    throw validationError(`Template format error: YAML not well-formed.${where}`);
  }
  return plain(document.contents, []);
}

function plain(node: unknown, path: string[]): unknown {
  if (node === null || node === undefined) return null;
  if (isAlias(node)) {
    throw validationError('Template format error: YAML aliases are not allowed in CloudFormation templates');
  }
  const tag = (node as { tag?: string }).tag;
  const value = untagged(node, path);
  if (tag === undefined || !tag.startsWith('!') || tag === '!') return value;
  const name = tag.slice(1);
  if (name === 'Ref' || name === 'Condition') return { [name]: value };
  if (!functionTags.has(name))
    throw validationError(`Template format error: unsupported structure seen at tag ${tag}.`);
  if (name === 'GetAtt' && typeof value === 'string') {
    const dot = value.indexOf('.');
    return { 'Fn::GetAtt': dot < 0 ? [value] : [value.slice(0, dot), value.slice(dot + 1)] };
  }
  return { [`Fn::${name}`]: value };
}

function untagged(node: unknown, path: string[]): unknown {
  if (isMap(node)) {
    const object: Record<string, unknown> = {};
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : undefined;
      if (key === undefined) {
        throw validationError('Template format error: [/] map keys must be strings; received a map instead');
      }
      if (key === '<<') throw validationError('Template format error: YAML hash merges are not supported');
      object[key] = plain(pair.value, [...path, key]);
    }
    return object;
  }
  if (isSeq(node)) return node.items.map((item, index) => plain(item, [...path, String(index)]));
  if (isScalar(node)) {
    // A tagged scalar is text, whatever it looks like: !Sub 12345 is the string "12345".
    if (typeof (node as { tag?: string }).tag === 'string' && node.tag?.startsWith('!'))
      return String(node.value ?? '');
    return node.value;
  }
  return null;
}

function refuseNulls(value: unknown, path: string): void {
  if (value === null || value === undefined) {
    throw validationError(`Template format error: [${path}] 'null' values are not allowed in templates`);
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      refuseNulls(item, `${path}/${index}`);
    });
  } else if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) refuseNulls(item, `${path === '/' ? '' : path}/${key}`);
  }
}

/** Reads a template in JSON or YAML into plain values; short tags become their long functions. Throws ValidationError. */
export function readTemplateBody(body: string): Record<string, Json> {
  let value: unknown;
  if (body.trimStart().startsWith('{')) {
    try {
      value = JSON.parse(body);
    } catch {
      throw validationError('Template format error: JSON not well-formed.');
    }
  } else {
    value = parseYaml(body);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw validationError('Template format error: unsupported structure.');
  }
  refuseNulls(value, '/');
  return value as Record<string, Json>;
}
