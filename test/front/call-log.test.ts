import { expect, test } from '@jest/globals';
import { CallLog, type CallLogEntry } from '../../local/aws/front/call-log.ts';

const entry = (operation: string): Omit<CallLogEntry, 'seq'> => ({
  at: '2026-01-01T00:00:00.000Z',
  account: '111122223333',
  region: 'eu-west-1',
  principal: 'arn',
  operation,
  mutating: false,
  resources: [],
  requestHash: '',
  decision: null,
  grantedBy: [],
  permissions: [],
  status: 200,
  error: null,
  fault: null,
});

test('running calls are not listed, and `next` never passes one', () => {
  const log = new CallLog();
  const slow = log.start(entry('a:Slow'));
  log.start(entry('a:Quick')).done();
  expect(log.list().map(({ seq }) => seq)).toEqual([2]);
  expect(log.next).toBe(0);
  slow.done();
  expect(log.list().map(({ seq }) => seq)).toEqual([1, 2]);
  expect(log.next).toBe(2);
});

test('a loop over wait behind a long call neither spins nor misses anything', async () => {
  const log = new CallLog();
  const slow = log.start(entry('a:Slow'));
  log.start(entry('a:Quick')).done();
  const seen = new Set<number>();
  let rounds = 0;
  const end = Date.now() + 600;
  while (Date.now() < end) {
    for (const { seq } of await log.wait({ since: log.next }, 10_000)) seen.add(seq);
    rounds += 1;
  }
  expect(rounds).toBeLessThan(10);
  setTimeout(slow.done, 10);
  for (const { seq } of await log.wait({ since: log.next }, 10_000)) seen.add(seq);
  expect([...seen].sort()).toEqual([1, 2]);
});

test('wait ends by itself, and tells a call at once', async () => {
  const log = new CallLog();
  expect(await log.wait({}, 20)).toEqual([]);
  setTimeout(() => log.start(entry('a:Other')).done(), 5);
  setTimeout(() => log.start(entry('a:Wanted')).done(), 15);
  const started = Date.now();
  expect((await log.wait({ operation: 'a:W*' }, 10_000)).map(({ operation }) => operation)).toEqual(['a:Wanted']);
  expect(Date.now() - started).toBeLessThan(1000);
});
