import { SageMakerClient, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { sameArn } from '../aws/partition.ts';
import { S3Client } from '../aws/s3.ts';
import type { Aws } from '../aws/session.ts';
import { requestToken, sha256 } from '../aws/token.ts';
import type { Clock } from '../clock.ts';
import { type Failure, FailureError, type Status } from '../failure.ts';
import { type Artifact, hashArtifact } from './artifact.ts';
import type { GateFile } from './gate-file.ts';
import { type Evidence, evidenceText, judge, type Verdict } from './judge.ts';
import { completedPackage, findChampion, type ModelPackage, packageMetrics, packageParts } from './package.ts';
import { recordOf, sameJudgement, toProperties } from './record.ts';

export interface GateRequest {
  packageArn: string;
  rules: GateFile;
  /** The file's bytes, whose hash goes on record. */
  rulesText: string;
  rulesFile: string;
  runId: string;
  commit: string;
  deadline: number | undefined;
}

export interface GateReport {
  package?: ModelPackage;
  champion?: { arn: string; metrics: Record<string, number> } | undefined;
  metrics?: Record<string, number>;
  artifact?: Artifact;
  verdicts?: Verdict[];
  decision?: 'Approved' | 'Rejected';
  unchanged?: boolean;
}

export interface GateDeps {
  aws: Aws;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Judges one package and writes verdict, record and evidence in a single call, so that there is no moment with half of them.
 * A missed rule throws FailureError with status `rejected`, after the package says Rejected.
 */
export async function gateModel(
  request: GateRequest,
  { aws, clock, signal }: GateDeps,
  report: GateReport,
): Promise<Status> {
  const { packageArn: arn } = request;
  const parts = packageParts(arn);
  if (parts.region !== aws.region) {
    throw new FailureError({
      code: 'WrongRegion',
      resource: arn,
      account: parts.account,
      region: aws.region,
      cause: `The package lies in ${parts.region}, but \`aws-region\` is ${aws.region}`,
      hint: `Set \`aws-region\` to ${parts.region}`,
    });
  }
  const sagemaker = aws.service(SageMakerClient);
  const s3 = aws.service(S3Client);
  const found = await completedPackage(sagemaker, arn, { clock, signal, deadline: request.deadline });
  report.package = found;
  const before = recordOf(found);
  if (found.ModelApprovalStatus === 'Rejected' && before === undefined) {
    throw new FailureError(
      {
        code: 'RejectedByHand',
        account: parts.account,
        region: parts.region,
        resource: arn,
        cause: `Somebody rejected this package without the gate${found.ApprovalDescription ? `: ${found.ApprovalDescription}` : ''}`,
        hint: 'Set it to PendingManualApproval when the gate shall judge it after all',
      },
      'rejected',
    );
  }
  const needsChampion = request.rules.rules.some((rule) => 'better-than' in rule);
  const metrics = await packageMetrics(s3, found);
  report.metrics = metrics;
  const champion = needsChampion ? await findChampion(sagemaker, parts.group, arn) : undefined;
  if (champion !== undefined) {
    report.champion = { arn: champion.ModelPackageArn ?? '', metrics: await packageMetrics(s3, champion) };
  }
  const artifact = await hashArtifact(s3, found, signal);
  report.artifact = artifact;
  const evidence: Evidence = {
    metrics,
    champion: report.champion,
    artifactSha256: artifact.sha256,
    imageDigest: artifact.imageDigest,
    // Clocks differ; a package is never younger than new.
    age: Math.max(0, clock.now() - (found.CreationTime?.getTime() ?? clock.now())),
  };
  const verdicts = judge(request.rules, evidence);
  report.verdicts = verdicts;
  const missed = verdicts.filter(({ passed }) => !passed);
  const decision = missed.length === 0 ? 'Approved' : 'Rejected';
  const record = {
    run: request.runId,
    commit: request.commit,
    rulesSha256: sha256(request.rulesText),
    artifactSha256: artifact.sha256,
    artifactEtag: artifact.etag,
    imageDigest: artifact.imageDigest ?? '',
  };
  report.unchanged = found.ModelApprovalStatus === decision && sameJudgement(before, record);
  if (!report.unchanged) {
    await sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: found.ModelPackageArn ?? arn,
        ModelApprovalStatus: decision,
        ApprovalDescription: evidenceText(verdicts, missed.length === 0),
        CustomerMetadataProperties: toProperties(record),
        // 36 characters at most here.
        ClientToken: requestToken({
          runId: request.runId,
          action: 'gate',
          intent: `${arn} ${decision} ${record.rulesSha256}`,
          generation: found.LastModifiedTime?.getTime() ?? 1,
        }).slice(0, 36),
      }),
      { resource: arn },
    );
  }
  report.decision = decision;
  if (missed.length > 0) {
    throw new FailureError(
      missed.map(
        (verdict): Failure => ({
          code: verdict.code,
          account: parts.account,
          region: parts.region,
          resource: sameArn(found.ModelPackageArn, arn) ? arn : (found.ModelPackageArn ?? arn),
          logicalId: verdict.metric,
          cause: verdict.text,
          hint: `Rule of ${request.rulesFile}: ${verdict.metric} ${verdict.limit}`,
        }),
      ),
      'rejected',
    );
  }
  return report.unchanged ? 'unchanged' : '';
}
