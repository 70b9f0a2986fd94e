import type { Tag } from '@aws-sdk/client-sagemaker';
import type { AuthorizationRequest, Call, Operation } from '../../core/service.ts';
import { type Scope, tagRecord } from './scope.ts';
import type { TagStore } from './tag-store.ts';

/** An operation with the SDK's own types for request and answer. */
export function operation<Input, Output>(definition: Operation<Input, Output>): Operation<Input, Output> {
  return definition;
}

export function scopeOf(call: Call): Scope {
  return { account: call.account, region: call.region };
}

/** A permission on one resource with its tags; SageMaker has aws:ResourceTag and its own sagemaker:ResourceTag. */
export function permission(
  tags: TagStore,
  action: string,
  arn: string,
  context: AuthorizationRequest['context'] = {},
): AuthorizationRequest {
  const resourceTags = tags.get(arn);
  const own = Object.fromEntries(
    Object.entries(resourceTags ?? {}).map(([key, value]) => [`sagemaker:ResourceTag/${key}`, value]),
  );
  return {
    action: `sagemaker:${action}`,
    resources: [arn],
    context: { ...own, ...definedOnly(context) },
    ...(resourceTags === undefined ? {} : { resourceTags }),
  };
}

/** A permission of an action that knows no resource types, such as ListPipelines. */
export function permissionOnAll(action: string): AuthorizationRequest {
  return { action: `sagemaker:${action}`, resources: ['*'] };
}

/**
 * The permissions that a Create call needs on what it creates: the action itself and, when it brings tags, AddTags
 * on the same resource (sagemaker:TaggingAction names the creating action).
 */
export function creation(
  action: string,
  arn: string,
  tags: Tag[] | undefined,
  context: AuthorizationRequest['context'] = {},
): AuthorizationRequest[] {
  const create = {
    action: `sagemaker:${action}`,
    resources: [arn],
    context: definedOnly(context),
    ...requestTags(tags),
  };
  if (create.requestTags === undefined) return [create];
  return [create, { ...create, action: 'sagemaker:AddTags', context: { 'sagemaker:TaggingAction': action } }];
}

/** The tags of a request as condition keys; without tags the keys are absent, not empty. */
export function requestTags(tags: Tag[] | undefined): Pick<AuthorizationRequest, 'requestTags'> {
  return tags === undefined || tags.length === 0 ? {} : { requestTags: tagRecord(tags) };
}

/** Handing a role to SageMaker: checked on the caller, before the role is ever used. */
export function passRole(roleArn: string): AuthorizationRequest {
  return {
    action: 'iam:PassRole',
    resources: [roleArn],
    context: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
  };
}

type Context = NonNullable<AuthorizationRequest['context']>;

/** An absent condition key is something else than an empty one: conditions with Null or IfExists tell them apart. */
export function definedOnly(context: Record<string, Context[string] | undefined>): Context {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Context;
}
