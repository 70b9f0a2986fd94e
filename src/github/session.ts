import { parseArn, partitionOf } from '../aws/partition.ts';
import { type Aws, createAws } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import type { Host } from './host.ts';
import { audienceOf, claimsOf } from './oidc.ts';
import { version } from './version.generated.ts';

/** The inputs by which every action says how it gets into AWS. */
export interface AwsInputs {
  readonly 'aws-region': string;
  readonly 'role-to-assume': string | undefined;
  readonly 'role-chain': readonly string[] | undefined;
  readonly 'role-duration-seconds': number | undefined;
}

const toldClaims = ['sub', 'aud', 'repository', 'repository_id', 'environment', 'ref', 'job_workflow_ref'] as const;

/** What a trust policy sees of an ID token, for the hint of a refused assumption. */
export function describeToken(token: string): string {
  const claims = claimsOf(token);
  return toldClaims
    .filter((name) => claims[name] !== undefined)
    .map((name) => `${name} ${String(claims[name])}`)
    .join(', ');
}

/** A role of one partition is of no use in a region of another; STS would only say that the token is not valid. */
function checkPartition(inputs: AwsInputs): void {
  const region = inputs['aws-region'];
  for (const role of [inputs['role-to-assume'], ...(inputs['role-chain'] ?? [])]) {
    const partition = role === undefined ? undefined : parseArn(role)?.partition;
    if (partition === undefined || partition === partitionOf(region)) continue;
    throw new FailureError({
      code: 'InvalidInput',
      resource: role === inputs['role-to-assume'] ? 'role-to-assume' : 'role-chain',
      cause: `The role ${role} is of the partition ${partition}, but \`aws-region\` ${region} belongs to ${partitionOf(region)}`,
    });
  }
}

/** Opens AWS for an action: by `role-to-assume` with tokens of this job, else with the credentials that the job already has. */
export function openAws(action: string, inputs: AwsInputs, host: Host<any>): Aws {
  const { context } = host;
  checkPartition(inputs);
  return createAws({
    region: inputs['aws-region'],
    env: host.env,
    roleToAssume: inputs['role-to-assume'],
    roleChain: inputs['role-chain'] ?? [],
    durationSeconds: inputs['role-duration-seconds'],
    idToken: () => host.idToken(audienceOf(inputs['aws-region'])),
    describeToken,
    mask: host.mask,
    context,
    userAgent: [
      ['sagemaker-mlops', version],
      ['gha-action', action],
      ['gha-run', `${context.runId}-${context.runAttempt}`],
    ],
    clock: host.clock,
  });
}
