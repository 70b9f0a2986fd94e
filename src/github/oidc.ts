import { setTimeout as sleep } from 'node:timers/promises';
import { FailureError } from '../failure.ts';
import type { Environment } from './inputs.ts';

/** Audience of AWS's OIDC providers; China has its own (IAM user guide, configuring a role for GitHub). */
export function audienceOf(region: string): string {
  return region.startsWith('cn-') ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com';
}

export interface IdTokenSource {
  env: Environment;
  audience: string;
  /** Called with the token before anybody else sees it. */
  mask: (secret: string) => void;
  fetch?: typeof fetch;
}

/**
 * Asks the runner for a fresh ID token. A token lives five minutes and may be minted as often as one likes for as long as the
 * job runs, so it is never cached. Uses the global fetch instead of @actions/core's client, which would load all of undici.
 */
export async function fetchIdToken({ env, audience, mask, fetch: get = fetch }: IdTokenSource): Promise<string> {
  const url = env['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const bearer = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (!url || !bearer) {
    throw new FailureError({
      code: 'CredentialsMissing',
      resource: 'role-to-assume',
      cause: 'GitHub gives this job no OIDC token',
      hint: 'Add `permissions: id-token: write` to this job, and to the calling job when the workflow is called; pull requests from forks never get one',
    });
  }
  const separator = url.includes('?') ? '&' : '?';
  let last = '';
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    try {
      const response = await get(`${url}${separator}audience=${encodeURIComponent(audience)}`, {
        headers: { authorization: `Bearer ${bearer}`, accept: 'application/json; api-version=2.0' },
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) {
        const { value } = (await response.json()) as { value?: string };
        if (typeof value === 'string' && value !== '') {
          mask(value);
          return value;
        }
        last = 'the answer held no token';
      } else {
        last = `HTTP ${response.status}`;
        // 4xx will not get better by asking again, except 408 and 429.
        if (response.status < 500 && response.status !== 408 && response.status !== 429) break;
      }
    } catch (error) {
      last = (error as Error).message;
    }
    if (attempt < 4) await sleep(250 * 2 ** attempt * Math.random());
  }
  throw new FailureError({
    code: 'CredentialsMissing',
    resource: 'role-to-assume',
    cause: `GitHub's OIDC endpoint gave no token: ${last}`,
    hint: 'Re-run the job; see https://www.githubstatus.com when it persists',
  });
}

/** The claims of an ID token, unverified: only for telling the user what the trust policy would have to match. */
export function claimsOf(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
