import type { Approval, EnvironmentSettings, JobRecord, PendingDeployment, RunRecord } from '../types.ts';
import { matchesFnmatch } from './fnmatch.ts';

/** A review that GitHub would not take. */
export class ReviewError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ReviewError';
    this.status = status;
  }
}

export interface Environment extends EnvironmentSettings {
  id: number;
  createdAt: string;
  /** Nobody configured it: it appeared when a job named it, without any protection. */
  onTheFly: boolean;
}

interface Waiting {
  run: RunRecord;
  job: JobRecord;
  environment: Environment;
  resolve: (answer: Approval | 'cancelled') => void;
}

/** Environments of one repository and the jobs that wait for a reviewer. Names are compared without case. */
export class Environments {
  readonly #environments = new Map<string, Environment>();
  readonly #waiting = new Set<Waiting>();
  readonly #idBase: number;
  readonly #now: () => Date;

  constructor(repositoryId: number, now: () => Date) {
    this.#idBase = repositoryId * 100;
    this.#now = now;
  }

  configure(settings: EnvironmentSettings): Environment {
    const known = this.find(settings.name);
    return this.#put({
      id: known?.id ?? this.#idBase + this.#environments.size + 1,
      createdAt: known?.createdAt ?? this.#now().toISOString(),
      onTheFly: false,
      ...settings,
    });
  }

  find(name: string): Environment | undefined {
    return this.#environments.get(name.toLowerCase());
  }

  list(): Environment[] {
    return [...this.#environments.values()];
  }

  remove(name: string): boolean {
    return this.#environments.delete(name.toLowerCase());
  }

  /** The environment a job names. GitHub creates a missing one on the spot, unprotected. */
  enter(name: string): Environment {
    return (
      this.find(name) ??
      this.#put({
        name,
        id: this.#idBase + this.#environments.size + 1,
        createdAt: this.#now().toISOString(),
        onTheFly: true,
      })
    );
  }

  #put(environment: Environment): Environment {
    this.#environments.set(environment.name.toLowerCase(), environment);
    return environment;
  }

  /**
   * Why the ref may not use the environment, undefined when it may. Tags match no branch rule; a pull request is matched by its
   * whole merge ref, which the name of a branch never is.
   */
  refusesRef(environment: Environment, ref: string): string | undefined {
    if (!environment.branches) return undefined;
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1] ?? /^refs\/pull\/.+$/.exec(ref)?.[0];
    if (branch !== undefined && environment.branches.some((pattern) => matchesFnmatch(pattern, branch)))
      return undefined;
    const what = branch === undefined ? `Tag "${ref.replace('refs/tags/', '')}"` : `Branch "${branch}"`;
    return `${what} is not allowed to deploy to ${environment.name} due to environment protection rules.`;
  }

  /** Waits until someone decides. The returned function gives up (the run was cancelled). */
  review(
    run: RunRecord,
    job: JobRecord,
    environment: Environment,
  ): { decided: Promise<Approval | 'cancelled'>; giveUp: () => void } {
    const { promise, resolve } = Promise.withResolvers<Approval | 'cancelled'>();
    const waiting: Waiting = { run, job, environment, resolve };
    this.#waiting.add(waiting);
    return {
      decided: promise,
      giveUp: () => {
        if (this.#waiting.delete(waiting)) resolve('cancelled');
      },
    };
  }

  pending(runId: number): PendingDeployment[] {
    const result = new Map<Environment, PendingDeployment>();
    for (const { run, job, environment } of this.#waiting) {
      if (run.id !== runId) continue;
      const entry = result.get(environment) ?? {
        environment: environment.name,
        reviewers: environment.reviewers ?? [],
        jobs: [],
      };
      entry.jobs.push({ id: job.id, name: job.name });
      result.set(environment, entry);
    }
    return [...result.values()];
  }

  /** Decides for all jobs of the run that wait for the environment now; later ones ask again. Throws ReviewError. */
  decide(runId: number, environment: string, state: Approval['state'], comment: string, user: string): Approval {
    const waiting = [...this.#waiting].filter(
      (item) => item.run.id === runId && item.environment.name.toLowerCase() === environment.toLowerCase(),
    );
    const [first] = waiting;
    if (!first) throw new ReviewError(422, `No job of run ${runId} waits for environment '${environment}'.`);
    const { reviewers = [], preventSelfReview = false, name } = first.environment;
    if (!reviewers.some((reviewer) => reviewer.toLowerCase() === user.toLowerCase())) {
      throw new ReviewError(
        422,
        `'${user}' is no reviewer of environment '${name}'; reviewers are ${reviewers.join(', ')}.`,
      );
    }
    if (preventSelfReview && first.run.triggeringActor.toLowerCase() === user.toLowerCase()) {
      throw new ReviewError(
        422,
        `'${user}' started run ${runId}, and environment '${name}' does not allow self-review.`,
      );
    }
    const approval: Approval = { environment: name, state, user, comment };
    first.run.approvals.push(approval);
    for (const item of waiting) {
      this.#waiting.delete(item);
      item.job.status = 'queued';
      item.resolve(approval);
    }
    return approval;
  }
}
