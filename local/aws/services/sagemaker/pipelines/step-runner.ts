import { createHash, randomInt } from 'node:crypto';
import {
  CreateModelCommand,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  CreateTransformJobCommand,
  DescribeModelCommand,
  DescribeModelPackageCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  StopProcessingJobCommand,
  StopTrainingJobCommand,
  StopTransformJobCommand,
} from '@aws-sdk/client-sagemaker';
import type { Clock } from '../../../core/clock.ts';
import type { ClientSet, PlatformContext } from '../../../core/context.ts';
import { reasonOf } from '../problems.ts';
import { type Scope, sagemakerArn } from '../scope.ts';
import { cacheKey, findCached } from './cache.ts';
import { type Condition, holds } from './conditions.ts';
import { EvaluationError, evaluate } from './evaluate.ts';
import type { ExecutionRecord, StepRecord } from './execution.ts';
import { failedJob, nextAttempt, refusedCall, StepFailure } from './step-failure.ts';
import { stepScope } from './step-scope.ts';

/** How one attempt of a step ended without failing. */
export type StepEnd = 'Succeeded' | 'Stopped';

export interface StepTools {
  context: Pick<PlatformContext, 'clock' | 'logger'>;
  /** Clients that act with the pipeline's role; asked for before each use, because a step may outlive a session. */
  clients(): Promise<ClientSet>;
  /** Resolves when a job of this platform has ended. */
  jobEnded(arn: string, scope: Scope): Promise<void>;
  groupExists(scope: Scope, name: string): boolean;
  /** Other executions of the same pipeline, where cached steps are looked for. */
  siblings(): Iterable<ExecutionRecord>;
  /** Called when a step has got its job and moves from Starting to Executing. */
  executing(record: StepRecord): void;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Random letters and digits, as the service appends them to the names of jobs. */
export function randomName(length: number, alphabet = letters): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Names of jobs and models: a step name may hold "_", which they may not. */
function resourceName(execution: ExecutionRecord, record: StepRecord): string {
  const step = record.definition.name.slice(0, 20).replace(/[^A-Za-z0-9-]/g, '-');
  return `pipelines-${execution.id}-${step}-${randomName(10)}`;
}

/** The tags by which a job or a model shows where it comes from. */
function originTags(execution: ExecutionRecord, record: StepRecord, own: unknown) {
  return [
    ...(Array.isArray(own) ? own : []),
    { Key: 'sagemaker:pipeline-execution-arn', Value: execution.arn },
    { Key: 'sagemaker:pipeline-step-name', Value: record.definition.name },
  ];
}

interface JobCalls {
  create(clients: ClientSet, name: string, request: any): Promise<string>;
  describe(clients: ClientSet, name: string): Promise<{ properties: unknown; status: string; reason: string }>;
  stop(clients: ClientSet, name: string): Promise<unknown>;
}

const jobCalls: Readonly<Record<'Processing' | 'Training' | 'Transform', JobCalls>> = {
  Processing: {
    async create({ sagemaker }, ProcessingJobName, request) {
      const answer = await sagemaker.send(new CreateProcessingJobCommand({ ...request, ProcessingJobName }));
      return answer.ProcessingJobArn as string;
    },
    async describe({ sagemaker }, ProcessingJobName) {
      const job = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName }));
      return { properties: job, status: job.ProcessingJobStatus as string, reason: job.FailureReason ?? '' };
    },
    stop: ({ sagemaker }, ProcessingJobName) => sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName })),
  },
  Training: {
    async create({ sagemaker }, TrainingJobName, request) {
      const answer = await sagemaker.send(new CreateTrainingJobCommand({ ...request, TrainingJobName }));
      return answer.TrainingJobArn as string;
    },
    async describe({ sagemaker }, TrainingJobName) {
      const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));
      const exceeded = job.SecondaryStatus === 'MaxRuntimeExceeded';
      return {
        properties: job,
        status: exceeded ? 'Failed' : (job.TrainingJobStatus as string),
        reason: job.FailureReason ?? (exceeded ? 'ClientError: the training job exceeded MaxRuntimeInSeconds' : ''),
      };
    },
    stop: ({ sagemaker }, TrainingJobName) => sagemaker.send(new StopTrainingJobCommand({ TrainingJobName })),
  },
  Transform: {
    async create({ sagemaker }, TransformJobName, request) {
      const answer = await sagemaker.send(new CreateTransformJobCommand({ ...request, TransformJobName }));
      return answer.TransformJobArn as string;
    },
    async describe({ sagemaker }, TransformJobName) {
      const job = await sagemaker.send(new DescribeTransformJobCommand({ TransformJobName }));
      return { properties: job, status: job.TransformJobStatus as string, reason: job.FailureReason ?? '' };
    },
    stop: ({ sagemaker }, TransformJobName) => sagemaker.send(new StopTransformJobCommand({ TransformJobName })),
  },
};

function memoize<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read();
    return value;
  };
}

/**
 * One attempt of a step. Resolves to how it ended; throws StepFailure when it failed. Everything that the service does
 * for the step is done with the pipeline's role, over the API.
 */
export async function attemptStep(
  execution: ExecutionRecord,
  record: StepRecord,
  tools: StepTools,
  stop: AbortSignal,
): Promise<StepEnd> {
  try {
    switch (record.definition.type) {
      case 'Processing':
      case 'Training':
      case 'Transform':
        return await runJob(record.definition.type, execution, record, tools, stop);
      case 'Condition':
        return await decide(execution, record, tools);
      case 'Fail':
        return await fail(execution, record, tools);
      case 'Model':
        return await createModel(execution, record, tools);
      case 'RegisterModel':
        return await registerModel(execution, record, tools);
      default:
        throw new StepFailure(`ClientError: ${record.definition.type} steps are not supported by the local platform.`);
    }
  } catch (error) {
    if (error instanceof EvaluationError) throw new StepFailure(`ClientError: ${error.message}`);
    throw error;
  }
}

async function argumentsOf(
  execution: ExecutionRecord,
  record: StepRecord,
  tools: StepTools,
  jobName?: string,
): Promise<Record<string, any>> {
  const s3 = async () => (await tools.clients()).s3;
  const scope = stepScope(execution, tools.context.clock, s3, jobName);
  return (await evaluate(record.definition.arguments, scope)) as Record<string, any>;
}

async function runJob(
  type: keyof typeof jobCalls,
  execution: ExecutionRecord,
  record: StepRecord,
  tools: StepTools,
  stop: AbortSignal,
): Promise<StepEnd> {
  const calls = jobCalls[type];
  const name = resourceName(execution, record);
  const request = await argumentsOf(execution, record, tools, name);
  const key = cacheKey(record.definition, request);
  if (key !== undefined) {
    record.cacheKey = key;
    const cached = findCached(record.definition, key, tools.siblings(), tools.context.clock.now());
    if (cached?.record.properties !== undefined) {
      record.metadata = cached.record.metadata;
      record.properties = cached.record.properties;
      record.cacheSource = cached.execution.arn;
      return 'Succeeded';
    }
  }
  if (stop.aborted) return 'Stopped';
  let arn: string;
  try {
    arn = await calls.create(await tools.clients(), name, {
      ...request,
      Tags: originTags(execution, record, request['Tags']),
    });
  } catch (error) {
    // The name is ours alone: a job that has it already was made by this very call, whose answer got lost.
    if ((error as Error).name !== 'ResourceInUse') throw refusedCall(`Create${type}Job`, error);
    arn = sagemakerArn(execution.scope, `${type.toLowerCase()}-job/${name}`);
  }
  record.metadata = { [`${type}Job`]: { Arn: arn } };
  tools.executing(record);
  record.requestStop = () => {
    // The job may have ended in the meantime, or the role may not stop it: then it is waited for.
    tools
      .clients()
      .then((clients) => calls.stop(clients, name))
      .catch((error: unknown) => tools.context.logger.warn(`Could not stop ${arn}: ${reasonOf(error)}`));
  };
  if (stop.aborted) record.requestStop();
  await tools.jobEnded(arn, execution.scope);
  const { properties, status, reason } = await describeJob(
    async () => calls.describe(await tools.clients(), name),
    type,
    tools.context.clock,
  );
  if (status === 'Completed') {
    record.properties = async () => properties;
    return 'Succeeded';
  }
  if (status === 'Stopped') {
    if (stop.aborted) return 'Stopped';
    throw reason !== '' ? failedJob(reason) : new StepFailure(`ClientError: ${arn} was stopped by somebody else.`);
  }
  throw failedJob(reason);
}

/** Looks at a job that has ended. A passing fault must not make the step run its job a second time. */
async function describeJob<T>(describe: () => Promise<T>, type: string, clock: Clock): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await describe();
    } catch (error) {
      const failure = refusedCall(`Describe${type}Job`, error);
      const wait = nextAttempt([], failure.exception, tries, 0);
      if (wait === undefined) throw new StepFailure(failure.message);
      await clock.sleep(wait);
    }
  }
}

async function decide(execution: ExecutionRecord, record: StepRecord, tools: StepTools): Promise<StepEnd> {
  const { Conditions: conditions } = (await argumentsOf(execution, record, tools)) as { Conditions: Condition[] };
  record.metadata = { Condition: { Outcome: conditions.every(holds) ? 'True' : 'False' } };
  return 'Succeeded';
}

async function fail(execution: ExecutionRecord, record: StepRecord, tools: StepTools): Promise<StepEnd> {
  const { ErrorMessage: message } = await argumentsOf(execution, record, tools);
  const text = String(message).slice(0, 3072);
  record.metadata = { Fail: { ErrorMessage: text } };
  throw new StepFailure(text);
}

async function createModel(execution: ExecutionRecord, record: StepRecord, tools: StepTools): Promise<StepEnd> {
  const { sagemaker } = await tools.clients();
  const ModelName = resourceName(execution, record);
  const request = await argumentsOf(execution, record, tools);
  try {
    const answer = await sagemaker.send(
      new CreateModelCommand({
        ...(request as any),
        ModelName,
        Tags: originTags(execution, record, request['Tags']),
      }),
    );
    record.metadata = { Model: { Arn: answer.ModelArn } };
  } catch (error) {
    // As with jobs: what has this name already was made by this very call.
    if (!/already existing model/.test((error as Error).message)) throw refusedCall('CreateModel', error);
    record.metadata = { Model: { Arn: sagemakerArn(execution.scope, `model/${ModelName}`) } };
  }
  record.properties = memoize(async () =>
    (await tools.clients()).sagemaker.send(new DescribeModelCommand({ ModelName })),
  );
  return 'Succeeded';
}

async function registerModel(execution: ExecutionRecord, record: StepRecord, tools: StepTools): Promise<StepEnd> {
  const { sagemaker } = await tools.clients();
  const request = await argumentsOf(execution, record, tools);
  const group = request['ModelPackageGroupName'];
  if (typeof group === 'string' && !tools.groupExists(execution.scope, group)) {
    try {
      await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group }));
    } catch (error) {
      // Another execution may have made it in the meantime.
      if (!tools.groupExists(execution.scope, group)) throw refusedCall('CreateModelPackageGroup', error);
    }
  }
  let arn: string | undefined;
  try {
    const answer = await sagemaker.send(
      new CreateModelPackageCommand({
        ...(request as any),
        MetadataProperties: { ...request['MetadataProperties'], GeneratedBy: execution.arn },
        // One package per execution and step, whatever happens to the answer.
        ClientToken: `${execution.id}-${createHash('sha256').update(record.definition.name).digest('hex').slice(0, 20)}`,
      }),
    );
    arn = answer.ModelPackageArn;
  } catch (error) {
    throw refusedCall('CreateModelPackage', error);
  }
  record.metadata = { RegisterModel: { Arn: arn } };
  record.properties = memoize(async () =>
    (await tools.clients()).sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn })),
  );
  return 'Succeeded';
}
