/** From a real training to a real endpoint, by the committed bundles; then stock xgboost as a foreign judge. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DescribeEndpointCommand, DescribeModelPackageCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
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

async function objectText(uri: string): Promise<string> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri)!;
  const { Body } = await world.administrator(accounts.development).s3.send(new GetObjectCommand({ Bucket, Key }));
  return Body!.transformToString();
}

async function firstHeldOutRow(): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const metrics = found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!;
  return (await objectText(metrics.replace(/[^/]+$/, 'held-out.csv'))).split('\n')[0]!;
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
    const evaluation = found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!;
    const test = evaluation.replace('/report/evaluation.json', '/dataset/test/test.csv');
    const { mse } = JSON.parse(await objectText(evaluation)).regression_metrics;
    const python = await testPython();
    for (const account of targets) {
      const registry = await world.credentials(accounts.development);
      const target = await world.credentials(account);
      const seed = String(Math.floor(Math.random() * 1e9));
      const { stdout } = await promisify(execFile)(
        python,
        [join(import.meta.dirname, 'stock.py'), archive, test, `${base}-${stage}`, seed],
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
      expect(judged.tested).toBe(626);
      expect(judged.mse).toBeCloseTo(mse.value, 6);
      expect(judged.rows).toBe(50);
      expect(judged.spread).toBeGreaterThan(0.1);
      expect(judged.largest).toBeLessThanOrEqual(1e-6);
    }
  },
);

test('boto3, the AWS CLI and SDK v3 describe and invoke in every account with the role that may, and with no other', async () => {
  const directory = fileURLToPath(new URL('../../.sagemaker-mlops/python', import.meta.url));
  const tools = await ensureTools({ directory, progress: () => undefined });
  const child = async (credentials: Credentials, command: string, ...args: string[]) => {
    const env = { ...pythonEnvironment(), ...world.environment(credentials) };
    const { stdout } = await promisify(execFile)(command, args, { env });
    return stdout;
  };
  const cli = (credentials: Credentials, ...args: string[]) =>
    child(credentials, join(tools.directory, 'bin', 'aws'), ...args, '--output', 'json').catch((error) =>
      String((error as { stderr?: string }).stderr),
    );
  const row = await firstHeldOutRow();
  const rowFile = join(workspace, 'row.csv');
  writeFileSync(rowFile, row);
  const answerFile = join(workspace, 'answer.csv');
  const invoke = (endpoint: string) => [
    ...['sagemaker-runtime', 'invoke-endpoint', '--endpoint-name', endpoint, '--content-type', 'text/csv'],
    ...['--body', `fileb://${rowFile}`, answerFile],
  ];
  const answers = new Set<number>();
  for (const [stage, account] of [
    ['staging', accounts.staging],
    ['production', accounts.production1],
    ['production', accounts.production2],
  ] as const) {
    const endpoint = `${base}-${stage}`;
    const deployer = await assumeByToken(world, `ci-deploy-${stage}`, stage);
    const verify = await assumeRole(world, deployer, `arn:aws:iam::${account}:role/sagemaker-${base}-verify`);
    const expected = {
      arn: `arn:aws:sagemaker:${region}:${account}:endpoint/${endpoint}`,
      status: 'InService',
      answer: expect.any(Number),
    };

    const boto = JSON.parse(
      await child(verify, await testPython(), join(import.meta.dirname, 'verify.py'), endpoint, row),
    );
    expect(boto).toEqual(expected);

    const described = JSON.parse(await cli(verify, 'sagemaker', 'describe-endpoint', '--endpoint-name', endpoint));
    expect(await cli(verify, ...invoke(endpoint))).toContain('AllTraffic');
    const byCli = {
      arn: described.EndpointArn,
      status: described.EndpointStatus,
      answer: Number(readFileSync(answerFile, 'utf8')),
    };
    expect(byCli).toEqual(expected);

    const settings = { region, endpoint: world.url, credentials: verify };
    const one = await new SageMakerClient(settings).send(new DescribeEndpointCommand({ EndpointName: endpoint }));
    const { Body } = await new SageMakerRuntimeClient(settings).send(
      new InvokeEndpointCommand({ EndpointName: endpoint, ContentType: 'text/csv', Body: row }),
    );
    const bySdk = { arn: one.EndpointArn, status: one.EndpointStatus, answer: Number(new TextDecoder().decode(Body)) };
    expect(bySdk).toEqual(expected);
    for (const { answer } of [boto, byCli, bySdk]) answers.add(answer);
    // The role that deploys does not speak to the endpoint itself.
    expect(await cli(deployer, ...invoke(endpoint))).toContain('AccessDenied');
  }
  // One row, one model: one answer, everywhere and for everybody.
  expect([...answers]).toEqual([expect.any(Number)]);

  const scientist = await world.credentials(accounts.development, `sagemaker-${base}-data-scientist`);
  const found = JSON.parse(await cli(scientist, 'sagemaker', 'describe-model-package', '--model-package-name', arn));
  expect(found.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Approved' });
});
