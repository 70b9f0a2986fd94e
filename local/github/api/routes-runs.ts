import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord, RunRecord } from '../types.ts';
import { HttpError } from './http.ts';
import { page, type RestCall, type Route } from './route.ts';
import { approvalShape, headOf, jobShape, pendingShape, runShape } from './shapes.ts';

const base = '/repos/{owner}/{repo}/actions';

function run({ context, state, parts }: RestCall): RunRecord {
  const found = context.runs.get(Number(parts.run));
  if (found?.repository !== state.repository.fullName) throw new HttpError(404, 'Not Found');
  return found;
}

function attempt(call: RestCall): Omit<RunRecord, 'previousAttempts' | 'approvals'> {
  const current = run(call);
  const number = Number(call.parts.attempt);
  const found = number === current.attempt ? current : current.previousAttempts.find((one) => one.attempt === number);
  if (!found) throw new HttpError(404, 'Not Found');
  return found;
}

function jobs(
  list: readonly JobRecord[],
  of: Omit<RunRecord, 'previousAttempts' | 'approvals'>,
  { query, urls }: RestCall,
) {
  return { body: { total_count: list.length, jobs: page(list, query).map((job) => jobShape(job, of, urls)) } };
}

function findJob({ context, state, parts }: RestCall): { job: JobRecord; of: RunRecord } {
  for (const of of context.runs.list(state.repository.fullName)) {
    for (const list of [of.jobs, ...of.previousAttempts.map((one) => one.jobs)]) {
      const job = list.find(({ id }) => String(id) === parts.job);
      if (job) return { job, of };
    }
  }
  throw new HttpError(404, 'Not Found');
}

/** GitHub's answer when a run is not in the state that a request needs. */
function conflict(action: () => unknown | Promise<unknown>): Promise<unknown> {
  return Promise.resolve()
    .then(action)
    .catch((error: Error) => {
      throw new HttpError(403, error.message);
    });
}

export const runRoutes: Route[] = [
  {
    method: 'GET',
    path: `${base}/runs`,
    needs: ['actions', 'read'],
    handle: ({ context, state, query, urls }) => {
      const wanted: Record<string, (one: RunRecord) => string | null> = {
        actor: (one) => one.actor,
        branch: (one) => headOf(one).branch,
        event: (one) => one.event,
        head_sha: (one) => headOf(one).sha,
      };
      let all = context.runs.list(state.repository.fullName);
      for (const [name, value] of query) {
        if (name === 'status') all = all.filter((one) => one.status === value || one.conclusion === value);
        else if (name in wanted) all = all.filter((one) => wanted[name]!(one) === value);
        else if (!['per_page', 'page', 'exclude_pull_requests'].includes(name))
          throw new HttpError(422, `The local GitHub does not support the filter '${name}'.`);
      }
      return {
        body: {
          total_count: all.length,
          workflow_runs: page(all, query).map((one) => runShape(one, state.repository, urls)),
        },
      };
    },
  },
  {
    method: 'GET',
    path: `${base}/runs/{run}`,
    needs: ['actions', 'read'],
    handle: (call) => ({ body: runShape(run(call), call.state.repository, call.urls) }),
  },
  {
    method: 'GET',
    path: `${base}/runs/{run}/attempts/{attempt}`,
    needs: ['actions', 'read'],
    handle: (call) => ({ body: runShape(attempt(call), call.state.repository, call.urls) }),
  },
  {
    method: 'GET',
    path: `${base}/runs/{run}/jobs`,
    needs: ['actions', 'read'],
    handle: (call) => {
      const current = run(call);
      const all =
        call.query.get('filter') === 'all'
          ? [...current.jobs, ...current.previousAttempts.flatMap((one) => one.jobs)]
          : current.jobs;
      return jobs([...new Map(all.map((job) => [job.id, job])).values()], current, call);
    },
  },
  {
    method: 'GET',
    path: `${base}/runs/{run}/attempts/{attempt}/jobs`,
    needs: ['actions', 'read'],
    handle: (call) => jobs(attempt(call).jobs, attempt(call), call),
  },
  {
    method: 'GET',
    path: `${base}/jobs/{job}`,
    needs: ['actions', 'read'],
    handle: (call) => {
      const { job, of } = findJob(call);
      return { body: jobShape(job, of, call.urls) };
    },
  },
  {
    method: 'GET',
    path: `${base}/jobs/{job}/logs`,
    needs: ['actions', 'read'],
    async handle(call) {
      const { job, of } = findJob(call);
      return { body: await readFile(join(call.context.runs.directory(of.id), job.log), 'utf8').catch(() => '') };
    },
  },
  {
    method: 'POST',
    path: `${base}/runs/{run}/cancel`,
    needs: ['actions', 'write'],
    handle: (call) => {
      const { id, status } = run(call);
      if (status === 'completed') throw new HttpError(409, 'Cannot cancel a workflow run that is completed.');
      call.context.runs.cancel(id);
      return { status: 202 };
    },
  },
  ...(['all', 'failed'] as const).map(
    (which): Route => ({
      method: 'POST',
      path: `${base}/runs/{run}/${which === 'all' ? 'rerun' : 'rerun-failed-jobs'}`,
      needs: ['actions', 'write'],
      async handle(call) {
        const { id } = run(call);
        await conflict(() => call.context.runs.rerun(id, which, call.caller.login));
        return { status: 201 };
      },
    }),
  ),
  {
    method: 'GET',
    path: `${base}/runs/{run}/approvals`,
    needs: ['actions', 'read'],
    handle: (call) => ({
      body: run(call).approvals.map((one) =>
        approvalShape(one, call.state.environments.find(one.environment), call.state.repository, call.urls),
      ),
    }),
  },
  {
    method: 'GET',
    path: `${base}/runs/{run}/pending_deployments`,
    needs: ['actions', 'read'],
    handle: (call) => {
      const { id, triggeringActor } = run(call);
      const login = call.caller.login.toLowerCase();
      return {
        body: call.context.runs.pendingDeployments(id).map((pending) => {
          const environment = call.state.environments.find(pending.environment)!;
          const self = environment.preventSelfReview === true && triggeringActor.toLowerCase() === login;
          const can =
            call.caller.kind !== 'job' && !self && pending.reviewers.some((one) => one.toLowerCase() === login);
          return pendingShape(pending, environment, can, call.state.repository, call.urls);
        }),
      };
    },
  },
  {
    method: 'POST',
    path: `${base}/runs/{run}/pending_deployments`,
    // GITHUB_TOKEN cannot approve, whatever its permissions are.
    needs: 'person',
    async handle(call) {
      const { id } = run(call);
      const { environment_ids: ids, state, comment } = await call.body();
      if (!Array.isArray(ids) || ids.length === 0)
        throw new HttpError(422, "Invalid request.\n\n'environment_ids' wasn't supplied.");
      if (state !== 'approved' && state !== 'rejected')
        throw new HttpError(422, "Invalid request.\n\n'state' must be approved or rejected.");
      if (typeof comment !== 'string') throw new HttpError(422, "Invalid request.\n\n'comment' wasn't supplied.");
      const environments = ids.map((wanted) => {
        const found = call.state.environments.list().find((one) => one.id === Number(wanted));
        if (!found) throw new HttpError(422, `There is no environment ${wanted}.`);
        return found;
      });
      for (const { name } of environments) call.context.github.decide(id, name, state, comment, call.caller.login);
      return {
        body: environments.map(({ name }) => ({
          environment: name,
          state,
          sha: run(call).sha,
          ref: run(call).ref,
          task: 'deploy',
        })),
      };
    },
  },
];
