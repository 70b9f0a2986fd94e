import {
  DescribePipelineExecutionCommand,
  ListPipelineExecutionsCommand,
  type PipelineExecutionSummary,
  RetryPipelineExecutionCommand,
  StartPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { isAws } from '../aws/errors.ts';
import type { Service } from '../aws/session.ts';
import { requestToken } from '../aws/token.ts';
import type { Clock } from '../clock.ts';

export interface StartRequest {
  pipelineName: string;
  /** True when the pipeline was made just now: there is nothing to attach to. */
  fresh: boolean;
  parameters: Readonly<Record<string, string>>;
  /** GitHub's run id, without the attempt. */
  runId: string;
  /** Hash of everything that makes this execution what it is; two calls in one run with other parameters are two executions. */
  intent: string;
  description: string;
  selectedSteps: readonly string[] | undefined;
  sourceExecution: string | undefined;
}

export interface Started {
  executionArn: string;
  how: 'started' | 'attached' | 'retried';
}

/** Runs can be repeated for 30 days. */
const rerunWindow = 31 * 24 * 3_600_000;

/** Display name of an execution: the run leads to it and back, and it outlives the idempotency token, whose lifetime nobody documents. */
export function displayName(runId: string, intent: string, generation: number): string {
  return `gha-${runId}-${intent.slice(0, 8)}-g${generation}`;
}

async function ownExecutions(sagemaker: Service, request: StartRequest, clock: Clock) {
  const prefix = `gha-${request.runId}-${request.intent.slice(0, 8)}-g`;
  const found: { generation: number; summary: PipelineExecutionSummary }[] = [];
  let token: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListPipelineExecutionsCommand({
        PipelineName: request.pipelineName,
        CreatedAfter: new Date(clock.now() - rerunWindow),
        SortBy: 'CreationTime',
        SortOrder: 'Descending',
        MaxResults: 100,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
      { resource: request.pipelineName },
    );
    for (const summary of page.PipelineExecutionSummaries ?? []) {
      const name = summary.PipelineExecutionDisplayName ?? '';
      const generation = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
      if (Number.isInteger(generation)) found.push({ generation, summary });
    }
    token = page.NextToken;
  } while (token !== undefined);
  return found.sort((a, b) => b.generation - a.generation);
}

/**
 * The execution of this run: attaches to one that runs or succeeded, retries one that failed where the service allows it, else
 * starts the next generation. A first start uses a token of run and intent, so two starts cut off in between are one execution.
 */
export async function startOrAttach(
  sagemaker: Service,
  request: StartRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<Started> {
  let generation = 1;
  if (!request.fresh) {
    const [latest] = await ownExecutions(sagemaker, request, clock);
    const arn = latest?.summary.PipelineExecutionArn;
    if (latest !== undefined && arn !== undefined) {
      const settled = await settle(sagemaker, arn, clock, signal);
      if (settled.status === 'Executing' || settled.status === 'Succeeded')
        return { executionArn: arn, how: 'attached' };
      if (settled.status === 'Failed' && (await retry(sagemaker, request, arn, settled.changedAt))) {
        return { executionArn: arn, how: 'retried' };
      }
      generation = latest.generation + 1;
    }
  }
  const answer = await sagemaker.send(
    new StartPipelineExecutionCommand({
      PipelineName: request.pipelineName,
      PipelineExecutionDisplayName: displayName(request.runId, request.intent, generation),
      PipelineExecutionDescription: request.description,
      PipelineParameters: Object.entries(request.parameters).map(([Name, Value]) => ({ Name, Value })),
      ClientRequestToken: requestToken({ runId: request.runId, action: 'start', intent: request.intent, generation }),
      ...(request.selectedSteps === undefined
        ? {}
        : {
            SelectiveExecutionConfig: {
              SelectedSteps: request.selectedSteps.map((StepName) => ({ StepName })),
              ...(request.sourceExecution === undefined ? {} : { SourcePipelineExecutionArn: request.sourceExecution }),
            },
          }),
    }),
    { resource: request.pipelineName },
  );
  return { executionArn: answer.PipelineExecutionArn ?? '', how: 'started' };
}

/** The status once it is no longer Stopping. */
async function settle(sagemaker: Service, arn: string, clock: Clock, signal: AbortSignal) {
  for (;;) {
    const answer = await sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }), {
      resource: arn,
    });
    const status = answer.PipelineExecutionStatus ?? 'Executing';
    if (status !== 'Stopping') return { status, changedAt: answer.LastModifiedTime?.getTime() ?? 0 };
    await clock.sleep(5_000, signal);
  }
}

/** True when the service took the retry. After a Fail step it refuses: the result would be the same. */
async function retry(sagemaker: Service, request: StartRequest, arn: string, failedAt: number): Promise<boolean> {
  try {
    await sagemaker.send(
      new RetryPipelineExecutionCommand({
        PipelineExecutionArn: arn,
        // One retry per failure, however often this job is repeated: the token hangs on when it failed, not on the attempt.
        ClientRequestToken: requestToken({ runId: request.runId, action: 'retry', intent: arn, generation: failedAt }),
      }),
      { resource: arn },
    );
    return true;
  } catch (error) {
    if (isAws(error, 'ConflictException', 'ValidationException')) return false;
    throw error;
  }
}
