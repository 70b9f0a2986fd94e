import type { SecondaryStatus, SecondaryStatusTransition } from '@aws-sdk/client-sagemaker';
import type { JobResult, JobSpecification } from '../../../core/context.ts';
import type { Scope } from '../scope.ts';

export type JobKind = JobSpecification['kind'];
export type JobStatus = 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';

export interface JobRecord {
  kind: JobKind;
  scope: Scope;
  name: string;
  arn: string;
  /** The monitoring schedule that started it. */
  scheduleArn?: string;
  /** The Create request; never changed. */
  request: Record<string, any>;
  status: JobStatus;
  secondaryStatus: SecondaryStatus;
  /** Training jobs show them; oldest first. */
  transitions: SecondaryStatusTransition[];
  createdAt: Date;
  modifiedAt: Date;
  startedAt?: Date;
  endedAt?: Date;
  failureReason?: string;
  result?: JobResult;
  /** Resolves when the job has reached a final status; never rejects. */
  ended: Promise<void>;
  requestStop(): void;
}

export const jobResource: Record<JobKind, string> = {
  ProcessingJob: 'processing-job',
  TrainingJob: 'training-job',
  TransformJob: 'transform-job',
};

export const jobNoun: Record<JobKind, string> = {
  ProcessingJob: 'processing job',
  TrainingJob: 'training job',
  TransformJob: 'transform job',
};

export function hasEnded(status: JobStatus): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Stopped';
}
