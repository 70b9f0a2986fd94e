import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Clock } from '../aws/core/clock.ts';
import type { Credentials, JobSpecification, Logger, PlatformContext } from '../aws/core/context.ts';
import { programEnvironment } from './environment.ts';
import { JobFailure } from './failure.ts';
import { parseImageUri } from './images.ts';
import { type OptMl, type Place, rewriteScripts, rewriteText } from './opt-ml.ts';
import { type RunningProgram, startProgram } from './program.ts';
import type { S3Source } from './transfer.ts';

/** What all jobs and model servers of one runner share. */
export interface RunnerContext {
  /** Jobs and servers get folders of their own below it. */
  directory: string;
  python: string;
  clock: Clock;
  logger: Logger;
  endpointUrl: () => string;
  clients: PlatformContext['clients'];
  /** Detected once, when the first job starts. */
  optMl: () => Promise<OptMl>;
  /** Programs that run now; closing the runner kills them. */
  programs: Set<RunningProgram>;
  /** Model servers on their way out included; each settles when nothing of it is left. */
  servers: Set<Promise<unknown>>;
  /** Set when the runner closes: nothing starts any more. */
  closing: boolean;
  /** Between SIGTERM and SIGKILL. */
  graceMilliseconds: number;
}

/** Thrown inside a job after stop(): it ends Stopped. */
export class JobStopped extends Error {}

/** One job on its way: its folders, rights and log, and how it starts programs. */
export interface JobRun {
  readonly job: JobSpecification;
  readonly context: RunnerContext;
  readonly place: Place;
  readonly optMl: OptMl;
  /** S3 with the job role's present session. */
  readonly s3: S3Source;
  readonly credentials: Credentials;
  readonly log: (line: string) => void;
  stopRequested: boolean;
  program: RunningProgram | undefined;
}

/** Where a path below /opt/ml of the request lies on this machine. */
export function localPath(place: Place, containerPath: string): string {
  const relative = path.posix.relative('/opt/ml', path.posix.normalize(containerPath));
  if (relative.startsWith('..') || path.posix.isAbsolute(relative))
    throw new JobFailure(`ClientError: ${containerPath} is not below /opt/ml`);
  return path.join(place.ml, relative);
}

export function throwIfStopped(run: JobRun): void {
  if (run.stopRequested || run.context.closing) throw new JobStopped();
}

/** AWS pulls images only from the registry of the job's own region. */
export function requireImageOfRegion(image: string | undefined, region: string): void {
  const parsed = image === undefined ? undefined : parseImageUri(image);
  if (parsed !== undefined && parsed.region !== region)
    throw new JobFailure(
      `ClientError: The image ${image} is in the registry of ${parsed.region}; the job runs in ${region} and needs it from there`,
    );
}

const pythonName = /^python(?:3(?:\.\d+)?)?$/;

/** Images have their Python at places of their own; here it is always the environment's. */
function commandHere(run: JobRun, command: readonly string[]): string[] {
  const { python } = run.context;
  const here = run.optMl === 'rewrite' ? command.map((part) => rewriteText(part, run.place.ml)) : [...command];
  if (pythonName.test(path.posix.basename(here[0] ?? ''))) here[0] = python;
  return here;
}

/** Jobs that run side by side share the processors; model servers mostly wait. */
export function threadsFor(context: RunnerContext): number {
  return Math.max(1, Math.floor(availableParallelism() / (context.programs.size - context.servers.size + 1)));
}

export interface ProgramRequest {
  command: readonly string[];
  variables: Record<string, string>;
  isolated?: boolean;
}

/** Starts a program of the job and waits for its end; resolves to its exit code. Throws JobStopped after a stop. */
export async function runProgram(run: JobRun, request: ProgramRequest): Promise<number> {
  const { context, place, optMl } = run;
  throwIfStopped(run);
  if (optMl === 'rewrite') {
    if (request.isolated === true)
      throw new JobFailure('ClientError: Network isolation needs a Linux machine where namespaces are allowed');
    await rewriteScripts(context.python, place.ml);
  }
  const variables = Object.fromEntries(
    Object.entries(request.variables).map(([name, value]) => [
      name,
      optMl === 'rewrite' ? rewriteText(value, place.ml) : value,
    ]),
  );
  throwIfStopped(run);
  const program = startProgram({
    python: context.python,
    command: commandHere(run, request.command),
    environment: programEnvironment({
      python: context.python,
      place,
      region: run.job.region,
      credentials: run.credentials,
      endpointUrl: context.endpointUrl(),
      threads: threadsFor(context),
      base: optMl === 'namespace' ? '/opt/ml' : place.ml,
      variables,
    }),
    directory: place.work,
    ...(optMl === 'namespace' ? { bind: { folder: place.ml, scratch: place.scratch } } : {}),
    isolated: request.isolated === true,
    onLine: run.log,
  });
  program.report.resume();
  run.program = program;
  context.programs.add(program);
  try {
    return await program.exit;
  } finally {
    context.programs.delete(program);
    run.program = undefined;
  }
}
