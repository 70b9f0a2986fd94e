import { type Data, fromData, toData } from '../expressions.ts';

export type Combination = Record<string, unknown>;

/** GitHub starts no job of a larger matrix. */
const maximumCombinations = 256;

/** Expands a matrix with include and exclude. Throws when it is malformed, empty or too large. */
export function expandMatrix(matrix: Data): Combination[] {
  const value = fromData(matrix);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('The strategy matrix must be a mapping');
  const { include, exclude, ...vectors } = value as Record<string, unknown>;
  let combinations: Combination[] = Object.keys(vectors).length > 0 ? [{}] : [];
  for (const [name, items] of Object.entries(vectors)) {
    if (!Array.isArray(items)) throw new Error(`Matrix vector '${name}' must be a list`);
    if (items.length === 0) throw new Error(`Matrix vector '${name}' does not contain any values`);
    combinations = combinations.flatMap((combination) => items.map((item) => ({ ...combination, [name]: item })));
  }
  for (const filter of listOfMaps(exclude, 'exclude')) {
    combinations = combinations.filter(
      (combination) => !Object.entries(filter).every(([name, item]) => matches(combination[name], item)),
    );
  }
  const originals = combinations.map((combination) => ({ ...combination }));
  for (const addition of listOfMaps(include, 'include')) {
    // An entry extends every combination whose own values it does not change; otherwise it is a combination of its own.
    let used = false;
    originals.forEach((original, index) => {
      const clashes = Object.entries(addition).some(
        ([name, item]) => name in original && !matches(original[name], item),
      );
      if (clashes) return;
      used = true;
      Object.assign(combinations[index]!, addition);
    });
    if (!used) combinations.push({ ...addition });
  }
  if (combinations.length > maximumCombinations)
    throw new Error(`The matrix has ${combinations.length} jobs; GitHub allows ${maximumCombinations}`);
  return combinations;
}

function listOfMaps(value: unknown, name: string): Combination[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'object' || item === null))
    throw new Error(`Matrix ${name} must be a list of mappings`);
  return value as Combination[];
}

/** A filter matches when its parts are found; text compares without case. */
function matches(value: unknown, filter: unknown): boolean {
  if (typeof filter === 'object' && filter !== null) {
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.entries(filter).every(([key, item]) => matches((value as Combination)[key], item))
    );
  }
  if (typeof value === 'string' && typeof filter === 'string') return value.toLowerCase() === filter.toLowerCase();
  return value === filter;
}

/** "(a, 3.12)": what GitHub appends to the name of a matrix job. Nested values are walked. */
export function matrixSuffix(combination: Combination): string {
  const values: string[] = [];
  const walk = (value: unknown) => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
    else if (value !== null && value !== undefined && value !== '') values.push(toData(value).coerceString());
  };
  Object.values(combination).forEach(walk);
  return values.length > 0 ? `(${values.join(', ')})` : '';
}
