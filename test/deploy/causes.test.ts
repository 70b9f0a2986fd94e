/** From the events of a stack and the words of a result to account, resource and cause. */
import { describe, expect, test } from '@jest/globals';
import type { Aws } from '../../src/aws/session.ts';
import { FailureError } from '../../src/failure.ts';
import { explain, firstFailedEvent, hintFor } from '../../src/stacksets/causes.ts';

const stackId = 'arn:aws:cloudformation:eu-west-1:888899990000:stack/StackSet-x/1';
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute));
interface Event {
  minute: number;
  status: string;
  reason?: string;
  id?: string;
  /** The stack itself. */
  stack?: boolean;
}

/** A target account whose stack has these events; AWS answers the newest first, here two a page. */
function account(events: readonly Event[] | Error): Aws {
  const send = async (command: { input: { NextToken?: string } }) => {
    if (events instanceof Error) throw events;
    const sorted = [...events].sort((a, b) => b.minute - a.minute);
    const from = Number(command.input.NextToken ?? '0');
    return {
      StackEvents: sorted.slice(from, from + 2).map(({ minute, status, reason, id, stack }) => ({
        Timestamp: at(minute),
        StackId: stackId,
        ResourceStatus: status,
        ResourceStatusReason: reason,
        LogicalResourceId: stack ? 'StackSet-x' : (id ?? 'Endpoint'),
        PhysicalResourceId: stack ? stackId : `physical-${id ?? 'Endpoint'}`,
        ResourceType: 'AWS::SageMaker::Endpoint',
      })),
      NextToken: from + 2 < sorted.length ? String(from + 2) : undefined,
    };
  };
  return { partition: 'aws', region: 'eu-west-1', service: () => ({ send }) } as unknown as Aws;
}

const signal = new AbortController().signal;
const former: Event[] = [
  { minute: 1, status: 'CREATE_IN_PROGRESS', stack: true },
  { minute: 2, status: 'CREATE_FAILED', reason: 'an old story', id: 'Model' },
  { minute: 3, status: 'ROLLBACK_COMPLETE', stack: true },
];

describe('the first failed event', () => {
  test('is the first in time, not the newest, and never the echo of another', async () => {
    const events: Event[] = [
      { minute: 10, status: 'UPDATE_IN_PROGRESS', stack: true },
      { minute: 11, status: 'UPDATE_FAILED', reason: 'the cause', id: 'Endpoint' },
      { minute: 12, status: 'CREATE_FAILED', reason: 'Resource creation cancelled', id: 'Alarm' },
      { minute: 13, status: 'UPDATE_ROLLBACK_IN_PROGRESS', stack: true },
      { minute: 14, status: 'UPDATE_FAILED', reason: 'a later one', id: 'Other' },
    ];
    expect(await firstFailedEvent(account([...former, ...events]), stackId, at(9), signal)).toEqual({
      cause: 'the cause',
      logicalId: 'Endpoint',
      resource: 'physical-Endpoint',
    });
  });

  test('older attempts are not its story, when the stack was not even touched', async () => {
    expect(await firstFailedEvent(account(former), stackId, at(9), signal)).toBeUndefined();
    expect(await firstFailedEvent(account(former), stackId, undefined, signal)).toMatchObject({
      cause: 'an old story',
    });
  });
});

describe('a failed result', () => {
  const options = (target: Aws, deep = true) => ({
    adminRegion: 'eu-west-1',
    project: { name: 'abalone', id: 'p-0123456789ab' },
    inAccount: () => target,
    instances: [
      {
        account: '888899990000',
        region: 'eu-west-1',
        status: 'OUTDATED',
        detailedStatus: 'FAILED',
        statusReason: undefined,
        stackId,
        lastOperationId: undefined,
      },
    ],
    since: at(9),
    deep,
    signal,
  });
  const result = (reason: string | undefined) => ({
    account: '888899990000',
    region: 'eu-west-1',
    status: 'FAILED',
    reason,
  });
  const words = 'ResourceLogicalId:Endpoint, ResourceType:AWS::SageMaker::Endpoint, ResourceStatusReason:no capacity.';
  const events: Event[] = [
    { minute: 10, status: 'UPDATE_IN_PROGRESS', stack: true },
    { minute: 11, status: 'UPDATE_FAILED', reason: 'InsufficientCapacity: try later', id: 'Endpoint' },
  ];

  test('takes the events, which have the resource and all words', async () => {
    expect(await explain(result(words), options(account(events)))).toMatchObject({
      code: 'InstanceFailed',
      account: '888899990000',
      region: 'eu-west-1',
      resource: 'physical-Endpoint',
      logicalId: 'Endpoint',
      cause: 'InsufficientCapacity: try later',
      hint: expect.stringContaining('another instance type'),
    });
  });

  test.each([
    ['no event of this operation', account(former), true],
    [
      'events that may not be read',
      account(new FailureError({ code: 'RoleNotAssumable', cause: 'no verify role' })),
      true,
    ],
    ['one of very many', account(events), false],
  ])('%s: takes the words of the result', async (_, target, deep) => {
    expect(await explain(result(words), options(target, deep))).toMatchObject({
      logicalId: 'Endpoint',
      cause: 'no capacity',
      resource: 'AWS::SageMaker::Endpoint',
    });
  });

  test('without any words it says so, and why the events were not read', async () => {
    const target = account(new FailureError({ code: 'RoleNotAssumable', cause: 'no verify role' }));
    const failure = await explain(result(undefined), options(target));
    expect(failure.cause).toMatch(/ended FAILED without a reason.*no verify role/);
    expect(failure.resource).toBe(stackId);
  });
});

test.each([
  ["Account 1 should have 'x' role with trust", /target-roles\.yml/],
  ['is not authorized to perform: kms:Decrypt on this key', /key policy/i],
  ['Could not access model data at s3://b/k', /s3:GetObject/],
  [
    'not authorized to perform: sagemaker:CreateModel on resource: arn:aws:sagemaker:r:1:model-package/g/1',
    /model package group/,
  ],
  ['not authorized to perform: ssm:GetParameters', /-execution/],
  ['ResourceLimitExceeded: 0 Instances', /quota/],
  ['extraneous key [X] is not permitted', /cfn-lint/],
  ['Stack:x is in UPDATE_ROLLBACK_FAILED state', /continue-update-rollback/],
])('%s has a way out', (cause, hint) => {
  expect(hintFor(cause, { name: 'abalone', id: 'p-0123456789ab' })).toMatch(hint);
});
