import type { ScheduleStatus } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { clip } from '../problems.ts';
import { analysisWindow } from './check.ts';
import { nextRun, previousRun } from './expression.ts';
import type { Window } from './job-request.ts';
import type { ScheduleRecord } from './store.ts';

export type Change = 'Create' | 'Update' | 'Start' | 'Stop' | 'Delete';

export interface Scheduler {
  /** Makes a schedule Pending, and after a while what the change leads to. `settled` is called when it is done. */
  change(schedule: ScheduleRecord, change: Change, settled?: () => void): void;
}

/** What an execution at `at` looks at: the time since the one before, or what the schedule's offsets say. */
function windowOf(schedule: ScheduleRecord, at: Date): Window {
  const offsets = analysisWindow(schedule.config);
  if (offsets !== undefined) {
    return { start: new Date(at.getTime() + offsets.start), end: new Date(at.getTime() + offsets.end) };
  }
  return { start: schedule.timing.kind === 'now' ? at : previousRun(schedule.timing.hours, at), end: at };
}

/**
 * Moves schedules through their states by the platform's clock, and starts executions when they are due. SageMaker may be
 * up to 20 minutes late with a start (API reference of ScheduleConfig); here it is punctual.
 */
export function createScheduler(
  context: PlatformContext,
  execute: (schedule: ScheduleRecord, scheduledTime: Date, window: Window) => void,
): Scheduler {
  const { clock } = context;

  function setStatus(schedule: ScheduleRecord, status: ScheduleStatus): void {
    schedule.status = status;
    schedule.modifiedAt = clock.now();
  }

  async function keepTime(schedule: ScheduleRecord, signal: AbortSignal): Promise<void> {
    const { timing } = schedule;
    if (timing.kind === 'now') return;
    for (;;) {
      const due = nextRun(timing.hours, clock.now());
      await clock.sleep(due.getTime() - clock.now().getTime(), signal, 'background');
      execute(schedule, due, windowOf(schedule, due));
    }
  }

  function arm(schedule: ScheduleRecord): void {
    schedule.timer = new AbortController();
    // Rejects only when it is told to end.
    keepTime(schedule, AbortSignal.any([schedule.timer.signal, context.signal])).catch(() => undefined);
  }

  async function settle(schedule: ScheduleRecord, change: Change, settled: () => void): Promise<void> {
    const target = {
      ...schedule.scope,
      operation: `sagemaker:${change}MonitoringSchedule`,
      fields: { MonitoringScheduleName: schedule.name },
    };
    const seconds = context.virtualDuration?.(target) ?? 0;
    const fault = context.takeFault('resource-failure', target);
    // The answer goes out first, so that nobody sees a schedule that was never Pending.
    await new Promise((resolve) => setImmediate(resolve));
    if (seconds > 0) await clock.sleep(seconds * 1000, context.signal);
    if (fault !== undefined) {
      schedule.failureReason = clip(fault.reason, 1024);
      setStatus(schedule, 'Failed');
      return;
    }
    if (change !== 'Delete') {
      delete schedule.failureReason;
      setStatus(schedule, schedule.rest);
      if (schedule.rest === 'Scheduled') {
        arm(schedule);
        const now = clock.now();
        if (schedule.timing.kind === 'now' && change !== 'Start') execute(schedule, now, windowOf(schedule, now));
      }
    }
    settled();
  }

  return {
    change(schedule, change, settled = () => undefined) {
      schedule.timer.abort();
      setStatus(schedule, 'Pending');
      // A sleep that the platform's end cuts short leaves the schedule as it is.
      settle(schedule, change, settled).catch(() => undefined);
    },
  };
}
