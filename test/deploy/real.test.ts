/** From a real training to a real endpoint, by the committed bundles; then stock xgboost as a foreign judge. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Credentials } from '../../local/aws/core/context.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { type ActionResult, runAction } from '../actions/support/action.ts';
import { base, project, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region, testPython } from '../support/platform.ts';
import { stageInputs, stageWorkspace } from './support/fixture.ts';
import { assumeByToken, assumeRole } from './support/sessions.ts';

let world: World;
let arn: string;
const workspace = stageWorkspace();

beforeAll(async () => {
  world = await startWorld();
  const built = await passed(
    runAction('run-pipeline', world, {
      environment: 'build',
      inputs: {
        'aws-region': region,
        'project-name': project.name,
        'project-id': project.id,
        'role-to-assume': world.role('ci-build'),
      },
    }),
  );
  arn = built.outputs['model-package-arn']!;
  await passed(
    runAction('gate-model', world, {
      environment: 'model-approval',
      inputs: { 'aws-region': region, 'model-package-arn': arn, 'role-to-assume': world.role('ci-gate') },
    }),
  );
}, 120_000);
afterAll(() => world?.close());

async function firstHeldOutRow(): Promise<string> {
  const { sagemaker, s3 } = world.administrator(accounts.development);
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const metrics = found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!;
  const [, Bucket, folder] = /^s3:\/\/([^/]+)\/(.+)\/[^/]+$/.exec(metrics)!;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${folder}/held-out.csv` }));
  return (await Body!.transformToString()).split('\n')[0]!;
}

async function passed(run: Promise<ActionResult>): Promise<ActionResult> {
  const result = await run;
  expect(result.failures).toEqual([]);
  expect(result.code).toBe(0);
  return result;
}

test.each([
  ['staging', [accounts.staging]],
  ['production', [accounts.production1, accounts.production2]],
])(
  'every endpoint of %s answers what the evaluation predicted, and what stock xgboost does with other rows',
  async (stage, targets) => {
    const options = { inputs: stageInputs(world, stage, arn), environment: stage, workspace };
    await passed(runAction('deploy-stack-set', world, options));
    const tested = await passed(runAction('test-endpoint', world, options));
    const reports = JSON.parse(tested.outputs['endpoints']!);
    expect(reports.map(({ account, status }: any) => [account, status])).toEqual(
      targets.map((account) => [account, 'passed']),
    );
    for (const report of reports) expect(report['max-difference']).toBeLessThanOrEqual(1e-6);

    const found = await world
      .administrator(accounts.development)
      .sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
    const archive = found.InferenceSpecification!.Containers![0]!.ModelDataUrl!;
    const rows = found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!.replace(/[^/]+$/, 'held-out.csv');
    const python = await testPython();
    for (const account of targets) {
      const registry = await world.credentials(accounts.development);
      const target = await world.credentials(account);
      const seed = String(Math.floor(Math.random() * 1e9));
      const { stdout } = await promisify(execFile)(
        python,
        [join(import.meta.dirname, 'stock.py'), archive, rows, `${base}-${stage}`, seed],
        {
          env: {
            ...pythonEnvironment(),
            ...world.environment(registry),
            TARGET_ACCESS_KEY_ID: target.accessKeyId,
            TARGET_SECRET_ACCESS_KEY: target.secretAccessKey,
            TARGET_SESSION_TOKEN: target.sessionToken,
          },
        },
      );
      const judged = JSON.parse(stdout);
      expect(judged.rows).toBe(50);
      expect(judged.spread).toBeGreaterThan(0.1);
      expect(judged.largest).toBeLessThanOrEqual(1e-6);
    }
  },
);

test('the AWS CLI invokes and describes with the roles that may, and with no other', async () => {
  const directory = fileURLToPath(new URL('../../.sagemaker-mlops/python', import.meta.url));
  const tools = await ensureTools({ directory, progress: () => undefined });
  const cli = async (credentials: Credentials, ...args: string[]) => {
    const env = { ...pythonEnvironment(), ...world.environment(credentials) };
    try {
      const { stdout } = await promisify(execFile)(join(tools.directory, 'bin', 'aws'), [...args, '--output', 'json'], {
        env,
      });
      return stdout;
    } catch (error) {
      return String((error as { stderr?: string }).stderr);
    }
  };
  const deployer = await assumeByToken(world, 'ci-deploy-production', 'production');
  const verify = await assumeRole(
    world,
    deployer,
    `arn:aws:iam::${accounts.production1}:role/sagemaker-${base}-verify`,
  );
  const endpoint = `${base}-production`;
  const described = JSON.parse(await cli(verify, 'sagemaker', 'describe-endpoint', '--endpoint-name', endpoint));
  expect(described).toMatchObject({ EndpointStatus: 'InService', EndpointName: endpoint });
  const invoke = ['sagemaker-runtime', 'invoke-endpoint', '--endpoint-name', endpoint, '--content-type', 'text/csv'];
  const rowFile = join(workspace, 'row.csv');
  const answerFile = join(workspace, 'answer.csv');
  writeFileSync(rowFile, await firstHeldOutRow());
  const body = ['--body', `fileb://${rowFile}`, answerFile];
  expect(await cli(verify, ...invoke, ...body)).toContain('AllTraffic');
  expect(Number(readFileSync(answerFile, 'utf8'))).toBeGreaterThan(0);
  const scientist = await world.credentials(accounts.development, `sagemaker-${base}-data-scientist`);
  const found = JSON.parse(await cli(scientist, 'sagemaker', 'describe-model-package', '--model-package-name', arn));
  expect(found.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Approved' });
  expect(await cli(deployer, ...invoke, ...body)).toContain('AccessDenied');
});
