import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import {
  CreatePipelineCommand,
  DescribeModelPackageCommand,
  DescribePipelineExecutionCommand,
  DescribeTrainingJobCommand,
  ListPipelineExecutionStepsCommand,
  ListTagsCommand,
  StartPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gate } from './support/definitions.ts';
import { bucket, createWorld, digest, pipelineRole, token, type World } from './support/world.ts';

let world: World;
let sagemaker: SageMakerClient;

beforeEach(async () => {
  world = await createWorld();
  await world.createRoles();
  sagemaker = world.administrator().sagemaker;
  writeResults(5.25);
});
afterEach(() => world.close());

function writeResults(mse: number) {
  world.jobs.when('-Train-', (job) => {
    world.s3.put(`s3://${bucket}/models/${job.name}/output/model.tar.gz`, 'model');
    return { status: 'Completed', metrics: [{ name: 'validation:rmse', value: 2.2, at: new Date(0) }] };
  });
  world.jobs.when('-Evaluate-', (job) => {
    const uri = job.request['ProcessingOutputConfig'].Outputs[0].S3Output.S3Uri;
    world.s3.put(`${uri}/evaluation.json`, JSON.stringify({ regression_metrics: { mse: { value: mse } } }));
    return { status: 'Completed' };
  });
}

async function create(definition: object = gate()) {
  await sagemaker.send(
    new CreatePipelineCommand({
      PipelineName: 'abalone',
      PipelineDefinition: JSON.stringify(definition),
      RoleArn: pipelineRole,
      ClientRequestToken: token,
    }),
  );
}

async function start(parameters: Record<string, string> = {}, clientToken = token) {
  const { PipelineExecutionArn } = await sagemaker.send(
    new StartPipelineExecutionCommand({
      PipelineName: 'abalone',
      ClientRequestToken: clientToken,
      PipelineParameters: Object.entries(parameters).map(([Name, Value]) => ({ Name, Value })),
    }),
  );
  return PipelineExecutionArn as string;
}

async function finished(arn: string) {
  for (;;) {
    const answer = await sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }));
    if (answer.PipelineExecutionStatus !== 'Executing' && answer.PipelineExecutionStatus !== 'Stopping') return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function steps(arn: string) {
  const { PipelineExecutionSteps = [] } = await sagemaker.send(
    new ListPipelineExecutionStepsCommand({ PipelineExecutionArn: arn, SortOrder: 'Ascending' }),
  );
  return PipelineExecutionSteps;
}

describe('an execution', () => {
  it('runs the steps in the order of their data and registers the model', async () => {
    await create();
    const arn = await start();
    const execution = await finished(arn);
    const all = await steps(arn);
    expect(all.map((step) => [step.StepName, step.StepStatus, step.FailureReason])).toEqual([
      ['Preprocess', 'Succeeded', undefined],
      ['Train', 'Succeeded', undefined],
      ['Evaluate', 'Succeeded', undefined],
      ['Gate', 'Succeeded', undefined],
      ['Register', 'Succeeded', undefined],
    ]);
    expect(execution.PipelineExecutionStatus).toBe('Succeeded');
    expect(all[3]?.Metadata).toEqual({ Condition: { Outcome: 'True' } });
    const id = arn.split('/').at(-1);
    expect(id).toMatch(/^[a-z0-9]{12}$/);
    const job = all[1]?.Metadata?.TrainingJob?.Arn?.split('/')[1];
    expect(job).toMatch(new RegExp(`^pipelines-${id}-Train-[A-Za-z0-9]{10}$`));
    const training = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: job }));
    expect(training).toMatchObject({
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      HyperParameters: { num_round: '50' },
      ModelArtifacts: { S3ModelArtifacts: `s3://${bucket}/models/${job}/output/model.tar.gz` },
      InputDataConfig: [{ DataSource: { S3DataSource: { S3Uri: `s3://${bucket}/Preprocess/${id}` } } }],
      BillableTimeInSeconds: 1,
    });
    expect(training.FinalMetricDataList?.[0]).toMatchObject({ MetricName: 'validation:rmse' });
    const tags = await sagemaker.send(new ListTagsCommand({ ResourceArn: training.TrainingJobArn }));
    expect(tags.Tags).toEqual([
      { Key: 'sagemaker:pipeline-execution-arn', Value: arn },
      { Key: 'sagemaker:pipeline-step-name', Value: 'Train' },
    ]);
    const registered = await sagemaker.send(
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
});
