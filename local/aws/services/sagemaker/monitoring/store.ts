import type {
  CreateDataQualityJobDefinitionRequest,
  ExecutionStatus,
  MonitoringExecutionSummary,
  MonitoringJobDefinition,
  MonitoringScheduleConfig,
  ScheduleStatus,
} from '@aws-sdk/client-sagemaker';
import type { JobRecord } from '../jobs/record.ts';
import { keyOf, type Scope } from '../scope.ts';
import { type Scoped, scoped } from '../scoped.ts';
import type { Timing } from './expression.ts';

export interface ScheduleRecord {
  name: string;
  arn: string;
  scope: Scope;
  config: MonitoringScheduleConfig;
  timing: Timing;
  status: ScheduleStatus;
  failureReason?: string;
  createdAt: Date;
  modifiedAt: Date;
  /** What the schedule is when nothing is being changed: an update of a stopped one ends stopped. */
  rest: 'Scheduled' | 'Stopped';
  /** Aborted when no further execution may start: stopped, updated, deleted. */
  timer: AbortController;
}

/** One run of a schedule; it stays when the schedule is deleted. */
export interface ExecutionRecord {
  id: number;
  scope: Scope;
  schedule: string;
  scheduledTime: Date;
  createdAt: Date;
  modifiedAt: Date;
  status: ExecutionStatus;
  endpoint: string;
  failureReason?: string;
  definitionName?: string;
  type?: MonitoringExecutionSummary['MonitoringType'];
  /** The processing job, once it was started. */
  job?: JobRecord;
}

/** A data quality job definition; nothing of it ever changes. */
export interface DefinitionRecord {
  name: string;
  arn: string;
  request: CreateDataQualityJobDefinitionRequest;
  createdAt: Date;
}

export interface Monitoring {
  schedules: Map<string, ScheduleRecord>;
  executions: ExecutionRecord[];
  definitions: Map<string, DefinitionRecord>;
}

export type Monitorings = Scoped<Monitoring>;

export function createMonitorings(): Monitorings {
  return scoped(() => ({ schedules: new Map(), executions: [], definitions: new Map() }));
}

/** A definition in the words of a schedule's own one: what runs is the same. */
export function asJobDefinition(request: CreateDataQualityJobDefinitionRequest): MonitoringJobDefinition {
  const { Environment, ...application } = request.DataQualityAppSpecification ?? { ImageUri: undefined };
  return {
    BaselineConfig: request.DataQualityBaselineConfig,
    MonitoringInputs: request.DataQualityJobInput === undefined ? [] : [request.DataQualityJobInput],
    MonitoringOutputConfig: request.DataQualityJobOutputConfig,
    MonitoringResources: request.JobResources,
    MonitoringAppSpecification: application,
    StoppingCondition: request.StoppingCondition,
    Environment,
    NetworkConfig: request.NetworkConfig,
    RoleArn: request.RoleArn,
  };
}

/** What a schedule runs; undefined when the definition that it names is gone. */
export function jobOf(monitoring: Monitoring, config: MonitoringScheduleConfig): MonitoringJobDefinition | undefined {
  if (config.MonitoringJobDefinition !== undefined) return config.MonitoringJobDefinition;
  const found = monitoring.definitions.get(keyOf(config.MonitoringJobDefinitionName ?? ''));
  return found === undefined ? undefined : asJobDefinition(found.request);
}

export function endpointOf(job: MonitoringJobDefinition | undefined): string | undefined {
  return job?.MonitoringInputs?.[0]?.EndpointInput?.EndpointName;
}

const underWay: readonly ExecutionStatus[] = ['Pending', 'InProgress', 'Stopping'];

/** The processing job tells how far a running execution is. */
export function statusOf({ status, job }: ExecutionRecord): ExecutionStatus {
  return status === 'InProgress' && job?.status === 'Stopping' ? 'Stopping' : status;
}

export function runningOf(monitoring: Monitoring, schedule: string): ExecutionRecord | undefined {
  return monitoring.executions.find(
    (execution) => keyOf(execution.schedule) === keyOf(schedule) && underWay.includes(execution.status),
  );
}

export function executionSummary(execution: ExecutionRecord): MonitoringExecutionSummary {
  return {
    MonitoringScheduleName: execution.schedule,
    ScheduledTime: execution.scheduledTime,
    CreationTime: execution.createdAt,
    LastModifiedTime: execution.modifiedAt,
    MonitoringExecutionStatus: statusOf(execution),
    ProcessingJobArn: execution.job?.arn,
    EndpointName: execution.endpoint,
    FailureReason: execution.failureReason,
    MonitoringJobDefinitionName: execution.definitionName,
    MonitoringType: execution.type,
  };
}
