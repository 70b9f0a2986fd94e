import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git.ts';

/** A repository at one commit: where workflow files and actions come from. */
export interface Origin {
  /** OWNER/REPO */
  repository: string;
  /** As GitHub writes it into workflow_ref: refs/heads/main, refs/tags/v1, or a commit. */
  ref: string;
  sha: string;
  /** Text of a file, undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /** A folder with the whole tree; only to be read. */
  directory(): Promise<string>;
  /** True when the files are not those of the commit but what lies in a working folder. */
  working: boolean;
}

/** A commit of a bare repository. Exported trees are kept in `cache` by commit. */
export function commitOrigin(options: {
  git: Git;
  gitDirectory: string;
  repository: string;
  ref: string;
  sha: string;
  cache: string;
}): Origin {
  const { git, gitDirectory, repository, ref, sha, cache } = options;
  let exported: Promise<string> | undefined;
  return {
    repository,
    ref,
    sha,
    working: false,
    read: (path) => git.show(gitDirectory, sha, path),
    directory: () => (exported ??= exportTree(git, gitDirectory, sha, join(cache, repository.replace('/', '__'), sha))),
  };
}

let exports = 0;

async function exportTree(git: Git, gitDirectory: string, sha: string, target: string): Promise<string> {
  if (await exists(target)) return target;
  await mkdir(join(target, '..'), { recursive: true });
  const temporary = `${target}.${process.pid}.${exports++}`;
  await git.export(gitDirectory, sha, temporary);
  await rm(`${temporary}.index`, { force: true });
  // Two runs may export the same commit at once; the first one to rename wins.
  await rename(temporary, target).catch(async (error) => {
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  });
  return target;
}

/** A folder as it lies there. */
export function directoryOrigin(options: {
  directory: string;
  repository: string;
  ref: string;
  sha: string;
  working: boolean;
}): Origin {
  const { directory, repository, ref, sha, working } = options;
  return {
    repository,
    ref,
    sha,
    working,
    read: async (path) => {
      try {
        return await readFile(join(directory, path), 'utf8');
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw error;
      }
    },
    directory: async () => directory,
  };
}

/**
 * OWNER/REPO@REF of a repository that is mapped to a local folder. The commit of the checkout itself means its working files
 * (what a developer has just edited is what runs); another commit is exported. Undefined when the folder's repository has no such ref.
 * A folder without a repository of its own stands for every ref.
 */
export async function mappedOrigin(options: {
  git: Git;
  directory: string;
  repository: string;
  ref: string;
  cache: string;
}): Promise<Origin | undefined> {
  const { git, directory, repository, ref, cache } = options;
  const gitDirectory = join(directory, '.git');
  if (!(await exists(gitDirectory))) {
    const sha = /^[0-9a-f]{40}$/.test(ref) ? ref : createHash('sha1').update(`${repository}@${ref}`).digest('hex');
    return directoryOrigin({ directory, repository, ref: sha === ref ? ref : `refs/heads/${ref}`, sha, working: true });
  }
  const candidates = /^[0-9a-f]{40}$/.test(ref) ? [ref] : [`refs/tags/${ref}`, `refs/heads/${ref}`, ref];
  for (const candidate of candidates) {
    const sha = await git.resolve(gitDirectory, candidate);
    if (!sha) continue;
    if (sha === (await git.resolve(gitDirectory, 'HEAD'))) {
      const working = (await git.run(['status', '--porcelain'], { cwd: directory })).trim() !== '';
      return directoryOrigin({ directory, repository, ref: candidate, sha, working });
    }
    return commitOrigin({ git, gitDirectory, repository, ref: candidate, sha, cache });
  }
  return undefined;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
