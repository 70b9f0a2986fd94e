import type { Environment } from './inputs.ts';

/** What GitHub says about this run, read once from the runner's variables. */
export interface RunContext {
  /** OWNER/REPO of the caller. */
  repository: string;
  repositoryId: string;
  runId: string;
  /** 1 for the first attempt; never part of an idempotency token. */
  runAttempt: number;
  job: string;
  sha: string;
  ref: string;
  actor: string;
  workflow: string;
  eventName: string;
  /** Page of this run, '' outside of GitHub. */
  runUrl: string;
  apiUrl: string;
  workspace: string;
}

export function readContext(env: Environment): RunContext {
  const text = (name: string): string => env[name] ?? '';
  const server = text('GITHUB_SERVER_URL') || 'https://github.com';
  const repository = text('GITHUB_REPOSITORY');
  const runId = text('GITHUB_RUN_ID');
  return {
    repository,
    repositoryId: text('GITHUB_REPOSITORY_ID'),
    runId,
    runAttempt: Number(text('GITHUB_RUN_ATTEMPT') || '1'),
    job: text('GITHUB_JOB'),
    sha: text('GITHUB_SHA'),
    ref: text('GITHUB_REF'),
    actor: text('GITHUB_ACTOR'),
    workflow: text('GITHUB_WORKFLOW'),
    eventName: text('GITHUB_EVENT_NAME'),
    runUrl: repository !== '' && runId !== '' ? `${server}/${repository}/actions/runs/${runId}` : '',
    apiUrl: text('GITHUB_API_URL') || 'https://api.github.com',
    workspace: text('GITHUB_WORKSPACE') || '.',
  };
}
