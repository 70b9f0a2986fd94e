import type { Condition, Template } from '../expressions.ts';
import type { PullFilters, PushFilters } from './filters.ts';
import type { Location } from './location.ts';
import type { Permissions } from './permissions.ts';
import type { TemplateTree } from './yaml.ts';

export type InputType = 'string' | 'number' | 'boolean' | 'choice' | 'environment';

export interface WorkflowInput {
  name: string;
  type: InputType;
  required: boolean;
  default: Template | undefined;
  options: string[];
  description: string;
}

export interface Triggers {
  push?: PushFilters;
  pullRequest?: PullFilters;
  repositoryDispatch?: { types: string[] | undefined };
  workflowDispatch?: { inputs: WorkflowInput[] };
  workflowCall?: { inputs: WorkflowInput[]; outputs: Map<string, Template> };
  /** Events of GitHub that never happen here (schedule, release, ...). */
  ignored: string[];
}

export interface Concurrency {
  group: Template;
  cancelInProgress: Template | undefined;
  queue: 'single' | 'max';
}

export type Shell = 'bash' | 'sh' | 'python' | 'default';

export interface StepBase {
  at: Location;
  id: string | undefined;
  name: Template | undefined;
  if: Condition;
  env: Map<string, Template>;
  continueOnError: Template | undefined;
  timeoutMinutes: Template | undefined;
}

export interface RunStep extends StepBase {
  kind: 'run';
  run: Template;
  shell: Shell;
  workingDirectory: Template | undefined;
}

export interface UsesStep extends StepBase {
  kind: 'uses';
  uses: string;
  with: Map<string, Template>;
}

export type Step = RunStep | UsesStep;

export interface JobBase {
  id: string;
  at: Location;
  name: Template | undefined;
  needs: string[];
  if: Condition;
  permissions: Permissions | undefined;
  concurrency: Concurrency | undefined;
  strategy: Strategy | undefined;
}

export interface Strategy {
  matrix: TemplateTree | undefined;
  failFast: Template | undefined;
  maxParallel: Template | undefined;
}

export interface CallJob extends JobBase {
  kind: 'call';
  uses: string;
  with: Map<string, Template>;
}

export interface NormalJob extends JobBase {
  kind: 'normal';
  runsOn: TemplateTree;
  environment: { name: Template; url: Template | undefined } | undefined;
  env: Map<string, Template>;
  outputs: Map<string, Template>;
  timeoutMinutes: Template | undefined;
  /** What always() and post steps of a cancelled job have; default five minutes. */
  cancelTimeoutMinutes: Template | undefined;
  continueOnError: Template | undefined;
  steps: Step[];
}

export type Job = CallJob | NormalJob;

export interface Workflow {
  name: string | undefined;
  runName: Template | undefined;
  on: Triggers;
  permissions: Permissions | undefined;
  env: Map<string, Template>;
  concurrency: Concurrency | undefined;
  jobs: Job[];
}

export interface ActionInput {
  name: string;
  default: Template | undefined;
  deprecationMessage: string | undefined;
}

export interface JavaScriptRuns {
  kind: 'javascript';
  using: string;
  main: string;
  pre: string | undefined;
  preIf: Condition;
  post: string | undefined;
  postIf: Condition;
}

export interface CompositeRuns {
  kind: 'composite';
  steps: Step[];
  outputs: Map<string, Template>;
}

export interface Action {
  name: string;
  at: Location;
  inputs: ActionInput[];
  runs: JavaScriptRuns | CompositeRuns;
}
