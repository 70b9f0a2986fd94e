import type { Step } from '../workflow/model.ts';
import { evaluation, type Frame, type JobState } from './state.ts';

export function stepName(job: JobState, frame: Frame, step: Step): string {
  try {
    if (step.name) return job.masks.mask(step.name.evaluateString(evaluation(job, frame)));
    if (step.kind === 'uses') return `Run ${step.uses}`;
    const [first = ''] = step.run.evaluateString(evaluation(job, frame)).trim().split('\n');
    return job.masks.mask(`Run ${first}`);
  } catch {
    // The expression fails again, with its place, when the step runs.
    return step.name?.text ?? (step.kind === 'uses' ? `Run ${step.uses}` : 'Run');
  }
}

export function evaluateEnv(job: JobState, frame: Frame, step: Step): ReadonlyMap<string, string> {
  const env = new Map<string, string>();
  for (const [name, template] of step.env) env.set(name, template.evaluateString(evaluation(job, frame, env)));
  return env;
}
