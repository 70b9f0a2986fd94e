import { getOctokit } from '@actions/github';
import { FailureError } from '../failure.ts';
import type { RunContext } from './context.ts';

/** One decision about a protected environment of this run. GitHub gives no time, and lists the decisions of all attempts. */
export interface Approval {
  environments: readonly string[];
  state: 'approved' | 'rejected';
  user: string;
  comment: string;
}

/** GET /repos/OWNER/REPO/actions/runs/ID/approvals; needs `actions: read` in private repositories. */
export async function readApprovals(context: RunContext, token: string): Promise<Approval[]> {
  const [owner = '', repo = ''] = context.repository.split('/');
  const octokit = getOctokit(token, { baseUrl: context.apiUrl });
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', {
      owner,
      repo,
      run_id: Number(context.runId),
    });
    return data.map((entry) => ({
      environments: entry.environments.map(({ name }) => name ?? ''),
      state: entry.state === 'approved' ? 'approved' : 'rejected',
      user: entry.user?.login ?? '',
      comment: entry.comment ?? '',
    }));
  } catch (error) {
    const status = (error as { status?: number }).status;
    throw new FailureError(
      {
        code: status === 401 || status === 403 || status === 404 ? 'AccessDenied' : 'NetworkError',
        resource: `${context.apiUrl}/repos/${context.repository}/actions/runs/${context.runId}/approvals`,
        cause: `The approvals of this run cannot be read${status === undefined ? '' : ` (${status})`}: ${(error as Error).message}`,
        hint: 'The job needs `permissions: actions: read` and the input github-token',
      },
      'failed',
      { cause: error },
    );
  }
}
