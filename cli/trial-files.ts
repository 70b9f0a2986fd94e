/** The files of a project that is tried: from its folder, or from a commit of its repository. */
import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from './errors.ts';

/** Removes everything but git's own folder. */
export async function emptyProject(directory: string): Promise<void> {
  for (const name of await readdir(directory))
    if (name !== '.git') await rm(join(directory, name), { recursive: true, force: true });
}

/** Copies what git knows or would add; of a folder without git everything. Neither git's nor GitHub's own files. */
export async function copyFolder(folder: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const path of await projectFiles(folder)) {
    if (/^\.(git|github)\//.test(path)) continue;
    const found = await lstat(join(folder, path)).catch(() => undefined);
    // Removed but not yet committed, or a submodule.
    if (found === undefined || found.isDirectory()) continue;
    await mkdir(dirname(join(target, path)), { recursive: true });
    await cp(join(folder, path), join(target, path));
  }
}

async function projectFiles(folder: string): Promise<string[]> {
  try {
    const listed = await gitIn(folder, {}, 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
    return listed.split('\0').filter((path) => path !== '');
  } catch {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  }
}

/** Copies the files of a commit, without touching the folder or its index. */
export async function copyCommit(folder: string, commit: string, target: string): Promise<void> {
  const index = join(target, '.git', 'trial-index');
  const environment = { GIT_INDEX_FILE: index };
  try {
    await gitIn(folder, environment, 'read-tree', commit);
    await gitIn(folder, environment, 'checkout-index', '--all', `--prefix=${target}/`);
  } finally {
    await rm(index, { force: true });
  }
  await rm(join(target, '.github'), { recursive: true, force: true });
}

/** The full hash of a commit that the folder's repository holds; a UserError otherwise. */
export async function resolveCommit(folder: string, name: string): Promise<string> {
  try {
    return (await gitIn(folder, {}, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`)).trim();
  } catch (error) {
    throw new UserError(`--base ${name} is no commit that ${folder} holds: give a branch, a tag or a hash.`, 2, {
      cause: error,
    });
  }
}

/** As the user's own git, whoever owns the folder. */
async function gitIn(folder: string, environment: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-c', 'safe.directory=*', ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
