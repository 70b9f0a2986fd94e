import { DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import { consoleUrl } from '../aws/partition.ts';
import type { Aws } from '../aws/session.ts';
import type { Failure } from '../failure.ts';
import type { Instance, OperationResult, Target } from './model.ts';
import { CloudFormationClient } from './read.ts';
import { inShort } from './words.ts';

/** The words of a service, shortened to what a person reads. */
interface Cause {
  cause: string;
  logicalId?: string;
  resource?: string;
}

/** "ResourceLogicalId:X, ResourceType:Y, ResourceStatusReason:Z." as StackSets writes it; undefined when the text has another form. */
export function parseReason(reason: string | undefined): (Cause & { type?: string }) | undefined {
  if (reason === undefined || reason.trim() === '') return undefined;
  const match = /ResourceLogicalId:\s*([^,]*),\s*ResourceType:\s*([^,]*),\s*ResourceStatusReason:\s*([\s\S]*)$/.exec(
    reason,
  );
  if (match === null) return undefined;
  const [, logicalId = '', type = '', words = ''] = match;
  return {
    cause: words.trim().replace(/\.$/, ''),
    logicalId: logicalId.trim(),
    resource: type.trim(),
    type: type.trim(),
  };
}

/** The role that StackSets could not use, out of "Account N should have 'R' role with trust relationship to Role 'A'". */
export function parseMissingRole(reason: string | undefined): { account: string; role: string } | undefined {
  const match = /Account (\d{12}) should have '([^']+)' role/.exec(reason ?? '');
  return match === null ? undefined : { account: match[1] ?? '', role: match[2] ?? '' };
}

/**
 * First failed event of a stack since the operation began that is not the echo of another one. Older events tell of older
 * attempts: an operation that was refused before it touched the stack leaves none.
 */
export async function firstFailedEvent(
  target: Aws,
  stackId: string,
  since: Date | undefined,
  signal: AbortSignal,
): Promise<Cause | undefined> {
  const cloudformation = target.service(CloudFormationClient);
  let oldest: Cause | undefined;
  let token: string | undefined;
  do {
    // Newest first; a stack's last attempt begins where the stack itself went into progress.
    const page = await cloudformation.send(new DescribeStackEventsCommand({ StackName: stackId, NextToken: token }), {
      resource: stackId,
      signal,
    });
    for (const event of page.StackEvents ?? []) {
      if (since !== undefined && event.Timestamp !== undefined && event.Timestamp < since) return oldest;
      const isStack = event.PhysicalResourceId === event.StackId;
      if (isStack && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.ResourceStatus ?? '')) return oldest;
      if (isStack || !/_FAILED$/.test(event.ResourceStatus ?? '')) continue;
      const words = event.ResourceStatusReason ?? '';
      if (/cancell?ed/i.test(words)) continue;
      oldest = {
        cause: words === '' ? `${event.ResourceType} ${event.ResourceStatus}` : words,
        ...(event.LogicalResourceId === undefined ? {} : { logicalId: event.LogicalResourceId }),
        resource: event.PhysicalResourceId || event.ResourceType || stackId,
      };
    }
    token = page.NextToken;
  } while (token !== undefined && token !== '');
  return oldest;
}

/** What to do about a cause; undefined when its own words have to do. */
export function hintFor(cause: string, project: { name: string; id: string }): string | undefined {
  const role = `sagemaker-${project.name}-${project.id}`;
  if (/should have '[^']+' role/.test(cause))
    return `Deploy target-roles.yml in that account, after stack-set-administration.yml lists it in TargetAccounts`;
  if (/is in UPDATE_ROLLBACK_FAILED state/.test(cause))
    return 'Continue the rollback of that stack in its account (aws cloudformation continue-update-rollback), then re-run this job';
  if (/kms:|KMS|AWS_KMS|ciphertext/i.test(cause))
    return `Key policy of the project (project.yml) and role ${role}-model must both allow kms:Decrypt; update project.yml with this account in TargetAccounts`;
  if (/s3:|S3|model data|artifact/i.test(cause))
    return `Role ${role}-model needs s3:GetObject on the model (target-roles.yml), and project.yml must list this account in TargetAccounts`;
  if (/model-package/.test(cause) && /not authorized|AccessDenied/i.test(cause))
    return 'The policy of the model package group (project.yml, TargetAccounts) must list this account';
  if (/not authorized to perform|AccessDenied/i.test(cause))
    return `Role ${role}-execution of this account lacks this right; deploy the current target-roles.yml there`;
  if (/ResourceLimitExceeded|account-level service limit/i.test(cause))
    return 'Ask for a higher quota of this instance type in that account (Service Quotas, Amazon SageMaker)';
  if (/instanceType.*enum value set/is.test(cause))
    return 'Correct the instance type in the stage file; not every region has every type';
  if (/InsufficientCapacity|CapacityError/i.test(cause))
    return 'Re-run later, or choose another instance type in the stage file';
  if (
    /extraneous key|unsupported property|Encountered unsupported|Properties validation failed|Invalid template|Template format error/i.test(
      cause,
    )
  )
    return 'Correct the template; cfn-lint finds such mistakes before they are deployed';
  return undefined;
}

export interface CauseOptions {
  adminRegion: string;
  project: { name: string; id: string };
  /** The account seen with the verify role. */
  inAccount: (target: Target) => Aws;
  instances: readonly Instance[];
  /** When the operation was submitted. */
  since: Date | undefined;
  /** False: the result's own words have to do; a thousand failures are not a thousand sessions. */
  deep: boolean;
  signal: AbortSignal;
}

/** One failed result as a failure with account, region, resource and cause: from the result's own words, else from the stack's events. */
export async function explain(result: OperationResult, options: CauseOptions): Promise<Failure> {
  const { account, region, reason } = result;
  const missing = parseMissingRole(reason);
  let found: Cause | undefined = parseReason(reason);
  if (missing !== undefined) {
    found = {
      cause: reason ?? '',
      resource: `arn:${options.inAccount(result).partition}:iam::${missing.account}:role/${missing.role}`,
    };
  }
  const stackId = options.instances.find((i) => i.account === account && i.region === region)?.stackId;
  let unread = '';
  if (options.deep && missing === undefined && stackId !== undefined && stackId !== '') {
    // The result names the resource; the events have its physical id and the service's full words.
    try {
      found = (await firstFailedEvent(options.inAccount(result), stackId, options.since, options.signal)) ?? found;
    } catch (error) {
      options.signal.throwIfAborted();
      unread = ` (the stack's events could not be read: ${(error as Error).message.split('\n')[0]})`;
    }
  }
  const words = found?.cause ?? (reason?.trim() || `The instance ended ${result.status} without a reason${unread}`);
  const hint = hintFor(words, options.project);
  const page = consoleUrl(options.adminRegion, 'cloudformation/home?region={region}#/stacksets');
  return {
    code: 'InstanceFailed',
    account,
    region,
    resource: found?.resource ?? stackId ?? `${account}/${region}`,
    cause: inShort(words),
    ...(found?.logicalId === undefined ? {} : { logicalId: found.logicalId }),
    ...(hint === undefined ? {} : { hint }),
    ...(page === undefined ? {} : { console: page }),
  };
}
