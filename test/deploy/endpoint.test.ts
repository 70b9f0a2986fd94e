/** test-endpoint as GitHub runs it, against endpoints that are not what they should be; and roles that may not. */
import { DeleteRoleCommand, DeleteRolePolicyCommand } from '@aws-sdk/client-iam';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateEndpointConfigCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelPackageCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ActionResult, quick, runAction } from '../actions/support/action.ts';
import { base, bucket, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region } from '../support/platform.ts';
import {
  gatedPackage,
  heldOutRows,
  type LinearServers,
  linearServers,
  stageInputs,
  stageWorkspace,
} from './support/fixture.ts';
import { changes, lastCall, until } from './support/stage.ts';

let world: World;
let servers: LinearServers;
let workspace: string;
let arn: string;

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
  workspace = stageWorkspace();
  arn = await gatedPackage(world, { weights: [3, 1, 4] });
  for (const stage of ['staging', 'production']) expect((await act('deploy-stack-set', stage)).failures).toEqual([]);
}, 120_000);
afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});

function act(
  action: string,
  stage: string,
  inputs: Record<string, string> = {},
  folder = workspace,
): Promise<ActionResult> {
  return runAction(action, world, {
    ...quick,
    inputs: stageInputs(world, stage, arn, inputs),
    environment: stage,
    workspace: folder,
  });
}
const failuresOf = async (stage: string, folder = workspace) =>
  (await act('test-endpoint', stage, {}, folder)).failures;

const endpoint = `${base}-staging`;
const staging = () => world.administrator(accounts.staging).sagemaker;

async function lifecycle(): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const { ModelLifeCycle: cycle } = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  return `${cycle?.Stage}/${cycle?.StageStatus}`;
}

async function settled(): Promise<void> {
  const status = async () =>
    (await staging().send(new DescribeEndpointCommand({ EndpointName: endpoint }))).EndpointStatus;
  await until(status, (one) => one === 'InService', 'InService');
}

test('the front door does the same, from its own file in dist', async () => {
  const since = lastCall(world);
  const result = await act('root', 'staging', { command: 'deploy-stack-set' });
  expect([result.failures, result.outputs['status']]).toEqual([[], 'unchanged']);
  expect(changes(world, since)).toEqual([]);
});

test('an endpoint that went back to another configuration by itself', async () => {
  const { EndpointConfigName: ours } = await staging().send(new DescribeEndpointCommand({ EndpointName: endpoint }));
  const { ProductionVariants } = await staging().send(new DescribeEndpointConfigCommand({ EndpointConfigName: ours }));
  await staging().send(new CreateEndpointConfigCommand({ EndpointConfigName: 'the-old-one', ProductionVariants }));
  await staging().send(new UpdateEndpointCommand({ EndpointName: endpoint, EndpointConfigName: 'the-old-one' }));
  await settled();
  const failures = await failuresOf('staging');
  expect(failures).toMatchObject([
    {
      code: 'VerificationFailed',
      account: accounts.staging,
      region,
      logicalId: 'EndpointConfigName',
      resource: `arn:aws:sagemaker:${region}:${accounts.staging}:endpoint/${endpoint}`,
      cause: `Expected the configuration ${ours} of the stack, found the-old-one`,
    },
  ]);
  await staging().send(new UpdateEndpointCommand({ EndpointName: endpoint, EndpointConfigName: ours }));
  await settled();
  expect(await failuresOf('staging')).toEqual([]);
});

test("answers that are not the evaluation's: row, expected and found", async () => {
  const { sagemaker, s3 } = world.administrator(accounts.development);
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const folder = found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!.replace(/^s3:\/\/[^/]+\/(.*)\/[^/]+$/, '$1');
  const predictions = heldOutRows.map((row) =>
    row.split(',').reduce((sum, value, index) => sum + Number(value) * [3, 1, 4][index]!, 0),
  );
  const put = (values: readonly number[]) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${folder}/predictions.csv`, Body: values.join('\n') }));
  await put(predictions.with(0, predictions[0]! + 0.001));
  const result = await act('test-endpoint', 'staging');
  expect(result.failures).toMatchObject([
    {
      code: 'VerificationFailed',
      logicalId: 'Predictions',
      account: accounts.staging,
      cause: expect.stringMatching(/^Expected 0\.001 for row 1 of 25, found 0 /),
    },
  ]);
  expect(JSON.parse(result.outputs['endpoints']!)).toMatchObject([
    { status: 'failed', rows: 25, 'max-difference': 0.001 },
  ]);
  await put(predictions.slice(1));
  expect(await failuresOf('staging')).toMatchObject([{ code: 'EvidenceMissing' }]);
  await put(predictions);
  expect(await failuresOf('staging')).toEqual([]);
});

test('limits of the stage file: latency, tolerance', async () => {
  const strict = stageWorkspace((_, text) => text.replace('rows: 25', 'rows: 3\n  max-latency-ms: 1'));
  await world.control('POST', 'faults', {
    operation: 'sagemaker:InvokeEndpoint',
    times: 9,
    effect: { kind: 'delay', after: 'PT0.05S' },
  });
  const failures = await failuresOf('staging', strict);
  await world.control('DELETE', 'faults');
  expect(failures).toMatchObject([
    { logicalId: 'Latency', cause: expect.stringMatching(/^Expected at most 1 ms for one row, found \d+ ms$/) },
  ]);
});

test('one of two accounts answers nonsense: it is named, the other one passes', async () => {
  await world.control('POST', 'faults', {
    operation: 'sagemaker:InvokeEndpoint',
    account: accounts.production2,
    times: 99,
    effect: { kind: 'error', code: 'ModelError', message: 'Received server error (500) from primary', status: 424 },
  });
  const result = await act('test-endpoint', 'production', { reviewer: 'grace' });
  await world.control('DELETE', 'faults');
  expect(result.failures.map(({ account, cause }) => [account, cause])).toEqual([
    [accounts.production2, 'Received server error (500) from primary'],
  ]);
  expect(JSON.parse(result.outputs['endpoints']!).map(({ account, status }: any) => [account, status])).toEqual([
    [accounts.production1, 'passed'],
    [accounts.production2, 'failed'],
  ]);
  expect(await lifecycle()).toBe('Production/Rejected');
  expect(result.summary).toContain(accounts.production2);
});

test('the role of another stage deploys and tests nothing', async () => {
  const since = lastCall(world);
  const wrong = {
    'role-to-assume': world.role('ci-deploy-staging'),
    'stage-file': 'model-deploy/stages/production.yml',
  };
  for (const action of ['deploy-stack-set', 'test-endpoint']) {
    const result = await act(action, 'staging', wrong);
    expect(result.failures.map(({ code }) => code)).toEqual(['AccessDenied']);
    expect(result.failures[0]?.cause).toMatch(/is not authorized to perform: cloudformation:/);
  }
  expect(changes(world, since)).toEqual([]);
});

test('a verify role that is missing: which one, where, and what to do', async () => {
  const { iam } = world.administrator(accounts.production2);
  const RoleName = `sagemaker-${base}-verify`;
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'verify' }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
  const failures = await failuresOf('production');
  expect(failures).toMatchObject([
    {
      code: 'RoleNotAssumable',
      account: accounts.production2,
      region,
      resource: `arn:aws:iam::${accounts.production2}:role/${RoleName}`,
    },
  ]);
});
