import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  allowedConcurrency,
  orderRegions,
  type Preferences,
  regionLimits,
  runRegion,
} from '../../local/aws/services/cloudformation/stacksets/tolerance.ts';

/**
 * An independent, slow model of one region: time in whole ticks, every instance takes the ticks and has the outcome it
 * was dealt. It follows the sentences of the user guide, not the scheduler's code: at each tick, finished instances are
 * counted, and as long as the guide's limit allows, the next one starts.
 */
function model(
  instances: { ticks: number; fails: boolean }[],
  preferences: Preferences,
): { states: string[]; peak: number } {
  const total = instances.length;
  const tolerated =
    preferences.FailureToleranceCount ?? Math.floor((total * (preferences.FailureTolerancePercentage ?? 0)) / 100);
  const wished =
    preferences.MaxConcurrentCount ??
    (preferences.MaxConcurrentPercentage === undefined
      ? 1
      : Math.max(1, Math.floor((total * preferences.MaxConcurrentPercentage) / 100)));
  const states = instances.map(() => 'PENDING');
  const ends = instances.map(() => 0);
  let peak = 0;
  for (let tick = 0; states.some((state) => state === 'PENDING' || state === 'RUNNING'); tick++) {
    states.forEach((state, index) => {
      if (state === 'RUNNING' && ends[index] === tick) states[index] = instances[index]!.fails ? 'FAILED' : 'SUCCEEDED';
    });
    const failed = states.filter((state) => state === 'FAILED').length;
    if (failed > tolerated) {
      states.forEach((state, index) => {
        if (state === 'PENDING') states[index] = 'CANCELLED';
      });
    }
    for (let index = states.indexOf('PENDING'); index >= 0; index = states.indexOf('PENDING')) {
      const running = states.filter((state) => state === 'RUNNING').length;
      const cap =
        preferences.ConcurrencyMode === 'SOFT_FAILURE_TOLERANCE' ? wished : Math.min(wished, tolerated + 1 - failed);
      if (running >= Math.min(cap, 100)) break;
      states[index] = 'RUNNING';
      ends[index] = tick + instances[index]!.ticks;
    }
    peak = Math.max(peak, states.filter((state) => state === 'RUNNING').length);
  }
  return { states, peak };
}

/** The scheduler under test on the same instances; ticks are driven by hand. */
async function simulate(instances: { ticks: number; fails: boolean }[], preferences: Preferences) {
  const states = instances.map(() => 'PENDING');
  let peak = 0;
  let tick = 0;
  const due: { at: number; finish: () => void }[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const outcome = runRegion(
    instances.map((_, index) => index),
    regionLimits(instances.length, preferences),
    new AbortController().signal,
    (index) => {
      states[index] = 'RUNNING';
      peak = Math.max(peak, states.filter((state) => state === 'RUNNING').length);
      return new Promise((resolve) => {
        due.push({
          at: tick + instances[index]!.ticks,
          finish: () => {
            states[index] = instances[index]!.fails ? 'FAILED' : 'SUCCEEDED';
            resolve(!instances[index]!.fails);
          },
        });
      });
    },
    (index) => {
      states[index] = 'CANCELLED';
    },
  );
  await settle();
  while (due.length > 0) {
    tick++;
    for (const item of due.filter(({ at }) => at === tick)) {
      due.splice(due.indexOf(item), 1);
      item.finish();
    }
    await settle();
  }
  return { states, peak, exceeded: (await outcome).exceeded };
}

const preferences = fc.record(
  {
    tolerance: fc.oneof(
      fc.record({ FailureToleranceCount: fc.nat(6) }),
      fc.record({ FailureTolerancePercentage: fc.nat(100) }),
      fc.constant({}),
    ),
    concurrency: fc.oneof(
      fc.record({ MaxConcurrentCount: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ MaxConcurrentPercentage: fc.integer({ min: 1, max: 100 }) }),
      fc.constant({}),
    ),
    mode: fc.constantFrom(
      {},
      { ConcurrencyMode: 'STRICT_FAILURE_TOLERANCE' },
      { ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE' },
    ),
  },
  { requiredKeys: ['tolerance', 'concurrency', 'mode'] },
);

test('the scheduler agrees with the model', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ ticks: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() }), {
        minLength: 1,
        maxLength: 12,
      }),
      preferences,
      async (instances, { tolerance, concurrency, mode }) => {
        const chosen = { ...tolerance, ...concurrency, ...mode };
        const expected = model(instances, chosen);
        const found = await simulate(instances, chosen);
        expect({ states: found.states, peak: found.peak }).toEqual(expected);
        const limits = regionLimits(instances.length, chosen);
        const failed = found.states.filter((state) => state === 'FAILED').length;
        expect(found.exceeded).toBe(failed > limits.tolerance);
        if (limits.strict) expect(failed).toBeLessThanOrEqual(limits.tolerance + 1);
      },
    ),
    { numRuns: process.env['TEST_FULL'] === undefined ? 300 : 5_000 },
  );
});

describe('the numbers', () => {
  test.each<[number, Preferences, number, number]>([
    // accounts, preferences, tolerance, allowed at the start
    [10, {}, 0, 1],
    [10, { MaxConcurrentCount: 10 }, 0, 1],
    [10, { MaxConcurrentCount: 10, ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE' }, 0, 10],
    [10, { FailureToleranceCount: 3, MaxConcurrentCount: 10 }, 3, 4],
    [10, { FailureTolerancePercentage: 25, MaxConcurrentPercentage: 100 }, 2, 3],
    [3, { MaxConcurrentPercentage: 10 }, 0, 1],
    [3, { FailureTolerancePercentage: 99, MaxConcurrentPercentage: 99 }, 2, 2],
    [1_000, { FailureToleranceCount: 500, MaxConcurrentCount: 400 }, 500, 100],
  ])('%d accounts, %j: tolerance %d, %d at once', (accounts, chosen, tolerance, atOnce) => {
    const limits = regionLimits(accounts, chosen);
    expect(limits.tolerance).toBe(tolerance);
    expect(allowedConcurrency(limits, 0)).toBe(atOnce);
  });

  test('region order first, the rest as they come, unknown ones ignored', () => {
    expect(orderRegions(['a', 'b', 'c'], ['c', 'x', 'a'])).toEqual(['c', 'a', 'b']);
    expect(orderRegions(['a', 'b'], undefined)).toEqual(['a', 'b']);
  });
});
