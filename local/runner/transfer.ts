import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { filesBelow } from './archive.ts';
import { JobFailure } from './failure.ts';

const concurrentTransfers = 8;

/**
 * The client for the next transfer. Asked for each one: sessions are renewed by the platform's clock, which may have gone on
 * for hours since the last, while an SDK client would keep the credentials that it was given by wall time.
 */
export type S3Source = () => Promise<S3Client>;

export interface S3Location {
  bucket: string;
  key: string;
}

/** Takes s3://BUCKET/KEY apart; throws JobFailure for anything else. */
export function parseS3Uri(uri: string): S3Location {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  if (match === null) throw new JobFailure(`ClientError: ${uri} is not an S3 URI (s3://BUCKET/KEY)`);
  return { bucket: match[1]!, key: match[2]! };
}

/** Joins S3 URIs and keys with one slash between. */
export function below(uri: string, name: string): string {
  return `${uri.replace(/\/+$/, '')}/${name}`;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrentTransfers, items.length) }, worker));
}

/**
 * Where a key of the prefix lands: an object named by the URI itself under its own last name, everything else under what
 * follows the prefix (as the SageMaker SDK's local mode does it). Undefined for the marker objects that consoles make for folders.
 */
export function relativeName(prefix: string, key: string): string | undefined {
  if (key.endsWith('/')) return undefined;
  if (key === prefix) return path.posix.basename(key);
  return key.slice(prefix.length).replace(/^\/+/, '');
}

/**
 * Downloads every object below an S3 prefix, or the one object, into a folder. Resolves to the names below it.
 * Throws JobFailure when nothing is there or the credentials may not read it.
 */
export async function download(s3: S3Source, uri: string, folder: string): Promise<string[]> {
  const { GetObjectCommand, paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const { bucket, key: prefix } = parseS3Uri(uri);
  const keys: string[] = [];
  try {
    for await (const page of paginateListObjectsV2({ client: await s3() }, { Bucket: bucket, Prefix: prefix }))
      for (const object of page.Contents ?? []) keys.push(object.Key!);
  } catch (error) {
    throw transferFailure(error, `list s3://${bucket}/${prefix}`);
  }
  const names: string[] = [];
  await mkdir(folder, { recursive: true });
  await eachOf(keys, async (key) => {
    const name = relativeName(prefix, key);
    if (name === undefined) return;
    const target = path.resolve(folder, name);
    if (!target.startsWith(path.resolve(folder) + path.sep))
      throw new JobFailure(`ClientError: Data download failed: the key ${key} leads out of its folder`);
    try {
      await mkdir(path.dirname(target), { recursive: true });
      const { Body } = await (await s3()).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      await pipeline(Body as Readable, createWriteStream(target));
    } catch (error) {
      throw transferFailure(error, `read s3://${bucket}/${key}`);
    }
    names.push(name);
  });
  if (names.length === 0)
    throw new JobFailure(
      `ClientError: No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists, that objects exist under that S3 prefix, and that the job's role has s3:ListBucket on the bucket.`,
    );
  return names;
}

/** How an object is to be encrypted: with a key, with the account's default S3 key, or as the bucket says. */
export type Encryption = { kmsKeyId: string } | 'account-default-key' | 'bucket-default';

function encryptionHeaders(encryption: Encryption): Partial<PutObjectCommandInput> {
  if (encryption === 'bucket-default') return {};
  if (encryption === 'account-default-key') return { ServerSideEncryption: 'aws:kms' };
  return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: encryption.kmsKeyId };
}

export async function uploadObject(s3: S3Source, uri: string, body: Buffer, encryption: Encryption): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const { bucket, key } = parseS3Uri(uri);
  try {
    await (await s3()).send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...encryptionHeaders(encryption) }),
    );
  } catch (error) {
    throw transferFailure(error, `write s3://${bucket}/${key}`);
  }
}

/** Uploads the files of a folder below an S3 prefix; resolves to their names. */
export async function uploadFolder(
  s3: S3Source,
  folder: string,
  uri: string,
  encryption: Encryption,
): Promise<string[]> {
  const files = await filesBelow(folder);
  await eachOf(files, async (file) => uploadObject(s3, below(uri, file.name), await readFile(file.path), encryption));
  return files.map((file) => file.name);
}

function transferFailure(error: unknown, what: string): JobFailure {
  if (error instanceof JobFailure) return error;
  const { name, message } = error as Error;
  return new JobFailure(`ClientError: Failed to ${what}: ${name}: ${message}`);
}
