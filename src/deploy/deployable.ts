/** What may be deployed: a package that is complete, approved with a gate record, and still the very model that was gated. */
import { type Failure, FailureError } from '../failure.ts';

/** What the gate wrote down about the model it judged. */
export interface GateFacts {
  artifactSha256: string | undefined;
  imageDigest: string | undefined;
}

export interface DeployableFacts {
  arn: string;
  status: string;
  approval: string;
  /** undefined: nobody has gated it. */
  gate: GateFacts | undefined;
  /** As it is now. */
  artifactSha256: string | undefined;
  imageDigest: string | undefined;
}

/** Every reason why this package is not deployed; empty when it may be. */
export function deployableProblems(facts: DeployableFacts): Failure[] {
  const { arn: resource, gate } = facts;
  const problems: Failure[] = [];
  if (facts.status !== 'Completed')
    problems.push({ code: 'PackageNotReady', resource, cause: `The package is ${facts.status}, not Completed` });
  if (facts.approval !== 'Approved')
    problems.push({
      code: 'NotApproved',
      resource,
      cause: `The package is ${facts.approval}, not Approved`,
      hint: 'Run the gate on it (workflow model-gate)',
    });
  if (gate === undefined) {
    problems.push({
      code: 'NotGated',
      resource,
      cause: `The package ${facts.approval === 'Approved' ? 'was approved by hand: it ' : ''}carries no gate record`,
      hint: 'Only what the gate has judged is deployed; run the gate on it (workflow model-gate)',
    });
    return problems;
  }
  if (gate.artifactSha256 !== undefined && facts.artifactSha256 !== gate.artifactSha256)
    problems.push({
      code: 'ArtifactChanged',
      resource,
      logicalId: 'artifact-sha256',
      cause: `The model archive is not the one that was gated: expected SHA-256 ${gate.artifactSha256}, found ${facts.artifactSha256 ?? 'none'}`,
      hint: 'Somebody replaced the archive after the gate; train again, or restore its former version in the bucket',
    });
  if (gate.imageDigest !== undefined && facts.imageDigest !== gate.imageDigest)
    problems.push({
      code: 'ArtifactChanged',
      resource,
      logicalId: 'image-digest',
      cause: `The inference image is not the one that was gated: expected ${gate.imageDigest}, found ${facts.imageDigest ?? 'none'}`,
      hint: 'Gate the package again',
    });
  return problems;
}

export function checkDeployable(facts: DeployableFacts): void {
  const problems = deployableProblems(facts);
  if (problems.length > 0) throw new FailureError(problems);
}
