import { type Evaluation, fromData, isTruthy } from '../expressions.ts';
import type { Approval, JobRecord } from '../types.ts';
import type { NormalJob } from '../workflow/model.ts';
import { refuseLabel } from '../workflow/parse.ts';
import { evaluateTree } from '../workflow/yaml.ts';
import type { AttemptOptions } from './attempt-options.ts';
import { type Entered, enterGroup, type Holder } from './concurrency.ts';
import type { Environment } from './environments.ts';
import { RunningJob } from './job.ts';
import { minutes } from './minutes.ts';
import type { JobRecords } from './records.ts';
import { effectivePermissions, type Leg, type LegResult, type Scope } from './results.ts';
import { definition } from './spec.ts';

/** GitHub's default of timeout-minutes. */
const defaultTimeoutMinutes = 360;
/** All outputs of a run, counted as UTF-16. */
const runOutputLimit = 50 * 1024 * 1024;

export interface LeafContext {
  options: AttemptOptions;
  records: JobRecords;
  /** Called for each job that runs, so that the attempt can kill it. Returns what to call at its end. */
  track: (job: RunningJob) => () => void;
  /** Aborted when the run is cancelled. */
  cancelled: AbortSignal;
}

/** A job with steps, from its turn in the graph to its end: concurrency, environment, runner, in this order. Never rejects. */
export async function runLeaf(context: LeafContext, scope: Scope, job: NormalJob, leg: Leg): Promise<LegResult> {
  const { options, records, cancelled } = context;
  const before = leg.keep ? options.previous?.get(leg.key) : undefined;
  if (before?.conclusion === 'success') {
    records.keep(before);
    return { result: 'success', outputs: before.outputs, kept: true };
  }
  const record = records.create(leg.key, leg.name, effectivePermissions(scope, job));
  const ended = new AbortController();
  const holder: Holder = {
    ancestors: [scope.holder, ...scope.holder.ancestors],
    cancel: (reason) => {
      record.annotations.push({ level: 'error', message: reason });
      ended.abort();
    },
  };
  const onCancelled = () => {
    // A job whose `if` still holds after the cancellation (always(), cancelled()) goes on.
    if (!holds(leg.wanted)) ended.abort();
  };
  const onStop = () => ended.abort();
  cancelled.addEventListener('abort', onCancelled);
  leg.stop.addEventListener('abort', onStop);
  if (cancelled.aborted) onCancelled();
  if (leg.stop.aborted) onStop();

  let group: Entered = 'cancelled';
  try {
    group = await enterGroup({
      groups: options.concurrency,
      concurrency: job.concurrency,
      evaluation: leg.evaluation,
      holder,
      ended: ended.signal,
      onPending: (name) => {
        record.status = 'pending';
        options.emit({ type: 'job-pending', run: options.facts.run, job: record, group: name });
      },
    });
    if (group === 'cancelled' || ended.signal.aborted) return end('cancelled');
    record.status = 'queued';
    record.labels = labels(job, leg.evaluation);
    const environment = enterEnvironment(options, job, leg.evaluation);
    if (environment) {
      record.environment = environment.name;
      const refusal = await protect(options, record, environment, ended.signal);
      if (refusal === 'cancelled') return end('cancelled');
      if (refusal !== undefined) return end('failure', refusal);
    }
    const timeout = job.timeoutMinutes
      ? minutes('timeout-minutes', job.timeoutMinutes, leg.evaluation)
      : defaultTimeoutMinutes;
    const grace = job.cancelTimeoutMinutes
      ? minutes('cancel-timeout-minutes', job.cancelTimeoutMinutes, leg.evaluation)
      : undefined;
    record.tolerated = job.continueOnError ? isTruthy(job.continueOnError.evaluate(leg.evaluation)) : false;
    const running = new RunningJob(
      options.services,
      {
        facts: options.facts,
        planned: scope.planned,
        job,
        key: leg.key,
        inputs: scope.inputs,
        ...leg.contexts,
        variables: { ...options.variables(), ...environment?.variables },
        permissions: record.permissions,
        environment: environment?.name,
        definedBy: definition(scope.planned),
      },
      record,
      options.runDirectory,
    );
    const untrack = context.track(running);
    ended.signal.addEventListener('abort', () => running.cancel(), { once: true });
    if (ended.signal.aborted) running.cancel();
    records.start(record);
    const outcome = await running.run(timeout, grace).finally(untrack);
    record.outputs = outcome.outputs;
    const size = options.facts.run.jobs.reduce((sum, one) => sum + outputSize(one.outputs), 0);
    if (size > runOutputLimit) {
      record.outputs = {};
      return end('failure', `The outputs of this run's jobs have ${size} bytes; the limit is ${runOutputLimit}.`);
    }
    records.finish(record, outcome.conclusion);
    const result = outcome.conclusion === 'failure' && record.tolerated ? 'success' : outcome.conclusion;
    return { result, outputs: outcome.outputs, kept: false };
  } catch (error) {
    return end('failure', (error as Error).message);
  } finally {
    cancelled.removeEventListener('abort', onCancelled);
    leg.stop.removeEventListener('abort', onStop);
    if (group !== 'cancelled') group();
  }

  /** The end of a job that never got to its runner. */
  function end(result: 'failure' | 'cancelled', error?: string): LegResult {
    records.finish(record, result, error);
    return { result, outputs: {}, kept: false };
  }
}

function holds(wanted: () => boolean): boolean {
  try {
    return wanted();
  } catch {
    return false;
  }
}

function labels(job: NormalJob, evaluation: Evaluation): string[] {
  const value = fromData(evaluateTree(job.runsOn, evaluation));
  const names = (Array.isArray(value) ? value : [value]).map(String);
  for (const name of names) {
    refuseLabel(name, (message) => {
      throw new Error(message);
    });
  }
  return names;
}

function enterEnvironment(options: AttemptOptions, job: NormalJob, evaluation: Evaluation): Environment | undefined {
  const name = job.environment?.name.evaluateString(evaluation) ?? '';
  return name === '' ? undefined : options.environments.enter(name);
}

/** Branch rules, then reviewers: every job asks for its own approval. Returns why the job may not go on. */
async function protect(
  { environments, emit, reviewer, facts: { run } }: AttemptOptions,
  record: JobRecord,
  environment: Environment,
  ended: AbortSignal,
): Promise<string | 'cancelled' | undefined> {
  const refused = environments.refusesRef(environment, run.ref);
  if (refused) return refused;
  const reviewers = environment.reviewers ?? [];
  if (reviewers.length === 0) return undefined;
  const { decided, giveUp } = environments.review(run, record, environment);
  ended.addEventListener('abort', giveUp, { once: true });
  record.status = 'waiting';
  run.status = 'waiting';
  emit({ type: 'waiting-for-review', run, job: record, environment: environment.name, reviewers });
  let unanswered: string | undefined;
  reviewer?.({ run, job: record, environment: environment.name, reviewers })
    .then(({ state, comment, user }) => {
      // Somebody else may have decided meanwhile.
      if (record.status === 'waiting') environments.decide(run.id, environment.name, state, comment, user);
    })
    .catch((error: Error) => {
      unanswered = error.message;
      giveUp();
    });
  const answer: Approval | 'cancelled' = await decided;
  run.status = environments.pending(run.id).length > 0 ? 'waiting' : 'in_progress';
  record.status = 'queued';
  if (answer === 'cancelled') return unanswered ?? 'cancelled';
  emit({ type: 'reviewed', run, job: record, approval: answer });
  if (answer.state === 'approved') return undefined;
  return `Deployment to ${environment.name} was rejected by ${answer.user}${answer.comment ? `: ${answer.comment}` : ''}.`;
}

function outputSize(outputs: Record<string, string>): number {
  return Object.entries(outputs).reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0);
}
