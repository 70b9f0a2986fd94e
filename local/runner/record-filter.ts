/** Picks columns of a record, as DataProcessing's filters do for CSV records. */
export type RecordFilter = (columns: readonly string[]) => string[];

/**
 * The JSONPath forms that make sense for CSV records: `$` (all), `$[2]`, `$[0,2]`, `$[1:]`, `$[:3]`, `$[-1]`.
 * Undefined for anything else.
 */
export function parseFilter(text: string): RecordFilter | undefined {
  if (text === '$' || text === '') return (columns) => [...columns];
  const inner = /^\$\[(.+)\]$/.exec(text)?.[1];
  if (inner === undefined) return undefined;
  const slice = /^(-?\d*):(-?\d*)$/.exec(inner);
  if (slice !== null) {
    const [from, to] = [slice[1]!, slice[2]!];
    if (from === '-' || to === '-') return undefined;
    return (columns) => columns.slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to));
  }
  if (!/^-?\d+(\s*,\s*-?\d+)*$/.test(inner)) return undefined;
  const indexes = inner.split(',').map(Number);
  return (columns) => indexes.map((index) => columns.at(index)).filter((column) => column !== undefined);
}
