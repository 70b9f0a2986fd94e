import { stillRunning } from '../aws/poll.ts';
import type { Service } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../github/logger.ts';
import { isLive, type Operation, type OperationResult, place } from './model.ts';
import { describeOperation, operationResults } from './read.ts';
import { inShort } from './words.ts';

export interface WatchOptions {
  cloudformation: Service;
  set: string;
  region: string;
  account: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
  random?: () => number;
}

/** Pauses of the first minute in seconds (looks at 1, 2, 3, 5, 22, 46, 62): short work is seen at once, and any minute has six looks. */
const firstPauses = [1, 1, 1, 2, 17, 24, 16];
const pause = 10;
const resultsEvery = 60_000;

/**
 * Waits for an operation, whoever started it, and returns it in its final state. At most six looks a minute; what happened per
 * account is read once a minute, for the log. The deadline throws `still-running`.
 */
export async function watchOperation(first: Operation, options: WatchOptions): Promise<Operation> {
  const { cloudformation, set, clock, logger, signal, deadline, random = Math.random } = options;
  const told = new Set<string>();
  let operation = first;
  let nextResults = clock.now() + resultsEvery;
  for (let look = 0; isLive(operation); look += 1) {
    const left = deadline - clock.now();
    if (left <= 0) {
      throw stillRunning({
        resource: operation.id,
        where: `The operation ${operation.id} of the stack set ${set} was ${operation.status}`,
        region: options.region,
        account: options.account,
        resume: 're-run this job to wait for it',
      });
    }
    const seconds = firstPauses[look] ?? pause * (1 + 0.2 * random());
    await clock.sleep(Math.min(seconds * 1_000, left), signal);
    const found = await describeOperation(cloudformation, set, operation.id, signal);
    if (found === undefined) continue;
    if (found.status !== operation.status) logger.info(`Operation ${operation.id}: ${found.status}`);
    operation = found;
    if (isLive(operation) && clock.now() >= nextResults) {
      nextResults = clock.now() + resultsEvery;
      tell(await operationResults(cloudformation, set, operation.id, signal), told, logger);
    }
  }
  return operation;
}

function tell(results: readonly OperationResult[], told: Set<string>, logger: Logger): void {
  for (const result of results) {
    const line = `${place(result)}: ${result.status}${result.reason ? ` (${inShort(result.reason)})` : ''}`;
    if (told.has(line)) continue;
    told.add(line);
    logger.foreign(line);
  }
}

/** Final results: the list lags behind the operation, so it is read again until it holds every target and nothing unfinished. */
export async function finalResults(
  operation: Operation,
  targets: number,
  options: WatchOptions,
): Promise<OperationResult[]> {
  const { cloudformation, set, clock, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    const results = await operationResults(cloudformation, set, operation.id, signal);
    const open = results.some(({ status }) => status === 'PENDING' || status === 'RUNNING');
    if ((results.length >= targets && !open) || attempt === 6) return results;
    await clock.sleep(1_000 * attempt, signal);
  }
}
