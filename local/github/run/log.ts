import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Masks } from './masks.ts';

/** A job's log: masked lines with their time, in a file and to whoever listens. */
export class JobLog {
  readonly #path: string;
  readonly #masks: Masks;
  readonly #now: () => Date;
  readonly #listener: (line: string) => void;

  constructor(path: string, masks: Masks, now: () => Date, listener: (line: string) => void) {
    this.#path = path;
    this.#masks = masks;
    this.#now = now;
    this.#listener = listener;
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, '');
  }

  line(text: string): void {
    for (const part of text.split('\n')) {
      const masked = this.#masks.mask(part);
      appendFileSync(this.#path, `${this.#now().toISOString()} ${masked}\n`);
      this.#listener(masked);
    }
  }
}
