/**
 * The platform's clock. Nothing in `local/` calls Date.now or setTimeout for AWS-visible time.
 *
 * - `at-once`: now() follows the wall clock plus what timers have skipped; a timer fires as soon as no live process holds the clock.
 * - `scaled`: virtual time runs `factor` times as fast as wall time.
 * - `by-hand`: virtual time stands still until advanced.
 */
export type ClockMode = { mode: 'at-once' } | { mode: 'scaled'; factor: number } | { mode: 'by-hand' };

export interface Clock {
  readonly mode: ClockMode['mode'];
  now(): Date;
  /**
   * Resolves when virtual time has passed `milliseconds`; rejects with the signal's reason when aborted. A recurring
   * schedule sleeps in the `background`: alone it never makes a clock at once jump, which would go from one run to the
   * next for ever; it fires when time comes to it.
   */
  sleep(milliseconds: number, signal?: AbortSignal, kind?: 'background'): Promise<void>;
  /** A running real process: the clock never jumps over it. Call the returned function when the process has ended. */
  hold(): () => void;
  /** by-hand only: moves virtual time forward, firing due timers in order and letting their work settle in between. */
  advance(milliseconds: number): Promise<void>;
  /** by-hand only: moves to the next due timer; resolves to the milliseconds moved, undefined when nothing is due. */
  advanceToNext(): Promise<number | undefined>;
}
