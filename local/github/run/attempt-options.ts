import type { Data } from '../expressions.ts';
import type { GitHubOptions, JobRecord, RunEvent } from '../types.ts';
import type { Permissions } from '../workflow/permissions.ts';
import type { PlannedWorkflow } from '../workflow/plan.ts';
import type { ConcurrencyGroups } from './concurrency.ts';
import type { Environments } from './environments.ts';
import type { JobServices } from './job.ts';
import type { RunFacts } from './spec.ts';

export interface AttemptOptions {
  facts: RunFacts;
  root: PlannedWorkflow;
  inputs: Data;
  runDirectory: string;
  /** What jobs get that ask for nothing. */
  permissions: Permissions;
  variables: () => Record<string, string>;
  environments: Environments;
  concurrency: ConcurrencyGroups;
  services: JobServices;
  reviewer: GitHubOptions['reviewer'];
  emit: (event: RunEvent) => void;
  nextJobId: () => number;
  /** Jobs of the attempt before, when only failed ones run again. */
  previous: ReadonlyMap<string, JobRecord> | undefined;
}
