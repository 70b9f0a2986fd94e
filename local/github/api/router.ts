import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RefUpdate } from '../events.ts';
import { ReviewError } from '../run/environments.ts';
import { formatProblem } from '../workflow/location.ts';
import type { ApiContext } from './context.ts';
import { bearer, HttpError, readJson, sendJson } from './http.ts';
import { idToken } from './oidc-endpoint.ts';
import { handleRest } from './rest.ts';

/** Everything below /_github. */
export async function handleRequest(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = url.pathname.replace(/^\/_github/, '');
    if (path.startsWith('/api/') || path === '/api') {
      await handleRest(context, request, response, path.slice('/api'.length) || '/', url.searchParams);
    } else if (path === '/oidc/token' && request.method === 'GET') {
      const job = context.tokens.requester(bearer(request));
      const immutable = (state: NonNullable<typeof job>) =>
        context.repositories.get(state.spec.facts.repository.fullName.toLowerCase())?.immutableSubject ?? true;
      sendJson(response, 200, await idToken(job, url.searchParams, context.issuer, immutable));
    } else if (path === '/oidc/.well-known/jwks' && request.method === 'GET') {
      sendJson(response, 200, await context.issuer.jwks());
    } else await handlePrivate(context, request, response, path, url.searchParams);
  } catch (error) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof ReviewError)
      sendJson(response, error.status, { message: error.message, status: String(error.status) });
    else if (error instanceof HttpError)
      sendJson(response, error.status, {
        message: error.message,
        ...(error.errors ? { errors: error.errors } : {}),
        status: String(error.status),
      });
    else {
      context.options.logger.warn(`GitHub ${request.method} ${request.url}: ${(error as Error).stack ?? error}`);
      sendJson(response, 500, { message: (error as Error).message, status: '500' });
    }
  }
}

/** Routes of hooks and the CLI, guarded by the platform's token. */
async function handlePrivate(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  const { github, tokens, history, runs } = context;
  const route = `${request.method} ${path}`;
  if (!['POST /internal/push', 'GET /events', 'POST /decide'].includes(route)) throw new HttpError(404, 'Not Found');
  if (!tokens.isPlatform(bearer(request))) throw new HttpError(401, 'Bad credentials');
  if (route === 'POST /internal/push') {
    // What a job pushes starts nothing, as on GitHub with GITHUB_TOKEN: workflows would start each other for ever.
    const body = await readJson(request);
    if (body.run !== undefined) {
      sendJson(response, 200, { runs: [], lines: [`A push of run ${body.run} starts no workflows.`] });
      return;
    }
    const started = await github.pushed(query.get('repository') ?? '', body.updates as RefUpdate[]);
    const lines = started.flatMap((run) => [
      `Run ${run.id}: ${run.name} (${run.path})${run.problems.length > 0 ? ' cannot start:' : ''}`,
      ...run.problems.map((problem) => `  ${formatProblem(problem)}`),
    ]);
    sendJson(response, 200, { runs: started.map(({ id }) => id), lines });
    return;
  }
  if (route === 'POST /decide') {
    const { run, environment, state, comment, user } = await readJson(request);
    if (state !== 'approved' && state !== 'rejected')
      throw new HttpError(422, "state must be 'approved' or 'rejected'");
    github.decide(
      Number(run),
      String(environment),
      state,
      String(comment ?? ''),
      String(user ?? tokens.caller(bearer(request))!.login),
    );
    sendJson(response, 200, { pending: runs.pendingDeployments(Number(run)) });
    return;
  }
  const id = Number(query.get('run'));
  if (!runs.get(id)) throw new HttpError(404, `There is no run ${query.get('run')}.`);
  response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store' });
  const stop = history.follow(id, (line, last) => {
    response.write(`${line}\n`);
    if (last) response.end();
  });
  response.once('close', stop);
}
