import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Credentials, ModelContainer, ModelServers, RunningModelServer } from '../aws/core/context.ts';
import { checkContainer } from './check.ts';
import { programEnvironment } from './environment.ts';
import { knownImage } from './images.ts';
import { type RunnerContext, threadsFor } from './job-run.ts';
import { createLogStream } from './log-stream.ts';
import { makePlace, rewriteText } from './opt-ml.ts';
import { startProgram } from './program.ts';
import { download } from './transfer.ts';

const server = fileURLToPath(new URL('./python/serve.py', import.meta.url));

/** SageMaker waits longer for a container's health check; a local server answers within a second unless it hangs. */
const startMilliseconds = 120_000;
const stopMilliseconds = 5_000;
const keptLines = 20;

export interface ServerRequest {
  region: string;
  container: ModelContainer;
  credentials: () => Promise<Credentials>;
  /** Log group and stream in CloudWatch Logs. */
  log: { group: string; stream: string };
  /** Further variables, e.g. those of batch transform. */
  variables: Record<string, string>;
  /** Part of the folder's name. */
  name: string;
}

export function createModelServers(context: RunnerContext): ModelServers {
  return {
    check: checkContainer,
    start: (options) =>
      startModelServer(context, {
        ...options,
        name: options.endpointName,
        variables: {},
        log: {
          group: `/aws/sagemaker/Endpoints/${options.endpointName}`,
          // The id of an instance, as EC2 writes it.
          stream: `${options.variantName}/i-${randomBytes(9).toString('hex').slice(0, 17)}`,
        },
      }),
  };
}

/**
 * Downloads the archive with the model role's rights, starts the server and resolves when it answers. Rejects with the
 * reason that the endpoint shows: what S3 refused, or the container's failed start with its last words.
 */
export async function startModelServer(context: RunnerContext, request: ServerRequest): Promise<RunningModelServer> {
  const { container, region } = request;
  const reasons = checkContainer(container);
  if (reasons.length > 0) throw new Error(reasons.join('; '));
  const image = knownImage(container.image)!;
  if (image.region !== region)
    throw new Error(`The image ${container.image} is in the registry of ${image.region}, not of ${region}.`);

  if (context.closing) throw new Error('The local platform closes.');
  const optMl = await context.optMl();
  const place = await makePlace(context.directory, request.name);
  const remove = (): Promise<void> => rm(place.root, { recursive: true, force: true });
  const clients = async () => context.clients(await request.credentials(), region);
  const archive = path.join(place.root, 'archive');
  let names: string[];
  let credentials: Credentials;
  try {
    credentials = await request.credentials();
    names = await download(async () => (await clients()).s3, container.modelDataUrl!, archive);
  } catch (error) {
    await remove();
    throw new Error(
      `Could not access model data at ${container.modelDataUrl}. Please ensure that the model's execution role may read it and decrypt it. ${(error as Error).message.replace(/^ClientError: /, '')}`,
      { cause: error },
    );
  }

  if (context.closing) {
    await remove();
    throw new Error('The local platform closes.');
  }
  const log = createLogStream({
    client: async () => (await clients()).logs,
    ...request.log,
    clock: context.clock,
    logger: context.logger,
    closing: () => context.closing,
  });
  const lastLines: string[] = [];
  const variables = { ...container.environment, ...request.variables };
  const program = startProgram({
    python: context.python,
    command: [context.python, server, image.repository, path.join(archive, names[0]!)],
    environment: programEnvironment({
      python: context.python,
      place,
      region,
      credentials,
      endpointUrl: context.endpointUrl(),
      threads: threadsFor(context),
      base: optMl === 'namespace' ? '/opt/ml' : place.ml,
      variables:
        optMl === 'namespace'
          ? variables
          : Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, rewriteText(value, place.ml)])),
    }),
    directory: place.work,
    ...(optMl === 'namespace' ? { bind: { folder: place.ml, scratch: place.scratch } } : {}),
    onLine(line) {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      log.write(line);
    },
  });
  context.programs.add(program);
  const exited = program.exit.then(async (code) => {
    context.programs.delete(program);
    await log.close();
    await remove();
    return `the model server ended with exit code ${code}: ${lastLines.filter((line) => line.trim() !== '').at(-1) ?? 'it said nothing'}`;
  });

  context.servers.add(exited);
  void exited.finally(() => context.servers.delete(exited)).catch(() => {});

  const port = await Promise.race([
    firstLine(program.report),
    exited.then(() => undefined),
    timeOut(startMilliseconds),
  ]);
  if (port === undefined || port === 'time-out') {
    program.kill();
    const reason = await exited;
    throw new Error(
      `The primary container for the model did not pass the ping health check: ${port === 'time-out' ? `no answer after ${startMilliseconds / 1000} s` : reason}`,
    );
  }
  return {
    url: `http://127.0.0.1:${port}`,
    ended: exited,
    async stop() {
      program.stop(stopMilliseconds);
      await exited;
    },
  };
}

function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.trim());
    });
    stream.on('end', () => resolve(text.trim() || undefined));
  });
}

function timeOut(milliseconds: number): Promise<'time-out'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('time-out'), milliseconds).unref();
  });
}
