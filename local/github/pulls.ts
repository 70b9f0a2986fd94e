import { repositoryPayload, userPayload } from './events.ts';
import { type Git, GitError, zeroSha } from './git.ts';
import { nextNumber, type RepositoryState } from './repository-state.ts';
import type { PullRecord, Repository } from './types.ts';

/** A pull request that GitHub would answer with 422, or one that only GitHub can have. */
export class PullRequestError extends Error {
  override readonly name = 'PullRequestError';
}

/** What happened to a pull request, as workflows wait for it. */
export interface PullActivity {
  pull: PullRecord;
  action: 'opened' | 'synchronize';
  /** The head before and after a push. */
  moved?: { before: string; after: string };
}

export interface NewPull {
  title: string;
  body: string | null;
  head: string;
  base: string;
}

/**
 * Pull requests between branches of one repository: the merge commit that their workflows run on, and what a push does to them.
 * Forks, drafts, reviews and merging by the API are GitHub's alone; a merge is a push of the base branch, as with git.
 */
export class PullRequests {
  readonly #git: Git;
  readonly #now: () => Date;

  constructor(git: Git, now: () => Date) {
    this.#git = git;
    this.#now = now;
  }

  /** Throws PullRequestError with GitHub's reasons. */
  async open(state: RepositoryState, wanted: NewPull, author: string): Promise<PullRecord> {
    const { repository } = state;
    const [owner, ...rest] = wanted.head.includes(':') ? wanted.head.split(':') : [repository.owner, wanted.head];
    const headBranch = rest.join(':');
    if (owner!.toLowerCase() !== repository.owner.toLowerCase())
      throw new PullRequestError(
        `The local GitHub has no forks: '${wanted.head}' is of another owner than ${repository.owner}.`,
      );
    const headSha = await this.#branch(repository, headBranch);
    const baseSha = await this.#branch(repository, wanted.base);
    if (headSha === undefined)
      throw new PullRequestError(`Validation Failed: there is no head branch '${headBranch}'.`);
    if (baseSha === undefined)
      throw new PullRequestError(`Validation Failed: there is no base branch '${wanted.base}'.`);
    if (await this.#git.isAncestor(repository.gitDirectory, headSha, baseSha))
      throw new PullRequestError(`Validation Failed: No commits between ${wanted.base} and ${headBranch}`);
    const same = state.pulls.find(
      (one) => one.state === 'open' && one.headBranch === headBranch && one.baseBranch === wanted.base,
    );
    if (same)
      throw new PullRequestError(
        `Validation Failed: A pull request already exists for ${repository.owner}:${headBranch}.`,
      );
    const now = this.#now().toISOString();
    const pull: PullRecord = {
      number: nextNumber(state),
      title: wanted.title,
      body: wanted.body,
      state: 'open',
      merged: false,
      headBranch,
      headSha,
      baseBranch: wanted.base,
      baseSha,
      mergeSha: undefined,
      author,
      createdAt: now,
      updatedAt: now,
    };
    await this.#merge(repository, pull);
    state.pulls.push(pull);
    return pull;
  }

  /** What a push of a branch does to the open pull requests: new commits of the head, a base that moved, a merge. */
  async pushed(state: RepositoryState, { ref, after }: { ref: string; after: string }): Promise<PullActivity[]> {
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
    const activities: PullActivity[] = [];
    for (const pull of state.pulls) {
      if (pull.state !== 'open' || (pull.headBranch !== branch && pull.baseBranch !== branch)) continue;
      pull.updatedAt = this.#now().toISOString();
      if (after === zeroSha) {
        pull.state = 'closed';
        continue;
      }
      const before = pull.headSha;
      if (pull.headBranch === branch) pull.headSha = after;
      else pull.baseSha = after;
      if (
        pull.baseBranch === branch &&
        (await this.#git.isAncestor(state.repository.gitDirectory, pull.headSha, after))
      ) {
        Object.assign(pull, { state: 'closed', merged: true, mergeSha: after });
        continue;
      }
      await this.#merge(state.repository, pull);
      if (pull.headBranch === branch) activities.push({ pull, action: 'synchronize', moved: { before, after } });
    }
    return activities;
  }

  /** Files that differ from where the branches parted. */
  async changed({ gitDirectory }: Repository, { baseSha, headSha }: PullRecord): Promise<string[]> {
    const parted = await this.#git
      .run(['--git-dir', gitDirectory, 'merge-base', baseSha, headSha])
      .catch(() => baseSha);
    return this.#git.changed(gitDirectory, parted.trim(), headSha);
  }

  #branch({ gitDirectory }: Repository, name: string): Promise<string | undefined> {
    return this.#git.resolve(gitDirectory, `refs/heads/${name}`);
  }

  /** refs/pull/N/head and, where the branches fit together, refs/pull/N/merge: base first, head second. */
  async #merge({ gitDirectory }: Repository, pull: PullRecord): Promise<void> {
    const git = (args: string[], env: Record<string, string> = {}) =>
      this.#git.run(['--git-dir', gitDirectory, ...args], { env });
    const { number, headSha, baseSha } = pull;
    await git(['update-ref', `refs/pull/${number}/head`, headSha]);
    pull.mergeSha = undefined;
    let tree: string;
    try {
      tree = (await git(['merge-tree', '--write-tree', '--no-messages', baseSha, headSha])).trim();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      // 1 is a conflict; anything else is a git that cannot do it.
      if (error.exitCode === 1) {
        await git(['update-ref', '-d', `refs/pull/${number}/merge`]);
        return;
      }
      throw new PullRequestError(`The local GitHub needs git 2.38 or newer for pull requests: ${error.message}`);
    }
    const person = { NAME: 'GitHub', EMAIL: 'noreply@github.com' };
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) =>
        Object.entries(person).map(([key, value]) => [`GIT_${role}_${key}`, value]),
      ),
    );
    const message = `Merge ${headSha} into ${baseSha}`;
    pull.mergeSha = (await git(['commit-tree', tree, '-p', baseSha, '-p', headSha, '-m', message], env)).trim();
    await git(['update-ref', `refs/pull/${number}/merge`, pull.mergeSha]);
  }
}

/** The webhook payload of a pull request, as far as workflows use it. */
export function pullPayload(
  repository: Repository,
  { pull, action, moved }: PullActivity,
  actor: string,
  server: string,
): Record<string, unknown> {
  const repo = repositoryPayload(repository, server);
  const end = (ref: string, sha: string) => ({ label: `${repository.owner}:${ref}`, ref, sha, user: repo.owner, repo });
  return {
    action,
    number: pull.number,
    ...(moved ?? {}),
    pull_request: {
      id: repository.id * 1000 + pull.number,
      number: pull.number,
      state: pull.state,
      locked: false,
      draft: false,
      merged: pull.merged,
      // GitHub tries the merge after it has sent the event.
      mergeable: null,
      merge_commit_sha: null,
      title: pull.title,
      body: pull.body,
      user: userPayload(pull.author),
      head: end(pull.headBranch, pull.headSha),
      base: end(pull.baseBranch, pull.baseSha),
      created_at: pull.createdAt,
      updated_at: pull.updatedAt,
      html_url: `${server}/${repository.fullName}/pull/${pull.number}`,
    },
    repository: repo,
    sender: userPayload(actor),
  };
}
