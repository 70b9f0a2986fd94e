import type { CreateModelPackageInput, ModelLifeCycle, UpdateModelPackageInput } from '@aws-sdk/client-sagemaker';
import { parseArn } from '../../../core/arn.ts';
import type { AuthorizationRequest } from '../../../core/service.ts';
import { definedOnly, permission } from '../operation.ts';
import type { TagStore } from '../tag-store.ts';
import type { GroupRecord, PackageRecord } from './store.ts';

type Context = NonNullable<AuthorizationRequest['context']>;

/** The group's policy speaks for the group and for everything in it, to callers of other accounts as well. */
function withPolicy(request: AuthorizationRequest, group: GroupRecord | undefined): AuthorizationRequest {
  const account = parseArn(request.resources[0] ?? '')?.account;
  return {
    ...request,
    ...(group?.policy === undefined ? {} : { resourcePolicy: group.policy.document }),
    ...(account === undefined ? {} : { resourceAccount: account }),
  };
}

export function groupPermission(
  tags: TagStore,
  action: string,
  arn: string,
  group: GroupRecord | undefined,
): AuthorizationRequest {
  return withPolicy(permission(tags, action, arn), group);
}

/** Versioned packages carry no tags of their own: the group's count. */
export function packagePermission(
  tags: TagStore,
  action: string,
  arn: string,
  found: { group?: GroupRecord | undefined; fields?: PackageRecord['fields'] } | undefined,
  context: Context = {},
): AuthorizationRequest {
  const current = found?.fields?.ModelLifeCycle;
  const own = permission(tags, action, found?.group === undefined ? arn : found.group.arn, {
    ...context,
    ...definedOnly({
      'sagemaker:CurrentModelLifeCycleStage': current?.Stage,
      'sagemaker:CurrentModelLifeCycleStageStatus': current?.StageStatus,
    }),
    ...metadataKeys('sagemaker:CurrentCustomerMetadataProperties/', found?.fields?.CustomerMetadataProperties),
  });
  return withPolicy({ ...own, resources: [arn] }, found?.group);
}

function metadataKeys(prefix: string, properties: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(properties ?? {}).map(([key, value]) => [`${prefix}${key}`, value]));
}

/** The condition keys by which approval, stage and gate record can be told apart. Absent members stay absent (Null). */
export function changeConditions(input: CreateModelPackageInput | UpdateModelPackageInput): Context {
  const lifeCycle: ModelLifeCycle | undefined = input.ModelLifeCycle;
  return {
    ...definedOnly({
      'sagemaker:ModelApprovalStatus': input.ModelApprovalStatus,
      'sagemaker:ModelLifeCycle:Stage': lifeCycle?.Stage,
      'sagemaker:ModelLifeCycle:StageStatus': lifeCycle?.StageStatus,
      'sagemaker:CustomerMetadataPropertiesToRemove':
        'CustomerMetadataPropertiesToRemove' in input ? input.CustomerMetadataPropertiesToRemove : undefined,
    }),
    ...metadataKeys('sagemaker:CustomerMetadataProperties/', input.CustomerMetadataProperties),
  };
}
