import type { Data } from '../expressions.ts';
import type { Origin } from '../origin.ts';
import type { Repository, RunRecord } from '../types.ts';
import type { NormalJob, UsesStep } from '../workflow/model.ts';
import type { Permissions } from '../workflow/permissions.ts';
import type { PlannedAction, PlannedWorkflow } from '../workflow/plan.ts';

/** What a run is about: the same for all its jobs and attempts. */
export interface RunFacts {
  run: RunRecord;
  repository: Repository;
  /** The webhook payload. */
  event: Record<string, unknown>;
  /** The top workflow's own file at the run's commit. */
  workflowRef: string;
  workflowSha: string;
  actions: Map<UsesStep, PlannedAction>;
}

/** One job that is ready for a runner: its place in the tree, and the contexts that the server hands over. */
export interface JobSpec {
  facts: RunFacts;
  planned: PlannedWorkflow;
  job: NormalJob;
  key: string;
  inputs: Data;
  needs: Data;
  matrix: Data;
  strategy: Data;
  /** Repository variables with those of the environment over them. */
  variables: Record<string, string>;
  permissions: Permissions;
  environment: string | undefined;
  /** The file that defines this job, for job.workflow_* and the job_workflow_* claims. */
  definedBy: { repository: string; path: string; ref: string; sha: string };
}

export function definition(planned: PlannedWorkflow): JobSpec['definedBy'] {
  const { repository, ref, sha }: Origin = planned.origin;
  return { repository, path: planned.path, ref, sha };
}
