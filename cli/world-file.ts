import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { partitionOf } from '../local/aws/core/arn.ts';
import { defaultWorld, type OrganizationalUnit, type World } from '../local/aws/core/world.ts';
import { UserError } from './errors.ts';
import { readUnits } from './world-units.ts';
import { hint, lineOf, type Path, type Problem, shown, unknownKeys } from './yaml-problems.ts';

/** The account that moto takes for calls without one. */
const reserved = '123456789012';
const keys = ['region', 'regions', 'accounts', 'organizational-units', 'clock'];

/**
 * Reads a world from a small YAML file:
 *
 *     region: eu-west-1
 *     regions: [eu-central-1]   # further ones; without it every region answers
 *     accounts:
 *       - {id: "111122223333", name: development, admin: true}
 *       - {id: "444455556666", name: staging}
 *     organizational-units:
 *       - {name: workloads, accounts: [staging]}
 *     clock: {mode: at-once}    # at-once | scaled (with factor) | by-hand
 *
 * Throws a UserError that tells every mistake at once, each with its line.
 */
export function readWorld(path: string | undefined): World {
  if (path === undefined) return defaultWorld;
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const [what] = broken.message.split(/ at line \d+, column \d+/);
    throw new UserError(`--world ${path} is no YAML: line ${lines.linePos(broken.pos[0]).line}: ${what}.`, 2);
  }
  const written: unknown = document.toJS() ?? {};
  if (typeof written !== 'object' || Array.isArray(written)) {
    throw new UserError(
      `--world ${path} is ${shown(written)}, but must be a mapping of region, accounts and clock.`,
      2,
    );
  }
  const world = written as Record<string, unknown>;
  const problems: Problem[] = [
    ...unknownKeys(world, [], '', keys),
    ...regionProblems(world['region']),
    ...regionsProblems(world['regions'], world['region']),
    ...accountsProblems(world['accounts']),
    ...clockProblems(world['clock']),
  ];
  const { units, problems: ofUnits } = readUnits(world['organizational-units'], world['accounts']);
  problems.push(...ofUnits);
  if (problems.length > 0)
    throw new UserError(
      mistakes(path, problems, (at) => lineOf(document, lines, at)),
      2,
    );
  return assemble(world as unknown as Checked, units);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT' ? `There is no file ${path} (--world).` : `--world ${path} could not be read: ${message}.`;
    throw new UserError(problem, 2, { cause: error });
  }
}

function mistakes(path: string, problems: readonly Problem[], line: (at: Path) => number): string {
  const found = problems.map(({ at, text }) => ({ text, line: line(at) })).sort((a, b) => a.line - b.line);
  return `--world ${path} needs mending:\n${found.map((one) => `  line ${one.line}: ${one.text}`).join('\n')}`;
}

/** A file in which no mistake was found. */
interface Checked extends Omit<World, 'organizationalUnits'> {
  regions?: string[];
}

function assemble({ region, regions, accounts, clock }: Checked, units: OrganizationalUnit[] | undefined): World {
  return {
    region,
    ...(regions === undefined ? {} : { regions: [...new Set([region, ...regions])] }),
    accounts,
    ...(units === undefined ? {} : { organizationalUnits: units }),
    clock: clock ?? defaultWorld.clock,
  };
}

const isRegion = (region: unknown): region is string =>
  typeof region === 'string' && /^[a-z]{2}(-[a-z]+)+-\d$/.test(region);

function regionProblems(region: unknown): Problem[] {
  return isRegion(region)
    ? []
    : [{ at: ['region'], text: `region is ${shown(region)}, but must be one such as eu-west-1` }];
}

function regionsProblems(regions: unknown, home: unknown): Problem[] {
  if (regions === undefined) return [];
  if (!Array.isArray(regions)) {
    return [{ at: ['regions'], text: `regions is ${shown(regions)}, but must be a list such as [eu-central-1]` }];
  }
  return regions.flatMap((region, index): Problem[] => {
    const at: Path = ['regions', index];
    const is = `regions[${index}] is ${shown(region)}`;
    if (!isRegion(region)) return [{ at, text: `${is}, but must be one such as eu-central-1` }];
    if (regions.indexOf(region) !== index) return [{ at, text: `regions[${index}] ${shown(region)} stands twice` }];
    if (isRegion(home) && partitionOf(region) !== partitionOf(home)) {
      const [there, here] = [partitionOf(region), partitionOf(home)];
      return [{ at, text: `${is} of the partition ${there}, but ${home} is of ${here}: an account lives in one` }];
    }
    return [];
  });
}

function accountsProblems(accounts: unknown): Problem[] {
  if (!Array.isArray(accounts) || accounts.length === 0) {
    const wanted = '{id: "111122223333", name: development, admin: true}';
    return [{ at: ['accounts'], text: `accounts is ${shown(accounts)}, but must list at least one ${wanted}` }];
  }
  const problems: Problem[] = [];
  const [ids, names] = [new Set<unknown>(), new Set<unknown>()];
  for (const [index, account] of accounts.entries()) {
    const place = `accounts[${index}]`;
    const problem = (key: string | undefined, text: string) =>
      problems.push({ at: ['accounts', index, ...(key === undefined ? [] : [key])], text: `${place}${text}` });
    if (typeof account !== 'object' || account === null) {
      problem(undefined, ` is ${shown(account)}, but must be a mapping of id and name`);
      continue;
    }
    const { id, name, admin } = account as Record<string, unknown>;
    problems.push(...unknownKeys(account, ['accounts', index], `${place}: `, ['id', 'name', 'admin']));
    if (typeof id === 'number') problem('id', `.id is ${id}, but must be text: put it in quotation marks`);
    else if (typeof id !== 'string' || !/^\d{12}$/.test(id))
      problem('id', `.id is ${shown(id)}, but must be twelve digits in quotation marks`);
    else if (id === reserved)
      problem(
        'id',
        `.id ${id} is taken by the emulator behind S3 and KMS for calls without an account: choose another`,
      );
    if (typeof name !== 'string' || name === '') problem('name', `.name is ${shown(name)}, but must be a name`);
    if (admin !== undefined && typeof admin !== 'boolean')
      problem('admin', `.admin is ${shown(admin)}, but must be true or false`);
    for (const [value, seen, what] of [
      [id, ids, 'id'],
      [name, names, 'name'],
    ] as const) {
      if (value !== undefined && seen.has(value)) problem(what, `.${what} ${shown(value)} stands twice`);
      seen.add(value);
    }
  }
  const admins = accounts.filter((account) => account?.admin === true).length;
  if (admins !== 1) {
    const text = `${admins} accounts have admin: true, but exactly one must: it holds registry and pipelines`;
    problems.push({ at: ['accounts'], text });
  }
  return problems;
}

function clockProblems(clock: unknown): Problem[] {
  if (clock === undefined) return [];
  const { mode, factor } = (clock ?? {}) as Record<string, unknown>;
  const modes = ['at-once', 'scaled', 'by-hand'];
  if (!modes.includes(mode as string)) {
    const text = `clock.mode is ${shown(mode)}, but must be one of ${modes.join(', ')}${hint(String(mode), modes)}`;
    return [{ at: ['clock', 'mode'], text }];
  }
  const known = mode === 'scaled' ? ['mode', 'factor'] : ['mode'];
  const problems = unknownKeys(clock as object, ['clock'], 'clock: ', known);
  if (mode === 'scaled' && !(typeof factor === 'number' && factor > 0))
    problems.push({ at: ['clock', 'factor'], text: `clock.factor is ${shown(factor)}, but must be a number above 0` });
  return problems;
}
