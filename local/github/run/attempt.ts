import { type Data, type Evaluation, fromData, isTruthy, type Template, toData } from '../expressions.ts';
import type { Approval, GitHubOptions, JobRecord, RunEvent } from '../types.ts';
import type { CallJob, Concurrency, Job, NormalJob, WorkflowInput } from '../workflow/model.ts';
import { refuseLabel } from '../workflow/parse.ts';
import { intersect, type Permissions } from '../workflow/permissions.ts';
import type { PlannedWorkflow } from '../workflow/plan.ts';
import type { ConcurrencyGroups, Holder } from './concurrency.ts';
import { addresses, githubContext } from './contexts.ts';
import type { Environments } from './environments.ts';
import { type JobServices, RunningJob } from './job.ts';
import { type Combination, expandMatrix, matrixSuffix } from './matrix.ts';
import { definition, type RunFacts } from './spec.ts';

type Result = 'success' | 'failure' | 'cancelled' | 'skipped';

interface JobResult {
  result: Result;
  outputs: Record<string, string>;
  /** Results of everything this job depends on, directly or not: success() and failure() look at all of them. */
  ancestors: ReadonlySet<Result>;
  /** Taken over from the attempt before. */
  kept: boolean;
}

type LegResult = Omit<JobResult, 'ancestors'>;

/** A workflow being run: the top one or a called one. */
interface Scope {
  planned: PlannedWorkflow;
  inputs: Data;
  /** Display and key prefixes of its jobs. */
  namePrefix: string;
  keyPrefix: string;
  /** What the calling job may do; for the top workflow what jobs get that ask for nothing. */
  ceiling: Permissions;
  called: boolean;
  holder: Holder;
  /** Nothing of an earlier attempt may be kept in here. */
  fresh: boolean;
}

export interface AttemptOptions {
  facts: RunFacts;
  root: PlannedWorkflow;
  inputs: Data;
  runDirectory: string;
  permissions: Permissions;
  variables: () => Record<string, string>;
  environments: Environments;
  concurrency: ConcurrencyGroups;
  services: JobServices;
  reviewer: GitHubOptions['reviewer'];
  emit: (event: RunEvent) => void;
  /** Jobs of the attempt before, when only failed ones run again. */
  previous: ReadonlyMap<string, JobRecord> | undefined;
}

const defaultTimeoutMinutes = 360;

/** One attempt of a run. The server's part: which jobs run, in which order, waiting for what. */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #running = new Set<RunningJob>();
  readonly #onCancel = new Set<() => void>();
  readonly #holder: Holder;
  #cancelled = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#holder = { ancestors: [], cancel: (reason) => this.cancel(reason) };
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Running jobs whose `if` still holds go on; everything else ends. */
  cancel(reason?: string): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (reason) this.#run.notes.push(reason);
    for (const wake of [...this.#onCancel]) wake();
  }

  kill(): void {
    this.cancel();
    for (const job of this.#running) job.kill();
  }

  async run(): Promise<Result> {
    const { root, inputs, permissions } = this.#options;
    const scope: Scope = {
      planned: root,
      inputs,
      namePrefix: '',
      keyPrefix: '',
      ceiling: permissions,
      called: false,
      holder: this.#holder,
      fresh: false,
    };
    const { result } = await this.#workflow(scope);
    return this.#cancelled ? 'cancelled' : result;
  }

  get #run() {
    return this.#options.facts.run;
  }

  #github(): Data {
    return toData(githubContext(this.#options.facts, addresses(this.#options.services.options.baseUrl())));
  }

  #evaluation(scope: Scope, contexts: Record<string, Data> = {}): Evaluation {
    return {
      contexts: { github: this.#github(), inputs: scope.inputs, vars: toData(this.#options.variables()), ...contexts },
    };
  }

  /** Runs all jobs of a workflow; outputs are those of its workflow_call. */
  async #workflow(scope: Scope): Promise<LegResult> {
    const { workflow } = scope.planned;
    const group = await this.#enterGroup(workflow.concurrency, this.#evaluation(scope), scope.holder, () => {
      this.#run.status = 'pending';
    });
    if (group === 'cancelled') return { result: 'cancelled', outputs: {}, kept: false };
    this.#run.status = 'in_progress';
    try {
      const results = new Map<string, Promise<JobResult>>();
      const byId = new Map(workflow.jobs.map((job) => [job.id.toLowerCase(), job]));
      const start = (job: Job): Promise<JobResult> => {
        const known = results.get(job.id);
        if (known) return known;
        const needed = job.needs.map((id) => byId.get(id.toLowerCase())!);
        const promise = Promise.all(needed.map(async (need) => [need.id, await start(need)] as const)).then((needs) =>
          this.#job(scope, job, new Map(needs)),
        );
        results.set(job.id, promise);
        return promise;
      };
      const entries = await Promise.all(workflow.jobs.map(async (job) => [job.id, await start(job)] as const));
      const all = entries.map(([, { result }]) => result);
      const result: Result = all.includes('failure') ? 'failure' : all.includes('cancelled') ? 'cancelled' : 'success';
      const jobs = toData(Object.fromEntries(entries.map(([id, { result, outputs }]) => [id, { result, outputs }])));
      const outputs: Record<string, string> = {};
      for (const [name, template] of workflow.on.workflowCall?.outputs ?? []) {
        outputs[name] = template.evaluateString(this.#evaluation(scope, { jobs }));
      }
      const kept = entries.every(([, job]) => job.kept);
      return { result: all.length > 0 && all.every((one) => one === 'skipped') ? 'skipped' : result, outputs, kept };
    } finally {
      group?.();
    }
  }

  async #job(scope: Scope, job: Job, needs: ReadonlyMap<string, JobResult>): Promise<JobResult> {
    const ancestors = new Set<Result>();
    for (const need of needs.values()) {
      ancestors.add(need.result);
      for (const result of need.ancestors) ancestors.add(result);
    }
    const needsData = toData(
      Object.fromEntries([...needs].map(([id, { result, outputs }]) => [id, { result, outputs }])),
    );
    const status: Evaluation['status'] = {
      always: () => true,
      cancelled: () => this.#cancelled,
      success: () => !this.#cancelled && [...ancestors].every((result) => result === 'success'),
      failure: () => !this.#cancelled && ancestors.has('failure'),
    };
    const evaluation: Evaluation = { ...this.#evaluation(scope, { needs: needsData }), status };
    const wanted = () => job.if.evaluate(evaluation);
    const key = `${scope.keyPrefix}${job.id}`;
    // A re-run of failed jobs takes over what passed, unless something it depends on runs again.
    const keep = this.#options.previous !== undefined && !scope.fresh && [...needs.values()].every((need) => need.kept);
    try {
      if (!wanted()) {
        const record = this.#record(key, `${scope.namePrefix}${this.#name(job, evaluation, undefined)}`, {});
        this.#finish(record, 'skipped');
        return { result: 'skipped', outputs: {}, ancestors, kept: keep };
      }
      const combinations = job.strategy?.matrix ? expandMatrix(job.strategy.matrix.evaluate(evaluation)) : undefined;
      const failFast = job.strategy?.failFast ? isTruthy(job.strategy.failFast.evaluate(evaluation)) : true;
      const maxParallel = job.strategy?.maxParallel
        ? Number(fromData(job.strategy.maxParallel.evaluate(evaluation)))
        : undefined;
      const all = await this.#legs(scope, job, {
        needs: needsData,
        evaluation,
        wanted,
        combinations,
        failFast,
        maxParallel,
        key,
        keep,
      });
      return { ...merge(all), ancestors };
    } catch (error) {
      const record = this.#record(key, `${scope.namePrefix}${job.name?.text ?? job.id}`, {});
      record.annotations.push({ level: 'error', message: (error as Error).message });
      this.#finish(record, 'failure');
      return { result: 'failure', outputs: {}, ancestors, kept: false };
    }
  }

  async #legs(
    scope: Scope,
    job: Job,
    legs: {
      needs: Data;
      evaluation: Evaluation;
      wanted: () => boolean;
      combinations: Combination[] | undefined;
      failFast: boolean;
      maxParallel: number | undefined;
      key: string;
      keep: boolean;
    },
  ): Promise<LegResult[]> {
    const total = legs.combinations?.length ?? 1;
    const limit = Math.max(1, Math.min(legs.maxParallel ?? total, total));
    const results: LegResult[] = [];
    const stop = new AbortController();
    let next = 0;
    const worker = async () => {
      for (let index = next++; index < total; index = next++) {
        const combination = legs.combinations?.[index];
        const strategy = toData({
          'fail-fast': legs.failFast,
          'job-index': index,
          'job-total': total,
          'max-parallel': limit,
        });
        const contexts = { needs: legs.needs, matrix: toData(combination ?? null), strategy };
        const evaluation = {
          ...this.#evaluation(scope, contexts),
          ...(legs.evaluation.status ? { status: legs.evaluation.status } : {}),
        };
        const leg = {
          key: combination ? `${legs.key}#${index + 1}` : legs.key,
          name: `${scope.namePrefix}${this.#name(job, evaluation, combination)}`,
          evaluation,
          contexts,
          wanted: legs.wanted,
          stop,
          keep: legs.keep,
        };
        const result = job.kind === 'call' ? await this.#call(scope, job, leg) : await this.#leaf(scope, job, leg);
        // In the order in which they finish: of equally named outputs the last finisher's wins.
        results.push(result);
        if (result.result === 'failure' && legs.failFast && combination) stop.abort();
      }
    };
    await Promise.all(Array.from({ length: limit }, worker));
    return results;
  }

  /** GitHub appends the matrix values to a name without expressions. */
  #name(job: Job, evaluation: Evaluation, combination: Combination | undefined): string {
    if (job.name && !job.name.literal) return job.name.evaluateString(evaluation);
    const name = job.name?.text ?? job.id;
    const suffix = combination ? matrixSuffix(combination) : '';
    return suffix ? `${name} ${suffix}` : name;
  }

  async #call(scope: Scope, job: CallJob, leg: Leg): Promise<LegResult> {
    const planned = scope.planned.calls.get(job.id)!;
    const holder: Holder = {
      ancestors: [scope.holder, ...scope.holder.ancestors],
      cancel: (reason) => this.cancel(reason),
    };
    const group = await this.#enterGroup(job.concurrency, leg.evaluation, holder, () => {});
    if (group === 'cancelled') return { result: 'cancelled', outputs: {}, kept: false };
    try {
      const inputs = this.#callInputs(planned.workflow.on.workflowCall!.inputs, job.with, leg.evaluation);
      return await this.#workflow({
        planned,
        inputs: toData(inputs),
        namePrefix: `${leg.name} / `,
        keyPrefix: `${leg.key}.`,
        ceiling: effectivePermissions(scope, job),
        called: true,
        holder,
        fresh: !leg.keep,
      });
    } finally {
      group?.();
    }
  }

  #callInputs(
    declared: WorkflowInput[],
    given: ReadonlyMap<string, Template>,
    evaluation: Evaluation,
  ): Record<string, unknown> {
    const values = new Map([...given].map(([name, template]) => [name.toLowerCase(), template]));
    const result: Record<string, unknown> = {};
    for (const input of declared) {
      const template = values.get(input.name.toLowerCase());
      const empty = { string: '', number: 0, boolean: false }[input.type as 'string' | 'number' | 'boolean'];
      const value = template?.evaluate(evaluation) ?? input.default?.evaluate(evaluation) ?? toData(empty);
      const plain = fromData(value);
      if (input.type === 'string') result[input.name] = value.coerceString();
      else if (typeof plain === input.type) result[input.name] = plain;
      else
        throw new Error(
          `The template is not valid. Input '${input.name}' must be a ${input.type}, not '${value.coerceString()}'`,
        );
    }
    return result;
  }

  async #leaf(scope: Scope, job: NormalJob, leg: Leg): Promise<LegResult> {
    const { facts, services, environments, emit } = this.#options;
    const before = leg.keep ? this.#options.previous?.get(leg.key) : undefined;
    if (before?.conclusion === 'success') {
      this.#run.jobs.push(before);
      return { result: 'success', outputs: before.outputs, kept: true };
    }
    const permissions = effectivePermissions(scope, job);
    const record = this.#record(leg.key, leg.name, permissions);
    const holder: Holder = { ancestors: [scope.holder, ...scope.holder.ancestors], cancel: () => {} };
    const ended = new AbortController();
    const end = () => {
      if (!this.#holds(leg.wanted)) ended.abort();
    };
    holder.cancel = (reason) => {
      record.annotations.push({ level: 'error', message: reason });
      ended.abort();
    };
    this.#onCancel.add(end);
    leg.stop.signal.addEventListener('abort', () => ended.abort(), { once: true });
    if (this.#cancelled) end();
    if (leg.stop.signal.aborted) ended.abort();
    let group: (() => void) | 'cancelled' | undefined;
    try {
      if (ended.signal.aborted) return this.#ended(record, 'cancelled');
      group = await this.#enterGroup(
        job.concurrency,
        leg.evaluation,
        holder,
        (name) => {
          record.status = 'pending';
          emit({ type: 'job-pending', run: this.#run, job: record, group: name });
        },
        ended.signal,
      );
      if (group === 'cancelled' || ended.signal.aborted) return this.#ended(record, 'cancelled');
      record.status = 'queued';
      const labels = fromData(job.runsOn.evaluate(leg.evaluation));
      record.labels = (Array.isArray(labels) ? labels : [labels]).map(String);
      for (const label of record.labels) refuseLabel(label, (message) => fail(message));
      const environment = job.environment?.name.evaluateString(leg.evaluation) || undefined;
      const entered = environment === undefined ? undefined : environments.enter(environment);
      if (entered) {
        record.environment = entered.name;
        const refusal = await this.#protect(record, entered, ended.signal);
        if (refusal === 'cancelled') return this.#ended(record, 'cancelled');
        if (refusal) fail(refusal);
      }
      const timeout = job.timeoutMinutes
        ? Math.trunc(Number(fromData(job.timeoutMinutes.evaluate(leg.evaluation))))
        : defaultTimeoutMinutes;
      if (!(timeout > 0)) fail(`timeout-minutes '${job.timeoutMinutes?.text}' must be a positive number`);
      record.tolerated = job.continueOnError ? isTruthy(job.continueOnError.evaluate(leg.evaluation)) : false;
      const running = new RunningJob(
        services,
        {
          facts,
          planned: scope.planned,
          job,
          key: leg.key,
          inputs: scope.inputs,
          needs: leg.contexts.needs,
          matrix: leg.contexts.matrix,
          strategy: leg.contexts.strategy,
          variables: { ...this.#options.variables(), ...entered?.variables },
          permissions,
          environment: entered?.name,
          definedBy: definition(scope.planned),
        },
        record,
        this.#options.runDirectory,
      );
      this.#running.add(running);
      ended.signal.addEventListener('abort', () => running.cancel(), { once: true });
      record.status = 'in_progress';
      record.startedAt = this.#now();
      emit({ type: 'job-started', run: this.#run, job: record });
      const graceMinutes = job.cancelTimeoutMinutes
        ? Number(fromData(job.cancelTimeoutMinutes.evaluate(leg.evaluation)))
        : undefined;
      const outcome = await running.run(timeout, graceMinutes);
      this.#running.delete(running);
      record.outputs = outcome.outputs;
      this.#finish(record, outcome.conclusion);
      return {
        result: outcome.conclusion === 'failure' && record.tolerated ? 'success' : outcome.conclusion,
        outputs: outcome.outputs,
        kept: false,
      };
    } catch (error) {
      record.annotations.push({ level: 'error', message: (error as Error).message });
      return this.#ended(record, 'failure');
    } finally {
      this.#onCancel.delete(end);
      if (typeof group === 'function') group();
    }
  }

  #holds(wanted: () => boolean): boolean {
    try {
      return wanted();
    } catch {
      return false;
    }
  }

  /** Branch rules, then reviewers: every job asks for its own approval. Returns why the job may not go on. */
  async #protect(
    record: JobRecord,
    environment: ReturnType<Environments['enter']>,
    ended: AbortSignal,
  ): Promise<string | 'cancelled' | undefined> {
    const { environments, emit, reviewer } = this.#options;
    const refused = environments.refusesRef(environment, this.#run.ref);
    if (refused) return refused;
    const reviewers = environment.reviewers ?? [];
    if (reviewers.length === 0) return undefined;
    const { decided, giveUp } = environments.review(this.#run, record, environment);
    ended.addEventListener('abort', giveUp, { once: true });
    record.status = 'waiting';
    this.#run.status = 'waiting';
    emit({ type: 'waiting-for-review', run: this.#run, job: record, environment: environment.name, reviewers });
    if (reviewer) {
      reviewer({ run: this.#run, job: record, environment: environment.name, reviewers })
        .then(({ state, comment, user }) => {
          if (record.status === 'waiting') environments.decide(this.#run.id, environment.name, state, comment, user);
        })
        .catch((error: Error) => {
          record.annotations.push({ level: 'error', message: error.message });
          giveUp();
        });
    }
    const answer: Approval | 'cancelled' = await decided;
    this.#run.status = environments.pending(this.#run.id).length > 0 ? 'waiting' : 'in_progress';
    record.status = 'queued';
    if (answer === 'cancelled')
      return record.annotations.some(({ level }) => level === 'error') ? 'The review failed.' : 'cancelled';
    emit({ type: 'reviewed', run: this.#run, job: record, approval: answer });
    if (answer.state === 'rejected') {
      return `Deployment to ${environment.name} was rejected by ${answer.user}${answer.comment ? `: ${answer.comment}` : ''}.`;
    }
    return undefined;
  }

  async #enterGroup(
    concurrency: Concurrency | undefined,
    evaluation: Evaluation,
    holder: Holder,
    onPending: (group: string) => void,
    ended?: AbortSignal,
  ): Promise<(() => void) | 'cancelled' | undefined> {
    if (!concurrency) return undefined;
    const group = concurrency.group.evaluateString(evaluation);
    if (group === '') return undefined;
    const { concurrency: groups } = this.#options;
    const cancelInProgress = concurrency.cancelInProgress
      ? isTruthy(concurrency.cancelInProgress.evaluate(evaluation))
      : false;
    if (cancelInProgress && concurrency.queue === 'max')
      fail("concurrency cannot combine 'queue: max' with 'cancel-in-progress: true'");
    const release = () => groups.release(group, holder);
    let settled = false;
    const waiting = groups.acquire(group, holder, { cancelInProgress, queue: concurrency.queue }).finally(() => {
      settled = true;
    });
    const giveUp = () => {
      if (!settled) release();
    };
    this.#onCancel.add(giveUp);
    ended?.addEventListener('abort', giveUp, { once: true });
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => !settled && onPending(group))));
    const answer = await waiting;
    this.#onCancel.delete(giveUp);
    return answer === 'acquired' ? release : 'cancelled';
  }

  #record(key: string, name: string, permissions: Permissions): JobRecord {
    const jobs = this.#run.jobs;
    const file =
      name
        .replaceAll(' / ', '.')
        .replace(/[^A-Za-z0-9_.-]+/g, '-')
        .replace(/^-|-$/g, '') || 'job';
    const taken = new Set(jobs.map(({ log }) => log));
    const folder = `attempt-${this.#run.attempt}`;
    let unique = file;
    for (let index = 2; taken.has(`logs/${folder}/${unique}.log`); index++) unique = `${file}-${index}`;
    const record: JobRecord = {
      id: this.#run.id * 1000 + jobs.length + 1 + 100 * (this.#run.attempt - 1),
      key,
      name,
      status: 'queued',
      conclusion: null,
      createdAt: this.#now(),
      startedAt: null,
      completedAt: null,
      steps: [],
      outputs: {},
      annotations: [],
      labels: [],
      permissions,
      log: `logs/${folder}/${unique}.log`,
      summary: `summaries/${folder}/${unique}.md`,
      attempt: this.#run.attempt,
    };
    jobs.push(record);
    return record;
  }

  #ended(record: JobRecord, conclusion: 'failure' | 'cancelled'): LegResult {
    this.#finish(record, conclusion);
    return { result: conclusion, outputs: {}, kept: false };
  }

  #finish(record: JobRecord, conclusion: Result): void {
    record.status = 'completed';
    record.conclusion = conclusion;
    record.completedAt = this.#now();
    this.#options.emit({ type: 'job-finished', run: this.#run, job: record });
  }

  #now(): string {
    return this.#options.services.options.clock.now().toISOString();
  }
}

interface Leg {
  key: string;
  name: string;
  evaluation: Evaluation;
  contexts: { needs: Data; matrix: Data; strategy: Data };
  wanted: () => boolean;
  /** fail-fast: another job of the matrix has failed. */
  stop: AbortController;
  /** May be taken over from the attempt before. */
  keep: boolean;
}

/** A job's block replaces its workflow's. Down the call tree rights only shrink. */
function effectivePermissions(scope: Scope, job: Job): Permissions {
  const requested = job.permissions ?? scope.planned.workflow.permissions;
  if (!requested) return scope.ceiling;
  return scope.called ? intersect(requested, scope.ceiling) : requested;
}

function merge(results: LegResult[]): LegResult {
  const all = results.map(({ result }) => result);
  const result: Result = all.includes('failure')
    ? 'failure'
    : all.includes('cancelled')
      ? 'cancelled'
      : all.includes('success')
        ? 'success'
        : 'skipped';
  const outputs: Record<string, string> = {};
  for (const one of results)
    for (const [name, value] of Object.entries(one.outputs)) if (value !== '') outputs[name] = value;
  return { result, outputs, kept: results.every(({ kept }) => kept) };
}

function fail(message: string): never {
  throw new Error(message);
}
