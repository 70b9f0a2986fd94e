import { HttpError } from './http.ts';
import { page, type Route } from './route.ts';
import { fields, text } from './routes-issues.ts';
import { pullShape } from './shapes.ts';

const base = '/repos/{owner}/{repo}/pulls';

/** Pull requests as far as their workflows need them. They live as long as this process. */
export const pullRoutes: Route[] = [
  {
    method: 'GET',
    path: base,
    needs: ['pull-requests', 'read'],
    handle: ({ state, query, urls }) => {
      for (const name of query.keys()) {
        if (!['state', 'head', 'base', 'per_page', 'page'].includes(name))
          throw new HttpError(422, `The local GitHub does not support the filter '${name}'.`);
      }
      const wanted = query.get('state') ?? 'open';
      const { owner } = state.repository;
      const found = state.pulls.filter(
        (pull) =>
          (wanted === 'all' || pull.state === wanted) &&
          (query.get('base') ?? pull.baseBranch) === pull.baseBranch &&
          (query.get('head') ?? `${owner}:${pull.headBranch}`) === `${owner}:${pull.headBranch}`,
      );
      return { body: page([...found].reverse(), query).map((pull) => pullShape(pull, state.repository, urls)) };
    },
  },
  {
    method: 'POST',
    path: base,
    needs: ['pull-requests', 'write'],
    async handle(call) {
      const { context, state, caller, urls } = call;
      const body = await fields(call, ['title', 'body', 'head', 'base']);
      const { pull } = await context.github.openPullRequest(
        state.repository.fullName,
        {
          title: text(body, 'title'),
          body: typeof body['body'] === 'string' ? body['body'] : null,
          head: text(body, 'head'),
          base: text(body, 'base'),
        },
        caller.login,
        // GITHUB_TOKEN raises no events: workflows would start each other for ever.
        caller.kind === 'job',
      );
      return { status: 201, body: pullShape(pull, state.repository, urls) };
    },
  },
  {
    method: 'GET',
    path: `${base}/{number}`,
    needs: ['pull-requests', 'read'],
    handle: ({ state, parts, urls }) => {
      const pull = state.pulls.find(({ number }) => String(number) === parts['number']);
      if (!pull) throw new HttpError(404, 'Not Found');
      return { body: pullShape(pull, state.repository, urls) };
    },
  },
];
