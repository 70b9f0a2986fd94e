import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FailureError } from '../failure.ts';

const execute = promisify(execFile);

export interface ChangedFile {
  path: string;
  change: 'added' | 'changed' | 'removed';
}

/** The commits of a checkout. Reads only what is there: nothing is fetched, no credential is needed. */
export interface History {
  /** The commit that a name stands for, undefined when the checkout does not hold it. */
  resolve(name: string): Promise<string | undefined>;
  /** Text of a file at a commit, undefined when it was not there. */
  read(commit: string, path: string): Promise<string | undefined>;
  /** Files directly in a folder at a commit. */
  list(commit: string, folder: string): Promise<string[]>;
  /** What differs between two commits; a renamed file is one removed and one added. */
  changed(from: string, to: string): Promise<ChangedFile[]>;
}

/** Throws InvalidConfiguration where git is missing or the workspace is no checkout. */
export function openHistory(workspace: string): History {
  const git = async (...args: string[]): Promise<string> => {
    // A job in a container runs as another user than the one who owns the checkout.
    const { stdout } = await execute('git', ['-c', `safe.directory=${workspace}`, ...args], {
      cwd: workspace,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
  const orNothing = async (work: Promise<string>): Promise<string | undefined> => {
    try {
      return await work;
    } catch (error) {
      // git ran and said no; anything else is that it could not run.
      if (typeof (error as { code?: unknown }).code === 'number') return undefined;
      throw new FailureError({
        code: 'InvalidConfiguration',
        cause: `git could not be started in ${workspace} (${(error as Error).message})`,
        hint: 'The check compares commits: run it on a runner that has git',
      });
    }
  };
  return {
    async resolve(name) {
      const found = await orNothing(git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`));
      return found?.trim();
    },
    read: (commit, path) => orNothing(git('cat-file', 'blob', `${commit}:${path}`)),
    async list(commit, folder) {
      const text = (await orNothing(git('ls-tree', '-z', '--name-only', commit, `${folder}/`))) ?? '';
      return text.split('\0').filter((path) => path !== '');
    },
    async changed(from, to) {
      const text = await git('diff', '-z', '--name-status', '--no-renames', from, to);
      const fields = text.split('\0').filter((field) => field !== '');
      const result: ChangedFile[] = [];
      for (let index = 0; index + 1 < fields.length; index += 2) {
        const change = fields[index] === 'A' ? 'added' : fields[index] === 'D' ? 'removed' : 'changed';
        result.push({ path: fields[index + 1]!, change });
      }
      return result;
    },
  };
}
