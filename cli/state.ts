import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from './errors.ts';

/** The product's checkout: the folder that holds cli/. */
export const productDirectory = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Everything that the local platform keeps on disk; git-ignored. SAGEMAKER_MLOPS_STATE names another folder. */
export function stateDirectory(): string {
  return process.env['SAGEMAKER_MLOPS_STATE'] ?? join(productDirectory, '.sagemaker-mlops');
}

/** platform.json as the running platform wrote it, with what `start` added about the project. */
export interface PlatformState {
  port: number;
  pid: number;
  /** The region of the world. */
  region?: string;
  token: string;
  project?: ProjectState;
}

export interface ProjectState {
  name: string;
  id: string;
  /** acme/abalone */
  repository: string;
  repositoryId: number;
  /** The working clone that the user edits. */
  directory: string;
  region: string;
  adminAccount: string;
}

/** The state of the platform that runs now; a UserError when none does. */
export function runningPlatform(directory = stateDirectory()): PlatformState {
  let state: PlatformState;
  try {
    state = JSON.parse(readFileSync(join(directory, 'platform.json'), 'utf8'));
  } catch {
    throw new UserError(
      'No local platform is running: start it with "npm start" (the whole path) or "npx sagemaker-mlops local" (the platform alone).',
    );
  }
  if (!isAlive(state.pid)) {
    throw new UserError(
      `The local platform of ${directory} has ended (process ${state.pid} is gone): start it again with "npm start".`,
    );
  }
  return state;
}

export function runningProject(state: PlatformState): ProjectState {
  if (state.project === undefined) {
    throw new UserError('The running platform has no project: "npm start" makes one, "local" starts an empty world.');
  }
  return state.project;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
