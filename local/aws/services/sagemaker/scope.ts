import type { Tag, UserContext } from '@aws-sdk/client-sagemaker';
import { formatArn, parseArn } from '../../core/arn.ts';
import type { Principal } from '../../core/service.ts';

/** Where a resource lives: SageMaker keeps everything per account and region. */
export interface Scope {
  account: string;
  region: string;
}

export function sagemakerArn(scope: Scope, resource: string): string {
  return formatArn('sagemaker', scope.region, scope.account, resource);
}

/** Names and ARNs of SageMaker are compared without regard to case: AWS itself answers lower-case ARNs for mixed-case names. */
export function keyOf(nameOrArn: string): string {
  return nameOrArn.toLowerCase();
}

/**
 * What a `...NameOrArn` member points at: `kind` is the resource prefix ("pipeline", "model-package", ...).
 * A plain name lives in the caller's scope; an ARN says its own.
 */
export function resolveNameOrArn(kind: string, text: string, caller: Scope): { scope: Scope; name: string } {
  const arn = parseArn(text);
  if (arn === undefined || !arn.resource.toLowerCase().startsWith(`${kind}/`)) return { scope: caller, name: text };
  return { scope: { account: arn.account, region: arn.region }, name: arn.resource.slice(kind.length + 1) };
}

/** `CreatedBy` and `LastModifiedBy` of a call that no Studio user made. */
export function userContext(principal: Principal): UserContext {
  return {
    IamIdentity: {
      Arn: principal.arn,
      PrincipalId: principal.userId,
      ...(principal.sourceIdentity === undefined ? {} : { SourceIdentity: principal.sourceIdentity }),
    },
  };
}

export function tagRecord(tags: Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map((tag) => [tag.Key ?? '', tag.Value ?? '']));
}
