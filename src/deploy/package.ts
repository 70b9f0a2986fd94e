import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { S3Client } from '../aws/s3.ts';
import type { Aws, Service } from '../aws/session.ts';
import { hashArtifact, imageDigest } from '../registry/artifact.ts';
import { describePackage, type ModelPackage } from '../registry/package.ts';
import { type GateRecord, recordOf } from '../registry/record.ts';
import { checkDeployable } from './deployable.ts';
import type { Lifecycle } from './lifecycle.ts';

export { SageMakerClient };

export interface GatedPackage {
  arn: string;
  gate: GateRecord;
  lifecycle: Lifecycle;
  found: ModelPackage;
}

export function lifecycleOf({ ModelLifeCycle: cycle }: ModelPackage): Lifecycle {
  return { stage: cycle?.Stage, status: cycle?.StageStatus, description: cycle?.StageDescription };
}

/** The package, when it is complete, approved and has a gate record; what its archive is now has not been looked at. */
export async function readGated(sagemaker: Service, arn: string): Promise<GatedPackage> {
  const found = await describePackage(sagemaker, arn);
  const gate = recordOf(found);
  checkDeployable({
    arn,
    status: found.ModelPackageStatus ?? '',
    approval: found.ModelApprovalStatus ?? '',
    gate: gate && { artifactSha256: undefined, imageDigest: gate.imageDigest === '' ? undefined : gate.imageDigest },
    artifactSha256: undefined,
    imageDigest: imageDigest(found),
  });
  // checkDeployable has thrown without a record.
  return { arn, gate: gate as GateRecord, lifecycle: lifecycleOf(found), found };
}

/** As readGated, and the archive is still the one that was gated: it is read and hashed, a second or so per hundred megabytes. */
export async function readDeployable(aws: Aws, arn: string, signal: AbortSignal): Promise<GatedPackage> {
  const gated = await readGated(aws.service(SageMakerClient), arn);
  const { found, gate } = gated;
  const artifact = await hashArtifact(aws.service(S3Client), found, signal);
  checkDeployable({
    arn,
    status: 'Completed',
    approval: 'Approved',
    gate: { artifactSha256: gate.artifactSha256, imageDigest: undefined },
    artifactSha256: artifact.sha256,
    imageDigest: undefined,
  });
  return gated;
}
