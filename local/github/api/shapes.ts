import { createHash } from 'node:crypto';
import { userId } from '../run/contexts.ts';
import type { Environment } from '../run/environments.ts';
import type { Approval, JobRecord, PendingDeployment, PullRecord, Repository, RunRecord } from '../types.ts';

/** GitHub's JSON for what this one keeps. `api` is GITHUB_API_URL, `server` GITHUB_SERVER_URL. */
export interface Urls {
  api: string;
  server: string;
}

const nodeId = (kind: string, id: number | string) => Buffer.from(`${kind}:${id}`).toString('base64url');

export function userShape(login: string): Record<string, unknown> {
  const bot = login.endsWith('[bot]');
  return { login, id: userId(login), node_id: nodeId('User', login), type: bot ? 'Bot' : 'User', site_admin: false };
}

export function repositoryShape(repository: Repository, urls: Urls): Record<string, unknown> {
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: repository.fullName,
    private: true,
    visibility: 'private',
    owner: { ...userShape(repository.owner), id: repository.ownerId, type: 'Organization' },
    html_url: `${urls.server}/${repository.fullName}`,
    url: `${urls.api}/repos/${repository.fullName}`,
    clone_url: repository.url,
    default_branch: repository.defaultBranch,
    fork: false,
    archived: false,
    disabled: false,
  };
}

/** A number for a workflow file, as GitHub has one for each path. */
export function workflowId(repository: Repository, path: string): number {
  return (
    Number.parseInt(createHash('sha256').update(`${repository.fullName}/${path}`).digest('hex').slice(0, 7), 16) +
    100_000_000
  );
}

export function workflowShape(repository: Repository, path: string, name: string, urls: Urls): Record<string, unknown> {
  const id = workflowId(repository, path);
  return {
    id,
    node_id: nodeId('Workflow', id),
    name,
    path,
    state: 'active',
    url: `${urls.api}/repos/${repository.fullName}/actions/workflows/${id}`,
    html_url: `${urls.server}/${repository.fullName}/blob/${repository.defaultBranch}/${path}`,
  };
}

type RunLike = Omit<RunRecord, 'previousAttempts' | 'approvals'>;

/** Branch (or tag) and commit that a run is shown for: of a pull request its head, not the merge commit that it runs on. */
export function headOf(run: RunLike): { branch: string; sha: string } {
  if (run.pull) return { branch: run.pull.headBranch, sha: run.pull.headSha };
  return { branch: run.ref.replace(/^refs\/(heads|tags)\//, ''), sha: run.sha };
}

export function pullShape(pull: PullRecord, repository: Repository, urls: Urls): Record<string, unknown> {
  const end = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: { ...userShape(repository.owner), id: repository.ownerId, type: 'Organization' },
    repo: repositoryShape(repository, urls),
  });
  return {
    id: repository.id * 1000 + pull.number,
    node_id: nodeId('PullRequest', repository.id * 1000 + pull.number),
    number: pull.number,
    state: pull.state,
    locked: false,
    draft: false,
    merged: pull.merged,
    mergeable: pull.mergeSha !== undefined,
    merge_commit_sha: pull.mergeSha ?? null,
    title: pull.title,
    body: pull.body,
    user: userShape(pull.author),
    head: end(pull.headBranch, pull.headSha),
    base: end(pull.baseBranch, pull.baseSha),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    url: `${urls.api}/repos/${repository.fullName}/pulls/${pull.number}`,
    html_url: `${urls.server}/${repository.fullName}/pull/${pull.number}`,
  };
}

export function runShape(run: RunLike, repository: Repository, urls: Urls): Record<string, unknown> {
  const url = `${urls.api}/repos/${run.repository}/actions/runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('WorkflowRun', run.id),
    name: run.name,
    path: run.path,
    display_title: run.title,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    head_branch: headOf(run).branch,
    head_sha: headOf(run).sha,
    workflow_id: workflowId(repository, run.path),
    actor: userShape(run.actor),
    triggering_actor: userShape(run.triggeringActor),
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.startedAt,
    url,
    html_url: `${urls.server}/${run.repository}/actions/runs/${run.id}`,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${urls.api}/repos/${run.repository}/actions/workflows/${workflowId(repository, run.path)}`,
    pull_requests: run.pull
      ? [
          {
            number: run.pull.number,
            head: { ref: run.pull.headBranch, sha: run.pull.headSha },
            base: { ref: run.pull.baseBranch, sha: run.pull.baseSha },
          },
        ]
      : [],
    referenced_workflows: [],
    head_commit: { id: headOf(run).sha, message: run.title },
    repository: repositoryShape(repository, urls),
    head_repository: repositoryShape(repository, urls),
  };
}

export function jobShape(job: JobRecord, run: RunLike, urls: Urls): Record<string, unknown> {
  return {
    id: job.id,
    node_id: nodeId('CheckRun', job.id),
    run_id: run.id,
    run_attempt: job.attempt,
    run_url: `${urls.api}/repos/${run.repository}/actions/runs/${run.id}`,
    workflow_name: run.name,
    name: job.name,
    head_sha: headOf(run).sha,
    head_branch: headOf(run).branch,
    status: job.status,
    conclusion: job.conclusion,
    created_at: job.createdAt,
    started_at: job.startedAt ?? job.createdAt,
    completed_at: job.completedAt,
    steps: job.steps.map((step) => ({
      number: step.number,
      name: step.name,
      status: step.status,
      conclusion: step.conclusion,
      started_at: step.startedAt,
      completed_at: step.completedAt,
    })),
    labels: job.labels,
    runner_id: job.startedAt ? 1 : null,
    runner_name: job.startedAt ? 'local' : null,
    runner_group_id: null,
    runner_group_name: null,
    url: `${urls.api}/repos/${run.repository}/actions/jobs/${job.id}`,
    html_url: `${urls.server}/${run.repository}/actions/runs/${run.id}/job/${job.id}`,
    check_run_url: `${urls.api}/repos/${run.repository}/check-runs/${job.id}`,
  };
}

export function environmentShape(
  environment: Environment,
  repository: Repository,
  urls: Urls,
): Record<string, unknown> {
  const reviewers = environment.reviewers ?? [];
  const rules: Record<string, unknown>[] = [];
  if (reviewers.length > 0) {
    rules.push({
      id: environment.id * 10 + 1,
      node_id: nodeId('GateRule', environment.id),
      type: 'required_reviewers',
      prevent_self_review: environment.preventSelfReview ?? false,
      reviewers: reviewers.map((login) => ({ type: 'User', reviewer: userShape(login) })),
    });
  }
  if (environment.branches)
    rules.push({ id: environment.id * 10 + 2, node_id: nodeId('GateBranch', environment.id), type: 'branch_policy' });
  return {
    id: environment.id,
    node_id: nodeId('Environment', environment.id),
    name: environment.name,
    url: `${urls.api}/repos/${repository.fullName}/environments/${encodeURIComponent(environment.name)}`,
    html_url: `${urls.server}/${repository.fullName}/deployments/activity_log?environments_filter=${encodeURIComponent(environment.name)}`,
    created_at: environment.createdAt,
    updated_at: environment.createdAt,
    can_admins_bypass: false,
    protection_rules: rules,
    deployment_branch_policy: environment.branches ? { protected_branches: false, custom_branch_policies: true } : null,
  };
}

/** GitHub gives no time of an approval. */
export function approvalShape(
  approval: Approval,
  environment: Environment | undefined,
  repository: Repository,
  urls: Urls,
): Record<string, unknown> {
  const full = environment ? environmentShape(environment, repository, urls) : { name: approval.environment };
  const {
    protection_rules: _rules,
    deployment_branch_policy: _policy,
    can_admins_bypass: _bypass,
    ...short
  } = full as Record<string, unknown>;
  return { state: approval.state, comment: approval.comment, environments: [short], user: userShape(approval.user) };
}

export function pendingShape(
  pending: PendingDeployment,
  environment: Environment,
  canApprove: boolean,
  repository: Repository,
  urls: Urls,
): Record<string, unknown> {
  const { id, node_id, name, url, html_url } = environmentShape(environment, repository, urls) as Record<
    string,
    unknown
  >;
  return {
    environment: { id, node_id, name, url, html_url },
    wait_timer: 0,
    wait_timer_started_at: null,
    current_user_can_approve: canApprove,
    reviewers: pending.reviewers.map((login) => ({ type: 'User', reviewer: userShape(login) })),
  };
}
