import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../aws/core/clock.ts';
import type { Logger } from '../aws/core/context.ts';
import type { OidcIssuer } from './oidc.ts';
import type { Problem } from './workflow/location.ts';
import type { Permissions } from './workflow/permissions.ts';

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped' | 'startup_failure';
export type Status = 'queued' | 'pending' | 'waiting' | 'in_progress' | 'completed';

export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  message: string;
  title?: string;
  file?: string;
  line?: number;
  endLine?: number;
  column?: number;
  endColumn?: number;
}

export interface StepRecord {
  number: number;
  name: string;
  /** The step's id, when its author gave one. */
  id?: string;
  status: Status;
  conclusion: Conclusion | null;
  startedAt: string | null;
  completedAt: string | null;
}

export interface JobRecord {
  id: number;
  /** Where the job stands in the call tree: `build.pipeline`, a matrix job with its index `test#2`. */
  key: string;
  /** As GitHub shows it: `build / pipeline`, `test (3.12, linux)`. */
  name: string;
  status: Status;
  conclusion: Conclusion | null;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
  steps: StepRecord[];
  outputs: Record<string, string>;
  annotations: Annotation[];
  labels: string[];
  permissions: Permissions;
  environment?: string;
  environmentUrl?: string;
  /** continue-on-error: the run does not fail because of this job. */
  tolerated?: boolean;
  /** Files below the run's folder. */
  log: string;
  summary: string;
  /** The attempt in which this job really ran (a re-run of failed jobs keeps the others). */
  attempt: number;
}

export interface Approval {
  environment: string;
  state: 'approved' | 'rejected';
  user: string;
  comment: string;
}

export interface PendingDeployment {
  environment: string;
  reviewers: string[];
  jobs: { id: number; name: string }[];
}

export interface PullFacts {
  number: number;
  title: string;
  headBranch: string;
  headSha: string;
  baseBranch: string;
  baseSha: string;
}

/** A pull request between two branches of one repository. */
export interface PullRecord extends PullFacts {
  body: string | null;
  state: 'open' | 'closed';
  merged: boolean;
  /** Commit of refs/pull/NUMBER/merge; undefined while the branches are in conflict. */
  mergeSha: string | undefined;
  author: string;
  createdAt: string;
  updatedAt: string;
}

/** One attempt of a run, as kept in runs/ID/run.json. */
export interface RunRecord {
  id: number;
  number: number;
  attempt: number;
  repository: string;
  /** Name of the workflow and path of its file. */
  name: string;
  path: string;
  title: string;
  event: 'push' | 'pull_request' | 'workflow_dispatch' | 'repository_dispatch';
  ref: string;
  sha: string;
  /** Of a pull_request run, whose own ref and sha are those of the merge commit. */
  pull?: PullFacts;
  actor: string;
  triggeringActor: string;
  inputs: Record<string, unknown>;
  status: Status;
  conclusion: Conclusion | null;
  createdAt: string;
  startedAt: string;
  updatedAt: string;
  completedAt: string | null;
  /** Why the run never started. */
  problems: Problem[];
  notes: string[];
  jobs: JobRecord[];
  /** Of all attempts. */
  approvals: Approval[];
  previousAttempts: Omit<RunRecord, 'previousAttempts' | 'approvals'>[];
}

interface RunEventBase {
  run: RunRecord;
}
interface JobEventBase extends RunEventBase {
  job: JobRecord;
}

/** What a terminal wants to know, in order. Lines are masked. */
export type RunEvent =
  | (RunEventBase & { type: 'run-started' })
  | (RunEventBase & { type: 'run-finished' })
  | (JobEventBase & { type: 'job-started' })
  | (JobEventBase & { type: 'job-finished' })
  /** A job waits for its concurrency group. */
  | (JobEventBase & { type: 'job-pending'; group: string })
  /** A job waits for a reviewer. */
  | (JobEventBase & { type: 'waiting-for-review'; environment: string; reviewers: string[] })
  | (JobEventBase & { type: 'reviewed'; approval: Approval })
  | (JobEventBase & { type: 'step-started'; step: StepRecord })
  | (JobEventBase & { type: 'step-finished'; step: StepRecord })
  | (JobEventBase & { type: 'log'; line: string })
  /** Something a user should know although nothing failed (an event that never happens here, working files instead of a commit). */
  | { type: 'note'; repository: string; message: string };

export interface Repository {
  id: number;
  ownerId: number;
  owner: string;
  name: string;
  /** OWNER/NAME */
  fullName: string;
  defaultBranch: string;
  /** The bare repository. */
  gitDirectory: string;
  /** What to give to `git clone` and `git remote add`. */
  url: string;
}

export interface EnvironmentSettings {
  name: string;
  /** Logins of whom one must approve each job; empty or absent: nobody is asked. */
  reviewers?: string[];
  /** The one who started the run may not approve. */
  preventSelfReview?: boolean;
  /** Patterns of branches (`*` does not match `/`) that may use the environment; absent: any. */
  branches?: string[];
  variables?: Record<string, string>;
}

export interface ReviewRequest {
  run: RunRecord;
  job: JobRecord;
  environment: string;
  reviewers: string[];
}

export interface ReviewDecision {
  state: 'approved' | 'rejected';
  user: string;
  comment: string;
}

export interface Pace {
  /** Milliseconds of a `timeout-minutes` minute. */
  minute: number;
  /** From SIGINT to SIGTERM, and from SIGTERM to the end of the process tree. */
  interrupt: number;
  terminate: number;
  /** What a cancelled job's always() and post steps have. */
  cancelled: number;
}

export interface GitHubOptions {
  /** Where repositories, runs and tools are kept. */
  directory: string;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
  issuer: OidcIssuer;
  /** http://127.0.0.1:PORT of the platform, without a slash at the end. */
  baseUrl: () => string;
  /** Guards the routes that hooks and the CLI use. */
  token: string;
  /** Variables that a self-hosted runner's machine has (AWS_ENDPOINT_URL and the like). */
  runnerEnvironment: () => Record<string, string>;
  /** Full paths; `node` is Node 24. */
  tools: { node: string; python?: string; git: string };
  /** Asked for each job that waits for a reviewer; without it decide() or the REST route must answer. */
  reviewer?: (request: ReviewRequest) => Promise<ReviewDecision>;
  /** Who pushes and dispatches when nobody else is named. Default: the repository's owner. */
  actor?: string;
  pace?: Partial<Pace>;
  /** Keeps the folders in which jobs ran (default: only logs, summaries and artifacts stay). */
  keepWorkspaces?: boolean;
}

export interface Runs {
  list(repository?: string): RunRecord[];
  get(id: number): RunRecord | undefined;
  /** Resolves when the run (its current attempt) has ended. */
  wait(id: number): Promise<RunRecord>;
  cancel(id: number): void;
  /** A new attempt of a finished run. */
  rerun(id: number, which: 'all' | 'failed', user?: string): Promise<RunRecord>;
  pendingDeployments(id: number): PendingDeployment[];
  /** runs/ID: run.json, logs/, summaries/, artifacts/. */
  directory(id: number): string;
}

export interface LocalGitHub {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  createRepository(options: {
    owner: string;
    name: string;
    defaultBranch?: string;
    id?: number;
    immutableSubject?: boolean;
  }): Promise<Repository>;
  repository(fullName: string): Repository | undefined;
  createEnvironment(repository: string, settings: EnvironmentSettings): void;
  setVariables(repository: string, variables: Record<string, string>): void;
  /** `OWNER/REPO/...@REF` in workflows means this folder (its repository's commit REF; working files when REF is its HEAD). */
  mapRepository(fullName: string, directory: string): void;
  dispatchWorkflow(
    repository: string,
    file: string,
    ref: string,
    inputs?: Record<string, unknown>,
    actor?: string,
  ): Promise<RunRecord>;
  /** Starts the workflows of the default branch that wait for this repository_dispatch. */
  dispatchRepository(
    repository: string,
    type: string,
    payload: Record<string, unknown>,
    actor?: string,
  ): Promise<RunRecord[]>;
  /** What the hook of a bare repository calls after a push; resolves with the runs that it started. */
  pushed(
    repository: string,
    updates: { ref: string; before: string; after: string }[],
    actor?: string,
  ): Promise<RunRecord[]>;
  /**
   * Opens a pull request and starts the workflows that wait for it. Throws PullRequestError with GitHub's reasons. `silent`:
   * opened with a job's token, which raises no event.
   */
  openPullRequest(
    repository: string,
    request: { title: string; body: string | null; head: string; base: string },
    actor?: string,
    silent?: boolean,
  ): Promise<{ pull: PullRecord; runs: RunRecord[] }>;
  runs: Runs;
  subscribe(listener: (event: RunEvent) => void): () => void;
  decide(runId: number, environment: string, state: 'approved' | 'rejected', comment: string, user: string): void;
  /** A token with which `user` may call the REST routes (a reviewer's own). */
  userToken(user: string): string;
  /** Cancels what runs and ends every process. */
  close(): Promise<void>;
}
