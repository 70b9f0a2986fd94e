import type {
  CreateDataQualityJobDefinitionRequest,
  DeleteDataQualityJobDefinitionRequest,
  DescribeDataQualityJobDefinitionRequest,
  ListDataQualityJobDefinitionsRequest,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import type { Call, Operation } from '../../../core/service.ts';
import type { Hostings } from '../hosting/store.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, passRole, permission, permissionOnAll, scopeOf } from '../operation.ts';
import { resourceInUse, resourceNotFound, validationError } from '../problems.ts';
import { keyOf, sagemakerArn } from '../scope.ts';
import { useRole } from '../service-role.ts';
import type { TagStore } from '../tag-store.ts';
import { checkJobDefinition, monitoringConditions } from './check.ts';
import { asJobDefinition, type DefinitionRecord, endpointOf, type Monitorings } from './store.ts';

/** Data quality job definitions: made, shown and deleted, never changed. */
export function definitionOperations(
  context: PlatformContext,
  tags: TagStore,
  monitorings: Monitorings,
  hostings: Hostings,
): Record<string, Operation> {
  const arnOf = (call: Call, name: string | undefined) =>
    sagemakerArn(scopeOf(call), `data-quality-job-definition/${name}`);

  function find(call: Call, name: string | undefined): DefinitionRecord {
    const found = monitorings.of(scopeOf(call)).definitions.get(keyOf(name ?? ''));
    if (found === undefined) {
      throw resourceNotFound(`Could not find data quality job definition ${name} in ${call.region}.`);
    }
    return found;
  }
  const endpointName = (definition: DefinitionRecord) => endpointOf(asJobDefinition(definition.request)) ?? '';

  return {
    CreateDataQualityJobDefinition: operation<CreateDataQualityJobDefinitionRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation(
          'CreateDataQualityJobDefinition',
          arnOf(call, input.JobDefinitionName),
          input.Tags,
          monitoringConditions(asJobDefinition(input)),
        ),
        passRole(input.RoleArn ?? ''),
      ],
      handle(input, call) {
        const scope = scopeOf(call);
        const name = input.JobDefinitionName ?? '';
        const arn = arnOf(call, name);
        const { definitions } = monitorings.of(scope);
        if (definitions.has(keyOf(name))) {
          throw resourceInUse(`A data quality job definition with this name already exists (${arn})`);
        }
        checkJobDefinition(hostings, scope, asJobDefinition(input));
        useRole(context, { roleArn: input.RoleArn ?? '', scope, sourceArn: arn, sessionName: 'SageMaker' });
        tags.create(arn, input.Tags);
        definitions.set(keyOf(name), { name, arn, request: input, createdAt: context.clock.now() });
        return { JobDefinitionArn: arn };
      },
    }),

    DescribeDataQualityJobDefinition: operation<DescribeDataQualityJobDefinitionRequest, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(tags, 'DescribeDataQualityJobDefinition', arnOf(call, input.JobDefinitionName)),
      ],
      handle(input, call) {
        const definition = find(call, input.JobDefinitionName);
        const { Tags: _tags, ...request } = definition.request;
        return {
          ...request,
          JobDefinitionArn: definition.arn,
          JobDefinitionName: definition.name,
          CreationTime: definition.createdAt,
        };
      },
    }),

    ListDataQualityJobDefinitions: operation<ListDataQualityJobDefinitionsRequest, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListDataQualityJobDefinitions')],
      handle(input, call) {
        const matching = [...monitorings.of(scopeOf(call)).definitions.values()].filter(
          (definition) =>
            nameContains(definition.name, input.NameContains) &&
            (input.EndpointName === undefined || keyOf(input.EndpointName) === keyOf(endpointName(definition))) &&
            inWindow(definition.createdAt, input.CreationTimeAfter, input.CreationTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (definition) => (input.SortBy === 'Name' ? definition.name : definition.createdAt),
          id: (definition) => definition.name,
          defaultOrder: 'Descending',
        });
        return {
          JobDefinitionSummaries: items.map((definition) => ({
            MonitoringJobDefinitionName: definition.name,
            MonitoringJobDefinitionArn: definition.arn,
            CreationTime: definition.createdAt,
            EndpointName: endpointName(definition),
          })),
          NextToken,
        };
      },
    }),

    DeleteDataQualityJobDefinition: operation<DeleteDataQualityJobDefinitionRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'DeleteDataQualityJobDefinition', arnOf(call, input.JobDefinitionName)),
      ],
      handle(input, call) {
        const definition = find(call, input.JobDefinitionName);
        const { definitions, schedules } = monitorings.of(scopeOf(call));
        // A schedule locks its definition (SageMaker Python SDK, model_monitoring.py); the text is ours.
        const user = [...schedules.values()].find(
          ({ config }) => keyOf(config.MonitoringJobDefinitionName ?? '') === keyOf(definition.name),
        );
        if (user !== undefined) {
          throw validationError(
            `Data quality job definition ${definition.arn} cannot be deleted: the monitoring schedule ${user.name} runs it. Delete the schedule first.`,
          );
        }
        definitions.delete(keyOf(definition.name));
        tags.remove(definition.arn);
        return {};
      },
    }),
  };
}
