import { constants } from 'node:os';

/** The exit code that tells of a signal, as shells have it: 128 and its number. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Resolves after the first SIGINT, SIGTERM or SIGHUP, when `close` is done; the second one ends the process at once.
 * `npm start` and a terminal may both deliver the same Ctrl-C: signals within a second count as one.
 */
export function untilStopped(close: () => Promise<void>): Promise<NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    let first = 0;
    const stop = (signal: NodeJS.Signals) => {
      if (first !== 0) {
        if (Date.now() - first > 1000) process.exit(130);
        return;
      }
      first = Date.now();
      close().then(() => resolve(signal), reject);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}
