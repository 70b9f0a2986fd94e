/** run-pipeline's committed bundle against the platform: real training, the templates' own roles, judged by the server's call log. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribePipelineExecutionCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionsCommand,
  ListPipelineVersionsCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionRun, quick, runAction } from './support/action.ts';
import { base, bucket, commit, project, root, startWorld, type World } from './support/world.ts';

let world: World;
const folders: string[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world?.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const build = (run: ActionRun = {}) =>
  runAction('run-pipeline', world, {
    environment: 'build',
    ...quick,
    ...run,
    inputs: {
      'aws-region': region,
      'project-name': project.name,
      'project-id': project.id,
      'role-to-assume': world.role('ci-build'),
      ...run.inputs,
    },
  });

/** A checkout of its own, with changes. */
function checkout(change: (folder: string) => void = () => {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-checkout-'));
  folders.push(folder);
  cpSync(join(root, 'seed-code'), folder, { recursive: true });
  change(folder);
  return folder;
}

function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${file} does not hold ${from}`);
  writeFileSync(file, changed);
}

const seq = () => world.calls().at(-1)?.seq ?? 0;
/** Mutating calls by the action itself since a call number. */
const mutations = (since: number) =>
  world
    .calls({ since, mutating: true })
    .filter(({ principal }) => principal.includes('-ci-build/'))
    .map(({ operation }) => operation);
const sagemaker = () => world.administrator(accounts.development).sagemaker;
const executions = async () =>
  (await sagemaker().send(new ListPipelineExecutionsCommand({ PipelineName: base }))).PipelineExecutionSummaries ?? [];
const packages = async () =>
  (await sagemaker().send(new ListModelPackagesCommand({ ModelPackageGroupName: base }))).ModelPackageSummaryList ?? [];
const versions = async () =>
  (await sagemaker().send(new ListPipelineVersionsCommand({ PipelineName: base }))).PipelineVersionSummaries ?? [];

let first: Awaited<ReturnType<typeof build>>;

describe('a first run', () => {
  test('creates, labels, trains and answers with the package of this execution', async () => {
    const since = seq();
    first = await build();
    expect(first.stdout + first.stderr).not.toContain('::error');
    expect(first.code).toBe(0);
    expect(first.outputs).toMatchObject({
      status: '',
      failure: '',
      'pipeline-changed': 'created',
      'pipeline-arn': `arn:aws:sagemaker:${region}:${accounts.development}:pipeline/${base}`,
      'model-package-arn': `arn:aws:sagemaker:${region}:${accounts.development}:model-package/${base}/1`,
    });
    const metrics = JSON.parse(first.outputs['metrics']!);
    expect(metrics['regression_metrics.mse.value']).toBeGreaterThan(3);
    expect(metrics['regression_metrics.mse.value']).toBeLessThan(6);
    expect(first.outputs['model-data-url']).toMatch(new RegExp(`^s3://${bucket}/models/.+/model\\.tar\\.gz$`));
    expect(first.summary).toContain(first.outputs['model-package-arn']!);
    expect(first.summary).toContain('Preprocess');
    expect(first.stdout).toMatch(/^ {2}Train +Succeeded/m);
    expect((await versions()).map(({ PipelineVersionDisplayName }) => PipelineVersionDisplayName)).toEqual([commit]);
    expect(mutations(since).filter((operation) => operation !== 's3:PutObject')).toEqual([
      'sagemaker:CreatePipeline',
      'sagemaker:UpdatePipelineVersion',
      'sagemaker:StartPipelineExecution',
    ]);
  });

  test('leads from the audit log to the run and from the execution to the run', async () => {
    const [execution] = await executions();
    expect(execution?.PipelineExecutionDisplayName).toMatch(/^gha-77001-[0-9a-f]{8}-g1$/);
    const called = world.calls().filter(({ principal }) => principal.includes('-ci-build/'));
    expect(new Set(called.map(({ principal }) => principal.split('/').at(-1)))).toEqual(new Set(['gha-77001-1-build']));
  });

  test('its re-run, on a fresh machine, attaches and changes nothing', async () => {
    const since = seq();
    const again = await build({ attempt: 2, workspace: checkout() });
    expect(again.code).toBe(0);
    expect(again.outputs['execution-arn']).toBe(first.outputs['execution-arn']);
    expect(again.outputs['model-package-arn']).toBe(first.outputs['model-package-arn']);
    expect(mutations(since)).toEqual([]);
    expect(await executions()).toHaveLength(1);
    expect(await packages()).toHaveLength(1);
  });

  test('another run on the same commit starts an execution and updates nothing', async () => {
    const since = seq();
    const other = await build({ runId: '77002' });
    expect(other.code).toBe(0);
    expect(other.outputs['pipeline-changed']).toBe('unchanged');
    expect(mutations(since)).toEqual(['sagemaker:StartPipelineExecution']);
    expect(other.outputs['execution-arn']).not.toBe(first.outputs['execution-arn']);
    expect(other.outputs['model-package-arn']).toBe(
      `arn:aws:sagemaker:${region}:${accounts.development}:model-package/${base}/2`,
    );
    expect(await versions()).toHaveLength(1);
  });
});

describe('a changed pipeline', () => {
  const changed = () =>
    checkout((folder) => edit(join(folder, 'model-build/pipeline.json'), '"max_depth": "5"', '"max_depth": "4"'));

  test('dry run shows the difference and changes nothing', async () => {
    const since = seq();
    const dry = await build({ inputs: { 'dry-run': 'true' }, workspace: changed(), runId: '77010' });
    expect(dry.code).toBe(0);
    expect(dry.summary).toContain('~ Steps[Train].Arguments.HyperParameters.max_depth: "5" -> "4"');
    expect(mutations(since)).toEqual([]);
    expect((await build({ inputs: { 'dry-run': 'true' }, runId: '77011' })).outputs['status']).toBe('unchanged');
  });

  test('is one update and one label', async () => {
    const since = seq();
    const result = await build({ workspace: changed(), runId: '77012', env: { GITHUB_SHA: 'd'.repeat(40) } });
    expect(result.code).toBe(0);
    expect(result.outputs['pipeline-changed']).toBe('updated');
    expect(mutations(since)).toEqual([
      'sagemaker:UpdatePipeline',
      'sagemaker:UpdatePipelineVersion',
      'sagemaker:StartPipelineExecution',
    ]);
    const labels = (await versions()).map(({ PipelineVersionDisplayName }) => PipelineVersionDisplayName);
    expect(labels.sort()).toEqual([commit, 'd'.repeat(40)]);
  });

  test('changed code is uploaded once, unchanged data not again', async () => {
    const since = seq();
    const workspace = checkout((folder) => writeFileSync(join(folder, 'model-build/scripts/extra.txt'), 'more'));
    await build({ inputs: { 'dry-run': 'true' }, workspace, runId: '77013' });
    expect(mutations(since)).toEqual([]);
    const result = await build({ workspace, runId: '77014' });
    expect(result.code).toBe(0);
    const puts = world
      .calls({ since, operation: 's3:PutObject' })
      .filter(({ principal }) => principal.includes('-ci-build/'));
    expect(puts.length).toBeGreaterThan(1);
    expect(puts.every(({ resources }) => resources.some((resource) => resource.includes('/code/')))).toBe(true);
  });
});

describe('other ways to run', () => {
  test('selected steps build on another execution', async () => {
    const result = await build({
      runId: '77050',
      inputs: { 'selected-steps': 'Evaluate', 'source-execution': first.outputs['execution-arn']! },
    });
    expect(result.stdout + result.stderr).not.toContain('::error');
    expect(result.code).toBe(0);
    expect(result.outputs['status']).toBe('none');
    expect(result.stdout).toMatch(/^ {2}Evaluate +Succeeded/m);
    expect(result.stdout).not.toMatch(/^ {2}Register/m);
  });

  test('a step that is not there is told before anything is called', async () => {
    const result = await build({ runId: '77051', inputs: { 'selected-steps': 'Evaluation' } });
    expect(result.failures).toMatchObject([{ code: 'InvalidInput', resource: 'selected-steps' }]);
  });

  test('the credentials that the job already has are used when no role is given', async () => {
    const credentials = await world.credentials(accounts.development);
    const result = await runAction('run-pipeline', world, {
      runId: '77052',
      env: world.environment(credentials),
      inputs: {
        'aws-region': region,
        'project-name': project.name,
        'project-id': project.id,
        'dry-run': 'true',
      },
    });
    expect(result.code).toBe(0);
    expect(world.calls({ operation: 'sts:GetCallerIdentity' }).at(-1)?.principal).toContain(
      'OrganizationAccountAccessRole',
    );
  });

  test('two runs of one commit at the same time are two executions, each with its package', async () => {
    const workspace = checkout((folder) =>
      edit(join(folder, 'model-build/pipeline.json'), '"eta": "0.2"', '"eta": "0.3"'),
    );
    const before = (await versions()).length;
    const results = await Promise.all(['77053', '77054'].map((runId) => build({ runId, workspace })));
    for (const result of results) {
      expect(result.stdout + result.stderr).not.toContain('::error');
      expect(result.code).toBe(0);
    }
    expect(new Set(results.map(({ outputs }) => outputs['execution-arn'])).size).toBe(2);
    expect(new Set(results.map(({ outputs }) => outputs['model-package-arn'])).size).toBe(2);
    // Both may have seen the old one; neither makes a third.
    expect((await versions()).length - before).toBeLessThanOrEqual(2);
  });
});

describe('failures of an execution', () => {
  test('a lack of capacity is told with step, job and hint; the re-run succeeds in the same execution', async () => {
    await world.control('POST', 'faults', {
      operation: 'sagemaker:CreateTrainingJob',
      nth: 1,
      times: 1,
      effect: {
        kind: 'job-failure',
        reason: 'CapacityError: Unable to provision requested ML compute capacity.',
        after: 'PT0S',
      },
    });
    const workspace = checkout((folder) => edit(join(folder, 'model-build/build.yml'), 'NumRound: 50', 'NumRound: 11'));
    const failed = await build({ workspace, runId: '77020' });
    expect(failed.code).toBe(1);
    expect(failed.outputs['status']).toBe('failed');
    expect(failed.failures).toHaveLength(1);
    expect(failed.failures[0]).toMatchObject({
      code: 'StepFailed',
      logicalId: 'Train',
      account: accounts.development,
      region,
    });
    expect(failed.failures[0]!.cause).toContain('CapacityError');
    expect(failed.failures[0]!.resource).toContain(':training-job/');
    expect(failed.failures[0]!.hint).toBeDefined();
    expect(failed.errors).toHaveLength(1);
    const again = await build({ workspace, runId: '77020', attempt: 2 });
    expect(again.code).toBe(0);
    expect(again.outputs['execution-arn']).toBe(failed.outputs['execution-arn']);
    expect(again.outputs['model-package-arn']).toMatch(/model-package/);
  });

  test('a failing script is told with the last lines of its log', async () => {
    const workspace = checkout((folder) => {
      const script = join(folder, 'model-build/scripts/evaluate.py');
      writeFileSync(
        script,
        'print("::set-output name=status::hacked")\nprint("reading the model")\nraise SystemExit(3)\n',
      );
    });
    const failed = await build({ workspace, runId: '77021' });
    expect(failed.code).toBe(1);
    expect(failed.failures[0]).toMatchObject({ code: 'StepFailed', logicalId: 'Evaluate' });
    expect(failed.failures[0]!.logTail).toContain('reading the model');
    expect(failed.stdout).toContain('| reading the model');
    expect(failed.stdout).not.toMatch(/^\s*::set-output/m);
    expect(failed.summary).toContain('reading the model');
  });

  test('a condition that is not met is told with its values, and nothing is registered', async () => {
    const before = (await packages()).length;
    const workspace = checkout((folder) =>
      edit(join(folder, 'model-build/build.yml'), 'SanityLimit: 20', 'SanityLimit: 0'),
    );
    const failed = await build({ workspace, runId: '77022' });
    expect(failed.code).toBe(1);
    expect(failed.outputs['status']).toBe('failed');
    expect(failed.failures.map(({ code, logicalId }) => [code, logicalId])).toEqual([
      ['ConditionNotMet', 'CheckSanity'],
    ]);
    expect(failed.failures[0]!.cause).toMatch(/regression_metrics\.mse\.value 4\.\d+ <= SanityLimit 0 is not true/);
    expect(failed.outputs['model-package-arn']).toBeUndefined();
    expect(await packages()).toHaveLength(before);
  });
});

describe('cancelling', () => {
  // Its own text per run: an equal script would be answered from the step cache.
  const slow = (runId: string) => (folder: string) =>
    edit(join(folder, 'model-build/scripts/preprocess.py'), /^/, `import time  # ${runId}\ntime.sleep(4)\n`);
  const cancel = async (onCancel: string, runId: string, signal: NodeJS.Signals) => {
    let sent = 0;
    const result = await build({
      runId,
      workspace: checkout(slow(runId)),
      inputs: { 'on-cancel': onCancel },
      onLine: (line, child) => {
        if (sent === 0 && line.startsWith('Preprocess: ')) {
          sent = performance.now();
          child.kill(signal);
        }
      },
    });
    return { result, milliseconds: performance.now() - sent };
  };
  const statusOf = async (arn: string) =>
    (await sagemaker().send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn })))
      .PipelineExecutionStatus;

  test('detaches: says where it stands, ends at once, the execution goes on and a re-run attaches', async () => {
    const { result, milliseconds } = await cancel('detach', '77030', 'SIGINT');
    expect(milliseconds).toBeLessThan(2_000);
    expect(result.code).toBe(130);
    expect(result.outputs['status']).toBe('still-running');
    const arn = result.outputs['execution-arn']!;
    expect(result.failures[0]).toMatchObject({ code: 'Cancelled', resource: arn });
    expect(result.errors[0]).toContain('re-run this job');
    expect(result.summary).toContain('Cancelled');
    expect(await statusOf(arn)).toBe('Executing');
    const again = await build({ runId: '77030', attempt: 2, workspace: checkout(slow('77030')) });
    expect(again.outputs['execution-arn']).toBe(arn);
    expect(again.code).toBe(0);
  });

  test('stops the execution when told so, and the re-run starts the next generation', async () => {
    const { result, milliseconds } = await cancel('stop', '77031', 'SIGTERM');
    expect(milliseconds).toBeLessThan(2_000);
    expect(result.code).toBe(143);
    const arn = result.outputs['execution-arn']!;
    expect(['Stopping', 'Stopped']).toContain(await statusOf(arn));
    const again = await build({ runId: '77031', attempt: 2, workspace: checkout(slow('77031')) });
    expect(again.code).toBe(0);
    expect(again.outputs['execution-arn']).not.toBe(arn);
    const names = (await executions()).map(({ PipelineExecutionDisplayName }) => PipelineExecutionDisplayName);
    expect(names[0]).toMatch(/^gha-77031-[0-9a-f]{8}-g2$/);
  });
});

test('a deadline fails as still running, says how to go on, and the re-run attaches', async () => {
  // Sixty seconds are the shortest deadline, so time is moved instead: see the virtual clock.
  const workspace = checkout((folder) =>
    edit(join(folder, 'model-build/scripts/preprocess.py'), /^/, 'import time\ntime.sleep(4)\n'),
  );
  const result = await build({
    runId: '77040',
    workspace,
    inputs: { 'timeout-minutes': '1' },
    nodeOptions: ['--import', join(root, 'test/actions/support/fast-clock.mjs')],
    env: { FAST_CLOCK: '30' },
  });
  expect(result.code).toBe(1);
  expect(result.outputs['status']).toBe('still-running');
  expect(result.failures[0]).toMatchObject({ code: 'DeadlineExceeded', resource: result.outputs['execution-arn'] });
  const again = await build({ runId: '77040', attempt: 2, workspace });
  expect(again.outputs['execution-arn']).toBe(result.outputs['execution-arn']);
  expect(again.code).toBe(0);
});
