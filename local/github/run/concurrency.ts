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

/**
 * Concurrency groups of one repository; names are compared without case. One runs, and by default one waits: a newer one
 * cancels the one that waits. `queue: max` lets up to 100 wait; GitHub promises no order, here they go first in, first out.
 */
export class ConcurrencyGroups {
  readonly #groups = new Map<string, Group>();

  async acquire(
    name: string,
    holder: Holder,
    options: { cancelInProgress: boolean; queue: 'single' | 'max' },
  ): Promise<'acquired' | 'cancelled'> {
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
