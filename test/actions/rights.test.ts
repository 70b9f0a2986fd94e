/** What the roles of the templates refuse the actions, and a second account in a second region with the same committed definition. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribePipelineCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListProcessingJobsCommand,
  ListTrainingJobsCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, describe, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionRun, quick, runAction } from './support/action.ts';
import { registerPackage } from './support/packages.ts';
import { base, bucket, project, root, startWorld, type World } from './support/world.ts';

let world: World;
const folders: string[] = [];
afterEach(async () => {
  await world?.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
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

function checkout(change: (definition: any) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-checkout-'));
  folders.push(folder);
  cpSync(join(root, 'seed-code'), folder, { recursive: true });
  const file = join(folder, 'model-build/pipeline.json');
  const definition = JSON.parse(readFileSync(file, 'utf8'));
  change(definition);
  writeFileSync(file, JSON.stringify(definition));
  return folder;
}

const registerStep = (definition: any) =>
  definition.Steps.find((step: any) => step.Type === 'Condition').Arguments.IfSteps[0];

describe('the pipeline cannot judge its own model', () => {
  test('a definition that registers as Approved, or forges a gate record, fails at its registration', async () => {
    world = await startWorld();
    const changes: [string, (step: any) => void][] = [
      ['Approved', (step) => (step.Arguments.ModelApprovalStatus = 'Approved')],
      ['gate record', (step) => (step.Arguments.CustomerMetadataProperties['gate-artifact-sha256'] = 'f'.repeat(64))],
    ];
    for (const [index, [, change]] of changes.entries()) {
      const result = await build({
        runId: String(55_000 + index),
        workspace: checkout((definition) => change(registerStep(definition))),
      });
      expect(result.code).toBe(1);
      expect(result.failures).toHaveLength(1);
      expect(result.failures[0]).toMatchObject({ code: 'StepFailed', logicalId: 'Register' });
      expect(result.failures[0]!.cause).toMatch(/not authorized|AccessDenied/);
      expect(result.summary).toContain('Advice');
    }
  });
});

test('the build role cannot gate, the gate role cannot build', async () => {
  world = await startWorld();
  const { arn } = await registerPackage(world);
  const inputs = { 'aws-region': region, 'model-package-arn': arn };
  const gated = await runAction('gate-model', world, {
    environment: 'build',
    workspace: join(root, 'seed-code'),
    inputs: { ...inputs, 'role-to-assume': world.role('ci-build') },
  });
  expect(gated.failures.map(({ code }) => code)).toEqual(['AccessDenied']);
  const since = world.calls().at(-1)!.seq;
  const built = await build({ environment: 'model-approval', inputs: { 'role-to-assume': world.role('ci-gate') } });
  expect(built.failures.map(({ code }) => code)).toEqual(['AccessDenied']);
  expect(
    world
      .calls({ since, mutating: true })
      .filter(({ operation, status }) => status === 200 && !operation.startsWith('sts:')),
  ).toEqual([]);
});

test("the committed definition runs in another account and region, with that account's key and bucket", async () => {
  const other = { id: accounts.staging, region: 'us-west-2' };
  world = await startWorld({
    world: {
      region: other.region,
      accounts: [
        { id: other.id, name: 'development', admin: true },
        { id: accounts.production1, name: 'staging' },
      ],
      clock: { mode: 'at-once' },
    },
  });
  const role = (suffix: string) => `arn:aws:iam::${other.id}:role/sagemaker-${base}-${suffix}`;
  const result = await build({ inputs: { 'aws-region': other.region, 'role-to-assume': role('ci-build') } });
  expect(result.stdout + result.stderr).not.toContain('::error');
  expect(result.code).toBe(0);
  const { sagemaker } = world.administrator(other.id, other.region);
  const [training] = (await sagemaker.send(new ListTrainingJobsCommand({}))).TrainingJobSummaries ?? [];
  const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: training!.TrainingJobName }));
  const key = new RegExp(`^arn:aws:kms:${other.region}:${other.id}:key/`);
  expect(job.OutputDataConfig?.KmsKeyId).toMatch(key);
  expect(job.OutputDataConfig?.S3OutputPath).toMatch(new RegExp(`^s3://${bucket}/models/`));
  expect(job.RoleArn).toBe(role('job'));
  expect(job.AlgorithmSpecification?.TrainingImage).toContain(`.dkr.ecr.${other.region}.amazonaws.com/`);
  for (const { ProcessingJobName } of (await sagemaker.send(new ListProcessingJobsCommand({})))
    .ProcessingJobSummaries ?? []) {
    const processing = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName }));
    expect(processing.ProcessingOutputConfig?.KmsKeyId).toMatch(key);
  }
  const pipeline = await sagemaker.send(new DescribePipelineCommand({ PipelineName: base }));
  expect(pipeline.RoleArn).toBe(role('pipeline'));
  expect(pipeline.PipelineDefinition).not.toContain('000000000000');
});
