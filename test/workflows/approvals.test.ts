import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ReviewRequest, RunRecord } from '../../local/github/types.ts';
import { conclusions, startWorld, type World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const deploy = `on: push
jobs:
  staging:
    runs-on: ubuntu-24.04
    environment: staging
    steps: [{run: 'echo "OUT \${{ vars.REGION }} \${{ vars.COLOUR }}"'}]
  production:
    needs: staging
    runs-on: ubuntu-24.04
    environment: {name: production, url: "https://example.com/\${{ steps.x.outputs.x }}"}
    steps: [{id: x, run: 'echo x=1 >> "$GITHUB_OUTPUT"; echo "OUT \${{ vars.REGION }}"'}]
  record:
    needs: production
    if: \${{ !cancelled() && needs.production.result == 'failure' }}
    runs-on: ubuntu-24.04
    environment: model-record
    steps: [{run: 'echo "OUT recorded"'}]
`;

async function waiting(run: RunRecord, count = 1): Promise<void> {
  const start = Date.now();
  while (run.jobs.filter(({ status }) => status === 'waiting').length < count) {
    if (Date.now() - start > 10_000) throw new Error(`Nobody waits: ${JSON.stringify(conclusions(run))}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function start(workflow = deploy): Promise<RunRecord> {
  const [run] = await world.push({ '.github/workflows/test.yml': workflow });
  return run!;
}
const out = async (run: RunRecord, job: string) =>
  (await world.log(run, job)).split('\n').filter((line) => line.startsWith('OUT '));

describe('protected environments', () => {
  beforeEach(() => {
    world.github.setVariables('acme/abalone', { REGION: 'of the repository', COLOUR: 'green' });
    world.github.createEnvironment('acme/abalone', { name: 'staging', variables: { REGION: 'eu-west-1' } });
    world.github.createEnvironment('acme/abalone', {
      name: 'Production',
      reviewers: ['grace', 'linus'],
      preventSelfReview: true,
      variables: { REGION: 'us-east-1' },
    });
  });

  test('an approved job runs with the variables of its environment, and the approval is on record', async () => {
    const run = await start();
    await waiting(run);
    expect(run.status).toBe('waiting');
    expect(world.github.runs.pendingDeployments(run.id)).toEqual([
      {
        environment: 'Production',
        reviewers: ['grace', 'linus'],
        jobs: [{ id: world.job(run, 'production').id, name: 'production' }],
      },
    ]);
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'waiting-for-review', environment: 'Production', reviewers: ['grace', 'linus'] }),
    );
    world.github.decide(run.id, 'production', 'approved', 'fine', 'Grace');
    await world.github.runs.wait(run.id);
    expect(conclusions(run)).toEqual({ staging: 'success', production: 'success', record: 'skipped' });
    expect(await out(run, 'staging')).toEqual(['OUT eu-west-1 green']);
    expect(await out(run, 'production')).toEqual(['OUT us-east-1']);
    expect(run.approvals).toEqual([{ environment: 'Production', state: 'approved', user: 'Grace', comment: 'fine' }]);
    expect(world.job(run, 'production').environmentUrl).toBe('https://example.com/1');
  });

  test('a refusal ends the job without a step, and a job that asks for it can record that', async () => {
    const run = await start();
    await waiting(run);
    world.github.decide(run.id, 'Production', 'rejected', 'not on a Friday', 'linus');
    await world.github.runs.wait(run.id);
    expect(conclusions(run)).toEqual({ staging: 'success', production: 'failure', record: 'success' });
    expect(run.conclusion).toBe('failure');
    expect(world.job(run, 'production').steps).toEqual([]);
    expect(world.job(run, 'production').annotations[0]!.message).toBe(
      'Deployment to Production was rejected by linus: not on a Friday.',
    );
    expect(run.approvals).toMatchObject([{ state: 'rejected', user: 'linus' }]);
  });

  test('who may not decide: strangers, and the one who started the run', async () => {
    world.github.createEnvironment('acme/abalone', {
      name: 'Production',
      reviewers: ['grace', 'acme'],
      preventSelfReview: true,
    });
    const run = await start();
    await waiting(run);
    const decide = (user: string) => () => world.github.decide(run.id, 'production', 'approved', '', user);
    expect(decide('mallory')).toThrow(
      /'mallory' is no reviewer of environment 'Production'; reviewers are grace, acme/,
    );
    expect(decide('acme')).toThrow(/does not allow self-review/);
    expect(() => world.github.decide(run.id, 'staging', 'approved', '', 'grace')).toThrow(
      /No job .* waits for environment 'staging'/,
    );
    expect(run.approvals).toEqual([]);
    decide('grace')();
    expect((await world.github.runs.wait(run.id)).conclusion).toBe('success');
    expect(decide('grace')).toThrow(/No job/);
  });

  test('every job asks for its own approval, also after an earlier one of the same run', async () => {
    const run = await start(`on: push
jobs:
  one: {runs-on: ubuntu-24.04, environment: Production, steps: [{run: echo}]}
  two: {runs-on: ubuntu-24.04, environment: Production, steps: [{run: echo}]}
  three: {needs: [one, two], runs-on: ubuntu-24.04, environment: Production, steps: [{run: echo}]}
`);
    await waiting(run, 2);
    world.github.decide(run.id, 'Production', 'approved', '', 'grace');
    await waiting(run);
    expect(conclusions(run)).toEqual({ one: 'success', two: 'success', three: null });
    world.github.decide(run.id, 'Production', 'approved', '', 'grace');
    expect((await world.github.runs.wait(run.id)).conclusion).toBe('success');
    expect(run.approvals).toHaveLength(2);
  });

  test('a run that waits can be cancelled', async () => {
    const run = await start();
    await waiting(run);
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    expect(conclusions(run)).toMatchObject({ production: 'cancelled' });
    expect(world.github.runs.pendingDeployments(run.id)).toEqual([]);
  });
});

test('an environment that nobody configured appears on the spot, without protection', async () => {
  const run = await start(deploy);
  await world.github.runs.wait(run.id);
  expect(conclusions(run)).toEqual({ staging: 'success', production: 'success', record: 'skipped' });
  expect(run.approvals).toEqual([]);
});

test('branch rules: another branch does not get in, its job says why', async () => {
  world.github.createEnvironment('acme/abalone', {
    name: 'production',
    branches: ['main', 'release/*'],
    reviewers: ['grace'],
  });
  const [run] = await world.push({ '.github/workflows/test.yml': deploy }, { ref: 'feature/x' });
  await world.github.runs.wait(run!.id);
  expect(conclusions(run!)).toMatchObject({ production: 'failure' });
  expect(world.job(run!, 'production').annotations[0]!.message).toBe(
    'Branch "feature/x" is not allowed to deploy to production due to environment protection rules.',
  );
  const [allowed] = await world.push({ x: '1' }, { ref: 'release/1' });
  await waiting(allowed!);
});

test('the local reviewer is asked for each job', async () => {
  await world.close();
  const asked: ReviewRequest[] = [];
  world = await startWorld({
    reviewer: async (request) => {
      asked.push(request);
      return { state: request.run.number === 1 ? 'approved' : 'rejected', user: 'local-reviewer', comment: 'asked' };
    },
  });
  world.github.createEnvironment('acme/abalone', { name: 'production', reviewers: ['local-reviewer'] });
  const first = await world.github.runs.wait((await start()).id);
  expect(first.conclusion).toBe('success');
  expect(asked[0]).toMatchObject({
    environment: 'production',
    reviewers: ['local-reviewer'],
    job: { name: 'production' },
  });
  const second = await world.github.runs.wait((await world.push({ x: '2' }))[0]!.id);
  expect(second.conclusion).toBe('failure');
  expect(second.approvals).toMatchObject([{ state: 'rejected', user: 'local-reviewer', comment: 'asked' }]);
});

test('a reviewer that cannot be asked ends the job with that reason', async () => {
  await world.close();
  world = await startWorld({ reviewer: () => Promise.reject(new Error('nobody is at the terminal')) });
  world.github.createEnvironment('acme/abalone', { name: 'production', reviewers: ['grace'] });
  const run = await world.github.runs.wait((await start()).id);
  expect(world.job(run, 'production')).toMatchObject({ conclusion: 'failure', steps: [] });
  expect(world.job(run, 'production').annotations[0]!.message).toBe('nobody is at the terminal');
});

test('more than six reviewers are more than GitHub allows', () => {
  expect(() => world.github.createEnvironment('acme/abalone', { name: 'x', reviewers: [...'abcdefg'] })).toThrow(
    /GitHub allows 6/,
  );
});
