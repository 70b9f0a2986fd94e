import { type IssueRecord, nextNumber } from '../repository-state.ts';
import { HttpError } from './http.ts';
import { page, type RestCall, type Route } from './route.ts';
import { userShape } from './shapes.ts';

const base = '/repos/{owner}/{repo}/issues';

function find({ state, parts }: RestCall): IssueRecord {
  const issue = state.issues.find(({ number }) => String(number) === parts.number);
  if (!issue) throw new HttpError(404, 'Not Found');
  return issue;
}

function shape(issue: IssueRecord, { state, urls }: RestCall): Record<string, unknown> {
  const { fullName } = state.repository;
  return {
    id: state.repository.id * 1000 + issue.number,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    state_reason: issue.state === 'closed' ? 'completed' : null,
    labels: issue.labels.map((name) => ({ name })),
    user: userShape(issue.author),
    comments: issue.comments.length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    url: `${urls.api}/repos/${fullName}/issues/${issue.number}`,
    html_url: `${urls.server}/${fullName}/issues/${issue.number}`,
  };
}

/** Text fields of a request; anything else in it is refused by name rather than dropped. */
export async function fields(call: RestCall, known: readonly string[]): Promise<Record<string, unknown>> {
  const body = await call.body();
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new HttpError(
      422,
      `The local GitHub does not support ${unknown.map((name) => `'${name}'`).join(', ')} here.`,
    );
  return body;
}

export function text(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '')
    throw new HttpError(422, `Invalid request.\n\n'${name}' wasn't supplied.`);
  return value;
}

function labels(value: unknown): string[] {
  if (!Array.isArray(value)) throw new HttpError(422, "Invalid request.\n\n'labels' must be a list.");
  return value.map((label) => (typeof label === 'string' ? label : String((label as { name?: unknown }).name)));
}

function now({ context }: RestCall): string {
  return context.options.clock.now().toISOString();
}

/** Issues as far as a report that is kept up to date needs them. They live as long as this process. */
export const issueRoutes: Route[] = [
  {
    method: 'GET',
    path: base,
    needs: ['issues', 'read'],
    handle: (call) => {
      const { query } = call;
      for (const name of query.keys()) {
        if (!['state', 'labels', 'creator', 'per_page', 'page'].includes(name))
          throw new HttpError(422, `The local GitHub does not support the filter '${name}'.`);
      }
      const wanted = query.get('state') ?? 'open';
      const labelled = (query.get('labels') ?? '').split(',').filter(Boolean);
      const found = call.state.issues.filter(
        (issue) =>
          (wanted === 'all' || issue.state === wanted) &&
          labelled.every((label) => issue.labels.includes(label)) &&
          (query.get('creator') ?? issue.author) === issue.author,
      );
      return { body: page([...found].reverse(), query).map((issue) => shape(issue, call)) };
    },
  },
  {
    method: 'POST',
    path: base,
    needs: ['issues', 'write'],
    async handle(call) {
      const body = await fields(call, ['title', 'body', 'labels']);
      const issue: IssueRecord = {
        number: nextNumber(call.state),
        title: text(body, 'title'),
        body: typeof body.body === 'string' ? body.body : null,
        state: 'open',
        labels: body.labels === undefined ? [] : labels(body.labels),
        author: call.caller.login,
        comments: [],
        createdAt: now(call),
        updatedAt: now(call),
      };
      call.state.issues.push(issue);
      return { status: 201, body: shape(issue, call) };
    },
  },
  {
    method: 'GET',
    path: `${base}/{number}`,
    needs: ['issues', 'read'],
    handle: (call) => ({ body: shape(find(call), call) }),
  },
  {
    method: 'PATCH',
    path: `${base}/{number}`,
    needs: ['issues', 'write'],
    async handle(call) {
      const issue = find(call);
      const body = await fields(call, ['title', 'body', 'labels', 'state']);
      if (body.state !== undefined && body.state !== 'open' && body.state !== 'closed')
        throw new HttpError(422, "Invalid request.\n\n'state' must be open or closed.");
      if (body.title !== undefined) issue.title = text(body, 'title');
      if (body.body !== undefined) issue.body = body.body === null ? null : String(body.body);
      if (body.labels !== undefined) issue.labels = labels(body.labels);
      if (body.state !== undefined) issue.state = body.state as IssueRecord['state'];
      issue.updatedAt = now(call);
      return { body: shape(issue, call) };
    },
  },
  {
    method: 'GET',
    path: `${base}/{number}/comments`,
    needs: ['issues', 'read'],
    handle: (call) => ({ body: page(find(call).comments, call.query) }),
  },
  {
    method: 'POST',
    path: `${base}/{number}/comments`,
    needs: ['issues', 'write'],
    async handle(call) {
      const issue = find(call);
      const body = text(await fields(call, ['body']), 'body');
      const comment = {
        id: call.state.repository.id * 100_000 + issue.number * 1000 + issue.comments.length + 1,
        body,
        user: userShape(call.caller.login),
        created_at: now(call),
        updated_at: now(call),
      };
      issue.comments.push(comment);
      issue.updatedAt = comment.created_at;
      return { status: 201, body: comment };
    },
  },
];
