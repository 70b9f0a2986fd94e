/** One moto server behind the front. Nobody else reaches it: it listens on a random loopback port that is told to nobody. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/context.ts';
import { NotImplementedError } from '../core/errors.ts';

export interface MotoRequest {
  service: string;
  account: string;
  region: string;
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: Readable | Uint8Array;
}

export interface MotoResponse {
  status: number;
  headers: Record<string, string>;
  body: IncomingMessage;
}

export interface Moto {
  send(request: MotoRequest): Promise<MotoResponse>;
  /** Starts it now, in the background, so that the first call does not wait. Failures show on the first call. */
  prewarm(): void;
  /** Resolves when the process has ended. */
  close(): Promise<void>;
  readonly pid: number | undefined;
}

export interface MotoOptions {
  /** Interpreter of an environment that has moto and flask; undefined: these services answer 501. */
  python: string | undefined;
  clock: Clock;
  logger: Logger;
}

const serverProgram = fileURLToPath(new URL('server.py', import.meta.url));

export function createMoto({ python, clock, logger }: MotoOptions): Moto {
  let child: ChildProcess | undefined;
  let port: Promise<number> | undefined;
  let closing = false;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });

  const start = (): Promise<number> => {
    if (python === undefined) {
      return Promise.reject(
        new NotImplementedError('S3, KMS, SSM, CloudWatch Logs and ECR without the Python environment'),
      );
    }
    const process = spawn(python, ['-u', serverProgram], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: childEnvironment(),
    });
    child = process;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const lines: string[] = [];
    createInterface({ input: process.stdout! }).once('line', (line) => resolve(Number(line)));
    createInterface({ input: process.stderr! }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      logger.debug(`moto: ${line}`);
    });
    process.stdin!.on('error', () => {});
    process.once('error', (error) => reject(new Error(`moto could not be started with ${python}: ${error.message}`)));
    process.once('exit', (code, signal) => {
      child = undefined;
      port = undefined;
      const how = `moto ended (${signal ?? `exit code ${code}`}): ${lines.slice(-3).join(' ')}`;
      reject(new Error(how));
      if (!closing) logger.warn(`${how}. What S3, KMS, SSM, Logs and ECR held is lost; reset the platform.`);
    });
    return promise;
  };

  const ready = () => {
    // A call that comes late would start a process that nobody ends.
    if (closing) return Promise.reject(new Error('The local platform has closed.'));
    port ??= start();
    return port;
  };

  return {
    get pid() {
      return child?.pid;
    },
    prewarm() {
      ready().catch((error) => logger.debug(String(error)));
    },
    async send(request) {
      return forward(request, await ready(), agent, clock.now().getTime() - Date.now());
    },
    async close() {
      closing = true;
      agent.destroy();
      const ending = child;
      if (ending === undefined) return;
      const ended = new Promise((resolve) => ending.once('exit', resolve));
      ending.stdin?.end();
      ending.kill('SIGKILL');
      await ended;
    },
  };
}

/** `offset`: milliseconds by which the platform's clock is ahead of the wall. */
async function forward(request: MotoRequest, port: number, agent: Agent, offset: number): Promise<MotoResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const isBuffer = request.body instanceof Uint8Array;
  const headers: Record<string, string> = {
    ...request.headers,
    host: `127.0.0.1:${port}`,
    'x-moto-account-id': request.account,
    'x-platform-clock-offset': String(offset),
    // moto reads region and service here; nothing checks this signature.
    authorization: `AWS4-HMAC-SHA256 Credential=local/20200101/${request.region}/${request.service}/aws4_request, SignedHeaders=host, Signature=none`,
  };
  if (isBuffer) headers['content-length'] = String((request.body as Uint8Array).length);
  const outgoing = httpRequest(
    {
      host: '127.0.0.1',
      port,
      agent,
      method: request.method,
      path: request.path + (request.query === '' ? '' : `?${request.query}`),
      headers,
    },
    resolve,
  );
  outgoing.on('error', reject);
  if (isBuffer) outgoing.end(request.body);
  else {
    // A broken body (wrong checksum, client gone) must break the request, or moto would store half an object.
    pipeline(request.body as Readable, outgoing).catch((error) => {
      outgoing.destroy();
      reject(error);
    });
  }
  const response = await promise;
  const answered: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) answered[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return { status: response.statusCode ?? 500, headers: answered, body: response };
}

/** The machine's own Python settings must not reach into the environment that was set up for the platform. */
function childEnvironment(): NodeJS.ProcessEnv {
  const {
    PYTHONDONTWRITEBYTECODE: _bytecode,
    PYTHONHOME: _home,
    PYTHONPATH: _path,
    VIRTUAL_ENV: _environment,
    ...rest
  } = process.env;
  return { ...rest, MOTO_ALLOW_NONEXISTENT_REGION: 'true' };
}
