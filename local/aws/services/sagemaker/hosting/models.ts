import type {
  ContainerDefinition,
  CreateModelInput,
  DeleteModelInput,
  DescribeModelInput,
  ListModelsInput,
} from '@aws-sdk/client-sagemaker';
import { parseArn } from '../../../core/arn.ts';
import type { ModelContainer, PlatformContext } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../../core/service.ts';
import { checkReadable } from '../artifacts.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import {
  creation,
  definedOnly,
  operation,
  passRole,
  permission,
  permissionOnAll,
  requestTags,
  scopeOf,
} from '../operation.ts';
import { validationError } from '../problems.ts';
import { packagePermission } from '../registry/permissions.ts';
import { findPackage, lookUpPackage, packageArn, type Registries } from '../registry/store.ts';
import { keyOf, type Scope, sagemakerArn } from '../scope.ts';
import { useRole } from '../service-role.ts';
import type { TagStore } from '../tag-store.ts';
import type { Hostings, ModelRecord } from './store.ts';

export function findModel(hostings: Hostings, scope: Scope, name: string): ModelRecord {
  const found = hostings.of(scope).models.get(keyOf(name));
  if (found === undefined) throw validationError(`Could not find model "${sagemakerArn(scope, `model/${name}`)}".`);
  return found;
}

function containersOf(input: CreateModelInput): ContainerDefinition[] {
  return [...(input.PrimaryContainer === undefined ? [] : [input.PrimaryContainer]), ...(input.Containers ?? [])];
}

/** What a container really runs. A package's container gives the image and the artefact; the request may add environment. */
function resolveContainer(registries: Registries, call: Call, container: ContainerDefinition): ModelContainer {
  if (container.ModelPackageName === undefined) {
    const modelDataUrl = container.ModelDataSource?.S3DataSource?.S3Uri ?? container.ModelDataUrl;
    if (container.Image === undefined) throw validationError('A container needs an Image or a ModelPackageName.');
    return {
      image: container.Image,
      ...(modelDataUrl === undefined ? {} : { modelDataUrl }),
      environment: container.Environment ?? {},
    };
  }
  const region = parseArn(container.ModelPackageName)?.region;
  if (region !== undefined && region !== call.region) {
    throw validationError(
      `ModelPackage ${container.ModelPackageName} is in ${region}, but the model is created in ${call.region}: a model package can only be used in its own region.`,
    );
  }
  const record = findPackage(registries, call, container.ModelPackageName);
  if (record.group !== undefined && record.fields.ModelApprovalStatus !== 'Approved') {
    throw validationError(
      `ModelPackage ${record.arn} has approval status ${record.fields.ModelApprovalStatus}: only Approved model packages can be deployed.`,
    );
  }
  const [first, ...more] = record.fields.InferenceSpecification?.Containers ?? [];
  if (first?.Image === undefined) throw validationError(`ModelPackage ${record.arn} has no container to run.`);
  if (more.length > 0) throw new NotImplementedError('model packages with several containers (inference pipelines)');
  const modelDataUrl = first.ModelDataSource?.S3DataSource?.S3Uri ?? first.ModelDataUrl;
  return {
    image: first.Image,
    ...(modelDataUrl === undefined ? {} : { modelDataUrl }),
    environment: { ...first.Environment, ...container.Environment },
  };
}

function refuseUnsupported(input: CreateModelInput): ContainerDefinition {
  const [container, ...more] = containersOf(input);
  if (container === undefined) throw validationError('Either PrimaryContainer or Containers must be given.');
  if (more.length > 0) throw new NotImplementedError('models with several containers (inference pipelines)');
  if (container.Mode === 'MultiModel') throw new NotImplementedError('multi-model containers');
  const members = [
    'ImageConfig',
    'AdditionalModelDataSources',
    'InferenceSpecificationName',
    'MultiModelConfig',
  ] as const;
  const found = members.filter((member) => container[member] !== undefined);
  if (found.length > 0) throw new NotImplementedError(`${found.join(', ')} of a model's container`);
  return container;
}

export function modelOperations(
  context: PlatformContext,
  tags: TagStore,
  hostings: Hostings,
  registries: Registries,
): Record<string, Operation> {
  const arnOf = (call: Call, name: string | undefined) => sagemakerArn(scopeOf(call), `model/${name}`);

  /** The caller must be able to read the package it deploys; one of another account must also let it make models of it. */
  function packagePermissions(input: CreateModelInput, call: Call): AuthorizationRequest[] {
    return containersOf(input).flatMap(({ ModelPackageName: name }) => {
      if (name === undefined) return [];
      const found = lookUpPackage(registries, call, name);
      const arn = found?.arn ?? packageArn(call, name);
      const foreign = parseArn(arn)?.account !== call.account;
      const actions = foreign ? ['DescribeModelPackage', 'CreateModel'] : ['DescribeModelPackage'];
      return actions.map((action) => ({
        ...packagePermission(tags, action, arn, found),
        ...(action === 'CreateModel' ? requestTags(input.Tags) : {}),
      }));
    });
  }

  async function create(input: CreateModelInput, call: Call): Promise<ModelRecord> {
    const scope = scopeOf(call);
    const name = input.ModelName ?? '';
    const arn = arnOf(call, name);
    const { models } = hostings.of(scope);
    const refuseDuplicate = () => {
      if (models.has(keyOf(name))) throw validationError(`Cannot create already existing model "${arn}".`);
    };
    refuseDuplicate();
    const asked = refuseUnsupported(input);
    const executionRoleArn = input.ExecutionRoleArn;
    if (executionRoleArn === undefined) throw validationError('ExecutionRoleArn is required.');
    const container = resolveContainer(registries, call, asked);
    if (context.imageDigest(container.image) === undefined) {
      throw validationError(`Requested image ${container.image} not found.`);
    }
    const role = useRole(context, { roleArn: executionRoleArn, scope, sourceArn: arn, sessionName: 'SageMaker' });
    if (container.modelDataUrl !== undefined) {
      const { s3 } = context.clients(role, call.region);
      const prefix = asked.ModelDataSource?.S3DataSource?.S3DataType === 'S3Prefix';
      await checkReadable(s3, container.modelDataUrl, prefix, {
        what: 'model data',
        who: `the role "${executionRoleArn}"`,
      });
    }
    refuseDuplicate();
    tags.create(arn, input.Tags);
    const record = { name, arn, request: input, createdAt: context.clock.now(), container, executionRoleArn };
    models.set(keyOf(name), record);
    return record;
  }

  return {
    CreateModel: operation<CreateModelInput, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation(
          'CreateModel',
          arnOf(call, input.ModelName),
          input.Tags,
          definedOnly({
            'sagemaker:NetworkIsolation': input.EnableNetworkIsolation,
            'sagemaker:VpcSubnets': input.VpcConfig?.Subnets,
            'sagemaker:VpcSecurityGroupIds': input.VpcConfig?.SecurityGroupIds,
          }),
        ),
        ...packagePermissions(input, call),
        ...(input.ExecutionRoleArn === undefined ? [] : [passRole(input.ExecutionRoleArn)]),
      ],
      handle: async (input, call) => ({ ModelArn: (await create(input, call)).arn }),
    }),

    DescribeModel: operation<DescribeModelInput, unknown>({
      mutating: false,
      authorize: (input, call) => [permission(tags, 'DescribeModel', arnOf(call, input.ModelName))],
      handle(input, call) {
        const model = findModel(hostings, scopeOf(call), input.ModelName ?? '');
        const { Tags: _tags, ...request } = model.request;
        return {
          ...request,
          ModelName: model.name,
          ModelArn: model.arn,
          CreationTime: model.createdAt,
          EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
        };
      },
    }),

    DeleteModel: operation<DeleteModelInput, unknown>({
      mutating: true,
      authorize: (input, call) => [permission(tags, 'DeleteModel', arnOf(call, input.ModelName))],
      handle(input, call) {
        const model = findModel(hostings, scopeOf(call), input.ModelName ?? '');
        hostings.of(scopeOf(call)).models.delete(keyOf(model.name));
        tags.remove(model.arn);
        return {};
      },
    }),

    ListModels: operation<ListModelsInput, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListModels')],
      handle(input, call) {
        const matching = [...hostings.of(scopeOf(call)).models.values()].filter(
          (model) =>
            nameContains(model.name, input.NameContains) &&
            inWindow(model.createdAt, input.CreationTimeAfter, input.CreationTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (model) => (input.SortBy === 'Name' ? model.name : model.createdAt),
          id: (model) => model.name,
          defaultOrder: 'Descending',
        });
        return {
          Models: items.map((model) => ({
            ModelName: model.name,
            ModelArn: model.arn,
            CreationTime: model.createdAt,
          })),
          NextToken,
        };
      },
    }),
  };
}
