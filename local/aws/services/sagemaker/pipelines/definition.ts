import type { ParameterDefinition } from './parameters.ts';

export interface RetryPolicy {
  exceptions: string[];
  intervalSeconds: number;
  backoffRate: number;
  /** Tries after the first; undefined when only the time limits them. */
  maxAttempts: number | undefined;
  expireAfterMinutes: number | undefined;
}

export interface PropertyFile {
  name: string;
  output: string;
  path: string;
}

/** The branch that a step stands in: it can only run when that Condition has this outcome. */
export interface Branch {
  condition: string;
  outcome: 'True' | 'False';
}

export interface StepDefinition {
  name: string;
  type: string;
  /** JSON path of the step in the definition. */
  at: string;
  displayName?: string;
  description?: string;
  /** The Arguments without the steps of branches, which are steps of their own here. */
  arguments: Record<string, any>;
  /** Every step that must have succeeded first: DependsOn, references, and the Condition around it. */
  needs: string[];
  /** Innermost branch last; empty for a step at the top. */
  branches: Branch[];
  propertyFiles: PropertyFile[];
  retryPolicies: RetryPolicy[];
  /** Undefined = not cached; without milliseconds a hit never expires. */
  cache?: { expireAfter?: number };
  /** A form of DependsOn that waits for something else than success, as newer SDKs write it. */
  triggers: string[];
  /** Checks, Lambda, Callback: members beside Arguments. */
  extra: Record<string, unknown>;
}

export interface Definition {
  text: string;
  parameters: ParameterDefinition[];
  /** Expressions of PipelineExperimentConfig. */
  experiment?: Record<string, unknown>;
  /** True when the definition asks for an MLflow server. */
  mlflow: boolean;
  /** All steps, those of branches included, in the order of the text. */
  steps: StepDefinition[];
}

export function findStep(definition: Definition, name: string): StepDefinition | undefined {
  return definition.steps.find((step) => step.name === name);
}
