import type { S3Client } from '@aws-sdk/client-s3';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { DescribeProcessingJobResponse } from '@aws-sdk/client-sagemaker';
import type { Clock } from '../../../core/clock.ts';
import { reasonOf } from '../problems.ts';
import { EvaluationError, type EvaluationScope } from './evaluate.ts';
import type { ExecutionRecord } from './execution.ts';
import type { ExecutionVariable } from './expressions.ts';

/** Splits s3://BUCKET/KEY; undefined for anything else. */
export function parseS3Uri(uri: string): { bucket: string; key: string } | undefined {
  const match = /^s3:\/\/([^/]+)\/(.+)$/s.exec(uri);
  return match === null ? undefined : { bucket: match[1] as string, key: match[2] as string };
}

/** For evaluation before the execution has started: files are not there yet. */
export async function readsNothing(): Promise<never> {
  throw new EvaluationError('files in S3 can only be read by a step');
}

/** The values that the expressions of one step of an execution can have. Files are read with the pipeline's role. */
export function stepScope(
  execution: ExecutionRecord,
  clock: Clock,
  s3: () => Promise<S3Client>,
  jobName: string | undefined,
): EvaluationScope {
  const variables: Record<ExecutionVariable, () => string | undefined> = {
    StartDateTime: () => execution.createdAt.toISOString(),
    CurrentDateTime: () => clock.now().toISOString(),
    PipelineName: () => execution.pipelineName,
    PipelineArn: () => execution.pipelineArn,
    PipelineExecutionId: () => execution.id,
    PipelineExecutionArn: () => execution.arn,
    TrainingJobName: () => jobName,
    ProcessingJobName: () => jobName,
  };

  async function readJson(uri: string): Promise<unknown> {
    const location = parseS3Uri(uri);
    if (location === undefined) throw new EvaluationError(`'${uri}' is not an S3 URI (s3://BUCKET/KEY)`);
    let text: string;
    try {
      const answer = await (await s3()).send(new GetObjectCommand({ Bucket: location.bucket, Key: location.key }));
      text = (await answer.Body?.transformToString('utf8')) ?? '';
    } catch (error) {
      throw new EvaluationError(`Cannot read ${uri} with the pipeline's role ${execution.roleArn}: ${reasonOf(error)}`);
    }
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new EvaluationError(`${uri} is not a JSON document: ${reasonOf(error)}`);
    }
  }

  async function step(name: string): Promise<unknown> {
    const record = execution.steps.get(name);
    if (record?.status !== 'Succeeded') throw new EvaluationError(`Step '${name}' has not succeeded in this execution`);
    if (record.definition.type === 'Condition') return { Outcome: record.metadata.Condition?.Outcome };
    return record.properties?.();
  }

  return {
    parameter(name) {
      const definition = execution.definition.parameters.find((each) => each.name === name);
      const value = execution.parameters.get(name);
      return definition === undefined || value === undefined ? undefined : { value, type: definition.type };
    },
    execution: (variable) => variables[variable](),
    experiment: (member) => execution.experiment[member],
    step,
    async propertyFile(name, file) {
      const declared = execution.steps.get(name)?.definition.propertyFiles.find((each) => each.name === file);
      if (declared === undefined) throw new EvaluationError(`Step '${name}' has no property file '${file}'`);
      // The location comes from the job itself: a cached or selected step has the outputs of its source.
      const job = (await step(name)) as DescribeProcessingJobResponse;
      const output = job.ProcessingOutputConfig?.Outputs?.find((each) => each.OutputName === declared.output);
      const prefix = output?.S3Output?.S3Uri;
      if (prefix === undefined) throw new EvaluationError(`Step '${name}' has no output '${declared.output}'`);
      return readJson(`${prefix.replace(/\/+$/, '')}/${declared.path}`);
    },
    s3Json: readJson,
  };
}
