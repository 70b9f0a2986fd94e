/** What each role of the templates can and cannot do, tried over the wire. Every denial stands beside an allow that differs in one field. */
import {
  CloudFormationClient,
  CreateStackSetCommand,
  DescribeStackSetCommand,
  UpdateStackSetCommand,
} from '@aws-sdk/client-cloudformation';
import { DeleteRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateModelPackageCommand,
  CreatePipelineCommand,
  CreateTrainingJobCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  DescribeModelPackageCommand,
  DescribePipelineExecutionCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionStepsCommand,
  SageMakerClient,
  StartPipelineExecutionCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from '../../local/aws/core/context.ts';
import { base, bucket, project, startWorld, type World } from '../actions/support/world.ts';
import { approve, image, type LinearServers, linearServers, registerPackage } from '../deploy/support/fixture.ts';
import { assumeByToken, assumeRole } from '../deploy/support/sessions.ts';
import { accounts, region } from '../support/platform.ts';

const model = { weights: [1, 2, 3] };
let world: World;
let servers: LinearServers;
let pending: string;
let keyArn: string;

const sessions = new Map<string, Credentials>();

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
  pending = await registerPackage(world, model);
  const { kms } = world.administrator(accounts.development);
  keyArn = (await kms.send(new DescribeKeyCommand({ KeyId: `alias/sagemaker-${base}` }))).KeyMetadata!.Arn!;
  for (const [suffix, environment] of [
    ['ci-build', 'build'],
    ['ci-gate', 'model-approval'],
    ['ci-record', 'model-record'],
    ['ci-deploy-staging', 'staging'],
    ['ci-deploy-production', 'production'],
  ] as const)
    sessions.set(suffix, await assumeByToken(world, suffix, environment));
  for (const suffix of ['pipeline', 'job']) sessions.set(suffix, asService(accounts.development, suffix));
  sessions.set('model', asService(accounts.staging, 'model'));
  sessions.set(
    'verify',
    await assumeRole(world, sessions.get('ci-deploy-staging')!, roleIn(accounts.staging, 'verify')),
  );
  sessions.set('data-scientist', await world.credentials(accounts.development, `sagemaker-${base}-data-scientist`));
}, 120_000);

afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});

const roleIn = (account: string, suffix: string) => `arn:aws:iam::${account}:role/sagemaker-${base}-${suffix}`;

/** As SageMaker itself takes a role on for a pipeline, a job or a model. */
function asService(account: string, suffix: string): Credentials {
  return world.platform.context.roles.assumeAsService({
    roleArn: roleIn(account, suffix),
    service: 'sagemaker.amazonaws.com',
    sessionName: 'SageMaker',
    sourceAccount: account,
  }).credentials;
}

function client<T>(Client: new (configuration: any) => T, role: string): T {
  const credentials = sessions.get(role);
  if (credentials === undefined) throw new Error(`no session of ${role}`);
  return new Client({ region, endpoint: world.url, credentials, forcePathStyle: true, maxAttempts: 1 });
}

/** The error's name: AccessDeniedException, AccessDenied; '' when the call went through. */
async function denied(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return '';
  } catch (error) {
    const { name, message } = error as Error;
    return /AccessDenied/.test(name) ? 'denied' : `${name}: ${message}`;
  }
}

const sagemaker = (role: string, command: any) => denied(client(SageMakerClient, role).send(command));
const s3 = (role: string, command: any) => denied(client(S3Client, role).send(command));

describe('who may say what about a model', () => {
  const register = (more: object = {}) =>
    new CreateModelPackageCommand({
      ModelPackageGroupName: base,
      ModelApprovalStatus: 'PendingManualApproval',
      InferenceSpecification: {
        Containers: [{ Image: image, ModelDataUrl: `s3://${bucket}/models/${modelKey()}/model.tar.gz` }],
        SupportedContentTypes: ['text/csv'],
        SupportedResponseMIMETypes: ['text/csv'],
      },
      ...more,
    });
  const update = (fields: object) => new UpdateModelPackageCommand({ ModelPackageArn: pending, ...fields });
  const stage = (Stage: string, StageStatus: string) => ({ ModelLifeCycle: { Stage, StageStatus } });
  const gate = { CustomerMetadataProperties: { 'gate-artifact-sha256': 'a'.repeat(64) } };

  test.each([
    ['pipeline', 'registers as pending', () => register(), ''],
    [
      'pipeline',
      'registers with metadata of its own',
      () => register({ CustomerMetadataProperties: { note: 'x' } }),
      '',
    ],
    ['pipeline', 'registers as approved', () => register({ ModelApprovalStatus: 'Approved' }), 'denied'],
    ['pipeline', 'forges a gate record', () => register(gate), 'denied'],
    ['pipeline', 'claims production', () => register(stage('Production', 'Approved')), 'denied'],
    ['pipeline', 'approves', () => update({ ModelApprovalStatus: 'Approved' }), 'denied'],
    ['job', 'registers', () => register(), 'denied'],
    ['ci-build', 'reads', () => new DescribeModelPackageCommand({ ModelPackageName: pending }), ''],
    ['ci-build', 'registers', () => register(), 'denied'],
    ['ci-build', 'approves', () => update({ ModelApprovalStatus: 'Approved' }), 'denied'],
    ['ci-gate', 'rejects with a record', () => update({ ModelApprovalStatus: 'Rejected', ...gate }), ''],
    ['ci-gate', 'sends back to pending', () => update({ ModelApprovalStatus: 'PendingManualApproval' }), 'denied'],
    [
      'ci-gate',
      'approves and claims production',
      () => update({ ModelApprovalStatus: 'Approved', ...stage('Production', 'Approved') }),
      'denied',
    ],
    ['ci-gate', 'claims production', () => update(stage('Production', 'Approved')), 'denied'],
    ['ci-record', 'records a refusal', () => update(stage('Production', 'Rejected')), ''],
    ['ci-record', 'notes a refusal', () => update({ CustomerMetadataProperties: { 'refused-run': 'x' } }), ''],
    [
      'ci-record',
      'notes a refusal and says that it happened',
      () => update({ ...stage('Production', 'RolledBack'), CustomerMetadataProperties: { 'refused-run': 'x' } }),
      'denied',
    ],
    [
      'ci-record',
      'notes a refusal and approves in the registry',
      () => update({ ModelApprovalStatus: 'Approved', CustomerMetadataProperties: { 'refused-run': 'x' } }),
      'denied',
    ],
    ['ci-record', 'notes anything else', () => update({ CustomerMetadataProperties: { note: 'x' } }), 'denied'],
    ['ci-record', 'records another stage', () => update(stage('Staging', 'Rejected')), 'denied'],
    ['ci-record', 'records an approval', () => update(stage('Production', 'Approved')), 'denied'],
    [
      'ci-record',
      'refuses and approves in the registry',
      () => update({ ...stage('Production', 'Rejected'), ModelApprovalStatus: 'Approved' }),
      'denied',
    ],
    [
      'ci-record',
      'refuses and forges a gate record',
      () => update({ ...stage('Production', 'Rejected'), ...gate }),
      'denied',
    ],
    [
      'ci-record',
      'refuses and removes a gate record',
      () => update({ ...stage('Production', 'Rejected'), CustomerMetadataPropertiesToRemove: ['gate-run'] }),
      'denied',
    ],
    ['ci-deploy-staging', 'says staging', () => update(stage('Staging', 'InProgress')), ''],
    [
      'ci-deploy-staging',
      'says staging with its run',
      () => update({ ...stage('Staging', 'Approved'), CustomerMetadataProperties: { 'staging-run': 'x' } }),
      '',
    ],
    ['ci-deploy-staging', 'says production', () => update(stage('Production', 'InProgress')), 'denied'],
    [
      'ci-deploy-staging',
      'approves',
      () => update({ ...stage('Staging', 'Approved'), ModelApprovalStatus: 'Approved' }),
      'denied',
    ],
    ['ci-deploy-staging', 'forges a gate record', () => update({ ...stage('Staging', 'Approved'), ...gate }), 'denied'],
    ['ci-deploy-production', 'says production', () => update(stage('Production', 'InProgress')), ''],
    [
      'ci-deploy-production',
      'notes who let it in',
      () => update({ CustomerMetadataProperties: { 'production-reviewer': 'x' } }),
      '',
    ],
    [
      'ci-deploy-production',
      'notes it and approves in the registry',
      () => update({ ModelApprovalStatus: 'Approved', CustomerMetadataProperties: { 'production-reviewer': 'x' } }),
      'denied',
    ],
    ['ci-deploy-production', 'forges a gate record alone', () => update(gate), 'denied'],
    ['ci-deploy-production', 'says staging', () => update(stage('Staging', 'InProgress')), 'denied'],
    ['data-scientist', 'lists', () => new ListModelPackagesCommand({ ModelPackageGroupName: base }), ''],
    ['data-scientist', 'approves', () => update({ ModelApprovalStatus: 'Approved' }), 'denied'],
    ['verify', 'reads the registry', () => new DescribeModelPackageCommand({ ModelPackageName: pending }), 'denied'],
  ] as const)('%s %s', async (role, _, command, expected) => {
    expect(await sagemaker(role, command())).toBe(expected);
  });

  test('a target account cannot change a package, whatever its own policies say', async () => {
    const command = update({ ModelApprovalStatus: 'Approved' });
    const administrator = world.administrator(accounts.staging).sagemaker;
    expect(await denied(administrator.send(command))).toBe('denied');
  });
});

function modelKey(): string {
  const found = /models\/([0-9a-f]+)\//.exec(modelUri);
  return found?.[1] ?? '';
}
let modelUri = '';
beforeAll(async () => {
  const { sagemaker: admin } = world.administrator(accounts.development);
  const found = await admin.send(new DescribeModelPackageCommand({ ModelPackageName: pending }));
  modelUri = found.InferenceSpecification?.Containers?.[0]?.ModelDataUrl ?? '';
});

describe('a definition cannot give its model more than the pipeline role may', () => {
  const definition = (properties: object) =>
    JSON.stringify({
      Version: '2020-12-01',
      Steps: [
        {
          Name: 'Register-RegisterModel',
          Type: 'RegisterModel',
          Arguments: {
            ModelPackageGroupName: base,
            ModelApprovalStatus: 'PendingManualApproval',
            InferenceSpecification: {
              Containers: [{ Image: image, ModelDataUrl: modelUri }],
              SupportedContentTypes: ['text/csv'],
              SupportedResponseMIMETypes: ['text/csv'],
            },
            ...properties,
          },
        },
      ],
    });

  test.each([
    ['asks for pending', {}, 'Succeeded'],
    ['asks for Approved', { ModelApprovalStatus: 'Approved' }, 'Failed'],
    ['forges gate metadata', { CustomerMetadataProperties: { 'gate-run': 'forged' } }, 'Failed'],
  ])('%s', async (name, properties, status) => {
    const builder = client(SageMakerClient, 'ci-build');
    const role = roleIn(accounts.development, 'pipeline');
    const token = `${name.replaceAll(' ', '-')}-${'x'.repeat(40)}`;
    const body = { PipelineName: base, PipelineDefinition: definition(properties), RoleArn: role };
    try {
      await builder.send(new CreatePipelineCommand({ ...body, ClientRequestToken: token }));
    } catch {
      const { UpdatePipelineCommand } = await import('@aws-sdk/client-sagemaker');
      await builder.send(new UpdatePipelineCommand(body));
    }
    const { PipelineExecutionArn } = await builder.send(
      new StartPipelineExecutionCommand({ PipelineName: base, ClientRequestToken: token }),
    );
    for (let tries = 0; ; tries += 1) {
      const execution = await builder.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn }));
      if (execution.PipelineExecutionStatus !== 'Executing' || tries > 200) {
        expect(execution.PipelineExecutionStatus).toBe(status);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const { PipelineExecutionSteps: steps } = await builder.send(
      new ListPipelineExecutionStepsCommand({ PipelineExecutionArn }),
    );
    if (status === 'Failed')
      expect(steps?.[0]?.FailureReason).toMatch(/not authorized to perform: sagemaker:CreateModelPackage/);
  });
});

describe('who may train, deploy and read', () => {
  const train = new CreateTrainingJobCommand({
    TrainingJobName: 'pipelines-x-train',
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
    RoleArn: `arn:aws:iam::${accounts.development}:role/x`,
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/models/` },
    ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
    StoppingCondition: { MaxRuntimeInSeconds: 60 },
  });

  test.each(['ci-build', 'ci-gate', 'ci-record', 'ci-deploy-production', 'job', 'data-scientist'])(
    '%s cannot train',
    async (role) => {
      expect(await sagemaker(role, train)).toBe('denied');
    },
  );

  test.each(['ci-gate', 'ci-record', 'ci-deploy-staging', 'data-scientist'])(
    '%s cannot start the pipeline',
    async (role) => {
      const command = new StartPipelineExecutionCommand({ PipelineName: base, ClientRequestToken: 't'.repeat(40) });
      expect(await sagemaker(role, command)).toBe('denied');
    },
  );

  test.each([
    ['ci-build', 'code/a', ''],
    ['ci-build', 'models/a', 'denied'],
    ['ci-build', 'evaluation/a', 'denied'],
    ['job', 'models/a', ''],
    ['job', 'evaluation/a', ''],
    ['job', 'code/a', 'denied'],
    ['job', 'data/a', 'denied'],
    ['ci-gate', 'evaluation/a', 'denied'],
    ['ci-deploy-production', 'models/a', 'denied'],
    ['data-scientist', 'models/a', 'denied'],
    ['model', 'models/a', 'denied'],
  ])('%s writes %s', async (role, Key, expected) => {
    expect(await s3(role, new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))).toBe(expected);
  });

  test("an object under another key than the project's is refused, even to an administrator", async () => {
    const { s3: admin, kms } = world.administrator(accounts.development);
    const { CreateKeyCommand } = await import('@aws-sdk/client-kms');
    const other = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
    const put = (SSEKMSKeyId: string) =>
      admin.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: 'models/k',
          Body: 'x',
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId,
        }),
      );
    expect(await denied(put(keyArn))).toBe('');
    expect(await denied(put(other))).toBe('denied');
  });

  test.each([
    ['ci-gate', 'models', ''],
    ['ci-deploy-staging', 'models', ''],
    ['model', 'models', ''],
    ['model', 'evaluation', 'denied'],
    ['model', 'code', 'denied'],
    ['ci-build', 'models', 'denied'],
    ['verify', 'models', 'denied'],
  ])('%s reads below %s/', async (role, prefix, expected) => {
    const { s3: admin } = world.administrator(accounts.development);
    await admin.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/read`, Body: 'x' }));
    expect(await s3(role, new GetObjectCommand({ Bucket: bucket, Key: `${prefix}/read` }))).toBe(expected);
  });

  test('an administrator of a target account reads no model: only its model role does', async () => {
    const get = new GetObjectCommand({ Bucket: bucket, Key: 'models/read' });
    expect(await denied(world.administrator(accounts.staging).s3.send(get))).toBe('denied');
  });
});

describe('stages keep apart', () => {
  const name = (stage: string) => `sagemaker-${base}-deploy-${stage}`;
  const tags = (stage: string) => [
    { Key: 'sagemaker:project-id', Value: project.id },
    { Key: 'sagemaker:deployment-stage', Value: stage },
  ];
  const create = (stage: string, more: object = {}) =>
    new CreateStackSetCommand({
      StackSetName: name(stage),
      TemplateBody: '{"Resources":{"Q":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":"x"}}}}',
      PermissionModel: 'SELF_MANAGED',
      AdministrationRoleARN: world.role('stackset-administration'),
      ExecutionRoleName: `sagemaker-${base}-execution`,
      Tags: tags(stage),
      ...more,
    });
  const cloudformation = (role: string, command: any) => denied(client(CloudFormationClient, role).send(command));

  test('a deploy role makes the stack set of its stage only, and passes the administration role only', async () => {
    expect(await cloudformation('ci-deploy-staging', create('production'))).toBe('denied');
    expect(await cloudformation('ci-deploy-staging', create('staging', { Tags: [] }))).toBe('denied');
    expect(
      await cloudformation('ci-deploy-staging', create('staging', { AdministrationRoleARN: world.role('pipeline') })),
    ).toBe('denied');
    expect(await cloudformation('ci-deploy-staging', create('staging'))).toBe('');
    expect(await cloudformation('ci-deploy-production', create('production'))).toBe('');
    const describe = (stage: string) => new DescribeStackSetCommand({ StackSetName: name(stage) });
    expect(await cloudformation('ci-deploy-staging', describe('staging'))).toBe('');
    expect(await cloudformation('ci-deploy-staging', describe('production'))).toBe('denied');
    const update = new UpdateStackSetCommand({ StackSetName: name('production'), UsePreviousTemplate: true });
    expect(await cloudformation('ci-deploy-staging', update)).toBe('denied');
  });

  test.each([
    ['ci-deploy-staging', accounts.staging, 'verify', ''],
    ['ci-deploy-staging', accounts.production1, 'verify', 'denied'],
    ['ci-deploy-production', accounts.production1, 'verify', ''],
    ['ci-deploy-production', accounts.staging, 'verify', 'denied'],
    ['ci-deploy-production', accounts.production1, 'model', 'denied'],
    ['ci-deploy-production', accounts.production1, 'execution', 'denied'],
    ['ci-deploy-production', accounts.development, 'stackset-administration', 'denied'],
    ['ci-build', accounts.staging, 'verify', 'denied'],
  ])('%s assumes in %s the role %s', async (role, account, suffix, expected) => {
    expect(await denied(assumeRole(world, sessions.get(role)!, roleIn(account, suffix)))).toBe(expected);
  });

  test('the verify role looks and asks, and changes nothing', async () => {
    const EndpointName = `${base}-staging`;
    expect(await sagemaker('verify', new DescribeEndpointCommand({ EndpointName }))).toMatch(
      /^ValidationException: Could not find/,
    );
    expect(await sagemaker('verify', new DescribeEndpointCommand({ EndpointName: 'another' }))).toBe('denied');
    expect(await sagemaker('verify', new DeleteEndpointCommand({ EndpointName }))).toBe('denied');
  });
});

describe('tokens', () => {
  const claims = () => world.claims as unknown as Record<string, unknown>;
  const file = (name: string) => ({
    jobWorkflowRef: `sagemaker-mlops/sagemaker-mlops/.github/workflows/${name}@refs/heads/main`,
  });

  test.each([
    ['the right ones', {}, 'production', ''],
    [
      'at any ref of the workflow',
      {
        jobWorkflowRef:
          'sagemaker-mlops/sagemaker-mlops/.github/workflows/deploy-stage.yml@0123456789abcdef0123456789abcdef01234567',
      },
      'production',
      '',
    ],
    ['another branch', { ref: 'refs/heads/feature' }, 'production', 'denied'],
    ['a tag', { ref: 'refs/tags/main' }, 'production', 'denied'],
    ['a fork', { owner: 'mallory', ownerId: 6666 }, 'production', 'denied'],
    ['another repository', { repository: 'other' }, 'production', 'denied'],
    ['a repository of the same name made anew', { repositoryId: 9999 }, 'production', 'denied'],
    ['the workflow of a rollback', file('model-rollback.yml'), 'production', ''],
    ['another workflow file', file('model-build.yml'), 'production', 'denied'],
    [
      'a workflow file of its own',
      { jobWorkflowRef: 'acme/abalone/.github/workflows/deploy-stage.yml@refs/heads/main' },
      'production',
      'denied',
    ],
    ['another environment', file('deploy-stage.yml'), 'staging', 'denied'],
    ['the environment build', file('deploy-stage.yml'), 'build', 'denied'],
    ['no environment', file('deploy-stage.yml'), '', 'denied'],
  ])('%s', async (_, changes, environment, expected) => {
    const before = { ...claims() };
    Object.assign(claims(), changes);
    try {
      expect(await denied(assumeByToken(world, 'ci-deploy-production', environment))).toBe(expected);
    } finally {
      Object.assign(claims(), before);
    }
  });
});

test.each(['ci-build', 'ci-gate', 'ci-record', 'ci-deploy-staging', 'ci-deploy-production'])(
  '%s cannot become a model, in no account; SageMaker can',
  async (role) => {
    for (const account of [accounts.staging, accounts.production1, accounts.production2]) {
      const model = roleIn(account, 'model');
      expect(await denied(assumeRole(world, sessions.get(role)!, model))).toBe('denied');
      expect(asService(account, 'model').accessKeyId).toMatch(/^ASIALOCAL/);
    }
  },
);

describe('the removal role, which whoever may pass any role of the account can have CloudFormation use', () => {
  const asCloudFormation = (account: string) => ({
    region,
    endpoint: world.url,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: world.platform.context.roles.assumeAsService({
      roleArn: `arn:aws:iam::${account}:role/sagemaker-mlops-removal`,
      service: 'cloudformation.amazonaws.com',
      sessionName: 'AWSCloudFormation',
      sourceAccount: account,
    }).credentials,
  });

  test("schedules the disk key of a stage for deletion, never the project's own", async () => {
    const stageKey = await world
      .administrator(accounts.production2)
      .kms.send(new DescribeKeyCommand({ KeyId: `alias/sagemaker-${base}-production` }));
    const schedule = (account: string, KeyId: string) =>
      new KMSClient(asCloudFormation(account)).send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(await denied(schedule(accounts.development, keyArn))).toBe('denied');
    expect((await schedule(accounts.production2, stageKey.KeyMetadata!.Arn!)).DeletionDate).toBeInstanceOf(Date);
  });

  test('deletes roles of cleanup, none that builds, deploys or is its own', async () => {
    const remove = (RoleName: string) =>
      new IAMClient(asCloudFormation(accounts.development)).send(new DeleteRoleCommand({ RoleName }));
    for (const suffix of ['ci-build', 'ci-deploy-production', 'job', 'pipeline'])
      expect(await denied(remove(`sagemaker-${base}-${suffix}`))).toBe('denied');
    expect(await denied(remove('sagemaker-mlops-removal'))).toBe('denied');
    // It still has its policies, which IAM says only to who may delete it.
    await expect(remove(`sagemaker-${base}-ci-cleanup`)).rejects.toMatchObject({ name: 'DeleteConflictException' });
  });
});

test('ci-gate approves what it has judged', async () => {
  const arn = await registerPackage(world, model);
  await approve(world, arn, model);
  const found = await client(SageMakerClient, 'ci-gate').send(
    new DescribeModelPackageCommand({ ModelPackageName: arn }),
  );
  expect(found.ModelApprovalStatus).toBe('Approved');
});
