import { arch, platform } from 'node:os';
import { type Data, toData } from '../expressions.ts';
import type { JobSpec, RunFacts } from './spec.ts';

/** A stable number for a login, as GitHub has one for every account. */
export function userId(login: string): number {
  let hash = 0;
  for (const character of login.toLowerCase()) hash = (hash * 31 + character.charCodeAt(0)) % 90_000_000;
  return hash + 10_000_000;
}

export interface Addresses {
  server: string;
  api: string;
  graphql: string;
}

export function addresses(baseUrl: string): Addresses {
  return { server: `${baseUrl}/_github`, api: `${baseUrl}/_github/api`, graphql: `${baseUrl}/_github/api/graphql` };
}

/** The github context as far as the server knows it (before a runner has a workspace). */
export function githubContext(facts: RunFacts, urls: Addresses): Record<string, unknown> {
  const { run, repository } = facts;
  const refName = run.ref.replace(/^refs\/(heads|tags|pull)\//, '');
  return {
    token: '',
    job: '',
    ref: run.ref,
    sha: run.sha,
    repository: repository.fullName,
    repository_owner: repository.owner,
    repository_owner_id: String(repository.ownerId),
    repositoryUrl: repository.url,
    run_id: String(run.id),
    run_number: String(run.number),
    retention_days: '90',
    run_attempt: String(run.attempt),
    artifact_cache_size_limit: '10',
    repository_visibility: 'private',
    repository_id: String(repository.id),
    actor_id: String(userId(run.actor)),
    actor: run.actor,
    triggering_actor: run.triggeringActor,
    workflow: run.name,
    head_ref: run.pull?.headBranch ?? '',
    base_ref: run.pull?.baseBranch ?? '',
    event_name: run.event,
    event: facts.event,
    server_url: urls.server,
    api_url: urls.api,
    graphql_url: urls.graphql,
    ref_name: refName,
    ref_protected: false,
    ref_type: run.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    secret_source: 'None',
    workflow_ref: facts.workflowRef,
    workflow_sha: facts.workflowSha,
  };
}

export function runnerContext(folders: { temp: string; toolCache: string }): Record<string, string> {
  const os = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }[platform() as string] ?? platform();
  const architecture = { x64: 'X64', arm64: 'ARM64', arm: 'ARM', ia32: 'X86' }[arch() as string] ?? arch();
  return {
    os,
    arch: architecture,
    name: 'local',
    environment: 'self-hosted',
    tool_cache: folders.toolCache,
    temp: folders.temp,
  };
}

export function jobContext(spec: JobSpec, status: string): Data {
  const { repository, path, ref, sha } = spec.definedBy;
  return toData({
    status,
    check_run_id: spec.facts.run.jobs.find((job) => job.key === spec.key)?.id ?? null,
    workflow_ref: `${repository}/${path}@${ref}`,
    workflow_sha: sha,
    workflow_repository: repository,
    workflow_file_path: path,
  });
}

/** GITHUB_* for a step. `github` is the context as the step sees it. */
export function githubVariables(github: Record<string, unknown>): Record<string, string> {
  const names = [
    'action',
    'action_path',
    'action_ref',
    'action_repository',
    'actor',
    'actor_id',
    'api_url',
    'base_ref',
    'env',
    'event_name',
    'event_path',
    'graphql_url',
    'head_ref',
    'job',
    'output',
    'path',
    'ref',
    'ref_name',
    'ref_protected',
    'ref_type',
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'retention_days',
    'run_attempt',
    'run_id',
    'run_number',
    'server_url',
    'sha',
    'state',
    'step_summary',
    'triggering_actor',
    'workflow',
    'workflow_ref',
    'workflow_sha',
    'workspace',
  ];
  const result: Record<string, string> = {};
  for (const name of names) {
    const value = github[name];
    if (value !== undefined && value !== null) result[`GITHUB_${name.toUpperCase()}`] = String(value);
  }
  return result;
}
