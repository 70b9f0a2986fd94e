import type { RepositoryState } from '../repository-state.ts';
import type { Scope } from '../workflow/permissions.ts';
import type { ApiContext } from './context.ts';
import type { Urls } from './shapes.ts';
import type { Caller } from './tokens.ts';

export interface RestCall {
  context: ApiContext;
  caller: Caller;
  state: RepositoryState;
  urls: Urls;
  /** Parts of the path that stand for {names}, decoded. */
  parts: Record<string, string>;
  query: URLSearchParams;
  body: () => Promise<Record<string, unknown>>;
}

export interface RestAnswer {
  status?: number;
  /** JSON, or text for logs. */
  body?: unknown;
}

/** `GET /repos/{owner}/{repo}/...`, what a job's token needs for it, and the handler. */
export interface Route {
  method: string;
  path: string;
  /** Undefined: every token may. 'person': no job's token may, whatever its permissions. */
  needs: [Scope, 'read' | 'write'] | 'person' | undefined;
  handle(call: RestCall): Promise<RestAnswer> | RestAnswer;
}

/** per_page (30, at most 100) and page. */
export function pageOf(query: URLSearchParams): { size: number; number: number } {
  return {
    size: Math.min(100, Math.max(1, Number(query.get('per_page') ?? 30) || 30)),
    number: Math.max(1, Number(query.get('page') ?? 1) || 1),
  };
}

export function page<T>(items: readonly T[], query: URLSearchParams): T[] {
  const { size, number } = pageOf(query);
  return items.slice((number - 1) * size, number * size);
}
