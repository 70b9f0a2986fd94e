import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import type { Value } from './evaluate.ts';
import type { SsmReader } from './parameters.ts';

const pattern = /\{\{resolve:([^:}]+):([^}]*)\}\}/g;

/**
 * Replaces {{resolve:ssm:NAME[:VERSION]}} everywhere in a value, read with the rights of the stack operation.
 * Secrets (ssm-secure, secretsmanager) are refused: nothing of this platform needs them.
 */
export async function resolveDynamicReferences(value: Value, readSsm: SsmReader): Promise<Value> {
  if (typeof value === 'string') {
    if (!value.includes('{{resolve:')) return value;
    let result = value;
    for (const [whole, service, reference] of value.matchAll(pattern)) {
      if (service !== 'ssm') throw new NotImplementedError(`the dynamic reference ${whole}`);
      if (reference === undefined || reference === '') {
        throw validationError(`Incorrect format is used in the following SSM reference: [${whole}]`);
      }
      const resolved = await readSsm(reference);
      result = result.replace(whole, () => resolved);
    }
    return result;
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolveDynamicReferences(item, readSsm)));
  if (typeof value === 'object') {
    const entries = await Promise.all(
      Object.entries(value).map(async ([key, item]) => [key, await resolveDynamicReferences(item, readSsm)] as const),
    );
    return Object.fromEntries(entries);
  }
  return value;
}
