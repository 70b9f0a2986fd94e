/** Every permission that the front asks for S3, KMS, SSM, Logs and ECR is one of AWS's own table, on a resource it has. */
import { describe, expect, test } from '@jest/globals';
import type { Call, Operation, Principal } from '../../local/aws/core/service.ts';
import type { Moto } from '../../local/aws/moto/process.ts';
import { BucketStore } from '../../local/aws/policies/bucket-store.ts';
import { createEcr, createLogs, createSsm } from '../../local/aws/policies/kept-by-moto.ts';
import { defaultKeyPolicy, KeyStore } from '../../local/aws/policies/key-store.ts';
import { createKms } from '../../local/aws/policies/kms.ts';
import { authorizeS3 } from '../../local/aws/policies/s3-authorization.ts';
import { recogniseS3 } from '../../local/aws/policies/s3-operations.ts';
import { permissionFaults } from '../iam/action-table.ts';

const account = '111122223333';
const region = 'eu-west-1';
const principal: Principal = {
  kind: 'assumed-role',
  account,
  arn: `arn:aws:sts::${account}:assumed-role/r/s`,
  userId: 'u',
};
const call = (service: string, operation: string): Call => ({
  seq: 1,
  at: new Date(0),
  account,
  region,
  partition: 'aws',
  service,
  operation,
  principal,
  userAgent: '',
});
const noMoto: Moto = {
  pid: undefined,
  prewarm() {},
  send: () => Promise.reject(new Error('nothing is sent')),
  close: async () => {},
};
const keyId = '11111111-2222-3333-4444-555555555555';
const keys = new KeyStore();
keys.add({
  id: keyId,
  arn: `arn:aws:kms:${region}:${account}:key/${keyId}`,
  account,
  region,
  policyText: '',
  policy: defaultKeyPolicy('aws', account),
  state: 'Enabled',
  tags: {},
  managedBy: undefined,
});
keys.setAlias({ account, region }, 'alias/a', keyId);

/** Members that name something, enough for every operation to say what it needs. */
const input = {
  KeyId: keyId,
  TargetKeyId: keyId,
  AliasName: 'alias/a',
  CiphertextBlob: Buffer.from(`${keyId}rest`),
  Name: '/env/key',
  Names: ['/env/key', 'plain'],
  Path: '/env',
  Type: 'String',
  ResourceId: '/env/key',
  ResourceType: 'Parameter',
  logGroupName: '/aws/sagemaker/TrainingJobs',
  logStreamName: 'job/algo-1',
  resourceArn: `arn:aws:logs:${region}:${account}:log-group:group`,
  repositoryName: 'image',
};

const services = [
  createKms({ keys, moto: noMoto, authorizer: {} as any }),
  createSsm(noMoto),
  createLogs(noMoto),
  createEcr(noMoto),
];

describe.each(services)('$id', ({ id, operations }) => {
  test.each(Object.entries(operations) as [string, Operation][])('%s', async (name, operation) => {
    const requests = await operation.authorize(input, call(id, name));
    const prefix = id === 'cloudwatch-logs' ? 'logs' : id;
    expect(requests[0]!.action).toBe(`${prefix}:${name}`);
    for (const request of requests) expect(await permissionFaults(request)).toEqual([]);
  });
});

describe('s3', () => {
  const buckets = new BucketStore();
  buckets.add('bucket', account, region, undefined);
  test.each([
    ['GET', '/', '', ['s3:ListAllMyBuckets']],
    ['PUT', '/new', '', ['s3:CreateBucket']],
    ['DELETE', '/bucket', '', ['s3:DeleteBucket']],
    ['HEAD', '/bucket', '', ['s3:ListBucket']],
    ['GET', '/bucket', '', ['s3:ListBucket']],
    ['GET', '/bucket', 'list-type=2&prefix=a', ['s3:ListBucket']],
    ['GET', '/bucket', 'versions', ['s3:ListBucketVersions']],
    ['GET', '/bucket', 'uploads', ['s3:ListBucketMultipartUploads']],
    ['GET', '/bucket', 'location', ['s3:GetBucketLocation']],
    ['GET', '/bucket', 'versioning', ['s3:GetBucketVersioning']],
    ['PUT', '/bucket', 'versioning', ['s3:PutBucketVersioning']],
    ['GET', '/bucket', 'policy', ['s3:GetBucketPolicy']],
    ['PUT', '/bucket', 'policy', ['s3:PutBucketPolicy']],
    ['DELETE', '/bucket', 'policy', ['s3:DeleteBucketPolicy']],
    ['GET', '/bucket', 'policyStatus', ['s3:GetBucketPolicyStatus']],
    ['GET', '/bucket', 'encryption', ['s3:GetEncryptionConfiguration']],
    ['PUT', '/bucket', 'encryption', ['s3:PutEncryptionConfiguration']],
    ['DELETE', '/bucket', 'encryption', ['s3:PutEncryptionConfiguration']],
    ['GET', '/bucket', 'publicAccessBlock', ['s3:GetBucketPublicAccessBlock']],
    ['PUT', '/bucket', 'publicAccessBlock', ['s3:PutBucketPublicAccessBlock']],
    ['DELETE', '/bucket', 'publicAccessBlock', ['s3:PutBucketPublicAccessBlock']],
    ['GET', '/bucket', 'ownershipControls', ['s3:GetBucketOwnershipControls']],
    ['PUT', '/bucket', 'ownershipControls', ['s3:PutBucketOwnershipControls']],
    ['DELETE', '/bucket', 'ownershipControls', ['s3:PutBucketOwnershipControls']],
    ['GET', '/bucket', 'tagging', ['s3:GetBucketTagging']],
    ['PUT', '/bucket', 'tagging', ['s3:PutBucketTagging']],
    ['DELETE', '/bucket', 'tagging', ['s3:PutBucketTagging']],
    ['GET', '/bucket', 'lifecycle', ['s3:GetLifecycleConfiguration']],
    ['PUT', '/bucket', 'lifecycle', ['s3:PutLifecycleConfiguration']],
    ['DELETE', '/bucket', 'lifecycle', ['s3:PutLifecycleConfiguration']],
    ['GET', '/bucket/key', '', ['s3:GetObject']],
    ['GET', '/bucket/key', 'versionId=1', ['s3:GetObjectVersion']],
    ['HEAD', '/bucket/key', '', ['s3:GetObject']],
    ['PUT', '/bucket/key', '', ['s3:PutObject']],
    ['DELETE', '/bucket/key', '', ['s3:DeleteObject']],
    ['DELETE', '/bucket/key', 'versionId=1', ['s3:DeleteObjectVersion']],
    ['GET', '/bucket/key', 'attributes', ['s3:GetObject', 's3:GetObjectAttributes']],
    ['GET', '/bucket/key', 'tagging', ['s3:GetObjectTagging']],
    ['PUT', '/bucket/key', 'tagging', ['s3:PutObjectTagging']],
    ['PUT', '/bucket/key', 'tagging&versionId=1', ['s3:PutObjectVersionTagging']],
    ['DELETE', '/bucket/key', 'tagging', ['s3:DeleteObjectTagging']],
    ['POST', '/bucket/key', 'uploads', ['s3:PutObject']],
    ['PUT', '/bucket/key', 'uploadId=1&partNumber=1', ['s3:PutObject']],
    ['POST', '/bucket/key', 'uploadId=1', ['s3:PutObject']],
    ['DELETE', '/bucket/key', 'uploadId=1', ['s3:AbortMultipartUpload']],
    ['GET', '/bucket/key', 'uploadId=1', ['s3:ListMultipartUploadParts']],
  ] as const)('%s %s ?%s', async (method, path, query, expected) => {
    const request = { method, path, query, headers: { host: '127.0.0.1' }, body: new Uint8Array() };
    const recognised = recogniseS3(request);
    const requests = authorizeS3(recognised, request, call('s3', recognised.operation), buckets);
    expect(requests.map(({ action }) => action)).toEqual(expected);
    for (const asked of requests) expect(await permissionFaults(asked)).toEqual([]);
  });

  test.each([
    [{ 'x-amz-tagging': 'a=b' }, ['s3:PutObject', 's3:PutObjectTagging']],
    [{ 'x-amz-acl': 'bucket-owner-full-control' }, ['s3:PutObject', 's3:PutObjectAcl']],
    [{ 'x-amz-copy-source': '/bucket/other' }, ['s3:PutObject', 's3:GetObject']],
    [{ 'x-amz-copy-source': '/bucket/other?versionId=1' }, ['s3:PutObject', 's3:GetObjectVersion']],
  ] as const)('PUT with %j', async (headers, expected) => {
    const request = { method: 'PUT', path: '/bucket/key', query: '', headers, body: new Uint8Array() };
    const recognised = recogniseS3(request);
    const requests = authorizeS3(recognised, request, call('s3', recognised.operation), buckets);
    expect(requests.map(({ action }) => action)).toEqual(expected);
    for (const asked of requests) expect(await permissionFaults(asked)).toEqual([]);
  });
});
