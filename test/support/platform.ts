/** A whole local platform for a test: port 0, its own state directory, closed and removed at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClockMode } from '../../local/aws/core/clock.ts';
import type { Credentials, Logger } from '../../local/aws/core/context.ts';
import { defaultWorld, type World } from '../../local/aws/core/world.ts';
import type { CallLogEntry } from '../../local/aws/front/call-log.ts';
import { type Platform, type PlatformOptions, startPlatform } from '../../local/platform.ts';

export const accounts = {
  development: '111122223333',
  staging: '444455556666',
  production1: '777788889999',
  production2: '888899990000',
} as const;
export const region = 'eu-west-1';

export interface TestPlatformOptions extends Partial<Pick<PlatformOptions, 'github' | 'enforcement'>> {
  clock?: ClockMode;
  world?: World;
  /** Sets the Python environment up (shared by all tests of this checkout), so that S3, KMS, SSM, Logs, ECR and jobs work. */
  python?: boolean;
}

export interface TestPlatform {
  platform: Platform;
  url: string;
  token: string;
  stateDirectory: string;
  /** Lines that the platform's logger wrote (info and warn). */
  lines: string[];
  /** Clients with administrator rights in an account, straight into the front. */
  administrator: Platform['administrator'];
  /** Temporary keys of any role that trusts its account (default: OrganizationAccountAccessRole). */
  credentials(account: string, role?: string, sessionName?: string): Promise<Credentials>;
  /** Environment variables with which a child process (action, boto3, CLI) talks to the platform. */
  environment(credentials: Credentials, inRegion?: string): Record<string, string>;
  /** Finished calls since the number, oldest first. */
  calls(filter?: Parameters<Platform['calls']['list']>[0]): CallLogEntry[];
  /** A control route, e.g. control('POST', 'faults', {...}). Throws with the platform's sentence. */
  control(method: string, route: string, body?: unknown): Promise<any>;
  close(): Promise<void>;
}

export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-test-'));
  const lines: string[] = [];
  const logger: Logger = {
    debug: () => {},
    info: (line) => lines.push(line),
    warn: (line) => lines.push(line),
  };
  const world = {
    ...(options.world ?? defaultWorld),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  };
  const platform = await startPlatform({
    world,
    stateDirectory,
    logger,
    ...(options.python === true ? { python: { python: await testPython() } } : {}),
    ...(options.github === undefined ? {} : { github: options.github }),
    ...(options.enforcement === undefined ? {} : { enforcement: options.enforcement }),
  });
  const control = async (method: string, route: string, body?: unknown) => {
    const response = await fetch(`${platform.url}/_local/${route}`, {
      method,
      headers: { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as any;
    if (!response.ok) throw new Error(answer.error);
    return answer;
  };
  return {
    platform,
    url: platform.url,
    token: platform.token,
    stateDirectory,
    lines,
    administrator: platform.administrator,
    async credentials(account, role, sessionName) {
      const answer = await control('POST', 'credentials', { account, role, sessionName });
      return { ...answer, expiration: new Date(answer.expiration) };
    },
    environment: ({ accessKeyId, secretAccessKey, sessionToken }, inRegion = world.region) => ({
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_REGION: inRegion,
      AWS_DEFAULT_REGION: inRegion,
      AWS_ENDPOINT_URL: platform.url,
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
    calls: (filter) => platform.calls.list(filter),
    control,
    async close() {
      await platform.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

/** Brings what was just started into the state that a test wants; when that fails, nobody else would close it. */
export async function arrange<T>(started: { close(): Promise<void> }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** Runs the test's body with a platform and closes it whatever happens. */
export async function withPlatform<T>(
  options: TestPlatformOptions,
  body: (platform: TestPlatform) => Promise<T>,
): Promise<T> {
  const started = await startTestPlatform(options);
  try {
    return await body(started);
  } finally {
    await started.close();
  }
}

/** Interpreter of the checkout's Python environment; set up on first use (seconds, needs the network once). */
export async function testPython(): Promise<string> {
  const { ensurePythonEnvironment } = await import('../../local/python/index.ts');
  const directory = join(import.meta.dirname, '../../.sagemaker-mlops/python');
  return (await ensurePythonEnvironment({ directory, progress: () => {} })).python;
}
