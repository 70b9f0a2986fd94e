import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import type { ParameterDeclaration, Template } from './template.ts';

export interface ParameterInput {
  ParameterKey?: string | undefined;
  ParameterValue?: string | undefined;
  UsePreviousValue?: boolean | undefined;
  ResolvedValue?: string | undefined;
}

export interface ParameterValue {
  /** As given or defaulted; the name of the SSM parameter for SSM types. */
  value: string;
  /** What Ref gives. */
  resolved: string | string[];
  noEcho: boolean;
  /** Value of SSM parameter types, as DescribeStacks shows it. */
  resolvedValue?: string;
}

/** Reads the value of an SSM parameter of the account and region that the stack lives in. */
export type SsmReader = (name: string) => Promise<string>;

const ssmValue = /^AWS::SSM::Parameter::Value<(.+)>$/;

export function isListType(type: string): boolean {
  const inner = ssmValue.exec(type)?.[1] ?? type;
  return inner === 'CommaDelimitedList' || inner.startsWith('List<');
}

function defaultText(value: ParameterDeclaration['Default']): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** Chooses a value for every declared parameter and checks it. Throws ValidationError naming every parameter that has none. */
export async function resolveParameters(
  template: Template,
  given: ParameterInput[],
  previous: Record<string, ParameterValue> | undefined,
  readSsm: SsmReader,
): Promise<Record<string, ParameterValue>> {
  const inputs = new Map<string, ParameterInput>();
  for (const input of given) {
    const key = input.ParameterKey;
    if (key === undefined) throw validationError('Invalid input for parameter key: ParameterKey is missing');
    if (inputs.has(key)) throw validationError(`Duplicate parameter key: ${key}`);
    if ((input.ParameterValue ?? '') !== '' && input.UsePreviousValue === true) {
      throw validationError(
        `Invalid input for parameter key ${key}. Cannot specify usePreviousValue as true and non empty value for a parameter`,
      );
    }
    inputs.set(key, input);
  }
  const unknown = [...inputs.keys()].filter((key) => !(key in template.parameters));
  if (unknown.length > 0) throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);

  const missing: string[] = [];
  const values: Record<string, ParameterValue> = {};
  for (const [name, declaration] of Object.entries(template.parameters)) {
    const input = inputs.get(name);
    let value: string | undefined;
    if (input?.UsePreviousValue === true) {
      value = previous?.[name]?.value;
      if (value === undefined) {
        throw validationError(
          previous === undefined
            ? `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`
            : `Parameter ${name} has no previous value: usePreviousValue cannot be true for it`,
        );
      }
    } else if (input?.ParameterValue !== undefined) {
      value = input.ParameterValue;
    } else if (declaration.Default !== undefined) {
      value = defaultText(declaration.Default);
    }
    if (value === undefined) {
      missing.push(name);
      continue;
    }
    checkValue(name, declaration, value);
    values[name] = await finish(name, declaration, value, readSsm);
  }
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  return values;
}

async function finish(
  name: string,
  declaration: ParameterDeclaration,
  value: string,
  readSsm: SsmReader,
): Promise<ParameterValue> {
  const noEcho = declaration.NoEcho === true;
  const list = isListType(declaration.Type);
  const split = (text: string): string[] => (text === '' ? [] : text.split(',').map((item) => item.trim()));
  if (ssmValue.test(declaration.Type)) {
    const resolvedValue = await readSsm(value).catch((error: unknown) => {
      throw validationError(
        `Unable to fetch parameters [${value}] from parameter store for this account (parameter ${name}): ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    return { value, resolved: list ? split(resolvedValue) : resolvedValue, noEcho, resolvedValue };
  }
  if (declaration.Type.startsWith('AWS::EC2') || declaration.Type.includes('AWS::Route53')) {
    throw new NotImplementedError(`the parameter type ${declaration.Type} (parameter ${name}): use String`);
  }
  return { value, resolved: list ? split(value) : value, noEcho };
}

function checkValue(name: string, declaration: ParameterDeclaration, value: string): void {
  const fail = (text: string): never => {
    const described = declaration.ConstraintDescription;
    throw validationError(
      described === undefined ? text : `Parameter ${name} failed to satisfy constraint: ${described}`,
    );
  };
  const numeric = declaration.Type === 'Number' || declaration.Type === 'List<Number>';
  const items = isListType(declaration.Type)
    ? value === ''
      ? []
      : value.split(',').map((item) => item.trim())
    : [value];
  for (const item of items) {
    if (numeric && (item === '' || Number.isNaN(Number(item)))) {
      throw validationError(`Parameter '${name}' must be a number.`);
    }
    if (declaration.AllowedValues !== undefined && !declaration.AllowedValues.map(String).includes(item)) {
      fail(`Parameter '${name}' must be one of AllowedValues`);
    }
    if (
      declaration.AllowedPattern !== undefined &&
      !new RegExp(`^(?:${declaration.AllowedPattern})$`, 's').test(item)
    ) {
      fail(`Parameter '${name}' must match pattern ${declaration.AllowedPattern}`);
    }
    if (declaration.MinLength !== undefined && item.length < declaration.MinLength) {
      fail(`Parameter '${name}' must contain at least ${declaration.MinLength} characters`);
    }
    if (declaration.MaxLength !== undefined && item.length > declaration.MaxLength) {
      fail(`Parameter '${name}' must contain at most ${declaration.MaxLength} characters`);
    }
    if (declaration.MinValue !== undefined && Number(item) < declaration.MinValue) {
      fail(`Parameter '${name}' must be a number not less than ${declaration.MinValue}`);
    }
    if (declaration.MaxValue !== undefined && Number(item) > declaration.MaxValue) {
      fail(`Parameter '${name}' must be a number not greater than ${declaration.MaxValue}`);
    }
  }
  if (Buffer.byteLength(value) > 4_096) throw validationError(`Parameter '${name}' is longer than 4096 bytes`);
}
