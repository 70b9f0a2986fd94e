import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { defaultWorld, type World } from '../local/aws/core/world.ts';
import { didYouMean, UserError } from './errors.ts';

/**
 * Reads a world from a small YAML file:
 *
 *     region: eu-west-1
 *     accounts:
 *       - {id: "111122223333", name: development, admin: true}
 *       - {id: "444455556666", name: staging}
 *     clock: {mode: at-once}    # at-once | scaled (with factor) | by-hand
 *
 * Every problem is told at once.
 */
export function readWorld(path: string | undefined): World {
  if (path === undefined) return defaultWorld;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`--world ${path} could not be read: ${(error as Error).message}.`, 2, { cause: error });
  }
  let world: Record<string, any>;
  try {
    world = parse(text) ?? {};
  } catch (error) {
    throw new UserError(`--world ${path} is no YAML: ${(error as Error).message.split('\n')[0]}`, 2, { cause: error });
  }
  const problems: string[] = [];
  for (const key of Object.keys(world)) {
    if (!['region', 'accounts', 'clock'].includes(key)) {
      problems.push(`unknown key "${key}"${didYouMean(key, ['region', 'accounts', 'clock'])}`);
    }
  }
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(world['region'] ?? '')) problems.push('region must be one such as eu-west-1');
  const accounts: any[] = Array.isArray(world['accounts']) ? world['accounts'] : [];
  if (accounts.length === 0) problems.push('accounts must list at least one {id, name}');
  const seen = new Set<string>();
  for (const [index, account] of accounts.entries()) {
    const id = String(account?.id ?? '');
    if (typeof account?.id !== 'string' || !/^\d{12}$/.test(id)) {
      problems.push(`accounts[${index}].id must be twelve digits in quotes`);
    } else if (id === '123456789012') problems.push(`accounts[${index}].id 123456789012 is reserved, choose another`);
    if (seen.has(id)) problems.push(`accounts[${index}].id ${id} stands twice`);
    seen.add(id);
    if (typeof account?.name !== 'string' || account.name === '') problems.push(`accounts[${index}].name is missing`);
  }
  if (accounts.length > 0 && accounts.filter((account) => account?.admin === true).length !== 1) {
    problems.push('exactly one account must have admin: true');
  }
  const clock = world['clock'] ?? { mode: 'at-once' };
  if (!['at-once', 'scaled', 'by-hand'].includes(clock.mode)) {
    problems.push('clock.mode must be at-once, scaled or by-hand');
  } else if (clock.mode === 'scaled' && !(clock.factor > 0)) problems.push('clock.factor must be a number above 0');
  if (problems.length > 0) throw new UserError(`--world ${path}: ${problems.join('; ')}.`, 2);
  return { region: world['region'], accounts, clock };
}
