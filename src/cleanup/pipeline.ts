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
  type CleanupContext,
  eachOf,
  type Item,
  isGone,
  isOurs,
  type Kept,
  notOurs,
  type Part,
  pages,
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
/** API calls at once; CloudWatch Logs allows some tens a second. */
const atOnce = 6;

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
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  await record.attempt(item, async () => {
    let first: unknown;
    let failed = 0;
    await eachOf(list, atOnce, async (one) => {
      try {
        await work(one);
      } catch (error) {
        if (isGone(error)) return;
        failed += 1;
        first ??= error;
      }
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

export async function findPipeline(
  options: PipelineOptions,
  context: CleanupContext,
): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project, clock, signal, deadline, logger, runId } = context;
  const sagemaker = aws.service(SageMakerClient);
  const logs = aws.service(CloudWatchLogsClient);
  const item = (kind: Item['kind'], name: string, more: { count?: number; note?: string } = {}): Item => ({
    kind,
    account,
    region: aws.region,
    name,
    ...more,
  });
  const nothing: Part = { items: [], remove: async () => undefined };
  const readPipeline = () =>
    sagemaker.send(new DescribePipelineCommand({ PipelineName: names.base }), { resource: names.base, signal });
  const described = await unlessGone(readPipeline);
  if (described === undefined) return { part: nothing, kept: [] };
  const arn = described.PipelineArn ?? '';
  const { Tags } = await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }), { resource: arn, signal });
  if (!isOurs(project, Tags))
    return { part: nothing, kept: [{ ...item('pipeline', names.base), because: notOurs(project) }] };

  const executions = await listExecutions(context);
  const running = executions.filter(({ status }) => runningStatuses.includes(status));
  const streams: Stream[] = [];
  const jobs: string[] = [];
  await eachOf(executions, atOnce, async (execution) => {
    streams.push(...(await streamsOf(execution, context)));
    if (options.jobRecords) jobs.push(...(await jobsOf(execution, context)));
  });
  const runningItems = running.map((each) =>
    item('pipeline execution', each.arn, {
      note: `${each.status}; ${options.running === 'stop' ? 'is stopped' : 'is waited for'}`,
    }),
  );
  const streamItems = logGroups
    .map((group) => ({ group, count: streams.filter((stream) => stream.group === group).length }))
    .filter(({ count }) => count > 0)
    .map(({ group, count }) => item('job log streams', group, { count }));
  const jobItem = item('job records', names.base, { count: jobs.length });
  const pipelineItem = item('pipeline', names.base, { note: `${executions.length} executions` });

  async function end(execution: Execution): Promise<string> {
    if (options.running === 'stop' && execution.status === 'Executing') {
      const token = requestToken({ runId, action: 'cleanup-stop', intent: execution.arn, generation: 1 });
      try {
        await sagemaker.send(
          new StopPipelineExecutionCommand({ PipelineExecutionArn: execution.arn, ClientRequestToken: token }),
          { resource: execution.arn, signal },
        );
      } catch (error) {
        // It may have ended by itself between being looked at and being stopped; how it stands is read next.
        if (!isAws(error, 'ConflictException', 'ValidationException')) throw error;
      }
    }
    logger.info(`Waiting for the end of ${execution.arn}`);
    const last = await poll({
      read: async () =>
        (
          await unlessGone(() =>
            sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: execution.arn }), {
              resource: execution.arn,
              signal,
            }),
          )
        )?.PipelineExecutionStatus ?? 'gone',
      done: (status) => !runningStatuses.includes(status),
      clock,
      signal,
      deadline,
      onDeadline: (status) =>
        stillRunning({
          resource: execution.arn,
          region: aws.region,
          account,
          where: `The execution was ${status}`,
          resume: 're-run this job; it goes on with what is left',
        }),
    });
    return `ended (${last}):`;
  }

  return {
    kept: [],
    part: {
      items: [...runningItems, ...streamItems, ...(jobs.length > 0 ? [jobItem] : []), pipelineItem],
      async remove(record) {
        await eachOf(running, 4, (execution) =>
          record.attempt(runningItems[running.indexOf(execution)]!, () => end(execution)),
        );
        // While the pipeline is there, its executions are; they are how a run after this one would find the streams.
        const late = await Promise.all(running.map((execution) => streamsOf(execution, context)));
        const all = new Map([...streams, ...late.flat()].map((stream) => [`${stream.group}\n${stream.name}`, stream]));
        for (const group of logGroups) {
          const own = [...all.values()].filter((stream) => stream.group === group);
          if (own.length === 0) continue;
          await removeMany(
            streamItems.find(({ name }) => name === group) ?? item('job log streams', group, { count: own.length }),
            own,
            record,
            ({ name }) =>
              logs.send(new DeleteLogStreamCommand({ logGroupName: group, logStreamName: name }), {
                resource: `${group} ${name}`,
                signal,
              }),
          );
        }
        if (jobs.length > 0) {
          await removeMany(jobItem, jobs, record, (job) => {
            const [kind = '', name = ''] = (parseArn(job)?.resource ?? '').split('/');
            return kind === 'training-job'
              ? sagemaker.send(new DeleteTrainingJobCommand({ TrainingJobName: name }), { resource: job, signal })
              : sagemaker.send(new DeleteProcessingJobCommand({ ProcessingJobName: name }), { resource: job, signal });
          });
        }
        const behind = record.failures.filter(
          ({ item: { kind } }) => kind === 'job log streams' || kind === 'job records',
        );
        if (behind.length > 0) {
          record.fail(pipelineItem, {
            code: 'Conflict',
            cause: `The pipeline stays, because its executions are how the ${behind.map(({ item: { kind } }) => kind)[0]} that are left are found`,
            hint: 'Mend what keeps those, then run cleanup again',
          });
          return;
        }
        await record.attempt(
          pipelineItem,
          async () => {
            const token = requestToken({
              runId,
              action: 'cleanup-delete',
              intent: arn,
              generation: described.CreationTime?.getTime() ?? 1,
            });
            await sagemaker.send(new DeletePipelineCommand({ PipelineName: names.base, ClientRequestToken: token }), {
              resource: names.base,
              signal,
            });
            return undefined;
          },
          readPipeline,
        );
      },
    },
  };
}
