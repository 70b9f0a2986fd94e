import type { ErrorObject } from 'ajv';
import { type Failure, FailureError } from '../failure.ts';
import { lineFinder } from './lines.ts';
import { didYouMean, nearest } from './suggest.ts';
import { readYaml } from './yaml.ts';

/** A validator that the build compiled from schemas/ (no code is made at run time). */
export interface Validator {
  (data: unknown): boolean;
  errors?: ErrorObject[] | null;
}

/** The part of a schema that a sentence about it needs. Descriptions in schemas/ are noun phrases that fit "must be ...". */
interface Wanted {
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, Wanted | boolean>;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
};

function parts(instancePath: string): string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function place(instancePath: string): string {
  const path = parts(instancePath)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
  return path.replace(/^\./, '');
}

/** The value as the file could have it, short enough for a sentence. */
function given(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

function typesOf(types: string | readonly string[]): string {
  const names = (typeof types === 'string' ? [types] : types).map((type) => typeNames[type] ?? type);
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** How to mend the slips that YAML's own reading of a value makes so easy. */
function cure(value: unknown, types: string | readonly string[]): string {
  if (types === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return ': put it in quotation marks';
  if ((types === 'number' || types === 'integer') && typeof value === 'string' && Number.isFinite(Number(value || NaN)))
    return `: write ${Number(value)} without quotation marks`;
  if (types === 'boolean' && (value === 'true' || value === 'false')) return `: write ${value} without quotation marks`;
  return '';
}

/** What a key that is missing should hold. */
function wantedOf(schema: Wanted | boolean | undefined): string {
  if (typeof schema !== 'object') return '';
  if (schema.enum !== undefined) return `: give one of ${schema.enum.join(', ')}`;
  if (schema.description !== undefined) return `: give ${schema.description}`;
  return schema.type === undefined ? '' : `: give ${typesOf(schema.type)}`;
}

/** What stands at the place may take one of several forms; their description, when this schema has them. */
function formsOf(error: ErrorObject, all: readonly ErrorObject[]): string {
  const conditional = all
    .filter(({ keyword, instancePath }) => keyword === 'if' && error.instancePath.startsWith(instancePath))
    .sort((a, b) => b.instancePath.length - a.instancePath.length)[0];
  const description = (conditional?.parentSchema as Wanted | undefined)?.description;
  return description === undefined ? '' : `: ${place(conditional!.instancePath)} must be ${description}`;
}

/** One sentence without its end: the place, what was given, what it must be. Undefined for errors that only repeat others. */
function problem(error: ErrorObject, all: readonly ErrorObject[]): string | undefined {
  const { keyword, instancePath, params, message, data, propertyName } = error;
  const parent = (error.parentSchema ?? {}) as Wanted;
  const where = place(instancePath);
  const at = where === '' ? 'the file' : where;
  const inside = where === '' ? '' : `${where}: `;
  const must = (wanted: string) => `${at} is ${given(data)}, but must be ${wanted}`;
  // A rule about the names of keys; the rule about the mapping as a whole only says that one of them was broken.
  if (propertyName !== undefined)
    return `${inside}the key ${given(propertyName)} must be ${parent.description ?? message}`;
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys(parent.properties ?? {});
      const near = didYouMean(name, known);
      return `${inside}unknown key ${name}${near === '' ? `; known are ${known.join(', ')}` : near}`;
    }
    case 'required': {
      const name = String(params['missingProperty']);
      // "unknown key X (did you mean NAME?)" says it already.
      const slips = all.filter(
        (other) => other.keyword === 'additionalProperties' && other.instancePath === instancePath,
      );
      const wanted = [...new Set([...Object.keys(parent.properties ?? {}), name])];
      if (slips.some((other) => nearest(String(other.params['additionalProperty']), wanted) === name)) return undefined;
      return `${inside}${name} is missing${wantedOf(parent.properties?.[name]) || formsOf(error, all)}`;
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String);
      const near = typeof data === 'string' ? didYouMean(data, allowed) : '';
      return must(`${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}${near}`);
    }
    case 'type': {
      const types = params['type'] as string | string[];
      return must(`${typesOf(types)}${cure(data, types)}`);
    }
    case 'const':
      return must(given(params['allowedValue']));
    case 'minimum':
      return must(`${params['limit']} or more`);
    case 'maximum':
      return must(`${params['limit']} or less`);
    case 'minItems':
      return `${at} has ${(data as unknown[]).length} entries, but must have ${params['limit']} or more`;
    case 'maxItems':
      return `${at} has ${(data as unknown[]).length} entries, but must have ${params['limit']} or fewer`;
    case 'uniqueItems':
      return `${at} has ${given((data as unknown[])[params['i'] as number])} twice`;
    case 'maxLength':
      return `${at} has ${(data as string).length} characters, but must have ${params['limit']} or fewer`;
    case 'pattern':
    case 'minProperties':
    case 'maxProperties':
      return must(parent.description ?? String(message).replace(/^must /, ''));
    case 'false schema':
      return `${at} does not go with the other keys here${formsOf(error, all)}`;
    case 'if':
    case 'propertyNames':
      return undefined;
    default:
      return `${at} ${message ?? keyword}`;
  }
}

const lineOf = (line: number | undefined) => (line === undefined ? {} : { line });

/**
 * Reads a YAML or JSON file that a project writes and checks it against its schema. Throws a FailureError with all problems at
 * once, each naming file, place, what was given and what it must be.
 */
export function readChecked<T>(file: string, text: string, validate: Validator): T {
  let value: unknown;
  try {
    value = readYaml(text);
  } catch (error) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `${file} is no valid YAML: ${(error as Error).message.split('\n')[0]}`,
      ...lineOf((error as { linePos?: [{ line: number }] }).linePos?.[0].line),
    });
  }
  if (!validate(value)) {
    const errors = validate.errors ?? [];
    const find = lineFinder(text);
    const found = new Map<string, Failure>();
    for (const error of errors) {
      const what = problem(error, errors);
      if (what === undefined || found.has(what)) continue;
      found.set(what, {
        code: 'InvalidConfiguration',
        resource: file,
        cause: `${file}: ${what}`,
        ...lineOf(find([...parts(error.instancePath), String(error.params['additionalProperty'] ?? '')])),
      });
    }
    throw new FailureError([...found.values()]);
  }
  return value as T;
}
