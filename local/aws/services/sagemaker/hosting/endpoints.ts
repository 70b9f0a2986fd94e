import type {
  CreateEndpointInput,
  DeleteEndpointInput,
  DescribeEndpointInput,
  ListEndpointsInput,
  ProductionVariant,
  UpdateEndpointInput,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, permission, permissionOnAll, requestTags, scopeOf } from '../operation.ts';
import { validationError } from '../problems.ts';
import { keyOf, type Scope, sagemakerArn } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { captureSummary } from './capture.ts';
import { planDeployment } from './deployment.ts';
import { findEndpointConfig } from './endpoint-configs.ts';
import { createEndpointLifecycle } from './endpoint-lifecycle.ts';
import type { Retained } from './fleet.ts';
import type { EndpointConfigRecord, EndpointRecord, FleetVariant, Hostings } from './store.ts';

export function lookUpEndpoint(hostings: Hostings, scope: Scope, name: string): EndpointRecord | undefined {
  return hostings.of(scope).endpoints.get(keyOf(name));
}

function instancesOf(config: EndpointConfigRecord): number {
  return (config.request.ProductionVariants ?? []).reduce((sum, each) => sum + (each.InitialInstanceCount ?? 1), 0);
}

/** The variant as DescribeEndpoint shows it, of a fleet that answers. */
function variantSummary({ variant, weight, instanceCount, ...images }: FleetVariant) {
  return {
    VariantName: variant.VariantName,
    DeployedImages: [
      {
        SpecifiedImage: images.specifiedImage,
        ResolvedImage: images.resolvedImage,
        ResolutionTime: images.resolvedAt,
      },
    ],
    CurrentWeight: weight,
    DesiredWeight: weight,
    CurrentInstanceCount: instanceCount,
    DesiredInstanceCount: instanceCount,
  };
}

/** The same of a fleet that is still coming up. */
function announcedVariant(
  variant: ProductionVariant,
  status: 'Creating' | 'Baking' | 'ActivatingTraffic',
  since: Date,
) {
  return {
    VariantName: variant.VariantName,
    DesiredWeight: variant.InitialVariantWeight ?? 1,
    DesiredInstanceCount: variant.InitialInstanceCount,
    VariantStatus: [{ Status: status, StartTime: since }],
  };
}

function describe(endpoint: EndpointRecord) {
  const { pending, fleet } = endpoint;
  const variants =
    fleet !== undefined
      ? fleet.variants.map(variantSummary)
      : endpoint.status === 'Creating'
        ? (endpoint.config.request.ProductionVariants ?? []).map((variant) =>
            announcedVariant(variant, 'Creating', endpoint.createdAt),
          )
        : undefined;
  return {
    EndpointName: endpoint.name,
    EndpointArn: endpoint.arn,
    EndpointConfigName: endpoint.config.name,
    ...(variants === undefined ? {} : { ProductionVariants: variants }),
    EndpointStatus: endpoint.status,
    FailureReason: endpoint.failureReason,
    CreationTime: endpoint.createdAt,
    LastModifiedTime: endpoint.modifiedAt,
    LastDeploymentConfig: endpoint.lastDeployment,
    DataCaptureConfig: captureSummary(endpoint),
    ...(pending === undefined
      ? {}
      : {
          PendingDeploymentSummary: {
            EndpointConfigName: pending.config.name,
            StartTime: pending.startedAt,
            ProductionVariants: (pending.config.request.ProductionVariants ?? []).map((variant) => {
              const running = pending.fleet?.variants.find((each) => each.variant === variant);
              return {
                ...(running === undefined ? {} : variantSummary(running)),
                ...announcedVariant(variant, pending.phase, pending.startedAt),
                InstanceType: variant.InstanceType,
              };
            }),
          },
        }),
  };
}

/** What RetainAllVariantProperties carries over from the running fleet, but for the excluded properties. */
function retention(endpoint: EndpointRecord, input: UpdateEndpointInput): Retained {
  if (input.RetainAllVariantProperties !== true) return () => ({});
  const excluded = (input.ExcludeRetainedVariantProperties ?? []).map((property) => property.VariantPropertyType);
  return (name) => {
    const running = endpoint.fleet?.variants.find((each) => each.variant.VariantName === name);
    if (running === undefined) return {};
    return {
      ...(excluded.includes('DesiredWeight') ? {} : { weight: running.weight }),
      ...(excluded.includes('DesiredInstanceCount') ? {} : { instanceCount: running.instanceCount }),
    };
  };
}

export function endpointOperations(
  context: PlatformContext,
  tags: TagStore,
  hostings: Hostings,
  schedulesOf: (scope: Scope, endpoint: string) => string[],
): Record<string, Operation> {
  const lifecycle = createEndpointLifecycle(context, hostings, tags);
  const arnOf = (call: Call, name: string | undefined) => sagemakerArn(scopeOf(call), `endpoint/${name}`);
  const configArn = (call: Call, name: string | undefined) => sagemakerArn(scopeOf(call), `endpoint-config/${name}`);

  function find(call: Call, name: string): EndpointRecord {
    const found = lookUpEndpoint(hostings, scopeOf(call), name);
    if (found === undefined) throw validationError(`Could not find endpoint "${arnOf(call, name)}".`);
    return found;
  }

  return {
    CreateEndpoint: operation<CreateEndpointInput, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation('CreateEndpoint', arnOf(call, input.EndpointName), input.Tags),
        // The tags of a request count for each resource that it touches.
        {
          ...permission(tags, 'CreateEndpoint', configArn(call, input.EndpointConfigName)),
          ...requestTags(input.Tags),
        },
      ],
      handle(input, call) {
        const scope = scopeOf(call);
        const name = input.EndpointName ?? '';
        const arn = arnOf(call, name);
        const { endpoints } = hostings.of(scope);
        if (endpoints.has(keyOf(name))) throw validationError(`Cannot create already existing endpoint "${arn}".`);
        const config = findEndpointConfig(hostings, scope, input.EndpointConfigName ?? '');
        // A creation never bakes, but the configuration is kept for RetainDeploymentConfig: it must be one that can act.
        planDeployment(input.DeploymentConfig, instancesOf(config));
        tags.create(arn, input.Tags);
        const now = context.clock.now();
        const endpoint: EndpointRecord = {
          name,
          arn,
          scope,
          status: 'Creating',
          createdAt: now,
          modifiedAt: now,
          config,
          ...(input.DeploymentConfig === undefined ? {} : { lastDeployment: input.DeploymentConfig }),
          removed: new AbortController(),
        };
        endpoints.set(keyOf(name), endpoint);
        lifecycle.create(endpoint);
        return { EndpointArn: arn };
      },
    }),

    UpdateEndpoint: operation<UpdateEndpointInput, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'UpdateEndpoint', arnOf(call, input.EndpointName)),
        permission(tags, 'UpdateEndpoint', configArn(call, input.EndpointConfigName)),
      ],
      handle(input, call) {
        const endpoint = find(call, input.EndpointName ?? '');
        const config = findEndpointConfig(hostings, scopeOf(call), input.EndpointConfigName ?? '');
        if (endpoint.status !== 'InService') {
          throw validationError(
            endpoint.status === 'Failed'
              ? `Cannot update endpoint "${endpoint.arn}" in status Failed: it can only be deleted.`
              : `Cannot update in-progress endpoint "${endpoint.arn}".`,
          );
        }
        const deployment = input.RetainDeploymentConfig === true ? endpoint.lastDeployment : input.DeploymentConfig;
        const plan = planDeployment(deployment, instancesOf(config));
        lifecycle.update(endpoint, config, plan, retention(endpoint, input), deployment);
        return { EndpointArn: endpoint.arn };
      },
    }),

    DescribeEndpoint: operation<DescribeEndpointInput, unknown>({
      mutating: false,
      authorize: (input, call) => [permission(tags, 'DescribeEndpoint', arnOf(call, input.EndpointName))],
      handle: (input, call) => describe(find(call, input.EndpointName ?? '')),
    }),

    DeleteEndpoint: operation<DeleteEndpointInput, unknown>({
      mutating: true,
      authorize: (input, call) => [permission(tags, 'DeleteEndpoint', arnOf(call, input.EndpointName))],
      handle(input, call) {
        const endpoint = find(call, input.EndpointName ?? '');
        if (endpoint.status === 'Creating' || endpoint.status === 'Updating') {
          throw validationError(`Cannot update in-progress endpoint "${endpoint.arn}".`);
        }
        // AWS's labs and examples delete the schedules first, and wait for that, because the endpoint cannot be deleted
        // before. The text is ours.
        const watching = endpoint.status === 'Deleting' ? [] : schedulesOf(scopeOf(call), endpoint.name);
        if (watching.length > 0) {
          throw validationError(
            `Cannot delete endpoint "${endpoint.arn}" because it has monitoring schedules: ${watching.join(', ')}. Delete them first.`,
          );
        }
        if (endpoint.status !== 'Deleting') lifecycle.remove(endpoint);
        return {};
      },
    }),

    ListEndpoints: operation<ListEndpointsInput, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListEndpoints')],
      handle(input, call) {
        const matching = [...hostings.of(scopeOf(call)).endpoints.values()].filter(
          (endpoint) =>
            nameContains(endpoint.name, input.NameContains) &&
            (input.StatusEquals === undefined || endpoint.status === input.StatusEquals) &&
            inWindow(endpoint.createdAt, input.CreationTimeAfter, input.CreationTimeBefore) &&
            inWindow(endpoint.modifiedAt, input.LastModifiedTimeAfter, input.LastModifiedTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (endpoint) =>
            input.SortBy === 'Name' ? endpoint.name : input.SortBy === 'Status' ? endpoint.status : endpoint.createdAt,
          id: (endpoint) => endpoint.name,
          defaultOrder: 'Descending',
        });
        return {
          Endpoints: items.map((endpoint) => ({
            EndpointName: endpoint.name,
            EndpointArn: endpoint.arn,
            CreationTime: endpoint.createdAt,
            LastModifiedTime: endpoint.modifiedAt,
            EndpointStatus: endpoint.status,
          })),
          NextToken,
        };
      },
    }),
  };
}
