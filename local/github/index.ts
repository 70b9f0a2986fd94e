import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve as resolvePath } from 'node:path';
import { handleRequest } from './api/router.ts';
import { Tokens } from './api/tokens.ts';
import { DispatchError, dispatchInputs } from './dispatch.ts';
import { changedFiles, pushPayload, type RefUpdate, repositoryPayload, skipsWorkflows, userPayload } from './events.ts';
import { Git, zeroSha } from './git.ts';
import { History } from './history.ts';
import { installHook } from './hook.ts';
import { commitOrigin, exists, mappedOrigin } from './origin.ts';
import { ConcurrencyGroups } from './run/concurrency.ts';
import { addresses } from './run/contexts.ts';
import { Environments } from './run/environments.ts';
import { type RepositoryState, RunStore } from './run/runs.ts';
import type { GitHubOptions, LocalGitHub, Pace, Repository, RunEvent, RunRecord } from './types.ts';
import { pushMatches } from './workflow/filters.ts';
import type { Problem } from './workflow/location.ts';
import { parseWorkflow } from './workflow/parse.ts';
import type { Resolve } from './workflow/plan.ts';

export type * from './types.ts';

/** GitHub's runner: 7.5 s after SIGINT comes SIGTERM, 2.5 s later the end; a cancelled job has five minutes in all. */
const realPace: Pace = { minute: 60_000, interrupt: 7_500, terminate: 2_500, cancelled: 300_000 };

/** A stable number in GitHub's usual size, so that names derived from it stay the same from start to start. */
function stableId(text: string): number {
  return (
    100_000_000 +
    (Number.parseInt(createHash('sha256').update(text.toLowerCase()).digest('hex').slice(0, 12), 16) % 900_000_000)
  );
}

/** GitHub on this machine: repositories with hooks, workflow runs, environments, OIDC, and the REST routes that actions call. It simulates, and says so. */
export function createGitHub(options: GitHubOptions): LocalGitHub {
  const git = new Git(options.tools.git);
  const pace: Pace = { ...realPace, ...options.pace };
  const repositories = new Map<string, RepositoryState>();
  const mappings = new Map<string, string>();
  const listeners = new Set<(event: RunEvent) => void>();
  const history = new History();
  const tokens = new Tokens(options.token, options.actor ?? 'local');
  const stateOf = (fullName: string): RepositoryState => {
    const state = repositories.get(fullName.toLowerCase());
    if (!state) throw new Error(`There is no repository ${fullName}.`);
    return state;
  };
  const emit = (event: RunEvent): void => {
    history.add(event);
    for (const listener of listeners) listener(event);
  };

  const resolve: Resolve = async (repository, ref) => {
    const directory = mappings.get(repository.toLowerCase());
    const cache = join(options.directory, 'commits');
    if (directory !== undefined) {
      return (
        (await mappedOrigin({ git, directory, repository, ref, cache })) ??
        `${repository} has no ref '${ref}' in ${directory}`
      );
    }
    const own = repositories.get(repository.toLowerCase());
    if (!own)
      return `${repository} is not on this machine; only mapped repositories, those created here and the stand-ins of GitHub's own actions can be used`;
    const { gitDirectory, fullName } = own.repository;
    for (const candidate of [`refs/tags/${ref}`, `refs/heads/${ref}`, ref]) {
      const sha = await git.resolve(gitDirectory, candidate);
      if (sha) return commitOrigin({ git, gitDirectory, repository: fullName, ref: candidate, sha, cache });
    }
    return `${repository} has no ref '${ref}'`;
  };

  const runs = new RunStore({
    options,
    pace,
    git,
    resolve,
    emit,
    authorize: (job, given) => tokens.authorize(job, given),
  });

  const workflowFiles = async ({ gitDirectory }: Repository, sha: string): Promise<string[]> =>
    (await git.list(gitDirectory, sha, '.github/workflows')).filter((path) => /\.ya?ml$/.test(path));

  async function push(fullName: string, update: RefUpdate, actor: string): Promise<RunRecord[]> {
    const state = stateOf(fullName);
    const { repository } = state;
    if (update.after === zeroSha) return [];
    const sha = await git.resolve(repository.gitDirectory, update.after);
    if (!sha) return [];
    const payload = await pushPayload(
      git,
      repository,
      { ...update, after: sha },
      actor,
      addresses(options.baseUrl()).server,
    );
    if (skipsWorkflows((payload.head_commit as { message: string }).message)) {
      emit({
        type: 'note',
        repository: fullName,
        message: `The commit message of ${sha.slice(0, 7)} asks for no workflows.`,
      });
      return [];
    }
    const changed = update.ref.startsWith('refs/tags/')
      ? undefined
      : await changedFiles(git, repository, { ...update, after: sha });
    const started: RunRecord[] = [];
    for (const path of await workflowFiles(repository, sha)) {
      const problems: Problem[] = [];
      const { on } = parseWorkflow(path, (await git.show(repository.gitDirectory, sha, path)) ?? '', problems);
      // A file that cannot be read at all fails visibly, as on GitHub; otherwise its own triggers decide.
      const unreadable =
        problems.length > 0 &&
        !on.push &&
        !on.repositoryDispatch &&
        !on.workflowDispatch &&
        !on.workflowCall &&
        on.ignored.length === 0;
      if (!unreadable && !(on.push && pushMatches(on.push, { ref: update.ref, changed }))) continue;
      started.push(await runs.start({ state, path, event: 'push', ref: update.ref, sha, actor, payload, inputs: {} }));
    }
    return started;
  }

  const github: LocalGitHub = {
    runs,
    handle: (request, response) =>
      handleRequest(
        { options, tokens, runs, repositories, github, history, git, issuer: options.issuer },
        request,
        response,
      ),
    repository: (fullName) => repositories.get(fullName.toLowerCase())?.repository,
    async createRepository({ owner, name, defaultBranch = 'main', id, immutableSubject = true }) {
      const fullName = `${owner}/${name}`;
      if (!/^[A-Za-z0-9-]+$/.test(owner) || !/^[A-Za-z0-9._-]+$/.test(name))
        throw new Error(`'${fullName}' is no repository name.`);
      const gitDirectory = resolvePath(options.directory, 'repositories', owner, `${name}.git`);
      if (!(await exists(gitDirectory))) {
        await mkdir(gitDirectory, { recursive: true });
        await git.run(['init', '--quiet', '--bare', '--initial-branch', defaultBranch, gitDirectory]);
        await git.run(['--git-dir', gitDirectory, 'config', 'uploadpack.allowAnySHA1InWant', 'true']);
      }
      const repository: Repository = {
        id: id ?? stableId(fullName),
        ownerId: stableId(owner),
        owner,
        name,
        fullName,
        defaultBranch,
        gitDirectory,
        url: gitDirectory,
      };
      await installHook(gitDirectory, {
        url: `${options.baseUrl()}/_github/internal/push?repository=${encodeURIComponent(fullName)}`,
        token: options.token,
        node: options.tools.node,
      });
      repositories.set(fullName.toLowerCase(), {
        repository,
        variables: {},
        environments: new Environments(repository.id, () => options.clock.now()),
        concurrency: new ConcurrencyGroups(),
        immutableSubject,
        runNumbers: new Map(),
      });
      return repository;
    },
    createEnvironment(repository, settings) {
      const count = settings.reviewers?.length ?? 0;
      if (count > 6) throw new Error(`Environment '${settings.name}' has ${count} reviewers; GitHub allows 6.`);
      stateOf(repository).environments.configure(settings);
    },
    setVariables(repository, variables) {
      Object.assign(stateOf(repository).variables, variables);
    },
    mapRepository(fullName, directory) {
      mappings.set(fullName.toLowerCase(), resolvePath(directory));
    },
    async dispatchWorkflow(fullName, file, ref, inputs = {}, actor) {
      const state = stateOf(fullName);
      const { repository } = state;
      const name = ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
      let found: { ref: string; sha: string } | undefined;
      for (const candidate of name) {
        const sha = await git.resolve(repository.gitDirectory, candidate);
        if (sha && !found) found = { ref: candidate, sha };
      }
      if (!found) throw new DispatchError(`No ref found for: ${ref}`);
      const path = file.includes('/') ? file : `.github/workflows/${file}`;
      const text = await git.show(repository.gitDirectory, found.sha, path);
      if (text === undefined) throw new DispatchError(`There is no workflow ${path} at ${ref}.`);
      const { on } = parseWorkflow(path, text, []);
      if (!on.workflowDispatch) throw new DispatchError(`Workflow does not have 'workflow_dispatch' trigger`);
      const who = actor ?? options.actor ?? repository.owner;
      const typed = dispatchInputs(on.workflowDispatch.inputs, inputs);
      const payload = {
        inputs: Object.fromEntries(Object.entries(typed).map(([key, value]) => [key, String(value)])),
        ref: found.ref,
        workflow: path,
        repository: repositoryPayload(repository, addresses(options.baseUrl()).server),
        sender: userPayload(who),
      };
      return runs.start({ state, path, event: 'workflow_dispatch', ...found, actor: who, payload, inputs: typed });
    },
    async dispatchRepository(fullName, type, payload, actor) {
      const state = stateOf(fullName);
      const { repository } = state;
      // These events only exist on the default branch.
      const ref = `refs/heads/${repository.defaultBranch}`;
      const sha = await git.resolve(repository.gitDirectory, ref);
      if (!sha) return [];
      const who = actor ?? options.actor ?? repository.owner;
      const started: RunRecord[] = [];
      for (const path of await workflowFiles(repository, sha)) {
        const { on } = parseWorkflow(path, (await git.show(repository.gitDirectory, sha, path)) ?? '', []);
        if (!on.repositoryDispatch || (on.repositoryDispatch.types && !on.repositoryDispatch.types.includes(type)))
          continue;
        const event = {
          action: type,
          branch: repository.defaultBranch,
          client_payload: payload,
          repository: repositoryPayload(repository, addresses(options.baseUrl()).server),
          sender: userPayload(who),
        };
        started.push(
          await runs.start({
            state,
            path,
            event: 'repository_dispatch',
            ref,
            sha,
            actor: who,
            payload: event,
            inputs: {},
          }),
        );
      }
      return started;
    },
    async pushed(repository, updates, actor) {
      const who = actor ?? options.actor ?? stateOf(repository).repository.owner;
      const tags = updates.filter(({ ref }) => ref.startsWith('refs/tags/'));
      const started: RunRecord[] = [];
      // GitHub raises no event for tags when more than three are pushed at once.
      for (const update of updates)
        if (tags.length <= 3 || !tags.includes(update)) started.push(...(await push(repository, update, who)));
      return started;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    decide(runId, environment, state, comment, user) {
      runs.stateOf(runId).environments.decide(runId, environment, state, comment, user);
    },
    userToken: (user) => tokens.forUser(user),
    close: () => runs.close(),
  };
  return github;
}
