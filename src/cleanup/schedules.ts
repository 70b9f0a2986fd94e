/** Monitoring schedules: an endpoint that is monitored cannot be deleted before them. */
import {
  DeleteMonitoringScheduleCommand,
  DescribeMonitoringScheduleCommand,
  type DescribeMonitoringScheduleResponse,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Service } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import { accountsAtOnce, type CleanupContext, eachOf, type Item, type Part, unlessGone } from './part.ts';
import { type FoundTarget, inTarget } from './targets.ts';

/** Executions in these states keep their schedule from being deleted, and so does a schedule that is changing itself. */
const executing = ['Pending', 'InProgress', 'Stopping'];

function busyWith(found: DescribeMonitoringScheduleResponse | undefined): string | undefined {
  const last = found?.LastMonitoringExecutionSummary?.MonitoringExecutionStatus ?? '';
  if (found?.MonitoringScheduleStatus === 'Pending') return 'it is Pending';
  return executing.includes(last) ? `its last execution is ${last}` : undefined;
}

/** Deletes a schedule that may be busy, and waits until it is gone: before that, its endpoint cannot be deleted. */
async function deleteSchedule(
  sagemaker: Service,
  { name, account, region }: Item,
  { clock, signal, deadline, logger }: CleanupContext,
): Promise<string | undefined> {
  const named = { MonitoringScheduleName: name };
  const sending = { resource: name, signal };
  const until = (done: (found: DescribeMonitoringScheduleResponse | undefined) => boolean) =>
    poll({
      read: () => unlessGone(() => sagemaker.send(new DescribeMonitoringScheduleCommand(named), sending)),
      done,
      clock,
      signal,
      deadline,
      onDeadline: (found) =>
        stillRunning({
          resource: name,
          region,
          account,
          where: `The monitoring schedule ${name} was not deleted (${busyWith(found) ?? `it is ${found?.MonitoringScheduleStatus}`})`,
          resume: 're-run this job; it goes on with what is left',
        }),
    });
  let told = false;
  const atRest = await until((found) => {
    const busy = busyWith(found);
    if (busy !== undefined && !told)
      logger.info(`The monitoring schedule ${name} in ${account}/${region} cannot be deleted yet: ${busy}; waiting`);
    told ||= busy !== undefined;
    return busy === undefined;
  });
  if (atRest === undefined) return 'gone already:';
  await sagemaker.send(new DeleteMonitoringScheduleCommand(named), sending);
  // A schedule may have failed long before; only a new word about it is about its deletion.
  const { LastModifiedTime: before } = atRest;
  const left = await until(
    (found) =>
      found === undefined ||
      (found.MonitoringScheduleStatus === 'Failed' && found.LastModifiedTime?.getTime() !== before?.getTime()),
  );
  if (left === undefined) return undefined;
  throw new FailureError({
    code: 'ServiceError',
    cause: `The monitoring schedule ${name} could not be deleted: ${left.FailureReason ?? 'no reason given'}`,
  });
}

/** The schedules of all endpoints: an endpoint that is monitored is not deleted before. */
export function schedulePart(targets: readonly FoundTarget[], context: CleanupContext): Part {
  const { signal } = context;
  return {
    items: targets.flatMap(({ schedules }) => schedules),
    remove: (record) =>
      eachOf(targets, accountsAtOnce, async (target) => {
        const sagemaker = inTarget(target, context).service(SageMakerClient);
        for (const item of target.schedules) {
          const look = () =>
            sagemaker.send(new DescribeMonitoringScheduleCommand({ MonitoringScheduleName: item.name }), {
              resource: item.name,
              signal,
            });
          await record.attempt(item, () => deleteSchedule(sagemaker, item, context), look);
        }
      }),
  };
}
