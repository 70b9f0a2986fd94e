import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eachLine } from './lines.ts';

const supervisor = fileURLToPath(new URL('./python/supervise.py', import.meta.url));

/** A supervisor that does not end when told so by its closed lifeline is killed itself after this time. */
const supervisorMilliseconds = 5_000;

export interface ProgramOptions {
  /** Interpreter for the supervisor. */
  python: string;
  command: readonly string[];
  /** The whole environment: nothing of this process is added. */
  environment: Record<string, string>;
  directory: string;
  /** Show this folder as /opt/ml in a mount namespace; `scratch` is an empty folder for it. */
  bind?: { folder: string; scratch: string };
  /** Cut off from every network, the loopback included. */
  isolated?: boolean;
  onLine: (line: string) => void;
}

export interface RunningProgram {
  /** Exit code; 128 + N when signal N ended the program. Resolves when its output has been read to the end. */
  exit: Promise<number>;
  /** What the program writes to file descriptor 4. */
  report: Readable;
  /** SIGTERM to the process group; what still runs after the grace time is killed, children included. */
  stop(graceMilliseconds: number): void;
  /** Kills the program and everything it has started. */
  kill(): void;
}

/**
 * Starts a program in a process group of its own, below a supervisor that kills all of it when the program has ended or
 * this process is gone, also when this process was killed (see python/supervise.py).
 */
export function startProgram(options: ProgramOptions): RunningProgram {
  const flags = [
    ...(options.bind === undefined ? [] : ['--bind', options.bind.folder, '--scratch', options.bind.scratch]),
    ...(options.isolated === true ? ['--isolate', 'network'] : []),
  ];
  const child = spawn(options.python, ['-I', '-S', supervisor, ...flags, '--', ...options.command], {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  eachLine(child.stdout!, options.onLine);
  eachLine(child.stderr!, options.onLine);
  const [, , , lifeline, report] = child.stdio as unknown as [null, Readable, Readable, Readable, Readable];
  // Both ends may go first; neither is an error of ours.
  for (const stream of [lifeline, report]) stream.on('error', () => {});
  // A stream that nobody reads never ends, and the child would never count as closed.
  lifeline.resume();

  let ended = false;
  const timers = new Set<NodeJS.Timeout>();
  const later = (milliseconds: number, work: () => void): void => {
    const timer = setTimeout(work, milliseconds);
    timer.unref();
    timers.add(timer);
  };
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (!ended && child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group has ended meanwhile.
    }
  };
  const kill = (): void => {
    lifeline.destroy();
    later(supervisorMilliseconds, () => signalGroup('SIGKILL'));
  };
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      lifeline.destroy();
      resolve(code ?? (signal === 'SIGTERM' ? 143 : 137));
    });
  });
  return {
    exit,
    report,
    stop(graceMilliseconds) {
      signalGroup('SIGTERM');
      later(graceMilliseconds, kill);
    },
    kill,
  };
}
