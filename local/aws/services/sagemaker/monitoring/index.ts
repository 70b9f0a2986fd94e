import type { PlatformContext } from '../../../core/context.ts';
import type { Operation } from '../../../core/service.ts';
import type { Hostings } from '../hosting/store.ts';
import type { Jobs } from '../jobs/index.ts';
import { keyOf, type Scope } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { definitionOperations } from './definitions.ts';
import { createExecutions } from './executions.ts';
import { createScheduler } from './scheduler.ts';
import { scheduleOperations } from './schedules.ts';
import { createMonitorings, endpointOf, jobOf } from './store.ts';

export interface MonitoringService {
  operations: Record<string, Operation>;
  /** Names of the schedules that watch an endpoint, one that is being deleted included. */
  schedulesOf(scope: Scope, endpoint: string): string[];
}

/** Monitoring schedules, their executions, and data quality job definitions. */
export function createMonitoring(
  context: PlatformContext,
  tags: TagStore,
  hostings: Hostings,
  startProcessing: Jobs['startProcessing'],
): MonitoringService {
  const monitorings = createMonitorings();
  const scheduler = createScheduler(context, createExecutions(context, monitorings, hostings, startProcessing));
  return {
    operations: {
      ...scheduleOperations(context, tags, monitorings, hostings, scheduler),
      ...definitionOperations(context, tags, monitorings, hostings),
    },
    schedulesOf(scope, endpoint) {
      const monitoring = monitorings.of(scope);
      return [...monitoring.schedules.values()]
        .filter(({ config }) => keyOf(endpointOf(jobOf(monitoring, config)) ?? '') === keyOf(endpoint))
        .map(({ name }) => name);
    },
  };
}
