import type { ErrorObject } from 'ajv';
import { type Failure, FailureError } from '../failure.ts';
import { didYouMean } from './suggest.ts';
import { readYaml } from './yaml.ts';

/** A validator that the build compiled from schemas/ (no code is made at run time). */
export interface Validator {
  (data: unknown): boolean;
  errors?: ErrorObject[] | null;
}

function place(instancePath: string): string {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
  return path.replace(/^\./, '');
}

function problem({ keyword, instancePath, params, message, schema, parentSchema }: ErrorObject): string | undefined {
  const where = place(instancePath);
  const at = where === '' ? 'the file' : where;
  switch (keyword) {
    case 'additionalProperties': {
      const name = String((params as { additionalProperty: string }).additionalProperty);
      const known = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
      return `${where === '' ? '' : `${where}: `}unknown key ${name}${didYouMean(name, known)}`;
    }
    case 'required':
      return `${where === '' ? '' : `${where}: `}${(params as { missingProperty: string }).missingProperty} is missing`;
    case 'enum': {
      const allowed = (params as { allowedValues: unknown[] }).allowedValues;
      return `${at} must be one of ${allowed.map(String).join(', ')}`;
    }
    case 'type':
      return `${at} must be ${String((params as { type: unknown }).type)}`;
    case 'pattern': {
      const description = (parentSchema as { description?: string } | undefined)?.description;
      return `${at} ${description === undefined ? `must match ${String(schema)}` : `is not valid: ${description}`}`;
    }
    case 'false schema':
      return `${at} is not allowed together with the other keys here`;
    // They only repeat what their branches said.
    case 'if':
    case 'anyOf':
      return undefined;
    case 'oneOf':
      return `${at} must fit exactly one form: ${(parentSchema as { description?: string } | undefined)?.description ?? message}`;
    default:
      return `${at} ${message ?? keyword}`;
  }
}

/** Reads a YAML or JSON file that a project writes and checks it against its schema; all problems at once, each naming file and place. */
export function readChecked<T>(file: string, text: string, validate: Validator): T {
  let value: unknown;
  try {
    value = readYaml(text);
  } catch (error) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `${file} is no valid YAML: ${(error as Error).message.split('\n')[0]?.replace(/:$/, '')}`,
    });
  }
  if (!validate(value)) {
    const texts = new Set((validate.errors ?? []).map(problem).filter((line) => line !== undefined));
    throw new FailureError(
      [...texts].map((line): Failure => ({ code: 'InvalidConfiguration', resource: file, cause: `${file}: ${line}` })),
    );
  }
  return value as T;
}
