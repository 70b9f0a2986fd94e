/** The pipeline with its executions, and what its jobs left: log streams, and on request their records. */
import {
  CloudWatchLogsClient,
  DeleteLogStreamCommand,
  DescribeLogStreamsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DeletePipelineCommand,
  DeleteProcessingJobCommand,
  DeleteTrainingJobCommand,
  DescribePipelineCommand,
  DescribePipelineExecutionCommand,
  ListPipelineExecutionStepsCommand,
  ListPipelineExecutionsCommand,
  ListTagsCommand,
  SageMakerClient,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { isAws } from '../aws/errors.ts';
import { parseArn } from '../aws/partition.ts';
import { poll, stillRunning } from '../aws/poll.ts';
import { requestToken } from '../aws/token.ts';
import { FailureError } from '../failure.ts';
import {
  atOnce,
  type CleanupContext,
  eachOf,
  type Item,
  isGone,
  isOurs,
  type Kept,
  notOurs,
  type Part,
  pages,
  progressOf,
  type Recorder,
  unlessGone,
} from './part.ts';

export interface PipelineOptions {
  /** What happens to executions that run: they are stopped, or waited for. */
  running: 'stop' | 'wait';
  jobRecords: boolean;
}

const runningStatuses = ['Executing', 'Stopping'];
/** Log groups that all jobs of an account share; streams begin with the job's name, and that with the execution's id. */
const logGroups = ['/aws/sagemaker/ProcessingJobs', '/aws/sagemaker/TrainingJobs', '/aws/sagemaker/TransformJobs'];

interface Execution {
  arn: string;
  id: string;
  status: string;
}

interface Stream {
  group: string;
  name: string;
}

async function listExecutions(context: CleanupContext): Promise<Execution[]> {
  const { aws, names, signal } = context;
  const all = await pages(async (token) => {
    const page = await aws
      .service(SageMakerClient)
      .send(new ListPipelineExecutionsCommand({ PipelineName: names.base, MaxResults: 100, NextToken: token }), {
        resource: names.base,
        signal,
      });
    return { items: page.PipelineExecutionSummaries, next: page.NextToken };
  });
  return all.map((each) => {
    const arn = each.PipelineExecutionArn ?? '';
    return { arn, id: arn.split('/').at(-1) ?? '', status: each.PipelineExecutionStatus ?? '' };
  });
}

/** Jobs of a pipeline are called pipelines-EXECUTION-STEP-..., so the prefix finds them and nobody else's. */
async function streamsOf(execution: Execution, context: CleanupContext): Promise<Stream[]> {
  const { aws, signal } = context;
  const logs = aws.service(CloudWatchLogsClient);
  const found: Stream[] = [];
  for (const group of logGroups) {
    const streams = await unlessGone(() =>
      pages(async (token) => {
        const page = await logs.send(
          new DescribeLogStreamsCommand({
            logGroupName: group,
            logStreamNamePrefix: `pipelines-${execution.id}-`,
            nextToken: token,
          }),
          { resource: group, signal },
        );
        return { items: page.logStreams, next: page.nextToken };
      }),
    );
    found.push(...(streams ?? []).map(({ logStreamName }) => ({ group, name: logStreamName ?? '' })));
  }
  return found;
}

/** ARNs of the processing and training jobs of an execution; transform jobs cannot be deleted. */
async function jobsOf(execution: Execution, context: CleanupContext): Promise<string[]> {
  const { aws, signal } = context;
  const steps = await pages(async (token) => {
    const page = await aws.service(SageMakerClient).send(
      new ListPipelineExecutionStepsCommand({
        PipelineExecutionArn: execution.arn,
        MaxResults: 100,
        NextToken: token,
      }),
      { resource: execution.arn, signal },
    );
    return { items: page.PipelineExecutionSteps, next: page.NextToken };
  });
  return steps
    .flatMap(({ Metadata }) => [Metadata?.ProcessingJob?.Arn, Metadata?.TrainingJob?.Arn])
    .filter((arn): arn is string => arn?.includes(`/pipelines-${execution.id}-`) === true);
}

/** Deletes many things that are told as one item: how many went, and the first reason of those that did not. */
async function removeMany<T>(
  item: Item,
  list: readonly T[],
  record: Recorder,
  { logger }: CleanupContext,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const tick = progressOf(logger, list.length, `${item.kind} removed`);
  await record.attempt(item, async () => {
    let first: unknown;
    let failed = 0;
    await eachOf(list, atOnce, async (one) => {
      try {
        await work(one);
      } catch (error) {
        if (!isGone(error)) {
          failed += 1;
          first ??= error;
        }
      }
      tick();
    });
    if (first === undefined) return undefined;
    throw failed === 1 ? first : beside(first, failed, list.length);
  });
}

/** The first failure, saying how many there are. */
function beside(error: unknown, failed: number, all: number): unknown {
  if (!(error instanceof FailureError) || error.status === 'still-running') return error;
  const [first] = error.failures;
  return first === undefined
    ? error
    : new FailureError({ ...first, cause: `${failed} of ${all} could not be removed; the first: ${first.cause}` });
}

/** What was found of the pipeline, with the items that tell it. */
interface Found {
  name: string;
  arn: string;
  /** Tells this pipeline from one of the same name that is made later. */
  generation: number;
  running: { execution: Execution; item: Item }[];
  streams: readonly Stream[];
  streamItems: ReadonlyMap<string, Item>;
  jobs: readonly string[];
  jobItem: Item;
  pipelineItem: Item;
}

/** Ends an execution in the wished way, and waits for that. Resolves to what was done. */
async function endExecution(
  execution: Execution,
  choice: PipelineOptions['running'],
  { aws, account, clock, signal, deadline, logger, runId }: CleanupContext,
): Promise<string> {
  const sagemaker = aws.service(SageMakerClient);
  const { arn } = execution;
  if (choice === 'stop' && execution.status === 'Executing') {
    const token = requestToken({ runId, action: 'cleanup-stop', intent: arn, generation: 1 });
    try {
      await sagemaker.send(new StopPipelineExecutionCommand({ PipelineExecutionArn: arn, ClientRequestToken: token }), {
        resource: arn,
        signal,
      });
    } catch (error) {
      // It may have ended by itself between being looked at and being stopped; how it stands is read next.
      if (!isAws(error, 'ConflictException', 'ValidationException')) throw error;
    }
  }
  logger.info(`Waiting for the end of ${arn}`);
  const describe = () =>
    sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }), { resource: arn, signal });
  const last = await poll({
    read: async () => (await unlessGone(describe))?.PipelineExecutionStatus ?? 'gone',
    done: (status) => !runningStatuses.includes(status),
    clock,
    signal,
    deadline,
    onDeadline: (status) =>
      stillRunning({
        resource: arn,
        region: aws.region,
        account,
        where: `The execution was ${status}`,
        resume: 're-run this job; it goes on with what is left',
      }),
  });
  return `ended (${last}):`;
}

/** While the pipeline is there, its executions are; they are how a run after this one would find the streams. So streams go first. */
async function removeStreams(found: Found, record: Recorder, context: CleanupContext): Promise<void> {
  const { aws, account, signal } = context;
  const logs = aws.service(CloudWatchLogsClient);
  const late = await Promise.all(found.running.map(({ execution }) => streamsOf(execution, context)));
  const all = new Map([...found.streams, ...late.flat()].map((stream) => [`${stream.group}\n${stream.name}`, stream]));
  for (const group of logGroups) {
    const own = [...all.values()].filter((stream) => stream.group === group);
    if (own.length === 0) continue;
    const item = found.streamItems.get(group) ?? {
      kind: 'job log streams',
      account,
      region: aws.region,
      name: group,
      count: own.length,
    };
    await removeMany(item, own, record, context, ({ name }) =>
      logs.send(new DeleteLogStreamCommand({ logGroupName: group, logStreamName: name }), {
        resource: `${group} ${name}`,
        signal,
      }),
    );
  }
}

async function removeJobs({ jobs, jobItem }: Found, record: Recorder, context: CleanupContext): Promise<void> {
  const sagemaker = context.aws.service(SageMakerClient);
  const { signal } = context;
  await removeMany(jobItem, jobs, record, context, (job) => {
    const [kind = '', name = ''] = (parseArn(job)?.resource ?? '').split('/');
    return kind === 'training-job'
      ? sagemaker.send(new DeleteTrainingJobCommand({ TrainingJobName: name }), { resource: job, signal })
      : sagemaker.send(new DeleteProcessingJobCommand({ ProcessingJobName: name }), { resource: job, signal });
  });
}

async function removePipeline(found: Found, record: Recorder, { aws, signal, runId }: CleanupContext): Promise<void> {
  const { name, pipelineItem } = found;
  const sagemaker = aws.service(SageMakerClient);
  const behind = record.failures.find(({ item: { kind } }) => kind === 'job log streams' || kind === 'job records');
  if (behind !== undefined) {
    record.fail(pipelineItem, {
      code: 'Conflict',
      cause: `The pipeline stays, because its executions are how the ${behind.item.kind} that are left are found`,
      hint: 'Mend what keeps those, then run cleanup again',
    });
    return;
  }
  const intent = { runId, action: 'cleanup-delete', intent: found.arn, generation: found.generation };
  await record.attempt(
    pipelineItem,
    async () => {
      await sagemaker.send(
        new DeletePipelineCommand({ PipelineName: name, ClientRequestToken: requestToken(intent) }),
        { resource: name, signal },
      );
      return undefined;
    },
    () => sagemaker.send(new DescribePipelineCommand({ PipelineName: name }), { resource: name, signal }),
  );
}

const nothing: Part = { items: [], remove: async () => undefined };

export async function findPipeline(
  options: PipelineOptions,
  context: CleanupContext,
): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project, signal, logger } = context;
  const sagemaker = aws.service(SageMakerClient);
  const name = names.base;
  const item = (kind: Item['kind'], what: string, more: { count?: number; note?: string } = {}): Item => ({
    kind,
    account,
    region: aws.region,
    name: what,
    ...more,
  });
  const described = await unlessGone(() =>
    sagemaker.send(new DescribePipelineCommand({ PipelineName: name }), { resource: name, signal }),
  );
  if (described === undefined) return { part: nothing, kept: [] };
  const { PipelineArn: arn = '', CreationTime } = described;
  const { Tags } = await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }), { resource: arn, signal });
  if (!isOurs(project, Tags))
    return { part: nothing, kept: [{ ...item('pipeline', name), because: notOurs(project) }] };

  const executions = await listExecutions(context);
  const streams: Stream[] = [];
  const jobs: string[] = [];
  const tick = progressOf(logger, executions.length, 'executions looked at');
  await eachOf(executions, atOnce, async (execution) => {
    streams.push(...(await streamsOf(execution, context)));
    if (options.jobRecords) jobs.push(...(await jobsOf(execution, context)));
    tick();
  });
  const how = options.running === 'stop' ? 'is stopped' : 'is waited for';
  const found: Found = {
    name,
    arn,
    generation: CreationTime?.getTime() ?? 1,
    running: executions
      .filter(({ status }) => runningStatuses.includes(status))
      .map((execution) => ({
        execution,
        item: item('pipeline execution', execution.arn, { note: `${execution.status}; ${how}` }),
      })),
    streams,
    streamItems: new Map(
      logGroups
        .map((group) => ({ group, count: streams.filter((stream) => stream.group === group).length }))
        .filter(({ count }) => count > 0)
        .map(({ group, count }) => [group, item('job log streams', group, { count })]),
    ),
    jobs,
    jobItem: item('job records', name, { count: jobs.length }),
    pipelineItem: item('pipeline', name, { note: `${executions.length} executions` }),
  };
  return {
    kept: [],
    part: {
      items: [
        ...found.running.map((each) => each.item),
        ...found.streamItems.values(),
        ...(jobs.length > 0 ? [found.jobItem] : []),
        found.pipelineItem,
      ],
      async remove(record) {
        await eachOf(found.running, 4, ({ execution, item: told }) =>
          record.attempt(told, () => endExecution(execution, options.running, context)),
        );
        await removeStreams(found, record, context);
        if (jobs.length > 0) await removeJobs(found, record, context);
        await removePipeline(found, record, context);
      },
    },
  };
}
