import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../command.ts';
import { UserError } from '../errors.ts';
import { isAlive, runningPlatform, stateDirectory } from '../state.ts';

export const command: Command = {
  help: `Removes what the local platform keeps on disk: the project, its runs, logs and summaries.
The installed Python side stays.

Usage: npx sagemaker-mlops reset [--all]
  --all   the Python side too (the next start installs it again)

Exit code: 0, 1 a platform runs (end it with Ctrl-C first), 2 wrong usage.`,
  options: { all: { type: 'boolean' } },
  positionals: [],
  async run({ values }, terminal) {
    const directory = stateDirectory();
    let running: number | undefined;
    try {
      const { pid } = runningPlatform(directory);
      if (isAlive(pid)) running = pid;
    } catch {
      // None runs: there is nothing to protect.
    }
    if (running !== undefined) {
      throw new UserError(
        `A local platform runs (process ${running}): end it with Ctrl-C in its terminal, then reset again.`,
      );
    }
    const parts = [
      'project',
      'github',
      'jobs',
      'platform.json',
      ...(values['all'] === true ? ['python', 'pip-cache'] : []),
    ];
    for (const part of parts) await rm(join(directory, part), { recursive: true, force: true });
    terminal.line(`Removed ${parts.join(', ')} from ${directory}`);
    terminal.line('Next: "npm start" begins anew.');
    return 0;
  },
};
