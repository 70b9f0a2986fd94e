import { type Document, isMap, isScalar, isSeq, type LineCounter } from 'yaml';
import { didYouMean } from './errors.ts';

/** Keys and positions from the top of a YAML file to a place in it. */
export type Path = readonly (string | number)[];

/** A mistake in a YAML file. */
export interface Problem {
  at: Path;
  text: string;
}

/** A value as it fits into a sentence. */
export function shown(value: unknown): string {
  return value === undefined || value === null ? 'missing' : JSON.stringify(value);
}

/** The suggestion as it fits into a list of problems. */
export function hint(word: string, known: readonly string[]): string {
  const meant = /"(.*)"/.exec(didYouMean(word, known))?.[1];
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

export function unknownKeys(value: object, at: Path, place: string, known: readonly string[]): Problem[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      at: [...at, key],
      text: `${place}unknown key "${key}", known are ${known.join(', ')}${hint(key, known)}`,
    }));
}

/** The line of a place; of what is missing there, the line of what would hold it. */
export function lineOf({ contents }: Document, lines: LineCounter, path: Path): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[step as number];
      offset = (node as { range?: [number] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return Math.max(1, lines.linePos(offset).line);
}
