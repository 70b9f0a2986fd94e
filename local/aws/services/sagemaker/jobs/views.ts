import type {
  DescribeProcessingJobResponse,
  DescribeTrainingJobResponse,
  DescribeTransformJobResponse,
  ProcessingJobSummary,
  TrainingJobSummary,
  TransformJobSummary,
} from '@aws-sdk/client-sagemaker';
import { hasEnded, type JobRecord } from './record.ts';

// What the three Describe and List operations answer about a job. `any` is the request as the client sent it: its
// members appear unchanged in the answer, which has the same shapes.

const day = 86_400;

function times(job: JobRecord, prefix: 'Processing' | 'Training' | 'Transform'): Record<string, Date> {
  return {
    ...(job.startedAt === undefined ? {} : { [`${prefix}StartTime`]: job.startedAt }),
    ...(job.endedAt === undefined ? {} : { [`${prefix}EndTime`]: job.endedAt }),
  };
}

export function describeProcessing(job: JobRecord): DescribeProcessingJobResponse {
  const { Tags: _tags, ...request } = job.request;
  return {
    ...(request as any),
    StoppingCondition: request['StoppingCondition'] ?? { MaxRuntimeInSeconds: day },
    ProcessingJobName: job.name,
    ProcessingJobArn: job.arn,
    ProcessingJobStatus: job.status,
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    ...times(job, 'Processing'),
    FailureReason: job.failureReason,
    ExitMessage: job.result?.exitMessage,
    MonitoringScheduleArn: job.scheduleArn,
  };
}

export function summarizeProcessing(job: JobRecord): ProcessingJobSummary {
  return {
    ProcessingJobName: job.name,
    ProcessingJobArn: job.arn,
    ProcessingJobStatus: job.status,
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    ProcessingEndTime: job.endedAt,
    FailureReason: job.failureReason,
    ExitMessage: job.result?.exitMessage,
  };
}

/** Seconds from start to end, a begun second counted whole, as the bill does. */
function seconds(job: JobRecord): number | undefined {
  if (job.startedAt === undefined || job.endedAt === undefined) return undefined;
  return Math.max(1, Math.ceil((job.endedAt.getTime() - job.startedAt.getTime()) / 1000));
}

export function modelArtifactsOf(job: JobRecord): string | undefined {
  if (job.status !== 'Completed') return undefined;
  if (job.result?.modelArtifacts !== undefined) return job.result.modelArtifacts;
  const { S3OutputPath, CompressionType } = job.request['OutputDataConfig'] as Record<string, string>;
  const folder = `${S3OutputPath?.replace(/\/+$/, '')}/${job.name}/output`;
  return CompressionType === 'NONE' ? `${folder}/model/` : `${folder}/model.tar.gz`;
}

export function describeTraining(job: JobRecord): DescribeTrainingJobResponse {
  const { Tags: _tags, ...request } = job.request;
  const artifacts = modelArtifactsOf(job);
  const duration = seconds(job);
  return {
    ...(request as any),
    StoppingCondition: request['StoppingCondition'] ?? { MaxRuntimeInSeconds: day },
    EnableNetworkIsolation: request['EnableNetworkIsolation'] ?? false,
    EnableInterContainerTrafficEncryption: request['EnableInterContainerTrafficEncryption'] ?? false,
    EnableManagedSpotTraining: request['EnableManagedSpotTraining'] ?? false,
    TrainingJobName: job.name,
    TrainingJobArn: job.arn,
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondaryStatus,
    SecondaryStatusTransitions: job.transitions,
    ...(artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: artifacts } }),
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    ...times(job, 'Training'),
    TrainingTimeInSeconds: duration,
    BillableTimeInSeconds: duration,
    FailureReason: job.failureReason,
    ...(job.result?.metrics === undefined
      ? {}
      : {
          FinalMetricDataList: job.result.metrics.map(({ name, value, at }) => ({
            MetricName: name,
            Value: value,
            Timestamp: at,
          })),
        }),
  };
}

export function summarizeTraining(job: JobRecord): TrainingJobSummary {
  return {
    TrainingJobName: job.name,
    TrainingJobArn: job.arn,
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondaryStatus,
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    TrainingEndTime: job.endedAt,
  };
}

export function describeTransform(job: JobRecord): DescribeTransformJobResponse {
  const { Tags: _tags, ...request } = job.request;
  return {
    ...(request as any),
    TransformJobName: job.name,
    TransformJobArn: job.arn,
    TransformJobStatus: job.status,
    CreationTime: job.createdAt,
    ...times(job, 'Transform'),
    FailureReason: job.failureReason,
  };
}

export function summarizeTransform(job: JobRecord): TransformJobSummary {
  return {
    TransformJobName: job.name,
    TransformJobArn: job.arn,
    TransformJobStatus: job.status,
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    TransformEndTime: hasEnded(job.status) ? job.endedAt : undefined,
    FailureReason: job.failureReason,
  };
}
