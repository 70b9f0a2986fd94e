import { parseWorkflow } from '../workflow/parse.ts';
import { HttpError } from './http.ts';
import { page, type RestCall, type Route } from './route.ts';
import { environmentShape, repositoryShape, runShape, workflowId, workflowShape } from './shapes.ts';

const repo = '/repos/{owner}/{repo}';

function environment({ state, parts }: RestCall) {
  const found = state.environments.find(parts.environment!);
  if (!found) throw new HttpError(404, 'Not Found');
  return found;
}

function variables(values: Record<string, string>, { query, parts }: RestCall) {
  const all = Object.entries(values).map(([name, value]) => ({ name, value }));
  if (parts.name === undefined) return { body: { total_count: all.length, variables: page(all, query) } };
  const one = all.find(({ name }) => name.toUpperCase() === parts.name!.toUpperCase());
  if (!one) throw new HttpError(404, 'Not Found');
  return { body: one };
}

/** Workflow files of the default branch. */
async function workflows({ context, state }: RestCall): Promise<{ path: string; name: string }[]> {
  const { gitDirectory, defaultBranch } = state.repository;
  const sha = await context.git.resolve(gitDirectory, `refs/heads/${defaultBranch}`);
  if (!sha) return [];
  const result: { path: string; name: string }[] = [];
  for (const path of await context.git.list(gitDirectory, sha, '.github/workflows')) {
    if (!/\.ya?ml$/.test(path)) continue;
    const { name } = parseWorkflow(path, (await context.git.show(gitDirectory, sha, path)) ?? '', []);
    result.push({ path, name: name ?? path });
  }
  return result;
}

async function workflow(call: RestCall): Promise<{ path: string; name: string }> {
  const wanted = call.parts.workflow!;
  const found = (await workflows(call)).find(
    ({ path }) =>
      path === wanted ||
      path === `.github/workflows/${wanted}` ||
      String(workflowId(call.state.repository, path)) === wanted,
  );
  if (!found) throw new HttpError(404, 'Not Found');
  return found;
}

export const repositoryRoutes: Route[] = [
  {
    method: 'GET',
    path: repo,
    needs: undefined,
    handle: ({ state, urls }) => ({ body: repositoryShape(state.repository, urls) }),
  },
  {
    method: 'GET',
    path: `${repo}/environments`,
    needs: ['actions', 'read'],
    handle: ({ state, urls, query }) => {
      const all = state.environments.list();
      return {
        body: {
          total_count: all.length,
          environments: page(all, query).map((one) => environmentShape(one, state.repository, urls)),
        },
      };
    },
  },
  {
    method: 'GET',
    path: `${repo}/environments/{environment}`,
    needs: ['actions', 'read'],
    handle: (call) => ({ body: environmentShape(environment(call), call.state.repository, call.urls) }),
  },
  {
    method: 'GET',
    path: `${repo}/environments/{environment}/deployment-branch-policies`,
    needs: ['actions', 'read'],
    handle: (call) => {
      const branches = environment(call).branches ?? [];
      return {
        body: {
          total_count: branches.length,
          branch_policies: branches.map((name, index) => ({ id: index + 1, name, type: 'branch' })),
        },
      };
    },
  },
  ...['', '/{name}'].flatMap((suffix): Route[] => [
    {
      method: 'GET',
      path: `${repo}/actions/variables${suffix}`,
      needs: 'person',
      handle: (call) => variables(call.state.variables, call),
    },
    {
      method: 'GET',
      path: `${repo}/environments/{environment}/variables${suffix}`,
      needs: 'person',
      handle: (call) => variables(environment(call).variables ?? {}, call),
    },
  ]),
  {
    method: 'GET',
    path: `${repo}/actions/oidc/customization/sub`,
    needs: ['actions', 'read'],
    handle: ({ state }) => {
      const { owner, ownerId, name, id } = state.repository;
      const prefix = state.immutableSubject ? `repo:${owner}@${ownerId}/${name}@${id}` : `repo:${owner}/${name}`;
      return { body: { use_default: true, use_immutable_subject: state.immutableSubject, sub_claim_prefix: prefix } };
    },
  },
  {
    method: 'POST',
    path: `${repo}/dispatches`,
    needs: ['contents', 'write'],
    async handle({ context, state, caller, body }) {
      const { event_type: type, client_payload: payload = {} } = await body();
      if (typeof type !== 'string' || type === '' || type.length > 100)
        throw new HttpError(422, "Invalid request.\n\n'event_type' must be text of 1 to 100 characters.");
      if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
        throw new HttpError(422, "Invalid request.\n\n'client_payload' must be an object.");
      if (Object.keys(payload).length > 10)
        throw new HttpError(422, 'No more than 10 properties are allowed; 11 or more were supplied.');
      if (JSON.stringify(payload).length > 65_535) throw new HttpError(422, 'client_payload is too large.');
      await context.github.dispatchRepository(
        state.repository.fullName,
        type,
        payload as Record<string, unknown>,
        caller.login,
      );
      return { status: 204 };
    },
  },
  {
    method: 'GET',
    path: `${repo}/actions/workflows`,
    needs: ['actions', 'read'],
    async handle(call) {
      const all = await workflows(call);
      const shaped = page(all, call.query).map(({ path, name }) =>
        workflowShape(call.state.repository, path, name, call.urls),
      );
      return { body: { total_count: all.length, workflows: shaped } };
    },
  },
  {
    method: 'GET',
    path: `${repo}/actions/workflows/{workflow}`,
    needs: ['actions', 'read'],
    async handle(call) {
      const { path, name } = await workflow(call);
      return { body: workflowShape(call.state.repository, path, name, call.urls) };
    },
  },
  {
    method: 'GET',
    path: `${repo}/actions/workflows/{workflow}/runs`,
    needs: ['actions', 'read'],
    async handle(call) {
      const { path } = await workflow(call);
      const all = call.context.runs.list(call.state.repository.fullName).filter((run) => run.path === path);
      const shaped = page(all, call.query).map((run) => runShape(run, call.state.repository, call.urls));
      return { body: { total_count: all.length, workflow_runs: shaped } };
    },
  },
  {
    method: 'POST',
    path: `${repo}/actions/workflows/{workflow}/dispatches`,
    needs: ['actions', 'write'],
    async handle(call) {
      const { context, state, caller, urls } = call;
      const { path } = await workflow(call);
      const { ref, inputs = {}, return_run_details: details } = await call.body();
      if (typeof ref !== 'string') throw new HttpError(422, "Invalid request.\n\n'ref' wasn't supplied.");
      if (typeof inputs !== 'object' || inputs === null)
        throw new HttpError(422, "Invalid request.\n\n'inputs' must be an object.");
      const run = await context.github.dispatchWorkflow(
        state.repository.fullName,
        path,
        ref,
        inputs as Record<string, unknown>,
        caller.login,
      );
      if (details !== true) return { status: 204 };
      const shape = runShape(run, state.repository, urls);
      return { body: { workflow_run_id: run.id, run_url: shape.url, html_url: shape.html_url } };
    },
  },
];
