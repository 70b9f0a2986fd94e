/**
 * The local platform as one object: world, clock, identity, services, front, control routes, on one loopback port.
 * Everything is composed here and nowhere else; parts know each other only by the types of local/aws/core.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { type Composition, compose } from './aws/control/compose.ts';
import { createControl } from './aws/control/control.ts';
import type { ClientSet, Logger, PlatformContext } from './aws/core/context.ts';
import { defaultWorld, type World } from './aws/core/world.ts';
import type { CallLog } from './aws/front/call-log.ts';
import type { Faults } from './aws/front/faults.ts';
import { listen, type NodeHandler } from './aws/front/server.ts';

export interface PlatformOptions {
  /** 0 (default) picks a free port. */
  port?: number;
  world?: World;
  /** platform.json (0600: port, pid, token) is written here; jobs work below it. */
  stateDirectory: string;
  /** Interpreter of the Python environment; without it S3, KMS, SSM, Logs, ECR, jobs and endpoints answer 501. */
  python?: { python: string } | undefined;
  logger: Logger;
  /** Serves everything below /_github/. */
  github?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Start moto in the background at once (default), so that the first S3 call does not wait for it. */
  prewarm?: boolean;
  /** `observe` logs what IAM would refuse and lets it pass. */
  enforcement?: 'enforce' | 'observe';
  /** Further members of platform.json. */
  state?: Record<string, unknown>;
}

export interface Platform {
  url: string;
  port: number;
  token: string;
  /** Of the present world; a reset replaces it. */
  readonly context: PlatformContext;
  readonly composition: Composition;
  readonly calls: CallLog;
  readonly faults: Faults;
  /** Clients with the rights of OrganizationAccountAccessRole in an account, for arrangements. */
  administrator(account: string, region?: string): ClientSet;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const world = options.world ?? defaultWorld;
  const token = randomBytes(32).toString('base64url');
  let port = 0;
  const url = () => `http://127.0.0.1:${port}`;
  const build = () =>
    compose({
      world,
      stateDirectory: options.stateDirectory,
      python: options.python?.python,
      logger: options.logger,
      endpointUrl: url,
      enforcement: options.enforcement ?? 'enforce',
      prewarm: options.prewarm ?? true,
    });
  let composition!: Composition;

  const reset = async () => {
    await composition.close();
    composition = await build();
  };
  const control = createControl({
    token,
    current: () => composition.controlled,
    reset,
    health: () => ({
      pid: process.pid,
      port,
      region: world.region,
      accounts: world.accounts,
      moto: composition.motoPid() ?? null,
    }),
  });
  const handlers = new Map<string, NodeHandler>([
    ['/_local/', control],
    ['/moto-api/', control],
  ]);
  if (options.github !== undefined) handlers.set('/_github/', options.github);

  // The socket first: a taken port is told before anything is built.
  const built = Promise.withResolvers<void>();
  const server = await listen({
    port: options.port ?? 0,
    aws: async (request) => {
      await built.promise;
      return composition.front.handle(request);
    },
    handlers,
  });
  port = server.port;
  const stateFile = join(options.stateDirectory, 'platform.json');
  try {
    composition = await build();
    built.resolve();
    await writeState(stateFile, { ...options.state, port, pid: process.pid, token });
  } catch (error) {
    await server.close();
    await composition?.close();
    throw error;
  }

  let closing: Promise<void> | undefined;
  return {
    url: url(),
    port,
    token,
    get context() {
      return composition.context;
    },
    get composition() {
      return composition;
    },
    get calls() {
      return composition.controlled.log;
    },
    get faults() {
      return composition.controlled.faults;
    },
    administrator: (account, region = world.region) => composition.administrator(account, region),
    reset,
    close() {
      closing ??= (async () => {
        // First, so that nobody finds a platform that is on its way out.
        await rm(stateFile, { force: true });
        await server.close();
        await composition.close();
      })();
      return closing;
    },
  };
}

/** For this user only. Throws one sentence that says what to do. */
async function writeState(file: string, state: Record<string, unknown>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true });
    await writeFile(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const causes: Record<string, string> = {
      ENOSPC: 'the disk is full; free some space',
      EDQUOT: 'the disk quota is used up; free some space',
      EACCES: 'this user may not write there; choose another folder or mend its rights',
      EPERM: 'this user may not write there; choose another folder or mend its rights',
      EROFS: 'the file system is read-only; choose another folder',
      ENOTDIR: 'a part of the path is a file; choose another folder',
      EEXIST: 'a part of the path is a file; choose another folder',
    };
    throw new Error(`The state file ${file} cannot be written: ${causes[code ?? ''] ?? message}.`, { cause: error });
  }
}
