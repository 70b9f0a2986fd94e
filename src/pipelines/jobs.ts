import { DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeHyperParameterTuningJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  type PipelineExecutionStep,
} from '@aws-sdk/client-sagemaker';
import { parseArn } from '../aws/partition.ts';
import type { Service } from '../aws/session.ts';

export type JobKind = 'TrainingJob' | 'ProcessingJob' | 'TransformJob' | 'TuningJob';

/** The job behind a step, as far as the report needs it. */
export interface Job {
  kind: JobKind;
  arn: string;
  name: string;
  failureReason?: string;
  exitMessage?: string;
  instanceType?: string;
  instanceCount: number;
  /** Seconds that are paid for, per instance. */
  billableSeconds?: number;
  /** Outputs of a processing job by name. */
  outputs: Record<string, string>;
}

const kinds = ['TrainingJob', 'ProcessingJob', 'TransformJob', 'TuningJob'] as const;

/** Kind and ARN of a step's job, undefined for steps without one. */
export function jobOf(step: PipelineExecutionStep): { kind: JobKind; arn: string } | undefined {
  for (const kind of kinds) {
    const arn = step.Metadata?.[kind]?.Arn;
    if (arn !== undefined) return { kind, arn };
  }
  return undefined;
}

function seconds(start: Date | undefined, end: Date | undefined): number | undefined {
  return start === undefined || end === undefined ? undefined : Math.max(0, (end.getTime() - start.getTime()) / 1_000);
}

/** Leaves out what is undefined, as exactOptionalPropertyTypes wants it. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as any;
}

export async function describeJob(sagemaker: Service, { kind, arn }: { kind: JobKind; arn: string }): Promise<Job> {
  const name = (parseArn(arn)?.resource ?? arn).split('/').slice(1).join('/');
  const base = { kind, arn, name, instanceCount: 1, outputs: {} };
  const options = { resource: arn };
  switch (kind) {
    case 'TrainingJob': {
      const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }), options);
      return {
        ...base,
        ...present({
          failureReason: job.FailureReason,
          instanceType: job.ResourceConfig?.InstanceType,
          instanceCount: job.ResourceConfig?.InstanceCount ?? 1,
          billableSeconds: job.BillableTimeInSeconds ?? seconds(job.TrainingStartTime, job.TrainingEndTime),
        }),
      };
    }
    case 'ProcessingJob': {
      const job = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }), options);
      const cluster = job.ProcessingResources?.ClusterConfig;
      const outputs = job.ProcessingOutputConfig?.Outputs ?? [];
      return {
        ...base,
        ...present({
          failureReason: job.FailureReason,
          exitMessage: job.ExitMessage,
          instanceType: cluster?.InstanceType,
          instanceCount: cluster?.InstanceCount ?? 1,
          billableSeconds: seconds(job.ProcessingStartTime, job.ProcessingEndTime),
        }),
        outputs: Object.fromEntries(
          outputs.map(({ OutputName, S3Output }) => [OutputName ?? '', S3Output?.S3Uri ?? '']),
        ),
      };
    }
    case 'TransformJob': {
      const job = await sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: name }), options);
      return {
        ...base,
        ...present({
          failureReason: job.FailureReason,
          instanceType: job.TransformResources?.InstanceType,
          instanceCount: job.TransformResources?.InstanceCount ?? 1,
          billableSeconds: seconds(job.TransformStartTime, job.TransformEndTime),
        }),
      };
    }
    case 'TuningJob': {
      const job = await sagemaker.send(
        new DescribeHyperParameterTuningJobCommand({ HyperParameterTuningJobName: name }),
        options,
      );
      return {
        ...base,
        ...present({ failureReason: job.FailureReason, billableSeconds: job.ConsumedResources?.RuntimeInSeconds }),
      };
    }
  }
}

const logGroups: Partial<Record<JobKind, string>> = {
  TrainingJob: '/aws/sagemaker/TrainingJobs',
  ProcessingJob: '/aws/sagemaker/ProcessingJobs',
  TransformJob: '/aws/sagemaker/TransformJobs',
};

export function logGroupOf(kind: JobKind): string | undefined {
  return logGroups[kind];
}

/** The last lines a job wrote, oldest first; empty when it never wrote any. Never fails: a missing log is no second failure. */
export async function logTail(logs: Service, job: { kind: JobKind; name: string }, lines = 30): Promise<string[]> {
  const group = logGroupOf(job.kind);
  if (group === undefined) return [];
  try {
    const { logStreams = [] } = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: `${job.name}/` }),
      { resource: group },
    );
    // The host that failed wrote last; data logs of transforms tell about records, not about the failure.
    const [stream] = logStreams
      .filter(({ logStreamName }) => logStreamName?.endsWith('/data-log') === false)
      .sort((a, b) => (b.lastEventTimestamp ?? 0) - (a.lastEventTimestamp ?? 0));
    if (stream?.logStreamName === undefined) return [];
    const { events = [] } = await logs.send(
      new GetLogEventsCommand({
        logGroupName: group,
        logStreamName: stream.logStreamName,
        limit: lines,
        startFromHead: false,
      }),
      { resource: group },
    );
    return events.slice(-lines).map(({ message = '' }) => message.replace(/#011/g, '\t').trimEnd());
  } catch {
    return [];
  }
}
