/** The whole platform with real jobs, judged by clients that nobody here wrote: the SageMaker Python SDK and boto3. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pythonEnvironment } from '../../local/python/index.ts';
import { accounts, region, startTestPlatform, type TestPlatform, testPython } from '../support/platform.ts';

const account = accounts.development;
const image = `141502667606.dkr.ecr.${region}.amazonaws.com/sagemaker-xgboost:3.2-0`;
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
let platform: TestPlatform;
let folder: string;
let sdk: any;

async function python(script: string, ...input: string[]): Promise<any> {
  const result = join(folder, `${script}.json`);
  await promisify(execFile)(await testPython(), [join(import.meta.dirname, 'foreign', script), ...input], {
    env: {
      ...pythonEnvironment(),
      ...platform.environment(await platform.credentials(account)),
      RESULT: result,
      HOME: folder,
    },
  });
  return JSON.parse(await readFile(result, 'utf8'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagemaker-foreign-'));
  platform = await startTestPlatform({ python: true });
  const { iam, s3 } = platform.administrator(account);
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });
  const statements: Record<string, object[]> = {
    // The SDK asks IAM whether the role may do all that a job in a VPC could need.
    job: [{ Effect: 'Allow', Action: ['s3:*', 'logs:*', 'ecr:*', 'cloudwatch:*', 'ec2:*'], Resource: '*' }],
    pipeline: [
      { Effect: 'Allow', Action: ['sagemaker:*', 's3:*'], Resource: '*' },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: roleArn('job') },
    ],
  };
  for (const [RoleName, Statement] of Object.entries(statements)) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
  }
  await s3.send(
    new CreateBucketCommand({
      Bucket: 'sdk-artifacts',
      CreateBucketConfiguration: { LocationConstraint: region },
    }),
  );
  sdk = await python('sdk_pipeline.py', 'sdk-artifacts', roleArn('pipeline'), roleArn('job'), image);
}, 180_000);

afterAll(async () => {
  await platform.close();
  await rm(folder, { recursive: true, force: true });
});

it('the SDK creates, updates, starts and awaits a pipeline that really trains', () => {
  expect(sdk.created).toBe(`arn:aws:sagemaker:${region}:${account}:pipeline/sdk-pipeline`);
  expect(sdk.updated).toBe(sdk.created);
  expect(sdk.description).toBe('second');
  expect(sdk.good.failure).toBeNull();
  expect(sdk.good.status).toBe('Succeeded');
  expect(Object.entries(sdk.good.steps).map(([name, step]: any) => [name, step.StepStatus])).toEqual(
    expect.arrayContaining([
      ['Prepare', 'Succeeded'],
      ['Train', 'Succeeded'],
      ['Enough', 'Succeeded'],
    ]),
  );
  expect(sdk.good.steps.Enough.Metadata).toEqual({ Condition: { Outcome: 'True' } });
  expect(sdk.good.parameters).toEqual(
    expect.arrayContaining([
      { Name: 'Eta', Value: '0.5' },
      { Name: 'Least', Value: '100' },
    ]),
  );
});

it('the SDK sees the failed gate with its reason', () => {
  expect(sdk.bad.status).toBe('Failed');
  expect(sdk.bad.failure).toContain('Waiter PipelineExecutionComplete failed');
  expect(sdk.bad.steps.TooFew.FailureReason).toBe('only 200 rows of 1000');
});

it('boto3 describes what the execution left behind', async () => {
  const register = Object.keys(sdk.good.steps).find((name) => name.startsWith('Register')) ?? '';
  const boto = await python('boto_client.py', sdk.good.arn, sdk.good.steps[register].Metadata.RegisterModel.Arn);
  // Newest first: what came last is on the first page.
  expect(boto.order[0]).toBe(register);
  expect(boto.order.at(-1)).toBe('Prepare');
  expect(boto.training).toMatchObject({
    TrainingJobStatus: 'Completed',
    HyperParameters: { eta: '0.5', num_round: '5' },
  });
  expect(boto.training.FinalMetricDataList.map((metric: any) => metric.MetricName)).toContain('train:rmse');
  expect(boto.processing).toMatchObject({ ProcessingJobStatus: 'Completed' });
  expect(boto.package).toMatchObject({
    ModelPackageGroupName: 'sdk-group',
    ModelPackageStatus: 'Completed',
    MetadataProperties: { GeneratedBy: sdk.good.arn },
    InferenceSpecification: {
      Containers: [{ ModelDataUrl: boto.training.ModelArtifacts.S3ModelArtifacts, ImageDigest: expect.any(String) }],
    },
  });
  expect(boto.tags).toEqual([{ Key: 'made-by', Value: 'sdk-2' }]);
  expect(boto.versions.map((version: any) => version.PipelineVersionId)).toEqual([2, 1]);
  expect(boto.missing).toEqual({
    pipeline: ['ResourceNotFound', 400],
    job: ['ResourceNotFound', 400],
    endpoint: ['ValidationException', 400],
    package: ['ValidationException', 400],
    search: ['NotImplemented', 501],
  });
}, 60_000);

it('boto3 deploys the package, and the endpoint answers what the model learnt', async () => {
  const register = Object.keys(sdk.good.steps).find((name) => name.startsWith('Register')) ?? '';
  const arn = sdk.good.steps[register].Metadata.RegisterModel.Arn;
  const boto = await python('endpoint_client.py', arn, roleArn('job'));
  expect(boto.described).toMatchObject({
    EndpointStatus: 'InService',
    ProductionVariants: [
      { DeployedImages: [{ SpecifiedImage: image, ResolvedImage: expect.stringContaining('@sha256:') }] },
    ],
  });
  expect(boto).toMatchObject({ variant: 'AllTraffic', left: [] });
  expect(boto.type).toContain('text/csv');
  const [low, high] = boto.body.trim().split('\n').map(Number);
  // The script's rows follow y = 3x with a little noise, on which five rounds have had a look.
  expect(high).toBeGreaterThan(low + 0.5);
  expect(boto.failure).toMatchObject({ status: 424, original: 415 });
}, 60_000);
