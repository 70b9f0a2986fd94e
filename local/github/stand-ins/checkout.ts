import { cp, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { Git } from '../git.ts';
import type { JobState } from '../run/state.ts';
import { grants } from '../workflow/permissions.ts';
import type { StandInInputs, StandInResult } from './catalog.ts';

/** actions/checkout of the run's own repository, or of one that is mapped to a folder of this machine. */
export async function checkout(job: JobState, inputs: StandInInputs): Promise<StandInResult> {
  const { facts } = job.spec;
  const target = resolve(job.folders.workspace, inputs.path!);
  const inside = relative(job.folders.workspace, target);
  if (inside.startsWith('..') || isAbsolute(inside))
    throw new Error(`Repository path '${target}' is not under '${job.folders.workspace}'`);
  const repository = inputs.repository || facts.repository.fullName;
  const own = repository.toLowerCase() === facts.repository.fullName.toLowerCase();
  const git = new Git(job.tools.git);
  const depth = Number(inputs['fetch-depth']);
  if (!Number.isInteger(depth) || depth < 0)
    throw new Error(`actions/checkout: fetch-depth '${inputs['fetch-depth']}' must be 0 or a positive number`);
  if (inputs.clean === 'true') await empty(target);
  await mkdir(target, { recursive: true });

  let sha: string;
  let ref = inputs.ref!;
  if (own) {
    // Repositories here are private, and a job's token without the permission does not even see them.
    if (!grants(job.spec.permissions, 'contents', 'read')) {
      throw new Error(`Repository ${repository} not found: the job has no permission contents: read`);
    }
    const { gitDirectory } = facts.repository;
    if (ref === '') ref = facts.run.ref;
    const wanted = inputs.ref === '' ? facts.run.sha : await find(git, gitDirectory, ref);
    if (!wanted) throw new Error(`A branch or tag with the name '${ref}' could not be found`);
    sha = wanted;
    await clone(git, job, gitDirectory, target, sha, ref, depth, inputs['fetch-tags'] === 'true');
    await limitPush(git, job, target, inputs['persist-credentials'] === 'true');
  } else {
    const origin = await job.resolveRepository(repository, ref || 'HEAD');
    if (typeof origin === 'string') throw new Error(`actions/checkout of ${repository}: ${origin}`);
    sha = origin.sha;
    await copyOrigin(git, await origin.directory(), target);
  }
  job.log.line(`Checked out ${repository} at ${sha}`);
  return { outcome: 'success', outputs: { ref: ref || sha, commit: sha } };
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => []))
    await rm(join(directory, name), { recursive: true, force: true });
}

async function find(git: Git, gitDirectory: string, ref: string): Promise<string | undefined> {
  for (const name of ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
    const sha = await git.resolve(gitDirectory, name);
    if (sha) return sha;
  }
  return undefined;
}

async function clone(
  git: Git,
  job: JobState,
  source: string,
  target: string,
  sha: string,
  ref: string,
  depth: number,
  tags: boolean,
): Promise<void> {
  const run = (...args: string[]) => git.run(args, { cwd: target, env: { HOME: job.folders.home } });
  await run('init', '--quiet', '--initial-branch', 'main');
  await run('remote', 'add', 'origin', job.spec.facts.repository.url);
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1] ?? (/^(refs\/|[0-9a-f]{40}$)/.test(ref) ? undefined : ref);
  const pull = /^refs\/(pull\/.+)$/.exec(ref)?.[1];
  const own = `+${sha}:refs/remotes/${pull ?? `origin/${branch ?? 'checkout'}`}`;
  const refspecs =
    depth === 0
      ? ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*', ...(pull === undefined ? [] : [own])]
      : [own];
  await run(
    '-c',
    'protocol.version=2',
    'fetch',
    '--quiet',
    '--no-recurse-submodules',
    depth === 0 || tags ? '--tags' : '--no-tags',
    ...(depth > 0 ? [`--depth=${depth}`] : []),
    `file://${source}`,
    ...refspecs,
  );
  if (branch) await run('checkout', '--quiet', '--force', '-B', branch, sha);
  else await run('checkout', '--quiet', '--force', '--detach', sha);
}

/** A push from the checkout works as far as GitHub would let it. */
async function limitPush(git: Git, job: JobState, target: string, credentials: boolean): Promise<void> {
  const reason = !credentials
    ? 'persist-credentials-is-false'
    : grants(job.spec.permissions, 'contents', 'write')
      ? undefined
      : 'the-job-has-no-permission-contents-write';
  if (reason) await git.run(['config', 'remote.origin.pushurl', `${reason}://`], { cwd: target });
}

/** The files of a mapped repository: those that git knows or would add, never what it ignores. */
async function copyOrigin(git: Git, source: string, target: string): Promise<void> {
  let names: string[];
  try {
    const listed = await git.run(['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: source });
    names = listed.split('\0').filter((name) => name !== '');
  } catch {
    // An exported tree is no repository: all of it belongs to the commit.
    await cp(source, target, { recursive: true });
    return;
  }
  for (const name of names) {
    const from = join(source, name);
    if (!(await lstat(from).catch(() => undefined))) continue;
    await mkdir(dirname(join(target, name)), { recursive: true });
    await cp(from, join(target, name), { recursive: true });
  }
}
