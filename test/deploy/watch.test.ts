/** Waiting for an operation on a virtual clock: how often it looks, how late it sees the end, what a deadline says. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Service } from '../../src/aws/session.ts';
import { FailureError } from '../../src/failure.ts';
import type { Logger } from '../../src/github/logger.ts';
import type { Operation } from '../../src/stacksets/model.ts';
import { watchOperation } from '../../src/stacksets/watch.ts';

const silent: Logger = {
  debug: () => {},
  info: () => {},
  foreign: () => {},
  notice: () => {},
  warn: () => {},
  error: () => {},
  group: (_, work) => work(),
};
const running: Operation = {
  id: 'sm-1-update-x-g1',
  action: 'UPDATE',
  status: 'RUNNING',
  statusReason: undefined,
  failedInstances: undefined,
  createdAt: undefined,
};

/** An operation that ends after some milliseconds, and the times at which it was looked at. */
function world(endsAfter: number) {
  let now = 0;
  const looks: number[] = [];
  const lists: number[] = [];
  const cloudformation: Service = {
    async send(command): Promise<any> {
      const { input } = command as { input: object };
      if ('MaxResults' in input) {
        lists.push(now);
        return { Summaries: [] };
      }
      looks.push(now);
      return { StackSetOperation: { Status: now >= endsAfter ? 'SUCCEEDED' : 'RUNNING', Action: 'UPDATE' } };
    },
  };
  const clock = {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
  const watch = (deadline = Number.MAX_SAFE_INTEGER, random = Math.random) =>
    watchOperation(running, {
      cloudformation,
      set: 'set',
      region: 'eu-west-1',
      account: '111122223333',
      clock,
      logger: silent,
      signal: new AbortController().signal,
      deadline,
      random,
    });
  return { watch, looks, lists, now: () => now };
}

const busiest = (times: readonly number[], window = 60_000) =>
  Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time < start + window).length));

test('at most six looks a minute, one list of results a minute, however long it takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 8 * 3_600_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (end, random) => {
        const { watch, looks, lists, now } = world(end);
        const operation = await watch(undefined, () => random);
        expect(operation.status).toBe('SUCCEEDED');
        expect(busiest(looks)).toBeLessThanOrEqual(6);
        expect(busiest(lists)).toBeLessThanOrEqual(1);
        // Short operations are seen within two seconds, long ones within twelve.
        if (end <= 5_000) expect(now() - end).toBeLessThanOrEqual(2_000);
        if (end > 62_000) expect(now() - end).toBeLessThanOrEqual(12_000);
      },
    ),
    { numRuns: 60 },
  );
});

test('a deadline fails as still running and says how to go on', async () => {
  const { watch } = world(3_600_000);
  const failed = await watch(600_000).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(FailureError);
  const { status, failures } = failed as FailureError;
  expect(status).toBe('still-running');
  expect(failures).toMatchObject([
    { code: 'DeadlineExceeded', resource: running.id, account: '111122223333', region: 'eu-west-1' },
  ]);
  expect(failures[0]?.hint).toContain('re-run this job');
});

test('a cancelled wait ends at once', async () => {
  const controller = new AbortController();
  controller.abort(new Error('cancelled'));
  const { realClock } = await import('../../src/clock.ts');
  const waiting = watchOperation(running, {
    cloudformation: { send: async () => ({}) as any },
    set: 's',
    region: 'r',
    account: 'a',
    clock: realClock,
    logger: silent,
    signal: controller.signal,
    deadline: Number.MAX_SAFE_INTEGER,
  });
  await expect(waiting).rejects.toThrow('cancelled');
});
