/** A stage goes back to a model that it ran before: the committed bundles in the order of model-rollback.yml, killed and disturbed as well. */
import type { ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ActionResult, type ActionRun, quick, runAction } from '../actions/support/action.ts';
import { base, bucket, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region } from '../support/platform.ts';
import {
  approve,
  gatedPackage,
  type LinearServers,
  linearServers,
  registerPackage,
  stageInputs,
  stageWorkspace,
} from './support/fixture.ts';
import { changes, instancesOf, lastCall, resetStage, until } from './support/stage.ts';

let world: World;
let servers: LinearServers;
let workspace: string;
let github: Server;
let apiUrl: string;
let decision: 'approved' | 'rejected' = 'approved';
let run = 66_000;
let seed = 0;

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
  workspace = stageWorkspace();
  github = createServer((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        JSON.stringify([
          { environments: [{ name: 'production' }], state: decision, user: { login: 'grace' }, comment: 'now' },
        ]),
      ),
  );
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
  apiUrl = `http://127.0.0.1:${(github.address() as AddressInfo).port}`;
}, 120_000);
afterAll(async () => {
  github?.close();
  await servers?.closeAll();
  await world?.close();
});
beforeEach(() => {
  run += 1;
  decision = 'approved';
});
afterEach(async () => {
  await world.control('DELETE', 'faults');
  await resetStage(world, 'production');
  await resetStage(world, 'staging');
  // What earlier tests brought to production is no earlier model of the next one.
  for (const arn of made.splice(0)) await say(arn, 'Production', 'Rejected');
});

const made: string[] = [];
async function gated(): Promise<string> {
  seed += 1;
  const arn = await gatedPackage(world, { weights: [seed, 1, 1] });
  made.push(arn);
  return arn;
}

async function say(arn: string, Stage: string, StageStatus: string): Promise<void> {
  await world
    .administrator(accounts.development)
    .sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelLifeCycle: { Stage, StageStatus } }));
}

async function described(arn: string) {
  const { sagemaker } = world.administrator(accounts.development);
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  return {
    cycle: `${found.ModelLifeCycle?.Stage}/${found.ModelLifeCycle?.StageStatus}`,
    told: found.ModelLifeCycle?.StageDescription ?? '',
    metadata: found.CustomerMetadataProperties ?? {},
  };
}
const cycle = async (arn: string) => (await described(arn)).cycle;
const version = (arn: string) => arn.split('/').at(-1)!;

interface Step extends ActionRun {
  stage?: string;
}
const step = (action: string, environment: string, arn: string, { stage = 'production', ...more }: Step) =>
  runAction(action, world, {
    ...quick,
    environment,
    workspace,
    runId: String(run),
    ...more,
    inputs: stageInputs(world, stage, arn, more.inputs),
    env: { ...quick.env, GITHUB_API_URL: apiUrl, ...more.env },
  });

/** An ordinary run's deployment to a stage; what the test after it would say is said here. */
async function bring(arn: string, stage: 'staging' | 'production' = 'production'): Promise<void> {
  expect((await step('deploy-stack-set', stage, arn, { stage, runId: `1${version(arn)}` })).failures).toEqual([]);
  if (stage === 'production') await say(arn, 'Production', 'Approved');
}

/** The first job: what would be done. */
const choose = (inputs: Record<string, string> = {}, more: ActionRun = {}): Promise<ActionResult> =>
  runAction('resolve-model', world, {
    environment: 'model-record',
    workspace,
    runId: String(run),
    ...more,
    inputs: {
      'aws-region': region,
      'role-to-assume': world.role('ci-record'),
      'model-package-group': base,
      select: 'previous',
      ...inputs,
    },
  });

const approveModel = (arn: string, inputs: Record<string, string>, job = 'production') =>
  runAction('approve-model', world, {
    environment: job,
    runId: String(run),
    env: { GITHUB_API_URL: apiUrl },
    inputs: {
      'aws-region': region,
      'role-to-assume': world.role(job === 'production' ? 'ci-deploy-production' : 'ci-record'),
      'model-package-arn': arn,
      environment: 'production',
      'github-token': 'ghs_token-of-the-job',
      ...inputs,
    },
  });

/** The second job: approval, deployment, test. Stops at the first failure, as a job does. */
async function goBack(arn: string, from: string, more: Step = {}): Promise<ActionResult> {
  const inputs = { 'rollback-from': from, reason: 'Errors in the shop', reviewer: 'grace', ...more.inputs };
  const approved = await approveModel(arn, { 'rollback-from': from });
  expect([approved.failures, approved.outputs['status']]).toEqual([[], 'unchanged']);
  const deployed = await step('deploy-stack-set', 'production', arn, { ...more, inputs });
  if (deployed.failures.length > 0) return deployed;
  return step('test-endpoint', 'production', arn, { ...more, inputs });
}

/** Version 1 and 2 of a production with two models. */
async function two(): Promise<[string, string]> {
  const older = await gated();
  await bring(older);
  const newer = await gated();
  await bring(newer);
  return [older, newer];
}

describe('a click back', () => {
  test('the choice is shown, the earlier model answers, and both packages say so', async () => {
    const [older, newer] = await two();
    const chosen = await choose({ reason: 'Errors in the <shop>' });
    expect(chosen.failures).toEqual([]);
    expect(chosen.outputs).toMatchObject({
      status: '',
      'model-package-arn': older,
      'running-arn': newer,
      version: version(older),
      'artifact-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(chosen.summary).toMatch(
      new RegExp(
        `Errors in the &lt;shop&gt;[\\s\\S]*goes \\| ${version(newer)} [\\s\\S]*returns \\| ${version(older)} `,
      ),
    );
    const tested = await goBack(older, newer);
    expect(tested.failures).toEqual([]);
    expect(JSON.parse(tested.outputs['endpoints']!).map((one: any) => [one.account, one.status])).toEqual([
      [accounts.production1, 'passed'],
      [accounts.production2, 'passed'],
    ]);
    const [returned, left] = [await described(older), await described(newer)];
    expect([returned.cycle, left.cycle]).toEqual(['Production/Approved', 'Production/RolledBack']);
    const url = `https://github.com/acme/abalone/actions/runs/${run}`;
    expect(returned.told).toBe(`Returned and tested by ${url}, approved by grace: Errors in the shop`);
    expect(left.told).toBe(`Rolled back to ${older} by ${url}, approved by grace: Errors in the shop`);
    for (const { metadata } of [returned, left])
      expect(metadata).toMatchObject({
        'production-run': url,
        'production-reviewer': 'grace',
        'production-reason': 'Errors in the shop',
        'gate-commit': 'c0ffee',
      });
  });

  test('jobs of the run that are run again, one or all, change nothing more and choose nothing older', async () => {
    const oldest = await gated();
    await bring(oldest);
    const [older, newer] = await two();
    expect((await goBack(older, newer)).failures).toEqual([]);
    const since = lastCall(world);
    const chosen = await choose({}, { attempt: 2 });
    expect(chosen.outputs).toMatchObject({ 'model-package-arn': older, 'running-arn': older });
    for (const from of [newer, older]) expect((await goBack(older, from, { attempt: 2 })).failures).toEqual([]);
    expect(changes(world, since)).toEqual([]);
    // Another run goes further back, over the version that was left out.
    run += 1;
    expect((await choose()).outputs).toMatchObject({ 'model-package-arn': oldest, 'running-arn': older });
  });

  test('what production went back from is not brought there again by its own run, in staging it is', async () => {
    const [older, newer] = await two();
    expect((await goBack(older, newer)).failures).toEqual([]);
    const since = lastCall(world);
    const results = [
      await approveModel(newer, {}),
      await step('deploy-stack-set', 'production', newer, { runId: `1${version(newer)}`, attempt: 2 }),
    ];
    for (const { code, failures } of results) {
      expect(code).toBe(1);
      expect(failures).toEqual([
        expect.objectContaining({
          code: 'RolledBack',
          resource: newer,
          cause: expect.stringContaining('Errors in the shop'),
          hint: expect.stringContaining(`model-rollback with version: ${version(newer)}`),
        }),
      ]);
    }
    decision = 'rejected';
    await approveModel(newer, { mode: 'record-refusal' }, 'model-record');
    expect(changes(world, since)).toEqual([]);
    await bring(newer, 'staging');
    expect(await cycle(newer)).toBe('Production/RolledBack');
    const resolve = (select: string) =>
      runAction('resolve-model', world, {
        environment: 'production',
        inputs: {
          'aws-region': region,
          'role-to-assume': world.role('ci-deploy-production'),
          'model-package-group': base,
          select,
        },
      });
    for (const select of ['production', 'newest-approved'])
      expect((await resolve(select)).outputs['model-package-arn']).toBe(older);
  });

  test('the next model goes out as ever, and a rollback from it passes over what was left before', async () => {
    const [older, newer] = await two();
    expect((await goBack(older, newer)).failures).toEqual([]);
    const next = await gated();
    await bring(next);
    expect([await cycle(older), await cycle(newer), await cycle(next)]).toEqual([
      'Production/Approved',
      'Production/RolledBack',
      'Production/Approved',
    ]);
    run += 1;
    expect((await choose()).outputs).toMatchObject({ 'model-package-arn': older, 'running-arn': next });
  });

  test('over several versions: all between are left; and a rollback is undone by its version', async () => {
    const oldest = await gated();
    await bring(oldest);
    const [older, newer] = await two();
    const chosen = await choose({ version: version(oldest) });
    expect(chosen.outputs).toMatchObject({ 'model-package-arn': oldest, 'running-arn': newer });
    expect((await goBack(oldest, newer)).failures).toEqual([]);
    const cycles = () => Promise.all([oldest, older, newer].map(cycle));
    expect(await cycles()).toEqual(['Production/Approved', 'Production/RolledBack', 'Production/RolledBack']);
    run += 1;
    const back = await choose({ version: newer });
    expect(back.outputs).toMatchObject({ 'model-package-arn': newer, 'running-arn': oldest });
    expect((await goBack(newer, oldest)).failures).toEqual([]);
    expect(await cycles()).toEqual(['Production/Approved', 'Production/RolledBack', 'Production/Approved']);
    // The run that brought it back keeps its choice; for another one there is nothing to do.
    expect((await choose({ version: newer })).outputs).toMatchObject({ status: '', 'model-package-arn': newer });
    run += 1;
    const since = lastCall(world);
    const already = await choose({ version: version(newer) });
    expect(already.code).toBe(0);
    expect(already.outputs).toMatchObject({ status: 'none', 'running-arn': newer });
    expect(already.outputs['model-package-arn'] ?? '').toBe('');
    expect(already.summary).toContain(`runs version ${version(newer)}`);
    expect(changes(world, since)).toEqual([]);
  });

  test('from a deployment that failed: back to what was in production', async () => {
    const [, newer] = await two();
    const broken = await gated();
    await world.control('POST', 'faults', {
      operation: 'sagemaker:CreateModel',
      account: accounts.production1,
      effect: { kind: 'error', code: 'ResourceLimitExceeded', message: 'none left' },
    });
    expect((await step('deploy-stack-set', 'production', broken, { runId: '1' })).code).toBe(1);
    await world.control('DELETE', 'faults');
    expect(await cycle(broken)).toBe('Production/Rejected');
    expect((await choose()).outputs).toMatchObject({ 'model-package-arn': newer, 'running-arn': broken });
    expect((await goBack(newer, broken)).failures).toEqual([]);
    expect([await cycle(newer), await cycle(broken)]).toEqual(['Production/Approved', 'Production/RolledBack']);
    expect(await instancesOf(world, 'production')).toEqual({
      [accounts.production1]: 'CURRENT SUCCEEDED',
      [accounts.production2]: 'CURRENT SUCCEEDED',
    });
  });

  test('staging goes back without a word on what runs in production', async () => {
    const [older, newer] = await two();
    await bring(older, 'staging');
    await bring(newer, 'staging');
    const stage = { 'stage-file': 'model-deploy/stages/staging.yml' };
    expect((await choose(stage)).outputs).toMatchObject({ 'model-package-arn': older, 'running-arn': newer });
    const inputs = { 'rollback-from': newer };
    for (const action of ['deploy-stack-set', 'test-endpoint'])
      expect((await step(action, 'staging', older, { stage: 'staging', inputs })).failures).toEqual([]);
    expect([await cycle(older), await cycle(newer)]).toEqual(['Production/Approved', 'Production/Approved']);
  });
});

describe('nothing to go back to', () => {
  test('an empty stage, or its first model: status none, said, nothing touched', async () => {
    const empty = await choose();
    expect([empty.code, empty.outputs['status'], empty.outputs['model-package-arn'] ?? '']).toEqual([0, 'none', '']);
    expect(empty.stdout).toMatch(/^::notice.*The stage production runs no model.*Nothing was changed/m);
    const first = await gated();
    await bring(first);
    const since = lastCall(world);
    const only = await choose();
    expect([only.code, only.outputs['status'], only.outputs['running-arn']]).toEqual([0, 'none', first]);
    expect(only.stdout).toMatch(new RegExp(`^::notice.*runs version ${version(first)} .*nothing to go back to`, 'm'));
    expect(only.summary).toContain('nothing to go back to');
    expect(changes(world, since)).toEqual([]);
  });

  test('a version that never ran in production, or is none of the group, is refused by name', async () => {
    const [older, newer] = await two();
    const never = await gated();
    const model = { weights: [7, 7] };
    const byHand = await registerPackage(world, model);
    await approve(world, byHand, model, false);
    const since = lastCall(world);
    for (const [given, cause] of [
      [version(never), `Version ${version(never)} did not run in the stage production (no life cycle)`],
      [never, `Version ${version(never)} did not run`],
      [byHand, `Version ${version(byHand)} did not run`],
      ['999', 'but must be a version of the group'],
      ['latest', 'but must be a version of the group'],
      [newer.replace(base, 'other-p-0123456789ab'), 'but must be a version of the group'],
    ] as const) {
      const result = await choose({ version: given });
      expect(result.code).toBe(1);
      expect(result.failures).toEqual([
        expect.objectContaining({ code: 'InvalidInput', resource: 'version', cause: expect.stringContaining(cause) }),
      ]);
      if (cause.includes('did not run')) expect(result.failures[0]!.hint).toContain(version(older));
    }
    expect(changes(world, since)).toEqual([]);
  });
});

describe('what stops a rollback', () => {
  test('the archive is not the one that was gated: nothing is changed', async () => {
    const [older, newer] = await two();
    const { s3, sagemaker } = world.administrator(accounts.development);
    const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: older }));
    const key = found.InferenceSpecification!.Containers![0]!.ModelDataUrl!.split(`${bucket}/`)[1]!;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify({ weights: [5] }) }));
    const since = lastCall(world);
    expect((await goBack(older, newer)).failures.map(({ code }) => code)).toEqual(['ArtifactChanged']);
    expect(changes(world, since)).toEqual([]);
  });

  test('another model has come since the choice: somebody has to decide again', async () => {
    const [older, newer] = await two();
    const next = await gated();
    await bring(next);
    const since = lastCall(world);
    expect((await goBack(older, newer)).failures).toEqual([
      expect.objectContaining({
        code: 'Conflict',
        resource: next,
        cause: expect.stringContaining(`runs version ${version(next)} by now, not version ${version(newer)}`),
      }),
    ]);
    expect(changes(world, since)).toEqual([]);
  });

  test('a reviewer: it is written beside the package that stays, once, and nothing else changes', async () => {
    const [older, newer] = await two();
    decision = 'rejected';
    const refused = await approveModel(older, { 'rollback-from': newer });
    expect([refused.failures[0]?.code, refused.outputs['status']]).toEqual(['ApprovalRefused', 'rejected']);
    const before = [await cycle(older), await cycle(newer)];
    const since = lastCall(world);
    const record = () => approveModel(older, { 'rollback-from': newer, mode: 'record-refusal' }, 'model-record');
    const recorded = await record();
    expect([recorded.failures, recorded.outputs['status'], recorded.outputs['reviewer']]).toEqual([
      [],
      'rejected',
      'grace',
    ]);
    expect([await cycle(older), await cycle(newer)]).toEqual(before);
    expect((await described(newer)).metadata).toMatchObject({
      'refused-run': `https://github.com/acme/abalone/actions/runs/${run}`,
      'refused-reviewer': 'grace',
      'refused-comment': 'now',
    });
    await record();
    expect(changes(world, since)).toEqual(['sagemaker:UpdateModelPackage']);
  });

  test('a test that fails says nothing about the model that returned', async () => {
    const [older, newer] = await two();
    await world.control('POST', 'faults', {
      operation: 'sagemaker:InvokeEndpoint',
      times: 99,
      effect: { kind: 'error', code: 'ModelError', message: 'broken', status: 424 },
    });
    expect((await goBack(older, newer)).code).toBe(1);
    await world.control('DELETE', 'faults');
    expect([await cycle(older), await cycle(newer)]).toEqual(['Production/Approved', 'Production/RolledBack']);
    expect((await goBack(older, newer, { attempt: 2 })).failures).toEqual([]);
    expect((await described(older)).told).toContain('Returned and tested');
  });

  test('an ordinary deployment that is under way gives way to it, instead of taking turns for ever', async () => {
    const older = await gated();
    await bring(older);
    const newer = await gated();
    const inWaves = stageWorkspace(
      (_, text) => `${text}waves: [{accounts: ["${accounts.production1}"]}, {rest: true}]\n`,
    );
    let paused: ChildProcess | undefined;
    // It sleeps from its first wave on, until the rollback is through.
    const ordinary = step('deploy-stack-set', 'production', newer, {
      runId: '777',
      workspace: inWaves,
      onLine(line, child) {
        if (!line.startsWith('Started update')) return;
        paused = child;
        child.kill('SIGSTOP');
      },
    });
    await until(
      () => paused,
      (child) => child !== undefined,
      'the first wave',
    );
    expect((await goBack(older, newer)).failures).toEqual([]);
    const since = lastCall(world);
    paused!.kill('SIGCONT');
    const first = await ordinary;
    expect([first.code, first.outputs['status']]).toEqual([0, 'superseded']);
    expect(first.stdout).toMatch(new RegExp(`^::notice.*was given the package ${older} while`, 'm'));
    expect(changes(world, since)).toEqual([]);
    expect([await cycle(older), await cycle(newer)]).toEqual(['Production/Approved', 'Production/RolledBack']);
    expect(await instancesOf(world, 'production')).toEqual({
      [accounts.production1]: 'CURRENT SUCCEEDED',
      [accounts.production2]: 'CURRENT SUCCEEDED',
    });
  });
});

describe('killed after a call of the test, run again', () => {
  const full = process.env['TEST_FULL'] !== undefined;
  const most = 16;
  const sample = full ? Array.from({ length: most }, (_, index) => index + 1) : [1, 9];

  test.each(sample)('call %i', async (n) => {
    const [older, newer] = await two();
    const inputs = { 'rollback-from': newer, reason: 'It crashed', reviewer: 'grace' };
    expect((await step('deploy-stack-set', 'production', older, { inputs })).failures).toEqual([]);
    const since = lastCall(world);
    await step('test-endpoint', 'production', older, {
      inputs,
      onStart(child) {
        void (async () => {
          while (child.exitCode === null && child.signalCode === null) {
            if (world.calls({ since }).length >= n) return void child.kill('SIGKILL');
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        })();
      },
    });
    expect((await step('test-endpoint', 'production', older, { inputs, attempt: 2 })).failures).toEqual([]);
    const returned = await described(older);
    expect([returned.cycle, await cycle(newer)]).toEqual(['Production/Approved', 'Production/RolledBack']);
    expect(returned.told).toMatch(/^Returned and tested by .*approved by grace: It crashed$/);
    expect(changes(world, since).filter((name) => name === 'sagemaker:UpdateModelPackage')).toHaveLength(1);
  });
});
