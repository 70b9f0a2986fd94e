import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';

/** Time as the issuer needs it; the local platform's clock fits. */
interface IssuerClock {
  now(): Date;
}

/** What GitHub knows about the job that asks for a token. */
export interface OidcClaims {
  owner: string;
  ownerId: number;
  /** Name without owner. */
  repository: string;
  repositoryId: number;
  /** refs/heads/main, refs/tags/v1, refs/pull/7/merge */
  ref: string;
  sha: string;
  eventName: string;
  runId: number;
  runNumber: number;
  runAttempt: number;
  actor: string;
  actorId: number;
  /** Name of the workflow. */
  workflow: string;
  /** OWNER/REPO/.github/workflows/FILE@REF of the caller. */
  workflowRef: string;
  workflowSha: string;
  /** The same of the file that defines the job: the called one in a reusable workflow. */
  jobWorkflowRef: string;
  jobWorkflowSha: string;
  environment?: string;
  /** Of pull_request events. */
  headRef?: string;
  baseRef?: string;
  visibility?: 'public' | 'private' | 'internal';
  /** Default: sts.amazonaws.com. */
  audience?: string;
  /**
   * Subject with ids (`repo:OWNER@OWNER_ID/REPO@REPO_ID:...`): the default of repositories created, renamed or
   * transferred since 15 July 2026.
   */
  immutableSubject?: boolean;
}

/** A colon inside a value would start a new part of the subject. */
const escapeColons = (value: string) => value.replaceAll(':', '%3A');

/**
 * The subject of a job's token: an environment replaces the ref, a pull request stands for its ref.
 *
 * https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
 */
export function subjectOf(
  claims: Pick<
    OidcClaims,
    'owner' | 'ownerId' | 'repository' | 'repositoryId' | 'ref' | 'eventName' | 'environment' | 'immutableSubject'
  >,
): string {
  const { owner, ownerId, repository, repositoryId, environment } = claims;
  const name = claims.immutableSubject ? `${owner}@${ownerId}/${repository}@${repositoryId}` : `${owner}/${repository}`;
  if (environment !== undefined && environment !== '') return `repo:${name}:environment:${escapeColons(environment)}`;
  if (claims.eventName === 'pull_request') return `repo:${name}:pull_request`;
  return `repo:${name}:ref:${escapeColons(claims.ref)}`;
}

const refType = (ref: string) => (ref.startsWith('refs/tags/') ? 'tag' : 'branch');

/** The claims of GitHub's tokens, all but the times. */
export function tokenClaims(claims: OidcClaims): Record<string, string> {
  const { owner, repository } = claims;
  return {
    sub: subjectOf(claims),
    aud: claims.audience ?? 'sts.amazonaws.com',
    ref: claims.ref,
    sha: claims.sha,
    repository: `${owner}/${repository}`,
    repository_owner: owner,
    repository_owner_id: String(claims.ownerId),
    run_id: String(claims.runId),
    run_number: String(claims.runNumber),
    run_attempt: String(claims.runAttempt),
    repository_visibility: claims.visibility ?? 'private',
    repository_id: String(claims.repositoryId),
    actor_id: String(claims.actorId),
    actor: claims.actor,
    workflow: claims.workflow,
    head_ref: claims.headRef ?? '',
    base_ref: claims.baseRef ?? '',
    event_name: claims.eventName,
    ref_protected: 'false',
    ref_type: refType(claims.ref),
    workflow_ref: claims.workflowRef,
    workflow_sha: claims.workflowSha,
    job_workflow_ref: claims.jobWorkflowRef,
    job_workflow_sha: claims.jobWorkflowSha,
    runner_environment: 'self-hosted',
    ...(claims.environment === undefined || claims.environment === '' ? {} : { environment: claims.environment }),
  };
}

export interface OidcIssuer {
  /** As tokens carry it: AWS accepts https issuers only, so trust policies stay word for word those of production. */
  readonly issuer: string;
  /** Public keys. */
  jwks(): Promise<JSONWebKeySet>;
  /** A signed token that lives five minutes. */
  sign(claims: OidcClaims): Promise<string>;
}

export const githubIssuer = 'https://token.actions.githubusercontent.com';
const lifetimeSeconds = 300;

/** GitHub's issuer of ID tokens with a key of its own: RS256, as GitHub's. */
export function createOidcIssuer({
  clock,
  issuer = githubIssuer,
}: {
  clock: IssuerClock;
  issuer?: string;
}): OidcIssuer {
  const kid = randomUUID().toUpperCase();
  // Made when first needed: a key of 2048 bits takes some 50 ms.
  let pair: ReturnType<typeof generateKeyPair> | undefined;
  const keys = () => {
    pair ??= generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
    return pair;
  };
  return {
    issuer,
    async jwks() {
      const { publicKey } = await keys();
      return { keys: [{ ...(await exportJWK(publicKey)), use: 'sig', alg: 'RS256', kid }] };
    },
    async sign(claims) {
      const now = Math.floor(clock.now().getTime() / 1000);
      const { privateKey } = await keys();
      return new SignJWT(tokenClaims(claims))
        .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid, x5t: kid })
        .setIssuer(issuer)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setNotBefore(now - 600)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(privateKey);
    },
  };
}
