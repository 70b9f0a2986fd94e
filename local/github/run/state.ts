import { type Data, type Evaluation, toData } from '../expressions.ts';
import type { Origin } from '../origin.ts';
import type { Annotation, GitHubOptions, JobRecord, Pace, StepRecord } from '../types.ts';
import type { Location } from '../workflow/location.ts';
import type { Step } from '../workflow/model.ts';
import type { PlannedAction } from '../workflow/plan.ts';
import { jobContext, runnerContext } from './contexts.ts';
import { hashFiles } from './globs.ts';
import type { JobLog } from './log.ts';
import type { Masks } from './masks.ts';
import type { JobSpec } from './spec.ts';
import type { Watchdog } from './watchdog.ts';

export type Outcome = 'success' | 'failure' | 'cancelled' | 'skipped';

export interface StepResult {
  outputs: Record<string, string>;
  outcome: Outcome;
  conclusion: Outcome;
}

/** Why a process or step is ended. After a time-out or the deadline nothing goes on, not even always(). */
export type AbortReason = 'cancelled' | 'timeout' | 'deadline';

/** Where steps stand: a job, or a composite action inside it. Each has its own `steps`, `inputs` and status. */
export interface Frame {
  kind: 'job' | 'composite';
  /** Tells the steps of one action apart that is used twice. */
  id: string;
  list: readonly Step[];
  inputs: Data;
  results: Map<string, StepResult>;
  /** What success() and failure() look at. A job's frame keeps it in step with the job's. */
  status: 'success' | 'failure' | 'cancelled';
  /** Ends the frame's steps: the job's cancellation, or the end of the step that uses the action. */
  signal: AbortSignal;
  /** Composite only: what github.action_path and friends say in it, and the env of the step that uses it. */
  action: Record<string, string>;
  env: ReadonlyMap<string, string>;
}

/** Names one use of one step in its job. */
export function stepKey(frame: Frame, step: Step): string {
  return `${frame.id}/${frame.list.indexOf(step)}`;
}

export interface Folders {
  workspace: string;
  /** RUNNER_WORKSPACE: the folder above the workspace. */
  parent: string;
  home: string;
  temp: string;
  toolCache: string;
  /** Programs that stand for what a runner image has: node, python3, git. */
  programs: string;
  artifacts: string;
}

/** What a job's parts share while it runs. */
export interface JobState {
  spec: JobSpec;
  record: JobRecord;
  /** The github context as the runner knows it, with token, workspace and event_path. */
  github: Record<string, unknown>;
  /** Everything a process gets that no step wrote: machine, runner and OIDC variables. */
  machine: Record<string, string>;
  /** workflow and job env, then what steps wrote to GITHUB_ENV. */
  env: Map<string, string>;
  /** From GITHUB_PATH, newest first. */
  paths: string[];
  status: 'success' | 'failure' | 'cancelled';
  /** Aborted when the job is cancelled or times out. */
  cancellation: AbortController;
  /** Aborted when not even always() steps may go on. */
  deadline: AbortController;
  masks: Masks;
  log: JobLog;
  folders: Folders;
  summary: string;
  tools: GitHubOptions['tools'];
  pace: Pace;
  watchdog: Watchdog;
  /** Process groups that may still live; killed when the job ends. */
  groups: Set<number>;
  /** Post steps in the order of registration; they run last in, first out. */
  posts: Post[];
  /** For each use of an action with a post step: the frame and env that its post step sees, the newest ones. */
  uses: Map<string, { frame: Frame; env: ReadonlyMap<string, string> }>;
  /** STATE_* by use of an action. */
  actionState: Map<string, Record<string, string>>;
  loadWorkspaceAction: (directory: string, at: Location) => Promise<PlannedAction>;
  /** The repository of a checkout: the run's own, or one that is mapped. */
  resolveRepository: (repository: string, ref: string) => Promise<Origin | string>;
  changed: (event: { type: 'step-started' | 'step-finished'; step: StepRecord }) => void;
}

/** A post step that waits for the end of its job (or of its composite action), last in first out. */
export interface Post {
  name: string;
  id: string | undefined;
  shouldRun: () => boolean;
  run: (signal: AbortSignal) => Promise<Outcome>;
}

export function contexts(job: JobState, frame: Frame, stepEnv?: ReadonlyMap<string, string>): Evaluation['contexts'] {
  const { spec } = job;
  return {
    github: toData({ ...job.github, ...frame.action, action_status: frame.status }),
    inputs: frame.inputs,
    vars: toData(spec.variables),
    needs: spec.needs,
    strategy: spec.strategy,
    matrix: spec.matrix,
    secrets: toData({ GITHUB_TOKEN: job.github.token }),
    steps: toData(Object.fromEntries(frame.results)),
    job: jobContext(spec, job.status),
    runner: toData(runnerContext(job.folders)),
    env: toData(Object.fromEntries([...job.env, ...frame.env, ...(stepEnv ?? [])])),
  };
}

export function evaluation(job: JobState, frame: Frame, stepEnv?: ReadonlyMap<string, string>): Evaluation {
  return {
    contexts: contexts(job, frame, stepEnv),
    hashFiles: (patterns) => hashFiles(patterns, job.folders.workspace),
    status: {
      always: () => true,
      cancelled: () => job.status === 'cancelled',
      success: () => statusOf(job, frame) === 'success',
      failure: () => statusOf(job, frame) === 'failure',
    },
  };
}

function statusOf(job: JobState, frame: Frame): Frame['status'] {
  return frame.kind === 'job' ? job.status : frame.status;
}

const prefixes = { error: '##[error]', warning: '##[warning]', notice: '##[notice]' } as const;

export function annotate(job: JobState, annotation: Annotation): void {
  const masked = { ...annotation, message: job.masks.mask(annotation.message) };
  if (masked.title !== undefined) masked.title = job.masks.mask(masked.title);
  job.record.annotations.push(masked);
  job.log.line(`${prefixes[annotation.level]}${annotation.message}`);
}
