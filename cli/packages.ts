import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeModelPackageCommand,
  type DescribeModelPackageCommandOutput,
  DescribeModelPackageGroupCommand,
  ListModelPackagesCommand,
  paginateListModelPackages,
} from '@aws-sdk/client-sagemaker';
import type { RunRecord } from '../local/github/types.ts';
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

/** The package that a run is about, as its jobs told in their outputs: one that it built, or an earlier one to go back to. */
export function packageOf({ jobs }: Pick<RunRecord, 'jobs'>): string | undefined {
  return jobs.flatMap(({ outputs }) => outputs['model-package-arn'] || []).at(-1);
}

/** How many versions a group has; 0 when it is gone. */
export async function countPackages({ sagemaker }: AccountClients, group: string): Promise<number> {
  if (!(await groupExists({ sagemaker }, group))) return 0;
  let count = 0;
  const pages = paginateListModelPackages({ client: sagemaker, pageSize: 100 }, { ModelPackageGroupName: group });
  for await (const { ModelPackageSummaryList } of pages) count += ModelPackageSummaryList?.length ?? 0;
  return count;
}

/**
 * The numbers of a package's model metrics by their paths. SageMaker's own form keeps a metric in `NAME.value` beside its standard
 * deviation: where a document has such, only they count, without the ".value".
 */
export async function packageMetrics(
  clients: AccountClients,
  description: DescribeModelPackageCommandOutput,
): Promise<Record<string, number>> {
  const uri = description.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri ?? '');
  if (match === null) return {};
  const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: match[1]!, Key: match[2]! }));
  const numbers: [path: string, value: number][] = [];
  const walk = (node: unknown, path: string) => {
    if (typeof node === 'number') numbers.push([path, node]);
    if (typeof node === 'object' && node !== null) {
      for (const [key, child] of Object.entries(node)) walk(child, path === '' ? key : `${path}.${key}`);
    }
  };
  walk(JSON.parse(await Body!.transformToString()), '');
  const values = numbers.filter(([path]) => path.endsWith('.value'));
  return Object.fromEntries(
    values.length === 0 ? numbers : values.map(([path, value]) => [path.slice(0, -'.value'.length), value]),
  );
}

async function groupExists(clients: Pick<AccountClients, 'sagemaker'>, group: string): Promise<boolean> {
  try {
    await clients.sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group }));
    return true;
  } catch (error) {
    // SageMaker answers a missing group with its general error: API_DescribeModelPackageGroup lists no other.
    if ((error as Error).name === 'ValidationException') return false;
    throw error;
  }
}
