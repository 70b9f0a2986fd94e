/** Server-side encryption: which key an object gets, and who may use it. */

import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { AuthorizationRequest, Call } from '../core/service.ts';
import type { Bucket } from './bucket-store.ts';
import { type Key, type KeyStore, requireUsable } from './key-store.ts';
import { encryptionContext, keyRequest } from './kms.ts';

export interface Encryption {
  algorithm: 'AES256' | 'aws:kms';
  key: Key | undefined;
  /** S3 Bucket Keys: one data key per bucket, so the encryption context is the bucket's ARN. */
  bucketKey: boolean;
}

const algorithmHeader = 'x-amz-server-side-encryption';
const keyHeader = 'x-amz-server-side-encryption-aws-kms-key-id';
const bucketKeyHeader = 'x-amz-server-side-encryption-bucket-key-enabled';

/** What a new object gets: the request's own headers, else the bucket's default. Throws for an unknown or unusable key. */
export function encryptionOf(headers: Record<string, string>, bucket: Bucket, keys: KeyStore, call: Call): Encryption {
  const asked = headers[algorithmHeader];
  if (asked === undefined && headers[keyHeader] !== undefined) {
    throw new AwsError(
      'InvalidArgument',
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      400,
    );
  }
  const algorithm = asked ?? bucket.encryption.algorithm;
  if (algorithm === 'AES256') return { algorithm, key: undefined, bucketKey: false };
  if (algorithm !== 'aws:kms') throw new NotImplementedError(`the server-side encryption ${algorithm}`);
  const reference = headers[keyHeader] ?? (asked === undefined ? bucket.encryption.keyId : undefined);
  const place = { account: call.account, region: bucket.region };
  const bucketKey =
    headers[bucketKeyHeader] === undefined ? bucket.encryption.bucketKeyEnabled : headers[bucketKeyHeader] === 'true';
  // Without a key S3 takes the caller's own aws/s3 key, which no other account can ever use.
  if (reference === undefined) return { algorithm, key: keys.managed('s3', place), bucketKey };
  return { algorithm, key: findKey(reference, bucket, keys, place), bucketKey };
}

function findKey(reference: string, bucket: Bucket, keys: KeyStore, place: { account: string; region: string }): Key {
  try {
    // The bucket's default may be a bare id or alias of the owner's account.
    return keys.find(reference, place) ?? keys.resolve(reference, { account: bucket.account, region: bucket.region });
  } catch (error) {
    throw asS3Error(error);
  }
}

function usable(key: Key): void {
  try {
    requireUsable(key);
  } catch (error) {
    throw asS3Error(error);
  }
}

/** S3 answers what KMS refused as its own error, with the prefix `KMS.`. */
function asS3Error(error: unknown): unknown {
  return error instanceof AwsError ? new AwsError(`KMS.${error.code}`, error.message, 400) : error;
}

/** The use of a key by S3 on behalf of the caller. Throws KMS.DisabledException and the like. */
export function keyUse(
  action: 'kms:GenerateDataKey' | 'kms:Decrypt',
  key: Key,
  keys: KeyStore,
  bucket: Bucket,
  objectKey: string,
  bucketKey: boolean,
  call: Call,
): AuthorizationRequest {
  usable(key);
  const arn = `arn:${call.partition}:s3:::${bucket.name}${bucketKey ? '' : `/${objectKey}`}`;
  return keyRequest(action, key, keys, call, {
    'kms:ViaService': `s3.${bucket.region}.amazonaws.com`,
    'aws:ViaAWSService': true,
    ...encryptionContext({ 'aws:s3:arn': arn }),
  });
}

/** Headers for the object store, so that it answers with them later. The key is always the full ARN. */
export function encryptionHeaders({ algorithm, key, bucketKey }: Encryption): Record<string, string> {
  return {
    [algorithmHeader]: algorithm,
    ...(key === undefined ? {} : { [keyHeader]: key.arn }),
    ...(bucketKey ? { [bucketKeyHeader]: 'true' } : {}),
  };
}

/** What an object's own headers say about its encryption: the key's ARN and whether it is behind a bucket key. */
export function storedEncryption(headers: Record<string, string>): { keyArn: string | undefined; bucketKey: boolean } {
  return { keyArn: headers[keyHeader], bucketKey: headers[bucketKeyHeader]?.toLowerCase() === 'true' };
}
