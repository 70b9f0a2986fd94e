import { resolve } from 'node:path';
import { type Condition, isTruthy } from '../expressions.ts';
import { runStandIn } from '../stand-ins/index.ts';
import type { StepRecord } from '../types.ts';
import type { CompositeRuns, Step } from '../workflow/model.ts';
import type { PlannedAction } from '../workflow/plan.ts';
import { compositeFrame, evaluateAll, type LoadedAction, runJavaScript, type Use } from './actions.ts';
import { minutes, timerMilliseconds } from './minutes.ts';
import { registerPost } from './phases.ts';
import { runScript } from './shells.ts';
import {
  type AbortReason,
  annotate,
  evaluation,
  type Frame,
  type JobState,
  type Outcome,
  type StepResult,
} from './state.ts';
import { evaluateEnv, stepName } from './step-values.ts';

type Env = ReadonlyMap<string, string>;
type HandlerResult = { outcome: Outcome; outputs: Record<string, string> };

/** Runs one step of a job or composite action and writes its result into the frame. `record` is there for a job's own steps. */
export async function runStep(job: JobState, frame: Frame, step: Step, record?: StepRecord): Promise<StepResult> {
  let env: Env;
  try {
    env = evaluateEnv(job, frame, step);
    if (!step.if.evaluate(evaluation(job, frame, env)))
      return finish(job, frame, step, { outcome: 'skipped', outputs: {} });
  } catch (error) {
    annotate(job, { level: 'error', message: (error as Error).message });
    return finish(job, frame, step, { outcome: 'failure', outputs: {} });
  }
  if (record) job.log.line(`##[group]${record.name}`);
  const handled = await guarded(job, frame, step, env, (signal) => handle(job, { frame, step, env }, signal));
  if (record) job.log.line('##[endgroup]');
  return finish(job, frame, step, handled);
}

function finish(job: JobState, frame: Frame, step: Step, { outcome, outputs }: HandlerResult): StepResult {
  const tolerated = outcome === 'failure' && step.continueOnError !== undefined && tolerates(job, frame, step);
  const result: StepResult = { outputs, outcome, conclusion: tolerated ? 'success' : outcome };
  if (step.id !== undefined) frame.results.set(step.id, result);
  if (result.conclusion === 'failure' && frame.status === 'success') frame.status = 'failure';
  if (result.conclusion === 'cancelled') frame.status = 'cancelled';
  return result;
}

function tolerates(job: JobState, frame: Frame, step: Step): boolean {
  try {
    return isTruthy(step.continueOnError!.evaluate(evaluation(job, frame)));
  } catch (error) {
    annotate(job, { level: 'error', message: (error as Error).message });
    return false;
  }
}

/** Time-out and cancellation around a step. A step whose `if` still holds after the cancellation goes on. */
async function guarded(
  job: JobState,
  frame: Frame,
  step: Step,
  env: Env,
  run: (signal: AbortSignal) => Promise<HandlerResult>,
): Promise<HandlerResult> {
  const controller = new AbortController();
  const abort = (reason: AbortReason) => controller.abort(reason);
  const onFrameEnds = () => {
    const reason = frame.signal.reason as AbortReason;
    if (reason !== 'cancelled' || !holds(job, frame, step.if, env)) abort(reason);
  };
  const onDeadline = () => abort('deadline');
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = step.timeoutMinutes && minutes('timeout-minutes', step.timeoutMinutes, evaluation(job, frame, env));
    if (limit) timer = setTimeout(() => abort('timeout'), timerMilliseconds(limit, job.pace));
    // What starts after the cancellation was wanted all the same: always(), cancelled().
    if (!frame.signal.aborted) frame.signal.addEventListener('abort', onFrameEnds, { once: true });
    else if (frame.signal.reason !== 'cancelled') onFrameEnds();
    job.deadline.signal.addEventListener('abort', onDeadline, { once: true });
    if (job.deadline.signal.aborted) onDeadline();
    // Too late to start anything.
    if (controller.signal.aborted) return { outcome: 'cancelled', outputs: {} };
    const result = await run(controller.signal);
    if (controller.signal.reason === 'timeout' && !frame.signal.aborted) {
      annotate(job, {
        level: 'error',
        message: `The action '${stepName(job, frame, step)}' has timed out after ${limit} minutes.`,
      });
      return { ...result, outcome: 'failure' };
    }
    if (result.outcome === 'cancelled' && frame.kind === 'job')
      annotate(job, { level: 'error', message: 'The operation was canceled.' });
    return result;
  } catch (error) {
    annotate(job, { level: 'error', message: (error as Error).message });
    return { outcome: 'failure', outputs: {} };
  } finally {
    clearTimeout(timer);
    frame.signal.removeEventListener('abort', onFrameEnds);
    job.deadline.signal.removeEventListener('abort', onDeadline);
  }
}

function holds(job: JobState, frame: Frame, condition: Condition, env: Env): boolean {
  try {
    return condition.evaluate(evaluation(job, frame, env));
  } catch {
    return false;
  }
}

async function handle(
  job: JobState,
  { frame, step, env }: { frame: Frame; step: Step; env: Env },
  signal: AbortSignal,
): Promise<HandlerResult> {
  if (step.kind === 'run') return runScript(job, frame, step, env, signal);
  const use: Use = { frame, step, env };
  const planned = job.spec.facts.actions.get(step) ?? { kind: 'workspace' as const, path: step.uses };
  const action = await load(job, planned, step);
  if (action.kind === 'stand-in') return runStandIn(action.name, job, evaluateAll(job, use, step.with));
  const { runs } = action.action;
  if (runs.kind === 'composite') return runComposite(job, use, action, runs, signal);
  registerPost(job, use, action, runs);
  return runJavaScript(job, use, action, { script: runs.main, main: true }, signal);
}

async function load(
  job: JobState,
  planned: PlannedAction,
  step: Step,
): Promise<Exclude<PlannedAction, { kind: 'workspace' }>> {
  if (planned.kind !== 'workspace') return planned;
  const loaded = await job.loadWorkspaceAction(resolve(job.folders.workspace, planned.path), step.at);
  if (loaded.kind === 'workspace') throw new Error(`'${planned.path}' is not an action`);
  return loaded;
}

async function runComposite(
  job: JobState,
  use: Use,
  action: LoadedAction,
  runs: CompositeRuns,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const frame = compositeFrame(job, use, action, runs, signal, true);
  // Before the steps listen: their conditions must already see it.
  signal.addEventListener('abort', () => {
    frame.status = 'cancelled';
  });
  for (const step of runs.steps) {
    // After a time-out or the deadline nothing more is started; after a cancellation always() is.
    if (signal.aborted && signal.reason !== 'cancelled') break;
    await runStep(job, frame, step);
  }
  const outputs: Record<string, string> = {};
  for (const [name, template] of runs.outputs) outputs[name] = template.evaluateString(evaluation(job, frame));
  return { outcome: frame.status, outputs };
}
