import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from './errors.ts';

const execute = promisify(execFile);

/** `p-` and twelve hex characters of the repository id's SHA-256: stable when the repository is renamed. */
export function projectIdOf(repositoryId: number): string {
  return `p-${createHash('sha256').update(String(repositoryId)).digest('hex').slice(0, 12)}`;
}

export interface ProjectValues {
  projectName: string;
  projectId: string;
  region: string;
  adminAccount: string;
  stagingAccounts: readonly string[];
  productionAccounts: readonly string[];
  /** OWNER/REPO of this product as the callers name it. */
  productRepository: string;
  /** Full commit of the product, and the version that the comment behind it tells. */
  productCommit: string;
  productVersion: string;
}

const skipped = /(^|\/)(__pycache__|\.pytest_cache|\.ipynb_checkpoints)(\/|$)/;

/** The files that writeProject writes, relative to the project. */
export async function planProject(product: string): Promise<string[]> {
  const seed = join(product, 'seed-code');
  const files = (await readdir(seed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(seed, join(entry.parentPath, entry.name)))
    .filter((path) => !skipped.test(path));
  const callers = (await readdir(join(product, 'workflows'))).filter((name) => name.endsWith('.yml'));
  return [...files, ...callers.map((name) => `.github/workflows/${name}`)];
}

/**
 * Makes a project from seed-code/ and workflows/: what `init` writes into a user's repository and `start` into its own.
 * Placeholders are replaced as text, so that the files in the product stay valid YAML that linters can read.
 */
export async function writeProject(product: string, target: string, values: ProjectValues): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const path of await planProject(product)) {
    const source = path.startsWith('.github/workflows/')
      ? join(product, 'workflows', basename(path))
      : join(product, 'seed-code', path);
    await mkdir(dirname(join(target, path)), { recursive: true });
    // The compiled definition and the data stay as they are, byte for byte: they hold no placeholder.
    if (/\.(ya?ml|ipynb)$/.test(path)) {
      await writeFile(join(target, path), fillPlaceholders(await readFile(source, 'utf8'), values));
    } else await copyFile(source, join(target, path));
  }
}

export function fillPlaceholders(text: string, values: ProjectValues): string {
  return text
    .replace(
      /\bOWNER\/REPO(\/[^@\s]*)?@REF\b(?:[ \t]*#[^\n]*)?/g,
      (_, path: string | undefined) =>
        `${values.productRepository}${path ?? ''}@${values.productCommit} # v${values.productVersion}`,
    )
    .replaceAll(/\bOWNER\/REPO\b/g, values.productRepository)
    .replaceAll(/\bPROJECT_NAME\b/g, values.projectName)
    .replaceAll(/\bPROJECT_ID\b/g, values.projectId)
    .replaceAll(/\bAWS_REGION\b/g, values.region)
    .replaceAll(/\bADMIN_ACCOUNT\b/g, values.adminAccount)
    .replaceAll(/\bSTAGING_ACCOUNTS\b/g, JSON.stringify(values.stagingAccounts))
    .replaceAll(/\bPRODUCTION_ACCOUNTS\b/g, JSON.stringify(values.productionAccounts));
}

/** Runs git in a folder; throws a UserError with git's own last words. Nothing of a surrounding repository leaks in. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const environment: NodeJS.ProcessEnv = { GIT_TERMINAL_PROMPT: '0' };
  // Nor does a job around it: a push is a person's to the local GitHub, which starts nothing for the pushes of its own jobs.
  for (const [name, value] of Object.entries(process.env))
    if (!/^(GIT_|GITHUB_ACTIONS$)/.test(name)) environment[name] = value;
  try {
    const { stdout } = await execute('git', args, { cwd: directory, env: environment, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT')
      throw new UserError('git was not found: install git, then start again.', 1, { cause: error });
    throw new UserError(
      `git ${args[0]} failed in ${directory}: ${(stderr ?? '').trim().split('\n').at(-1) || String(error)}`,
      1,
      { cause: error },
    );
  }
}

/** The commit and version of the product's checkout; a checkout without git (an unpacked archive) is named by its package version. */
export async function productVersion(product: string): Promise<{ commit: string; version: string; modified: boolean }> {
  const { version } = JSON.parse(await readFile(join(product, 'package.json'), 'utf8')) as { version: string };
  try {
    const commit = await git(product, 'rev-parse', 'HEAD');
    const modified = (await git(product, 'status', '--porcelain', '--untracked-files=no')) !== '';
    return { commit, version, modified };
  } catch {
    return { commit: createHash('sha1').update(`sagemaker-mlops ${version}`).digest('hex'), version, modified: false };
  }
}

/**
 * Where GitHub has the product that this checkout came from (undefined when its origin is not on GitHub), and whether the branches
 * known of it contain the commit: GitHub can only run what it has.
 */
export async function productOrigin(
  product: string,
  commit: string,
): Promise<{ repository: string; hasCommit: boolean } | undefined> {
  const origin = await git(product, 'remote', 'get-url', 'origin').catch(() => '');
  const repository = /^(?:https:\/\/|ssh:\/\/git@|git@)github\.com[:/]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(
    origin,
  )?.[1];
  if (repository === undefined) return undefined;
  const branches = await git(product, 'branch', '--remotes', '--contains', commit).catch(() => '');
  return { repository, hasCommit: branches !== '' };
}

/** Commits everything in a fresh working clone and pushes it; resolves to the commit. */
export async function commitAndPush(directory: string, message: string): Promise<{ commit: string; branch: string }> {
  await git(directory, 'add', '--all');
  const identity: string[] = [];
  // The project is the user's own repository: their name is used when git knows it.
  if ((await git(directory, 'config', '--get', 'user.email').catch(() => '')) === '') {
    identity.push('-c', 'user.name=sagemaker-mlops', '-c', 'user.email=sagemaker-mlops@localhost');
  }
  await git(directory, ...identity, 'commit', '--quiet', '--no-verify', '--no-gpg-sign', '-m', message);
  const branch = await git(directory, 'rev-parse', '--abbrev-ref', 'HEAD');
  await git(directory, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
  return { commit: await git(directory, 'rev-parse', 'HEAD'), branch };
}

export async function initializeRepository(directory: string, gitDirectory: string, branch: string): Promise<void> {
  await rm(join(directory, '.git'), { recursive: true, force: true });
  await git(directory, 'init', '--quiet', `--initial-branch=${branch}`);
  await git(directory, 'remote', 'add', 'origin', gitDirectory);
}
