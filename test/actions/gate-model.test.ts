/** gate-model's committed bundle: rules, evidence, the record on the package, judged by what AWS then describes and by the call log. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionRun, runAction } from './support/action.ts';
import { registerPackage } from './support/packages.ts';
import { bucket, commit, startWorld, type World } from './support/world.ts';

let world: World;
const folders: string[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world?.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function rules(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-rules-'));
  folders.push(folder);
  mkdirSync(join(folder, 'model-build'));
  writeFileSync(join(folder, 'model-build/gate.yml'), text);
  return folder;
}

const limit = (value: number) =>
  `rules:\n  - {metric: regression_metrics.mse.value, operator: "<=", limit: ${value}}\nrequire: [artifact-sha256, image-digest]\n`;
const champion = (more = '') => `rules:\n  - {metric: regression_metrics.mse.value, better-than: champion${more}}\n`;

const gate = (arn: string, workspace: string, run: ActionRun = {}) =>
  runAction('gate-model', world, {
    environment: 'model-approval',
    workspace,
    ...run,
    inputs: { 'aws-region': region, 'role-to-assume': world.role('ci-gate'), 'model-package-arn': arn, ...run.inputs },
  });

const described = (arn: string) =>
  world.administrator(accounts.development).sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
const seq = () => world.calls().at(-1)?.seq ?? 0;
const mutations = (since: number) =>
  world
    .calls({ since, mutating: true })
    .filter(({ principal }) => principal.includes('-ci-gate/'))
    .map(({ operation }) => operation);

describe('limits', () => {
  test('a model within its limits is approved, with the record and the evidence, by one write', async () => {
    const archive = Buffer.alloc(3_000_000, 'model');
    const { arn } = await registerPackage(world, { archive });
    const since = seq();
    const text = limit(6);
    const result = await gate(arn, rules(text));
    expect(result.stdout + result.stderr).not.toContain('::error');
    expect(result.code).toBe(0);
    const digest = createHash('sha256').update(archive).digest('hex');
    expect(result.outputs).toMatchObject({
      status: '',
      failure: '',
      'approval-status': 'Approved',
      'artifact-sha256': digest,
      'champion-arn': '',
    });
    expect(mutations(since)).toEqual(['sagemaker:UpdateModelPackage']);
    const found = await described(arn);
    expect(found.ModelApprovalStatus).toBe('Approved');
    expect(found.ApprovalDescription).toBe('Gate passed: mse 4.72, limit 6');
    expect(found.CustomerMetadataProperties).toMatchObject({
      'gate-run': '77001',
      'gate-commit': commit,
      'gate-rules-sha256': createHash('sha256').update(text).digest('hex'),
      'gate-artifact-sha256': digest,
      'gate-image-digest': result.outputs['image-digest'],
    });
    expect(result.outputs['image-digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(result.summary).toContain('Model gate: Approved');
  });

  test('judged again, by this run or another, nothing is written', async () => {
    const { arn } = await registerPackage(world);
    const workspace = rules(limit(6));
    expect((await gate(arn, workspace)).outputs['status']).toBe('');
    for (const run of [{ attempt: 2 }, { runId: '77002', env: { GITHUB_SHA: 'e'.repeat(40) } }]) {
      const since = seq();
      const again = await gate(arn, workspace, run);
      expect(again.code).toBe(0);
      expect(again.outputs['status']).toBe('unchanged');
      expect(mutations(since)).toEqual([]);
    }
  });

  test('a missed limit fails the job with metric, value and limit, and the package says why', async () => {
    const { arn } = await registerPackage(world);
    const result = await gate(arn, rules(limit(3.5)));
    expect(result.code).toBe(1);
    expect(result.outputs).toMatchObject({ status: 'rejected', 'approval-status': 'Rejected' });
    expect(result.failures).toHaveLength(1);
    expect(result.failures[0]).toMatchObject({
      code: 'RuleMissed',
      resource: arn,
      account: accounts.development,
      region,
      logicalId: 'regression_metrics.mse.value',
      cause: 'mse 4.72 is not <= 3.5',
    });
    expect(result.errors).toHaveLength(1);
    const found = await described(arn);
    expect(found.ModelApprovalStatus).toBe('Rejected');
    expect(found.ApprovalDescription).toBe('Gate missed: mse 4.72, limit 3.5 (missed)');
    expect(found.CustomerMetadataProperties).toHaveProperty('gate-artifact-sha256');
    // Other rules may judge it again: the gate itself had rejected it.
    expect((await gate(arn, rules(limit(6)))).outputs['approval-status']).toBe('Approved');
  });

  test('every missed rule is told, and a metric that is not there is named with the nearest', async () => {
    const { arn } = await registerPackage(world, {
      metrics: { regression_metrics: { mse: { value: 9 }, mae: { value: 2 } } },
    });
    const result = await gate(
      arn,
      rules(
        'rules:\n  - {metric: regression_metrics.mse.value, operator: "<", limit: 9}\n  - {metric: regression_metrics.mea.value, operator: "<", limit: 9}\n  - {metric: regression_metrics.mae.value, operator: ">=", limit: 2}\n',
      ),
    );
    expect(result.failures.map(({ code, logicalId }) => [code, logicalId])).toEqual([
      ['RuleMissed', 'regression_metrics.mse.value'],
      ['EvidenceMissing', 'regression_metrics.mea.value'],
    ]);
    expect(result.failures[1]!.cause).toMatch(/did you mean/);
  });

  test('a package approved by hand gets the record that it lacks', async () => {
    const { arn } = await registerPackage(world);
    await world
      .administrator(accounts.development)
      .sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelApprovalStatus: 'Approved' }));
    const result = await gate(arn, rules(limit(6)));
    expect(result.outputs['status']).toBe('');
    expect((await described(arn)).CustomerMetadataProperties).toHaveProperty('gate-run');
  });

  test('a package that somebody rejected by hand stays rejected', async () => {
    const { arn } = await registerPackage(world);
    await world.administrator(accounts.development).sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: arn,
        ModelApprovalStatus: 'Rejected',
        ApprovalDescription: 'biased',
      }),
    );
    const since = seq();
    const result = await gate(arn, rules(limit(6)));
    expect(result.outputs['status']).toBe('rejected');
    expect(result.failures[0]).toMatchObject({ code: 'RejectedByHand' });
    expect(result.failures[0]!.cause).toContain('biased');
    expect(mutations(since)).toEqual([]);
  });

  test('an image of which nobody knows the digest is missing evidence', async () => {
    const { arn } = await registerPackage(world, {
      image: `${accounts.development}.dkr.ecr.eu-west-1.amazonaws.com/own:1`,
    });
    const result = await gate(arn, rules(limit(6)));
    expect(result.failures.map(({ code, logicalId }) => [code, logicalId])).toEqual([
      ['EvidenceMissing', 'image-digest'],
    ]);
  });

  test('an archive swapped after registration is refused, and nothing is written', async () => {
    const { arn, key } = await registerPackage(world);
    const { s3 } = world.administrator(accounts.development);
    expect((await described(arn)).InferenceSpecification?.Containers?.[0]?.ModelDataETag).toBeDefined();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'another model' }));
    const since = seq();
    const result = await gate(arn, rules(limit(6)));
    expect(result.failures[0]).toMatchObject({ code: 'ArtifactChanged', resource: `s3://${bucket}/${key}` });
    expect(mutations(since)).toEqual([]);
  });
});

describe('the champion', () => {
  test('without one the rule says what that means', async () => {
    const { arn } = await registerPackage(world);
    expect((await gate(arn, rules(champion()))).code).toBe(0);
    const strict = await registerPackage(world);
    const result = await gate(strict.arn, rules(champion(', without-champion: fail')));
    expect(result.failures[0]!.cause).toContain('no champion');
  });

  test('is the newest package in production; the margin counts', async () => {
    const older = await registerPackage(world, {
      champion: true,
      metrics: { regression_metrics: { mse: { value: 4 } } },
    });
    const current = await registerPackage(world, {
      champion: true,
      metrics: { regression_metrics: { mse: { value: 5 } } },
    });
    const { arn } = await registerPackage(world);
    const passed = await gate(arn, rules(champion(', margin: 0.2')));
    expect(passed.code).toBe(0);
    expect(passed.outputs['champion-arn']).toBe(current.arn);
    expect(passed.outputs['champion-arn']).not.toBe(older.arn);
    expect(passed.summary).toContain(current.arn);
    const missed = await gate((await registerPackage(world)).arn, rules(champion(', margin: 0.5')));
    expect(missed.failures[0]).toMatchObject({ code: 'RuleMissed', cause: 'mse 4.72 is not <= champion 5 - 0.5' });
  });
});

test('the front door does the same', async () => {
  const { arn } = await registerPackage(world);
  const result = await runAction('root', world, {
    environment: 'model-approval',
    workspace: rules(limit(6)),
    inputs: {
      command: 'gate-model',
      'aws-region': region,
      'role-to-assume': world.role('ci-gate'),
      'model-package-arn': arn,
      // What the root action.yml fills in for other commands is no mistake.
      'github-token': 'a-token-of-the-job',
    },
  });
  expect(result.code).toBe(0);
  expect(result.outputs).toMatchObject({ status: '', 'approval-status': 'Approved' });
});

test('a package that is too old is missed by its age', async () => {
  const { arn } = await registerPackage(world);
  const result = await gate(arn, rules(`${limit(6)}max-age: P1D\n`), {
    nodeOptions: ['--import', join(import.meta.dirname, 'support/fast-clock.mjs')],
    env: { FAST_CLOCK: '1', CLOCK_OFFSET: String(3 * 86_400_000) },
  });
  expect(result.failures.map(({ logicalId }) => logicalId)).toEqual(['max-age']);
});
