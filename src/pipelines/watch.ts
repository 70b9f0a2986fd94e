import {
  DescribePipelineExecutionCommand,
  type DescribePipelineExecutionResponse,
  ListPipelineExecutionStepsCommand,
  type PipelineExecutionStep,
} from '@aws-sdk/client-sagemaker';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Service } from '../aws/session.ts';
import type { Clock } from '../clock.ts';

export interface ExecutionState {
  status: string;
  failureReason: string | undefined;
  description: DescribePipelineExecutionResponse;
  /** Oldest first. */
  steps: PipelineExecutionStep[];
}

export interface WatchOptions {
  sagemaker: Service;
  executionArn: string;
  region: string;
  account: string;
  clock: Clock;
  signal: AbortSignal;
  deadline: number | undefined;
  /** A step changed its status (also told for what was there when watching began). */
  onStep: (step: PipelineExecutionStep) => void;
}

export async function listSteps(sagemaker: Service, executionArn: string): Promise<PipelineExecutionStep[]> {
  const steps: PipelineExecutionStep[] = [];
  let token: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListPipelineExecutionStepsCommand({
        PipelineExecutionArn: executionArn,
        SortOrder: 'Ascending',
        MaxResults: 100,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
      { resource: executionArn },
    );
    steps.push(...(page.PipelineExecutionSteps ?? []));
    token = page.NextToken;
  } while (token !== undefined);
  return steps;
}

async function read(sagemaker: Service, executionArn: string): Promise<ExecutionState> {
  const description = await sagemaker.send(
    new DescribePipelineExecutionCommand({ PipelineExecutionArn: executionArn }),
    {
      resource: executionArn,
    },
  );
  // The steps are read after the status: an execution seen as ended shows all its steps.
  const steps = await listSteps(sagemaker, executionArn);
  return {
    status: description.PipelineExecutionStatus ?? '',
    failureReason: description.FailureReason,
    description,
    steps,
  };
}

/** Waits for the execution's end and tells about every step on the way. */
export function watchExecution(options: WatchOptions): Promise<ExecutionState> {
  const { sagemaker, executionArn, clock, signal, deadline, onStep } = options;
  const seen = new Map<string, string>();
  return poll({
    async read() {
      const state = await read(sagemaker, executionArn);
      for (const step of state.steps) {
        const name = step.StepName ?? '';
        const status = `${step.StepStatus ?? ''} ${step.AttemptCount ?? 0}`;
        if (seen.get(name) === status) continue;
        seen.set(name, status);
        onStep(step);
      }
      return state;
    },
    done: ({ status }) => !['Executing', 'Stopping'].includes(status),
    clock,
    signal,
    deadline,
    // Pipelines whose steps come from the cache end within seconds.
    shortest: 500,
    onDeadline: () =>
      stillRunning({
        resource: executionArn,
        region: options.region,
        account: options.account,
        where: 'The execution was still running',
        resume: 're-run this job to attach to it',
      }),
  });
}
