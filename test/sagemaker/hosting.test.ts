import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  type CreateEndpointConfigInput,
  CreateModelCommand,
  type CreateModelInput,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  DescribeModelCommand,
  ListEndpointsCommand,
  PutModelPackageGroupPolicyCommand,
  type SageMakerClient,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseVariant } from '../../local/aws/services/sagemaker/hosting/runtime.ts';
import { pause } from './support/pipelines.ts';
import { admin, bucket, createWorld, digest, image, region, target, type World } from './support/world.ts';

let world: World;
let sagemaker: SageMakerClient;
const modelRole = `arn:aws:iam::${admin}:role/model`;
const model = `s3://${bucket}/models/model.tar.gz`;

async function open(mode: 'at-once' | 'by-hand' = 'at-once') {
  world = await createWorld({ clock: { mode } });
  sagemaker = world.administrator().sagemaker;
  world.s3.put(model, 'model');
  await world.createRole(
    admin,
    'model',
    ['sagemaker.amazonaws.com'],
    [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/models/*` }],
  );
}
beforeEach(() => open());
afterEach(() => world.close());

const createModel = (more: Partial<CreateModelInput> = {}, client = sagemaker) =>
  client.send(
    new CreateModelCommand({
      ModelName: 'm',
      PrimaryContainer: { Image: image, ModelDataUrl: model },
      ExecutionRoleArn: modelRole,
      ...more,
    }),
  );
const variant = (more: object = {}) => ({
  VariantName: 'AllTraffic',
  ModelName: 'm',
  InstanceType: 'ml.m5.large' as const,
  InitialInstanceCount: 2,
  ...more,
});
const createConfig = (name: string, more: Partial<CreateEndpointConfigInput> = {}) =>
  sagemaker.send(
    new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant()], ...more }),
  );
const createEndpoint = (config = 'c1') =>
  sagemaker.send(new CreateEndpointCommand({ EndpointName: 'e', EndpointConfigName: config }));
const describeEndpoint = () => sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'e' }));

async function settled() {
  for (;;) {
    const endpoint = await describeEndpoint();
    if (!['Creating', 'Updating', 'Deleting'].includes(endpoint.EndpointStatus ?? '')) return endpoint;
    await pause();
  }
}

function invoke(body: string, more: object = {}, account = admin) {
  return world.runtime(world.signIn(account)).send(
    new InvokeEndpointCommand({
      EndpointName: 'e',
      Body: body,
      ContentType: 'text/csv',
      Accept: 'text/csv',
      ...more,
    }),
  );
}
const answer = async (body = '1,2') => Buffer.from((await invoke(body)).Body ?? []).toString();

async function serving() {
  await createModel();
  await createConfig('c1');
  await createEndpoint();
  await settled();
}

describe('models', () => {
  it('are described as they were made, and exist once', async () => {
    await createModel({ Tags: [{ Key: 'a', Value: 'b' }] });
    expect(await sagemaker.send(new DescribeModelCommand({ ModelName: 'm' }))).toMatchObject({
      ModelArn: `arn:aws:sagemaker:${region}:${admin}:model/m`,
      PrimaryContainer: { Image: image, ModelDataUrl: model },
      ExecutionRoleArn: modelRole,
    });
    await expect(createModel()).rejects.toThrow('Cannot create already existing model');
    await sagemaker.send(new DeleteModelCommand({ ModelName: 'm' }));
    await expect(sagemaker.send(new DescribeModelCommand({ ModelName: 'm' }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^Could not find model/),
    });
  });

  it.each<[string, Partial<CreateModelInput>, RegExp]>([
    [
      'an artefact that is not there',
      { PrimaryContainer: { Image: image, ModelDataUrl: `s3://${bucket}/models/none` } },
      /Could not (find|access) model data/,
    ],
    [
      'an artefact that the role cannot read',
      { PrimaryContainer: { Image: image, ModelDataUrl: `s3://${bucket}/private/x` } },
      /Please ensure that the role ".*role\/model" has "s3:GetObject"/,
    ],
    [
      'a role that is missing',
      { ExecutionRoleArn: `arn:aws:iam::${admin}:role/none` },
      /Could not assume role .*role\/none/,
    ],
    [
      'an image that nobody knows',
      { PrimaryContainer: { Image: '1.dkr.ecr.eu-west-1.amazonaws.com/x:1', ModelDataUrl: model } },
      /Requested image .* not found/,
    ],
    ['no container', { PrimaryContainer: undefined as never }, /PrimaryContainer or Containers/],
  ])('are refused with %s', async (_name, more, message) => {
    world.s3.put(`s3://${bucket}/private/x`, 'secret');
    await expect(createModel(more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });

  it('need PassRole on their role', async () => {
    await world.createRole(
      admin,
      'maker',
      [admin],
      [{ Effect: 'Allow', Action: 'sagemaker:CreateModel', Resource: '*' }],
    );
    const client = world.clients(world.signIn(admin, 'maker'), region).sagemaker;
    await expect(createModel({}, client)).rejects.toThrow(
      /not authorized to perform: iam:PassRole on resource: .*role\/model/,
    );
  });
});

describe('a model from the package of another account', () => {
  const group = 'abalone';
  let arn: string;
  const statement = (Action: string[], Resource: string) => ({
    Effect: 'Allow' as const,
    Principal: { AWS: `arn:aws:iam::${target}:root` },
    Action,
    Resource,
  });
  beforeEach(async () => {
    await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group }));
    const created = await sagemaker.send(
      new CreateModelPackageCommand({
        ModelPackageGroupName: group,
        InferenceSpecification: {
          Containers: [{ Image: image, ModelDataUrl: model, Environment: { A: '1', B: '1' } }],
          SupportedContentTypes: ['text/csv'],
          SupportedResponseMIMETypes: ['text/csv'],
        },
      }),
    );
    arn = created.ModelPackageArn as string;
    await world.createRole(
      target,
      'model',
      ['sagemaker.amazonaws.com'],
      [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
    );
  });
  const approve = () =>
    sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelApprovalStatus: 'Approved' }));
  const share = (...actions: string[]) =>
    sagemaker.send(
      new PutModelPackageGroupPolicyCommand({
        ModelPackageGroupName: group,
        ResourcePolicy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [statement(actions, `arn:aws:sagemaker:${region}:${admin}:model-package/${group}/*`)],
        }),
      }),
    );
  const openBucket = async () => {
    await world.setBucketPolicy({
      Version: '2012-10-17',
      Statement: [statement(['s3:GetObject'], `arn:aws:s3:::${bucket}/*`)],
    });
    world.s3.put(model, 'model');
  };
  const deploy = () =>
    createModel(
      {
        PrimaryContainer: { ModelPackageName: arn, Environment: { B: '2' } },
        ExecutionRoleArn: `arn:aws:iam::${target}:role/model`,
      },
      world.administrator(target).sagemaker,
    );

  it('needs the group policy, the approval and the bucket, each told apart', async () => {
    await expect(deploy()).rejects.toThrow(
      /not authorized to perform: sagemaker:DescribeModelPackage on resource: .*model-package\/abalone\/1/,
    );
    await share('sagemaker:DescribeModelPackage');
    await expect(deploy()).rejects.toThrow(
      /not authorized to perform: sagemaker:CreateModel on resource: .*model-package\/abalone\/1/,
    );
    await share('sagemaker:DescribeModelPackage', 'sagemaker:CreateModel');
    await expect(deploy()).rejects.toThrow('approval status PendingManualApproval');
    await approve();
    await expect(deploy()).rejects.toThrow(/Could not access model data at .* role ".*444455556666:role\/model"/);
    await openBucket();
    expect((await deploy()).ModelArn).toBe(`arn:aws:sagemaker:${region}:${target}:model/m`);
    const { sagemaker: foreign } = world.administrator(target);
    await foreign.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'c', ProductionVariants: [variant()] }));
    await foreign.send(new CreateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c' }));
    while ((await foreign.send(new DescribeEndpointCommand({ EndpointName: 'e' }))).EndpointStatus === 'Creating')
      await pause();
    expect(world.modelServers.started[0]).toMatchObject({
      account: target,
      container: { image, modelDataUrl: model, environment: { A: '1', B: '2' } },
    });
  });

  it('stays in the region of the package', async () => {
    await approve();
    const elsewhere = world.clients(world.signIn(admin), 'us-east-1').sagemaker;
    await expect(createModel({ PrimaryContainer: { ModelPackageName: arn } }, elsewhere)).rejects.toThrow(
      'a model package can only be used in its own region',
    );
  });
});

describe('endpoint configurations', () => {
  beforeEach(() => createModel());

  it.each<[string, Partial<CreateEndpointConfigInput>, RegExp]>([
    ['a model that is not there', { ProductionVariants: [variant({ ModelName: 'none' })] }, /Could not find model/],
    [
      'a key on local disks',
      { KmsKeyId: 'alias/x', ProductionVariants: [variant({ InstanceType: 'ml.m5d.large' })] },
      /KmsKeyId is not supported for instance type ml.m5d.large/,
    ],
    ['one variant name twice', { ProductionVariants: [variant(), variant()] }, /AllTraffic appears twice/],
  ])('are refused with %s', async (_name, more, message) => {
    await expect(createConfig('c1', more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });

  it('are refused by name for what is not there', async () => {
    await expect(
      createConfig('c1', {
        ProductionVariants: [
          { VariantName: 'v', ModelName: 'm', ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 1 } },
        ],
      }),
    ).rejects.toMatchObject({ name: 'NotImplemented', message: expect.stringContaining('ServerlessConfig') });
  });
});

describe('an endpoint', () => {
  it('answers when it is in service, with the variant that answered', async () => {
    await serving();
    const endpoint = await describeEndpoint();
    expect(endpoint).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'c1',
      ProductionVariants: [
        {
          VariantName: 'AllTraffic',
          CurrentInstanceCount: 2,
          CurrentWeight: 1,
          DeployedImages: [{ SpecifiedImage: image, ResolvedImage: `${image.replace(/:[^:]*$/, '')}@${digest}` }],
        },
      ],
    });
    expect(endpoint.FailureReason).toBeUndefined();
    const response = await invoke('1,2', { CustomAttributes: 'trace=1' });
    expect(Buffer.from(response.Body ?? []).toString()).toBe('1,text/csv,text/csv,1,2');
    expect(response).toMatchObject({
      ContentType: 'text/csv',
      InvokedProductionVariant: 'AllTraffic',
      CustomAttributes: 'trace=1',
    });
    expect((await sagemaker.send(new ListEndpointsCommand({ StatusEquals: 'InService' }))).Endpoints).toHaveLength(1);
  });

  it('passes the error of the model on', async () => {
    await serving();
    await expect(invoke('bad')).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 415,
      OriginalMessage: 'cannot parse',
      $metadata: { httpStatusCode: 424 },
    });
  });

  it('is not found by the runtime when it is not there, and denied without the right', async () => {
    await expect(invoke('1')).rejects.toMatchObject({
      name: 'ValidationError',
      message: `Endpoint e of account ${admin} not found.`,
    });
    await world.createRole(admin, 'nobody', [admin], []);
    await expect(
      world.runtime(world.signIn(admin, 'nobody')).send(new InvokeEndpointCommand({ EndpointName: 'e', Body: '1' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await serving();
    await expect(invoke('1', { TargetVariant: 'Other' })).rejects.toMatchObject({ name: 'ValidationError' });
  });

  it('fails with the reason of its server and can then only be deleted', async () => {
    await createModel();
    await createConfig('c1');
    world.modelServers.failure =
      'The primary container for production variant AllTraffic did not pass the ping health check.';
    await createEndpoint();
    expect(await settled()).toMatchObject({ EndpointStatus: 'Failed', FailureReason: world.modelServers.failure });
    await expect(
      sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c1' })),
    ).rejects.toThrow('it can only be deleted');
    await sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }));
    await gone();
  });

  it('fails when a fault says so', async () => {
    await createModel();
    await createConfig('c1');
    world.faults.add({
      operation: 'sagemaker:CreateEndpoint',
      effect: { kind: 'resource-failure', reason: 'no capacity' },
    });
    await createEndpoint();
    expect(await settled()).toMatchObject({ EndpointStatus: 'Failed', FailureReason: 'no capacity' });
    expect(world.modelServers.started).toEqual([]);
  });

  it('is created as slowly as the clock says', async () => {
    await world.close();
    await open('by-hand');
    world.durations.set('sagemaker:CreateEndpoint', 300);
    await createModel();
    await createConfig('c1');
    await createEndpoint();
    while (world.clock.pending === 0) await pause();
    await world.clock.advance(299_000);
    expect((await describeEndpoint()).EndpointStatus).toBe('Creating');
    await expect(invoke('1')).rejects.toMatchObject({
      name: 'ModelNotReadyException',
      $metadata: { httpStatusCode: 429 },
    });
    await expect(sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }))).rejects.toThrow(
      'in-progress endpoint',
    );
    await world.clock.advance(1_000);
    expect((await settled()).EndpointStatus).toBe('InService');
  });

  async function gone() {
    while ((await sagemaker.send(new ListEndpointsCommand({}))).Endpoints?.length !== 0) await pause();
    await expect(describeEndpoint()).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^Could not find endpoint/),
    });
  }

  it('stops its server when it is deleted', async () => {
    await serving();
    await sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }));
    await gone();
    expect(world.modelServers.running).toEqual([]);
    await expect(sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }))).rejects.toThrow(
      'Could not find endpoint',
    );
    await sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName: 'c1' }));
  });

  it('replaces a server that dies', async () => {
    await serving();
    const [first] = world.modelServers.running;
    await first?.stop();
    first?.die('exit code 137');
    while (world.modelServers.running.length === 0) await pause();
    while (world.modelServers.started.length < 2) await pause();
    await pause();
    expect(await answer()).toBe('2,text/csv,text/csv,1,2');
    expect(world.warnings.join()).toContain('ended and is replaced: exit code 137');
    await sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }));
    await gone();
    expect(world.modelServers.running).toEqual([]);
  });

  it('spreads requests over its variants by weight, unless one is asked for', async () => {
    await createModel();
    await createConfig('c1', {
      ProductionVariants: [variant({ VariantName: 'A', InitialVariantWeight: 0 }), variant({ VariantName: 'B' })],
    });
    await createEndpoint();
    await settled();
    const answered = await Promise.all(
      Array.from({ length: 8 }, async () => (await invoke('1')).InvokedProductionVariant),
    );
    expect(new Set(answered)).toEqual(new Set(['B']));
    expect((await invoke('1', { TargetVariant: 'A' })).InvokedProductionVariant).toBe('A');
    const fleet = { variants: [{ weight: 1 }, { weight: 3 }] } as never;
    const share = Array.from({ length: 100 }, (_, index) => chooseVariant(fleet, (index + 0.5) / 100)?.weight);
    expect(share.filter((weight) => weight === 1)).toHaveLength(25);
  });

  it('does not scale: that is refused by name', async () => {
    await serving();
    await expect(
      sagemaker.send(
        new UpdateEndpointWeightsAndCapacitiesCommand({
          EndpointName: 'e',
          DesiredWeightsAndCapacities: [{ VariantName: 'AllTraffic', DesiredInstanceCount: 3 }],
        }),
      ),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('an update of an endpoint', () => {
  const update = (more: object = {}) =>
    sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c2', ...more }));
  const blueGreen = (routing: object, TerminationWaitInSeconds = 0) => ({
    DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: routing, TerminationWaitInSeconds } },
  });
  beforeEach(async () => {
    await world.close();
    await open('by-hand');
    await serving();
    await createConfig('c2', { ProductionVariants: [variant({ InitialInstanceCount: 3 })] });
  });

  it('moves to a new fleet and stops the old one', async () => {
    expect(await answer()).toBe('1,text/csv,text/csv,1,2');
    await update();
    expect(await settled()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'c2',
      ProductionVariants: [{ CurrentInstanceCount: 3 }],
    });
    expect(await answer()).toBe('2,text/csv,text/csv,1,2');
    expect(world.modelServers.running).toHaveLength(1);
  });

  it('is rolled back silently when the new fleet does not come up', async () => {
    world.modelServers.failure = 'ping';
    await update();
    const endpoint = await settled();
    expect(endpoint).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'c1' });
    expect(endpoint.FailureReason).toBeUndefined();
    expect(endpoint.PendingDeploymentSummary).toBeUndefined();
    expect(await answer()).toBe('1,text/csv,text/csv,1,2');
    expect(world.warnings.join()).toContain('stays on c1: ping');
  });

  it('shows what is pending, bakes by the clock and rolls back when the new fleet dies meanwhile', async () => {
    await update(
      blueGreen({ Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: 34 }, WaitIntervalInSeconds: 600 }),
    );
    while (world.clock.pending === 0) await pause();
    expect(await describeEndpoint()).toMatchObject({
      EndpointStatus: 'Updating',
      EndpointConfigName: 'c1',
      PendingDeploymentSummary: {
        EndpointConfigName: 'c2',
        ProductionVariants: [
          { VariantName: 'AllTraffic', DesiredInstanceCount: 3, VariantStatus: [{ Status: 'Baking' }] },
        ],
      },
    });
    // A third of the requests already goes to the new fleet; that forty all take one way is as good as impossible.
    const answers = await Promise.all(Array.from({ length: 40 }, () => answer()));
    expect(new Set(answers.map((text) => text.split(',')[0]))).toEqual(new Set(['1', '2']));
    await expect(update()).rejects.toThrow('in-progress endpoint');
    await expect(sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'e' }))).rejects.toThrow(
      'in-progress endpoint',
    );
    await world.clock.advance(600_000);
    world.modelServers.running.at(-1)?.die('exit code 137');
    expect(await settled()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'c1' });
    expect(world.modelServers.running).toHaveLength(1);
  });

  it('takes all its waits before it ends', async () => {
    const begin = world.clock.now().getTime();
    await update(
      blueGreen(
        { Type: 'LINEAR', LinearStepSize: { Type: 'CAPACITY_PERCENT', Value: 50 }, WaitIntervalInSeconds: 100 },
        60,
      ),
    );
    for (const wait of [100, 100, 60]) {
      while (world.clock.pending === 0) await pause();
      expect((await describeEndpoint()).EndpointStatus).toBe('Updating');
      await world.clock.advance(wait * 1000);
    }
    expect(await settled()).toMatchObject({ EndpointConfigName: 'c2' });
    expect(world.clock.now().getTime() - begin).toBe(260_000);
  });

  it('keeps counts and weights when it is told to retain them', async () => {
    await update({ RetainAllVariantProperties: true });
    expect(await settled()).toMatchObject({
      EndpointConfigName: 'c2',
      ProductionVariants: [{ CurrentInstanceCount: 2 }],
    });
    await update({
      EndpointConfigName: 'c2',
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredInstanceCount' }],
    });
    expect(await settled()).toMatchObject({ ProductionVariants: [{ CurrentInstanceCount: 3 }] });
  });

  it('refuses guardrails that could not act, and steps that are too large', async () => {
    await expect(
      update({
        DeploymentConfig: {
          ...blueGreen({ Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 }).DeploymentConfig,
          AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'x' }] },
        },
      }),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(
      update(blueGreen({ Type: 'CANARY', CanarySize: { Type: 'INSTANCE_COUNT', Value: 2 }, WaitIntervalInSeconds: 0 })),
    ).rejects.toThrow('at most 50 percent');
    expect((await describeEndpoint()).EndpointStatus).toBe('InService');
  });
});
