import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Service } from '../aws/session.ts';
import type { Upload, UploadFile } from './uploads.ts';

/** Smaller files are read whole, which lets a broken connection be retried. */
const streamedFrom = 32 * 1024 ** 2;

/** The files of an upload that the bucket does not hold yet. Reads only. */
export async function missingFiles(s3: Service, upload: Upload): Promise<UploadFile[]> {
  const present = new Map<string, number>();
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: upload.bucket,
        Prefix: upload.prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { resource: `s3://${upload.bucket}/${upload.prefix}` },
    );
    for (const { Key, Size } of page.Contents ?? []) present.set(Key ?? '', Size ?? 0);
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return upload.files.filter(({ key, size }) => present.get(key) !== size);
}

/** Puts files into the bucket, encrypted with the project's key and checked by their SHA-256. */
export async function uploadFiles(
  s3: Service,
  bucket: string,
  files: readonly UploadFile[],
  kmsKeyArn: string,
): Promise<void> {
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const body = file.size < streamedFrom ? await readFile(file.path) : createReadStream(file.path);
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: file.key,
          Body: body,
          ContentLength: file.size,
          ChecksumSHA256: Buffer.from(file.sha256, 'hex').toString('base64'),
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId: kmsKeyArn,
        }),
        { resource: `s3://${bucket}/${file.key}` },
      );
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
