import { fromData } from './expressions.ts';
import type { WorkflowInput } from './workflow/model.ts';

const totalLimit = 65_535;

/** Checks and types the inputs of a workflow_dispatch. Throws with GitHub's reasons. */
export function dispatchInputs(
  declared: readonly WorkflowInput[],
  given: Record<string, unknown>,
): Record<string, unknown> {
  const unexpected = Object.keys(given).filter(
    (name) => !declared.some((input) => input.name.toLowerCase() === name.toLowerCase()),
  );
  if (unexpected.length > 0) throw new InputError(`Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  const values = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  const result: Record<string, unknown> = {};
  let size = 0;
  for (const input of declared) {
    const sent = values.get(input.name.toLowerCase());
    if ((sent === undefined || sent === '') && input.required && !input.default)
      throw new InputError(`Required input '${input.name}' not provided`);
    const value = sent ?? (input.default?.literal ? fromData(input.default.literal) : undefined);
    result[input.name] = typed(input, value);
    size += String(result[input.name]).length;
  }
  if (size > totalLimit) throw new InputError(`inputs are too large: ${size} characters, the limit is ${totalLimit}`);
  return result;
}

function typed(input: WorkflowInput, value: unknown): unknown {
  const text = value === undefined || value === null ? '' : String(value);
  const wrong = (what: string) => new InputError(`Provided value '${text}' for input '${input.name}' ${what}`);
  switch (input.type) {
    case 'boolean':
      if (text === '') return false;
      if (text !== 'true' && text !== 'false') throw wrong('must be true or false');
      return text === 'true';
    case 'number':
      if (text === '') return 0;
      if (!Number.isFinite(Number(text))) throw wrong('must be a number');
      return Number(text);
    case 'choice': {
      const chosen = text === '' ? (input.options[0] ?? '') : text;
      if (!input.options.includes(chosen)) throw wrong('not in the list of allowed values');
      return chosen;
    }
    default:
      return text;
  }
}

/** Inputs of a dispatch that GitHub would answer with 422. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** A dispatch that GitHub would answer with 422. */
export class DispatchError extends Error {
  override readonly name = 'DispatchError';
}
