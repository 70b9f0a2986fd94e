import { canonicalJson } from '../aws/token.ts';

export interface Change {
  path: string;
  /** undefined: was not there / is no longer there. */
  before: unknown;
  after: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Lists of named things are compared by name, so that a step put in between is one difference and not all after it. */
function named(list: readonly unknown[]): Map<string, unknown> | undefined {
  const result = new Map<string, unknown>();
  for (const entry of list) {
    const name = isObject(entry)
      ? (entry.Name ?? entry.InputName ?? entry.OutputName ?? entry.ChannelName ?? entry.PropertyFileName)
      : undefined;
    if (typeof name !== 'string' || result.has(name)) return undefined;
    result.set(name, entry);
  }
  return result;
}

/** Where two JSON values differ, in the order of the later one. */
export function compareJson(before: unknown, after: unknown, path = ''): Change[] {
  if (
    canonicalJson(before ?? null) === canonicalJson(after ?? null) &&
    (before === undefined) === (after === undefined)
  )
    return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(after), ...Object.keys(before)])];
    return keys.flatMap((key) => compareJson(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now] = [named(before), named(after)];
    if (old !== undefined && now !== undefined) {
      const names = [...new Set([...now.keys(), ...old.keys()])];
      const inside = names.flatMap((name) => compareJson(old.get(name), now.get(name), `${path}[${name}]`));
      return inside.length > 0 ? inside : [{ path, before: [...old.keys()], after: [...now.keys()] }];
    }
    if (before.length === after.length) {
      return after.flatMap((entry, index) => compareJson(before[index], entry, `${path}[${index}]`));
    }
  }
  return [{ path, before, after }];
}

function short(value: unknown): string {
  if (value === undefined) return '';
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

/** One line per difference: "+" new, "-" gone, "~" changed. */
export function describeChange({ path, before, after }: Change): string {
  if (before === undefined) return `+ ${path}: ${short(after)}`;
  if (after === undefined) return `- ${path}: ${short(before)}`;
  return `~ ${path}: ${short(before)} -> ${short(after)}`;
}
