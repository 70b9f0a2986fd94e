/** What a request to S3 means: operation, bucket, key, sub-resource. Path style only. */
import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { RecognisedRequest } from '../front/http-service.ts';
import type { FrontRequest } from '../front/message.ts';

export interface S3Request extends RecognisedRequest {
  /** undefined: the service itself (ListBuckets). */
  bucket: string | undefined;
  key: string | undefined;
  query: URLSearchParams;
}

type Level = 'service' | 'bucket' | 'object';

/** METHOD level sub-resource -> operation. The first sub-resource of the query that the table knows decides. */
const operations: Record<string, string> = {
  'GET service': 'ListBuckets',
  'PUT bucket': 'CreateBucket',
  'DELETE bucket': 'DeleteBucket',
  'HEAD bucket': 'HeadBucket',
  'GET bucket': 'ListObjects',
  'GET bucket list-type': 'ListObjectsV2',
  'GET bucket versions': 'ListObjectVersions',
  'GET bucket uploads': 'ListMultipartUploads',
  'POST bucket delete': 'DeleteObjects',
  'GET bucket location': 'GetBucketLocation',
  'GET bucket versioning': 'GetBucketVersioning',
  'PUT bucket versioning': 'PutBucketVersioning',
  'GET bucket policy': 'GetBucketPolicy',
  'PUT bucket policy': 'PutBucketPolicy',
  'DELETE bucket policy': 'DeleteBucketPolicy',
  'GET bucket policyStatus': 'GetBucketPolicyStatus',
  'GET bucket encryption': 'GetBucketEncryption',
  'PUT bucket encryption': 'PutBucketEncryption',
  'DELETE bucket encryption': 'DeleteBucketEncryption',
  'GET bucket publicAccessBlock': 'GetPublicAccessBlock',
  'PUT bucket publicAccessBlock': 'PutPublicAccessBlock',
  'DELETE bucket publicAccessBlock': 'DeletePublicAccessBlock',
  'GET bucket ownershipControls': 'GetBucketOwnershipControls',
  'PUT bucket ownershipControls': 'PutBucketOwnershipControls',
  'DELETE bucket ownershipControls': 'DeleteBucketOwnershipControls',
  'GET bucket tagging': 'GetBucketTagging',
  'PUT bucket tagging': 'PutBucketTagging',
  'DELETE bucket tagging': 'DeleteBucketTagging',
  'GET bucket lifecycle': 'GetBucketLifecycleConfiguration',
  'PUT bucket lifecycle': 'PutBucketLifecycleConfiguration',
  'DELETE bucket lifecycle': 'DeleteBucketLifecycle',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'PUT object': 'PutObject',
  'DELETE object': 'DeleteObject',
  'GET object attributes': 'GetObjectAttributes',
  'GET object tagging': 'GetObjectTagging',
  'PUT object tagging': 'PutObjectTagging',
  'DELETE object tagging': 'DeleteObjectTagging',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object uploadId': 'UploadPart',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
  'GET object uploadId': 'ListParts',
};

const reading = /^(List|Get|Head)/;

/** Parameters that change what an operation means; one that the table above does not have is refused. */
const subResources = new Set([
  ...Object.keys(operations).flatMap((name) => name.split(' ').slice(2)),
  'acl',
  'accelerate',
  'analytics',
  'cors',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'torrent',
  'website',
]);

/** What would have to be ignored: grants by ACL, object lock, customer-provided keys. */
const refusedHeaders =
  /^x-amz-(grant-|object-lock-|bucket-object-lock-|(copy-source-)?server-side-encryption-customer-)/;

export function recogniseS3(request: FrontRequest): S3Request {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!/^(127\.0\.0\.1|localhost|\[::1\]|)$/.test(host)) {
    throw new NotImplementedError(
      `virtual-hosted bucket addresses (Host ${host}); use path style, as clients do by themselves for http://127.0.0.1`,
    );
  }
  const refused = Object.keys(request.headers).find((name) => refusedHeaders.test(name));
  if (refused !== undefined) throw new NotImplementedError(`the header ${refused} of s3`);
  const query = new URLSearchParams(request.query);
  const [, bucketPart = '', ...keyParts] = request.path.split('/');
  const bucket = bucketPart === '' ? undefined : decode(bucketPart);
  const key =
    keyParts.length === 0 || (keyParts.length === 1 && keyParts[0] === '') ? undefined : decode(keyParts.join('/'));
  const level: Level = bucket === undefined ? 'service' : key === undefined ? 'bucket' : 'object';
  const subResource = [...query.keys()].find((name) => subResources.has(name));
  let operation = operations[[request.method, level, ...(subResource === undefined ? [] : [subResource])].join(' ')];
  if (operation === undefined) {
    throw new NotImplementedError(
      `${request.method} ${level}${subResource === undefined ? '' : ` ?${subResource}`} of s3`,
    );
  }
  if (request.headers['x-amz-copy-source'] !== undefined) {
    if (operation === 'PutObject') operation = 'CopyObject';
    else if (operation === 'UploadPart') operation = 'UploadPartCopy';
  }
  const fields: Record<string, string> = {};
  if (bucket !== undefined) fields.Bucket = bucket;
  if (key !== undefined) fields.Key = key;
  for (const [name, field] of Object.entries({ prefix: 'Prefix', versionId: 'VersionId', partNumber: 'PartNumber' })) {
    const value = query.get(name);
    if (value !== null) fields[field] = value;
  }
  return { operation, mutating: !reading.test(operation), fields, bucket, key, query };
}

/** Bucket, key and version of x-amz-copy-source (`/bucket/key?versionId=...`, escaped). Throws InvalidArgument. */
export function readCopySource(header: string): { bucket: string; key: string; versionId: string | undefined } {
  const [path = '', query = ''] = header.split('?');
  const [bucket = '', ...key] = decode(path).replace(/^\//, '').split('/');
  if (bucket === '' || key.join('/') === '') {
    throw new AwsError(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      400,
    );
  }
  return { bucket, key: key.join('/'), versionId: new URLSearchParams(query).get('versionId') ?? undefined };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400);
  }
}
