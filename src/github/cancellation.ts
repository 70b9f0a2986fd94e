import type { Operation } from './host.ts';

export interface CancellationOptions {
  /** process, or an emitter in tests. */
  signals: { on(signal: NodeJS.Signals, listener: () => void): unknown };
  exit: (code: number) => void;
  /** Tells it all: log, outputs, summary. Must be synchronous. */
  report: (signal: NodeJS.Signals, operation: Operation | undefined, stopping: boolean) => void;
}

export interface Cancellation {
  readonly signal: AbortSignal;
  operation: Operation | undefined;
  /** Input on-cancel: what a signal does to the remote work. */
  onCancel: 'detach' | 'stop';
  /** Set with the first signal: from then on nothing else may report. */
  leaving: boolean;
}

/** GitHub sends SIGINT, 7.5 s later SIGTERM, 2.5 s later it kills; one guarded way out is taken for either and ends within two seconds. */
export function createCancellation({ signals, exit, report }: CancellationOptions): Cancellation {
  const controller = new AbortController();
  const cancellation: Cancellation = {
    signal: controller.signal,
    operation: undefined,
    onCancel: 'detach',
    leaving: false,
  };
  const leave = (signal: NodeJS.Signals, code: number) => {
    if (cancellation.leaving) return;
    cancellation.leaving = true;
    const { operation, onCancel } = cancellation;
    const stop = onCancel === 'stop' ? operation?.stop : undefined;
    report(signal, operation, stop !== undefined);
    // Aborting first would let the waiting code report a failure of its own; it goes last, just before the end.
    const end = () => {
      controller.abort(new Error(`cancelled by ${signal}`));
      exit(code);
    };
    if (stop === undefined) return end();
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 1_500);
    Promise.race([stop().catch(() => undefined), limit]).then(() => {
      clearTimeout(timer);
      end();
    });
  };
  signals.on('SIGINT', () => leave('SIGINT', 130));
  signals.on('SIGTERM', () => leave('SIGTERM', 143));
  return cancellation;
}
