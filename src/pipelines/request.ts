import type { PipelineExecutionStep } from '@aws-sdk/client-sagemaker';
import type { Project } from '../names.ts';
import type { Change } from './diff.ts';
import type { Job } from './jobs.ts';
import type { RegisteredPackage } from './outcome.ts';
import type { Started } from './start.ts';
import type { ExecutionState } from './watch.ts';

export interface RunRequest {
  project: Project;
  workspace: string;
  configuration: string;
  parameters: Readonly<Record<string, string>>;
  selectedSteps: readonly string[] | undefined;
  sourceExecution: string | undefined;
  onNoModel: 'fail' | 'succeed';
  dryRun: boolean;
  /** Names that differ from the project's own. */
  pipelineName: string | undefined;
  bucket: string | undefined;
  kmsKey: string | undefined;
  pipelineRole: string | undefined;
  jobRole: string | undefined;
  runId: string;
  commit: string;
  runUrl: string;
  deadline: number | undefined;
}

/** What is known so far; the summary is written from it, also after a failure. */
export interface RunReport {
  region?: string;
  account?: string;
  advice?: string[];
  pipelineArn?: string;
  pipelineAction?: 'create' | 'update' | 'unchanged';
  /** Nothing was changed; pipelineAction is what would be. */
  dryRun?: boolean;
  version?: number | undefined;
  changes?: Change[];
  uploaded?: { files: number; bytes: number; reused: number };
  parameters?: Record<string, string>;
  started?: Started;
  state?: ExecutionState;
  jobs?: Map<string, Job>;
  instanceSeconds?: number;
  packages?: RegisteredPackage[];
}

export interface RunListener {
  info(message: string): void;
  pipeline(arn: string, action: 'create' | 'update' | 'unchanged'): void;
  /** Dry run: what would be done. */
  planned(arn: string, action: 'create' | 'update' | 'unchanged'): void;
  /** An execution runs (or ended) remotely; `stop` ends it. */
  execution(started: Started, stop: () => Promise<void>): void;
  step(step: PipelineExecutionStep): void;
}
