import type { OrganizationalUnit } from '../local/aws/core/world.ts';
import { hint, type Path, type Problem, shown, unknownKeys } from './yaml-problems.ts';

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
const deepest = 5;

interface Reading {
  /** The accounts of the file, by number and by name. */
  ids: ReadonlyMap<string, string>;
  names: readonly string[];
  /** The unit in which an account was found first. */
  placed: Map<string, string>;
  problems: Problem[];
}

/**
 * Reads the tree of organizational units: a list of {name, accounts, units}, accounts by name or number. Accounts that
 * no unit names stay in the root. `units` is undefined where the file has none.
 */
export function readUnits(
  written: unknown,
  accounts: unknown,
): { units: OrganizationalUnit[] | undefined; problems: Problem[] } {
  if (written === undefined) return { units: undefined, problems: [] };
  const known = (Array.isArray(accounts) ? accounts : []).filter(
    (account): account is { id: string; name: string } =>
      typeof account?.id === 'string' && typeof account?.name === 'string',
  );
  const reading: Reading = {
    // A number says more than a name that looks like one.
    ids: new Map([...known.map(({ id, name }) => [name, id] as const), ...known.map(({ id }) => [id, id] as const)]),
    names: known.map(({ name }) => name),
    placed: new Map(),
    problems: [],
  };
  const units = readList(written, ['organizational-units'], 'the root', 1, reading);
  return { units, problems: reading.problems };
}

function readList(written: unknown, at: Path, above: string, level: number, reading: Reading): OrganizationalUnit[] {
  const { problems } = reading;
  const place = placeOf(at);
  if (!Array.isArray(written)) {
    const text = `${place} is ${shown(written)}, but must be a list such as [{name: production, accounts: [production-1]}]`;
    problems.push({ at, text });
    return [];
  }
  if (level > deepest) {
    problems.push({ at, text: `${place} stands on level ${level} below the root, but AWS allows ${deepest} levels` });
    return [];
  }
  const names = new Set<string>();
  return written.flatMap((unit, index): OrganizationalUnit[] => {
    const here: Path = [...at, index];
    if (typeof unit !== 'object' || unit === null || Array.isArray(unit)) {
      problems.push({
        at: here,
        text: `${placeOf(here)} is ${shown(unit)}, but must be a mapping of name and accounts`,
      });
      return [];
    }
    problems.push(...unknownKeys(unit, here, `${placeOf(here)}: `, ['name', 'accounts', 'units']));
    const { name, accounts, units } = unit as Record<string, unknown>;
    if (typeof name !== 'string' || name === '' || name.length > 128) {
      const text = `${placeOf([...here, 'name'])} is ${shown(name)}, but must be a name of at most 128 characters`;
      problems.push({ at: [...here, 'name'], text });
    } else if (names.has(name)) {
      problems.push({
        at: [...here, 'name'],
        text: `${placeOf([...here, 'name'])} ${shown(name)} stands twice in ${above}`,
      });
    }
    names.add(String(name));
    return [
      {
        name: String(name),
        accounts: readAccounts(accounts, [...here, 'accounts'], String(name), reading),
        units: units === undefined ? [] : readList(units, [...here, 'units'], String(name), level + 1, reading),
      },
    ];
  });
}

function readAccounts(written: unknown, at: Path, unit: string, { ids, names, placed, problems }: Reading): string[] {
  if (written === undefined) return [];
  if (!Array.isArray(written)) {
    const text = `${placeOf(at)} is ${shown(written)}, but must be a list of names or numbers of accounts`;
    problems.push({ at, text });
    return [];
  }
  return written.flatMap((account, index) => {
    const here: Path = [...at, index];
    const problem = (text: string) => {
      problems.push({ at: here, text: `${placeOf(here)} ${text}` });
      return [];
    };
    if (typeof account === 'number') return problem(`is ${account}, but must be text: put it in quotation marks`);
    const id = typeof account === 'string' ? ids.get(account) : undefined;
    if (id === undefined) {
      return problem(`is ${shown(account)}, but no account has this name or number${hint(String(account), names)}`);
    }
    const first = placed.get(id);
    if (first !== undefined) return problem(`${shown(account)} stands in ${first} already: an account has one place`);
    placed.set(id, unit);
    return [id];
  });
}

/** organizational-units[0].units[1].name */
function placeOf(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}
