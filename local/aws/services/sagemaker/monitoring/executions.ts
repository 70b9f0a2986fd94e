import { randomBytes } from 'node:crypto';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { MonitoringJobDefinition } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { splitS3Uri } from '../artifacts.ts';
import { lookUpEndpoint } from '../hosting/endpoints.ts';
import type { Hostings } from '../hosting/store.ts';
import type { Jobs } from '../jobs/index.ts';
import { clip, reasonOf } from '../problems.ts';
import { useRole } from '../service-role.ts';
import { checkWatchable } from './check.ts';
import { type HourOfData, hoursOfData, processingRequest, shifted, type Window } from './job-request.ts';
import { type ExecutionRecord, endpointOf, jobOf, type Monitorings, type ScheduleRecord } from './store.ts';

/** How an analyzer says that it found violations (AWS's own writes this, and its contract asks others to). */
const violations = /^\s*CompletedWithViolations\b/;
const failureLength = 1024;

/** AWS's names: KIND-yyyymmddhhmm-24 hexadecimal digits. */
function jobName(execution: ExecutionRecord): string {
  const kind = execution.definitionName === undefined ? 'model-monitoring' : 'data-quality-monitoring';
  const at = execution.scheduledTime.toISOString().replace(/\D/g, '').slice(0, 12);
  return `${kind}-${at}-${randomBytes(12).toString('hex')}`;
}

async function holdsData(s3: S3Client, { uri }: HourOfData): Promise<boolean> {
  const place = splitS3Uri(`${uri}/`);
  const found = await s3.send(new ListObjectsV2Command({ Bucket: place?.bucket, Prefix: place?.key, MaxKeys: 1 }));
  return (found.Contents ?? []).length > 0;
}

/** Starts executions and follows their processing jobs. Nothing is pretended: what cannot run here fails by its reason. */
export function createExecutions(
  context: PlatformContext,
  monitorings: Monitorings,
  hostings: Hostings,
  startProcessing: Jobs['startProcessing'],
): (schedule: ScheduleRecord, scheduledTime: Date, window: Window) => void {
  let count = 0;

  function move(execution: ExecutionRecord, status: ExecutionRecord['status'], reason?: string): void {
    execution.status = status;
    execution.modifiedAt = context.clock.now();
    if (reason !== undefined) execution.failureReason = clip(reason, failureLength);
  }

  /** The hours that hold data, read with the role of the job. */
  async function dataOf(
    schedule: ScheduleRecord,
    job: MonitoringJobDefinition,
    hours: readonly HourOfData[],
  ): Promise<HourOfData[]> {
    const credentials = useRole(context, {
      roleArn: job.RoleArn ?? '',
      scope: schedule.scope,
      sourceArn: schedule.arn,
      sessionName: 'SageMaker',
    });
    const { s3 } = context.clients(credentials, schedule.scope.region);
    const found = await Promise.all(
      hours.map((each) =>
        holdsData(s3, each).catch((error: unknown) => {
          throw new Error(
            `Could not list captured data at ${each.uri}. Please ensure that the bucket exists in ${schedule.scope.region} and that the role ${job.RoleArn} has "s3:ListBucket" permissions on it. ${reasonOf(error)}`,
          );
        }),
      ),
    );
    return hours.filter((_, index) => found[index] === true);
  }

  async function run(execution: ExecutionRecord, schedule: ScheduleRecord, wanted: Window): Promise<void> {
    const job = jobOf(monitorings.of(schedule.scope), schedule.config);
    if (job === undefined) {
      throw new Error(`Data quality job definition ${execution.definitionName} does not exist.`);
    }
    const endpoint = lookUpEndpoint(hostings, schedule.scope, execution.endpoint);
    checkWatchable(endpoint, execution.endpoint);
    const window = shifted(job, wanted);
    const data = await dataOf(schedule, job, hoursOfData(endpoint, window));
    // AWS's own sentence (aws/sagemaker-python-sdk#2634).
    if (data.length === 0) throw new Error('Job inputs had no data');
    const name = jobName(execution);
    const request = processingRequest({ name, schedule: schedule.name, job, endpoint, window, data });
    execution.job = startProcessing(schedule.scope, name, request, schedule.arn);
    move(execution, 'InProgress');
    await execution.job.ended;
    const { status, failureReason, result } = execution.job;
    if (status === 'Completed') {
      const found = violations.test(result?.exitMessage ?? '');
      move(execution, found ? 'CompletedWithViolations' : 'Completed');
    } else move(execution, status === 'Stopped' ? 'Stopped' : 'Failed', failureReason);
  }

  return (schedule, scheduledTime, window) => {
    const monitoring = monitorings.of(schedule.scope);
    const now = context.clock.now();
    const execution: ExecutionRecord = {
      id: ++count,
      scope: schedule.scope,
      schedule: schedule.name,
      scheduledTime,
      createdAt: now,
      modifiedAt: now,
      status: 'Pending',
      endpoint: endpointOf(jobOf(monitoring, schedule.config)) ?? '',
      ...(schedule.config.MonitoringJobDefinitionName === undefined
        ? {}
        : { definitionName: schedule.config.MonitoringJobDefinitionName }),
      ...(schedule.config.MonitoringType === undefined ? {} : { type: schedule.config.MonitoringType }),
    };
    monitoring.executions.push(execution);
    run(execution, schedule, window).catch((error: unknown) => move(execution, 'Failed', reasonOf(error)));
  };
}
