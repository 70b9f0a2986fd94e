/** The committed definition, byte for byte, as a SageMaker pipeline: in two accounts and regions, and where it must fail. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  CreateModelPackageGroupCommand,
  CreatePipelineCommand,
  DescribeModelPackageCommand,
  DescribePipelineExecutionCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionStepsCommand,
  type PipelineExecutionStep,
  StartPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientSet } from '../../local/aws/core/context.ts';
import { accounts, startTestPlatform, type TestPlatform } from '../support/platform.ts';

const seed = path.join(import.meta.dirname, '../../seed-code/model-build');
const placeholder = 'arn:aws:iam::000000000000:role/sagemaker-mlops-job';

interface Site {
  account: string;
  region: string;
  clients: ClientSet;
  bucket: string;
  key: string;
  parameters: Record<string, string>;
}

let platform: TestPlatform;
let definition: string;
const sites: Site[] = [];

beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  definition = await readFile(path.join(seed, 'pipeline.json'), 'utf8');
  const registries = JSON.parse(
    await readFile(path.join(seed, '../../src/pipelines/image-registries.generated.json'), 'utf8'),
  );
  for (const [account, region] of [
    [accounts.development, 'eu-west-1'],
    [accounts.staging, 'us-east-2'],
  ] as const)
    sites.push(await prepare(account, region, `${registries['sagemaker-xgboost'][region]}/sagemaker-xgboost:3.2-0`));
});
afterAll(() => platform.close());

async function prepare(account: string, region: string, image: string): Promise<Site> {
  const clients = platform.administrator(account, region);
  const bucket = `seed-${account}-${region}`;
  await clients.s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
    }),
  );
  const key = (await clients.kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  for (const role of ['pipeline', 'job']) {
    await clients.iam.send(new CreateRoleCommand({ RoleName: role, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    await clients.iam.send(
      new PutRolePolicyCommand({ RoleName: role, PolicyName: 'all', PolicyDocument: JSON.stringify(everything) }),
    );
  }
  const put = async (name: string, file: string): Promise<void> =>
    void (await clients.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: name, Body: await readFile(path.join(seed, file)) }),
    ));
  for (const file of await readdir(path.join(seed, 'scripts')))
    if (file.endsWith('.py')) await put(`code/1/scripts/${file}`, `scripts/${file}`);
  await put('data/1/abalone.csv', 'data/abalone.csv');
  await clients.sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'abalone' }));
  await clients.sagemaker.send(
    new CreatePipelineCommand({
      PipelineName: 'abalone',
      PipelineDefinition: definition.replaceAll(placeholder, `arn:aws:iam::${account}:role/job`),
      RoleArn: `arn:aws:iam::${account}:role/pipeline`,
      ClientRequestToken: `create-${account}-${region}`.padEnd(32, '-'),
    }),
  );
  return {
    account,
    region,
    clients,
    bucket,
    key,
    parameters: {
      CodeUri: `s3://${bucket}/code/1/scripts`,
      InputDataUrl: `s3://${bucket}/data/1/abalone.csv`,
      OutputUri: `s3://${bucket}`,
      ImageUri: image,
      KmsKeyArn: key,
      ModelPackageGroupName: 'abalone',
      Commit: 'a'.repeat(40),
      RunUrl: 'https://github.com/acme/abalone/actions/runs/1',
    },
  };
}

let started = 0;
async function execute({ clients }: Site, parameters: Record<string, string>) {
  started += 1;
  const { PipelineExecutionArn } = await clients.sagemaker.send(
    new StartPipelineExecutionCommand({
      PipelineName: 'abalone',
      ClientRequestToken: `start-${started}`.padEnd(32, '-'),
      PipelineParameters: Object.entries(parameters).map(([Name, Value]) => ({ Name, Value })),
    }),
  );
  for (;;) {
    const execution = await clients.sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn }));
    if (execution.PipelineExecutionStatus !== 'Executing') {
      const { PipelineExecutionSteps } = await clients.sagemaker.send(
        new ListPipelineExecutionStepsCommand({ PipelineExecutionArn }),
      );
      const step = (name: string): PipelineExecutionStep | undefined =>
        PipelineExecutionSteps!.find(({ StepName }) => StepName === name);
      return { id: PipelineExecutionArn!.split('/').at(-1)!, execution, step };
    }
    await sleep(50);
  }
}

const nameOf = (arn: string | undefined): string => arn!.split('/').at(-1)!;

describe.each([0, 1])('site %i', (index) => {
  test('a package with metrics, everything in this account, region, bucket and under this key', async () => {
    const site = sites[index]!;
    const { id, execution, step } = await execute(site, site.parameters);
    expect([execution.PipelineExecutionStatus, execution.FailureReason]).toEqual(['Succeeded', undefined]);
    const { sagemaker, s3 } = site.clients;

    const processing = await sagemaker.send(
      new DescribeProcessingJobCommand({ ProcessingJobName: nameOf(step('Preprocess')!.Metadata!.ProcessingJob!.Arn) }),
    );
    const training = await sagemaker.send(
      new DescribeTrainingJobCommand({ TrainingJobName: nameOf(step('Train')!.Metadata!.TrainingJob!.Arn) }),
    );
    expect(processing.ProcessingJobArn).toContain(`:${site.region}:${site.account}:`);
    expect(processing.ProcessingOutputConfig!.KmsKeyId).toBe(site.key);
    expect(processing.ProcessingResources!.ClusterConfig!.VolumeKmsKeyId).toBe(site.key);
    expect(processing.ProcessingOutputConfig!.Outputs![0]!.S3Output!.S3Uri).toBe(
      `s3://${site.bucket}/evaluation/${id}/dataset/train`,
    );
    expect(training.RoleArn).toBe(`arn:aws:iam::${site.account}:role/job`);
    expect(training.OutputDataConfig).toMatchObject({
      KmsKeyId: site.key,
      S3OutputPath: `s3://${site.bucket}/models/${id}`,
    });
    expect(training.FinalMetricDataList!.map(({ MetricName }) => MetricName)).toEqual([
      'train:rmse',
      'validation:rmse',
    ]);

    const { ModelPackageSummaryList } = await sagemaker.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: 'abalone' }),
    );
    const modelPackage = await sagemaker.send(
      new DescribeModelPackageCommand({ ModelPackageName: ModelPackageSummaryList![0]!.ModelPackageArn }),
    );
    expect(modelPackage).toMatchObject({
      ModelApprovalStatus: 'PendingManualApproval',
      CustomerMetadataProperties: {
        commit: 'a'.repeat(40),
        'run-url': site.parameters['RunUrl'],
        'pipeline-execution': id,
      },
    });
    const report = modelPackage.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!;
    expect(report).toBe(`s3://${site.bucket}/evaluation/${id}/report/evaluation.json`);
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: site.bucket, Key: `evaluation/${id}/report/evaluation.json` }),
    );
    expect(JSON.parse(await Body!.transformToString()).regression_metrics.mse.value).toBeCloseTo(4.72006, 4);
    const data = modelPackage.InferenceSpecification!.Containers![0]!.ModelDataUrl!;
    const head = await s3.send(
      new HeadObjectCommand({ Bucket: site.bucket, Key: data.slice(`s3://${site.bucket}/`.length) }),
    );
    expect(head.SSEKMSKeyId).toBe(site.key);
  });
});

test('a sanity limit of 0: nothing is registered, the failure tells error and limit', async () => {
  const site = sites[0]!;
  const before = (await site.clients.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: 'abalone' })))
    .ModelPackageSummaryList!;
  const { execution, step } = await execute(site, { ...site.parameters, SanityLimit: '0' });
  expect(execution.PipelineExecutionStatus).toBe('Failed');
  expect(step('CheckSanity')!.Metadata!.Condition!.Outcome).toBe('False');
  expect(step('NotSane')!.Metadata!.Fail!.ErrorMessage).toMatch(
    /^The mean squared error 4\.72006\d* is above the sanity limit 0(\.0)?\.$/,
  );
  expect(step('Register')).toBeUndefined();
  const after = (await site.clients.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: 'abalone' })))
    .ModelPackageSummaryList!;
  expect(after).toHaveLength(before.length);
});

test('another num_round: another model; what did not change comes from the cache', async () => {
  const site = sites[0]!;
  const { id, execution, step } = await execute(site, { ...site.parameters, NumRound: '10' });
  expect(execution.PipelineExecutionStatus).toBe('Succeeded');
  expect(step('Preprocess')!.CacheHitResult?.SourcePipelineExecutionArn).toBeDefined();
  expect(step('Train')!.CacheHitResult).toBeUndefined();
  const { Body } = await site.clients.s3.send(
    new GetObjectCommand({ Bucket: site.bucket, Key: `evaluation/${id}/report/evaluation.json` }),
  );
  expect(JSON.parse(await Body!.transformToString()).regression_metrics.mse.value).toBeCloseTo(4.76493, 4);
});
