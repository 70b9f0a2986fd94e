import {
  CreateModelCommand,
  CreateProcessingJobCommand,
  type CreateProcessingJobRequest,
  CreateTrainingJobCommand,
  type CreateTrainingJobRequest,
  CreateTransformJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  ListModelPackagesCommand,
  ListModelsCommand,
  ListProcessingJobsCommand,
  ListTrainingJobsCommand,
  ListTransformJobsCommand,
  type SageMakerClient,
  StopProcessingJobCommand,
  StopTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gate, processing, training } from './support/definitions.ts';
import { pause, pipelineClient } from './support/pipelines.ts';
import { admin, bucket, createWorld, image, jobRole, region, type World } from './support/world.ts';

let world: World;
let sagemaker: SageMakerClient;

async function open(mode: 'at-once' | 'by-hand' = 'at-once') {
  world = await createWorld({ clock: { mode } });
  await world.createRoles();
  sagemaker = world.administrator().sagemaker;
}
beforeEach(() => open());
afterEach(() => world.close());

const train = (TrainingJobName: string, more: Partial<CreateTrainingJobRequest> = {}, client = sagemaker) =>
  client.send(
    new CreateTrainingJobCommand({
      ...(training('x', `s3://${bucket}/in`, { Arguments: { HyperParameters: { a: '1' } } })['Arguments'] as any),
      TrainingJobName,
      ...more,
    }),
  );
const process = (ProcessingJobName: string, more: Partial<CreateProcessingJobRequest> = {}) =>
  sagemaker.send(
    new CreateProcessingJobCommand({
      ...(processing('x', { Arguments: { ProcessingOutputConfig: undefined } })['Arguments'] as any),
      ProcessingJobName,
      ...more,
    }),
  );
const describeTraining = (TrainingJobName: string) =>
  sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));
async function ended(name: string) {
  for (;;) {
    const job = await describeTraining(name);
    if (job.TrainingJobStatus !== 'InProgress' && job.TrainingJobStatus !== 'Stopping') return job;
    await pause();
  }
}

describe('a training job', () => {
  it('goes through its states and keeps the request in its description', async () => {
    await world.close();
    await open('by-hand');
    world.durations.set('sagemaker:CreateTrainingJob', 90);
    await train('t', { Tags: [{ Key: 'a', Value: 'b' }] });
    while (world.clock.pending === 0) await pause();
    await world.clock.advance(89_000);
    expect(await describeTraining('t')).toMatchObject({
      TrainingJobStatus: 'InProgress',
      SecondaryStatus: 'Training',
      TrainingStartTime: expect.any(Date),
      RoleArn: jobRole,
      HyperParameters: { a: '1' },
    });
    expect((await describeTraining('t')).TrainingEndTime).toBeUndefined();
    await world.clock.advance(1_000);
    const job = await ended('t');
    expect(job).toMatchObject({
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      BillableTimeInSeconds: 90,
      TrainingTimeInSeconds: 90,
      ModelArtifacts: { S3ModelArtifacts: `s3://${bucket}/models/t/output/model.tar.gz` },
    });
    expect(job.SecondaryStatusTransitions?.map((transition) => transition.Status)).toEqual([
      'Starting',
      'Downloading',
      'Training',
      'Uploading',
      'Completed',
    ]);
  });

  it('exists once and is not found by another name', async () => {
    await train('t');
    await expect(train('t')).rejects.toMatchObject({ name: 'ResourceInUse' });
    await expect(describeTraining('u')).rejects.toMatchObject({ name: 'ResourceNotFound' });
  });

  it('fails with the reason of its process', async () => {
    world.jobs.when('t', () => ({ status: 'Failed', failureReason: `AlgorithmError: ${'x'.repeat(2000)}` }));
    await train('t');
    const job = await ended('t');
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.FailureReason).toHaveLength(1024);
    expect(job.ModelArtifacts).toBeUndefined();
  });

  it('fails without running when a fault says so', async () => {
    world.faults.add({
      operation: 'sagemaker:CreateTrainingJob',
      match: { TrainingJobName: 'b*' },
      effect: { kind: 'job-failure', reason: 'CapacityError: none' },
    });
    await train('a');
    await train('b');
    expect((await ended('a')).TrainingJobStatus).toBe('Completed');
    expect(await ended('b')).toMatchObject({ TrainingJobStatus: 'Failed', FailureReason: 'CapacityError: none' });
  });

  it('fails as long after its start as the fault says', async () => {
    world.durations.set('sagemaker:CreateTrainingJob', 7200);
    world.faults.add({
      operation: 'sagemaker:CreateTrainingJob',
      effect: { kind: 'job-failure', reason: 'InternalServerError', after: 'PT10M' },
    });
    await train('t');
    const job = await ended('t');
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.TrainingTimeInSeconds).toBeGreaterThanOrEqual(600);
    expect(job.TrainingTimeInSeconds).toBeLessThan(610);
  });

  it('can be stopped while it runs, not afterwards', async () => {
    world.jobs.block('t');
    await train('t');
    const stop = () => sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: 't' }));
    await stop();
    expect(await ended('t')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
    await expect(stop()).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('counts as stopped when its process ends with an error on the way out', async () => {
    const { release } = world.jobs.block('t');
    const start = world.jobs.start;
    world.jobs.start = (job) => ({
      ...start(job),
      stop: () => release({ status: 'Failed', failureReason: 'AlgorithmError: exit code: 143' }),
    });
    await train('t');
    while (world.jobs.started.length === 0) await pause();
    await sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: 't' }));
    const job = await ended('t');
    expect(job.TrainingJobStatus).toBe('Stopped');
    expect(job.FailureReason).toBeUndefined();
  });

  it('is stopped when its process outlives MaxRuntimeInSeconds', async () => {
    world.jobs.block('t');
    await train('t', { StoppingCondition: { MaxRuntimeInSeconds: 1 } });
    expect(await ended('t')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
  });

  it('is stopped at MaxRuntimeInSeconds of virtual time', async () => {
    world.durations.set('sagemaker:CreateTrainingJob', 7200);
    await train('t', { StoppingCondition: { MaxRuntimeInSeconds: 3600 } });
    const job = await ended('t');
    expect(job).toMatchObject({ SecondaryStatus: 'MaxRuntimeExceeded' });
    expect(job.TrainingTimeInSeconds).toBeGreaterThanOrEqual(3600);
    expect(job.TrainingTimeInSeconds).toBeLessThan(3610);
  });

  it('needs a role that SageMaker may assume and the caller may pass', async () => {
    await expect(train('t', { RoleArn: `arn:aws:iam::${admin}:role/none` })).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('Could not assume role'),
    });
    await world.createRole(admin, 'trainer', [admin], [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }]);
    const client = world.clients(world.signIn(admin, 'trainer'), region).sagemaker;
    await expect(train('t', {}, client)).rejects.toThrow(/iam:PassRole on resource: .*role\/job/);
    expect(world.jobs.started).toEqual([]);
  });

  it('is refused by name when it cannot run here', async () => {
    world.jobs.refuse = () => ['FastFile mode is not supported; use File'];
    await expect(train('t')).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('FastFile'),
    });
    await expect(describeTraining('t')).rejects.toMatchObject({ name: 'ResourceNotFound' });
  });

  it('shows its settings to IAM as condition keys', async () => {
    await world.createRole(
      admin,
      'small',
      [admin],
      [
        { Effect: 'Allow', Action: 'iam:PassRole', Resource: jobRole },
        {
          Effect: 'Allow',
          Action: 'sagemaker:CreateTrainingJob',
          Resource: '*',
          Condition: {
            'ForAllValues:StringEquals': { 'sagemaker:InstanceTypes': ['ml.m5.large'] },
            NumericLessThanEquals: { 'sagemaker:MaxRuntimeInSeconds': '3600' },
          },
        },
      ],
    );
    const client = world.clients(world.signIn(admin, 'small'), region).sagemaker;
    await train('t', {}, client);
    const large = { InstanceType: 'ml.m5.xlarge' as const, InstanceCount: 1, VolumeSizeInGB: 1 };
    await expect(train('u', { ResourceConfig: large }, client)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await expect(train('u', { StoppingCondition: { MaxRuntimeInSeconds: 3601 } }, client)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});

describe('lists of jobs', () => {
  it('filter, sort and page', async () => {
    world.jobs.when('bad', () => ({ status: 'Failed', failureReason: 'AlgorithmError' }));
    for (const name of ['b-1', 'a-2', 'bad-3']) await train(name);
    for (const name of ['b-1', 'a-2', 'bad-3']) await ended(name);
    const names = async (input: object) =>
      (await sagemaker.send(new ListTrainingJobsCommand(input))).TrainingJobSummaries?.map(
        (job) => job.TrainingJobName,
      );
    expect(await names({ SortBy: 'Name', SortOrder: 'Ascending' })).toEqual(['a-2', 'b-1', 'bad-3']);
    expect(await names({ StatusEquals: 'Failed' })).toEqual(['bad-3']);
    expect(await names({ NameContains: 'B', SortBy: 'Name', SortOrder: 'Descending', MaxResults: 1 })).toEqual([
      'bad-3',
    ]);
  });
});

describe('a processing job', () => {
  it('shows its exit message and can be stopped', async () => {
    world.jobs.when('p', () => ({ status: 'Completed', exitMessage: 'all good' }));
    await process('p');
    let job = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: 'p' }));
    while (job.ProcessingJobStatus === 'InProgress') {
      job = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: 'p' }));
    }
    expect(job).toMatchObject({ ProcessingJobStatus: 'Completed', ExitMessage: 'all good', RoleArn: jobRole });
    world.jobs.block('q');
    await process('q');
    await sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName: 'q' }));
    const { ProcessingJobSummaries } = await sagemaker.send(new ListProcessingJobsCommand({ NameContains: 'q' }));
    expect(['Stopping', 'Stopped']).toContain(ProcessingJobSummaries?.[0]?.ProcessingJobStatus);
  });
});

describe('a transform job', () => {
  const transform = {
    TransformInput: { DataSource: { S3DataSource: { S3DataType: 'S3Prefix' as const, S3Uri: `s3://${bucket}/in` } } },
    TransformOutput: { S3OutputPath: `s3://${bucket}/out` },
    TransformResources: { InstanceType: 'ml.m5.large' as const, InstanceCount: 1 },
  };

  it('runs the container of its model with the role of the model', async () => {
    world.s3.put(`s3://${bucket}/models/m.tar.gz`, 'x');
    const modelDataUrl = `s3://${bucket}/models/m.tar.gz`;
    await sagemaker.send(
      new CreateModelCommand({
        ModelName: 'm',
        ExecutionRoleArn: jobRole,
        PrimaryContainer: { Image: image, ModelDataUrl: modelDataUrl },
      }),
    );
    await sagemaker.send(new CreateTransformJobCommand({ TransformJobName: 'b', ModelName: 'm', ...transform }));
    await pause();
    const job = await sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: 'b' }));
    expect(job).toMatchObject({ TransformJobStatus: 'Completed', ModelName: 'm' });
    expect(world.jobs.started[0]).toMatchObject({ kind: 'TransformJob', model: { image, modelDataUrl } });
    expect((await sagemaker.send(new ListTransformJobsCommand({}))).TransformJobSummaries).toHaveLength(1);
    await expect(
      sagemaker.send(new CreateTransformJobCommand({ TransformJobName: 'c', ModelName: 'none', ...transform })),
    ).rejects.toThrow('Could not find model');
  });

  it('follows a Model step of a pipeline', async () => {
    const pipeline = pipelineClient(world);
    pipeline.writeResults(1);
    const definition = gate();
    definition['Steps'] = [
      ...definition['Steps'].slice(1),
      {
        Name: 'Batch_Transform',
        Type: 'Transform',
        Arguments: { ModelName: { Get: 'Steps.CreateModel.ModelName' }, ...transform },
      },
      {
        Name: 'CreateModel',
        Type: 'Model',
        Arguments: {
          ExecutionRoleArn: jobRole,
          PrimaryContainer: { Image: image, ModelDataUrl: { Get: 'Steps.Train.ModelArtifacts.S3ModelArtifacts' } },
        },
      },
    ];
    await pipeline.create(definition);
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toMatchObject({ CreateModel: 'Succeeded', Batch_Transform: 'Succeeded' });
    const model = (await pipeline.step(arn, 'CreateModel'))?.Metadata?.Model?.Arn;
    expect(model).toMatch(/:model\/pipelines-[a-z0-9]{12}-CreateModel-[A-Za-z0-9]{10}$/);
    const job = (await pipeline.step(arn, 'Batch_Transform'))?.Metadata?.TransformJob?.Arn;
    expect(job).toMatch(/:transform-job\/pipelines-[a-z0-9]{12}-Batch-Transform-[A-Za-z0-9]{10}$/);
    expect(world.jobs.started.at(-1)?.request['ModelName']).toBe(model?.split('/')[1]);
  });
});

describe('calls of an execution that go wrong on the way', () => {
  const only = { Version: '2020-12-01', Steps: [processing('Only')] };

  it.each(['CreateProcessingJob', 'CreateTrainingJob', 'CreateModelPackageGroup', 'CreateModelPackage', 'CreateModel'])(
    'a lost answer of %s makes nothing twice',
    async (operation) => {
      const pipeline = pipelineClient(world);
      pipeline.writeResults(1);
      const definition = gate();
      definition['Steps'].push({
        Name: 'CreateModel',
        Type: 'Model',
        Arguments: {
          ExecutionRoleArn: jobRole,
          PrimaryContainer: { Image: image, ModelDataUrl: { Get: 'Steps.Train.ModelArtifacts.S3ModelArtifacts' } },
        },
      });
      await pipeline.create(definition);
      world.faults.add({ operation: `sagemaker:${operation}`, effect: { kind: 'lost-response' } });
      const arn = await pipeline.start();
      expect((await pipeline.finished(arn)).PipelineExecutionStatus).toBe('Succeeded');
      expect(world.jobs.started).toHaveLength(3);
      const { ModelPackageSummaryList } = await sagemaker.send(
        new ListModelPackagesCommand({ ModelPackageGroupName: 'abalone' }),
      );
      expect(ModelPackageSummaryList).toHaveLength(1);
      expect((await sagemaker.send(new ListModelsCommand({}))).Models).toHaveLength(1);
    },
  );

  it('throttling is retried as the service does by itself', async () => {
    const pipeline = pipelineClient(world);
    await pipeline.create(only);
    world.faults.add({ operation: 'sagemaker:CreateProcessingJob', times: 3, effect: { kind: 'throttle' } });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Succeeded' });
    expect((await pipeline.step(arn, 'Only'))?.AttemptCount).toBe(2);
  });

  it('a look at the finished job that fails in passing runs no second job', async () => {
    const pipeline = pipelineClient(world);
    await pipeline.create(only);
    world.faults.add({ operation: 'sagemaker:DescribeProcessingJob', times: 3, effect: { kind: 'throttle' } });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Succeeded' });
    expect(world.jobs.started).toHaveLength(1);
  });

  it('a job that runs too long, or that somebody else stops, fails its step', async () => {
    const pipeline = pipelineClient(world);
    const limited = { Arguments: { StoppingCondition: { MaxRuntimeInSeconds: 1 } } };
    await pipeline.create({ Version: '2020-12-01', Steps: [processing('Long', limited), processing('Killed')] });
    world.jobs.block('-Long-');
    world.jobs.block('-Killed-');
    const arn = await pipeline.start();
    await pipeline.reached(arn, 'Killed', 'Executing');
    const job = (await pipeline.step(arn, 'Killed'))?.Metadata?.ProcessingJob?.Arn?.split('/')[1];
    await sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName: job }));
    expect(await pipeline.outcome(arn)).toEqual({ Long: 'Failed', Killed: 'Failed' });
    expect((await pipeline.step(arn, 'Long'))?.FailureReason).toContain('exceeded MaxRuntimeInSeconds');
    expect((await pipeline.step(arn, 'Killed'))?.FailureReason).toContain('was stopped by somebody else');
  });

  it('a session that ends early is replaced', async () => {
    const pipeline = pipelineClient(world);
    await pipeline.create(only);
    world.faults.add({ operation: 'sagemaker:CreateProcessingJob', effect: { kind: 'expire-credentials' } });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Succeeded' });
  });
});
