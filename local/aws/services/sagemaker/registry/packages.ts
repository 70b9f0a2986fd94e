import type {
  CreateModelPackageInput,
  DeleteModelPackageInput,
  DescribeModelPackageInput,
  ListModelPackagesInput,
  UpdateModelPackageInput,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../../core/service.ts';
import { asCaller } from '../artifacts.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, permissionOnAll, scopeOf } from '../operation.ts';
import { validationError } from '../problems.ts';
import { keyOf, resolveNameOrArn, sagemakerArn, userContext } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { announce } from './events.ts';
import { checkMetrics, pinContainers } from './evidence.ts';
import { changeConditions, packagePermission } from './permissions.ts';
import {
  findGroup,
  findPackage,
  lookUpGroup,
  lookUpPackage,
  type PackageFields,
  type PackageRecord,
  packageArn,
  type Registries,
} from './store.ts';

const metadataLimit = 50;

export function packageOperations(
  context: PlatformContext,
  tags: TagStore,
  registries: Registries,
): Record<string, Operation> {
  const onPackage = (
    action: string,
    call: Call,
    nameOrArn: string,
    conditions: AuthorizationRequest['context'] = {},
  ) => {
    const found = lookUpPackage(registries, call, nameOrArn);
    return packagePermission(tags, action, found?.arn ?? packageArn(call, nameOrArn), found, conditions);
  };

  function refuseUnsupported(input: CreateModelPackageInput): void {
    const members = [
      'ValidationSpecification',
      'SourceAlgorithmSpecification',
      'CertifyForMarketplace',
      'ManagedStorageType',
    ] as const;
    const found = members.filter((member) => input[member] !== undefined && input[member] !== false);
    if (found.length > 0) throw new NotImplementedError(`${found.join(', ')} of model packages`);
  }

  async function create(input: CreateModelPackageInput, call: Call): Promise<PackageRecord> {
    const registry = registries.of(scopeOf(call));
    const earlier = input.ClientToken === undefined ? undefined : registry.tokens.get(input.ClientToken);
    if (earlier !== undefined) return earlier;
    refuseUnsupported(input);
    const { ModelPackageName: name, ModelPackageGroupName: groupName, ClientToken: token, Tags, ...given } = input;
    if ((name === undefined) === (groupName === undefined)) {
      throw validationError('Exactly one of ModelPackageName and ModelPackageGroupName must be given.');
    }
    const group = groupName === undefined ? undefined : findGroup(registries, call, groupName);
    if (group !== undefined && (Tags ?? []).length > 0) {
      throw validationError('A versioned model package takes no tags of its own: tag its model package group.');
    }
    if (group === undefined && input.ModelApprovalStatus !== undefined) {
      throw validationError('ModelApprovalStatus does not apply to unversioned model packages.');
    }
    if (given.InferenceSpecification === undefined && given.SourceUri === undefined) {
      throw validationError('Either InferenceSpecification or SourceUri must be given.');
    }
    checkMetadata(given.CustomerMetadataProperties ?? {});
    const { s3 } = asCaller(context, call);
    const specification =
      given.InferenceSpecification === undefined
        ? undefined
        : await pinContainers(context, s3, given.InferenceSpecification);
    await checkMetrics(s3, given.ModelMetrics, given.DriftCheckBaselines);

    // While S3 was asked, the same request may have come again.
    const meanwhile = token === undefined ? undefined : registry.tokens.get(token);
    if (meanwhile !== undefined) return meanwhile;
    if (groupName !== undefined && lookUpGroup(registries, call, groupName) !== group) {
      throw validationError(`Model Package Group ${groupName} was deleted meanwhile.`);
    }
    const version = group === undefined ? undefined : ++group.highestVersion;
    const arn =
      group === undefined
        ? sagemakerArn(scopeOf(call), `model-package/${name}`)
        : sagemakerArn(scopeOf(call), `model-package/${group.name}/${version}`);
    if (registry.packages.has(keyOf(arn))) throw validationError(`Model Package already exists: ${arn}`);
    tags.create(arn, Tags);
    const record: PackageRecord = {
      name: group?.name ?? (name as string),
      arn,
      ...(group === undefined ? {} : { group }),
      ...(version === undefined ? {} : { version }),
      status: 'Completed',
      createdAt: context.clock.now(),
      createdBy: userContext(call.principal),
      fields: {
        ...(given as PackageFields),
        ...(specification === undefined ? {} : { InferenceSpecification: specification }),
        ...(group === undefined ? {} : { ModelApprovalStatus: given.ModelApprovalStatus ?? 'PendingManualApproval' }),
      },
    };
    registry.packages.set(keyOf(arn), record);
    if (token !== undefined) registry.tokens.set(token, record);
    announce(context, record, []);
    return record;
  }

  async function update(input: UpdateModelPackageInput, call: Call): Promise<PackageRecord> {
    const record = findPackage(registries, call, input.ModelPackageArn ?? '');
    const {
      ModelPackageArn: _arn,
      ClientToken: _token,
      CustomerMetadataProperties: properties,
      CustomerMetadataPropertiesToRemove: removed = [],
      AdditionalInferenceSpecificationsToAdd: added,
      ModelCard: card,
      InferenceSpecification: specification,
      ...rest
    } = input;
    if (rest.ModelApprovalStatus !== undefined && record.group === undefined) {
      throw validationError('ModelApprovalStatus does not apply to unversioned model packages.');
    }
    const kept = Object.entries(record.fields.CustomerMetadataProperties ?? {}).filter(
      ([key]) => !removed.includes(key),
    );
    const metadata = { ...Object.fromEntries(kept), ...properties };
    checkMetadata(metadata);
    const pinned =
      specification === undefined ? undefined : await pinContainers(context, asCaller(context, call).s3, specification);

    const changes: Partial<PackageFields> = {
      ...(Object.fromEntries(
        Object.entries(rest).filter(([, value]) => value !== undefined),
      ) as Partial<PackageFields>),
      ...(properties === undefined && removed.length === 0 ? {} : { CustomerMetadataProperties: metadata }),
      ...(pinned === undefined ? {} : { InferenceSpecification: pinned }),
      ...(card === undefined ? {} : { ModelCard: { ...record.fields.ModelCard, ...card } }),
      ...(added === undefined
        ? {}
        : {
            AdditionalInferenceSpecifications: [...(record.fields.AdditionalInferenceSpecifications ?? []), ...added],
          }),
    };
    Object.assign(record.fields, changes);
    record.modifiedAt = context.clock.now();
    record.modifiedBy = userContext(call.principal);
    announce(context, record, Object.keys(changes));
    return record;
  }

  return {
    CreateModelPackage: operation<CreateModelPackageInput, unknown>({
      mutating: true,
      authorize(input, call) {
        const conditions = changeConditions(input);
        if (input.ModelPackageGroupName === undefined) {
          return creation('CreateModelPackage', packageArn(call, input.ModelPackageName ?? ''), input.Tags, conditions);
        }
        const group = lookUpGroup(registries, call, input.ModelPackageGroupName);
        const { scope, name } = resolveNameOrArn('model-package-group', input.ModelPackageGroupName, scopeOf(call));
        const next = sagemakerArn(scope, `model-package/${group?.name ?? name}/${(group?.highestVersion ?? 0) + 1}`);
        return [packagePermission(tags, 'CreateModelPackage', next, { group }, conditions)];
      },
      async handle(input, call) {
        const { scope } = resolveNameOrArn('model-package-group', input.ModelPackageGroupName ?? '', scopeOf(call));
        if (scope.account !== call.account) {
          throw new NotImplementedError('registering a model package in the group of another account');
        }
        return { ModelPackageArn: (await create(input, call)).arn };
      },
    }),

    DescribeModelPackage: operation<DescribeModelPackageInput, unknown>({
      mutating: false,
      authorize: (input, call) => [onPackage('DescribeModelPackage', call, input.ModelPackageName ?? '')],
      handle(input, call) {
        const record = findPackage(registries, call, input.ModelPackageName ?? '');
        return {
          ...record.fields,
          ModelPackageName: record.name,
          ...(record.group === undefined
            ? {}
            : { ModelPackageGroupName: record.group.name, ModelPackageVersion: record.version }),
          ModelPackageArn: record.arn,
          CreationTime: record.createdAt,
          CreatedBy: record.createdBy,
          LastModifiedTime: record.modifiedAt,
          LastModifiedBy: record.modifiedBy,
          ModelPackageStatus: record.status,
          ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
        };
      },
    }),

    UpdateModelPackage: operation<UpdateModelPackageInput, unknown>({
      mutating: true,
      authorize: (input, call) => [
        onPackage('UpdateModelPackage', call, input.ModelPackageArn ?? '', changeConditions(input)),
      ],
      handle: async (input, call) => ({ ModelPackageArn: (await update(input, call)).arn }),
    }),

    DeleteModelPackage: operation<DeleteModelPackageInput, unknown>({
      mutating: true,
      authorize: (input, call) => [onPackage('DeleteModelPackage', call, input.ModelPackageName ?? '')],
      handle(input, call) {
        const record = findPackage(registries, call, input.ModelPackageName ?? '');
        const { scope } = resolveNameOrArn('model-package', record.arn, scopeOf(call));
        const registry = registries.of(scope);
        registry.packages.delete(keyOf(record.arn));
        for (const [token, each] of registry.tokens) if (each === record) registry.tokens.delete(token);
        tags.remove(record.arn);
        return {};
      },
    }),

    ListModelPackages: operation<ListModelPackagesInput, unknown>({
      mutating: false,
      authorize(input, call) {
        if (input.ModelPackageGroupName === undefined) return [permissionOnAll('ListModelPackages')];
        const { scope, name } = resolveNameOrArn('model-package-group', input.ModelPackageGroupName, scopeOf(call));
        const group = lookUpGroup(registries, call, input.ModelPackageGroupName);
        const all = sagemakerArn(scope, `model-package/${group?.name ?? name}/*`);
        return [packagePermission(tags, 'ListModelPackages', all, { group })];
      },
      handle(input, call) {
        const group =
          input.ModelPackageGroupName === undefined
            ? undefined
            : findGroup(registries, call, input.ModelPackageGroupName);
        const { scope } = resolveNameOrArn('model-package-group', group?.arn ?? '', scopeOf(call));
        // Naming a group asks for its versions; otherwise unversioned packages are the default.
        const type = input.ModelPackageType ?? (group === undefined ? 'Unversioned' : 'Versioned');
        const matching = [...registries.of(scope).packages.values()].filter(
          (record) =>
            (group === undefined || record.group === group) &&
            (type === 'Both' || (record.group === undefined) === (type === 'Unversioned')) &&
            nameContains(record.name, input.NameContains) &&
            (input.ModelApprovalStatus === undefined ||
              record.fields.ModelApprovalStatus === input.ModelApprovalStatus) &&
            inWindow(record.createdAt, input.CreationTimeAfter, input.CreationTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (record) => (input.SortBy === 'Name' ? record.name : record.createdAt),
          // Versions made in the same millisecond keep their order.
          id: (record) => `${record.name}/${String(record.version ?? 0).padStart(9, '0')}`,
          defaultOrder: 'Ascending',
        });
        return {
          ModelPackageSummaryList: items.map((record) => ({
            ...(record.group === undefined
              ? { ModelPackageName: record.name }
              : { ModelPackageGroupName: record.group.name, ModelPackageVersion: record.version }),
            ModelPackageArn: record.arn,
            ModelPackageDescription: record.fields.ModelPackageDescription,
            CreationTime: record.createdAt,
            ModelPackageStatus: record.status,
            ModelApprovalStatus: record.fields.ModelApprovalStatus,
            ModelLifeCycle: record.fields.ModelLifeCycle,
            ModelPackageRegistrationType: record.fields.ModelPackageRegistrationType,
          })),
          NextToken,
        };
      },
    }),
  };
}

function checkMetadata(properties: Record<string, string>): void {
  const count = Object.keys(properties).length;
  if (count > metadataLimit) {
    throw validationError(
      `A model package can have ${metadataLimit} CustomerMetadataProperties; this request would make it ${count}.`,
    );
  }
}
