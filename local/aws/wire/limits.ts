/**
 * Constraints of requests (required members, lengths, ranges, patterns, enums), in the words of AWS's own validation.
 * The table is made by scripts/generate-limits.py from botocore's models.
 */
import { readFileSync } from 'node:fs';
import { AwsError } from '../core/errors.ts';
import type { ServiceProtocol } from './protocols.ts';

interface LimitShape {
  min?: number;
  max?: number;
  pattern?: string;
  enum?: string[];
  sensitive?: boolean;
  members?: Record<string, string>;
  required?: string[];
  element?: string;
  key?: string;
  value?: string;
}

interface ServiceLimits {
  operations: Record<string, string>;
  shapes: Record<string, LimitShape>;
}

/** What these services call a request that breaks a constraint. */
const codes: Record<string, string> = {
  'cloudwatch-logs': 'InvalidParameterException',
  ecr: 'InvalidParameterException',
  organizations: 'InvalidInputException',
};

let table: Record<string, ServiceLimits> | undefined;

function limitsOf(serviceId: string): ServiceLimits | undefined {
  table ??= JSON.parse(readFileSync(new URL('limits.json', import.meta.url), 'utf8')).services as Record<
    string,
    ServiceLimits
  >;
  return table[serviceId];
}

/** Operations that the table covers, for the contract test. */
export function limitedOperations(serviceId: string): string[] {
  return Object.keys(limitsOf(serviceId)?.operations ?? {});
}

/** Required members of an operation's request, for the contract test. */
export function requiredMembers(serviceId: string, operation: string): string[] {
  const limits = limitsOf(serviceId);
  return limits?.shapes[limits.operations[operation] ?? '']?.required ?? [];
}

/** Every pattern of a service, for the contract test: each must be one that JavaScript understands. */
export function patternsOf(serviceId: string): string[] {
  return Object.values(limitsOf(serviceId)?.shapes ?? {}).flatMap(({ pattern }) =>
    pattern === undefined ? [] : [pattern],
  );
}

/** Throws ValidationException (ValidationError in awsQuery and restJson) that names every violation. */
export function checkInput(service: ServiceProtocol, operation: string, input: Record<string, any>): void {
  const limits = limitsOf(service.id);
  const root = limits?.operations[operation];
  if (limits === undefined || root === undefined) return;
  const violations: string[] = [];
  visit(limits, root, input, '', violations);
  if (violations.length === 0) return;
  const code = codes[service.id] ?? (service.protocol.startsWith('json-') ? 'ValidationException' : 'ValidationError');
  const count = `${violations.length} validation error${violations.length === 1 ? '' : 's'} detected`;
  throw new AwsError(code, `${count}: ${violations.join('; ')}`, 400);
}

function visit(limits: ServiceLimits, name: string, value: any, path: string, violations: string[]): void {
  const shape = limits.shapes[name];
  if (shape === undefined) return;
  const report = (constraint: string) => {
    const shown = shape.sensitive === true ? 'Value' : `Value '${display(value)}'`;
    violations.push(`${shown} at '${path}' failed to satisfy constraint: ${constraint}`);
  };
  for (const constraint of broken(shape, value)) report(constraint);
  if (shape.members !== undefined) {
    for (const required of shape.required ?? []) {
      if (value[required] === undefined) {
        violations.push(
          `Value null at '${join(path, required)}' failed to satisfy constraint: Member must not be null`,
        );
      }
    }
    for (const [member, target] of Object.entries(shape.members)) {
      if (value[member] !== undefined) visit(limits, target, value[member], join(path, member), violations);
    }
  } else if (shape.element !== undefined) {
    for (const [index, item] of (value as unknown[]).entries()) {
      visit(limits, shape.element, item, `${path}.${index + 1}.member`, violations);
    }
  } else if (shape.key !== undefined || shape.value !== undefined) {
    for (const [key, item] of Object.entries(value)) {
      const ofKey = shape.key === undefined ? [] : broken(limits.shapes[shape.key] ?? {}, key);
      if (ofKey.length > 0) report(`Map keys must satisfy constraint: [${ofKey.join(', ')}]`);
      if (shape.value !== undefined) visit(limits, shape.value, item, `${path}.${key}.member`, violations);
    }
  }
}

/** Coral writes paths in lower camel case. */
function join(path: string, member: string): string {
  const name = member.charAt(0).toLowerCase() + member.slice(1);
  return path === '' ? name : `${path}.${name}`;
}

function broken(shape: LimitShape, value: unknown): string[] {
  const found: string[] = [];
  const { min, max, pattern } = shape;
  if (typeof value === 'number') {
    if (min !== undefined && value < min) found.push(`Member must have value greater than or equal to ${min}`);
    if (max !== undefined && value > max) found.push(`Member must have value less than or equal to ${max}`);
    return found;
  }
  const length = lengthOf(value);
  if (length !== undefined) {
    if (min !== undefined && length < min) found.push(`Member must have length greater than or equal to ${min}`);
    if (max !== undefined && length > max) found.push(`Member must have length less than or equal to ${max}`);
  }
  if (typeof value !== 'string') return found;
  if (pattern !== undefined && !compile(pattern).test(value)) {
    found.push(`Member must satisfy regular expression pattern: ${pattern}`);
  }
  if (shape.enum !== undefined && !shape.enum.includes(value)) {
    found.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  }
  return found;
}

/** Characters of a text, elements of a list or map, bytes of a blob. */
function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string') {
    // Code points, as the service counts them; a text without surrogates needs no walk.
    return /[\ud800-\udbff]/.test(value) ? [...value].length : value.length;
  }
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return Object.keys(value).length;
  return undefined;
}

function display(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 1024 ? `${text.slice(0, 1024)}...` : text;
}

const compiled = new Map<string, RegExp>();

/** A Java pattern of the models as a JavaScript one. The services match it against the whole text. */
export function compile(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    let source = pattern;
    let flags = '';
    const inline = /^\(\?([is]+)\)/.exec(source);
    if (inline !== null) {
      flags += inline[1];
      source = source.slice(inline[0].length);
    }
    // \u10000-\u10FFFF is how the models write the planes beyond the first.
    // Tags of experiments carry a length after `$`, which Java reads as nothing.
    source = source.replaceAll('\\u10000-\\u10FFFF', '\\u{10000}-\\u{10FFFF}').replace(/\$\{\d+,\d+\}$/, '');
    source = source
      .replaceAll('\\p{Alnum}', 'a-zA-Z0-9')
      .replaceAll('\\p{Print}', '\\x20-\\x7E')
      .replace(/^\\A|\\z$/g, '');
    // Some escape more than the strict mode of JavaScript allows.
    expression = tryCompile(`^(?:${source})$`, `${flags}u`) ?? new RegExp(`^(?:${source})$`, flags);
    compiled.set(pattern, expression);
  }
  return expression;
}

function tryCompile(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
