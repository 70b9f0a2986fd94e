/** Deployments that are killed, disturbed, cancelled or raced: one operation, and the right end state. */

import { UpdateStackSetCommand } from '@aws-sdk/client-cloudformation';
import { DescribeModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ActionResult, type ActionRun, quick, runAction } from '../actions/support/action.ts';
import { startWorld, type World } from '../actions/support/world.ts';
import { accounts } from '../support/platform.ts';
import {
  gatedPackage,
  type LinearServers,
  linearServers,
  setName,
  stageInputs,
  stageWorkspace,
} from './support/fixture.ts';
import {
  administration,
  changes,
  ended,
  instancesOf,
  lastCall,
  operationsOf,
  resetStage,
  until,
} from './support/stage.ts';

let world: World;
let servers: LinearServers;
let workspace: string;
let arn: string;
let run = 99_000;

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
  workspace = stageWorkspace();
}, 120_000);
afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});
beforeEach(async () => {
  run += 1;
  arn = await gatedPackage(world, { weights: [run, 1, 1] });
});
afterEach(async () => {
  await world.control('DELETE', 'faults');
  await resetStage(world, 'production');
});

function deploy(more: Partial<ActionRun> = {}, packageArn = arn): Promise<ActionResult> {
  return runAction('deploy-stack-set', world, {
    ...quick,
    environment: 'production',
    workspace,
    runId: String(run),
    ...more,
    inputs: stageInputs(world, 'production', packageArn, more.inputs),
  });
}

/** Calls of the deploying job since a number, in order. */
const own = (since: number) => world.calls({ since, principal: '*ci-deploy-production*' });

/** Kills the action once its n-th call has been answered. */
async function killedAfter(n: number, options: Partial<ActionRun> = {}): Promise<ActionResult> {
  const since = lastCall(world);
  return deploy({
    ...options,
    onStart(child) {
      void (async () => {
        while (child.exitCode === null && child.signalCode === null) {
          const calls = own(since);
          if (calls.length >= n) return void child.kill('SIGKILL');
          // The log's own wait answers at once while a later call is finished before an earlier one.
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
    },
  });
}

async function said(packageArn: string): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const { ModelLifeCycle: cycle } = await sagemaker.send(
    new DescribeModelPackageCommand({ ModelPackageName: packageArn }),
  );
  return `${cycle?.Stage}/${cycle?.StageStatus}`;
}

/** What the endpoint test would have said. */
async function say(packageArn: string, StageStatus: string): Promise<void> {
  await world.administrator(accounts.development).sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: packageArn,
      ModelLifeCycle: { Stage: 'Production', StageStatus },
    }),
  );
}

async function expectDeployed(): Promise<void> {
  expect(await instancesOf(world, 'production')).toEqual({
    [accounts.production1]: 'CURRENT SUCCEEDED',
    [accounts.production2]: 'CURRENT SUCCEEDED',
  });
  const operations = await operationsOf(world, 'production');
  expect(operations.map(({ status }) => status)).toEqual(['SUCCEEDED']);
  expect(operations[0]?.id).toMatch(new RegExp(`^sm-${run}-create-[0-9a-f]{24}-g1$`));
  expect(await said(arn)).toBe('Production/InProgress');
}

describe('killed after a call, the same run again', () => {
  const full = process.env['TEST_FULL'] !== undefined;
  /** What there is to do: everything from nothing, a new package, or an account that has to go. */
  const scenarios: Record<
    string,
    {
      prepare: () => Promise<void>;
      inputs: Record<string, string>;
      folder: () => string;
      verb: string;
      left: string[];
      after?: () => Promise<void>;
    }
  > = {
    create: {
      prepare: async () => {},
      inputs: {},
      folder: () => workspace,
      verb: 'create',
      left: [accounts.production1, accounts.production2],
    },
    update: {
      prepare: async () => {
        const older = arn;
        expect((await deploy({ runId: '1' }, older)).failures).toEqual([]);
        arn = await gatedPackage(world, { weights: [run, 7, 7] });
      },
      inputs: {},
      folder: () => workspace,
      verb: 'update',
      left: [accounts.production1, accounts.production2],
    },
    remove: {
      prepare: async () => {
        expect((await deploy({ runId: '1' })).failures).toEqual([]);
      },
      inputs: { 'max-removals': '50' },
      folder: () => stageWorkspace((_, text) => text.replace(/accounts: .*/, `accounts: ["${accounts.production1}"]`)),
      verb: 'remove',
      left: [accounts.production1],
    },
    rollback: {
      async prepare() {
        const newer = await gatedPackage(world, { weights: [run, 7, 7] });
        for (const [index, one] of [arn, newer].entries()) {
          expect((await deploy({ runId: String(index + 1), inputs: {} }, one)).failures).toEqual([]);
          await say(one, 'Approved');
        }
        this.inputs = { 'rollback-from': newer, reason: 'It crashed', reviewer: 'grace' };
      },
      inputs: {},
      folder: () => workspace,
      verb: 'update',
      left: [accounts.production1, accounts.production2],
      async after() {
        expect([await said(arn), await said(this.inputs['rollback-from']!)]).toEqual([
          'Production/Approved',
          'Production/RolledBack',
        ]);
      },
    },
  };
  const most = 24;
  // In the full run after every call; else after those that change something and a few others.
  const chosen = full
    ? Object.keys(scenarios).flatMap((name) => Array.from({ length: most }, (_, index) => [name, index + 1] as const))
    : ([4, 5, 10].map((n) => ['create', n] as const) as (readonly [string, number])[]).concat([
        ['update', 6],
        ['update', 7],
        ['update', 8],
        ['remove', 6],
        ['remove', 7],
        ['rollback', 7],
      ]);

  test.each(Object.keys(scenarios))('%s: undisturbed', async (name) => {
    const scenario = scenarios[name]!;
    await scenario.prepare();
    const { inputs, folder, verb } = scenario;
    const since = lastCall(world);
    expect((await deploy({ inputs, workspace: folder() })).failures).toEqual([]);
    await scenario.after?.();
    const calls = own(since);
    expect(calls.length).toBeLessThanOrEqual(most);
    // After the operation the number of looks at it varies; those calls are for the full run.
    const submitted = calls.findLastIndex(
      ({ mutating: one, operation }) => one && operation.startsWith('cloudformation:'),
    );
    const mutating = calls
      .slice(0, submitted + 1)
      .flatMap(({ mutating: one, operation }, index) => (one && !operation.startsWith('sts:') ? [index + 1] : []));
    expect(mutating.length).toBeGreaterThan(0);
    // A sample that no longer hits the changing calls would prove nothing.
    const sampled = chosen.filter(([scenario]) => scenario === name).map(([, n]) => n);
    expect(mutating.filter((n) => !sampled.includes(n))).toEqual([]);
    expect((await operationsOf(world, 'production'))[0]?.id).toMatch(new RegExp(`^sm-${run}-${verb}-`));
  });

  test.each(chosen)('%s: call %i', async (name, n) => {
    const scenario = scenarios[name]!;
    await scenario.prepare();
    const { inputs, folder, verb, left } = scenario;
    const options = { inputs, workspace: folder() };
    const killed = await killedAfter(n, options);
    const again = await deploy({ ...options, attempt: 2 });
    expect(again.failures).toEqual([]);
    if (n <= 6) expect(killed.signal).toBe('SIGKILL');
    expect(await instancesOf(world, 'production')).toEqual(
      Object.fromEntries(left.map((account) => [account, 'CURRENT SUCCEEDED'])),
    );
    const operations = (await operationsOf(world, 'production')).filter(({ id }) => id.startsWith(`sm-${run}-`));
    expect(operations).toEqual([
      { id: expect.stringMatching(new RegExp(`^sm-${run}-${verb}-[0-9a-f]{24}-g1$`)), status: 'SUCCEEDED' },
    ]);
    await scenario.after?.();
  });

  test('while the operation runs: the next attempt attaches to it', async () => {
    const release = servers.hold();
    const since = lastCall(world);
    await deploy({
      onLine(line, child) {
        if (line.startsWith('Started create')) child.kill('SIGKILL');
      },
    });
    expect((await operationsOf(world, 'production')).map(({ status }) => status)).toEqual(['RUNNING']);
    const again = await deploy({
      attempt: 2,
      onLine(line) {
        if (line.startsWith('Attached to')) release();
      },
    });
    expect(again.stdout).toContain('Attached to the operation');
    expect([again.failures, again.outputs['status']]).toEqual([[], '']);
    expect(changes(world, since).filter((name) => name === 'cloudformation:CreateStackInstances')).toHaveLength(1);
    await expectDeployed();
  });
});

describe('disturbed calls', () => {
  const cases = [
    ['cloudformation:CreateStackInstances', 'lost-response'],
    ['cloudformation:CreateStackSet', 'lost-response'],
    ['cloudformation:DescribeStackSetOperation', 'throttle'],
    ['s3:GetObject', 'reset'],
    ...(process.env['TEST_FULL'] === undefined
      ? []
      : [
          ['cloudformation:CreateStackInstances', 'reset'],
          ['cloudformation:CreateStackInstances', 'throttle'],
          ['cloudformation:CreateStackSet', 'throttle'],
          ['cloudformation:ListStackInstances', 'reset'],
          ['sagemaker:UpdateModelPackage', 'lost-response'],
        ]),
  ] as [string, string][];
  test.each(cases)('%s: %s', async (operation, kind) => {
    await world.control('POST', 'faults', { operation, account: accounts.development, effect: { kind } });
    const result = await deploy();
    expect(result.failures).toEqual([]);
    expect((await world.control('GET', 'faults')).faults?.[0]?.hits ?? 1).toBe(1);
    await expectDeployed();
  });

  test('lists that lag behind', async () => {
    for (const operation of ['cloudformation:ListStackSetOperations', 'cloudformation:ListStackSetOperationResults'])
      await world.control('POST', 'faults', { operation, times: 1_000, effect: { kind: 'list-lag', by: 'PT2S' } });
    expect((await deploy()).failures).toEqual([]);
    await world.control('DELETE', 'faults');
    await expectDeployed();
  });

  test('credentials that expire in the middle', async () => {
    await world.control('POST', 'faults', {
      operation: 'cloudformation:ListStackInstances',
      nth: 2,
      effect: { kind: 'expire-credentials' },
    });
    expect((await deploy()).failures).toEqual([]);
    await expectDeployed();
  });
});

describe('others at work on the same set', () => {
  test('a foreign operation: ours waits and deploys after it', async () => {
    expect((await deploy()).failures).toEqual([]);
    const newer = await gatedPackage(world, { weights: [run, 2, 2] });
    const release = servers.hold();
    const foreign = 'somebody-else-1';
    await administration(world).send(
      new UpdateStackSetCommand({
        StackSetName: setName('production'),
        UsePreviousTemplate: true,
        AdministrationRoleARN: world.role('stackset-administration'),
        OperationId: foreign,
        Parameters: [
          'SageMakerProjectName',
          'SageMakerProjectId',
          'EnvName',
          'EnvType',
          'ModelPackageName',
          'ExecutionRoleName',
          'EndpointInstanceCount',
          'VolumeKmsKeyArn',
          'SageMakerSubnetIds',
          'SageMakerSecurityGroupIds',
        ]
          .map((ParameterKey): { ParameterKey: string; UsePreviousValue?: boolean; ParameterValue?: string } => ({
            ParameterKey,
            UsePreviousValue: true,
          }))
          .concat([{ ParameterKey: 'EndpointInstanceType', ParameterValue: 'ml.m5.4xlarge' }]),
      }),
    );
    const result = await deploy(
      {
        runId: '424242',
        onLine(line) {
          if (line.includes('Another operation')) release();
        },
      },
      newer,
    );
    expect(result.failures).toEqual([]);
    expect(result.stdout).toMatch(/^::notice.*Another operation.*somebody-else-1/m);
    const operations = await operationsOf(world, 'production');
    expect(operations.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(operations[0]?.id).toMatch(/^sm-424242-update-/);
    expect(operations[1]?.id).toBe(foreign);
  });

  test('a newer package that goes out while ours waits: superseded, not deployed', async () => {
    const newer = await gatedPackage(world, { weights: [run, 3, 3] });
    const release = servers.hold();
    const first = deploy({ runId: '111111' }, newer);
    await until(
      () => operationsOf(world, 'production').catch(() => []),
      (list) => list.length > 0,
      'the first operation',
    );
    const older = await deploy({
      runId: '222222',
      onLine(line) {
        if (line.includes('superseded') || line.includes('newer package')) release();
      },
    });
    release();
    expect(older.outputs['status']).toBe('superseded');
    expect((await first).failures).toEqual([]);
    expect(await operationsOf(world, 'production')).toHaveLength(1);
  });

  test('two jobs of one run at once make one operation', async () => {
    const results = await Promise.all([deploy(), deploy()]);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    await expectDeployed();
  });
});

describe('cancelled', () => {
  async function cancel(
    inputs: Record<string, string>,
    signal: NodeJS.Signals,
  ): Promise<{ result: ActionResult; after: number }> {
    let sent = 0;
    const result = await deploy({
      inputs,
      onLine(line, child) {
        if (!line.startsWith('Started create')) return;
        sent = performance.now();
        child.kill(signal);
      },
    });
    return { result, after: performance.now() - sent };
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: the operation goes on, and the job says how to attach',
    async (signal) => {
      const release = servers.hold();
      const { result, after } = await cancel({}, signal);
      expect(after).toBeLessThan(2_000);
      expect(result.outputs['status']).toBe('still-running');
      const [id] = JSON.parse(result.outputs['operation-ids']!);
      expect(result.failures).toMatchObject([
        { code: 'Cancelled', resource: id, hint: expect.stringContaining('re-run this job to attach') },
      ]);
      release();
      expect(await ended(world, setName('production'), id)).toBe('SUCCEEDED');
      const again = await deploy({ attempt: 2 });
      expect(again.failures).toEqual([]);
      await expectDeployed();
    },
  );

  test('on-cancel: stop ends the operation, and a re-run goes on with the next generation', async () => {
    const release = servers.hold();
    const { result } = await cancel({ 'on-cancel': 'stop' }, 'SIGINT');
    const [id] = JSON.parse(result.outputs['operation-ids']!);
    expect((await operationsOf(world, 'production'))[0]).toEqual({ id, status: 'STOPPING' });
    release();
    expect(await ended(world, setName('production'), id)).toBe('STOPPED');
    const again = await deploy({ attempt: 2 });
    expect(again.failures).toEqual([]);
    expect(Object.values(await instancesOf(world, 'production'))).toEqual(['CURRENT SUCCEEDED', 'CURRENT SUCCEEDED']);
  });
});
