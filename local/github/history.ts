import type { RunEvent } from './types.ts';

/** What runs have emitted, as lines of JSON, for those who come to listen later. */
export class History {
  readonly #lines = new Map<number, string[]>();
  readonly #followers = new Map<number, Set<(line: string, last: boolean) => void>>();

  add(event: RunEvent): void {
    if (!('run' in event)) return;
    const { id } = event.run;
    // A log line carries who printed it, not the whole run again.
    const slim =
      event.type === 'log'
        ? {
            ...event,
            run: { ...event.run, jobs: [], previousAttempts: [] },
            job: { ...event.job, steps: [], annotations: [] },
          }
        : event;
    const line = JSON.stringify(slim);
    const lines = this.#lines.get(id) ?? [];
    this.#lines.set(id, lines);
    if (event.type === 'run-started') lines.length = 0;
    lines.push(line);
    const last = event.type === 'run-finished';
    for (const follower of this.#followers.get(id) ?? []) follower(line, last);
  }

  /** Everything so far of the run's current attempt, then what comes. The returned function stops listening. */
  follow(id: number, follower: (line: string, last: boolean) => void): () => void {
    for (const line of [...(this.#lines.get(id) ?? [])]) follower(line, line.startsWith('{"type":"run-finished"'));
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers);
    followers.add(follower);
    return () => followers.delete(follower);
  }
}
