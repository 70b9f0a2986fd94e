import { DispatchError, dispatchInputs } from './dispatch.ts';
import {
  changedFiles,
  maximumFiles,
  pushPayload,
  type RefUpdate,
  repositoryPayload,
  skipsWorkflows,
  userPayload,
} from './events.ts';
import { type Git, zeroSha } from './git.ts';
import { type NewPull, type PullActivity, PullRequests, pullPayload } from './pulls.ts';
import type { Repositories } from './repositories.ts';
import type { RepositoryState } from './repository-state.ts';
import { addresses } from './run/contexts.ts';
import type { RunStore } from './run/runs.ts';
import type { GitHubOptions, PullRecord, Repository, RunEvent, RunRecord } from './types.ts';
import { pullMatches, pushMatches } from './workflow/filters.ts';
import type { Problem } from './workflow/location.ts';
import type { Triggers } from './workflow/model.ts';
import { parseWorkflow } from './workflow/parse.ts';

/** GitHub raises no event for tags when more than this many are pushed at once. */
const maximumTags = 3;

/** Turns what happens to a repository into runs of the workflows that wait for it. */
export class EventSource {
  readonly #options: GitHubOptions;
  readonly #git: Git;
  readonly #repositories: Repositories;
  readonly #runs: RunStore;
  readonly #emit: (event: RunEvent) => void;
  readonly #pulls: PullRequests;

  constructor(parts: {
    options: GitHubOptions;
    git: Git;
    repositories: Repositories;
    runs: RunStore;
    emit: (event: RunEvent) => void;
  }) {
    this.#options = parts.options;
    this.#git = parts.git;
    this.#repositories = parts.repositories;
    this.#runs = parts.runs;
    this.#emit = parts.emit;
    this.#pulls = new PullRequests(parts.git, () => parts.options.clock.now());
  }

  async push(fullName: string, updates: readonly RefUpdate[], actor: string | undefined): Promise<RunRecord[]> {
    const tags = updates.filter(({ ref }) => ref.startsWith('refs/tags/'));
    const started: RunRecord[] = [];
    for (const update of updates) {
      if (tags.length > maximumTags && tags.includes(update)) continue;
      started.push(...(await this.#update(fullName, update, actor)));
      const state = this.#repositories.need(fullName);
      for (const activity of await this.#pulls.pushed(state, update))
        started.push(...(await this.#pullRequest(state, activity, actor)));
    }
    return started;
  }

  /** Throws PullRequestError with GitHub's reasons. */
  async openPullRequest(
    fullName: string,
    wanted: NewPull,
    actor: string | undefined,
    silent: boolean,
  ): Promise<{ pull: PullRecord; runs: RunRecord[] }> {
    const state = this.#repositories.need(fullName);
    const pull = await this.#pulls.open(state, wanted, actor ?? this.#actor(state.repository));
    return { pull, runs: silent ? [] : await this.#pullRequest(state, { pull, action: 'opened' }, actor) };
  }

  /** Starts the workflows of the merge commit that wait for the activity. */
  async #pullRequest(state: RepositoryState, activity: PullActivity, actor: string | undefined): Promise<RunRecord[]> {
    const { repository } = state;
    const { pull, action } = activity;
    const { mergeSha: sha } = pull;
    const note = (message: string) => this.#emit({ type: 'note', repository: repository.fullName, message });
    if (sha === undefined) {
      note(
        `Pull request ${pull.number} starts no workflows: ${pull.headBranch} is in conflict with ${pull.baseBranch}.`,
      );
      return [];
    }
    const message = await this.#git.run([
      '--git-dir',
      repository.gitDirectory,
      'log',
      '-1',
      '--format=%B',
      pull.headSha,
    ]);
    if (skipsWorkflows(message)) {
      note(`The commit message of ${pull.headSha.slice(0, 7)} asks for no workflows.`);
      return [];
    }
    const files = await this.#pulls.changed(repository, pull);
    const event = { action, base: pull.baseBranch, changed: files.length > maximumFiles ? undefined : files };
    const who = actor ?? this.#actor(repository);
    const payload = pullPayload(repository, activity, who, this.#server());
    const started: RunRecord[] = [];
    for (const { path, on } of await this.#workflows(repository, sha)) {
      if (on.pullRequest === undefined || !pullMatches(on.pullRequest, event)) continue;
      const { number, title, headBranch, headSha, baseBranch, baseSha } = pull;
      started.push(
        await this.#runs.start({
          state,
          path,
          event: 'pull_request',
          ref: `refs/pull/${number}/merge`,
          sha,
          pull: { number, title, headBranch, headSha, baseBranch, baseSha },
          actor: who,
          payload,
          inputs: {},
        }),
      );
    }
    return started;
  }

  async #update(fullName: string, update: RefUpdate, actor: string | undefined): Promise<RunRecord[]> {
    const state = this.#repositories.need(fullName);
    const { repository } = state;
    // Nothing is left to run where a ref was deleted. A tag object stands for its commit.
    const sha = update.after === zeroSha ? undefined : await this.#git.resolve(repository.gitDirectory, update.after);
    if (!sha) return [];
    const pushed = { ...update, after: sha };
    const who = actor ?? this.#actor(repository);
    const payload = await pushPayload(this.#git, repository, pushed, who, this.#server());
    if (skipsWorkflows((payload.head_commit as { message: string }).message)) {
      const message = `The commit message of ${sha.slice(0, 7)} asks for no workflows.`;
      this.#emit({ type: 'note', repository: fullName, message });
      return [];
    }
    const tag = update.ref.startsWith('refs/tags/');
    const changed = tag ? undefined : await changedFiles(this.#git, repository, pushed);
    const started: RunRecord[] = [];
    for (const { path, on, problems } of await this.#workflows(repository, sha)) {
      const wanted = on.push !== undefined && pushMatches(on.push, { ref: update.ref, changed });
      // A file that cannot be read at all fails visibly, as on GitHub; otherwise its own triggers decide.
      if (!wanted && !(problems.length > 0 && namesNothing(on))) continue;
      started.push(
        await this.#runs.start({ state, path, event: 'push', ref: update.ref, sha, actor: who, payload, inputs: {} }),
      );
    }
    return started;
  }

  /** Throws DispatchError or InputError with GitHub's reasons. */
  async dispatchWorkflow(
    fullName: string,
    file: string,
    ref: string,
    inputs: Record<string, unknown>,
    actor: string | undefined,
  ): Promise<RunRecord> {
    const state = this.#repositories.need(fullName);
    const { repository } = state;
    const found = await this.#ref(repository, ref);
    if (!found) throw new DispatchError(`No ref found for: ${ref}`);
    const path = file.includes('/') ? file : `.github/workflows/${file}`;
    const text = await this.#git.show(repository.gitDirectory, found.sha, path);
    if (text === undefined) throw new DispatchError(`There is no workflow ${path} at ${ref}.`);
    const { on } = parseWorkflow(path, text, []);
    if (!on.workflowDispatch) throw new DispatchError("Workflow does not have 'workflow_dispatch' trigger");
    const who = actor ?? this.#actor(repository);
    const typed = dispatchInputs(on.workflowDispatch.inputs, inputs);
    const payload = {
      // The inputs context keeps types, the event has only text.
      inputs: Object.fromEntries(Object.entries(typed).map(([key, value]) => [key, String(value)])),
      ref: found.ref,
      workflow: path,
      repository: repositoryPayload(repository, this.#server()),
      sender: userPayload(who),
    };
    return this.#runs.start({ state, path, event: 'workflow_dispatch', ...found, actor: who, payload, inputs: typed });
  }

  async dispatchRepository(
    fullName: string,
    type: string,
    clientPayload: Record<string, unknown>,
    actor: string | undefined,
  ): Promise<RunRecord[]> {
    const state = this.#repositories.need(fullName);
    const { repository } = state;
    // These events only exist on the default branch.
    const found = await this.#ref(repository, `refs/heads/${repository.defaultBranch}`);
    if (!found) return [];
    const who = actor ?? this.#actor(repository);
    const payload = {
      action: type,
      branch: repository.defaultBranch,
      client_payload: clientPayload,
      repository: repositoryPayload(repository, this.#server()),
      sender: userPayload(who),
    };
    const started: RunRecord[] = [];
    for (const { path, on } of await this.#workflows(repository, found.sha)) {
      const waits = on.repositoryDispatch;
      if (!waits || (waits.types && !waits.types.includes(type))) continue;
      started.push(
        await this.#runs.start({
          state,
          path,
          event: 'repository_dispatch',
          ...found,
          actor: who,
          payload,
          inputs: {},
        }),
      );
    }
    return started;
  }

  async #workflows(
    { gitDirectory }: Repository,
    sha: string,
  ): Promise<{ path: string; on: Triggers; problems: Problem[] }[]> {
    const paths = await this.#git.list(gitDirectory, sha, '.github/workflows');
    const files = paths.filter((path) => /\.ya?ml$/.test(path));
    return Promise.all(
      files.map(async (path) => {
        const problems: Problem[] = [];
        const text = (await this.#git.show(gitDirectory, sha, path)) ?? '';
        return { path, on: parseWorkflow(path, text, problems).on, problems };
      }),
    );
  }

  async #ref({ gitDirectory }: Repository, name: string): Promise<{ ref: string; sha: string } | undefined> {
    for (const ref of name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`]) {
      const sha = await this.#git.resolve(gitDirectory, ref);
      if (sha) return { ref, sha };
    }
    return undefined;
  }

  #actor(repository: Repository): string {
    return this.#options.actor ?? repository.owner;
  }

  #server(): string {
    return addresses(this.#options.baseUrl()).server;
  }
}

function namesNothing(on: Triggers): boolean {
  return (
    !on.push &&
    !on.pullRequest &&
    !on.repositoryDispatch &&
    !on.workflowDispatch &&
    !on.workflowCall &&
    on.ignored.length === 0
  );
}
