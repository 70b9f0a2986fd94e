import type { Clock, ClockMode } from './clock.ts';

/** Wall milliseconds that calls in flight may hold the next timer: one of them may wait for the clock itself. */
const settleLimit = 1000;

interface Timer {
  at: number;
  order: number;
  background: boolean;
  fire: () => void;
}

/** Further control that only the platform's own control routes use. */
export interface ControllableClock extends Clock {
  setMode(mode: ClockMode): void;
  /** Timers that wait, and live processes that hold the clock. */
  readonly pending: number;
  readonly held: number;
  /** The moment of the next timer. */
  next(): Date | undefined;
  /** Drops every timer: sleepers, also later ones, never go on. Who must end in order passes a signal to sleep. */
  close(): void;
}

/**
 * Wall time (milliseconds since 1970) is a parameter so that tests of the clock itself need not wait. `busy` tells that
 * calls are in flight: time neither jumps nor is advanced over them.
 */
export function createClock(
  initial: ClockMode,
  wall: () => number = Date.now,
  busy: () => boolean = () => false,
): ControllableClock {
  let mode = initial;
  // virtual = base + (wall - since) * factor; by-hand stands still (factor 0).
  let base = wall();
  let since = base;
  let timers: Timer[] = [];
  let order = 0;
  let closed = false;
  let held = 0;
  let wake: NodeJS.Timeout | undefined;
  let jump: NodeJS.Immediate | undefined;

  const factor = () => (mode.mode === 'scaled' ? mode.factor : mode.mode === 'at-once' ? 1 : 0);
  const virtual = () => base + (wall() - since) * factor();
  const moveTo = (moment: number) => {
    base = Math.max(moment, virtual());
    since = wall();
  };
  /** Whether somebody waits who is worth a jump. What lies before that somebody fires on the way, background or not. */
  const worthAJump = () => timers.some((timer) => !timer.background);
  const sorted = () => timers.sort((left, right) => left.at - right.at || left.order - right.order);

  const fireDue = (until: number) => {
    const due = sorted().filter((timer) => timer.at <= until);
    timers = timers.filter((timer) => timer.at > until);
    for (const timer of due) {
      timer.fire();
    }
  };

  /**
   * One timer at a time, after everything that is ready has run, calls in flight included: that work may set an earlier
   * timer, and a time-out must not win against an answer that is on its way.
   */
  const waitToJump = (latest: number) => {
    jump = setImmediate(() => {
      const next = sorted()[0];
      if (next === undefined || held > 0 || !worthAJump()) return schedule();
      if (busy() && Date.now() < latest) {
        wake = setTimeout(() => waitToJump(latest), 1);
        return;
      }
      moveTo(next.at);
      timers.shift();
      next.fire();
      schedule();
    });
  };

  /** Arranges the next firing, according to the mode. */
  const schedule = () => {
    clearTimeout(wake);
    clearImmediate(jump);
    wake = undefined;
    jump = undefined;
    const first = sorted()[0];
    if (first === undefined || mode.mode === 'by-hand') return;
    if (mode.mode === 'at-once' && held === 0 && worthAJump()) {
      waitToJump(Date.now() + settleLimit);
      return;
    }
    const delay = Math.max(0, (first.at - virtual()) / factor());
    wake = setTimeout(
      () => {
        fireDue(virtual());
        schedule();
      },
      Math.min(Math.ceil(delay), 2 ** 31 - 1),
    );
    wake.unref();
  };

  return {
    get mode() {
      return mode.mode;
    },
    get pending() {
      return timers.length;
    },
    get held() {
      return held;
    },
    now: () => new Date(virtual()),
    next: () => {
      const first = sorted()[0];
      return first === undefined ? undefined : new Date(first.at);
    },
    sleep(milliseconds, signal, kind) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (closed) return new Promise(() => {});
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer: Timer = {
        at: virtual() + Math.max(0, milliseconds),
        order: order++,
        background: kind === 'background',
        fire: resolve,
      };
      const onAbort = () => {
        timers = timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      timer.fire = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      timers.push(timer);
      schedule();
      return promise;
    },
    hold() {
      // Time so far counts from the skipped position on; while held it follows the wall.
      held += 1;
      schedule();
      let released = false;
      return () => {
        if (released) return;
        released = true;
        held -= 1;
        schedule();
      };
    },
    async advance(milliseconds) {
      requireByHand(mode);
      const target = virtual() + milliseconds;
      await settle(busy);
      for (let first = sorted()[0]; first !== undefined && first.at <= target; first = sorted()[0]) {
        moveTo(first.at);
        fireDue(first.at);
        await settle(busy);
      }
      moveTo(target);
    },
    async advanceToNext() {
      requireByHand(mode);
      await settle(busy);
      const first = sorted()[0];
      if (first === undefined) return undefined;
      const moved = Math.max(0, first.at - virtual());
      moveTo(first.at);
      fireDue(first.at);
      await settle(busy);
      return moved;
    },
    setMode(next) {
      base = virtual();
      since = wall();
      mode = next;
      schedule();
    },
    close() {
      closed = true;
      timers = [];
      clearTimeout(wake);
      clearImmediate(jump);
    },
  };
}

function requireByHand(mode: ClockMode): void {
  if (mode.mode !== 'by-hand') throw new Error(`Only a clock by hand can be advanced; this one is ${mode.mode}.`);
}

/** Lets work that a timer set off run until nothing moves any more (some turns of the event loop without a call in flight). */
async function settle(busy: () => boolean): Promise<void> {
  const end = Date.now() + settleLimit;
  for (let quiet = 0; quiet < 20; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!busy() || Date.now() > end) continue;
    await new Promise((resolve) => setTimeout(resolve, 1));
    quiet = -1;
  }
}
