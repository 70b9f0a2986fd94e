import {
  DeletePipelineCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionsCommand,
  RetryPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gate, outputOf, processing, training } from './support/definitions.ts';
import { pause, pipelineClient } from './support/pipelines.ts';
import { createWorld, token, type World } from './support/world.ts';

let world: World;
let pipeline: ReturnType<typeof pipelineClient>;

async function open(mode: 'at-once' | 'by-hand' = 'at-once') {
  world = await createWorld({ clock: { mode } });
  await world.createRoles();
  pipeline = pipelineClient(world);
  pipeline.writeResults(5.25);
}
beforeEach(() => open());
afterEach(() => world.close());

const simple = (...steps: object[]) => ({ Version: '2020-12-01', Steps: steps });
const fault = (operation: string, effect: object, more: object = {}) =>
  world.faults.add({ operation: `sagemaker:${operation}`, effect, ...more });
const retry = (arn: string, clientToken = token) =>
  pipeline.sagemaker.send(
    new RetryPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: clientToken }),
  );

describe('a retry of an execution', () => {
  it('keeps what succeeded and runs the rest under the same ARN', async () => {
    await pipeline.create(gate());
    fault('CreateTrainingJob', { kind: 'job-failure', reason: 'CapacityError: no ml.m5.large left' });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Preprocess: 'Succeeded', Train: 'Failed' });
    expect((await pipeline.step(arn, 'Train'))?.FailureReason).toBe('CapacityError: no ml.m5.large left');
    expect((await retry(arn)).PipelineExecutionArn).toBe(arn);
    expect((await pipeline.finished(arn)).PipelineExecutionStatus).toBe('Succeeded');
    const jobs = world.jobs.started.map((job) => job.name.split('-')[2]);
    expect(jobs).toEqual(['Preprocess', 'Train', 'Train', 'Evaluate']);
    expect((await pipeline.step(arn, 'Train'))?.AttemptCount).toBe(2);
    const packages = await pipeline.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: 'abalone' }));
    expect(packages.ModelPackageSummaryList).toHaveLength(1);
  });

  it('runs the own definition of the execution, not the newest', async () => {
    await pipeline.create(simple(processing('Old')));
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'CapacityError' });
    const arn = await pipeline.start();
    await pipeline.finished(arn);
    await pipeline.update(simple(processing('New')));
    await retry(arn);
    expect(await pipeline.outcome(arn)).toEqual({ Old: 'Succeeded' });
  });

  it('does nothing twice for the same token', async () => {
    await pipeline.create(simple(processing('Only')));
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'CapacityError' }, { times: 2 });
    const arn = await pipeline.start();
    await pipeline.finished(arn);
    await retry(arn);
    await pipeline.finished(arn);
    await retry(arn);
    expect((await pipeline.describe(arn)).PipelineExecutionStatus).toBe('Failed');
    expect(world.jobs.started).toHaveLength(2);
  });

  it('is refused while it runs, after success and after a Fail step', async () => {
    await pipeline.create(gate());
    world.jobs.block('-Preprocess-');
    const running = await pipeline.start();
    await expect(retry(running)).rejects.toMatchObject({ name: 'ConflictException' });
    await expect(
      pipeline.sagemaker.send(new DeletePipelineCommand({ PipelineName: 'abalone', ClientRequestToken: token })),
    ).rejects.toMatchObject({ name: 'ConflictException' });
    world.jobs.when('-Preprocess-', () => ({ status: 'Completed' }));
    const done = await pipeline.start();
    await pipeline.finished(done);
    await expect(retry(done)).rejects.toMatchObject({ name: 'ConflictException' });
    const failed = await pipeline.start({ MaxMse: '1' });
    await pipeline.finished(failed);
    await expect(retry(failed)).rejects.toThrow("Fail step 'TooBad'");
  });
});

describe('retry policies of a step', () => {
  const policy = (more: object = {}) => [{ ExceptionType: ['SageMaker.CAPACITY_ERROR'], ...more }];

  it('try again what they name, counting attempts', async () => {
    await pipeline.create(simple(processing('Only', { RetryPolicies: policy({ MaxAttempts: 2 }) })));
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'CapacityError: x' }, { times: 2 });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Succeeded' });
    expect((await pipeline.step(arn, 'Only'))?.AttemptCount).toBe(3);
    expect(new Set(world.jobs.started.map((job) => job.name)).size).toBe(3);
  });

  it('give up after MaxAttempts retries', async () => {
    await pipeline.create(simple(processing('Only', { RetryPolicies: policy({ MaxAttempts: 1 }) })));
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'CapacityError: x' }, { times: 9 });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Failed' });
    expect((await pipeline.step(arn, 'Only'))?.AttemptCount).toBe(2);
  });

  it('never try a failed script again', async () => {
    await pipeline.create(simple(processing('Only', { RetryPolicies: policy() })));
    world.jobs.when('-Only-', () => ({ status: 'Failed', failureReason: 'AlgorithmError: exit code: 1' }));
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Failed' });
    expect(world.jobs.started).toHaveLength(1);
  });

  it('wait by the clock: interval times back-off', async () => {
    await world.close();
    await open('by-hand');
    await pipeline.create(
      simple(processing('Only', { RetryPolicies: policy({ IntervalSeconds: 10, BackoffRate: 3, MaxAttempts: 2 }) })),
    );
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'CapacityError: x' }, { times: 2 });
    const begin = world.clock.now().getTime();
    const arn = await pipeline.start();
    for (const expected of [10_000, 40_000]) {
      while (world.clock.pending === 0) await pause();
      expect((world.clock.next()?.getTime() ?? 0) - begin).toBe(expected);
      await world.clock.advanceToNext();
    }
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Succeeded' });
  });

  it('name the refused call in the reason, and refusals of IAM are final', async () => {
    await world.createRole(
      '111122223333',
      'narrow',
      ['sagemaker.amazonaws.com'],
      [
        {
          Effect: 'Allow',
          Action: ['sagemaker:CreateProcessingJob', 'sagemaker:DescribeProcessingJob'],
          Resource: '*',
        },
      ],
    );
    await pipeline.create(simple(processing('Only')), 'arn:aws:iam::111122223333:role/narrow');
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toEqual({ Only: 'Failed' });
    expect(await pipeline.step(arn, 'Only')).toMatchObject({
      AttemptCount: 1,
      Metadata: {},
      FailureReason: expect.stringMatching(
        /^ClientError: Failed to invoke sagemaker:CreateProcessingJob\. Error Details: User: arn:aws:sts::111122223333:assumed-role\/narrow\/.* is not authorized to perform: (sagemaker:AddTags|iam:PassRole)/,
      ),
    });
  });
});

describe('a pipeline role that SageMaker cannot assume', () => {
  it('fails the execution with that reason, without a step', async () => {
    await world.createRole('111122223333', 'foreign', ['ec2.amazonaws.com'], []);
    await pipeline.create(simple(processing('Only')), 'arn:aws:iam::111122223333:role/foreign');
    const arn = await pipeline.start();
    expect(await pipeline.finished(arn)).toMatchObject({
      PipelineExecutionStatus: 'Failed',
      FailureReason: expect.stringContaining('Could not assume role arn:aws:iam::111122223333:role/foreign'),
    });
    expect(await pipeline.steps(arn)).toEqual([]);
  });
});

describe('a selective execution', () => {
  const select = (source: string | undefined, ...names: string[]) => ({
    SelectiveExecutionConfig: {
      ...(source === undefined ? {} : { SourcePipelineExecutionArn: source }),
      SelectedSteps: names.map((StepName) => ({ StepName })),
    },
  });

  it('runs the selected steps with the values of the source', async () => {
    await pipeline.create(gate());
    const source = await pipeline.start({ Rounds: '77' });
    await pipeline.finished(source);
    const arn = await pipeline.start({}, select(source, 'Train'));
    expect(await pipeline.finished(arn)).toMatchObject({
      PipelineExecutionStatus: 'Succeeded',
      SelectiveExecutionConfig: { SourcePipelineExecutionArn: source, SelectedSteps: [{ StepName: 'Train' }] },
    });
    const steps = await pipeline.steps(arn);
    expect(steps.map((step) => [step.StepName, step.SelectiveExecutionResult])).toEqual([
      ['Preprocess', { SourcePipelineExecutionArn: source }],
      ['Train', undefined],
    ]);
    const job = world.jobs.started.at(-1);
    expect(job?.request['HyperParameters']).toEqual({ num_round: '77' });
    expect(job?.request['InputDataConfig'][0].DataSource.S3DataSource.S3Uri).toContain(source.split('/').at(-1));
  });

  it('reads property files of the source', async () => {
    await pipeline.create(gate());
    const source = await pipeline.start();
    await pipeline.finished(source);
    const arn = await pipeline.start({ MaxMse: '1' }, select(source, 'Gate', 'TooBad'));
    expect(await pipeline.outcome(arn)).toMatchObject({ Gate: 'Succeeded', TooBad: 'Failed' });
  });

  it('is refused without what it needs, or with a gap', async () => {
    await pipeline.create(gate());
    const source = await pipeline.start();
    await pipeline.finished(source);
    await expect(pipeline.start({}, select(undefined, 'Train'))).rejects.toThrow(
      'Invalid SourcePipelineExecutionArn: null. The selected steps [Train] have dependencies on [Preprocess]',
    );
    await expect(pipeline.start({}, select(source, 'Preprocess', 'Evaluate'))).rejects.toThrow('between them: [Train]');
    await expect(pipeline.start({}, select(source, 'Nothing'))).rejects.toThrow("no step 'Nothing'");
    await expect(pipeline.start({}, select(source, 'TooBad'))).resolves.toBeDefined();
    world.jobs.when('-Train-', () => ({ status: 'Failed', failureReason: 'AlgorithmError' }));
    const failed = await pipeline.start();
    await pipeline.finished(failed);
    await expect(pipeline.start({}, select(failed, 'Evaluate'))).rejects.toThrow("step 'Train', which did not succeed");
    expect(await pipeline.outcome(await pipeline.start({}, select(failed, 'Preprocess')))).toEqual({
      Preprocess: 'Succeeded',
    });
  });
});

describe('a cached step', () => {
  const cached = (more: object = {}) => ({ CacheConfig: { Enabled: true, ...more } });
  const pair = (settings: object, entry = 'a.py') =>
    simple(
      processing('Prepare', {
        ...settings,
        Arguments: {
          AppSpecification: { ImageUri: 'image', ContainerEntrypoint: ['python3', entry] },
          ProcessingOutputConfig: {
            Outputs: [
              {
                OutputName: 'out',
                S3Output: {
                  S3Uri: 's3://artifacts/fixed',
                  LocalPath: '/opt/ml/processing/out',
                  S3UploadMode: 'EndOfJob',
                },
              },
            ],
          },
        },
      }),
      training('Train', outputOf('Prepare'), { ...settings, Arguments: { HyperParameters: { rounds: '1' } } }),
    );

  it('reuses the job of the newest equal run and says so', async () => {
    await pipeline.create(pair(cached()));
    const first = await pipeline.start();
    await pipeline.finished(first);
    const second = await pipeline.start();
    await pipeline.finished(second);
    const third = await pipeline.start();
    await pipeline.finished(third);
    expect(world.jobs.started).toHaveLength(2);
    for (const arn of [second, third]) {
      for (const step of await pipeline.steps(arn)) {
        expect(step).toMatchObject({
          StepStatus: 'Succeeded',
          CacheHitResult: { SourcePipelineExecutionArn: first },
          Metadata: (await pipeline.step(first, step.StepName ?? ''))?.Metadata,
        });
      }
    }
  });

  it('runs again when a key attribute differs, or without CacheConfig', async () => {
    await pipeline.create(pair(cached()));
    await pipeline.finished(await pipeline.start());
    await pipeline.update(pair(cached(), 'b.py'));
    const changed = await pipeline.start();
    await pipeline.finished(changed);
    expect((await pipeline.step(changed, 'Prepare'))?.CacheHitResult).toBeUndefined();
    expect((await pipeline.step(changed, 'Train'))?.CacheHitResult).toBeDefined();
    await pipeline.update(pair({}));
    await pipeline.finished(await pipeline.start());
    expect(world.jobs.started).toHaveLength(5);
  });

  it('runs again with other hyperparameters, but not for other resources or outputs', async () => {
    const only = (more: object) =>
      simple(
        training('Train', 's3://artifacts/in', {
          ...cached(),
          Arguments: { HyperParameters: { rounds: '1' }, ...more },
        }),
      );
    await pipeline.create(only({}));
    await pipeline.finished(await pipeline.start());
    for (const [more, jobs] of [
      [
        {
          OutputDataConfig: { S3OutputPath: 's3://artifacts/elsewhere' },
          StoppingCondition: { MaxRuntimeInSeconds: 60 },
        },
        1,
      ],
      [{ HyperParameters: { rounds: '2' } }, 2],
      [{ Environment: { A: 'b' } }, 3],
    ] as const) {
      await pipeline.update(only(more));
      await pipeline.finished(await pipeline.start());
      expect(world.jobs.started).toHaveLength(jobs);
    }
  });

  it('does not reuse a failed run', async () => {
    await pipeline.create(pair(cached()));
    fault('CreateProcessingJob', { kind: 'job-failure', reason: 'AlgorithmError' });
    await pipeline.finished(await pipeline.start());
    const arn = await pipeline.start();
    await pipeline.finished(arn);
    expect((await pipeline.step(arn, 'Prepare'))?.CacheHitResult).toBeUndefined();
  });

  it('expires by the clock', async () => {
    await world.close();
    await open('by-hand');
    await pipeline.create(pair(cached({ ExpireAfter: 'T10m' })));
    await pipeline.finished(await pipeline.start());
    await world.clock.advance(9 * 60_000);
    await pipeline.finished(await pipeline.start());
    expect(world.jobs.started).toHaveLength(2);
    await world.clock.advance(2 * 60_000);
    const late = await pipeline.start();
    await pipeline.finished(late);
    expect(world.jobs.started).toHaveLength(4);
  });
});

describe('deleting a pipeline', () => {
  it('takes its executions with it, and a new one starts afresh', async () => {
    await pipeline.create(simple(processing('Only')));
    const arn = await pipeline.start({}, { ClientRequestToken: token });
    await pipeline.finished(arn);
    await pipeline.sagemaker.send(new DeletePipelineCommand({ PipelineName: 'abalone', ClientRequestToken: token }));
    await expect(pipeline.describe(arn)).rejects.toMatchObject({ name: 'ResourceNotFound' });
    await expect(
      pipeline.sagemaker.send(new ListPipelineExecutionsCommand({ PipelineName: 'abalone' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFound' });
    await pipeline.create(simple(processing('Only')));
    expect(await pipeline.start({}, { ClientRequestToken: token })).not.toBe(arn);
  });
});
