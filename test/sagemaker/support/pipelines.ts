import {
  CreatePipelineCommand,
  DescribePipelineExecutionCommand,
  ListPipelineExecutionStepsCommand,
  type PipelineExecutionStep,
  type SageMakerClient,
  StartPipelineExecutionCommand,
  type StartPipelineExecutionRequest,
  UpdatePipelineCommand,
} from '@aws-sdk/client-sagemaker';
import { bucket, pipelineRole, token, type World } from './world.ts';

/** What a test does with the pipeline `abalone`, over the API. */
export function pipelineClient(world: World, sagemaker: SageMakerClient = world.administrator().sagemaker) {
  return {
    sagemaker,
    /** Train writes a model, Evaluate the metrics with this error. */
    writeResults(mse: number): void {
      world.jobs.when('-Train-', (job) => {
        world.s3.put(`s3://${bucket}/models/${job.name}/output/model.tar.gz`, 'model');
        return { status: 'Completed', metrics: [{ name: 'validation:rmse', value: 2.2, at: new Date(0) }] };
      });
      world.jobs.when('-Evaluate-', (job) => {
        const uri = job.request['ProcessingOutputConfig'].Outputs[0].S3Output.S3Uri;
        world.s3.put(`${uri}/evaluation.json`, JSON.stringify({ regression_metrics: { mse: { value: mse } } }));
        return { status: 'Completed' };
      });
    },
    async create(definition: object, roleArn = pipelineRole): Promise<void> {
      await sagemaker.send(
        new CreatePipelineCommand({
          PipelineName: 'abalone',
          PipelineDefinition: JSON.stringify(definition),
          RoleArn: roleArn,
          ClientRequestToken: token,
        }),
      );
    },
    async update(definition: object): Promise<number | undefined> {
      const answer = await sagemaker.send(
        new UpdatePipelineCommand({ PipelineName: 'abalone', PipelineDefinition: JSON.stringify(definition) }),
      );
      return answer.PipelineVersionId;
    },
    async start(
      parameters: Record<string, string> = {},
      more: Partial<StartPipelineExecutionRequest> = {},
    ): Promise<string> {
      const answer = await sagemaker.send(
        new StartPipelineExecutionCommand({
          PipelineName: 'abalone',
          ClientRequestToken: undefined,
          PipelineParameters: Object.entries(parameters).map(([Name, Value]) => ({ Name, Value })),
          ...more,
        }),
      );
      return answer.PipelineExecutionArn as string;
    },
    async describe(arn: string) {
      return sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }));
    },
    async finished(arn: string) {
      for (;;) {
        const answer = await this.describe(arn);
        const status = answer.PipelineExecutionStatus;
        if (status !== 'Executing' && status !== 'Stopping') return answer;
        await pause();
      }
    },
    /** Oldest first. */
    async steps(arn: string): Promise<PipelineExecutionStep[]> {
      const answer = await sagemaker.send(
        new ListPipelineExecutionStepsCommand({ PipelineExecutionArn: arn, SortOrder: 'Ascending' }),
      );
      return answer.PipelineExecutionSteps ?? [];
    },
    async step(arn: string, name: string): Promise<PipelineExecutionStep | undefined> {
      return (await this.steps(arn)).find((step) => step.StepName === name);
    },
    async outcome(arn: string): Promise<Record<string, string | undefined>> {
      await this.finished(arn);
      return Object.fromEntries((await this.steps(arn)).map((step) => [step.StepName, step.StepStatus]));
    },
    /** Waits until the step has the status. */
    async reached(arn: string, name: string, status: string): Promise<void> {
      while ((await this.step(arn, name))?.StepStatus !== status) await pause();
    },
  };
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
