import type { ParallelismConfiguration, UserContext } from '@aws-sdk/client-sagemaker';
import type { Definition } from './definition.ts';
import type { ExecutionRecord } from './execution.ts';

export interface PipelineVersion {
  id: number;
  definition: Definition;
  createdAt: Date;
  displayName?: string;
  description?: string;
  lastExecutionArn?: string;
}

export interface PipelineRecord {
  name: string;
  arn: string;
  displayName?: string;
  description?: string;
  roleArn: string;
  parallelism?: ParallelismConfiguration;
  createdAt: Date;
  modifiedAt: Date;
  lastRunAt?: Date;
  createdBy: UserContext;
  modifiedBy: UserContext;
  /** Oldest first; the last one is what an execution runs by default. */
  versions: PipelineVersion[];
  createToken: string;
  /** By ClientRequestToken: the same token never starts a second execution. */
  startedBy: Map<string, ExecutionRecord>;
  /** By lower-case ARN, oldest first. */
  executions: Map<string, ExecutionRecord>;
}

export function latest(pipeline: PipelineRecord): PipelineVersion {
  return pipeline.versions.at(-1) as PipelineVersion;
}
