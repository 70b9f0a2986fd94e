import type { JavaScriptRuns, UsesStep } from '../workflow/model.ts';
import { compositeFrame, type LoadedAction, runJavaScript, type Use } from './actions.ts';
import { evaluation, type Frame, type JobState, type Post, stepKey } from './state.ts';
import { evaluateEnv, stepName } from './step-values.ts';

/** Post steps are registered when the pre or main step of an action begins, once for each use; what they see is the newest. */
export function registerPost(job: JobState, use: Use, action: LoadedAction, runs: JavaScriptRuns): void {
  const script = runs.post;
  if (script === undefined) return;
  const key = stepKey(use.frame, use.step);
  const known = job.uses.has(key);
  job.uses.set(key, { frame: use.frame, env: use.env });
  if (known) return;
  const newest = (): Use => ({ step: use.step, ...job.uses.get(key)! });
  job.posts.push({
    name: `Post ${stepName(job, use.frame, use.step)}`,
    id: use.step.id,
    // Phases other than main look at the job's status, also inside a composite action.
    shouldRun: () => runs.postIf.evaluate(evaluation(job, { ...newest().frame, kind: 'job' }, newest().env)),
    run: async (signal) => (await runJavaScript(job, newest(), action, { script, main: false }, signal)).outcome,
  });
}

/** Pre steps of all actions run before the first step of the job, in order; actions of the workspace have none. */
export function preSteps(job: JobState, frame: Frame, signal: AbortSignal): Post[] {
  const result: Post[] = [];
  for (const step of frame.list) {
    const planned = step.kind === 'uses' ? job.spec.facts.actions.get(step) : undefined;
    if (step.kind !== 'uses' || planned?.kind !== 'action') continue;
    const { runs } = planned.action;
    if (runs.kind === 'composite') {
      if (
        !hasPre(
          job,
          runs.steps.filter((one) => one.kind === 'uses'),
        )
      )
        continue;
      const use = { frame, step, env: evaluateEnv(job, frame, step) };
      result.push(...preSteps(job, compositeFrame(job, use, planned, runs, signal, false), signal));
    } else if (runs.pre !== undefined) result.push(preStep(job, frame, step, planned, runs, runs.pre));
  }
  return result;
}

function preStep(
  job: JobState,
  frame: Frame,
  step: UsesStep,
  action: LoadedAction,
  runs: JavaScriptRuns,
  script: string,
): Post {
  return {
    name: `Pre ${stepName(job, frame, step)}`,
    id: step.id,
    shouldRun: () => runs.preIf.evaluate(evaluation(job, { ...frame, kind: 'job' })),
    run: async (signal) => {
      const use = { frame, step, env: evaluateEnv(job, frame, step) };
      registerPost(job, use, action, runs);
      return (await runJavaScript(job, use, action, { script, main: false }, signal)).outcome;
    },
  };
}

function hasPre(job: JobState, steps: readonly UsesStep[]): boolean {
  return steps.some((step) => {
    const planned = job.spec.facts.actions.get(step);
    if (planned?.kind !== 'action') return false;
    const { runs } = planned.action;
    return runs.kind === 'composite'
      ? hasPre(
          job,
          runs.steps.filter((one) => one.kind === 'uses'),
        )
      : runs.pre !== undefined;
  });
}
