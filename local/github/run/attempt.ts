import { type Data, type Evaluation, fromData, isTruthy, toData } from '../expressions.ts';
import type { CallJob, Job } from '../workflow/model.ts';
import { evaluateTree } from '../workflow/yaml.ts';
import type { AttemptOptions } from './attempt-options.ts';
import { enterGroup, type Holder } from './concurrency.ts';
import { addresses, githubContext } from './contexts.ts';
import type { RunningJob } from './job.ts';
import { runLeaf } from './leaf.ts';
import { expandMatrix } from './matrix.ts';
import { JobRecords } from './records.ts';
import {
  callInputs,
  combine,
  effectivePermissions,
  type JobResult,
  jobName,
  type Leg,
  type LegResult,
  mergeLegs,
  type Result,
  type Scope,
} from './results.ts';

/** One attempt of a run. The server's part: which jobs run, in which order, waiting for what. */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #records: JobRecords;
  readonly #running = new Set<RunningJob>();
  readonly #cancellation = new AbortController();

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#records = new JobRecords({
      run: options.facts.run,
      now: () => options.services.options.clock.now(),
      nextId: options.nextJobId,
      emit: options.emit,
    });
  }

  /** Running jobs whose `if` still holds go on; everything else ends. */
  cancel(reason?: string): void {
    if (this.#cancelled) return;
    if (reason) this.#options.facts.run.notes.push(reason);
    this.#cancellation.abort();
  }

  kill(): void {
    this.cancel();
    for (const job of this.#running) job.kill();
  }

  async run(): Promise<Result> {
    const { root, inputs, permissions } = this.#options;
    const { result } = await this.#workflow({
      planned: root,
      inputs,
      namePrefix: '',
      keyPrefix: '',
      ceiling: permissions,
      called: false,
      holder: { ancestors: [], cancel: (reason) => this.cancel(reason) },
      fresh: false,
      stop: undefined,
    });
    return this.#cancelled ? 'cancelled' : result;
  }

  get #cancelled(): boolean {
    return this.#cancellation.signal.aborted;
  }

  #evaluation(scope: Scope, contexts: Record<string, Data> = {}): Evaluation {
    const { facts, services, variables } = this.#options;
    const github = toData(githubContext(facts, addresses(services.options.baseUrl())));
    return { contexts: { github, inputs: scope.inputs, vars: toData(variables()), ...contexts } };
  }

  /** Runs all jobs of a workflow; outputs are those of its workflow_call. */
  async #workflow(scope: Scope): Promise<LegResult> {
    const { workflow } = scope.planned;
    const { run } = this.#options.facts;
    const leave = await enterGroup({
      groups: this.#options.concurrency,
      concurrency: workflow.concurrency,
      evaluation: this.#evaluation(scope),
      holder: scope.holder,
      ended: this.#cancellation.signal,
      onPending: () => {
        run.status = 'pending';
      },
    });
    if (leave === 'cancelled') return { result: 'cancelled', outputs: {}, kept: false };
    if (run.status === 'pending') run.status = 'in_progress';
    try {
      const results = await this.#jobs(scope);
      const jobs = toData(Object.fromEntries(results));
      const outputs: Record<string, string> = {};
      for (const [name, template] of workflow.on.workflowCall?.outputs ?? []) {
        outputs[name] = template.evaluateString(this.#evaluation(scope, { jobs }));
      }
      const all = [...results.values()];
      return { result: combine(all), outputs, kept: all.every(({ kept }) => kept) };
    } finally {
      leave();
    }
  }

  /** Each job as soon as those it needs have ended. */
  async #jobs(scope: Scope): Promise<Map<string, JobResult>> {
    const { jobs } = scope.planned.workflow;
    const byId = new Map(jobs.map((job) => [job.id.toLowerCase(), job]));
    const started = new Map<Job, Promise<JobResult>>();
    const start = (job: Job): Promise<JobResult> => {
      const known = started.get(job);
      if (known) return known;
      const needs = job.needs.map((id) => byId.get(id.toLowerCase())!);
      const promise = Promise.all(needs.map(start)).then((results) =>
        this.#job(scope, job, new Map(needs.map((need, index) => [need.id, results[index]!]))),
      );
      started.set(job, promise);
      return promise;
    };
    const results = await Promise.all(jobs.map(start));
    return new Map(jobs.map((job, index) => [job.id, results[index]!]));
  }

  async #job(scope: Scope, job: Job, needs: ReadonlyMap<string, JobResult>): Promise<JobResult> {
    const ancestors = new Set<Result>([...needs.values()].flatMap((need) => [need.result, ...need.ancestors]));
    const needsData = toData(
      Object.fromEntries([...needs].map(([id, { result, outputs }]) => [id, { result, outputs }])),
    );
    const status: NonNullable<Evaluation['status']> = {
      always: () => true,
      cancelled: () => this.#cancelled,
      success: () => !this.#cancelled && [...ancestors].every((result) => result === 'success'),
      failure: () => !this.#cancelled && ancestors.has('failure'),
    };
    const evaluation: Evaluation = { ...this.#evaluation(scope, { needs: needsData }), status };
    const key = `${scope.keyPrefix}${job.id}`;
    // A re-run of failed jobs takes over what passed, unless something it depends on runs again.
    const keep = this.#options.previous !== undefined && !scope.fresh && [...needs.values()].every(({ kept }) => kept);
    try {
      if (!job.if.evaluate(evaluation)) {
        const name = `${scope.namePrefix}${jobName(job, evaluation, undefined)}`;
        this.#records.finish(this.#records.create(key, name, {}), 'skipped');
        return { result: 'skipped', outputs: {}, ancestors, kept: keep };
      }
      return { ...mergeLegs(await this.#legs(scope, job, { needs: needsData, evaluation, key, keep })), ancestors };
    } catch (error) {
      return { ...this.#broken(key, `${scope.namePrefix}${job.name?.text ?? job.id}`, error as Error), ancestors };
    }
  }

  /** The job itself, or all combinations of its matrix, at most max-parallel at a time. */
  async #legs(
    scope: Scope,
    job: Job,
    { needs, evaluation, key, keep }: { needs: Data; evaluation: Evaluation; key: string; keep: boolean },
  ): Promise<LegResult[]> {
    const { strategy } = job;
    const combinations = strategy?.matrix ? expandMatrix(evaluateTree(strategy.matrix, evaluation)) : undefined;
    const failFast = strategy?.failFast ? isTruthy(strategy.failFast.evaluate(evaluation)) : true;
    const total = combinations?.length ?? 1;
    const wished = strategy?.maxParallel ? Number(fromData(strategy.maxParallel.evaluate(evaluation))) : total;
    const limit = Math.max(1, Math.min(wished || total, total));
    const failed = new AbortController();
    const stop = scope.stop ? AbortSignal.any([failed.signal, scope.stop]) : failed.signal;
    const results: LegResult[] = [];
    let next = 0;
    const worker = async () => {
      for (let index = next++; index < total; index = next++) {
        const combination = combinations?.[index];
        const contexts = {
          needs,
          matrix: toData(combination ?? null),
          strategy: toData({ 'fail-fast': failFast, 'job-index': index, 'job-total': total, 'max-parallel': limit }),
        };
        const own: Evaluation = { ...evaluation, contexts: { ...evaluation.contexts, ...contexts } };
        const result = await this.#leg(scope, job, {
          key: combination ? `${key}#${index + 1}` : key,
          name: `${scope.namePrefix}${jobName(job, own, combination)}`,
          evaluation: own,
          contexts,
          wanted: () => job.if.evaluate(evaluation),
          stop,
          keep,
        });
        results.push(result);
        if (result.result === 'failure' && failFast && combination) failed.abort();
      }
    };
    await Promise.all(Array.from({ length: limit }, worker));
    return results;
  }

  async #leg(scope: Scope, job: Job, leg: Leg): Promise<LegResult> {
    if (job.kind === 'normal') {
      const track = (running: RunningJob) => {
        this.#running.add(running);
        return () => void this.#running.delete(running);
      };
      const context = { options: this.#options, records: this.#records, track, cancelled: this.#cancellation.signal };
      return runLeaf(context, scope, job, leg);
    }
    try {
      return await this.#call(scope, job, leg);
    } catch (error) {
      return this.#broken(leg.key, leg.name, error as Error);
    }
  }

  async #call(scope: Scope, job: CallJob, leg: Leg): Promise<LegResult> {
    const planned = scope.planned.calls.get(job.id)!;
    const holder: Holder = {
      ancestors: [scope.holder, ...scope.holder.ancestors],
      cancel: (reason) => this.cancel(reason),
    };
    const leave = await enterGroup({
      groups: this.#options.concurrency,
      concurrency: job.concurrency,
      evaluation: leg.evaluation,
      holder,
      ended: this.#cancellation.signal,
      onPending: () => {},
    });
    if (leave === 'cancelled') return { result: 'cancelled', outputs: {}, kept: false };
    try {
      const inputs = callInputs(planned.workflow.on.workflowCall!.inputs, job.with, leg.evaluation);
      return await this.#workflow({
        planned,
        inputs: toData(inputs),
        namePrefix: `${leg.name} / `,
        keyPrefix: `${leg.key}.`,
        ceiling: effectivePermissions(scope, job),
        called: true,
        holder: { ancestors: [holder, ...holder.ancestors], cancel: holder.cancel },
        fresh: !leg.keep,
        stop: leg.stop,
      });
    } finally {
      leave();
    }
  }

  /** A job that fails before it has anything to run: its record says why. */
  #broken(key: string, name: string, error: Error): LegResult {
    this.#records.finish(this.#records.create(key, name, {}), 'failure', error.message);
    return { result: 'failure', outputs: {}, kept: false };
  }
}
