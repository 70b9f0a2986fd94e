import type { ListMonitoringSchedulesRequest, ListMonitoringSchedulesResponse } from '@aws-sdk/client-sagemaker';
import type { Operation } from '../../core/service.ts';
import { operation, permissionOnAll } from './operation.ts';

/** Schedules cannot be created on this platform (not implemented), so the list of them is empty, and true. */
export function monitoringOperations(): Record<string, Operation> {
  return {
    ListMonitoringSchedules: operation<ListMonitoringSchedulesRequest, ListMonitoringSchedulesResponse>({
      mutating: false,
      authorize: () => [permissionOnAll('ListMonitoringSchedules')],
      handle: () => ({ MonitoringScheduleSummaries: [] }),
    }),
  };
}
