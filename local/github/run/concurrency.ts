import { type Evaluation, isTruthy } from '../expressions.ts';
import type { Concurrency } from '../workflow/model.ts';

/** Who holds or waits for a concurrency group: a run, a called workflow or a job. */
export interface Holder {
  /** Asked to end because of `cancel-in-progress`, or because a newer one took its place in the queue. */
  cancel(reason: string): void;
  /** The run and the callers it stands in; a group one of them holds can never be got. */
  ancestors: readonly Holder[];
}

interface Waiting {
  holder: Holder;
  resolve: (answer: 'acquired' | 'cancelled') => void;
}

interface Group {
  running: Holder | undefined;
  pending: Waiting[];
}

const queueLimit = 100;

export type Entered = 'cancelled' | (() => void);

/**
 * Concurrency groups of one repository; names are compared without case. One runs, and by default one waits: a newer one
 * cancels the one that waits. `queue: max` lets up to 100 wait; GitHub promises no order, here they go first in, first out.
 */
export class ConcurrencyGroups {
  readonly #groups = new Map<string, Group>();

  acquire(
    name: string,
    holder: Holder,
    options: { cancelInProgress: boolean; queue: 'single' | 'max' },
  ): 'acquired' | 'cancelled' | Promise<'acquired' | 'cancelled'> {
    const key = name.toLowerCase();
    const group = this.#groups.get(key) ?? { running: undefined, pending: [] };
    this.#groups.set(key, group);
    if (!group.running) {
      group.running = holder;
      return 'acquired';
    }
    if (holder.ancestors.includes(group.running)) {
      holder.cancel(
        `Canceling since a deadlock for concurrency group '${name}' was detected: it is held by a workflow that this one belongs to`,
      );
      return 'cancelled';
    }
    if (options.cancelInProgress || options.queue === 'single') {
      for (const older of group.pending.splice(0)) {
        older.holder.cancel(`Canceling since a higher priority waiting request for '${name}' exists`);
        older.resolve('cancelled');
      }
    } else if (group.pending.length >= queueLimit) {
      holder.cancel(`Canceling since ${queueLimit} requests wait for '${name}' already`);
      return 'cancelled';
    }
    const { promise, resolve } = Promise.withResolvers<'acquired' | 'cancelled'>();
    group.pending.push({ holder, resolve });
    if (options.cancelInProgress)
      group.running.cancel(`Canceling since a higher priority waiting request for '${name}' exists`);
    return promise;
  }

  /** Gives a group back, or gives up waiting for it. */
  release(name: string, holder: Holder): void {
    const key = name.toLowerCase();
    const group = this.#groups.get(key);
    if (!group) return;
    const index = group.pending.findIndex((waiting) => waiting.holder === holder);
    if (index >= 0) group.pending.splice(index, 1)[0]!.resolve('cancelled');
    if (group.running !== holder) return;
    const next = group.pending.shift();
    group.running = next?.holder;
    next?.resolve('acquired');
    if (!next) this.#groups.delete(key);
  }
}

/**
 * Enters the group of a `concurrency` block, waiting if need be. Resolves with the function that leaves it, or with 'cancelled'
 * when a newer request took the place, the wait was given up (`ended`), or the group can never be got. Throws for a block that
 * GitHub would not accept.
 */
export async function enterGroup(options: {
  groups: ConcurrencyGroups;
  concurrency: Concurrency | undefined;
  evaluation: Evaluation;
  holder: Holder;
  ended: AbortSignal;
  onPending: (group: string) => void;
}): Promise<Entered> {
  const { groups, concurrency, evaluation, holder, ended, onPending } = options;
  const name = concurrency?.group.evaluateString(evaluation) ?? '';
  if (!concurrency || name === '') return () => {};
  const { cancelInProgress: block, queue } = concurrency;
  const cancelInProgress = block ? isTruthy(block.evaluate(evaluation)) : false;
  if (cancelInProgress && queue === 'max') {
    throw new Error("concurrency cannot combine 'queue: max' with 'cancel-in-progress: true'");
  }
  const leave = () => groups.release(name, holder);
  const answer = groups.acquire(name, holder, { cancelInProgress, queue });
  if (typeof answer !== 'string') {
    onPending(name);
    ended.addEventListener('abort', leave, { once: true });
    if (ended.aborted) leave();
  }
  const settled = await answer;
  ended.removeEventListener('abort', leave);
  return settled === 'acquired' ? leave : 'cancelled';
}
