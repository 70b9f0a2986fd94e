import type { Git } from './git.ts';
import { zeroSha } from './git.ts';
import { userId } from './run/contexts.ts';
import type { Repository } from './types.ts';

export interface RefUpdate {
  ref: string;
  before: string;
  after: string;
}

/** GitHub compares no push of more commits than this; path filters then match. */
const maximumCommits = 1000;
/** And lists no more than this many files. */
export const maximumFiles = 3000;

/** Files that a push changed; undefined when every path filter matches (first push, force push, very large diff). */
export async function changedFiles(git: Git, repository: Repository, update: RefUpdate): Promise<string[] | undefined> {
  if (update.before === zeroSha) return undefined;
  const { gitDirectory } = repository;
  if (!(await git.isAncestor(gitDirectory, update.before, update.after))) return undefined;
  const count = Number(
    await git.run(['--git-dir', gitDirectory, 'rev-list', '--count', `${update.before}..${update.after}`]),
  );
  if (count > maximumCommits) return undefined;
  const files = await git.changed(gitDirectory, update.before, update.after);
  return files.length > maximumFiles ? undefined : files;
}

export function repositoryPayload(repository: Repository, server: string): Record<string, unknown> {
  const url = `${server}/${repository.fullName}`;
  return {
    id: repository.id,
    name: repository.name,
    full_name: repository.fullName,
    private: true,
    visibility: 'private',
    owner: { login: repository.owner, name: repository.owner, id: repository.ownerId, type: 'Organization' },
    html_url: url,
    url,
    clone_url: repository.url,
    git_url: repository.url,
    default_branch: repository.defaultBranch,
    master_branch: repository.defaultBranch,
    fork: false,
    archived: false,
  };
}

export function userPayload(login: string): Record<string, unknown> {
  return { login, id: userId(login), type: 'User', site_admin: false };
}

interface CommitPayload {
  id: string;
  tree_id: string;
  message: string;
  timestamp: string;
  author: { name: string; email: string };
  committer: { name: string; email: string };
  distinct: boolean;
  url: string;
}

/** Commits of a range, oldest first, as GitHub lists them in a push. */
async function commits(
  git: Git,
  repository: Repository,
  range: readonly string[],
  server: string,
): Promise<CommitPayload[]> {
  const format = ['%H', '%T', '%cI', '%an', '%ae', '%cn', '%ce', '%B'].join('%x00');
  const text = await git.run(['--git-dir', repository.gitDirectory, 'log', '-z', `--format=${format}%x00`, ...range]);
  const fields = text.split('\0');
  const result: CommitPayload[] = [];
  // -z ends each commit with one more zero, after the one that ends its message.
  for (let index = 0; index + 8 < fields.length; index += 9) {
    const [id, tree, timestamp, authorName, authorEmail, committerName, committerEmail, message] = fields.slice(
      index,
      index + 8,
    ) as [string, string, string, string, string, string, string, string];
    result.unshift({
      id,
      tree_id: tree,
      message: message.trimEnd(),
      timestamp,
      author: { name: authorName, email: authorEmail },
      committer: { name: committerName, email: committerEmail },
      distinct: true,
      url: `${server}/${repository.fullName}/commit/${id}`,
    });
  }
  return result;
}

/** The webhook payload of a push, as far as workflows use it. */
export async function pushPayload(
  git: Git,
  repository: Repository,
  update: RefUpdate,
  actor: string,
  server: string,
): Promise<Record<string, unknown>> {
  const created = update.before === zeroSha;
  const forced = !created && !(await git.isAncestor(repository.gitDirectory, update.before, update.after));
  // A payload holds twenty commits at most; the newest of them is the head.
  const pushed = await commits(
    git,
    repository,
    ['--max-count=20', created ? update.after : `${update.before}..${update.after}`],
    server,
  );
  const head = pushed.at(-1) ?? (await commits(git, repository, ['--max-count=1', update.after], server))[0]!;
  return {
    ref: update.ref,
    before: update.before,
    after: update.after,
    created,
    deleted: false,
    forced,
    base_ref: null,
    compare: `${server}/${repository.fullName}/compare/${update.before.slice(0, 12)}...${update.after.slice(0, 12)}`,
    commits: pushed,
    head_commit: head,
    repository: repositoryPayload(repository, server),
    pusher: { name: actor, email: `${actor}@localhost` },
    sender: userPayload(actor),
  };
}

/** `[skip ci]` and its relatives in the head commit's message. */
export function skipsWorkflows(message: string): boolean {
  return (
    /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/i.test(message) || /^skip-checks:\s*true\s*$/im.test(message)
  );
}
