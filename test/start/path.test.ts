/**
 * The path from a push to production as its users walk it, on one world: the committed bundles and the workflow files,
 * unmodified, by the local GitHub. What happened is read from the platform (registry, stack sets, call log), not from logs.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeStackSetCommand, ListStackInstancesCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelPackageCommand,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accountClients } from '../../cli/accounts.ts';
import { Control } from '../../cli/control.ts';
import { makeLocalProject, reviewer } from '../../cli/local-project.ts';
import { type LocalWorld, startLocalWorld } from '../../cli/platform.ts';
import { commitAndPush, git } from '../../cli/project.ts';
import type { ProjectState } from '../../cli/state.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import type { JobRecord, ReviewDecision, RunRecord } from '../../local/github/types.ts';
import { ensurePythonEnvironment } from '../../local/python/index.ts';
import { root } from './support.ts';

const staging = '444455556666';
const production = ['777788889999', '888899990000'];
const region = 'eu-west-1';

let state: string;
let local: LocalWorld;
let project: ProjectState;
let decisions: ReviewDecision['state'][] = [];

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-path-'));
  const shared = join(root, '.sagemaker-mlops', 'python');
  const python = await ensurePythonEnvironment({ directory: shared, progress: () => {} });
  symlinkSync(shared, join(state, 'python'));
  local = await startLocalWorld({
    world: defaultWorld,
    port: 0,
    stateDirectory: state,
    python,
    warn: () => {},
    reviewer: async () => {
      const decision = decisions.shift();
      if (decision === undefined) throw new Error('A reviewer was asked although nobody expected it.');
      return { state: decision, user: reviewer, comment: `${decision} in a test` };
    },
  });
  ({ project } = await makeLocalProject(local, { stateDirectory: state, owner: 'acme', name: 'abalone' }));
}, 180_000);

afterAll(async () => {
  await local?.close();
  rmSync(state, { recursive: true, force: true });
});

const admin = () => local.platform.administrator(project.adminAccount);
const group = () => `${project.name}-${project.id}`;
const packageArn = (version: number) =>
  `arn:aws:sagemaker:${region}:${project.adminAccount}:model-package/${group()}/${version}`;
const describePackage = (version: number) =>
  admin().sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: packageArn(version) }));
const versions = async () =>
  (await admin().sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: group() })))
    .ModelPackageSummaryList!.length;

function edit(path: string, change: (text: string) => string, folder = project.directory): void {
  const file = join(folder, path);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`The edit of ${path} changed nothing.`);
  writeFileSync(file, after);
}

/** Pushes and waits for the runs that the push started, by workflow file name. */
async function push(message: string, of = project): Promise<Record<string, RunRecord>> {
  const { commit } = await commitAndPush(of.directory, message);
  const started = local.github.runs.list(of.repository).filter(({ sha }) => sha === commit);
  const runs = await Promise.all(started.map(({ id }) => local.github.runs.wait(id)));
  return Object.fromEntries(runs.map((run) => [run.path.split('/').at(-1)!, run]));
}

const job = (run: RunRecord, name: string): JobRecord => {
  const found = run.jobs.find((one) => one.name.startsWith(name));
  if (found === undefined) throw new Error(`No job ${name} among ${run.jobs.map((one) => one.name).join(', ')}.`);
  return found;
};
const errors = (one: JobRecord) =>
  one.annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
const operations = (since: number, pattern: RegExp) =>
  local.platform.calls.list({ since }).filter(({ operation }) => pattern.test(operation));

async function artifactSha256(version: number): Promise<string> {
  const { InferenceSpecification } = await describePackage(version);
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(InferenceSpecification!.Containers![0]!.ModelDataUrl!)!;
  const { Body } = await admin().s3.send(new GetObjectCommand({ Bucket: bucket!, Key: key! }));
  return createHash('sha256')
    .update(await Body!.transformToByteArray())
    .digest('hex');
}

async function deployedPackages(stage: string): Promise<string[]> {
  const StackSetName = `sagemaker-${group()}-deploy-${stage}`;
  const { StackSet } = await admin().cloudformation.send(new DescribeStackSetCommand({ StackSetName }));
  return StackSet!
    .Parameters!.filter(({ ParameterKey }) => ParameterKey === 'ModelPackageName')
    .map(({ ParameterValue }) => ParameterValue!);
}

describe('from a push to production', () => {
  let heldOut: string;
  let predictions: number[];

  test('the first push trains, gates and deploys to staging and, approved, to production', async () => {
    decisions = ['approved'];
    const runs = await push('First model');
    expect(runs['model.yml']!.jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['build / Run the pipeline', 'success'],
      ['gate / Judge the model', 'success'],
      ['staging / Deploy to staging', 'success'],
      ['staging / Record a refusal', 'skipped'],
      ['production / Deploy to production', 'success'],
      ['production / Record a refusal', 'skipped'],
    ]);
    const described = await describePackage(1);
    expect(described.ModelApprovalStatus).toBe('Approved');
    expect(described.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Approved' });
    expect(described.CustomerMetadataProperties!['gate-artifact-sha256']).toBe(await artifactSha256(1));
    expect(described.CustomerMetadataProperties!['commit']).toBe(runs['model.yml']!.sha);
    expect(runs['model.yml']!.approvals).toEqual([
      { environment: 'production', state: 'approved', user: reviewer, comment: 'approved in a test' },
    ]);
    expect(await deployedPackages('staging')).toEqual([packageArn(1)]);
    expect(await deployedPackages('production')).toEqual([packageArn(1)]);
  }, 180_000);

  test('every endpoint answers the held-out rows with the evaluation step’s own predictions', async () => {
    const { ModelMetrics } = await describePackage(1);
    const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)\/[^/]+$/.exec(ModelMetrics!.ModelQuality!.Statistics!.S3Uri!)!;
    const text = async (name: string) =>
      (
        await admin().s3.send(new GetObjectCommand({ Bucket: bucket!, Key: `${prefix}/${name}` }))
      ).Body!.transformToString();
    heldOut = await text('held-out.csv');
    predictions = (await text('predictions.csv')).trim().split(/\s+/).map(Number);
    for (const [account, stage] of [[staging, 'staging'], ...production.map((one) => [one, 'production'])] as const) {
      const { runtime } = accountClients(new Control(local.platform), account!, region);
      const { Body } = await runtime.send(
        new InvokeEndpointCommand({ EndpointName: `${group()}-${stage}`, ContentType: 'text/csv', Body: heldOut }),
      );
      const answers = new TextDecoder()
        .decode(Body)
        .trim()
        .split(/[\s,]+/)
        .map(Number);
      expect(answers).toHaveLength(predictions.length);
      expect(Math.max(...answers.map((answer, index) => Math.abs(answer - predictions[index]!)))).toBeLessThan(1e-6);
    }
  }, 60_000);

  test('a change of the deployment redeploys the package in production without training', async () => {
    decisions = ['approved'];
    const since = local.platform.calls.next;
    edit('model-deploy/stages/production.yml', (text) => text.replace('instance-count: 2', 'instance-count: 3'));
    const runs = await push('A third instance');
    expect(Object.keys(runs)).toEqual(['redeploy.yml']);
    expect(runs['redeploy.yml']!.conclusion).toBe('success');
    expect(operations(since, /CreateTrainingJob|StartPipelineExecution/)).toEqual([]);
    for (const account of production) {
      const { sagemaker } = local.platform.administrator(account);
      const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: `${group()}-production` }));
      const { ProductionVariants } = await sagemaker.send(
        new DescribeEndpointConfigCommand({ EndpointConfigName: endpoint.EndpointConfigName! }),
      );
      expect(ProductionVariants![0]!.InitialInstanceCount).toBe(3);
      expect(endpoint.EndpointStatus).toBe('InService');
    }
    expect(await deployedPackages('production')).toEqual([packageArn(1)]);
    // Staging's file did not change: nothing there was touched.
    expect(
      operations(since, /^cloudformation:(Create|Update|Delete)/).filter(({ principal }) =>
        principal.includes('ci-deploy-staging'),
      ),
    ).toEqual([]);
  }, 120_000);

  test('a refused approval deploys nothing and is recorded on the package by ci-record', async () => {
    decisions = ['rejected'];
    const since = local.platform.calls.next;
    edit('model-build/build.yml', (text) => text.replace(/NumRound: \d+/, 'NumRound: 30'));
    const runs = await push('Fewer rounds');
    const run = runs['model.yml']!;
    expect(run.conclusion).toBe('failure');
    expect(job(run, 'staging / Deploy').conclusion).toBe('success');
    expect(job(run, 'production / Record').conclusion).toBe('success');
    expect(await deployedPackages('staging')).toEqual([packageArn(2)]);
    expect(await deployedPackages('production')).toEqual([packageArn(1)]);
    expect(operations(since, /./).filter(({ principal }) => principal.includes('ci-deploy-production'))).toEqual([]);
    const described = await describePackage(2);
    expect(described.ModelApprovalStatus).toBe('Approved');
    expect(described.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Rejected' });
    expect(described.ModelLifeCycle!.StageDescription).toContain(reviewer);
    const writes = operations(since, /^sagemaker:UpdateModelPackage$/).filter(({ principal }) =>
      principal.includes('ci-record'),
    );
    expect(writes).toHaveLength(1);
  }, 180_000);

  test('other rounds are another model: its metrics differ, and the same rounds give the same again', async () => {
    const mse = async (version: number) => {
      const { ModelMetrics } = await describePackage(version);
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(ModelMetrics!.ModelQuality!.Statistics!.S3Uri!)!;
      const { Body } = await admin().s3.send(new GetObjectCommand({ Bucket: bucket!, Key: key! }));
      return JSON.parse(await Body!.transformToString()).regression_metrics.mse.value as number;
    };
    // 50 rounds: what xgboost 3.2.0 gives with the seed's split on every machine and number of threads.
    expect(await mse(1)).toBeCloseTo(4.72006, 4);
    expect(await mse(2)).toBeCloseTo(4.56574, 4);
    expect(await artifactSha256(2)).not.toBe(await artifactSha256(1));
  });

  test('a rule that is missed rejects the package with its evidence and fails the job', async () => {
    edit('model-build/gate.yml', (text) => text.replace('limit: 6.0', 'limit: 3.5'));
    const runs = await push('A stricter rule');
    const run = runs['model.yml']!;
    expect(job(run, 'gate').conclusion).toBe('failure');
    expect(job(run, 'staging').conclusion).toBe('skipped');
    expect(errors(job(run, 'gate'))).toMatch(/mse.*4\.56\d*.*3\.5/);
    const described = await describePackage(3);
    expect(described.ModelApprovalStatus).toBe('Rejected');
    expect(described.ApprovalDescription).toMatch(/mse 4\.56\d*, limit 3\.5/);
    edit('model-build/gate.yml', (text) => text.replace('limit: 3.5', 'limit: 6.0'));
  }, 120_000);

  test('a condition of the pipeline that is not met registers nothing and fails with its values', async () => {
    const before = await versions();
    edit('model-build/build.yml', (text) => text.replace(/SanityLimit: \d+/, 'SanityLimit: 0'));
    const runs = await push('An impossible limit');
    const run = runs['model.yml']!;
    expect(job(run, 'build').conclusion).toBe('failure');
    expect(job(run, 'gate').conclusion).toBe('skipped');
    expect(errors(job(run, 'build'))).toMatch(/4\.56\d*.*\b0\b/s);
    expect(await versions()).toBe(before);
  }, 120_000);

  test('a push outside of the paths of a workflow starts none', async () => {
    const since = local.platform.calls.next;
    writeFileSync(join(project.directory, 'NOTES.md'), 'Nothing to build.\n');
    expect(await push('Notes')).toEqual({});
    expect(operations(since, /./)).toEqual([]);
  }, 30_000);

  test('another branch that runs the same workflow gets no role', async () => {
    const since = local.platform.calls.next;
    await git(project.directory, 'switch', '--quiet', '--create', 'feature');
    await git(project.directory, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature');
    const dispatched = await local.github.dispatchWorkflow(project.repository, 'redeploy.yml', 'feature');
    const run = await local.github.runs.wait(dispatched.id);
    await git(project.directory, 'switch', '--quiet', 'main');
    expect(run.conclusion).toBe('failure');
    expect(operations(since, /./).filter(({ status }) => (status ?? 500) < 400)).toEqual([]);
  }, 60_000);
});

describe('an environment that nobody configured', () => {
  test('nothing reaches production, and the job says why and how to mend', async () => {
    const unprotected = ['build', 'model-approval', 'model-record', 'staging'].map((name) => ({ name }));
    const { project: other } = await makeLocalProject(local, {
      stateDirectory: state,
      owner: 'acme',
      name: 'iris',
      folder: 'iris',
      environments: unprotected,
    });
    const since = local.platform.calls.next;
    const runs = await push('First model', other);
    const run = runs['model.yml']!;
    expect(errors(job(run, 'build'))).toBe('');
    expect(job(run, 'staging / Deploy').conclusion).toBe('success');
    expect(job(run, 'production / Deploy').conclusion).toBe('failure');
    expect(errors(job(run, 'production / Deploy'))).toMatch(/production.*(reviewer|protect)/is);
    const sets = operations(since, /^cloudformation:(CreateStackSet|CreateStackInstances)$/).filter(({ principal }) =>
      principal.includes('ci-deploy-production'),
    );
    expect(sets).toEqual([]);
    const { Summaries } = await admin().cloudformation.send(
      new ListStackInstancesCommand({ StackSetName: `sagemaker-${other.name}-${other.id}-deploy-staging` }),
    );
    expect(Summaries!.map(({ Account, Status }) => [Account, Status])).toEqual([[staging, 'CURRENT']]);
  }, 180_000);
});
