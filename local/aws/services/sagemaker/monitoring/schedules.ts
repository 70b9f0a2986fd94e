import type {
  CreateMonitoringScheduleRequest,
  DeleteMonitoringScheduleRequest,
  DescribeMonitoringScheduleRequest,
  ListMonitoringExecutionsRequest,
  ListMonitoringSchedulesRequest,
  MonitoringJobDefinition,
  StartMonitoringScheduleRequest,
  StopMonitoringScheduleRequest,
  UpdateMonitoringScheduleRequest,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import type { Call, Operation } from '../../../core/service.ts';
import type { Hostings } from '../hosting/store.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, passRole, permission, permissionOnAll, scopeOf } from '../operation.ts';
import { resourceInUse, resourceNotFound, validationError } from '../problems.ts';
import { keyOf, type Scope, sagemakerArn } from '../scope.ts';
import { useRole } from '../service-role.ts';
import type { TagStore } from '../tag-store.ts';
import { checkScheduleConfig, monitoringConditions } from './check.ts';
import type { Scheduler } from './scheduler.ts';
import {
  endpointOf,
  executionSummary,
  jobOf,
  type Monitorings,
  runningOf,
  type ScheduleRecord,
  statusOf,
} from './store.ts';

const same = (wanted: string | undefined, is: string | undefined) =>
  wanted === undefined || keyOf(wanted) === keyOf(is ?? '');

export function scheduleOperations(
  context: PlatformContext,
  tags: TagStore,
  monitorings: Monitorings,
  hostings: Hostings,
  scheduler: Scheduler,
): Record<string, Operation> {
  const arnOf = (call: Call, name: string | undefined) => sagemakerArn(scopeOf(call), `monitoring-schedule/${name}`);

  function find(call: Call, name: string | undefined): ScheduleRecord {
    const found = monitorings.of(scopeOf(call)).schedules.get(keyOf(name ?? ''));
    if (found === undefined) throw resourceNotFound(`Could not find monitoring schedule ${name} in ${call.region}.`);
    return found;
  }

  /**
   * Updates and deletions are refused while a schedule changes and while one of its executions is under way, as AWS's own
   * controller for Kubernetes has to wait for (aws-controllers-k8s/sagemaker-controller, monitoring_schedule/hooks.go).
   */
  function atRest(schedule: ScheduleRecord, doing: string): void {
    if (schedule.status === 'Pending') {
      throw validationError(`Monitoring schedule in status Pending cannot be ${doing}: ${schedule.arn}`);
    }
  }
  function idle(schedule: ScheduleRecord, doing: string): void {
    atRest(schedule, doing);
    const running = runningOf(monitorings.of(schedule.scope), schedule.name);
    if (running === undefined) return;
    throw validationError(
      `Monitoring schedule ${schedule.arn} has in-progress executions and cannot be ${doing}: the one of ${running.scheduledTime.toISOString()} is ${statusOf(running)}. Wait for its end, or stop its processing job.`,
    );
  }

  /** The role of a schedule's own job must be one that SageMaker can take. */
  function checkRole(scope: Scope, arn: string, job: MonitoringJobDefinition | undefined): void {
    if (job !== undefined) {
      useRole(context, { roleArn: job.RoleArn ?? '', scope, sourceArn: arn, sessionName: 'SageMaker' });
    }
  }

  const endpointName = (schedule: ScheduleRecord) => endpointOf(jobOf(monitorings.of(schedule.scope), schedule.config));

  function summary(schedule: ScheduleRecord) {
    return {
      MonitoringScheduleName: schedule.name,
      MonitoringScheduleArn: schedule.arn,
      CreationTime: schedule.createdAt,
      LastModifiedTime: schedule.modifiedAt,
      MonitoringScheduleStatus: schedule.status,
      EndpointName: endpointName(schedule),
      MonitoringJobDefinitionName: schedule.config.MonitoringJobDefinitionName,
      MonitoringType: schedule.config.MonitoringType,
    };
  }

  return {
    CreateMonitoringSchedule: operation<CreateMonitoringScheduleRequest, unknown>({
      mutating: true,
      authorize(input, call) {
        const own = input.MonitoringScheduleConfig?.MonitoringJobDefinition;
        return [
          ...creation(
            'CreateMonitoringSchedule',
            arnOf(call, input.MonitoringScheduleName),
            input.Tags,
            monitoringConditions(own),
          ),
          ...(own === undefined ? [] : [passRole(own.RoleArn ?? '')]),
        ];
      },
      handle(input, call) {
        const scope = scopeOf(call);
        const name = input.MonitoringScheduleName ?? '';
        const arn = arnOf(call, name);
        const monitoring = monitorings.of(scope);
        if (monitoring.schedules.has(keyOf(name))) {
          throw resourceInUse(`A monitoring schedule with this name already exists (${arn})`);
        }
        const config = input.MonitoringScheduleConfig ?? {};
        const timing = checkScheduleConfig(monitoring, hostings, scope, config);
        checkRole(scope, arn, config.MonitoringJobDefinition);
        tags.create(arn, input.Tags);
        const now = context.clock.now();
        const schedule: ScheduleRecord = {
          name,
          arn,
          scope,
          config,
          timing,
          status: 'Pending',
          createdAt: now,
          modifiedAt: now,
          rest: 'Scheduled',
          timer: new AbortController(),
        };
        monitoring.schedules.set(keyOf(name), schedule);
        scheduler.change(schedule, 'Create');
        return { MonitoringScheduleArn: arn };
      },
    }),

    UpdateMonitoringSchedule: operation<UpdateMonitoringScheduleRequest, unknown>({
      mutating: true,
      authorize(input, call) {
        const own = input.MonitoringScheduleConfig?.MonitoringJobDefinition;
        return [
          permission(
            tags,
            'UpdateMonitoringSchedule',
            arnOf(call, input.MonitoringScheduleName),
            monitoringConditions(own),
          ),
          ...(own === undefined ? [] : [passRole(own.RoleArn ?? '')]),
        ];
      },
      handle(input, call) {
        const scope = scopeOf(call);
        const schedule = find(call, input.MonitoringScheduleName);
        idle(schedule, 'updated');
        const config = input.MonitoringScheduleConfig ?? {};
        const timing = checkScheduleConfig(monitorings.of(scope), hostings, scope, config);
        checkRole(scope, schedule.arn, config.MonitoringJobDefinition);
        schedule.config = config;
        schedule.timing = timing;
        scheduler.change(schedule, 'Update');
        return { MonitoringScheduleArn: schedule.arn };
      },
    }),

    StartMonitoringSchedule: operation<StartMonitoringScheduleRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'StartMonitoringSchedule', arnOf(call, input.MonitoringScheduleName)),
      ],
      handle(input, call) {
        const schedule = find(call, input.MonitoringScheduleName);
        if (schedule.status !== 'Stopped') {
          throw validationError(
            `Only a Stopped monitoring schedule can be started; ${schedule.arn} is ${schedule.status}.`,
          );
        }
        schedule.rest = 'Scheduled';
        scheduler.change(schedule, 'Start');
        return {};
      },
    }),

    // An execution that is under way goes on: only the next ones are stopped.
    StopMonitoringSchedule: operation<StopMonitoringScheduleRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'StopMonitoringSchedule', arnOf(call, input.MonitoringScheduleName)),
      ],
      handle(input, call) {
        const schedule = find(call, input.MonitoringScheduleName);
        if (schedule.status !== 'Scheduled') {
          throw validationError(
            `Only a Scheduled monitoring schedule can be stopped; ${schedule.arn} is ${schedule.status}.`,
          );
        }
        schedule.rest = 'Stopped';
        scheduler.change(schedule, 'Stop');
        return {};
      },
    }),

    DeleteMonitoringSchedule: operation<DeleteMonitoringScheduleRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'DeleteMonitoringSchedule', arnOf(call, input.MonitoringScheduleName)),
      ],
      handle(input, call) {
        const schedule = find(call, input.MonitoringScheduleName);
        idle(schedule, 'deleted');
        scheduler.change(schedule, 'Delete', () => {
          monitorings.of(schedule.scope).schedules.delete(keyOf(schedule.name));
          tags.remove(schedule.arn);
        });
        return {};
      },
    }),

    DescribeMonitoringSchedule: operation<DescribeMonitoringScheduleRequest, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(tags, 'DescribeMonitoringSchedule', arnOf(call, input.MonitoringScheduleName)),
      ],
      handle(input, call) {
        const schedule = find(call, input.MonitoringScheduleName);
        const last = monitorings
          .of(schedule.scope)
          .executions.filter(
            (each) => keyOf(each.schedule) === keyOf(schedule.name) && each.createdAt >= schedule.createdAt,
          )
          .at(-1);
        const { MonitoringJobDefinitionName: _name, ...own } = summary(schedule);
        return {
          ...own,
          FailureReason: schedule.failureReason,
          MonitoringScheduleConfig: schedule.config,
          ...(last === undefined ? {} : { LastMonitoringExecutionSummary: executionSummary(last) }),
        };
      },
    }),

    ListMonitoringSchedules: operation<ListMonitoringSchedulesRequest, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListMonitoringSchedules')],
      handle(input, call) {
        const matching = [...monitorings.of(scopeOf(call)).schedules.values()].filter(
          (schedule) =>
            nameContains(schedule.name, input.NameContains) &&
            same(input.EndpointName, endpointName(schedule)) &&
            same(input.MonitoringJobDefinitionName, schedule.config.MonitoringJobDefinitionName) &&
            same(input.MonitoringTypeEquals, schedule.config.MonitoringType) &&
            same(input.StatusEquals, schedule.status) &&
            inWindow(schedule.createdAt, input.CreationTimeAfter, input.CreationTimeBefore) &&
            inWindow(schedule.modifiedAt, input.LastModifiedTimeAfter, input.LastModifiedTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (schedule) =>
            input.SortBy === 'Name' ? schedule.name : input.SortBy === 'Status' ? schedule.status : schedule.createdAt,
          id: (schedule) => schedule.name,
          defaultOrder: 'Descending',
        });
        return { MonitoringScheduleSummaries: items.map(summary), NextToken };
      },
    }),

    ListMonitoringExecutions: operation<ListMonitoringExecutionsRequest, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListMonitoringExecutions')],
      handle(input, call) {
        const matching = monitorings
          .of(scopeOf(call))
          .executions.filter(
            (execution) =>
              same(input.MonitoringScheduleName, execution.schedule) &&
              same(input.EndpointName, execution.endpoint) &&
              same(input.MonitoringJobDefinitionName, execution.definitionName) &&
              same(input.MonitoringTypeEquals, execution.type) &&
              same(input.StatusEquals, statusOf(execution)) &&
              inWindow(execution.scheduledTime, input.ScheduledTimeAfter, input.ScheduledTimeBefore) &&
              inWindow(execution.createdAt, input.CreationTimeAfter, input.CreationTimeBefore) &&
              inWindow(execution.modifiedAt, input.LastModifiedTimeAfter, input.LastModifiedTimeBefore),
          );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (execution) =>
            input.SortBy === 'Status'
              ? statusOf(execution)
              : input.SortBy === 'ScheduledTime'
                ? execution.scheduledTime
                : execution.createdAt,
          id: (execution) => String(execution.id).padStart(12, '0'),
          defaultOrder: 'Descending',
        });
        return { MonitoringExecutionSummaries: items.map(executionSummary), NextToken };
      },
    }),
  };
}
