import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface Started {
  child: ChildProcess;
  state: string;
  output(): string;
  /** Resolves when the output holds the text; rejects when the process ends first. */
  printed(text: string | RegExp): Promise<void>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  remove(): void;
}

/** A state folder of its own that shares only the installed Python environment. */
export function temporaryState(): string {
  const state = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-'));
  const shared = join(root, '.sagemaker-mlops', 'python');
  mkdirSync(shared, { recursive: true });
  symlinkSync(shared, join(state, 'python'));
  return state;
}

export interface CliOptions {
  state?: string;
  detached?: boolean;
  /** Arguments of node before the command (--import ...). */
  nodeOptions?: string[];
  env?: Record<string, string>;
}

/** Starts the command line as a user does, in a state folder of its own. */
export function startCli(args: string[], options: CliOptions = {}): Started {
  const state = options.state ?? temporaryState();
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), join(root, 'cli', 'bin.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, SAGEMAKER_MLOPS_STATE: state, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  });
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      text += chunk;
      for (const check of waiting) check();
    });
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    child,
    state,
    ended,
    output: () => text,
    printed(wanted) {
      return new Promise((resolve, reject) => {
        const check = () => {
          if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) {
            waiting.delete(check);
            resolve();
          }
        };
        waiting.add(check);
        check();
        void ended.then(() => reject(new Error(`ended before it printed ${wanted}:\n${text}`)));
      });
    },
    remove: () => rmSync(state, { recursive: true, force: true }),
  };
}

/** Runs a command of the CLI to its end. */
export async function runCli(args: string[], state: string): Promise<{ code: number | null; output: string }> {
  const started = startCli(args, { state });
  const { code } = await started.ended;
  return { code, output: started.output() };
}

/** The process and all its descendants, by /proc. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))![1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended while we looked.
    }
  }
  const tree: number[] = [];
  const walk = (one: number) => {
    tree.push(one);
    for (const child of children.get(one) ?? []) walk(child);
  };
  walk(pid);
  return tree;
}

/** Local addresses ("0100007F" is 127.0.0.1) on which processes listen, TCP 4 and 6, with the process that does. */
export function listeners(pids: readonly number[]): { pid: number; address: string }[] {
  const inodes = new Map<string, string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A') inodes.set(fields[9]!, fields[1]!.split(':')[0]!);
    }
  }
  const found: { pid: number; address: string }[] = [];
  for (const pid of pids) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
        const address = inodes.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
        if (address !== undefined) found.push({ pid, address });
      }
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

export function alive(pid: number): boolean {
  try {
    // A zombie has ended; nobody has asked for its exit code yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Those of the processes that still live after at most `milliseconds`. */
export async function survivors(pids: readonly number[], milliseconds: number): Promise<number[]> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const living = pids.filter(alive);
    if (living.length === 0 || Date.now() > deadline) return living;
    await wait(50);
  }
}
