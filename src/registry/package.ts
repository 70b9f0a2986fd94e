import {
  DescribeModelPackageCommand,
  type DescribeModelPackageOutput,
  ListModelPackagesCommand,
  type ModelPackageSummary,
} from '@aws-sdk/client-sagemaker';
import { sameArn } from '../aws/partition.ts';
import { poll, stillRunning } from '../aws/poll.ts';
import { readJson } from '../aws/s3.ts';
import type { Service } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import { flattenMetrics } from '../metrics.ts';

export type ModelPackage = DescribeModelPackageOutput;

/** Group and version of arn:...:model-package/GROUP/VERSION; throws InvalidInput for anything else. */
export function packageParts(arn: string): { region: string; account: string; group: string; version: number } {
  const match = /^arn:[^:]+:sagemaker:([^:]+):(\d{12}):model-package\/([^/]+)\/(\d+)$/.exec(arn);
  if (match === null) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'model-package-arn',
      cause: `Input \`model-package-arn\` is ${JSON.stringify(arn)}, but must be the ARN of one version, arn:...:model-package/GROUP/VERSION`,
    });
  }
  const [, region = '', account = '', group = '', version = ''] = match;
  return { region, account, group, version: Number(version) };
}

export async function describePackage(sagemaker: Service, arn: string): Promise<ModelPackage> {
  return sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }), { resource: arn });
}

/** The package once it is no longer being registered; a failed one is a failure. */
export async function completedPackage(
  sagemaker: Service,
  arn: string,
  waiting: { clock: Clock; signal: AbortSignal; deadline: number | undefined },
): Promise<ModelPackage> {
  const { region, account } = packageParts(arn);
  const found = await poll({
    read: () => describePackage(sagemaker, arn),
    done: ({ ModelPackageStatus }) => !['Pending', 'InProgress'].includes(ModelPackageStatus ?? ''),
    ...waiting,
    onDeadline: () =>
      stillRunning({
        resource: arn,
        region,
        account,
        where: 'The package was still being registered',
        resume: 're-run this job to wait again',
      }),
  });
  if (found.ModelPackageStatus === 'Completed') return found;
  const details = [
    ...(found.ModelPackageStatusDetails?.ValidationStatuses ?? []),
    ...(found.ModelPackageStatusDetails?.ImageScanStatuses ?? []),
  ];
  const reason = details.find(({ FailureReason }) => FailureReason)?.FailureReason;
  throw new FailureError({
    code: 'PackageNotReady',
    account,
    region,
    resource: arn,
    cause: `The package is ${found.ModelPackageStatus}${reason === undefined ? '' : `: ${reason}`}`,
  });
}

/** All versions of a group, newest first. */
export async function listPackages(sagemaker: Service, group: string): Promise<ModelPackageSummary[]> {
  const packages: ModelPackageSummary[] = [];
  let token: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListModelPackagesCommand({
        ModelPackageGroupName: group,
        SortBy: 'CreationTime',
        SortOrder: 'Descending',
        MaxResults: 100,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
      { resource: group },
    );
    packages.push(...(page.ModelPackageSummaryList ?? []));
    token = page.NextToken;
  } while (token !== undefined);
  return packages;
}

/** The model in production: the newest other version whose life cycle says Production, Approved. */
export async function findChampion(
  sagemaker: Service,
  group: string,
  except: string,
): Promise<ModelPackage | undefined> {
  const versions = await listPackages(sagemaker, group);
  const champion = versions.find(
    ({ ModelPackageArn, ModelLifeCycle }) =>
      ModelLifeCycle?.Stage === 'Production' &&
      ModelLifeCycle.StageStatus === 'Approved' &&
      !sameArn(ModelPackageArn, except),
  );
  return champion?.ModelPackageArn === undefined ? undefined : describePackage(sagemaker, champion.ModelPackageArn);
}

/** The numbers that the evaluation step wrote and the package points to; empty when it points to none. */
export async function packageMetrics(s3: Service, found: ModelPackage): Promise<Record<string, number>> {
  const uri = found.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  return uri === undefined ? {} : flattenMetrics(await readJson(s3, uri));
}
