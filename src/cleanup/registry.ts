/** Package versions of the project's group; the newest approved ones stay when that is wished, with what they need. */
import {
  DeleteModelPackageCommand,
  DescribeModelPackageGroupCommand,
  ListTagsCommand,
  type ModelPackageSummary,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { parseS3Uri } from '../aws/s3.ts';
import { describePackage, listPackages, type ModelPackage } from '../registry/package.ts';
import {
  atOnce,
  type CleanupContext,
  eachOf,
  type Item,
  isOurs,
  type Kept,
  notOurs,
  type Part,
  progressOf,
  unlessGone,
} from './part.ts';

export interface FoundRegistry {
  part: Part;
  kept: Kept[];
  /** The group when it exists and is the project's. */
  group: Item | undefined;
  /** Keys (or beginnings that end in a slash) of the project's bucket that the kept packages need. */
  needed: readonly string[];
}

/** Every S3 object that a package points to; for reports the whole folder, because predictions lie beside the metrics. */
export function neededKeys(found: ModelPackage, bucket: string): string[] {
  const uris: { uri: string | undefined; folder: boolean }[] = [];
  for (const container of found.InferenceSpecification?.Containers ?? []) {
    uris.push({ uri: container.ModelDataUrl, folder: false });
    uris.push({ uri: container.ModelDataSource?.S3DataSource?.S3Uri, folder: false });
  }
  const reports = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, entry] of Object.entries(value)) {
      if (key === 'S3Uri' && typeof entry === 'string') uris.push({ uri: entry, folder: true });
      else reports(entry);
    }
  };
  reports(found.ModelMetrics);
  reports(found.DriftCheckBaselines);
  return uris
    .filter((each): each is { uri: string; folder: boolean } => each.uri?.startsWith(`s3://${bucket}/`) === true)
    .map(({ uri, folder }) => {
      const { key } = parseS3Uri(uri);
      return folder && key.includes('/') ? key.slice(0, key.lastIndexOf('/') + 1) : key;
    });
}

export async function findRegistry(keepLast: number, context: CleanupContext): Promise<FoundRegistry> {
  const { aws, account, names, project, signal, logger } = context;
  const sagemaker = aws.service(SageMakerClient);
  const item = (kind: Item['kind'], name: string): Item => ({ kind, account, region: aws.region, name });
  const nothing: FoundRegistry = {
    part: { items: [], remove: async () => undefined },
    kept: [],
    group: undefined,
    needed: [],
  };
  const group = await unlessGone(() =>
    sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: names.base }), {
      resource: names.base,
      signal,
    }),
  );
  if (group === undefined) return nothing;
  const arn = group.ModelPackageGroupArn ?? '';
  const { Tags } = await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }), { resource: arn, signal });
  const groupItem = item('model package group', names.base);
  if (!isOurs(project, Tags)) return { ...nothing, kept: [{ ...groupItem, because: notOurs(project) }] };

  const packages = await listPackages(sagemaker, names.base);
  const arnOf = (summary: ModelPackageSummary) => summary.ModelPackageArn ?? '';
  const approved = packages.filter(({ ModelApprovalStatus }) => ModelApprovalStatus === 'Approved').slice(0, keepLast);
  const staying = new Set(approved.map(arnOf));
  const needed: string[] = [];
  for (const each of staying) needed.push(...neededKeys(await describePackage(sagemaker, each), names.bucket));
  const items = packages
    .map(arnOf)
    .filter((each) => !staying.has(each))
    .map((each) => item('model package', each));
  return {
    group: groupItem,
    needed,
    kept: [...staying].map((each) => ({ ...item('model package', each), because: `keep-last is ${keepLast}` })),
    part: {
      items,
      async remove(record) {
        const tick = progressOf(logger, items.length, 'model packages removed');
        await eachOf(items, atOnce, async (each) => {
          await record.attempt(each, async () => {
            await sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: each.name }), {
              resource: each.name,
              signal,
            });
            return undefined;
          });
          tick();
        });
      },
    },
  };
}
