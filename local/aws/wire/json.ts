/** JSON documents of awsJson 1.0, 1.1 and restJson1: times are epoch seconds, blobs base64. */
import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { Shape } from './schemas.ts';

/** JSON value -> what a service works with (Date for times, Uint8Array for blobs). Throws SerializationException. */
export function decodeJson(shape: Shape, value: unknown, path: string): any {
  if (value === null || value === undefined) return undefined;
  switch (shape.kind) {
    case 'structure':
    case 'union':
      return decodeStructure(shape, value, path);
    case 'list': {
      if (!Array.isArray(value)) throw wrongType(path, 'a list', value);
      return value.map((item, index) => decodeJson(shape.element, item, `${path}[${index}]`));
    }
    case 'map': {
      if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(path, 'a map', value);
      const entries = Object.entries(value).filter(([, item]) => item !== null);
      return Object.fromEntries(entries.map(([key, item]) => [key, decodeJson(shape.element, item, `${path}.${key}`)]));
    }
    case 'string':
      if (typeof value !== 'string') throw wrongType(path, 'a string', value);
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(path, 'true or false', value);
      return value;
    case 'number':
    case 'big-number':
      if (typeof value !== 'number') throw wrongType(path, 'a number', value);
      return value;
    case 'blob':
      if (typeof value !== 'string') throw wrongType(path, 'a base64 string', value);
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'timestamp':
      return decodeTimestamp(value, path);
    case 'document':
      return value;
    case 'unit':
      return {};
  }
}

function decodeStructure(shape: Shape, value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(path, 'an object', value);
  const decoded: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value as object)) {
    if (item === null) continue;
    const member = shape.members.get(name);
    if (member === undefined) {
      // SDKs send the discriminator of a union's unknown member under this name; AWS ignores it.
      if (name === '__type') continue;
      throw new NotImplementedError(`the member ${path === '' ? name : `${path}.${name}`} of this request`);
    }
    decoded[name] = decodeJson(member, item, path === '' ? name : `${path}.${name}`);
  }
  return decoded;
}

function decodeTimestamp(value: unknown, path: string): Date {
  const date = typeof value === 'number' ? new Date(Math.round(value * 1000)) : new Date(String(value));
  if (Number.isNaN(date.getTime())) throw wrongType(path, 'a time', value);
  return date;
}

function wrongType(path: string, expected: string, value: unknown): AwsError {
  const got = Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new AwsError(
    'SerializationException',
    `${path === '' ? 'The request' : path} must be ${expected}, not ${got}.`,
  );
}

/** What a service answered -> JSON value. Members the model does not know are reported to `unknown` and left out. */
export function encodeJson(shape: Shape, value: any, unknown: (name: string) => void): any {
  if (value === undefined || value === null) return undefined;
  switch (shape.kind) {
    case 'structure':
    case 'union': {
      const encoded: Record<string, unknown> = {};
      for (const [name, item] of Object.entries(value)) {
        if (item === undefined || item === null) continue;
        const member = shape.members.get(name);
        if (member === undefined) unknown(`${shape.name}.${name}`);
        else encoded[name] = encodeJson(member, item, unknown);
      }
      return encoded;
    }
    case 'list':
      return Array.from(value, (item) => encodeJson(shape.element, item, unknown));
    case 'map':
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, encodeJson(shape.element, item, unknown)]),
      );
    case 'timestamp': {
      const date = toDate(value);
      return shape.timestampFormat === 'date-time' ? date.toISOString() : date.getTime() / 1000;
    }
    case 'blob':
      return Buffer.from(value).toString('base64');
    case 'unit':
      return {};
    default:
      return value;
  }
}

/** Services may answer a time as Date, ISO text or epoch milliseconds. */
export function toDate(value: Date | string | number): Date {
  return value instanceof Date ? value : new Date(value);
}
