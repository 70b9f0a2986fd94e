/** One stack, in any account: looked at, and deleted with its cause when that fails. */
import {
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStacksCommand,
  type Stack,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Aws } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import { firstFailedEvent } from '../stacksets/causes.ts';
import { CloudFormationClient } from '../stacksets/read.ts';
import { type CleanupContext, type Item, pages, unlessGone } from './part.ts';

/** Every status of a stack that is there and at rest, or on its way out. */
const present: StackStatus[] = [
  'CREATE_COMPLETE',
  'CREATE_FAILED',
  'DELETE_FAILED',
  'DELETE_IN_PROGRESS',
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'UPDATE_COMPLETE',
  'UPDATE_FAILED',
  'UPDATE_ROLLBACK_COMPLETE',
  'UPDATE_ROLLBACK_FAILED',
];

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

/** Deletes a stack and waits for its end; a failed deletion throws with the first cause in its events. */
export async function deleteStack(
  aws: Aws,
  { name, account, region }: Item,
  { clock, signal, deadline }: CleanupContext,
): Promise<undefined> {
  const found = await readStack(aws, name, signal);
  if (found === undefined) return undefined;
  const id = found.StackId ?? name;
  if (found.StackStatus !== 'DELETE_IN_PROGRESS') {
    await aws.service(CloudFormationClient).send(new DeleteStackCommand({ StackName: id }), { resource: name, signal });
  }
  const last = await poll({
    read: () => readStack(aws, id, signal),
    done: (stack) => stack === undefined || stack.StackStatus === 'DELETE_FAILED',
    clock,
    signal,
    deadline,
    onDeadline: (stack) =>
      stillRunning({
        resource: name,
        region,
        account,
        where: `The stack ${name} was ${stack?.StackStatus}`,
        resume: 're-run this job; it goes on with what is left',
      }),
  });
  if (last === undefined) return undefined;
  const cause = await firstFailedEvent(aws, id, undefined, signal);
  const words = [cause?.logicalId, cause?.cause ?? last.StackStatusReason ?? 'no reason given'];
  throw new FailureError({
    code: 'OperationFailed',
    cause: `The stack ${name} could not be deleted: ${words.filter((part) => part !== undefined).join(': ')}`,
  });
}
