/**
 * Failure tolerance and concurrency of stack set operations: "Stack set operation options" of the CloudFormation user
 * guide and OperationPreferences of the API reference.
 */

export interface Preferences {
  FailureToleranceCount?: number | undefined;
  FailureTolerancePercentage?: number | undefined;
  MaxConcurrentCount?: number | undefined;
  MaxConcurrentPercentage?: number | undefined;
  ConcurrencyMode?: string | undefined;
}

export interface RegionLimits {
  /** Failures that a region may have without failing the operation. */
  tolerance: number;
  concurrency: number;
  /** STRICT_FAILURE_TOLERANCE: never run more than could still fail without exceeding the tolerance by more than one. */
  strict: boolean;
}

/** Instance operations that one stack set runs at the same time at most (quota of 2023). */
export const maximumConcurrency = 100;

/** Limits for one region in which `accounts` instances are worked on; percentages round down. */
export function regionLimits(accounts: number, preferences: Preferences): RegionLimits {
  const share = (percentage: number): number => Math.floor((accounts * percentage) / 100);
  const tolerance =
    preferences.FailureToleranceCount ??
    (preferences.FailureTolerancePercentage === undefined ? 0 : share(preferences.FailureTolerancePercentage));
  const concurrency =
    preferences.MaxConcurrentCount ??
    (preferences.MaxConcurrentPercentage === undefined ? 1 : Math.max(1, share(preferences.MaxConcurrentPercentage)));
  return {
    tolerance,
    concurrency: Math.min(concurrency, maximumConcurrency),
    strict: preferences.ConcurrencyMode !== 'SOFT_FAILURE_TOLERANCE',
  };
}

/** How many instances may run now. */
export function allowedConcurrency(limits: RegionLimits, failures: number): number {
  if (failures > limits.tolerance) return 0;
  return limits.strict ? Math.min(limits.concurrency, limits.tolerance + 1 - failures) : limits.concurrency;
}

export interface RegionOutcome {
  exceeded: boolean;
  stopped: boolean;
}

/**
 * Works through the instances of one region. `run` resolves to whether the instance succeeded; what never started is
 * handed to `cancel`, with whether that was because of the tolerance or a stop. Instances already running always finish.
 */
export async function runRegion<T>(
  items: readonly T[],
  limits: RegionLimits,
  stop: AbortSignal,
  run: (item: T) => Promise<boolean>,
  cancel: (item: T, because: 'tolerance' | 'stop') => void,
): Promise<RegionOutcome> {
  let next = 0;
  let failures = 0;
  const running = new Set<Promise<void>>();
  const stopRequested = new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
  while (next < items.length || running.size > 0) {
    while (!stop.aborted && next < items.length && running.size < allowedConcurrency(limits, failures)) {
      const item = items[next++] as T;
      const task: Promise<void> = run(item).then((succeeded) => {
        if (!succeeded) failures++;
        running.delete(task);
      });
      running.add(task);
    }
    if (next < items.length && (stop.aborted || failures > limits.tolerance)) {
      const because = stop.aborted ? 'stop' : 'tolerance';
      for (const item of items.slice(next)) cancel(item, because);
      next = items.length;
    }
    if (running.size > 0) {
      await Promise.race(stop.aborted ? running : [...running, stopRequested]);
    }
  }
  return { exceeded: failures > limits.tolerance, stopped: stop.aborted };
}

/** Regions in the order of the preferences, then the others as they come. */
export function orderRegions(regions: readonly string[], order: readonly string[] | undefined): string[] {
  const known = new Set(regions);
  const first = (order ?? []).filter((region) => known.has(region));
  return [...new Set([...first, ...regions])];
}
