import { getOctokit } from '@actions/github';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { startWorld, type World } from './support.ts';

type Octokit = ReturnType<typeof getOctokit>;
const here = { owner: 'acme', repo: 'abalone' };
let world: World;
let platform: Octokit;
let grace: Octokit;

beforeAll(async () => {
  world = await startWorld({ actor: 'ada' });
  const api = { baseUrl: `${world.url}/_github/api` };
  platform = getOctokit(world.token, api);
  grace = getOctokit(world.github.userToken('grace'), api);
  world.github.setVariables('acme/abalone', { COLOUR: 'green' });
  world.github.createEnvironment('acme/abalone', {
    name: 'production',
    reviewers: ['grace', 'linus'],
    branches: ['main'],
    variables: { REGION: 'eu-west-1' },
  });
});
afterAll(async () => {
  expect(world.warnings).toEqual([]);
  await world.close();
});

const deploy = `name: Deploy
on:
  push: {branches: [main]}
  workflow_dispatch: {inputs: {size: {type: choice, options: [s, l], default: s}, really: {type: boolean}}}
jobs:
  build: {runs-on: ubuntu-24.04, steps: [{run: 'echo "OUT \${{ inputs.size }} \${{ inputs.really }}"'}]}
  deploy: {needs: build, runs-on: ubuntu-24.04, environment: production, steps: [{run: echo}]}
`;

async function waiting(run: RunRecord): Promise<void> {
  while (!run.jobs.some(({ status }) => status === 'waiting')) await new Promise((resolve) => setTimeout(resolve, 10));
}
const status = async (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: { status?: number; message: string }) => `${error.status}: ${error.message.split(' - ')[0]}`,
  );

describe('octokit against the local GitHub', () => {
  let run: RunRecord;

  test('repository, workflows, runs and jobs', async () => {
    [run] = (await world.push({ '.github/workflows/deploy.yml': deploy })) as [RunRecord];
    await waiting(run);
    const { data: repository } = await platform.rest.repos.get(here);
    expect(repository).toMatchObject({
      id: world.repository.id,
      full_name: 'acme/abalone',
      default_branch: 'main',
      owner: { login: 'acme' },
    });
    const { data: workflows } = await platform.rest.actions.listRepoWorkflows(here);
    expect(workflows.workflows).toMatchObject([
      { name: 'Deploy', path: '.github/workflows/deploy.yml', state: 'active' },
    ]);
    const { data: runs } = await platform.rest.actions.listWorkflowRunsForRepo({
      ...here,
      branch: 'main',
      status: 'waiting',
    });
    expect(runs).toMatchObject({
      total_count: 1,
      workflow_runs: [
        {
          id: run.id,
          name: 'Deploy',
          event: 'push',
          head_sha: run.sha,
          head_branch: 'main',
          conclusion: null,
          actor: { login: 'ada' },
        },
      ],
    });
    expect((await platform.rest.actions.listWorkflowRunsForRepo({ ...here, branch: 'other' })).data.total_count).toBe(
      0,
    );
    const { data: jobs } = await platform.rest.actions.listJobsForWorkflowRun({ ...here, run_id: run.id });
    expect(jobs.jobs.map(({ name, status, conclusion }) => [name, status, conclusion])).toEqual([
      ['build', 'completed', 'success'],
      ['deploy', 'waiting', null],
    ]);
    const { data: log } = await platform.rest.actions.downloadJobLogsForWorkflowRun({
      ...here,
      job_id: jobs.jobs[0]!.id,
    });
    expect(String(log)).toContain('OUT');
    const pages = await platform.paginate(platform.rest.actions.listJobsForWorkflowRun, {
      ...here,
      run_id: run.id,
      per_page: 1,
    });
    expect(pages).toHaveLength(2);
  });

  test('environments, pending deployments, a review, approvals', async () => {
    const { data: environments } = await platform.rest.repos.getAllEnvironments(here);
    const [environment] = environments.environments!;
    expect(environment).toMatchObject({
      name: 'production',
      deployment_branch_policy: { custom_branch_policies: true },
      protection_rules: [
        {
          type: 'required_reviewers',
          reviewers: [{ type: 'User', reviewer: { login: 'grace' } }, { reviewer: { login: 'linus' } }],
        },
        { type: 'branch_policy' },
      ],
    });
    expect((await platform.rest.actions.getReviewsForRun({ ...here, run_id: run.id })).data).toEqual([]);
    const pending = async (octokit: Octokit) =>
      (await octokit.rest.actions.getPendingDeploymentsForRun({ ...here, run_id: run.id })).data;
    expect(await pending(grace)).toMatchObject([
      {
        environment: { id: environment!.id, name: 'production' },
        current_user_can_approve: true,
        reviewers: [{ reviewer: { login: 'grace' } }, {}],
      },
    ]);
    expect(await pending(platform)).toMatchObject([{ current_user_can_approve: false }]);

    const review = {
      ...here,
      run_id: run.id,
      environment_ids: [environment!.id],
      state: 'approved' as const,
      comment: 'looks good',
    };
    const mallory = getOctokit(world.github.userToken('mallory'), { baseUrl: `${world.url}/_github/api` });
    expect(await status(mallory.rest.actions.reviewPendingDeploymentsForRun(review))).toMatch(
      /^422: 'mallory' is no reviewer/,
    );
    expect(
      await status(grace.rest.actions.reviewPendingDeploymentsForRun({ ...review, environment_ids: [1] })),
    ).toMatch(/^422: There is no environment 1/);
    await grace.rest.actions.reviewPendingDeploymentsForRun(review);
    await world.github.runs.wait(run.id);
    const { data: approvals } = await platform.rest.actions.getReviewsForRun({ ...here, run_id: run.id });
    expect(approvals).toMatchObject([
      {
        state: 'approved',
        comment: 'looks good',
        user: { login: 'grace' },
        environments: [{ id: environment!.id, name: 'production' }],
      },
    ]);
    expect(await pending(grace)).toEqual([]);
  });

  test('dispatch: 204, or 200 with the run; inputs are checked', async () => {
    const dispatch = { ...here, workflow_id: 'deploy.yml', ref: 'main' };
    expect((await platform.rest.actions.createWorkflowDispatch(dispatch)).status).toBe(204);
    const { status: code, data } = await platform.request(
      'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches',
      {
        ...dispatch,
        inputs: { size: 'l', really: 'true' },
        return_run_details: true,
      },
    );
    expect(code as number).toBe(200);
    const { workflow_run_id: id } = data as unknown as { workflow_run_id: number };
    const dispatched = world.github.runs.get(id)!;
    await waiting(dispatched);
    expect(await world.log(dispatched, 'build')).toContain('\nOUT l true\n');
    expect(dispatched).toMatchObject({ event: 'workflow_dispatch', actor: 'ada', inputs: { size: 'l', really: true } });

    expect(await status(platform.rest.actions.createWorkflowDispatch({ ...dispatch, inputs: { size: 'xl' } }))).toMatch(
      /^422: Provided value 'xl' for input 'size' not in the list/,
    );
    expect(await status(platform.rest.actions.createWorkflowDispatch({ ...dispatch, inputs: { other: 'x' } }))).toMatch(
      /^422: Unexpected inputs provided/,
    );
    expect(await status(platform.rest.actions.createWorkflowDispatch({ ...dispatch, ref: 'nowhere' }))).toMatch(
      /^422: No ref found for: nowhere/,
    );
    expect(
      await status(platform.rest.actions.createWorkflowDispatch({ ...dispatch, workflow_id: 'none.yml' })),
    ).toMatch(/^404/);
  });

  test('cancel and re-run', async () => {
    const [open] = world.github.runs.list().filter((one) => one.status !== 'completed');
    await platform.rest.actions.cancelWorkflowRun({ ...here, run_id: open!.id });
    await world.github.runs.wait(open!.id);
    expect(open!.conclusion).toBe('cancelled');
    expect(await status(platform.rest.actions.cancelWorkflowRun({ ...here, run_id: open!.id }))).toMatch(/^409/);
    await grace.rest.actions.reRunWorkflowFailedJobs({ ...here, run_id: open!.id });
    await waiting(open!);
    expect(open!).toMatchObject({ attempt: 2, triggeringActor: 'grace' });
    expect(
      (await platform.rest.actions.getWorkflowRunAttempt({ ...here, run_id: open!.id, attempt_number: 1 })).data,
    ).toMatchObject({ run_attempt: 1, conclusion: 'cancelled' });
    const { data: all } = await platform.rest.actions.listJobsForWorkflowRun({
      ...here,
      run_id: open!.id,
      filter: 'all',
    });
    expect(all.jobs.map(({ name, run_attempt }) => `${name} ${run_attempt}`).sort()).toEqual([
      'build 1',
      'deploy 1',
      'deploy 2',
    ]);
  });

  test('repository_dispatch starts workflows of the default branch that wait for its type', async () => {
    const workflow = (types: string) =>
      `on: {repository_dispatch: {types: [${types}]}}\njobs:\n  one: {runs-on: ubuntu-24.04, steps: [{run: 'echo "OUT \${{ github.event.action }} \${{ github.event.client_payload.x.y }}"'}]}\n`;
    await world.push({ '.github/workflows/a.yml': workflow('approved'), '.github/workflows/b.yml': workflow('other') });
    const before = world.github.runs.list().length;
    expect(
      (
        await platform.rest.repos.createDispatchEvent({
          ...here,
          event_type: 'approved',
          client_payload: { x: { y: 'deep' } },
        })
      ).status,
    ).toBe(204);
    expect(world.github.runs.list().length).toBe(before + 1);
    const started = await world.github.runs.wait(world.github.runs.list()[0]!.id);
    expect(await world.log(started)).toContain('\nOUT approved deep\n');
    const tooMany = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 1]));
    expect(
      await status(platform.rest.repos.createDispatchEvent({ ...here, event_type: 'x', client_payload: tooMany })),
    ).toMatch(/^422: No more than 10 properties/);
  });

  test('variables and the form of subjects', async () => {
    expect((await platform.rest.actions.getRepoVariable({ ...here, name: 'colour' })).data).toMatchObject({
      name: 'COLOUR',
      value: 'green',
    });
    expect(
      (await platform.rest.actions.listEnvironmentVariables({ ...here, environment_name: 'production' })).data
        .variables,
    ).toMatchObject([{ name: 'REGION', value: 'eu-west-1' }]);
    const { data } = await platform.rest.actions.getCustomOidcSubClaimForRepo(here);
    expect(data).toEqual({
      use_default: true,
      use_immutable_subject: true,
      sub_claim_prefix: `repo:acme@${world.repository.ownerId}/abalone@${world.repository.id}`,
    });
  });

  test('issues: one that is opened, found by its label, updated, commented and closed', async () => {
    const { data: issue } = await grace.rest.issues.create({
      ...here,
      title: 'Drift',
      body: 'first',
      labels: ['monitor'],
    });
    expect(issue).toMatchObject({ number: 1, state: 'open', user: { login: 'grace' }, labels: [{ name: 'monitor' }] });
    await grace.rest.issues.create({ ...here, title: 'Another' });
    expect(
      (await grace.rest.issues.listForRepo({ ...here, labels: 'monitor' })).data.map(({ title }) => title),
    ).toEqual(['Drift']);
    await grace.rest.issues.createComment({ ...here, issue_number: 1, body: 'still there' });
    expect((await grace.rest.issues.listComments({ ...here, issue_number: 1 })).data).toMatchObject([
      { body: 'still there', user: { login: 'grace' } },
    ]);
    await grace.rest.issues.update({ ...here, issue_number: 1, body: 'second', state: 'closed' });
    expect((await grace.rest.issues.get({ ...here, issue_number: 1 })).data).toMatchObject({
      body: 'second',
      state: 'closed',
      comments: 1,
    });
    expect((await grace.rest.issues.listForRepo(here)).data.map(({ number }) => number)).toEqual([2]);
    expect(await status(grace.rest.issues.create({ ...here, title: 'x', assignees: ['ada'] }))).toMatch(
      /^422: .*'assignees'/,
    );
    expect(await status(grace.rest.issues.get({ ...here, issue_number: 9 }))).toMatch(/^404/);
  });

  test('what does not exist, what is not supported, who is nobody', async () => {
    expect(await status(platform.rest.repos.get({ owner: 'acme', repo: 'none' }))).toMatch(/^404: Not Found/);
    expect(await status(platform.rest.actions.getWorkflowRun({ ...here, run_id: 1 }))).toMatch(/^404: Not Found/);
    expect(await status(platform.rest.repos.listTags(here))).toMatch(
      /^501: The local GitHub does not support GET \/repos\/acme\/abalone\/tags/,
    );
    expect(await status(getOctokit('wrong', { baseUrl: `${world.url}/_github/api` }).rest.repos.get(here))).toMatch(
      /^401: Bad credentials/,
    );
    expect((await fetch(`${world.url}/_github/api/repos/acme/abalone`)).status).toBe(401);
    expect(
      (await fetch(`${world.url}/_github/nothing`, { headers: { authorization: `Bearer ${world.token}` } })).status,
    ).toBe(404);
    expect((await platform.request('GET /user')).data).toMatchObject({ login: 'ada' });
  });
});

describe('the token of a job', () => {
  const ask = (...calls: string[]) =>
    `node -e 'const ask = (method, path, body) => fetch(process.env.GITHUB_API_URL + path, {method, headers: {authorization: "Bearer " + process.env.TOKEN}, body: body && JSON.stringify(body)}).then(async (r) => console.log("OUT", r.status, (await r.text()).slice(0, 60))); (async () => { ${calls.map((call) => `await ask(${call});`).join(' ')} })()'`;
  const job = (permissions: string, ...calls: string[]) =>
    `on: push\njobs:\n  one:\n    permissions: ${permissions}\n    runs-on: ubuntu-24.04\n    steps:\n      - env: {TOKEN: "\${{ github.token }}"}\n        run: |\n          ${ask(...calls)}\n`;
  const statuses = async (workflow: string) => {
    await world.github.createRepository({ owner: 'acme', name: 'other' });
    const [run] = (await world.push({ '.github/workflows/token.yml': workflow })).filter(({ path }) =>
      path.endsWith('token.yml'),
    );
    await world.github.runs.wait(run!.id);
    return (await world.log(run!))
      .split('\n')
      .filter((line) => line.startsWith('OUT '))
      .map((line) => Number(line.slice(4, 7)));
  };
  const repo = '/repos/acme/abalone';

  test('does what its permissions say, and nothing else', async () => {
    const calls = [
      `"GET", "${repo}"`,
      `"GET", "${repo}/actions/runs"`,
      `"GET", "${repo}/actions/runs/" + process.env.GITHUB_RUN_ID + "/approvals"`,
      `"POST", "${repo}/actions/workflows/deploy.yml/dispatches", {ref: "main"}`,
      `"POST", "${repo}/dispatches", {event_type: "nobody"}`,
    ];
    expect(await statuses(job('{}', ...calls))).toEqual([200, 403, 403, 403, 403]);
    expect(await statuses(job('{actions: read}', ...calls))).toEqual([200, 200, 200, 403, 403]);
    expect(await statuses(job('{actions: write, contents: write}', ...calls))).toEqual([200, 200, 200, 204, 204]);
  });

  test('cannot approve, cannot read variables, sees no other repository, is good for nothing after its job', async () => {
    const calls = [
      `"POST", "${repo}/actions/runs/" + process.env.GITHUB_RUN_ID + "/pending_deployments", {environment_ids: [1], state: "approved", comment: ""}`,
      `"GET", "${repo}/actions/variables"`,
      '"GET", "/repos/acme/other"',
      '"GET", "/user"',
    ];
    expect(await statuses(job('write-all', ...calls))).toEqual([403, 403, 404, 403]);
  });
});

test('deciding from another process of this machine', async () => {
  const decide = (body: unknown, token = world.token) =>
    fetch(`${world.url}/_github/decide`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const [run] = (await world.push({ '.github/workflows/deploy.yml': `${deploy}# again\n` })).filter(({ path }) =>
    path.endsWith('deploy.yml'),
  );
  await waiting(run!);
  const review = { run: run!.id, environment: 'production', state: 'approved', comment: '', user: 'grace' };
  expect((await decide(review, 'wrong')).status).toBe(401);
  expect((await decide({ ...review, state: 'perhaps' })).status).toBe(422);
  const refused = await decide({ ...review, user: 'mallory' });
  expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([
    422,
    expect.stringContaining("'mallory' is no reviewer"),
  ]);
  expect((await decide(review)).status).toBe(200);
  expect((await world.github.runs.wait(run!.id)).conclusion).toBe('success');
});

test('the stream of events: what has happened, then what happens, until the run ends', async () => {
  const [run] = (
    await world.push({
      '.github/workflows/token.yml':
        'on: push\njobs:\n  one: {runs-on: ubuntu-24.04, steps: [{run: sleep 0.2; echo "OUT x"}]}\n',
    })
  ).filter(({ path }) => path.endsWith('token.yml'));
  const url = `${world.url}/_github/events?run=${run!.id}`;
  expect((await fetch(url)).status).toBe(401);
  const read = async () => {
    const text = await (await fetch(url, { headers: { authorization: `Bearer ${world.token}` } })).text();
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; line?: string });
  };
  const live = await read();
  expect(live[0]).toMatchObject({ type: 'run-started' });
  expect(live.at(-1)).toMatchObject({ type: 'run-finished', run: { conclusion: 'success' } });
  expect(live.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['job-started', 'step-started', 'log', 'step-finished', 'job-finished']),
  );
  expect(await read()).toEqual(live);
});
