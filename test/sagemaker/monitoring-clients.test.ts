/** Monitoring on the whole platform: real jobs, real S3, CloudFormation, and judges that nobody here wrote. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeDataQualityJobDefinitionCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeMonitoringScheduleCommand,
  ListDataQualityJobDefinitionsCommand,
  ListMonitoringSchedulesCommand,
  ListTagsCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ModelServers } from '../../local/aws/core/context.ts';
import { pythonEnvironment } from '../../local/python/index.ts';
import { createStack, events, settled, updateStack } from '../cloudformation/support.ts';
import { accounts, region, startTestPlatform, type TestPlatform, testPython } from '../support/platform.ts';
import { createFakeModelServers, type FakeModelServers } from './support/fake-model-servers.ts';
import { capture, definition } from './support/monitoring.ts';
import { pause } from './support/pipelines.ts';

const account = accounts.development;
const bucket = 'monitored';
const image = `141502667606.dkr.ecr.${region}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3`;
const role = `arn:aws:iam::${account}:role/monitor`;
let platform: TestPlatform;
let servers: FakeModelServers;
let folder: string;

async function createEndpoint(name: string): Promise<void> {
  const { sagemaker } = platform.administrator(account);
  const PrimaryContainer = { Image: image, ModelDataUrl: `s3://${bucket}/model.tar.gz` };
  await sagemaker.send(new CreateModelCommand({ ModelName: name, PrimaryContainer, ExecutionRoleArn: role }));
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: name,
      ProductionVariants: [
        { VariantName: 'AllTraffic', ModelName: name, InstanceType: 'ml.m5.large', InitialInstanceCount: 1 },
      ],
      DataCaptureConfig: capture({ DestinationS3Uri: `s3://${bucket}/capture` }),
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
  const status = async () => (await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }))).EndpointStatus;
  while ((await status()) !== 'InService') await pause();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagemaker-monitoring-'));
  platform = await startTestPlatform({ python: true });
  servers = createFakeModelServers();
  (platform.platform.context as { modelServers: ModelServers }).modelServers = servers;
  const { iam, s3 } = platform.administrator(account);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:*', 'logs:*'], Resource: '*' }],
  });
  await iam.send(new CreateRoleCommand({ RoleName: 'monitor', AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'monitor', PolicyName: 'p', PolicyDocument }));
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'model.tar.gz', Body: 'model' }));
}, 180_000);

afterAll(async () => {
  await servers.closeAll();
  await platform.close();
  await rm(folder, { recursive: true, force: true });
});

it('the SDK’s monitors and boto3 watch an endpoint: data is captured, a job really judges it, the verdict is read', async () => {
  await createEndpoint('watched');
  const result = join(folder, 'monitor.json');
  await promisify(execFile)(
    await testPython(),
    [join(import.meta.dirname, 'foreign/monitor_client.py'), 'watched', bucket, role, image],
    {
      env: {
        ...pythonEnvironment(),
        ...platform.environment(await platform.credentials(account)),
        RESULT: result,
        HOME: folder,
      },
    },
  );
  const boto = JSON.parse(await readFile(result, 'utf8'));
  expect(boto.captured).toBe(3);
  expect(boto.execution).toEqual([
    expect.objectContaining({
      MonitoringScheduleName: 'own',
      MonitoringExecutionStatus: 'CompletedWithViolations',
      EndpointName: 'watched',
    }),
  ]);
  expect(boto.job).toMatchObject({
    ProcessingJobStatus: 'Completed',
    ExitMessage: 'CompletedWithViolations: 1 violations',
    RoleArn: role,
  });
  expect(boto.violations).toEqual({
    violations: [{ feature_name: '_c0', constraint_check_type: 'data_type_check', description: 'no number: oops,6' }],
    rows: 3,
    schedule: 'own',
  });
  expect(boto.schedule).toMatchObject({ MonitoringScheduleStatus: 'Scheduled', EndpointName: 'watched' });
  expect(boto.tags).toContainEqual({ Key: 'team', Value: 'ml' });
  expect(boto.watched).toEqual(['ValidationException', expect.stringContaining('has monitoring schedules: own')]);
  expect(boto.stopped).toBe('Stopped');
  expect(boto.attached).toEqual([image, 'python3', 'ml.m5.xlarge']);
  expect(boto.analyzer).toEqual([
    expect.objectContaining({
      MonitoringExecutionStatus: 'Failed',
      MonitoringType: 'DataQuality',
      FailureReason: expect.stringMatching(
        /local platform does not support .*sagemaker-model-monitor-analyzer.* would start a program of its own/,
      ),
    }),
  ]);
  expect(boto.analyzer[0].ProcessingJobArn).toBeUndefined();
  expect(boto.locked).toEqual(['ValidationException', expect.stringContaining('the monitoring schedule default')]);
  expect(boto.updated).toMatchObject({
    ScheduleConfig: { ScheduleExpression: 'cron(0 2/6 ? * * *)' },
    MonitoringType: 'DataQuality',
  });
  expect(boto.schedules).toEqual(['default']);
  expect(boto.missing[0]).toBe('ResourceNotFound');
  expect(boto.left).toEqual([]);
  expect(boto.unsupported[0]).toBe('NotImplemented');
}, 120_000);

it('CloudFormation makes, changes and removes a schedule and its job definition', async () => {
  await createEndpoint('stacked');
  const { cloudformation, sagemaker } = platform.administrator(account);
  const input = { EndpointInput: { EndpointName: 'stacked', LocalPath: '/opt/ml/processing/input' } };
  const output = {
    MonitoringOutputs: [{ S3Output: { S3Uri: `s3://${bucket}/reports`, LocalPath: '/opt/ml/processing/output' } }],
  };
  const template = (expression: string, threshold: string, more: object = {}) => ({
    Resources: {
      Definition: {
        Type: 'AWS::SageMaker::DataQualityJobDefinition',
        Properties: {
          DataQualityAppSpecification: {
            ImageUri: image,
            ContainerEntrypoint: ['true'],
            Environment: { threshold },
          },
          DataQualityJobInput: input,
          DataQualityJobOutputConfig: output,
          JobResources: definition().MonitoringResources,
          RoleArn: role,
          Tags: [{ Key: 'kind', Value: 'definition' }],
        },
      },
      Capturing: {
        Type: 'AWS::SageMaker::EndpointConfig',
        Properties: {
          EndpointConfigName: 'stacked-capture',
          ProductionVariants: [
            {
              VariantName: 'AllTraffic',
              ModelName: 'stacked',
              InstanceType: 'ml.m5.large',
              InitialInstanceCount: 1,
              InitialVariantWeight: 1,
            },
          ],
          DataCaptureConfig: capture(),
        },
      },
      Own: {
        Type: 'AWS::SageMaker::MonitoringSchedule',
        Properties: {
          MonitoringScheduleName: 'stacked-own',
          MonitoringScheduleConfig: {
            ScheduleConfig: { ScheduleExpression: expression },
            MonitoringJobDefinition: definition({
              MonitoringInputs: [input],
              MonitoringOutputConfig: output,
              RoleArn: role,
              Environment: { threshold },
            }),
          },
          Tags: [{ Key: 'expression', Value: threshold }],
          ...more,
        },
      },
    },
    Outputs: {
      Arn: { Value: { Ref: 'Own' } },
      Definition: { Value: { 'Fn::GetAtt': ['Definition', 'JobDefinitionArn'] } },
    },
  });
  const reasons = async (name: string) =>
    (await events(cloudformation, name)).flatMap((event) => event.ResourceStatusReason ?? []);
  const rests = async ({ StackName, StackStatus }: Stack, status: string) =>
    expect({ StackStatus, reasons: StackStatus === status ? [] : await reasons(StackName!) }).toEqual({
      StackStatus: status,
      reasons: [],
    });
  await platform.control('POST', 'durations', { operation: 'sagemaker:CreateMonitoringSchedule', seconds: 40 });
  const stack = await createStack(cloudformation, 'monitoring', template('cron(0 * ? * * *)', '1'));
  await rests(stack, 'CREATE_COMPLETE');
  const arn = `arn:aws:sagemaker:${region}:${account}:monitoring-schedule/stacked-own`;
  const describe = () =>
    sagemaker.send(new DescribeMonitoringScheduleCommand({ MonitoringScheduleName: 'stacked-own' }));
  const made = await describe();
  expect(made).toMatchObject({ MonitoringScheduleArn: arn, MonitoringScheduleStatus: 'Scheduled' });
  expect(stack.Outputs?.find(({ OutputKey }) => OutputKey === 'Arn')?.OutputValue).toBe(arn);
  const tags = async () => (await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }))).Tags;
  expect(await tags()).toContainEqual({ Key: 'expression', Value: '1' });

  const capturing = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: 'stacked-capture' }));
  expect(capturing.DataCaptureConfig).toEqual(capture());

  const updated = await updateStack(cloudformation, 'monitoring', template('cron(0 4 ? * * *)', '2'));
  await rests(updated, 'UPDATE_COMPLETE');
  const after = await describe();
  expect(after.CreationTime).toEqual(made.CreationTime);
  expect(after.MonitoringScheduleConfig?.ScheduleConfig?.ScheduleExpression).toBe('cron(0 4 ? * * *)');
  expect(after.MonitoringScheduleConfig?.MonitoringJobDefinition?.Environment).toEqual({ threshold: '2' });
  expect(await tags()).toContainEqual({ Key: 'expression', Value: '2' });
  // The job definition was replaced, and the old one went.
  const { JobDefinitionSummaries } = await sagemaker.send(new ListDataQualityJobDefinitionsCommand({}));
  const [only, ...others] = JobDefinitionSummaries ?? [];
  expect(others).toEqual([]);
  const described = await sagemaker.send(
    new DescribeDataQualityJobDefinitionCommand({ JobDefinitionName: only?.MonitoringJobDefinitionName }),
  );
  expect(described.DataQualityAppSpecification?.Environment).toEqual({ threshold: '2' });
  expect(described.JobDefinitionArn).not.toBe(
    stack.Outputs?.find(({ OutputKey }) => OutputKey === 'Definition')?.OutputValue,
  );

  await cloudformation.send(new DeleteStackCommand({ StackName: 'monitoring' }));
  expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
  expect((await sagemaker.send(new ListMonitoringSchedulesCommand({}))).MonitoringScheduleSummaries).toEqual([]);
  expect((await sagemaker.send(new ListDataQualityJobDefinitionsCommand({}))).JobDefinitionSummaries).toEqual([]);

  // A schedule that SageMaker cannot make, and properties that only the service writes.
  await platform.control('POST', 'faults', {
    operation: 'sagemaker:CreateMonitoringSchedule',
    effect: { kind: 'resource-failure', reason: 'InternalServerError: no capacity' },
  });
  const failed = await createStack(cloudformation, 'unmade', template('cron(0 * ? * * *)', '1'));
  expect(failed.StackStatus).toBe('ROLLBACK_COMPLETE');
  expect((await reasons('unmade')).join('\n')).toContain(
    'Monitoring schedule stacked-own is Failed: InternalServerError: no capacity',
  );
  const refused = await createStack(
    cloudformation,
    'refused',
    template('cron(0 * ? * * *)', '1', { MonitoringScheduleStatus: 'Stopped' }),
  );
  expect(refused.StackStatus).toBe('ROLLBACK_COMPLETE');
  expect((await reasons('refused')).join('\n')).toContain('MonitoringScheduleStatus');
  const bias = await createStack(cloudformation, 'bias', {
    Resources: { Bias: { Type: 'AWS::SageMaker::ModelBiasJobDefinition', Properties: {} } },
  });
  expect((await reasons('bias')).join('\n')).toContain('AWS::SageMaker::ModelBiasJobDefinition');
  expect(bias.StackStatus).toBe('ROLLBACK_COMPLETE');
}, 60_000);
