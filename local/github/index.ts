import { handleRequest } from './api/router.ts';
import { Tokens } from './api/tokens.ts';
import { Git } from './git.ts';
import { History } from './history.ts';
import { Repositories } from './repositories.ts';
import { RunStore } from './run/runs.ts';
import { EventSource } from './triggers.ts';
import type { GitHubOptions, LocalGitHub, Pace, RunEvent } from './types.ts';

export type * from './types.ts';

/** GitHub's runner: 7.5 s after SIGINT comes SIGTERM, 2.5 s later the end; a cancelled job has five minutes in all. */
const realPace: Pace = { minute: 60_000, interrupt: 7_500, terminate: 2_500, cancelled: 300_000 };
const maximumReviewers = 6;

/**
 * GitHub on this machine: repositories with hooks, workflow runs, environments, OIDC, and the REST routes that actions call.
 * It does what we know GitHub to do, refuses what it does not know, and says that it simulates.
 */
export function createGitHub(options: GitHubOptions): LocalGitHub {
  const git = new Git(options.tools.git);
  const pace: Pace = { ...realPace, ...options.pace };
  const history = new History();
  const listeners = new Set<(event: RunEvent) => void>();
  const emit = (event: RunEvent): void => {
    history.add(event);
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        options.logger.warn(`A listener to runs failed: ${(error as Error).stack ?? error}`);
      }
    }
  };
  const tokens = new Tokens(options.token, options.actor ?? 'local');
  const repositories = new Repositories(options, git);
  const runs = new RunStore({
    options,
    pace,
    git,
    resolve: (repository, ref) => repositories.resolve(repository, ref),
    emit,
    authorize: (job, given) => tokens.authorize(job, given),
  });
  const events = new EventSource({ options, git, repositories, runs, emit });

  const github: LocalGitHub = {
    runs,
    handle: (request, response) =>
      handleRequest(
        { options, tokens, runs, repositories: repositories.states, github, history, git, issuer: options.issuer },
        request,
        response,
      ),
    repository: (fullName) => repositories.find(fullName)?.repository,
    createRepository: ({ owner, name, defaultBranch = 'main', id, immutableSubject = true }) =>
      repositories.create({ owner, name, defaultBranch, id, immutableSubject }),
    createEnvironment(repository, settings) {
      const count = settings.reviewers?.length ?? 0;
      if (count > maximumReviewers) {
        throw new Error(`Environment '${settings.name}' has ${count} reviewers; GitHub allows ${maximumReviewers}.`);
      }
      repositories.need(repository).environments.configure(settings);
    },
    setVariables(repository, variables) {
      Object.assign(repositories.need(repository).variables, variables);
    },
    mapRepository: (fullName, directory) => repositories.map(fullName, directory),
    dispatchWorkflow: (repository, file, ref, inputs = {}, actor) =>
      events.dispatchWorkflow(repository, file, ref, inputs, actor),
    dispatchRepository: (repository, type, payload, actor) =>
      events.dispatchRepository(repository, type, payload, actor),
    openPullRequest: (repository, request, actor, silent = false) =>
      events.openPullRequest(repository, request, actor, silent),
    pushed: (repository, updates, actor) => events.push(repository, updates, actor),
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
