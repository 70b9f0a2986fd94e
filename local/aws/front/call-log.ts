/** The ordered record of every call, by which tests judge "no mutating call" and crash tests find their places. */
export interface CallLogEntry {
  seq: number;
  at: string;
  account: string;
  region: string;
  principal: string;
  /** e.g. "sagemaker:StartPipelineExecution": the IAM prefix of the service and the operation. */
  operation: string;
  mutating: boolean;
  resources: string[];
  /** SHA-256 over the canonical form of what was asked; equal requests have equal hashes. */
  requestHash: string;
  decision: 'allow' | 'implicit-deny' | 'explicit-deny' | null;
  grantedBy: string[];
  /** Every permission that was asked for (iam:PassRole, the key behind an object), also those of a refused call. */
  permissions: {
    action: string;
    resources: string[];
    decision: 'allow' | 'implicit-deny' | 'explicit-deny';
    grantedBy: string[];
  }[];
  /** null while the call is being answered, and for ever when the connection was broken by a fault. */
  status: number | null;
  error: string | null;
  fault: string | null;
}

/** What one call was allowed to do by each statement; the source of "every granted action is used". */
export interface CallFilter {
  since?: number;
  account?: string;
  operation?: string;
  principal?: string;
  mutating?: boolean;
}

const keptEntries = 100_000;
const repeatMilliseconds = 250;

export class CallLog {
  #entries: CallLogEntry[] = [];
  #seq = 0;
  #running = new Set<number>();
  #listeners = new Set<() => void>();

  /** Gives the entry its number; `done` must be called once, when the answer is known. */
  start(entry: Omit<CallLogEntry, 'seq'>): { entry: CallLogEntry; done: () => void } {
    const started: CallLogEntry = { seq: ++this.#seq, ...entry };
    this.#running.add(started.seq);
    this.#entries.push(started);
    if (this.#entries.length > keptEntries * 1.1) this.#entries = this.#entries.slice(-keptEntries);
    return {
      entry: started,
      done: () => {
        this.#running.delete(started.seq);
        for (const listener of [...this.#listeners]) listener();
      },
    };
  }

  /** Finished calls in order of their numbers. */
  list(filter: CallFilter = {}): CallLogEntry[] {
    return this.#entries.filter(
      (entry) =>
        !this.#running.has(entry.seq) &&
        entry.seq > (filter.since ?? 0) &&
        (filter.account === undefined || entry.account === filter.account) &&
        (filter.operation === undefined || glob(filter.operation, entry.operation)) &&
        (filter.principal === undefined || glob(filter.principal, entry.principal)) &&
        (filter.mutating === undefined || entry.mutating === filter.mutating),
    );
  }

  /** The largest number up to which every call is finished: pass it as `since` and no call is ever missed. */
  get next(): number {
    return this.#running.size === 0 ? this.#seq : Math.min(...this.#running) - 1;
  }

  /**
   * Resolves with the next matching calls, or with none when `milliseconds` of wall time have passed. While an earlier
   * call is still running, `next` cannot move past it, so later ones may be told again: who loops is then held to a few
   * rounds a second.
   */
  async wait(filter: CallFilter, milliseconds: number): Promise<CallLogEntry[]> {
    const found = this.list(filter);
    if (milliseconds <= 0 || (found.length > 0 && this.next > (filter.since ?? 0))) return found;
    const known = found.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = () => {
      if (this.list(filter).length > known) resolve();
    };
    this.#listeners.add(listener);
    const timer = setTimeout(resolve, known > 0 ? Math.min(milliseconds, repeatMilliseconds) : milliseconds);
    await promise;
    clearTimeout(timer);
    this.#listeners.delete(listener);
    return this.list(filter);
  }

  clear(): void {
    this.#entries = [];
  }
}

/** `*` and `?` as in IAM patterns, case sensitive. */
export function glob(pattern: string, text: string): boolean {
  if (pattern === '*' || pattern === text) return true;
  if (!/[*?]/.test(pattern)) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
