import type { OidcClaims, OidcIssuer } from '../oidc.ts';
import { userId } from '../run/contexts.ts';
import type { JobState } from '../run/state.ts';
import { grants } from '../workflow/permissions.ts';
import { HttpError } from './http.ts';

/** What GitHub puts into the token of a job. The job_workflow claims name the file that defines the job, with the ref its caller wrote. */
export function jobClaims(job: JobState, audience: string, immutableSubject: boolean): OidcClaims {
  const { facts, definedBy, environment } = job.spec;
  const { run, repository } = facts;
  return {
    owner: repository.owner,
    ownerId: repository.ownerId,
    repository: repository.name,
    repositoryId: repository.id,
    ref: run.ref,
    sha: run.sha,
    eventName: run.event,
    runId: run.id,
    runNumber: run.number,
    runAttempt: run.attempt,
    actor: run.actor,
    actorId: userId(run.actor),
    workflow: run.name,
    workflowRef: facts.workflowRef,
    workflowSha: facts.workflowSha,
    jobWorkflowRef: `${definedBy.repository}/${definedBy.path}@${definedBy.ref}`,
    jobWorkflowSha: definedBy.sha,
    ...(run.pull === undefined ? {} : { headRef: run.pull.headBranch, baseRef: run.pull.baseBranch }),
    ...(environment === undefined ? {} : { environment }),
    audience,
    immutableSubject,
  };
}

/** Answers the runner's request for an ID token. `job` is the one the request token belongs to. */
export async function idToken(
  job: JobState | undefined,
  query: URLSearchParams,
  issuer: OidcIssuer,
  immutableSubject: (job: JobState) => boolean,
): Promise<{ value: string }> {
  if (!job) throw new HttpError(401, 'The request token is not of a running job.');
  if (!grants(job.spec.permissions, 'id-token', 'write'))
    throw new HttpError(403, 'The job has no permission id-token: write.');
  if (query.get('job') !== String(job.record.id)) throw new HttpError(403, 'The request token belongs to another job.');
  // Without an audience GitHub names the owner's page.
  const audience = query.get('audience') || `https://github.com/${job.spec.facts.repository.owner}`;
  return { value: await issuer.sign(jobClaims(job, audience, immutableSubject(job))) };
}
