import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Data, toData } from '../expressions.ts';
import type { Git } from '../git.ts';
import { commitOrigin, type Origin } from '../origin.ts';
import type { RepositoryState } from '../repository-state.ts';
import type { GitHubOptions, JobRecord, Pace, PullFacts, RunEvent, RunRecord, Runs } from '../types.ts';
import { WorkflowProblems } from '../workflow/location.ts';
import type { UsesStep } from '../workflow/model.ts';
import { defaultPermissions } from '../workflow/permissions.ts';
import { type Plan, type PlannedAction, planWorkflow, planWorkspaceAction, type Resolve } from '../workflow/plan.ts';
import { Attempt } from './attempt.ts';
import { addresses, githubContext } from './contexts.ts';
import type { JobServices } from './job.ts';
import { createPrograms } from './programs.ts';
import type { RunFacts } from './spec.ts';
import { Watchdog } from './watchdog.ts';

export interface NewRun {
  state: RepositoryState;
  path: string;
  event: RunRecord['event'];
  ref: string;
  sha: string;
  pull?: PullFacts;
  actor: string;
  payload: Record<string, unknown>;
  inputs: Record<string, unknown>;
}

interface Kept {
  record: RunRecord;
  request: NewRun;
  plan: Plan | undefined;
  attempt: Attempt | undefined;
  /** Somebody cancelled it before there was an attempt. */
  cancelled: boolean;
  finished: Promise<RunRecord>;
}

export interface RunServices {
  options: GitHubOptions;
  pace: Pace;
  git: Git;
  resolve: Resolve;
  authorize: JobServices['authorize'];
  emit: (event: RunEvent) => void;
}

const maximumReruns = 50;
/** Log lines come fast; run.json follows at most this often while a run goes on. */
const saveMilliseconds = 200;

/** All runs of this process: starts, keeps, cancels and repeats them. */
export class RunStore implements Runs {
  readonly #services: RunServices;
  readonly #kept = new Map<number, Kept>();
  readonly #watchdog = new Watchdog();
  readonly #providePrograms: JobServices['providePrograms'];
  readonly #saving = new Map<number, NodeJS.Timeout>();
  #lastId = 0;
  #lastJobId = 0;
  #closed = false;

  constructor(services: RunServices) {
    this.#services = services;
    this.#providePrograms = createPrograms(services.options.tools);
  }

  list(repository?: string): RunRecord[] {
    const all = [...this.#kept.values()].map(({ record }) => record).reverse();
    return repository === undefined
      ? all
      : all.filter((run) => run.repository.toLowerCase() === repository.toLowerCase());
  }

  get(id: number): RunRecord | undefined {
    return this.#kept.get(id)?.record;
  }

  async wait(id: number): Promise<RunRecord> {
    return this.#need(id).finished;
  }

  cancel(id: number): void {
    const kept = this.#need(id);
    if (kept.attempt) kept.attempt.cancel('The run was cancelled.');
    else kept.cancelled = true;
  }

  pendingDeployments(id: number) {
    const { record, request } = this.#need(id);
    return request.state.environments.pending(record.id);
  }

  stateOf(id: number): RepositoryState {
    return this.#need(id).request.state;
  }

  directory(id: number): string {
    return join(this.#services.options.directory, 'runs', String(id));
  }

  /** Starts a run of a workflow file that an event has selected. The promise resolves once it is planned; it does not wait for its jobs. */
  async start(request: NewRun): Promise<RunRecord> {
    if (this.#closed) throw new Error('The local GitHub has been closed: it starts no more runs.');
    const { state, path } = request;
    const number = (state.runNumbers.get(path) ?? 0) + 1;
    state.runNumbers.set(path, number);
    const now = this.#now();
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(Date.parse(now) / 1000) * 10);
    this.#lastJobId = Math.max(this.#lastJobId, this.#lastId * 10);
    // A world whose clock begins at the same moment again may reuse the number of an earlier one.
    rmSync(this.directory(this.#lastId), { recursive: true, force: true });
    const record: RunRecord = {
      id: this.#lastId,
      number,
      attempt: 1,
      repository: state.repository.fullName,
      name: path,
      path,
      title: path,
      event: request.event,
      ref: request.ref,
      sha: request.sha,
      ...(request.pull === undefined ? {} : { pull: request.pull }),
      actor: request.actor,
      triggeringActor: request.actor,
      inputs: request.inputs,
      status: 'queued',
      conclusion: null,
      createdAt: now,
      startedAt: now,
      updatedAt: now,
      completedAt: null,
      problems: [],
      notes: [],
      jobs: [],
      approvals: [],
      previousAttempts: [],
    };
    const kept: Kept = {
      record,
      request,
      plan: undefined,
      attempt: undefined,
      cancelled: false,
      finished: Promise.resolve(record),
    };
    this.#kept.set(record.id, kept);
    await this.#begin(kept, { plan: true, previous: undefined });
    return record;
  }

  async rerun(id: number, which: 'all' | 'failed', user?: string): Promise<RunRecord> {
    const kept = this.#need(id);
    const { record } = kept;
    if (this.#closed) throw new Error('The local GitHub has been closed: it starts no more runs.');
    if (record.status !== 'completed') throw new Error(`Run ${id} has not ended; it can be re-run then.`);
    if (record.attempt > maximumReruns)
      throw new Error(`Run ${id} was re-run ${maximumReruns} times already; GitHub allows no more.`);
    if (which === 'failed' && record.conclusion === 'success')
      throw new Error(`Run ${id} has no failed jobs to re-run.`);
    const { previousAttempts, approvals: _, ...last } = record;
    previousAttempts.push(structuredClone(last));
    const previous = new Map(record.jobs.map((job) => [job.key, job]));
    const now = this.#now();
    Object.assign(record, {
      attempt: record.attempt + 1,
      status: 'queued',
      conclusion: null,
      startedAt: now,
      updatedAt: now,
      completedAt: null,
      problems: [],
      notes: [],
      jobs: [],
    });
    if (user) record.triggeringActor = user;
    // "All jobs" resolves branches and tags of called workflows anew, "failed jobs" keeps what the first attempt used.
    const plan = which === 'all' || !kept.plan;
    await this.#begin(kept, { plan, previous: which === 'failed' ? previous : undefined });
    return record;
  }

  /** Plans and starts an attempt. Resolves once it is planned; `finished` resolves when it has ended and never rejects. */
  async #begin(
    kept: Kept,
    { plan, previous }: { plan: boolean; previous: ReadonlyMap<string, JobRecord> | undefined },
  ): Promise<void> {
    kept.attempt = undefined;
    kept.cancelled = false;
    const planned = plan ? this.#plan(kept) : Promise.resolve();
    kept.finished = planned
      .then(() => this.#go(kept, previous))
      .catch((error: Error) => {
        kept.record.notes.push(error.message);
        return this.#finish(kept.record, 'failure');
      });
    await planned.catch(() => {});
  }

  async close(): Promise<void> {
    const open = [...this.#kept.values()].filter(({ record }) => record.status !== 'completed');
    this.#closed = true;
    for (const kept of open) {
      if (kept.attempt) kept.attempt.kill();
      else kept.cancelled = true;
    }
    await Promise.all(open.map(({ finished }) => finished));
    for (const [id, timer] of this.#saving) {
      clearTimeout(timer);
      this.#save(id);
    }
    this.#watchdog.close();
  }

  #need(id: number): Kept {
    const kept = this.#kept.get(id);
    if (!kept) throw new Error(`There is no run ${id}.`);
    return kept;
  }

  #now(): string {
    return this.#services.options.clock.now().toISOString();
  }

  #origin({ state, ref, sha }: NewRun): Origin {
    const { git, options } = this.#services;
    const { gitDirectory, fullName } = state.repository;
    return commitOrigin({
      git,
      gitDirectory,
      repository: fullName,
      ref,
      sha,
      cache: join(options.directory, 'commits'),
    });
  }

  async #plan(kept: Kept): Promise<void> {
    const { request, record } = kept;
    kept.plan = undefined;
    const origin = this.#origin(request);
    const text = await origin.read(request.path);
    if (text === undefined) {
      record.problems = [{ file: request.path, line: 1, column: 1, message: 'the file does not exist at this commit' }];
      return;
    }
    const plan = await planWorkflow({
      origin,
      path: request.path,
      text,
      permissions: defaultPermissions,
      resolve: this.#services.resolve,
    });
    record.problems = plan.problems;
    record.name = plan.root.workflow.name ?? request.path;
    const events = plan.root.workflow.on.ignored;
    if (events.length > 0) record.notes.push(`Events that never happen on this machine: ${events.join(', ')}.`);
    for (const planned of allWorkflows(plan)) {
      if (planned.working)
        record.notes.push(
          `${planned.repository}@${planned.sha} is a folder of this machine whose files differ from that commit; the files are used as they are.`,
        );
    }
    kept.plan = plan;
  }

  async #go(kept: Kept, previous: ReadonlyMap<string, JobRecord> | undefined): Promise<RunRecord> {
    const { record, plan, request } = kept;
    const inputs = toData(request.inputs);
    mkdirSync(this.directory(record.id), { recursive: true });
    if (!plan || record.problems.length > 0) {
      this.#changed({ type: 'run-started', run: record });
      return this.#finish(record, 'startup_failure');
    }
    const facts: RunFacts = {
      run: record,
      repository: request.state.repository,
      event: request.payload,
      workflowRef: `${record.repository}/${record.path}@${record.ref}`,
      workflowSha: record.sha,
      actions: plan.actions,
    };
    record.title = this.#title(facts, plan, inputs, request.state.variables);
    record.status = 'in_progress';
    this.#changed({ type: 'run-started', run: record });
    kept.attempt = new Attempt({
      facts,
      root: plan.root,
      inputs,
      runDirectory: this.directory(record.id),
      permissions: defaultPermissions,
      variables: () => request.state.variables,
      environments: request.state.environments,
      concurrency: request.state.concurrency,
      services: this.#jobServices(plan.actions, record),
      reviewer: this.#services.options.reviewer,
      emit: (event) => this.#changed(event),
      nextJobId: () => ++this.#lastJobId,
      previous,
    });
    if (kept.cancelled) kept.attempt.cancel('The run was cancelled.');
    return this.#finish(record, await kept.attempt.run());
  }

  #finish(record: RunRecord, conclusion: RunRecord['conclusion']): RunRecord {
    record.status = 'completed';
    record.conclusion = conclusion;
    record.completedAt = this.#now();
    this.#changed({ type: 'run-finished', run: record });
    this.#save(record.id);
    return record;
  }

  #title(facts: RunFacts, plan: Plan, inputs: Data, variables: Record<string, string>): string {
    const { runName, name } = plan.root.workflow;
    if (runName) {
      const urls = addresses(this.#services.options.baseUrl());
      const text = runName
        .evaluateString({ contexts: { github: toData(githubContext(facts, urls)), inputs, vars: toData(variables) } })
        .trim();
      if (text !== '') return text;
    }
    if (facts.run.pull) return facts.run.pull.title;
    const head = (facts.event.head_commit as { message?: string } | undefined)?.message?.split('\n')[0];
    return facts.run.event === 'push' && head ? head : (name ?? facts.run.path);
  }

  #jobServices(actions: Map<UsesStep, PlannedAction>, record: RunRecord): JobServices {
    const { options, pace, authorize, resolve } = this.#services;
    return {
      options,
      pace,
      watchdog: this.#watchdog,
      authorize,
      providePrograms: this.#providePrograms,
      resolveRepository: resolve,
      loadWorkspaceAction: async (directory, at) => {
        const planned = await planWorkspaceAction(directory, at, resolve);
        if (planned.problems.length > 0) throw new WorkflowProblems(planned.problems);
        for (const [step, action] of planned.actions) actions.set(step, action);
        return planned.action!;
      },
      stepChanged: (job, event) => this.#changed({ ...event, run: record, job }),
      logged: (job, line) => this.#services.emit({ type: 'log', run: record, job, line }),
    };
  }

  #changed(event: RunEvent): void {
    if ('run' in event) {
      const { run } = event;
      run.updatedAt = this.#now();
      // What people look at once they hear of it is there at once.
      if (event.type === 'run-started' || event.type === 'waiting-for-review') this.#save(run.id);
      else if (!this.#saving.has(run.id)) {
        this.#saving.set(run.id, setTimeout(() => this.#save(run.id), saveMilliseconds).unref());
      }
    }
    this.#services.emit(event);
  }

  #save(id: number): void {
    clearTimeout(this.#saving.get(id));
    this.#saving.delete(id);
    const record = this.get(id);
    if (!record) return;
    const file = join(this.directory(id), 'run.json');
    mkdirSync(this.directory(id), { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  }
}

function allWorkflows(plan: Plan): Origin[] {
  const seen = new Map<string, Origin>();
  const visit = (planned: Plan['root']) => {
    seen.set(`${planned.origin.repository}@${planned.origin.sha}`, planned.origin);
    for (const child of planned.calls.values()) visit(child);
  };
  visit(plan.root);
  return [...seen.values()];
}
