import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Pace } from '../types.ts';
import type { Watchdog } from './watchdog.ts';

export interface ProcessOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  onLine: (line: string) => void;
  /** Aborting it interrupts the process: SIGINT, then SIGTERM, both to the entry process only, then the whole group is killed. */
  signal: AbortSignal;
  /** Aborting it kills the whole group at once. */
  deadline: AbortSignal;
  pace: Pace;
  watchdog: Watchdog;
}

/** After the entry process has ended its children may hold the pipes; the runner waits a little for them. */
const drainMilliseconds = 2_000;

/** Resolves with the exit code; 128 + n after a signal. Rejects when the program cannot be started. */
export function runProcess(options: ProcessOptions): Promise<{ exitCode: number; group: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ exitCode: number; group: number }>();
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = child.pid;
  if (group !== undefined) options.watchdog.add(group);
  const readers = [child.stdout, child.stderr].map((input) => {
    const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on('line', options.onLine);
    return new Promise<void>((done) => reader.once('close', done));
  });

  const timers: NodeJS.Timeout[] = [];
  const interrupt = () => {
    child.kill('SIGINT');
    timers.push(setTimeout(() => child.kill('SIGTERM'), options.pace.interrupt));
    timers.push(setTimeout(() => killGroup(group), options.pace.interrupt + options.pace.terminate));
  };
  const kill = () => killGroup(group);
  options.signal.addEventListener('abort', interrupt, { once: true });
  options.deadline.addEventListener('abort', kill, { once: true });
  if (options.signal.aborted) interrupt();
  if (options.deadline.aborted) kill();
  const forget = () => {
    for (const timer of timers) clearTimeout(timer);
    options.signal.removeEventListener('abort', interrupt);
    options.deadline.removeEventListener('abort', kill);
  };

  child.once('error', (error) => {
    forget();
    reject(error);
  });
  child.once('exit', async (code, signal) => {
    forget();
    let drained: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(readers), new Promise((done) => (drained = setTimeout(done, drainMilliseconds)))]);
    clearTimeout(drained);
    child.stdout.destroy();
    child.stderr.destroy();
    resolve({ exitCode: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), group: group! });
  });
  return promise;
}

const signalNumbers: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export function killGroup(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}
