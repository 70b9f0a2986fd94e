/**
 * Runs SageMaker jobs and model servers as local processes: the files below /opt/ml, the environment, the rights, the
 * log and the outcome are those of SageMaker's containers; the programs are the user's own, or stand-ins (python/) for the
 * programs of AWS's images.
 */
import { rm } from 'node:fs/promises';
import type { JobResult, JobRunner, JobSpecification, ModelServers, RunningJob } from '../aws/core/context.ts';
import { checkJob } from './check.ts';
import { JobFailure } from './failure.ts';
import { type JobRun, JobStopped, type RunnerContext } from './job-run.ts';
import { createLogStream } from './log-stream.ts';
import { createMetricReader } from './metrics.ts';
import { createModelServers } from './model-server.ts';
import { detectOptMl, makePlace, type OptMl, removeAbandoned } from './opt-ml.ts';
import { runProcessing } from './processing.ts';
import { isBuiltInXGBoost, runTraining } from './training.ts';
import { runTransform } from './transform.ts';

export interface RunnerOptions
  extends Pick<RunnerContext, 'directory' | 'python' | 'clock' | 'logger' | 'endpointUrl' | 'clients'> {
  /** Between SIGTERM and SIGKILL of a stopped job; SageMaker's 120 s unless a test has no time for that. */
  graceMilliseconds?: number;
  /** Instead of what this machine offers. */
  optMl?: OptMl;
}

export interface Runner {
  jobs: JobRunner;
  modelServers: ModelServers;
  /** Kills everything that runs; resolves when it has ended. */
  close(): Promise<void>;
}

export function createRunner(options: RunnerOptions): Runner {
  let detected: Promise<OptMl> | undefined;
  const context: RunnerContext = {
    directory: options.directory,
    python: options.python,
    clock: options.clock,
    logger: options.logger,
    endpointUrl: options.endpointUrl,
    clients: options.clients,
    graceMilliseconds: options.graceMilliseconds ?? 120_000,
    programs: new Set(),
    servers: new Set(),
    closing: false,
    optMl: () => {
      detected ??= prepare(options);
      return detected;
    },
  };
  const jobs = new Set<Promise<JobResult>>();
  const modelServers = createModelServers(context);
  return {
    jobs: {
      check: checkJob,
      start(job) {
        const running = startJob(context, job);
        jobs.add(running.finished);
        void running.finished.finally(() => jobs.delete(running.finished));
        return running;
      },
    },
    modelServers,
    async close() {
      context.closing = true;
      for (const program of context.programs) program.kill();
      // Jobs and servers still send their last log lines and remove their folders.
      await Promise.allSettled([...jobs, ...context.servers]);
    },
  };
}

/** What the first job waits for: room without leftovers, and how /opt/ml can be shown. */
async function prepare(options: RunnerOptions): Promise<OptMl> {
  await removeAbandoned(options.directory);
  return options.optMl ?? detectOptMl(options.python);
}

const logGroups: Record<JobSpecification['kind'], string> = {
  ProcessingJob: '/aws/sagemaker/ProcessingJobs',
  TrainingJob: '/aws/sagemaker/TrainingJobs',
  TransformJob: '/aws/sagemaker/TransformJobs',
};

const bodies: Record<JobSpecification['kind'], (run: JobRun) => Promise<Partial<JobResult>>> = {
  ProcessingJob: runProcessing,
  TrainingJob: runTraining,
  TransformJob: runTransform,
};

/** One process stands for the whole cluster; who asked for more should know. */
function warnOfInstances(run: JobRun): void {
  const { request, name } = run.job;
  const cluster =
    request['ResourceConfig'] ?? request['ProcessingResources']?.ClusterConfig ?? request['TransformResources'];
  if ((cluster?.InstanceCount ?? 1) <= 1) return;
  const warning = `${name} asks for ${cluster.InstanceCount} instances and runs as one process here.`;
  run.context.logger.warn(warning);
  run.log(`WARNING: ${warning}`);
}

function startJob(context: RunnerContext, job: JobSpecification): RunningJob {
  let run: JobRun | undefined;
  let stopRequested = false;
  const prepared = (made: JobRun): void => {
    made.stopRequested = stopRequested;
    run = made;
  };
  return {
    finished: execute(context, job, prepared),
    stop() {
      stopRequested = true;
      if (run === undefined) return;
      run.stopRequested = true;
      run.program?.stop(context.graceMilliseconds);
    },
  };
}

/** The whole life of a job. Never rejects: what goes wrong is the job's FailureReason. */
async function execute(
  context: RunnerContext,
  job: JobSpecification,
  prepared: (run: JobRun) => void,
): Promise<JobResult> {
  if (job.injectedFailure !== undefined) return { status: 'Failed', failureReason: job.injectedFailure };
  const { clock, logger } = context;
  const cleanUp: (() => Promise<void>)[] = [];
  let optMl: OptMl | undefined;
  let result: JobResult;
  const definitions = job.request['AlgorithmSpecification']?.MetricDefinitions ?? [];
  try {
    const metrics = createMetricReader(definitions, job.kind === 'TrainingJob' && isBuiltInXGBoost(job.request));
    const clients = async () => context.clients(await job.credentials(), job.region);
    optMl = await context.optMl();
    const place = await makePlace(context.directory, job.name);
    cleanUp.push(() => rm(place.root, { recursive: true, force: true }));
    const stream = createLogStream({
      client: async () => (await clients()).logs,
      group: logGroups[job.kind],
      stream: `${job.name}/${job.kind === 'TransformJob' ? 'i-local' : 'algo-1'}-${Math.floor(clock.now().getTime() / 1000)}`,
      clock,
      logger,
      closing: () => context.closing,
    });
    cleanUp.unshift(() => stream.close());
    const run: JobRun = {
      job,
      context,
      place,
      optMl,
      s3: async () => (await clients()).s3,
      credentials: await job.credentials(),
      log(line) {
        metrics.read(line, clock.now());
        stream.write(line);
      },
      stopRequested: false,
      program: undefined,
    };
    prepared(run);
    warnOfInstances(run);
    const told = await bodies[job.kind](run);
    result = { status: run.stopRequested ? 'Stopped' : 'Completed', ...told, metrics: metrics.final() };
  } catch (error) {
    if (error instanceof JobStopped) result = { status: 'Stopped' };
    else if (error instanceof JobFailure) result = { status: 'Failed', failureReason: error.message };
    else {
      logger.warn(`${job.name}: ${(error as Error).stack}`);
      result = { status: 'Failed', failureReason: `InternalServerError: ${(error as Error).message}` };
    }
  }
  for (const work of cleanUp) await work().catch((error: Error) => logger.warn(`${job.name}: ${error.message}`));
  return optMl === undefined ? result : { ...result, optMl };
}
