import type {
  ParallelismConfiguration,
  PipelineExecutionStatus,
  PipelineExecutionStep,
  PipelineExecutionStepMetadata,
  StepStatus,
  UserContext,
} from '@aws-sdk/client-sagemaker';
import type { Scope } from '../scope.ts';
import type { Definition, StepDefinition } from './definition.ts';
import type { ParameterValue } from './parameters.ts';

export interface StepRecord {
  definition: StepDefinition;
  /** Place in the order in which steps started. */
  order: number;
  status: StepStatus;
  startedAt: Date;
  endedAt?: Date;
  /** Tries so far, those of earlier runs of this execution included. */
  attempts: number;
  failureReason?: string;
  metadata: PipelineExecutionStepMetadata;
  /** What Steps.NAME.path reads of a step that has succeeded. */
  properties?: () => Promise<unknown>;
  cacheKey?: string;
  /** The execution whose job this step reused. */
  cacheSource?: string;
  /** The execution from which a selective one took this step. */
  selectiveSource?: string;
  requestStop?: () => void;
}

export interface ExecutionRecord {
  arn: string;
  id: string;
  scope: Scope;
  pipelineArn: string;
  pipelineName: string;
  versionId: number;
  roleArn: string;
  definition: Definition;
  parameters: Map<string, ParameterValue>;
  experiment: { ExperimentName?: string; TrialName?: string };
  displayName: string;
  description?: string;
  status: PipelineExecutionStatus;
  failureReason?: string;
  createdAt: Date;
  modifiedAt: Date;
  createdBy: UserContext;
  modifiedBy: UserContext;
  parallelism?: ParallelismConfiguration;
  selection?: { source?: ExecutionRecord; steps: string[] };
  steps: Map<string, StepRecord>;
  /** Tokens of requests that were already carried out. */
  tokens: Set<string>;
  ended: Promise<void>;
}

export function isRunning(execution: ExecutionRecord): boolean {
  return execution.status === 'Executing' || execution.status === 'Stopping';
}

/** A step as ListPipelineExecutionSteps shows it. */
export function describeStep(record: StepRecord): PipelineExecutionStep {
  const { definition } = record;
  return {
    StepName: definition.name,
    StepDisplayName: definition.displayName,
    StepDescription: definition.description,
    StartTime: record.startedAt,
    EndTime: record.endedAt,
    StepStatus: record.status,
    FailureReason: record.failureReason,
    Metadata: record.metadata,
    AttemptCount: record.attempts,
    ...(record.cacheSource === undefined ? {} : { CacheHitResult: { SourcePipelineExecutionArn: record.cacheSource } }),
    ...(record.selectiveSource === undefined
      ? {}
      : { SelectiveExecutionResult: { SourcePipelineExecutionArn: record.selectiveSource } }),
  };
}
