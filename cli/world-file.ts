import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { defaultWorld, type World } from '../local/aws/core/world.ts';
import { didYouMean, UserError } from './errors.ts';

/** The account that moto takes for calls without one. */
const reserved = '123456789012';

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
  if (typeof world !== 'object' || Array.isArray(world)) {
    throw new UserError(`--world ${path} is ${shown(world)}, but must be a mapping of region, accounts and clock.`, 2);
  }
  const problems = [
    ...unknownKeys(world, '', ['region', 'accounts', 'clock']),
    ...regionProblems(world['region']),
    ...accountsProblems(world['accounts']),
    ...clockProblems(world['clock']),
  ];
  if (problems.length > 0) throw new UserError(`--world ${path} needs mending:\n  ${problems.join('\n  ')}`, 2);
  return { region: world['region'], accounts: world['accounts'], clock: world['clock'] ?? defaultWorld.clock };
}

function shown(value: unknown): string {
  return value === undefined || value === null ? 'missing' : JSON.stringify(value);
}

/** The suggestion as it fits into a list of problems. */
function hint(word: string, known: readonly string[]): string {
  const meant = /"(.*)"/.exec(didYouMean(word, known))?.[1];
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

function unknownKeys(value: object, place: string, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${place}unknown key "${key}", known are ${known.join(', ')}${hint(key, known)}`);
}

function regionProblems(region: unknown): string[] {
  return typeof region === 'string' && /^[a-z]{2}(-[a-z]+)+-\d$/.test(region)
    ? []
    : [`region is ${shown(region)}, but must be one such as eu-west-1`];
}

function accountsProblems(accounts: unknown): string[] {
  if (!Array.isArray(accounts) || accounts.length === 0) {
    return [
      `accounts is ${shown(accounts)}, but must list at least one {id: "111122223333", name: development, admin: true}`,
    ];
  }
  const problems: string[] = [];
  const [ids, names] = [new Set<unknown>(), new Set<unknown>()];
  for (const [index, account] of accounts.entries()) {
    const at = `accounts[${index}]`;
    if (typeof account !== 'object' || account === null) {
      problems.push(`${at} is ${shown(account)}, but must be a mapping of id and name`);
      continue;
    }
    const { id, name, admin } = account as Record<string, unknown>;
    problems.push(...unknownKeys(account, `${at}: `, ['id', 'name', 'admin']));
    if (typeof id === 'number') problems.push(`${at}.id is ${id}, but must be text: put it in quotation marks`);
    else if (typeof id !== 'string' || !/^\d{12}$/.test(id))
      problems.push(`${at}.id is ${shown(id)}, but must be twelve digits in quotation marks`);
    else if (id === reserved) problems.push(`${at}.id ${id} is reserved: choose another`);
    if (typeof name !== 'string' || name === '') problems.push(`${at}.name is ${shown(name)}, but must be a name`);
    if (admin !== undefined && typeof admin !== 'boolean')
      problems.push(`${at}.admin is ${shown(admin)}, but must be true or false`);
    for (const [value, seen, what] of [
      [id, ids, 'id'],
      [name, names, 'name'],
    ] as const) {
      if (value !== undefined && seen.has(value)) problems.push(`${at}.${what} ${shown(value)} stands twice`);
      seen.add(value);
    }
  }
  const admins = accounts.filter((account) => account?.admin === true).length;
  if (admins !== 1)
    problems.push(`${admins} accounts have admin: true, but exactly one must: it holds registry and pipelines`);
  return problems;
}

function clockProblems(clock: unknown): string[] {
  if (clock === undefined) return [];
  const { mode, factor } = (clock ?? {}) as Record<string, unknown>;
  const modes = ['at-once', 'scaled', 'by-hand'];
  if (!modes.includes(mode as string)) {
    return [`clock.mode is ${shown(mode)}, but must be one of ${modes.join(', ')}${hint(String(mode), modes)}`];
  }
  const problems = unknownKeys(clock as object, 'clock: ', mode === 'scaled' ? ['mode', 'factor'] : ['mode']);
  if (mode === 'scaled' && !(typeof factor === 'number' && factor > 0))
    problems.push(`clock.factor is ${shown(factor)}, but must be a number above 0`);
  return problems;
}
