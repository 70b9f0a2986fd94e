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
const maximumFiles = 3000;

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

async function commit(git: Git, repository: Repository, sha: string, server: string): Promise<CommitPayload> {
  const format = ['%H', '%T', '%cI', '%an', '%ae', '%cn', '%ce', '%B'].join('%x00');
  const text = await git.run(['--git-dir', repository.gitDirectory, 'show', '-s', `--format=${format}`, sha]);
  const [id, tree, timestamp, authorName, authorEmail, committerName, committerEmail, message] = text.split('\0') as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    id,
    tree_id: tree,
    message: message.trimEnd(),
    timestamp,
    author: { name: authorName, email: authorEmail },
    committer: { name: committerName, email: committerEmail },
    distinct: true,
    url: `${server}/${repository.fullName}/commit/${id}`,
  };
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
  const range = created ? ['--max-count=20', update.after] : ['--max-count=2048', `${update.before}..${update.after}`];
  const listed = await git.run(['--git-dir', repository.gitDirectory, 'rev-list', '--reverse', ...range]);
  const commits = await Promise.all(
    listed
      .split('\n')
      .filter(Boolean)
      .slice(-20)
      .map((sha) => commit(git, repository, sha, server)),
  );
  const head = await commit(git, repository, update.after, server);
  return {
    ref: update.ref,
    before: update.before,
    after: update.after,
    created,
    deleted: false,
    forced,
    base_ref: null,
    compare: `${server}/${repository.fullName}/compare/${update.before.slice(0, 12)}...${update.after.slice(0, 12)}`,
    commits,
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
