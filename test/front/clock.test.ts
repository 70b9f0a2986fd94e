import { describe, expect, test } from '@jest/globals';
import { createClock } from '../../local/aws/core/platform-clock.ts';

const day = 86_400_000;
const turns = async (count = 30) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('clock at once', () => {
  test('a sleep of days ends at once and time has moved by it', async () => {
    const clock = createClock({ mode: 'at-once' });
    const before = clock.now().getTime();
    await clock.sleep(3 * day);
    expect(clock.now().getTime() - before).toBeGreaterThanOrEqual(3 * day);
    expect(clock.now().getTime() - before).toBeLessThan(3 * day + 5_000);
  });

  test('timers fire in the order of their moments, also those set meanwhile', async () => {
    const clock = createClock({ mode: 'at-once' });
    const order: string[] = [];
    await Promise.all([
      clock.sleep(2 * day).then(() => order.push('two')),
      clock.sleep(day).then(async () => {
        order.push('one');
        await clock.sleep(day / 2);
        order.push('one and a half');
      }),
    ]);
    expect(order).toEqual(['one', 'one and a half', 'two']);
  });

  test('a live process holds the clock: no jump while it runs, one after it', async () => {
    const clock = createClock({ mode: 'at-once' });
    const release = clock.hold();
    let woken = false;
    const sleeping = clock.sleep(day).then(() => {
      woken = true;
    });
    await turns();
    expect(woken).toBe(false);
    release();
    release();
    await sleeping;
    expect(clock.held).toBe(0);
  });

  test('short timers still fire by the wall while a process holds the clock', async () => {
    const clock = createClock({ mode: 'at-once' });
    const release = clock.hold();
    await clock.sleep(20);
    release();
  });
});

test('at once, a recurring background sleep makes nobody jump, and fires on the way of who does', async () => {
  const clock = createClock({ mode: 'at-once' });
  const runs: number[] = [];
  const started = clock.now().getTime();
  const closing = new AbortController();
  const hourly = (async () => {
    for (;;) {
      await clock.sleep(3_600_000, closing.signal, 'background');
      runs.push(Math.round((clock.now().getTime() - started) / 3_600_000));
    }
  })();
  await turns();
  expect(runs).toEqual([]);
  await clock.sleep(2.5 * 3_600_000);
  expect(runs).toEqual([1, 2]);
  expect(Math.round((clock.now().getTime() - started) / 60_000)).toBe(150);
  await turns();
  expect(runs).toEqual([1, 2]);
  closing.abort(new Error('enough'));
  await expect(hourly).rejects.toThrow('enough');
});

test('at once, a background sleep fires when the wall comes to it', async () => {
  const clock = createClock({ mode: 'at-once' });
  await clock.sleep(15, undefined, 'background');
});

test('calls in flight hold the next jump, but not for ever', async () => {
  let inFlight = true;
  const clock = createClock({ mode: 'at-once' }, Date.now, () => inFlight);
  let woken = 0;
  const sleeping = clock.sleep(day).then(() => {
    woken += 1;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(woken).toBe(0);
  inFlight = false;
  await sleeping;
  inFlight = true;
  const started = Date.now();
  await clock.sleep(day);
  expect(Date.now() - started).toBeGreaterThanOrEqual(900);
});

describe('clock by hand', () => {
  test('time stands still until advanced', async () => {
    let wall = 1_000_000;
    const clock = createClock({ mode: 'by-hand' }, () => wall);
    wall += day;
    expect(clock.now().getTime()).toBe(1_000_000);
    await clock.advance(500);
    expect(clock.now().getTime()).toBe(1_000_500);
  });

  test('advance fires due timers in order, each at its own moment, and lets their work settle', async () => {
    const clock = createClock({ mode: 'by-hand' }, () => 0);
    const seen: [string, number][] = [];
    void clock.sleep(100).then(async () => {
      seen.push(['a', clock.now().getTime()]);
      await clock.sleep(50);
      seen.push(['b', clock.now().getTime()]);
    });
    void clock.sleep(120).then(() => seen.push(['c', clock.now().getTime()]));
    void clock.sleep(1000).then(() => seen.push(['d', clock.now().getTime()]));
    await clock.advance(200);
    expect(seen).toEqual([
      ['a', 100],
      ['c', 120],
      ['b', 150],
    ]);
    expect(clock.now().getTime()).toBe(200);
    expect(clock.pending).toBe(1);
  });

  test('next moves exactly to the next timer and says how far', async () => {
    const clock = createClock({ mode: 'by-hand' }, () => 0);
    expect(await clock.advanceToNext()).toBeUndefined();
    void clock.sleep(70);
    expect(await clock.advanceToNext()).toBe(70);
    expect(clock.next()).toBeUndefined();
  });

  test('other modes cannot be advanced', async () => {
    await expect(createClock({ mode: 'at-once' }).advance(1)).rejects.toThrow('by hand');
  });
});

test('scaled: an hour passes in its fraction of wall time', async () => {
  const clock = createClock({ mode: 'scaled', factor: 100_000 });
  const started = Date.now();
  await clock.sleep(3_600_000);
  expect(Date.now() - started).toBeGreaterThanOrEqual(30);
  expect(Date.now() - started).toBeLessThan(2_000);
});

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const clock = createClock({ mode: 'by-hand' });
  const controller = new AbortController();
  const sleeping = clock.sleep(1000, controller.signal);
  controller.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough');
  expect(clock.pending).toBe(0);
});

test('changing the mode keeps the time', async () => {
  let wall = 5_000;
  const clock = createClock({ mode: 'by-hand' }, () => wall);
  await clock.advance(day);
  const before = clock.now().getTime();
  clock.setMode({ mode: 'at-once' });
  wall += 10;
  expect(clock.now().getTime()).toBe(before + 10);
});

test('a closed clock wakes nobody any more, so that no loop keeps the process alive', async () => {
  const clock = createClock({ mode: 'at-once' });
  let rounds = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(1000);
      rounds += 1;
    }
  })();
  await turns(5);
  clock.close();
  const before = rounds;
  await turns();
  expect(before).toBeGreaterThan(0);
  expect(rounds).toBe(before);
});
