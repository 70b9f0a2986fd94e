import {
  DescribeModelPackageCommand,
  DescribePipelineDefinitionForExecutionCommand,
  DescribeTrainingJobCommand,
  ListPipelineExecutionStepsCommand,
  ListPipelineParametersForExecutionCommand,
  ListTagsCommand,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gate, processing, training } from './support/definitions.ts';
import { pause, pipelineClient } from './support/pipelines.ts';
import { admin, bucket, createWorld, digest, jobRole, token, type World } from './support/world.ts';

let world: World;
let pipeline: ReturnType<typeof pipelineClient>;

beforeEach(async () => {
  world = await createWorld();
  await world.createRoles();
  pipeline = pipelineClient(world);
  pipeline.writeResults(5.25);
});
afterEach(() => world.close());

const simple = (...steps: object[]) => ({ Version: '2020-12-01', Steps: steps });

describe('an execution', () => {
  it('runs the steps in the order of their data and registers the model', async () => {
    await pipeline.create(gate());
    const arn = await pipeline.start();
    const execution = await pipeline.finished(arn);
    const all = await pipeline.steps(arn);
    expect(all.map((step) => [step.StepName, step.StepStatus, step.FailureReason])).toEqual([
      ['Preprocess', 'Succeeded', undefined],
      ['Train', 'Succeeded', undefined],
      ['Evaluate', 'Succeeded', undefined],
      ['Gate', 'Succeeded', undefined],
      ['Register', 'Succeeded', undefined],
    ]);
    const id = arn.split('/').at(-1);
    expect(id).toMatch(/^[a-z0-9]{12}$/);
    expect(execution).toMatchObject({
      PipelineExecutionStatus: 'Succeeded',
      PipelineVersionId: 1,
      PipelineExperimentConfig: { ExperimentName: 'abalone', TrialName: id },
    });
    expect(all[3]?.Metadata).toEqual({ Condition: { Outcome: 'True' } });
    const job = all[1]?.Metadata?.TrainingJob?.Arn?.split('/')[1];
    expect(job).toMatch(new RegExp(`^pipelines-${id}-Train-[A-Za-z0-9]{10}$`));
    const described = await pipeline.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: job }));
    expect(described).toMatchObject({
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      HyperParameters: { num_round: '50' },
      ModelArtifacts: { S3ModelArtifacts: `s3://${bucket}/models/${job}/output/model.tar.gz` },
      InputDataConfig: [{ DataSource: { S3DataSource: { S3Uri: `s3://${bucket}/Preprocess/${id}` } } }],
      BillableTimeInSeconds: 1,
    });
    expect(described.FinalMetricDataList?.[0]).toMatchObject({ MetricName: 'validation:rmse' });
    const tags = await pipeline.sagemaker.send(new ListTagsCommand({ ResourceArn: described.TrainingJobArn }));
    expect(tags.Tags).toEqual([
      { Key: 'sagemaker:pipeline-execution-arn', Value: arn },
      { Key: 'sagemaker:pipeline-step-name', Value: 'Train' },
    ]);
    const registered = await pipeline.sagemaker.send(
      new DescribeModelPackageCommand({ ModelPackageName: all[4]?.Metadata?.RegisterModel?.Arn }),
    );
    expect(registered).toMatchObject({
      ModelPackageGroupName: 'abalone',
      ModelPackageVersion: 1,
      ModelApprovalStatus: 'PendingManualApproval',
      ModelPackageStatus: 'Completed',
      MetadataProperties: { GeneratedBy: arn },
    });
    expect(registered.InferenceSpecification?.Containers?.[0]).toMatchObject({ ImageDigest: digest });
    expect(registered.InferenceSpecification?.Containers?.[0]?.ModelDataETag).toMatch(/^[0-9a-f]{32}$/);
  });

  it('makes its jobs with the pipeline role and runs them with the job role', async () => {
    await pipeline.create(gate());
    await pipeline.finished(await pipeline.start());
    const calls = world.log.list({ operation: 'sagemaker:Create*Job' });
    expect(calls.map((call) => call.principal.split('/').slice(0, 2).join('/'))).toEqual(
      Array(3).fill(`arn:aws:sts::${admin}:assumed-role/pipeline`),
    );
    const job = await world.jobs.started[0]?.credentials();
    const principal = world.context.sessions.find(job?.accessKeyId ?? '')?.principal;
    expect(principal?.roleArn).toBe(jobRole);
  });

  it('ends Failed with the text of the Fail step when the limit is missed', async () => {
    await pipeline.create(gate());
    const arn = await pipeline.start({ MaxMse: '2' });
    const execution = await pipeline.finished(arn);
    expect(execution.PipelineExecutionStatus).toBe('Failed');
    expect(await pipeline.outcome(arn)).toEqual({
      Preprocess: 'Succeeded',
      Train: 'Succeeded',
      Evaluate: 'Succeeded',
      Gate: 'Succeeded',
      TooBad: 'Failed',
    });
    const failed = await pipeline.step(arn, 'TooBad');
    expect(failed?.Metadata).toEqual({ Fail: { ErrorMessage: 'MSE 5.25 is above 2.0' } });
    expect(failed?.FailureReason).toBe('MSE 5.25 is above 2.0');
  });

  it('succeeds without a model when the missed gate has no other branch', async () => {
    const definition = gate();
    definition['Steps'][0].Arguments.ElseSteps = [];
    await pipeline.create(definition);
    const arn = await pipeline.start({ MaxMse: '2' });
    expect((await pipeline.finished(arn)).PipelineExecutionStatus).toBe('Succeeded');
    expect(await pipeline.step(arn, 'Register')).toBeUndefined();
  });

  it('fails the Condition when its property file or the path in it is missing', async () => {
    await pipeline.create(gate());
    world.jobs.when('-Evaluate-', () => ({ status: 'Completed' }));
    const without = await pipeline.start();
    await pipeline.finished(without);
    expect((await pipeline.step(without, 'Gate'))?.FailureReason).toContain('/evaluation.json with the pipeline');
    world.jobs.when('-Evaluate-', (job) => {
      const uri = job.request['ProcessingOutputConfig'].Outputs[0].S3Output.S3Uri;
      world.s3.put(`${uri}/evaluation.json`, '{"regression_metrics": {}}');
      return { status: 'Completed' };
    });
    const arn = await pipeline.start();
    expect(await pipeline.outcome(arn)).toMatchObject({ Gate: 'Failed' });
    expect((await pipeline.step(arn, 'Gate'))?.FailureReason).toContain(
      "Path 'regression_metrics.mse.value' is not in property file 'Report' of step 'Evaluate'",
    );
  });

  it('lets running steps finish when one fails, and starts nothing new', async () => {
    await pipeline.create(
      simple(
        processing('Slow'),
        processing('Bad'),
        processing('AfterSlow', { DependsOn: ['Slow'] }),
        processing('AfterBad', { DependsOn: ['Bad'] }),
      ),
    );
    const slow = world.jobs.block('-Slow-');
    world.jobs.when('-Bad-', () => ({ status: 'Failed', failureReason: 'AlgorithmError: exit code: 1' }));
    const arn = await pipeline.start();
    await pipeline.reached(arn, 'Bad', 'Failed');
    expect((await pipeline.describe(arn)).PipelineExecutionStatus).toBe('Executing');
    slow.release();
    expect(await pipeline.outcome(arn)).toEqual({ Slow: 'Succeeded', Bad: 'Failed' });
    const execution = await pipeline.describe(arn);
    expect(execution).toMatchObject({
      PipelineExecutionStatus: 'Failed',
      FailureReason: 'Step failure: One or multiple steps failed.',
    });
    expect((await pipeline.step(arn, 'Bad'))?.FailureReason).toBe('AlgorithmError: exit code: 1');
  });

  it('starts ready steps together, but not more than the parallelism allows', async () => {
    await pipeline.create(simple(processing('A'), processing('B'), processing('C')));
    const blocks = ['-A-', '-B-', '-C-'].map((part) => world.jobs.block(part));
    const arn = await pipeline.start({}, { ParallelismConfiguration: { MaxParallelExecutionSteps: 2 } });
    await pipeline.reached(arn, 'B', 'Executing');
    for (let turn = 0; turn < 5; turn++) await pause();
    expect((await pipeline.steps(arn)).map((step) => step.StepName)).toEqual(['A', 'B']);
    blocks[0]?.release();
    await pipeline.reached(arn, 'C', 'Executing');
    blocks[1]?.release();
    blocks[2]?.release();
    expect((await pipeline.finished(arn)).PipelineExecutionStatus).toBe('Succeeded');
  });

  it('keeps two executions at the same time apart', async () => {
    await pipeline.create(gate());
    const arns = await Promise.all([pipeline.start({ Rounds: '10' }), pipeline.start({ Rounds: '20' })]);
    await Promise.all(arns.map((arn) => pipeline.finished(arn)));
    const places = arns.map((arn) => {
      const id = arn.split('/').at(-1) ?? '';
      const jobs = world.jobs.started.filter((job) => job.name.includes(id));
      return { id, text: JSON.stringify(jobs.map((job) => [job.name, job.request])) };
    });
    expect(places[0]?.text).not.toContain(places[1]?.id);
    expect(places[1]?.text).not.toContain(places[0]?.id);
    expect(places[0]?.text).toContain('"num_round":"10"');
    expect(places[1]?.text).toContain('"num_round":"20"');
  });

  it('runs the version that was asked for and remembers what really ran', async () => {
    await pipeline.create(simple(processing('Old')));
    expect(await pipeline.update(simple(processing('New')))).toBe(2);
    const first = await pipeline.start({}, { PipelineVersionId: 1 });
    const second = await pipeline.start();
    expect(await pipeline.outcome(first)).toEqual({ Old: 'Succeeded' });
    expect(await pipeline.outcome(second)).toEqual({ New: 'Succeeded' });
    const ran = await pipeline.sagemaker.send(
      new DescribePipelineDefinitionForExecutionCommand({ PipelineExecutionArn: first }),
    );
    expect(JSON.parse(ran.PipelineDefinition ?? '')).toEqual(simple(processing('Old')));
  });

  it('must be named to list its steps', async () => {
    await expect(pipeline.sagemaker.send(new ListPipelineExecutionStepsCommand({}))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('announces every state of the execution and its steps', async () => {
    await pipeline.create(simple(processing('Only')));
    await pipeline.finished(await pipeline.start());
    const states = (type: string, member: string) =>
      world.events.filter((event) => event.detailType.endsWith(type)).map((event) => (event.detail as any)[member]);
    expect(states('Pipeline Execution Status Change', 'currentPipelineExecutionStatus')).toEqual([
      'Executing',
      'Succeeded',
    ]);
    expect(states('Execution Step Status Change', 'currentStepStatus')).toEqual(['Starting', 'Executing', 'Succeeded']);
  });
});

describe('what starts an execution', () => {
  it('is the same execution for the same token', async () => {
    await pipeline.create(gate());
    const first = await pipeline.start({}, { ClientRequestToken: token });
    const again = await pipeline.start({ MaxMse: '1' }, { ClientRequestToken: token });
    expect(again).toBe(first);
    expect(await pipeline.start({}, { ClientRequestToken: `${token}-2` })).not.toBe(first);
  });

  it('is refused with every wrong parameter at once', async () => {
    await pipeline.create({
      ...gate(),
      Parameters: [...gate()['Parameters'], { Name: 'Required', Type: 'Boolean' }],
    });
    await expect(pipeline.start({ Rounds: '1.5', Unknown: 'x', Label: 'weekly' })).rejects.toThrow(
      "Unknown parameter 'Unknown'; Unexpected type for parameter 'Rounds'; Parameter 'Label' is weekly, but must be one of: none, nightly; Parameter 'Required' is undefined.",
    );
    expect(world.log.list({ operation: 'sagemaker:Create*Job' })).toEqual([]);
  });

  it('keeps parameters as the definition types them', async () => {
    await pipeline.create(gate());
    const arn = await pipeline.start({ MaxMse: '7' });
    const { PipelineParameters } = await pipeline.sagemaker.send(
      new ListPipelineParametersForExecutionCommand({ PipelineExecutionArn: arn }),
    );
    expect(PipelineParameters).toEqual([
      { Name: 'MaxMse', Value: '7.0' },
      { Name: 'Rounds', Value: '50' },
      { Name: 'Label', Value: 'none' },
    ]);
  });

  it('is refused for what cannot run here, all reasons at once, before anything starts', async () => {
    await pipeline.create(
      simple(
        processing('Fine'),
        {
          Name: 'Notify',
          Type: 'Lambda',
          Arguments: {},
          FunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:x',
        },
        processing('Piped', { DependsOn: [{ Step: 'Fine', Trigger: 'Failed' }] }),
        training('Train', 's3://artifacts/x', { Arguments: { HyperParameters: {} } }),
      ),
    );
    world.jobs.refuse = (kind) => (kind === 'TrainingJob' ? ['Pipe mode does not run here'] : []);
    const before = world.log.next;
    await expect(pipeline.start()).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringMatching(/'Notify' \(Lambda\).*'Piped'.*Trigger.*'Train' \(Training\): Pipe mode/s),
    });
    expect(world.log.list({ since: before }).map((call) => call.operation)).toEqual([
      'sagemaker:StartPipelineExecution',
    ]);
  });

  it('checks jobs with the values of parameters filled in', async () => {
    await pipeline.create(gate());
    const seen: any[] = [];
    world.jobs.refuse = (_kind, request) => {
      seen.push(request);
      return [];
    };
    await pipeline.start({ Rounds: '7' });
    expect(seen[0].HyperParameters).toEqual({ num_round: '7' });
    expect(seen[0].InputDataConfig[0].DataSource.S3DataSource.S3Uri).toEqual({
      Get: "Steps.Preprocess.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri",
    });
  });
});

describe('stopping', () => {
  it('stops the running job, starts nothing more and ends Stopped', async () => {
    await pipeline.create(gate());
    world.jobs.block('-Train-');
    const arn = await pipeline.start();
    await pipeline.reached(arn, 'Train', 'Executing');
    await pipeline.sagemaker.send(
      new StopPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: token }),
    );
    expect(await pipeline.outcome(arn)).toEqual({ Preprocess: 'Succeeded', Train: 'Stopped' });
    expect((await pipeline.describe(arn)).PipelineExecutionStatus).toBe('Stopped');
    const [call] = world.log.list({ operation: 'sagemaker:StopTrainingJob' });
    expect(call?.principal).toContain('assumed-role/pipeline/');
  });

  it('answers the same token again and refuses another one after the end', async () => {
    await pipeline.create(simple(processing('Only')));
    world.jobs.block('-Only-');
    const arn = await pipeline.start();
    const stop = (clientToken: string) =>
      pipeline.sagemaker.send(
        new StopPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: clientToken }),
      );
    await stop(token);
    await pipeline.finished(arn);
    expect((await stop(token)).PipelineExecutionArn).toBe(arn);
    await expect(stop(`${token}-2`)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("Only pipelines with 'Executing' status can be stopped"),
    });
  });

  it('also ends a step that waits for its next attempt', async () => {
    const manual = await createWorld({ clock: { mode: 'by-hand' } });
    try {
      await manual.createRoles();
      const other = pipelineClient(manual);
      await other.create(
        simple(
          processing('Only', {
            RetryPolicies: [{ ExceptionType: ['SageMaker.CAPACITY_ERROR'], IntervalSeconds: 60, MaxAttempts: 3 }],
          }),
        ),
      );
      manual.jobs.when('-Only-', () => ({ status: 'Failed', failureReason: 'CapacityError: none left' }));
      const arn = await other.start();
      while (manual.clock.pending === 0) await pause();
      await other.sagemaker.send(
        new StopPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: token }),
      );
      expect(await other.outcome(arn)).toEqual({ Only: 'Stopped' });
    } finally {
      await manual.close();
    }
  });
});
