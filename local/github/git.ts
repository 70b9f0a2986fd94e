import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';

export class GitError extends Error {
  readonly exitCode: number | null;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`git ${args.join(' ')} failed (exit code ${exitCode}): ${stderr.trim()}`);
    this.name = 'GitError';
    this.exitCode = exitCode;
  }
}

export const zeroSha = '0'.repeat(40);

/** Runs git without the user's configuration, hooks or prompts. Every method throws GitError when git does. */
export class Git {
  readonly #binary: string;
  readonly #path: string;

  constructor(binary: string, path = process.env.PATH ?? '/usr/bin:/bin') {
    this.#binary = binary;
    this.#path = path;
  }

  async run(
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
  ): Promise<string> {
    return (await this.buffer(args, options)).toString('utf8');
  }

  buffer(
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
  ): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const child = spawn(this.#binary, args, {
      ...(options.cwd ? { cwd: options.cwd } : {}),
      env: {
        PATH: this.#path,
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        // The checkout may belong to another user than this process (containers, mounted folders).
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        LC_ALL: 'C.UTF-8',
        ...options.env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new GitError(args, code, Buffer.concat(errors).toString('utf8')));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    return promise;
  }

  /** The commit a name stands for, undefined when there is none. */
  async resolve(gitDirectory: string, name: string): Promise<string | undefined> {
    try {
      return (
        await this.run(['--git-dir', gitDirectory, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`])
      ).trim();
    } catch {
      return undefined;
    }
  }

  async show(gitDirectory: string, sha: string, path: string): Promise<string | undefined> {
    try {
      return await this.run(['--git-dir', gitDirectory, 'cat-file', 'blob', `${sha}:${path}`]);
    } catch {
      return undefined;
    }
  }

  /** Names of the files directly in a folder of a commit. */
  async list(gitDirectory: string, sha: string, folder: string): Promise<string[]> {
    const text = await this.run(['--git-dir', gitDirectory, 'ls-tree', '-z', '--name-only', sha, `${folder}/`]);
    return text.split('\0').filter((name) => name !== '');
  }

  /** Writes the tree of a commit into an empty folder. */
  async export(gitDirectory: string, sha: string, directory: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    const env = { GIT_INDEX_FILE: `${directory}.index` };
    await this.run(['--git-dir', gitDirectory, 'read-tree', sha], { env });
    await this.run(
      [
        '-c',
        'core.bare=false',
        '--git-dir',
        gitDirectory,
        '--work-tree',
        directory,
        'checkout-index',
        '--all',
        '--force',
      ],
      { env },
    );
  }

  /** Files that differ between two commits. */
  async changed(gitDirectory: string, before: string, after: string): Promise<string[]> {
    const text = await this.run([
      '--git-dir',
      gitDirectory,
      'diff',
      '-z',
      '--name-only',
      '--no-renames',
      before,
      after,
    ]);
    return text.split('\0').filter((name) => name !== '');
  }

  async isAncestor(gitDirectory: string, ancestor: string, descendant: string): Promise<boolean> {
    try {
      await this.run(['--git-dir', gitDirectory, 'merge-base', '--is-ancestor', ancestor, descendant]);
      return true;
    } catch (error) {
      if (error instanceof GitError && error.exitCode === 1) return false;
      throw error;
    }
  }
}
