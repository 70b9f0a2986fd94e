import type { StepStatus } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { clip, reasonOf } from '../problems.ts';
import { useRole } from '../service-role.ts';
import type { StepDefinition } from './definition.ts';
import { type ExecutionRecord, isRunning, type StepRecord } from './execution.ts';
import { nextAttempt, StepFailure } from './step-failure.ts';
import { attemptStep, type StepTools } from './step-runner.ts';

/** Steps that the service runs at once for one execution. */
const mostSteps = 50;
const stepsFailed = 'Step failure: One or multiple steps failed.';

export type EngineContext = Pick<PlatformContext, 'clock' | 'clients' | 'roles' | 'emit' | 'logger' | 'signal'>;
export type EngineTools = Pick<StepTools, 'jobEnded' | 'groupExists'> & {
  siblings(execution: ExecutionRecord): Iterable<ExecutionRecord>;
};

export interface Engine {
  /** Runs what is left of an execution to its end; returns at once, the record tells how it goes. */
  run(execution: ExecutionRecord): void;
  /** Stops an execution: its jobs are stopped, nothing new starts. */
  stop(execution: ExecutionRecord): void;
}

export function createEngine(context: EngineContext, tools: EngineTools): Engine {
  const { clock } = context;
  const stops = new Map<ExecutionRecord, AbortController>();

  function emitStatus(execution: ExecutionRecord, previous: string | undefined): void {
    context.emit({
      at: clock.now(),
      ...execution.scope,
      source: 'aws.sagemaker',
      detailType: 'SageMaker Model Building Pipeline Execution Status Change',
      resources: [execution.pipelineArn, execution.arn],
      detail: {
        pipelineArn: execution.pipelineArn,
        pipelineExecutionArn: execution.arn,
        pipelineExecutionDisplayName: execution.displayName,
        currentPipelineExecutionStatus: execution.status,
        previousPipelineExecutionStatus: previous,
        executionStartTime: execution.createdAt.toISOString(),
        ...(isRunning(execution) ? {} : { executionEndTime: clock.now().toISOString() }),
      },
    });
  }

  function setStatus(execution: ExecutionRecord, status: ExecutionRecord['status']): void {
    const previous = execution.status;
    execution.status = status;
    execution.modifiedAt = clock.now();
    emitStatus(execution, previous);
  }

  function setStep(execution: ExecutionRecord, record: StepRecord, status: StepStatus, previous?: StepStatus): void {
    record.status = status;
    context.emit({
      at: clock.now(),
      ...execution.scope,
      source: 'aws.sagemaker',
      detailType: 'SageMaker Model Building Pipeline Execution Step Status Change',
      resources: [execution.pipelineArn, execution.arn],
      detail: {
        pipelineArn: execution.pipelineArn,
        pipelineExecutionArn: execution.arn,
        stepName: record.definition.name,
        stepType: record.definition.type,
        metadata: record.metadata,
        currentStepStatus: status,
        previousStepStatus: previous,
        stepStartTime: record.startedAt.toISOString(),
        ...(record.endedAt === undefined ? {} : { stepEndTime: record.endedAt.toISOString() }),
        ...(record.failureReason === undefined ? {} : { failureReason: record.failureReason }),
      },
    });
  }

  function isReady(execution: ExecutionRecord, step: StepDefinition): boolean {
    if (execution.steps.has(step.name)) return false;
    if (execution.selection !== undefined && !execution.selection.steps.includes(step.name)) return false;
    const chosen = step.branches.every(
      ({ condition, outcome }) => execution.steps.get(condition)?.metadata.Condition?.Outcome === outcome,
    );
    return chosen && step.needs.every((name) => execution.steps.get(name)?.status === 'Succeeded');
  }

  async function runStep(
    execution: ExecutionRecord,
    record: StepRecord,
    stepTools: StepTools,
    stop: AbortSignal,
  ): Promise<void> {
    const first = clock.now().getTime();
    for (let retries = 0; ; retries++) {
      record.attempts++;
      try {
        const end = await attemptStep(execution, record, stepTools, stop);
        return finishStep(execution, record, end);
      } catch (error) {
        const failure =
          error instanceof StepFailure ? error : new StepFailure(`InternalServerError: ${reasonOf(error)}`);
        const wait = stop.aborted
          ? undefined
          : nextAttempt(record.definition.retryPolicies, failure.exception, retries, clock.now().getTime() - first);
        if (wait === undefined) {
          record.failureReason = clip(failure.message, 1024);
          return finishStep(execution, record, 'Failed');
        }
        try {
          await clock.sleep(wait, AbortSignal.any([stop, context.signal]));
        } catch {
          return finishStep(execution, record, 'Stopped');
        }
      }
    }
  }

  function finishStep(execution: ExecutionRecord, record: StepRecord, status: StepStatus): void {
    record.endedAt = clock.now();
    delete record.requestStop;
    setStep(execution, record, status, record.status);
  }

  async function drive(
    execution: ExecutionRecord,
    stop: AbortSignal,
    earlierAttempts: Map<string, number>,
  ): Promise<void> {
    const credentials = useRole(context, {
      roleArn: execution.roleArn,
      scope: execution.scope,
      sourceArn: execution.arn,
      sessionName: `SageMaker-Pipeline-${execution.id}`,
    });
    const stepTools: StepTools = {
      context,
      clients: async () => context.clients(await credentials(), execution.scope.region),
      jobEnded: tools.jobEnded,
      groupExists: tools.groupExists,
      siblings: () => tools.siblings(execution),
      executing: (record) => {
        // A stop may have come while the job was being created.
        if (record.status === 'Starting') setStep(execution, record, 'Executing', 'Starting');
      },
    };
    const running = new Map<string, Promise<string>>();
    const limit = () => Math.min(execution.parallelism?.MaxParallelExecutionSteps ?? mostSteps, mostSteps);
    const failed = () => [...execution.steps.values()].some((record) => record.status === 'Failed');

    const startReady = () => {
      for (const step of execution.definition.steps) {
        if (running.size >= limit() || stop.aborted || context.signal.aborted || failed()) return;
        if (!isReady(execution, step)) continue;
        const record: StepRecord = {
          definition: step,
          order: 1 + Math.max(-1, ...[...execution.steps.values()].map((each) => each.order)),
          status: 'Starting',
          startedAt: clock.now(),
          attempts: earlierAttempts.get(step.name) ?? 0,
          metadata: {},
        };
        execution.steps.set(step.name, record);
        setStep(execution, record, 'Starting');
        running.set(
          step.name,
          runStep(execution, record, stepTools, stop).then(() => step.name),
        );
      }
    };
    for (startReady(); running.size > 0; startReady()) running.delete(await Promise.race(running.values()));

    if (failed()) {
      execution.failureReason = stepsFailed;
      setStatus(execution, 'Failed');
    } else setStatus(execution, stop.aborted ? 'Stopped' : 'Succeeded');
  }

  return {
    run(execution) {
      const stop = new AbortController();
      stops.set(execution, stop);
      // Steps that did not succeed are tried again; what they left behind must not be read meanwhile.
      const attempts = new Map<string, number>();
      for (const [name, record] of execution.steps) {
        if (record.status === 'Succeeded') continue;
        attempts.set(name, record.attempts);
        execution.steps.delete(name);
      }
      const previous = execution.steps.size === 0 && attempts.size === 0 ? undefined : execution.status;
      execution.status = 'Executing';
      delete execution.failureReason;
      emitStatus(execution, previous);
      execution.ended = Promise.resolve()
        .then(() => drive(execution, stop.signal, attempts))
        .catch((error: unknown) => {
          execution.failureReason = clip(reasonOf(error), 1300);
          setStatus(execution, 'Failed');
        })
        .finally(() => {
          // A retry may have begun already.
          if (stops.get(execution) === stop) stops.delete(execution);
        });
    },
    stop(execution) {
      if (execution.status !== 'Executing') return;
      setStatus(execution, 'Stopping');
      stops.get(execution)?.abort(new Error('stopped'));
      for (const record of execution.steps.values()) {
        if (record.status !== 'Starting' && record.status !== 'Executing') continue;
        setStep(execution, record, 'Stopping', record.status);
        record.requestStop?.();
      }
    },
  };
}
