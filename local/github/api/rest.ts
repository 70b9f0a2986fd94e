import type { IncomingMessage, ServerResponse } from 'node:http';
import { DispatchError, InputError } from '../dispatch.ts';
import { PullRequestError } from '../pulls.ts';
import { addresses } from '../run/contexts.ts';
import { grants } from '../workflow/permissions.ts';
import type { ApiContext } from './context.ts';
import { bearer, HttpError, readJson, sendJson } from './http.ts';
import { pageOf, type Route } from './route.ts';
import { issueRoutes } from './routes-issues.ts';
import { pullRoutes } from './routes-pulls.ts';
import { repositoryRoutes } from './routes-repository.ts';
import { runRoutes } from './routes-runs.ts';
import { userShape } from './shapes.ts';

const routes: Route[] = [...repositoryRoutes, ...runRoutes, ...issueRoutes, ...pullRoutes];

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index]!;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name) {
      if (value === '') return undefined;
      parts[name] = decodeURIComponent(value);
    } else if (part !== value) return undefined;
  }
  return parts;
}

/** GitHub's REST API as far as actions and people need it here; everything else is refused by name with 501. */
export async function handleRest(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  const urls = addresses(context.options.baseUrl());
  const token = bearer(request);
  const caller = context.tokens.caller(token);
  if (!caller) throw new HttpError(401, token === undefined ? 'Requires authentication' : 'Bad credentials');
  response.setHeader('x-github-media-type', 'github.v3; format=json');
  if (path === '/user' && request.method === 'GET') {
    if (caller.kind === 'job') throw new HttpError(403, 'Resource not accessible by integration');
    sendJson(response, 200, userShape(caller.login));
    return;
  }
  let known = false;
  for (const route of routes) {
    const parts = match(route.path, path);
    if (!parts) continue;
    known = true;
    if (route.method !== request.method) continue;
    const state = context.repositories.get(`${parts.owner}/${parts.repo}`.toLowerCase());
    // A job's token sees its own repository only.
    if (!state || (caller.kind === 'job' && caller.job.spec.facts.repository.id !== state.repository.id))
      throw new HttpError(404, 'Not Found');
    if (caller.kind === 'job' && route.needs !== undefined) {
      if (route.needs === 'person' || !grants(caller.job.spec.permissions, ...route.needs))
        throw new HttpError(403, 'Resource not accessible by integration');
    }
    try {
      const answer = await route.handle({ context, caller, state, urls, parts, query, body: () => readJson(request) });
      const next = nextPage(answer.body, query);
      if (next) response.setHeader('link', `<${urls.api}${path}?${next}>; rel="next"`);
      if (typeof answer.body === 'string')
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(answer.body);
      else sendJson(response, answer.status ?? 200, answer.body ?? {});
    } catch (error) {
      if (error instanceof DispatchError || error instanceof InputError || error instanceof PullRequestError)
        throw new HttpError(422, error.message);
      throw error;
    }
    return;
  }
  throw new HttpError(
    501,
    `The local GitHub does not support ${request.method} ${path}${known ? ' (other methods of it)' : ''}.`,
  );
}

/** The query of the page after this one, for clients that follow Link headers; undefined on the last page. */
function nextPage(body: unknown, query: URLSearchParams): URLSearchParams | undefined {
  const total = (body as { total_count?: number } | undefined)?.total_count;
  if (total === undefined) return undefined;
  const { size, number } = pageOf(query);
  if (number * size >= total) return undefined;
  const next = new URLSearchParams(query);
  next.set('page', String(number + 1));
  return next;
}
