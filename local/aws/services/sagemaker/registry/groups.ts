import type {
  CreateModelPackageGroupInput,
  DeleteModelPackageGroupInput,
  DeleteModelPackageGroupPolicyInput,
  DescribeModelPackageGroupInput,
  GetModelPackageGroupPolicyInput,
  ListModelPackageGroupsInput,
  PutModelPackageGroupPolicyInput,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, permissionOnAll, scopeOf } from '../operation.ts';
import { conflict, validationError } from '../problems.ts';
import { keyOf, resolveNameOrArn, userContext } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { groupPermission } from './permissions.ts';
import { findGroup, groupArn, lookUpGroup, type Registries } from './store.ts';

export function groupOperations(
  context: PlatformContext,
  tags: TagStore,
  registries: Registries,
): Record<string, Operation> {
  const arnOf = (call: Call, nameOrArn: string) => {
    const { scope, name } = resolveNameOrArn('model-package-group', nameOrArn, scopeOf(call));
    return groupArn(scope, name);
  };
  const onGroup = (action: string) => (input: { ModelPackageGroupName: string | undefined }, call: Call) => {
    const name = input.ModelPackageGroupName ?? '';
    return [groupPermission(tags, action, arnOf(call, name), lookUpGroup(registries, call, name))];
  };

  return {
    CreateModelPackageGroup: operation<CreateModelPackageGroupInput, unknown>({
      mutating: true,
      authorize: (input, call) =>
        creation('CreateModelPackageGroup', arnOf(call, input.ModelPackageGroupName ?? ''), input.Tags),
      handle(input, call) {
        const name = input.ModelPackageGroupName ?? '';
        if (input.ManagedConfiguration !== undefined)
          throw new NotImplementedError('ManagedConfiguration of model package groups');
        const { groups } = registries.of(scopeOf(call));
        const arn = arnOf(call, name);
        if (groups.has(keyOf(name))) throw validationError(`Model Package Group already exists: ${arn}`);
        tags.create(arn, input.Tags);
        groups.set(keyOf(name), {
          name,
          arn,
          ...(input.ModelPackageGroupDescription === undefined
            ? {}
            : { description: input.ModelPackageGroupDescription }),
          createdAt: context.clock.now(),
          createdBy: userContext(call.principal),
          highestVersion: 0,
        });
        return { ModelPackageGroupArn: arn };
      },
    }),

    DescribeModelPackageGroup: operation<DescribeModelPackageGroupInput, unknown>({
      mutating: false,
      authorize: onGroup('DescribeModelPackageGroup'),
      handle(input, call) {
        const group = findGroup(registries, call, input.ModelPackageGroupName ?? '');
        return {
          ModelPackageGroupName: group.name,
          ModelPackageGroupArn: group.arn,
          ModelPackageGroupDescription: group.description,
          CreationTime: group.createdAt,
          CreatedBy: group.createdBy,
          ModelPackageGroupStatus: 'Completed',
        };
      },
    }),

    DeleteModelPackageGroup: operation<DeleteModelPackageGroupInput, unknown>({
      mutating: true,
      authorize: onGroup('DeleteModelPackageGroup'),
      handle(input, call) {
        const group = findGroup(registries, call, input.ModelPackageGroupName ?? '');
        const registry = registries.of(scopeOf(call));
        const packages = [...registry.packages.values()].filter((each) => each.group === group);
        if (packages.length > 0) {
          throw conflict(
            `Model Package Group ${group.name} cannot be deleted: it still contains ${packages.length} model packages.`,
          );
        }
        registry.groups.delete(keyOf(group.name));
        tags.remove(group.arn);
        return {};
      },
    }),

    ListModelPackageGroups: operation<ListModelPackageGroupsInput, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListModelPackageGroups')],
      handle(input, call) {
        if (input.CrossAccountFilterOption === 'CrossAccount') {
          throw new NotImplementedError(
            'listing the model package groups of other accounts (CrossAccountFilterOption)',
          );
        }
        const matching = [...registries.of(scopeOf(call)).groups.values()].filter(
          (group) =>
            nameContains(group.name, input.NameContains) &&
            inWindow(group.createdAt, input.CreationTimeAfter, input.CreationTimeBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (group) => (input.SortBy === 'Name' ? group.name : group.createdAt),
          id: (group) => group.name,
          defaultOrder: 'Ascending',
        });
        return {
          ModelPackageGroupSummaryList: items.map((group) => ({
            ModelPackageGroupName: group.name,
            ModelPackageGroupArn: group.arn,
            ModelPackageGroupDescription: group.description,
            CreationTime: group.createdAt,
            ModelPackageGroupStatus: 'Completed',
          })),
          NextToken,
        };
      },
    }),

    PutModelPackageGroupPolicy: operation<PutModelPackageGroupPolicyInput, unknown>({
      mutating: true,
      authorize: onGroup('PutModelPackageGroupPolicy'),
      handle(input, call) {
        const group = findGroup(registries, call, input.ModelPackageGroupName ?? '');
        const text = input.ResourcePolicy ?? '';
        const document = context.authorizer.parse(text);
        const unknown = context.authorizer.unknownPrincipal(document);
        if (unknown !== undefined) {
          throw validationError(`Invalid resource policy of ${group.arn}: the principal ${unknown} does not exist.`);
        }
        group.policy = { text, document };
        return { ModelPackageGroupArn: group.arn };
      },
    }),

    GetModelPackageGroupPolicy: operation<GetModelPackageGroupPolicyInput, unknown>({
      mutating: false,
      authorize: onGroup('GetModelPackageGroupPolicy'),
      handle(input, call) {
        const group = findGroup(registries, call, input.ModelPackageGroupName ?? '');
        if (group.policy === undefined) throw validationError(`Cannot find resource policy for: ${group.arn}`);
        return { ResourcePolicy: group.policy.text };
      },
    }),

    DeleteModelPackageGroupPolicy: operation<DeleteModelPackageGroupPolicyInput, unknown>({
      mutating: true,
      authorize: onGroup('DeleteModelPackageGroupPolicy'),
      handle(input, call) {
        const group = findGroup(registries, call, input.ModelPackageGroupName ?? '');
        if (group.policy === undefined) throw validationError(`Cannot find resource policy for: ${group.arn}`);
        delete group.policy;
        return {};
      },
    }),
  };
}
