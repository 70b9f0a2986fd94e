import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeModelPackageCommand,
  type DescribeModelPackageCommandOutput,
  DescribeModelPackageGroupCommand,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import type { AccountClients } from './accounts.ts';

/**
 * The newest versions of a group, newest first, with everything the registry says of them, and `also` those of these ARNs that
 * are older; none when the group is gone.
 */
export async function describePackages(
  clients: AccountClients,
  group: string,
  most = 5,
  also: readonly string[] = [],
): Promise<DescribeModelPackageCommandOutput[]> {
  if (!(await groupExists(clients, group))) return [];
  const { ModelPackageSummaryList } = await clients.sagemaker.send(
    new ListModelPackagesCommand({
      ModelPackageGroupName: group,
      SortBy: 'CreationTime',
      SortOrder: 'Descending',
      MaxResults: most,
    }),
  );
  const arns = new Set((ModelPackageSummaryList ?? []).map(({ ModelPackageArn }) => ModelPackageArn!));
  for (const arn of also) if (arn.includes(`:model-package/${group}/`)) arns.add(arn);
  return Promise.all(
    [...arns].map((arn) => clients.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }))),
  );
}

/** Every numeric `value` of a package's model metrics, by its path without the trailing ".value" (e.g. "regression_metrics.mse"). */
export async function packageMetrics(
  clients: AccountClients,
  description: DescribeModelPackageCommandOutput,
): Promise<Record<string, number>> {
  const uri = description.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri ?? '');
  if (match === null) return {};
  const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: match[1]!, Key: match[2]! }));
  const metrics: Record<string, number> = {};
  const walk = (node: unknown, path: string) => {
    if (typeof node === 'number' && path.endsWith('.value')) metrics[path.slice(0, -'.value'.length)] = node;
    if (typeof node === 'object' && node !== null) {
      for (const [key, child] of Object.entries(node)) walk(child, path === '' ? key : `${path}.${key}`);
    }
  };
  walk(JSON.parse(await Body!.transformToString()), '');
  return metrics;
}

async function groupExists(clients: AccountClients, group: string): Promise<boolean> {
  try {
    await clients.sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group }));
    return true;
  } catch (error) {
    // SageMaker answers a missing group with its general error: API_DescribeModelPackageGroup lists no other.
    if ((error as Error).name === 'ValidationException') return false;
    throw error;
  }
}
