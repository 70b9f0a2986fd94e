import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';

export interface PollOptions<State> {
  read: () => Promise<State>;
  done: (state: State) => boolean;
  clock: Clock;
  signal?: AbortSignal;
  /** Milliseconds since the epoch; undefined waits for ever. */
  deadline?: number | undefined;
  /** Told when the deadline passes: what still runs and how to resume. */
  onDeadline: (state: State) => FailureError;
  /** Shortest and longest pause in milliseconds (1 s, 20 s). */
  shortest?: number;
  longest?: number;
  /** Jitter source. */
  random?: () => number;
}

/**
 * Waits until `done`. The pause grows with the time already waited (about a sixth of it), so short work is seen at once and long
 * work costs a call every twenty seconds; jitter keeps many jobs apart. A deadline is a failure, never a success.
 */
export async function poll<State>(options: PollOptions<State>): Promise<State> {
  const {
    read,
    done,
    clock,
    signal,
    deadline,
    onDeadline,
    shortest = 1_000,
    longest = 20_000,
    random = Math.random,
  } = options;
  const start = clock.now();
  for (;;) {
    signal?.throwIfAborted();
    const state = await read();
    if (done(state)) return state;
    const waited = clock.now() - start;
    const left = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - clock.now();
    if (left <= 0) throw onDeadline(state);
    const pause = Math.min(longest, Math.max(shortest, waited / 6)) * (0.8 + 0.4 * random());
    await clock.sleep(Math.min(pause, left), signal);
  }
}

/** The failure of a deadline: distinct, and it says how to go on. */
export function stillRunning(what: {
  resource: string;
  where: string;
  region: string;
  account?: string;
  resume: string;
}): FailureError {
  return new FailureError(
    {
      code: 'DeadlineExceeded',
      resource: what.resource,
      region: what.region,
      ...(what.account === undefined ? {} : { account: what.account }),
      cause: `${what.where} when timeout-minutes had passed`,
      hint: `It goes on; ${what.resume}`,
    },
    'still-running',
  );
}
