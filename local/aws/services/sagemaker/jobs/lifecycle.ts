import type { SecondaryStatus } from '@aws-sdk/client-sagemaker';
import type {
  Credentials,
  JobResult,
  JobSpecification,
  ModelContainer,
  PlatformContext,
} from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import { parseDuration } from '../duration.ts';
import { clip, reasonOf, resourceInUse } from '../problems.ts';
import { type Scope, sagemakerArn } from '../scope.ts';
import { hasEnded, type JobKind, type JobRecord, type JobStatus, jobNoun, jobResource } from './record.ts';

const defaultMaxRuntimeSeconds = 86_400;
const longestTimer = 2 ** 31 - 1;

const statusMessages: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Preparing the instances for training',
  Downloading: 'Downloading input data',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Completed: 'Training job completed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job runtime exceeded MaxRuntimeInSeconds provided',
  Failed: 'Training job failed',
};

export interface JobOrder {
  kind: JobKind;
  scope: Scope;
  name: string;
  request: Record<string, any>;
  credentials: () => Promise<Credentials>;
  model?: ModelContainer;
}

type Context = Pick<PlatformContext, 'clock' | 'jobs' | 'takeFault' | 'virtualDuration' | 'emit' | 'signal'>;

/** Refuses what this machine cannot run, before anything is recorded. */
export function checkRunnable(context: Pick<PlatformContext, 'jobs'>, order: JobOrder): void {
  const reasons = context.jobs.check(order.kind, order.request);
  if (reasons.length > 0) throw new NotImplementedError(`${jobNoun[order.kind]} ${order.name}: ${reasons.join('; ')}`);
}

/** Refuses a second job of the same name, as the three Create calls do. */
export function checkUnused(existing: JobRecord | undefined): void {
  if (existing === undefined) return;
  const noun = jobNoun[existing.kind];
  throw resourceInUse(
    `${noun[0]?.toUpperCase()}${noun.slice(1)} names must be unique within an AWS account and region, and a ${noun} with this name already exists (${existing.arn})`,
  );
}

/** Starts a job's process and follows it to its final status. */
export function startJob(context: Context, order: JobOrder): JobRecord {
  const { clock } = context;
  const arn = sagemakerArn(order.scope, `${jobResource[order.kind]}/${order.name}`);
  const target = {
    ...order.scope,
    operation: `sagemaker:Create${order.kind}`,
    fields: { [`${order.kind}Name`]: order.name },
  };
  const fault = context.takeFault('job-failure', target);
  const stopped = new AbortController();
  let stopProcess: (() => void) | undefined;

  const now = clock.now();
  const job: JobRecord = {
    kind: order.kind,
    scope: order.scope,
    name: order.name,
    arn,
    request: order.request,
    status: 'InProgress',
    secondaryStatus: 'Starting',
    transitions: [{ Status: 'Starting', StartTime: now, StatusMessage: statusMessages.Starting }],
    createdAt: now,
    modifiedAt: now,
    ended: Promise.resolve(),
    requestStop() {
      if (job.status !== 'InProgress') return;
      move('Stopping', 'Stopping');
      stopped.abort(new Error('stopped'));
      stopProcess?.();
    },
  };

  function move(status: JobStatus, secondary: SecondaryStatus): void {
    const at = clock.now();
    job.status = status;
    job.secondaryStatus = secondary;
    job.modifiedAt = at;
    const last = job.transitions.at(-1);
    if (last !== undefined) last.EndTime = at;
    job.transitions.push({
      Status: secondary,
      StartTime: at,
      ...(hasEnded(status) ? { EndTime: at } : {}),
      StatusMessage: statusMessages[secondary],
    });
    context.emit({
      at,
      ...order.scope,
      source: 'aws.sagemaker',
      detailType:
        order.kind === 'ProcessingJob'
          ? 'SageMaker Processing Job State Change'
          : order.kind === 'TrainingJob'
            ? 'SageMaker Training Job State Change'
            : 'SageMaker Transform Job State Change',
      resources: [arn],
      detail: { [`${order.kind}Name`]: job.name, [`${order.kind}Arn`]: arn, [`${order.kind}Status`]: status },
    });
  }

  async function execute(): Promise<{ result: JobResult; timedOut: boolean }> {
    const specification: JobSpecification = {
      kind: order.kind,
      ...order.scope,
      name: order.name,
      arn,
      request: order.request,
      credentials: order.credentials,
      ...(order.model === undefined ? {} : { model: order.model }),
      ...(fault === undefined ? {} : { injectedFailure: fault.reason }),
    };
    const running = context.jobs.start(specification);
    stopProcess = () => running.stop();
    // The limit is on the real process, hence a real timer: the platform's clock stands still while it lives.
    let timedOut = false;
    const limit = order.request['StoppingCondition']?.MaxRuntimeInSeconds ?? defaultMaxRuntimeSeconds;
    const timer = setTimeout(
      () => {
        timedOut = true;
        running.stop();
      },
      Math.min(limit * 1000, longestTimer),
    );
    timer.unref();
    const release = clock.hold();
    try {
      return { result: await running.finished, timedOut };
    } finally {
      release();
      clearTimeout(timer);
    }
  }

  async function follow(): Promise<void> {
    await Promise.resolve();
    const startedAt = clock.now();
    job.startedAt = startedAt;
    // A stop that came before the process started.
    if (stopped.signal.aborted) return finish({ status: 'Stopped' }, false);
    move('InProgress', 'Downloading');
    move('InProgress', 'Training');
    const { result, timedOut } = await execute();
    const limit = (order.request['StoppingCondition']?.MaxRuntimeInSeconds ?? defaultMaxRuntimeSeconds) * 1000;
    // An injected failure comes when it is told to, whatever the job would take.
    const duration =
      fault === undefined
        ? (context.virtualDuration?.(target) ?? 0) * 1000
        : (parseDuration(fault.after ?? 'PT0S') ?? 0);
    const remaining = startedAt.getTime() + Math.min(duration, limit) - clock.now().getTime();
    if (remaining > 0 && !stopped.signal.aborted) {
      try {
        await clock.sleep(remaining, AbortSignal.any([stopped.signal, context.signal]));
      } catch {
        return finish({ ...result, status: 'Stopped' }, false);
      }
    }
    const exceeded = timedOut || duration > limit;
    // A process that was told to stop may well end with an error of its own.
    const wasStopped = stopped.signal.aborted && result.status === 'Failed';
    if (wasStopped) return finish({ status: 'Stopped' }, false);
    finish(exceeded && result.status !== 'Failed' ? { ...result, status: 'Stopped' } : result, exceeded);
  }

  function finish(result: JobResult, exceeded: boolean): void {
    job.result = result;
    job.endedAt = clock.now();
    if (result.failureReason !== undefined) job.failureReason = clip(result.failureReason, 1024);
    if (result.status === 'Completed') {
      move('InProgress', 'Uploading');
      move('Completed', 'Completed');
    } else if (result.status === 'Stopped') {
      // Training jobs say it by their secondary status, the others have none.
      if (exceeded && order.kind !== 'TrainingJob')
        job.failureReason = 'ClientError: the job exceeded MaxRuntimeInSeconds';
      move('Stopped', exceeded ? 'MaxRuntimeExceeded' : 'Stopped');
    } else {
      move('Failed', 'Failed');
    }
  }

  job.ended = follow().catch((error: unknown) => {
    finish({ status: 'Failed', failureReason: `InternalServerError: ${reasonOf(error)}` }, false);
  });
  return job;
}
