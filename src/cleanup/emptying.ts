/** Empties a versioned bucket: every version and delete marker, a thousand a call, in flat memory however many there are. */
import { DeleteObjectsCommand, ListObjectVersionsCommand, type ListObjectVersionsOutput } from '@aws-sdk/client-s3';
import type { Service } from '../aws/session.ts';

export interface Emptied {
  removed: number;
  failed: number;
  /** Some of those that S3 did not delete, in its own words. */
  examples: readonly { key: string; versionId: string; code: string; message: string }[];
}

export interface EmptyingOptions {
  /** Keys that stay, with all their versions. */
  keep?: (key: string) => boolean;
  signal?: AbortSignal;
  /** Told after every call how many are gone. */
  progress?: (removed: number) => void;
}

interface Version {
  Key: string;
  VersionId: string;
}

/** S3 takes at most 1,000 keys a call and refuses an empty list. */
const pageSize = 1_000;
/** Deletions in flight while the next page is listed; more than this many pages are never held. */
const inFlight = 4;
const exampleLimit = 5;
/** Versions and delete markers, page by page. */
export async function* versionPages(
  s3: Service,
  bucket: string,
  signal?: AbortSignal,
): AsyncGenerator<(Version & { size: number })[]> {
  let [keyMarker, versionMarker]: [string | undefined, string | undefined] = [undefined, undefined];
  const sending = { resource: `s3://${bucket}`, ...(signal === undefined ? {} : { signal }) };
  for (;;) {
    const page: ListObjectVersionsOutput = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        MaxKeys: pageSize,
        KeyMarker: keyMarker,
        VersionIdMarker: versionMarker,
      }),
      sending,
    );
    yield [
      ...(page.Versions ?? []).map((each) => ({
        Key: each.Key ?? '',
        VersionId: each.VersionId ?? 'null',
        size: each.Size ?? 0,
      })),
      ...(page.DeleteMarkers ?? []).map((each) => ({
        Key: each.Key ?? '',
        VersionId: each.VersionId ?? 'null',
        size: 0,
      })),
    ];
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    [keyMarker, versionMarker] = [page.NextKeyMarker, page.NextVersionIdMarker];
  }
}

export async function emptyBucket(s3: Service, bucket: string, options: EmptyingOptions = {}): Promise<Emptied> {
  const { keep = () => false, signal, progress } = options;
  const sending = { resource: `s3://${bucket}`, ...(signal === undefined ? {} : { signal }) };
  let examples: Emptied['examples'][number][] = [];
  let removed = 0;
  let failed = 0;

  async function remove(versions: readonly Version[]): Promise<void> {
    const answer = await s3.send(
      new DeleteObjectsCommand({
        Bucket: bucket,
        Delete: { Quiet: true, Objects: versions.map(({ Key, VersionId }) => ({ Key, VersionId })) },
      }),
      sending,
    );
    const errors = (answer.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchVersion' && Code !== 'NoSuchKey');
    for (const error of errors.slice(0, exampleLimit - examples.length)) {
      const { Key = '', VersionId = '', Code = '', Message = '' } = error;
      examples.push({ key: Key, versionId: VersionId, code: Code, message: Message });
    }
    failed += errors.length;
    removed += versions.length - errors.length;
    progress?.(removed);
  }

  for (;;) {
    const before = removed;
    failed = 0;
    examples = [];
    const flying = new Set<Promise<void>>();
    let broken: unknown;
    for await (const page of versionPages(s3, bucket, signal)) {
      const versions = page.filter(({ Key }) => !keep(Key));
      for (let start = 0; start < versions.length; start += pageSize) {
        const call: Promise<void> = remove(versions.slice(start, start + pageSize)).then(
          () => void flying.delete(call),
          (error) => {
            flying.delete(call);
            broken ??= error ?? new Error('failed without a reason');
          },
        );
        flying.add(call);
      }
      if (flying.size >= inFlight) await Promise.race(flying);
      if (broken !== undefined) break;
    }
    await Promise.all(flying);
    if (broken !== undefined) throw broken;
    // What came while the listing went on is seen by the next pass; what S3 refuses, it refuses again, and that is the end.
    if (removed === before) return { removed, failed, examples };
  }
}
