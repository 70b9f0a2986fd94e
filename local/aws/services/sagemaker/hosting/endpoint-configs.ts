import type {
  CreateEndpointConfigInput,
  DeleteEndpointConfigInput,
  DescribeEndpointConfigInput,
  ListEndpointConfigsInput,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, definedOnly, operation, permission, permissionOnAll, scopeOf } from '../operation.ts';
import { validationError } from '../problems.ts';
import { keyOf, type Scope, sagemakerArn } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { checkCapture } from './capture.ts';
import { findModel } from './models.ts';
import type { EndpointConfigRecord, Hostings } from './store.ts';

/** Instance families whose storage is a local NVMe disk: they take no key. */
const localStorage = /^ml\.(?:g4dn|g5|g6|p4d|p4de|p5|[a-z0-9]+d)\./;

export function findEndpointConfig(hostings: Hostings, scope: Scope, name: string): EndpointConfigRecord {
  const found = hostings.of(scope).configs.get(keyOf(name));
  if (found === undefined) {
    throw validationError(`Could not find endpoint configuration "${sagemakerArn(scope, `endpoint-config/${name}`)}".`);
  }
  return found;
}

function refuseUnsupported(input: CreateEndpointConfigInput): void {
  const members = ['AsyncInferenceConfig', 'ExplainerConfig', 'ExecutionRoleArn', 'MetricsConfig'] as const;
  const found: string[] = members.filter((member) => input[member] !== undefined);
  if ((input.ShadowProductionVariants ?? []).length > 0) found.push('ShadowProductionVariants');
  for (const variant of input.ProductionVariants ?? []) {
    const own = ['ServerlessConfig', 'InstancePools', 'ManagedInstanceScaling', 'CoreDumpConfig'] as const;
    found.push(...own.filter((member) => variant[member] !== undefined));
    if (variant.ModelName === undefined) found.push('a variant without ModelName (inference components)');
  }
  if (found.length > 0) throw new NotImplementedError(`${[...new Set(found)].join(', ')} of endpoint configurations`);
}

function check(hostings: Hostings, scope: Scope, input: CreateEndpointConfigInput): void {
  const variants = input.ProductionVariants ?? [];
  const names = variants.map((variant) => variant.VariantName ?? '');
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    throw validationError(`Production variant names must be unique: ${repeated} appears twice.`);
  for (const variant of variants) {
    findModel(hostings, scope, variant.ModelName ?? '');
    if (variant.InstanceType === undefined || variant.InitialInstanceCount === undefined) {
      throw validationError(`Variant ${variant.VariantName} needs InstanceType and InitialInstanceCount.`);
    }
    if (input.KmsKeyId !== undefined && localStorage.test(variant.InstanceType)) {
      throw validationError(
        `KmsKeyId is not supported for instance type ${variant.InstanceType} of variant ${variant.VariantName}: its storage is encrypted by the instance itself.`,
      );
    }
  }
}

export function endpointConfigOperations(
  context: PlatformContext,
  tags: TagStore,
  hostings: Hostings,
): Record<string, Operation> {
  const arnOf = (call: Call, name: string | undefined) => sagemakerArn(scopeOf(call), `endpoint-config/${name}`);

  return {
    CreateEndpointConfig: operation<CreateEndpointConfigInput, unknown>({
      mutating: true,
      authorize: (input, call) =>
        creation(
          'CreateEndpointConfig',
          arnOf(call, input.EndpointConfigName),
          input.Tags,
          definedOnly({
            'sagemaker:InstanceTypes': (input.ProductionVariants ?? []).flatMap(
              (variant) => variant.InstanceType ?? [],
            ),
            'sagemaker:ModelArn': (input.ProductionVariants ?? []).map((variant) =>
              sagemakerArn(scopeOf(call), `model/${variant.ModelName}`),
            ),
            'sagemaker:VolumeKmsKeyArn': input.KmsKeyId,
            'sagemaker:NetworkIsolation': input.EnableNetworkIsolation,
            'sagemaker:VpcSubnets': input.VpcConfig?.Subnets,
            'sagemaker:VpcSecurityGroupIds': input.VpcConfig?.SecurityGroupIds,
          }),
        ),
      handle(input, call) {
        const scope = scopeOf(call);
        const name = input.EndpointConfigName ?? '';
        const arn = arnOf(call, name);
        const { configs } = hostings.of(scope);
        if (configs.has(keyOf(name))) {
          throw validationError(`Cannot create already existing endpoint configuration "${arn}".`);
        }
        refuseUnsupported(input);
        check(hostings, scope, input);
        checkCapture(input.DataCaptureConfig);
        tags.create(arn, input.Tags);
        configs.set(keyOf(name), { name, arn, request: input, createdAt: context.clock.now() });
        return { EndpointConfigArn: arn };
      },
    }),

    DescribeEndpointConfig: operation<DescribeEndpointConfigInput, unknown>({
      mutating: false,
      authorize: (input, call) => [permission(tags, 'DescribeEndpointConfig', arnOf(call, input.EndpointConfigName))],
      handle(input, call) {
        const config = findEndpointConfig(hostings, scopeOf(call), input.EndpointConfigName ?? '');
        const { Tags: _tags, ...request } = config.request;
        return {
          ...request,
          EndpointConfigName: config.name,
          EndpointConfigArn: config.arn,
          CreationTime: config.createdAt,
          EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
        };
      },
    }),

    DeleteEndpointConfig: operation<DeleteEndpointConfigInput, unknown>({
      mutating: true,
      authorize: (input, call) => [permission(tags, 'DeleteEndpointConfig', arnOf(call, input.EndpointConfigName))],
      handle(input, call) {
        const config = findEndpointConfig(hostings, scopeOf(call), input.EndpointConfigName ?? '');
        hostings.of(scopeOf(call)).configs.delete(keyOf(config.name));
        tags.remove(config.arn);
        return {};
      },
    }),

    ListEndpointConfigs: operation<ListEndpointConfigsInput, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListEndpointConfigs')],
      handle(input, call) {
        const matching = [...hostings.of(scopeOf(call)).configs.values()].filter(
          (config) =>
            nameContains(config.name, input.NameContains) &&
            inWindow(config.createdAt, input.CreationTimeAfter, input.CreationTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (config) => (input.SortBy === 'Name' ? config.name : config.createdAt),
          id: (config) => config.name,
          defaultOrder: 'Descending',
        });
        return {
          EndpointConfigs: items.map((config) => ({
            EndpointConfigName: config.name,
            EndpointConfigArn: config.arn,
            CreationTime: config.createdAt,
          })),
          NextToken,
        };
      },
    }),
  };
}
