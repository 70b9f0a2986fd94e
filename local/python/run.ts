import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/**
 * The environment for our Python processes: the caller's without the variables that would change which modules they
 * import. PYTHONDONTWRITEBYTECODE goes too, because without .pyc files every import takes three times as long.
 */
export function pythonEnvironment(
  extra: Record<string, string> = {},
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...base, ...extra };
  for (const name of [
    'PYTHONDONTWRITEBYTECODE',
    'PYTHONHOME',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'VIRTUAL_ENV',
    '__PYVENV_LAUNCHER__',
  ])
    delete environment[name];
  return environment;
}

export interface CommandResult {
  /** Exit code; -1 when a signal ended it. */
  code: number;
  output: string;
  /** The program does not exist or cannot be started. */
  missing: boolean;
}

/** Runs a command to its end; every line it prints goes to `onLine` and, when given, to the file `log`. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; log?: string; onLine?: (line: string) => void } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // Before the start: when the log cannot be written (a full disk), no child may be left without its handlers.
    if (options.log !== undefined) appendFileSync(options.log, `$ ${[command, ...args].join(' ')}\n`);
    const child = spawn(command, args, { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let pending = '';
    let ended = false;
    const take = (chunk: string): void => {
      output += chunk;
      pending += chunk;
      const lines = pending.split(/[\r\n]+/);
      pending = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') options.onLine?.(line.trimEnd());
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', take);
    }
    const finish = (code: number, missing: boolean): void => {
      if (ended) return;
      ended = true;
      if (pending.trim() !== '') options.onLine?.(pending.trimEnd());
      try {
        if (options.log !== undefined) appendFileSync(options.log, `${output}\n`);
      } catch (error) {
        reject(error as Error);
      }
      resolve({ code, output, missing });
    };
    child.on('error', (error) => {
      output += String(error);
      finish(-1, true);
    });
    child.on('close', (code) => finish(code ?? -1, false));
  });
}
