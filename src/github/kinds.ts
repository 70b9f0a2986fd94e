/**
 * The kinds of input. action.yml names one in a comment above the input's description (`# type: region`), because GitHub knows
 * texts only; the generator writes it into interface.generated.ts, and this table turns the text into a value or says what is wrong.
 */
import { didYouMean } from './suggest.ts';

export type InputKind =
  | 'text'
  | 'boolean'
  | 'region'
  | 'account'
  | 'role-arn'
  | 'role-arns'
  | 'arn'
  | 'file'
  | 'name'
  | 'minutes'
  | 'seconds'
  | 'integer'
  | 'percentage'
  | 'mapping'
  | 'list'
  | { readonly choice: readonly string[] };

export interface InputSpecification {
  readonly kind: InputKind;
  readonly required: boolean;
  readonly default?: string;
}

export type InputSpecifications = Readonly<Record<string, InputSpecification>>;

/** Thrown by a kind: the rest of the sentence "Input `NAME` ...". */
export class InputProblem extends Error {}

const regionPattern = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;
const roleArn = /^arn:aws(?:-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;
const anyArn = /^arn:aws(?:-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12})?:.+$/;

function match(pattern: RegExp, wanted: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InputProblem(`is ${quote(text)}, but must be ${wanted}`);
    return text;
  };
}

function whole(text: string, lowest: number, highest: number, unit: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= lowest && value <= highest)) {
    throw new InputProblem(`is ${quote(text)}, but must be a whole number${unit} from ${lowest} to ${highest}`);
  }
  return value;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}

function choice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new InputProblem(`is ${quote(text)}, but must be one of ${choices.join(', ')}${didYouMean(text, choices)}`);
}

/** YAML is only loaded when somebody writes a mapping or a list that plain lines do not cover. */
async function structured(text: string): Promise<unknown> {
  const { readYaml } = await import('./yaml.ts');
  try {
    return readYaml(text);
  } catch (error) {
    throw new InputProblem(
      `is ${quote(text)}, which is no valid YAML or JSON: ${(error as Error).message.split('\n')[0]}`,
    );
  }
}

async function mapping(text: string): Promise<Record<string, string>> {
  const value = await structured(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InputProblem(
      `is ${quote(text)}, but must be a YAML or JSON mapping of names to values, one \`name: value\` per line`,
    );
  }
  const result: Record<string, string> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (entry === null || typeof entry === 'object') {
      throw new InputProblem(`gives ${quote(key)} no plain value; write text, a number, true or false`);
    }
    result[key] = String(entry);
  }
  return result;
}

async function list(text: string): Promise<string[]> {
  if (/^\s*\[/.test(text) || /^\s*-\s/m.test(text)) {
    const value = await structured(text);
    if (!Array.isArray(value) || value.some((entry) => entry === null || typeof entry === 'object')) {
      throw new InputProblem(
        `is ${quote(text)}, but must be a list of plain values, one per line or as a YAML or JSON list`,
      );
    }
    return value.map(String);
  }
  return text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

const parsers: Record<Extract<InputKind, string>, (text: string) => unknown> = {
  text: (text) => text,
  file: (text) => text,
  boolean: (text) => {
    // The same words that @actions/core's getBooleanInput accepts (YAML 1.2 core schema).
    if (/^(true|True|TRUE)$/.test(text)) return true;
    if (/^(false|False|FALSE)$/.test(text)) return false;
    throw new InputProblem(`is ${quote(text)}, but must be true or false`);
  },
  region: match(regionPattern, 'an AWS region such as eu-west-1'),
  account: match(/^\d{12}$/, 'a twelve-digit AWS account id'),
  'role-arn': match(roleArn, 'the ARN of an IAM role, arn:aws:iam::ACCOUNT:role/NAME'),
  'role-arns': async (text) => {
    const roles = await list(text);
    for (const role of roles) match(roleArn, 'a list of role ARNs, arn:aws:iam::ACCOUNT:role/NAME')(role);
    return roles;
  },
  arn: match(anyArn, 'an ARN'),
  name: match(/^[A-Za-z0-9](-*[A-Za-z0-9]){0,62}$/, 'letters, digits and single hyphens, at most 63'),
  minutes: (text) => whole(text, 1, 43_200, ' of minutes'),
  seconds: (text) => whole(text, 1, 43_200, ' of seconds'),
  integer: (text) => whole(text, 0, 1_000_000, ''),
  percentage: (text) => whole(text.replace(/\s*%$/, ''), 0, 100, ' of percent'),
  mapping,
  list,
};

/** Turns an input's text into its value; throws InputProblem. */
export async function parseKind(kind: InputKind, text: string): Promise<unknown> {
  return typeof kind === 'string' ? parsers[kind](text) : choice(text, kind.choice);
}
