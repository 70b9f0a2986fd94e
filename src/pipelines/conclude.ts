import { DescribePipelineDefinitionForExecutionCommand } from '@aws-sdk/client-sagemaker';
import { FailureError, type Status } from '../failure.ts';
import type { Definition } from './definition.ts';
import { describeJobs, describePackage, explain, type OutcomeDeps, packageArns, unmetConditions } from './outcome.ts';
import type { RunReport, RunRequest } from './request.ts';
import type { Started } from './start.ts';
import type { ExecutionState } from './watch.ts';

export interface Ended {
  request: RunRequest;
  started: Started;
  state: ExecutionState;
  parameters: Readonly<Record<string, string>>;
  /** Today's definition. */
  definition: Definition;
}

/** A retried execution keeps the definition that it was started with, which need not be today's. */
async function ownDefinition({ sagemaker }: OutcomeDeps, { started, definition }: Ended): Promise<Definition> {
  if (started.how === 'started') return definition;
  const { executionArn } = started;
  try {
    const answer = await sagemaker.send(
      new DescribePipelineDefinitionForExecutionCommand({ PipelineExecutionArn: executionArn }),
      { resource: executionArn },
    );
    return JSON.parse(answer.PipelineDefinition ?? '') as Definition;
  } catch {
    // It only names the sides of a condition; the failure itself is told anyway.
    return definition;
  }
}

/** What an ended execution means: its package, nothing, or why it failed (FailureError). */
export async function conclude(deps: OutcomeDeps, ended: Ended, report: RunReport): Promise<Status> {
  const { request, started, state, parameters } = ended;
  const { executionArn } = started;
  const jobs = await describeJobs(deps, state.steps);
  report.jobs = jobs;
  report.instanceSeconds = [...jobs.values()].reduce(
    (sum, job) => sum + (job.billableSeconds ?? 0) * job.instanceCount,
    0,
  );
  if (state.status !== 'Succeeded') {
    throw new FailureError(
      await explain(deps, executionArn, state, await ownDefinition(deps, ended), parameters, jobs),
    );
  }
  const arns = packageArns(state.steps);
  report.packages = await Promise.all(arns.map((arn) => describePackage(deps, arn)));
  if (arns.length > 0) return '';
  if (request.onNoModel === 'succeed' || request.selectedSteps !== undefined) return 'none';
  const definition = await ownDefinition(deps, ended);
  const unmet = await unmetConditions(deps, executionArn, definition, parameters, state.steps, jobs);
  if (unmet.length > 0) throw new FailureError(unmet);
  throw new FailureError({
    code: 'NoModel',
    account: deps.account,
    region: deps.region,
    resource: executionArn,
    cause: 'The execution succeeded without registering a model',
    hint: 'Give `on-no-model: succeed` when that is meant',
  });
}
