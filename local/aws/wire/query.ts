/** awsQuery: form parameters in, XML out. */
import { AwsError, NotImplementedError } from '../core/errors.ts';
import { toDate } from './json.ts';
import type { Shape } from './schemas.ts';

interface Node {
  value?: string;
  children: Map<string, Node>;
}

/** Parameters `A.member.1.B=x` -> a structure. `Action` and `Version` are not part of the input. */
export function decodeQuery(shape: Shape, parameters: Iterable<[string, string]>): Record<string, any> {
  const root: Node = { children: new Map() };
  for (const [name, value] of parameters) {
    if (name === 'Action' || name === 'Version') continue;
    let node = root;
    for (const part of name.split('.')) {
      let child = node.children.get(part);
      if (child === undefined) {
        child = { children: new Map() };
        node.children.set(part, child);
      }
      node = child;
    }
    node.value = value;
  }
  return shape.kind === 'unit' ? {} : (decodeNode(shape, root, '') as Record<string, any>);
}

function decodeNode(shape: Shape, node: Node, path: string): unknown {
  switch (shape.kind) {
    case 'structure':
    case 'union': {
      const names = new Map([...shape.members].map(([name, member]) => [member.traits.xmlName ?? name, name]));
      const decoded: Record<string, unknown> = {};
      for (const [key, child] of node.children) {
        const name = names.get(key);
        const memberPath = path === '' ? key : `${path}.${key}`;
        if (name === undefined) throw new NotImplementedError(`the parameter ${memberPath} of this request`);
        decoded[name] = decodeNode(shape.members.get(name)!, child, memberPath);
      }
      return decoded;
    }
    case 'list': {
      if (node.value === '') return [];
      const parent = shape.traits.xmlFlattened ? node : node.children.get(shape.element.traits.xmlName ?? 'member');
      if (parent === undefined) throw malformed(path, 'a list (NAME.member.N)');
      return numbered(parent, path).map(([index, child]) =>
        decodeNode(shape.element, child, `${path}.member.${index}`),
      );
    }
    case 'map': {
      const parent = shape.traits.xmlFlattened ? node : node.children.get('entry');
      if (parent === undefined) return {};
      return Object.fromEntries(
        numbered(parent, path).map(([index, child]) => {
          const key = child.children.get('key')?.value;
          const value = child.children.get('value');
          if (key === undefined || value === undefined)
            throw malformed(path, `a map (entry.${index} lacks key or value)`);
          return [key, decodeNode(shape.element, value, `${path}.${key}`)];
        }),
      );
    }
    default:
      if (node.value === undefined) throw malformed(path, 'a single value');
      return decodeScalar(shape, node.value, path);
  }
}

function numbered(node: Node, path: string): [number, Node][] {
  const items = [...node.children].map(([key, child]): [number, Node] => {
    if (!/^[1-9]\d*$/.test(key)) throw malformed(path, `numbered from 1, not "${key}"`);
    return [Number(key), child];
  });
  return items.sort((left, right) => left[0] - right[0]);
}

function decodeScalar(shape: Shape, text: string, path: string): unknown {
  switch (shape.kind) {
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw malformed(path, 'true or false');
    case 'number':
    case 'big-number': {
      const value = Number(text);
      if (text.trim() === '' || Number.isNaN(value)) throw malformed(path, 'a number');
      return value;
    }
    case 'timestamp': {
      const date = /^\d+(\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : new Date(text);
      if (Number.isNaN(date.getTime())) throw malformed(path, 'a time');
      return date;
    }
    case 'blob':
      return new Uint8Array(Buffer.from(text, 'base64'));
    default:
      return text;
  }
}

function malformed(path: string, expected: string): AwsError {
  return new AwsError('MalformedInput', `The parameter ${path} must be ${expected}.`);
}

export interface XmlNames {
  namespace: string;
  operation: string;
  requestId: string;
}

export function encodeQueryResponse(
  shape: Shape,
  value: any,
  names: XmlNames,
  unknown: (name: string) => void,
): string {
  const { operation, namespace, requestId } = names;
  const result = shape.kind === 'unit' ? '' : element(`${operation}Result`, encodeXml(shape, value ?? {}, unknown));
  const metadata = element('ResponseMetadata', element('RequestId', escapeXml(requestId)));
  return `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
}

/** The content of an element, without the element itself. */
export function encodeXml(shape: Shape, value: any, unknown: (name: string) => void): string {
  switch (shape.kind) {
    case 'structure':
    case 'union': {
      const parts: string[] = [];
      for (const [name, item] of Object.entries(value)) {
        if (item === undefined || item === null) continue;
        const member = shape.members.get(name);
        if (member === undefined) {
          unknown(`${shape.name}.${name}`);
          continue;
        }
        const tag = member.traits.xmlName ?? name;
        if (member.traits.xmlFlattened && member.kind === 'list') {
          for (const entry of item as Iterable<unknown>) {
            parts.push(element(tag, encodeXml(member.element, entry, unknown)));
          }
        } else {
          parts.push(element(tag, encodeXml(member, item, unknown)));
        }
      }
      return parts.join('');
    }
    case 'list': {
      const tag = shape.element.traits.xmlName ?? 'member';
      return Array.from(value as Iterable<unknown>, (item) =>
        element(tag, encodeXml(shape.element, item, unknown)),
      ).join('');
    }
    case 'map':
      return Object.entries(value)
        .map(([key, item]) =>
          element('entry', element('key', escapeXml(key)) + element('value', encodeXml(shape.element, item, unknown))),
        )
        .join('');
    case 'timestamp':
      return toDate(value).toISOString();
    case 'blob':
      return Buffer.from(value).toString('base64');
    case 'unit':
      return '';
    default:
      return escapeXml(String(value));
  }
}

export function element(tag: string, content: string): string {
  return `<${tag}>${content}</${tag}>`;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
