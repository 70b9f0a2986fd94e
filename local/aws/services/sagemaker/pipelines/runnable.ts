import type { JobRunner, JobSpecification } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import { evaluateKnown } from './evaluate.ts';
import type { ExecutionRecord } from './execution.ts';
import { readsNothing, stepScope } from './step-scope.ts';
import { stepTypes } from './step-types.ts';

const jobKinds: Readonly<Record<string, JobSpecification['kind']>> = {
  Processing: 'ProcessingJob',
  Training: 'TrainingJob',
  Transform: 'TransformJob',
};

/**
 * Refuses an execution that could not run to its end on this machine, before any of its steps starts: every reason of
 * every step at once, each with its way out.
 */
export async function checkRunnable(
  execution: ExecutionRecord,
  jobs: JobRunner,
  clock: Parameters<typeof stepScope>[1],
): Promise<void> {
  const reasons: string[] = [];
  const { selection } = execution;
  if (execution.definition.mlflow) reasons.push('MlflowConfig: there is no MLflow server here; leave it out or null');
  // Only parameters and the execution's own variables are known by now: nothing is read from S3.
  const known = stepScope(execution, clock, readsNothing, undefined);
  for (const step of execution.definition.steps) {
    if (selection !== undefined && !selection.steps.includes(step.name)) continue;
    const report = (reason: string) => reasons.push(`step '${step.name}' (${step.type}): ${reason}`);
    const unsupported = stepTypes[step.type]?.unsupported;
    if (unsupported !== undefined) report(unsupported);
    for (const trigger of step.triggers) {
      report(
        `DependsOn with a Trigger (${trigger}) is not supported here; let the step wait for success, by the name alone`,
      );
    }
    const kind = jobKinds[step.type];
    if (kind === undefined) continue;
    const request = (await evaluateKnown(step.arguments, known)) as Record<string, any>;
    for (const reason of jobs.check(kind, request)) report(reason);
  }
  if (reasons.length > 0) {
    throw new NotImplementedError(`this execution of pipeline ${execution.pipelineName}: ${reasons.join('; ')}`);
  }
}
