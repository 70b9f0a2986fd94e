import { type Data, type Evaluation, fromData, type Template, toData } from '../expressions.ts';
import type { Job, WorkflowInput } from '../workflow/model.ts';
import { intersect, type Permissions } from '../workflow/permissions.ts';
import type { PlannedWorkflow } from '../workflow/plan.ts';
import type { Holder } from './concurrency.ts';
import { type Combination, matrixSuffix } from './matrix.ts';

export type Result = 'success' | 'failure' | 'cancelled' | 'skipped';

/** What one job, or one job of a matrix, comes to. */
export interface LegResult {
  result: Result;
  outputs: Record<string, string>;
  /** Taken over from the attempt before. */
  kept: boolean;
}

export interface JobResult extends LegResult {
  /** Results of everything this job depends on, directly or not: success() and failure() look at all of them. */
  ancestors: ReadonlySet<Result>;
}

/** A workflow being run: the top one or a called one. */
export interface Scope {
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
  /** fail-fast of a matrix that a call above stands in. */
  stop: AbortSignal | undefined;
}

/** One job of a matrix; a job without one has a single leg. */
export interface Leg {
  key: string;
  name: string;
  evaluation: Evaluation;
  contexts: { needs: Data; matrix: Data; strategy: Data };
  /** Does the job's `if` (still) hold? */
  wanted: () => boolean;
  /** fail-fast: another job of the matrix has failed. */
  stop: AbortSignal;
  /** May be taken over from the attempt before. */
  keep: boolean;
}

/** A job's block replaces its workflow's. Down the call tree rights only shrink. */
export function effectivePermissions(scope: Scope, job: Job): Permissions {
  const requested = job.permissions ?? scope.planned.workflow.permissions;
  if (!requested) return scope.ceiling;
  return scope.called ? intersect(requested, scope.ceiling) : requested;
}

/** GitHub appends the matrix values to a name without expressions. */
export function jobName(job: Job, evaluation: Evaluation, combination: Combination | undefined): string {
  if (job.name && !job.name.literal) return job.name.evaluateString(evaluation);
  const name = job.name?.text ?? job.id;
  const suffix = combination ? matrixSuffix(combination) : '';
  return suffix ? `${name} ${suffix}` : name;
}

/** The inputs of a call, by their declared types. Throws when an expression gives another type. */
export function callInputs(
  declared: readonly WorkflowInput[],
  given: ReadonlyMap<string, Template>,
  evaluation: Evaluation,
): Record<string, unknown> {
  const values = new Map([...given].map(([name, template]) => [name.toLowerCase(), template]));
  const result: Record<string, unknown> = {};
  for (const input of declared) {
    const template = values.get(input.name.toLowerCase()) ?? input.default;
    const empty = input.type === 'boolean' ? false : input.type === 'number' ? 0 : '';
    const value = template?.evaluate(evaluation) ?? toData(empty);
    const plain = fromData(value);
    if (input.type === 'string') result[input.name] = value.coerceString();
    else if (typeof plain === input.type) result[input.name] = plain;
    else {
      const where = template ? `${template.at.file} (Line: ${template.at.line}): ` : '';
      throw new Error(`${where}Input '${input.name}' must be a ${input.type}, not '${value.coerceString()}'`);
    }
  }
  return result;
}

/** One result of all jobs of a matrix. Outputs come in the order in which the jobs ended: the last one that sets a value wins. */
export function mergeLegs(results: readonly LegResult[]): LegResult {
  const outputs: Record<string, string> = {};
  for (const one of results) {
    for (const [name, value] of Object.entries(one.outputs)) if (value !== '') outputs[name] = value;
  }
  return { result: combine(results), outputs, kept: results.every(({ kept }) => kept) };
}

/** The worst of several results; skipped only when all are. */
export function combine(results: readonly { result: Result }[]): Result {
  const order: Result[] = ['failure', 'cancelled', 'success'];
  return order.find((wanted) => results.some(({ result }) => result === wanted)) ?? 'skipped';
}
