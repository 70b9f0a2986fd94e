import { validationError } from './problems.ts';

export interface ListRequest {
  MaxResults?: number | undefined;
  NextToken?: string | undefined;
  SortOrder?: string | undefined;
}

export interface ListOptions<T> {
  /** The value that the list is ordered by. */
  sortBy: (item: T) => string | number | Date;
  /** Unique; breaks ties and marks the place where a page ended, so that newcomers between two pages shift nothing. */
  id: (item: T) => string;
  defaultOrder: 'Ascending' | 'Descending';
  /** Page size without MaxResults: 10 for most lists of SageMaker, at most 100. */
  defaultSize?: number;
}

function comparable(value: string | number | Date): string | number {
  return value instanceof Date ? value.getTime() : value;
}

function compare(left: string | number, right: string | number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function decodeToken(token: string): [string | number, string] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(value) && value.length === 2 && typeof value[1] === 'string') return value as [string, string];
  } catch {
    // falls through to the error that the caller sees
  }
  throw validationError('The NextToken in the request is not valid; list again from the beginning.');
}

/** One page of a list: sorted, cut after the token, with the token of the next page. */
export function listPage<T>(
  items: Iterable<T>,
  request: ListRequest,
  options: ListOptions<T>,
): { items: T[]; NextToken?: string } {
  const direction = (request.SortOrder ?? options.defaultOrder) === 'Descending' ? -1 : 1;
  const order = (left: [string | number, string], right: [string | number, string]): number =>
    direction * (compare(left[0], right[0]) || compare(left[1], right[1]));
  let rows = [...items].map((item) => ({
    item,
    key: [comparable(options.sortBy(item)), options.id(item)] as [string | number, string],
  }));
  rows.sort((left, right) => order(left.key, right.key));
  if (request.NextToken !== undefined) {
    const after = decodeToken(request.NextToken);
    rows = rows.filter((row) => order(row.key, after) > 0);
  }
  const size = Math.min(request.MaxResults ?? options.defaultSize ?? 10, 100);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    items: page.map((row) => row.item),
    ...(last !== undefined && rows.length > size
      ? { NextToken: Buffer.from(JSON.stringify(last.key)).toString('base64url') }
      : {}),
  };
}

/** Filter on an inclusive-exclusive time window, as the CreatedAfter/Before pairs of the list operations mean it. */
export function inWindow(at: Date, after: Date | undefined, before: Date | undefined): boolean {
  return (after === undefined || at >= after) && (before === undefined || at < before);
}

/** `NameContains` of the list operations: a part of the name, case ignored. */
export function nameContains(name: string, part: string | undefined): boolean {
  return part === undefined || name.toLowerCase().includes(part.toLowerCase());
}
