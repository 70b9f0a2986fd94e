/** Which rights an S3 request needs on which resources, and with which condition keys. */
import { formatArn, partitionOf } from '../core/arn.ts';
import { AwsError } from '../core/errors.ts';
import type { PolicyDocument } from '../core/policy.ts';
import type { AuthorizationRequest, Call } from '../core/service.ts';
import type { FrontRequest } from '../front/message.ts';
import type { Bucket, BucketStore } from './bucket-store.ts';
import { isPublic } from './public-policy.ts';
import { readCopySource, type S3Request } from './s3-operations.ts';

/** Bucket operations whose action is not simply their name. */
const bucketActions: Record<string, string> = {
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
  DeleteBucketTagging: 'PutBucketTagging',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
};

/** Object operations: action without and with a version. */
const objectActions: Record<string, [plain: string, versioned: string]> = {
  GetObject: ['GetObject', 'GetObjectVersion'],
  HeadObject: ['GetObject', 'GetObjectVersion'],
  GetObjectAttributes: ['GetObject', 'GetObjectVersion'],
  GetObjectTagging: ['GetObjectTagging', 'GetObjectVersionTagging'],
  PutObjectTagging: ['PutObjectTagging', 'PutObjectVersionTagging'],
  DeleteObjectTagging: ['DeleteObjectTagging', 'DeleteObjectVersionTagging'],
  DeleteObject: ['DeleteObject', 'DeleteObjectVersion'],
  PutObject: ['PutObject', 'PutObject'],
  CopyObject: ['PutObject', 'PutObject'],
  CreateMultipartUpload: ['PutObject', 'PutObject'],
  UploadPart: ['PutObject', 'PutObject'],
  UploadPartCopy: ['PutObject', 'PutObject'],
  CompleteMultipartUpload: ['PutObject', 'PutObject'],
  AbortMultipartUpload: ['AbortMultipartUpload', 'AbortMultipartUpload'],
  ListParts: ['ListMultipartUploadParts', 'ListMultipartUploadParts'],
};

/** Request headers that are condition keys of the same name. */
const headerKeys = [
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-metadata-directive',
  'x-amz-server-side-encryption',
  'x-amz-storage-class',
  'if-match',
  'if-none-match',
];

/** A permission on a bucket (key undefined) or on one of its objects. */
export function s3Request(
  action: string,
  bucket: Bucket,
  key: string | undefined,
  call: Call,
  context: AuthorizationRequest['context'] = {},
): AuthorizationRequest {
  const arn = formatArn('s3', bucket.region, '', key === undefined ? bucket.name : `${bucket.name}/${key}`, '');
  const policy = effectivePolicy(bucket, call);
  return {
    action: `s3:${action}`,
    resources: [arn],
    resourceAccount: bucket.account,
    ...(policy === undefined ? {} : { resourcePolicy: policy }),
    context: { 's3:ResourceAccount': bucket.account, 's3:signatureversion': 'AWS4-HMAC-SHA256', ...context },
  };
}

/** RestrictPublicBuckets: a public policy admits only AWS services and the owner's own account. */
function effectivePolicy(bucket: Bucket, call: Call): PolicyDocument | undefined {
  const { policy, publicAccessBlock } = bucket;
  if (policy === undefined || publicAccessBlock?.RestrictPublicBuckets !== true) return policy;
  const isInside = call.principal.kind === 'service' || call.principal.account === bucket.account;
  if (isInside || !isPublic(policy)) return policy;
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  return { ...policy, Statement: statements.filter((statement) => statement.Effect === 'Deny') };
}

/** Permissions of everything but KMS. Throws NoSuchBucket, PermanentRedirect and AccessDenied for what precedes policies. */
export function authorizeS3(
  { operation, bucket: name, key, query }: S3Request,
  request: FrontRequest,
  call: Call,
  buckets: BucketStore,
): AuthorizationRequest[] {
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resources: ['*'] }];
  if (operation === 'CreateBucket') {
    const arn = `arn:${partitionOf(call.region)}:s3:::${name}`;
    return [{ action: 's3:CreateBucket', resources: [arn], context: { 's3:LocationConstraint': call.region } }];
  }
  const bucket = buckets.get(name!);
  requireRegion(bucket, operation, call);
  requireOwner(bucket, request.headers['x-amz-expected-bucket-owner']);
  if (key === undefined) return bucketRequests(bucket, operation, query, call);

  const versionId = query.get('versionId') ?? undefined;
  const [plain, versioned] = objectActions[operation]!;
  const context = objectContext(request, versionId);
  const needed = [s3Request(versionId === undefined ? plain : versioned, bucket, key, call, context)];
  if (operation === 'GetObjectAttributes') {
    const action = versionId === undefined ? 'GetObjectAttributes' : 'GetObjectVersionAttributes';
    needed.push(s3Request(action, bucket, key, call, context));
  }
  if (request.headers['x-amz-tagging'] !== undefined) {
    needed.push(s3Request('PutObjectTagging', bucket, key, call, context));
  }
  const acl = request.headers['x-amz-acl'];
  if (acl !== undefined) {
    if (bucket.ownership === 'BucketOwnerEnforced' && acl !== 'bucket-owner-full-control' && acl !== 'private') {
      throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400);
    }
    needed.push(s3Request('PutObjectAcl', bucket, key, call, context));
  }
  const source = request.headers['x-amz-copy-source'];
  if (source !== undefined) {
    const from = readCopySource(source);
    const sourceBucket = buckets.get(from.bucket);
    requireOwner(sourceBucket, request.headers['x-amz-source-expected-bucket-owner']);
    const action = from.versionId === undefined ? 'GetObject' : 'GetObjectVersion';
    const sourceContext = from.versionId === undefined ? {} : { 's3:VersionId': from.versionId };
    needed.push(s3Request(action, sourceBucket, from.key, call, sourceContext));
  }
  return needed;
}

function bucketRequests(bucket: Bucket, operation: string, query: URLSearchParams, call: Call): AuthorizationRequest[] {
  // Each key of the body is checked on its own, when the body has been read.
  if (operation === 'DeleteObjects') return [];
  const action = bucketActions[operation] ?? operation;
  const context: Record<string, string | number> = {};
  if (operation.startsWith('ListObject') || operation === 'ListMultipartUploads') {
    context['s3:prefix'] = query.get('prefix') ?? '';
    context['s3:delimiter'] = query.get('delimiter') ?? '';
    const maximum = query.get('max-keys');
    if (maximum !== null) context['s3:max-keys'] = Number(maximum);
  }
  return [s3Request(action, bucket, undefined, call, context)];
}

function objectContext(request: FrontRequest, versionId: string | undefined): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of headerKeys) {
    const value = request.headers[name];
    if (value !== undefined) context[`s3:${name}`] = value;
  }
  const keyId = request.headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (keyId !== undefined) context['s3:x-amz-server-side-encryption-aws-kms-key-id'] = keyId;
  if (versionId !== undefined) context['s3:VersionId'] = versionId;
  const tags = request.headers['x-amz-tagging'];
  if (tags !== undefined) {
    for (const [tag, value] of new URLSearchParams(tags)) context[`s3:RequestObjectTag/${tag}`] = value;
  }
  return context;
}

/** A bucket answers in its own region only; GetBucketLocation and CreateBucket are how clients find it. */
function requireRegion(bucket: Bucket, operation: string, call: Call): void {
  if (bucket.region === call.region || operation === 'GetBucketLocation' || call.principal.kind === 'anonymous') return;
  throw new WrongRegion(bucket);
}

class WrongRegion extends AwsError {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(bucket: Bucket) {
    super(
      'PermanentRedirect',
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      301,
      { Endpoint: `s3.${bucket.region}.amazonaws.com`, Bucket: bucket.name },
    );
    this.headers = { 'x-amz-bucket-region': bucket.region };
  }
}

function requireOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== bucket.account) throw new AwsError('AccessDenied', 'Access Denied', 403);
}
