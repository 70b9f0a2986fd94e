import { readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { World } from '../local/aws/core/world.ts';
import type { LocalGitHub, ReviewDecision, ReviewRequest } from '../local/github/types.ts';
import type { Platform } from '../local/platform.ts';
import { UserError } from './errors.ts';
import { isAlive, type PlatformState, type ProjectState, productDirectory } from './state.ts';

export interface LocalWorld {
  platform: Platform;
  github: LocalGitHub;
  /** Adds the project to platform.json, where the other commands find it. */
  setProject(project: ProjectState): Promise<void>;
  close(): Promise<void>;
}

export interface LocalWorldOptions {
  world: World;
  port: number;
  stateDirectory: string;
  python: { python: string };
  warn: (message: string) => void;
  reviewer?: (request: ReviewRequest) => Promise<ReviewDecision>;
}

/** The local AWS and the local GitHub on one port, in this process. Throws a UserError when the port or the state folder is taken. */
export async function startLocalWorld(options: LocalWorldOptions): Promise<LocalWorld> {
  const running = await readState(options.stateDirectory);
  if (running !== undefined && isAlive(running.pid) && running.pid !== process.pid) {
    throw new UserError(
      `A local platform runs already (process ${running.pid}, port ${running.port}): stop it with Ctrl-C in its terminal, ` +
        'or name another state folder with SAGEMAKER_MLOPS_STATE.',
    );
  }
  const [{ startPlatform }, { createGitHub }, { createOidcIssuer }] = await Promise.all([
    import('../local/platform.ts'),
    import('../local/github/index.ts'),
    import('../local/github/oidc.ts'),
  ]);
  // A fresh world has a fresh GitHub: a repository of the last start would know commits that this one does not.
  await rm(join(options.stateDirectory, 'github'), { recursive: true, force: true });
  const logger = { debug: () => {}, info: () => {}, warn: options.warn };
  let github: LocalGitHub | undefined;
  const platform = await startPlatform({
    world: options.world,
    port: options.port,
    stateDirectory: options.stateDirectory,
    python: options.python,
    logger,
    github: (request, response) => github!.handle(request, response),
    state: { region: options.world.region },
  }).catch((error: NodeJS.ErrnoException) => {
    // The port is taken or forbidden: the platform's sentence says so and what to do.
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') throw new UserError(error.message, 1, { cause: error });
    throw error;
  });
  try {
    const issuer = createOidcIssuer({ clock: platform.context.clock });
    platform.composition.controlled.setOidcKeys(issuer.issuer, await issuer.jwks());
    github = createGitHub({
      directory: join(options.stateDirectory, 'github'),
      // People read these times: an at-once clock that skips the minutes of an endpoint's start would show minutes nobody waited.
      clock: { now: () => new Date() },
      logger,
      issuer,
      baseUrl: () => platform.url,
      token: platform.token,
      runnerEnvironment: () => ({
        AWS_ENDPOINT_URL: platform.url,
        AWS_EC2_METADATA_DISABLED: 'true',
        // What this machine has installed serves the jobs of a pull request as well.
        SAGEMAKER_MLOPS_INSTALLED: productDirectory,
        PIP_CACHE_DIR: join(options.stateDirectory, 'pip-cache'),
        SAGEMAKER_MLOPS_PYTHON: join(dirname(options.python.python), '..', '..'),
      }),
      tools: { node: process.execPath, python: options.python.python, git: await findOnPath('git') },
      ...(options.reviewer === undefined ? {} : { reviewer: options.reviewer }),
    });
  } catch (error) {
    await platform.close();
    throw error;
  }
  const local: LocalGitHub = github;
  return {
    platform,
    github: local,
    async setProject(project) {
      const file = join(options.stateDirectory, 'platform.json');
      const state = JSON.parse(await readFile(file, 'utf8')) as PlatformState;
      await writeFile(file, `${JSON.stringify({ ...state, project }, null, 2)}\n`, { mode: 0o600 });
    },
    async close() {
      await local.close();
      await platform.close();
    },
  };
}

async function readState(directory: string): Promise<PlatformState | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, 'platform.json'), 'utf8')) as PlatformState;
  } catch {
    return undefined;
  }
}

async function findOnPath(program: string): Promise<string> {
  const { access, constants } = await import('node:fs/promises');
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    // A relative entry would depend on the folder the user happens to be in.
    if (folder === '' || dirname(folder) === '.') continue;
    const path = join(folder, program);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new UserError(`${program} was not found: install ${program}, then start again.`);
}
