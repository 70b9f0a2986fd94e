import { invalidInput } from './errors.ts';

export interface PageRequest {
  NextToken?: string;
  MaxResults?: number;
}

/** The most that a page holds, which is also what it holds when nothing is asked. */
const largest = 20;

/**
 * One page. A token is good for the list that it came from only: `list` names it.
 *
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
 */
export function page<T>(
  list: string,
  items: readonly T[],
  { NextToken, MaxResults = largest }: PageRequest,
): { items: T[]; NextToken?: string } {
  const start = NextToken === undefined ? 0 : readToken(list, NextToken);
  const end = start + MaxResults;
  return {
    items: items.slice(start, end),
    ...(end < items.length ? { NextToken: Buffer.from(`${list} ${end}`).toString('base64url') } : {}),
  };
}

function readToken(list: string, token: string): number {
  const text = Buffer.from(token, 'base64url').toString();
  const position = text.startsWith(`${list} `) ? text.slice(list.length + 1) : '';
  if (!/^\d{1,9}$/.test(position)) {
    throw invalidInput('INVALID_NEXT_TOKEN', 'You specified a pagination token that is not valid for this request.');
  }
  return Number(position);
}
