/** The project's bucket: its objects in all versions. */
import { GetBucketTaggingCommand } from '@aws-sdk/client-s3';
import { isAws } from '../aws/errors.ts';
import { S3Client } from '../aws/s3.ts';
import { FailureError } from '../failure.ts';
import { emptyBucket, versionPages } from './emptying.ts';
import { type CleanupContext, type Item, isOurs, type Kept, notOurs, type Part, unlessGone } from './part.ts';

/** Pages that are counted for the plan; what is removed later does not depend on it. */
const countedPages = 20;

export interface FoundBucket {
  part: Part;
  kept: Kept[];
  /** The bucket when it exists and is the project's. */
  bucket: Item | undefined;
}

function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `needed` are keys, or beginnings ending in a slash, that stay. */
export async function findBucket(needed: readonly string[], context: CleanupContext): Promise<FoundBucket> {
  const { aws, account, names, project, signal, logger } = context;
  const s3 = aws.service(S3Client);
  const item = (kind: Item['kind']): Item => ({ kind, account, region: aws.region, name: names.bucket });
  const nothing: Part = { items: [], remove: async () => undefined };
  let tags: Parameters<typeof isOurs>[1];
  try {
    const answer = await s3.send(new GetBucketTaggingCommand({ Bucket: names.bucket }), {
      resource: names.bucket,
      signal,
    });
    tags = answer.TagSet;
  } catch (error) {
    if (isAws(error, 'NoSuchBucket')) return { part: nothing, kept: [], bucket: undefined };
    if (!isAws(error, 'NoSuchTagSet')) throw error;
  }
  if (!isOurs(project, tags))
    return { part: nothing, kept: [{ ...item('bucket'), because: notOurs(project) }], bucket: undefined };

  const exact = new Set(needed);
  const folders = needed.filter((key) => key.endsWith('/'));
  const keep = (key: string) => exact.has(key) || folders.some((folder) => key.startsWith(folder));
  let [count, bytes, stays, seen] = [0, 0, 0, 0];
  let more = false;
  for await (const page of versionPages(s3, names.bucket, signal)) {
    if (seen === countedPages) {
      more = true;
      break;
    }
    seen += 1;
    for (const version of page) {
      if (keep(version.Key)) stays += 1;
      else {
        count += 1;
        bytes += version.size;
      }
    }
  }
  const objects: Item = {
    ...item('objects'),
    count,
    note: `${more ? 'more than ' : ''}${count} versions and delete markers, ${size(bytes)}`,
  };
  return {
    bucket: item('bucket'),
    kept: stays > 0 ? [{ ...item('objects'), count: stays, because: 'the kept packages need them' }] : [],
    part: {
      items: count > 0 ? [objects] : [],
      async remove(record) {
        await record.attempt(objects, async () => {
          let told = 0;
          const emptied = await unlessGone(() =>
            emptyBucket(s3, names.bucket, {
              keep,
              signal,
              progress(removed) {
                if (removed - told < 50_000) return;
                told = removed;
                logger.info(`${removed} versions of s3://${names.bucket} removed so far`);
              },
            }),
          );
          if (emptied === undefined || emptied.failed === 0) return `removed ${emptied?.removed ?? 0} versions:`;
          const [example] = emptied.examples;
          throw new FailureError({
            code: example?.code === 'AccessDenied' ? 'AccessDenied' : 'ServiceError',
            resource: `s3://${names.bucket}/${example?.key ?? ''}`,
            cause: `${emptied.failed} versions could not be removed (${emptied.removed} were), such as ${example?.key} (version ${example?.versionId}): ${example?.code} ${example?.message}`,
          });
        });
      },
    },
  };
}
