import { type Failure, FailureError } from '../failure.ts';
import { InputProblem, type InputSpecifications, parseKind } from './kinds.ts';
import { didYouMean, nearest } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable in which GitHub's runner hands an input over: upper case, spaces to underscores, hyphens kept. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replace(/ /g, '_').toUpperCase()}`;
}

function invalid(name: string, rest: string): Failure {
  return { code: 'InvalidInput', resource: name, cause: `Input \`${name}\` ${rest}` };
}

/**
 * Reads all inputs once into one typed value. All problems are reported together (FailureError, one InvalidInput per input);
 * an input that nobody knows is an error when it looks like a slip of a known one: GitHub only warns, and the real one would
 * silently keep its default.
 */
export async function readInputs<Inputs>(
  specifications: InputSpecifications,
  env: Environment,
  also: readonly string[] = [],
): Promise<Inputs> {
  const known = [...Object.keys(specifications), ...also];
  const problems: Failure[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, specification] of Object.entries(specifications)) {
    const written = (env[inputVariable(name)] ?? '').trim();
    const text = written === '' ? (specification.default ?? '') : written;
    if (text === '') {
      if (specification.required) problems.push(invalid(name, 'is required and was not given'));
      values[name] = undefined;
      continue;
    }
    try {
      values[name] = await parseKind(specification.kind, text);
    } catch (error) {
      if (!(error instanceof InputProblem)) throw error;
      problems.push(invalid(name, error.message));
    }
  }
  const knownVariables = new Set(known.map(inputVariable));
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('INPUT_') || knownVariables.has(variable) || (value ?? '').trim() === '') continue;
    const name = variable.slice('INPUT_'.length).toLowerCase();
    if (nearest(name, known) !== undefined) {
      problems.push(invalid(name, `is not known to this action${didYouMean(name, known)}`));
    }
  }
  if (problems.length > 0) throw new FailureError(problems);
  return values as Inputs;
}
