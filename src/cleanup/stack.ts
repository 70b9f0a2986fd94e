/** One stack, in any account: looked at, and deleted with its cause when that fails. */
import {
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStacksCommand,
  type Stack,
  StackStatus,
} from '@aws-sdk/client-cloudformation';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Aws } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import { firstFailedEvent } from '../stacksets/causes.ts';
import { place } from '../stacksets/model.ts';
import { CloudFormationClient } from '../stacksets/read.ts';
import { inShort } from '../stacksets/words.ts';
import { type CleanupContext, type Item, pages, unlessGone } from './part.ts';

/** A stack that is gone keeps its name in the lists for 90 days; one that was never made has nothing in it. */
const absent: StackStatus[] = ['DELETE_COMPLETE', 'REVIEW_IN_PROGRESS'];
const present = Object.values(StackStatus).filter((status) => !absent.includes(status));

/** By name or id; undefined when there is none, or none any more. */
export async function readStack(aws: Aws, name: string, signal: AbortSignal): Promise<Stack | undefined> {
  const answer = await unlessGone(() =>
    aws.service(CloudFormationClient).send(new DescribeStacksCommand({ StackName: name }), { resource: name, signal }),
  );
  const [stack] = answer?.Stacks ?? [];
  return stack?.StackStatus === 'DELETE_COMPLETE' ? undefined : stack;
}

/** All stacks whose names begin like this. */
export async function listStacks(
  aws: Aws,
  prefix: string,
  signal: AbortSignal,
): Promise<{ name: string; id: string }[]> {
  const all = await pages(async (token) => {
    const page = await aws
      .service(CloudFormationClient)
      .send(new ListStacksCommand({ StackStatusFilter: present, NextToken: token }), { signal });
    return { items: page.StackSummaries, next: page.NextToken };
  });
  return all
    .map(({ StackName = '', StackId = '' }) => ({ name: StackName, id: StackId }))
    .filter(({ name }) => name.startsWith(prefix));
}

/** Told at the deadline; the next run goes on. */
export function stillDeleting({ name, account, region }: Item, stack: Stack | undefined): FailureError {
  return stillRunning({
    resource: name,
    region,
    account,
    where: `The stack ${name} was ${stack?.StackStatus}`,
    resume: 're-run this job; it goes on with what is left',
  });
}

/** The first cause in the events of a stack whose deletion failed. */
export async function failedDeletion(aws: Aws, name: string, stack: Stack, signal: AbortSignal): Promise<FailureError> {
  const cause = await firstFailedEvent(aws, stack.StackId ?? name, undefined, signal);
  const words = [cause?.logicalId, inShort(cause?.cause ?? stack.StackStatusReason ?? 'no reason given')];
  return new FailureError({
    code: 'OperationFailed',
    cause: `The stack ${name} could not be deleted: ${words.filter((part) => part !== undefined).join(': ')}`,
  });
}

/**
 * Asks for the deletion of a stack, as soon as what it is doing has ended, and resolves to its id; undefined when there is none.
 * With `roleArn` CloudFormation works in that role, else with the rights of the caller.
 */
export async function startDeletion(
  aws: Aws,
  item: Item,
  { clock, signal, deadline, logger }: CleanupContext,
  roleArn?: string,
): Promise<string | undefined> {
  const { name } = item;
  let told = false;
  const found = await poll({
    read: () => readStack(aws, name, signal),
    done(stack) {
      const status = stack?.StackStatus ?? '';
      const busy = status.endsWith('_IN_PROGRESS') && status !== 'DELETE_IN_PROGRESS';
      if (busy && !told)
        logger.info(`The stack ${name} in ${place(item)} is ${status}; waiting until it can be deleted`);
      told ||= busy;
      return !busy;
    },
    clock,
    signal,
    deadline,
    onDeadline: (stack) => stillDeleting(item, stack),
  });
  if (found === undefined) return undefined;
  const id = found.StackId ?? name;
  if (found.StackStatus !== 'DELETE_IN_PROGRESS') {
    await aws
      .service(CloudFormationClient)
      .send(new DeleteStackCommand({ StackName: id, RoleARN: roleArn }), { resource: name, signal });
  }
  return id;
}

/** Waits for the end of a deletion: undefined, or the stack whose deletion failed. */
export function deletionEnd(
  aws: Aws,
  item: Item,
  id: string,
  { clock, signal, deadline }: CleanupContext,
): Promise<Stack | undefined> {
  return poll({
    read: () => readStack(aws, id, signal),
    done: (stack) => stack === undefined || stack.StackStatus === 'DELETE_FAILED',
    clock,
    signal,
    deadline,
    onDeadline: (stack) => stillDeleting(item, stack),
  });
}

/** Deletes a stack and waits for its end; a failed deletion throws with the first cause in its events. */
export async function deleteStack(aws: Aws, item: Item, context: CleanupContext): Promise<undefined> {
  const id = await startDeletion(aws, item, context);
  if (id === undefined) return undefined;
  const failed = await deletionEnd(aws, item, id, context);
  if (failed !== undefined) throw await failedDeletion(aws, item.name, failed, context.signal);
  return undefined;
}
