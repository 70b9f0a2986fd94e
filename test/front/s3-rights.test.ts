/**
 * Who may read and write which object: every denial stands beside the same request with one field different.
 * Rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-overview.html and, for keys,
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
 */
import { CreateKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientSet } from '../../local/aws/core/context.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { outcome, policy, roleClients, type Statement } from './support.ts';

const Bucket = 'project-bucket';
const arn = (path = '') => `arn:aws:s3:::${Bucket}${path}`;
let platform: TestPlatform;
let admin: ClientSet;
let sharedKey: string;
let closedKey: string;

const keyPolicy = (...extra: Statement[]) =>
  policy(
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accounts.development}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
    ...extra,
  );
const readObjects: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: arn('/*') };
const decrypt: Statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' };
const targetsRead: Statement = {
  Sid: 'TargetsRead',
  Effect: 'Allow',
  Principal: { AWS: [`arn:aws:iam::${accounts.staging}:root`, `arn:aws:iam::${accounts.production1}:root`] },
  Action: ['s3:GetObject'],
  Resource: arn('/models/*'),
  Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/model-*' } },
};
const setPolicy = (...statements: Statement[]) =>
  admin.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(...statements) }));
const put = (Key: string, SSEKMSKeyId?: string) =>
  admin.s3.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: 'content',
      ...(SSEKMSKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId }),
    }),
  );
const get = (clients: ClientSet, Key: string, more = {}) =>
  outcome(clients.s3.send(new GetObjectCommand({ Bucket, Key, ...more })));

beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  admin = platform.administrator(accounts.development);
  const location = { CreateBucketConfiguration: { LocationConstraint: region } } as const;
  await admin.s3.send(new CreateBucketCommand({ Bucket, ...location }));
  const viaS3: Statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accounts.staging}:root` },
    Action: ['kms:Decrypt', 'kms:DescribeKey'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
  };
  const [shared, closed] = await Promise.all([
    admin.kms.send(new CreateKeyCommand({ Policy: keyPolicy(viaS3) })),
    admin.kms.send(new CreateKeyCommand({ Policy: keyPolicy() })),
  ]);
  sharedKey = shared.KeyMetadata!.Arn!;
  closedKey = closed.KeyMetadata!.Arn!;
  await put('models/shared', sharedKey);
  await put('models/closed', closedKey);
  await put('models/plain');
  await put('data/shared', sharedKey);
  await admin.s3.send(
    new PutObjectCommand({ Bucket, Key: 'models/account-key', Body: 'content', ServerSideEncryption: 'aws:kms' }),
  );
  await setPolicy(targetsRead);
});
afterAll(() => platform.close());

describe('reading from another account', () => {
  let model: ClientSet;
  beforeAll(async () => {
    model = await roleClients(platform, accounts.staging, 'model-exec', readObjects, decrypt);
  });

  test('both sides grant object and key: allowed, and the log names all four grants', async () => {
    expect(await get(model, 'models/shared')).toBe('allow');
    const entry = platform.calls({ operation: 's3:GetObject' }).at(-1)!;
    expect(entry.permissions.map(({ action, decision }) => `${action} ${decision}`)).toEqual([
      's3:GetObject allow',
      'kms:Decrypt allow',
    ]);
    expect(entry.grantedBy).toContain('resource-policy#TargetsRead');
    expect(entry.resources).toEqual([arn('/models/shared'), sharedKey]);
  });
  test('not outside the granted prefix', async () => expect(await get(model, 'data/shared')).toBe('AccessDenied'));
  test('not with a key whose policy does not name the account', async () =>
    expect(await get(model, 'models/closed')).toBe('AccessDenied'));
  test("not with the owner account's own aws/s3 key, which no other account can use", async () =>
    expect(await get(model, 'models/account-key')).toBe('AccessDenied'));
  test('an object without a KMS key needs none', async () => expect(await get(model, 'models/plain')).toBe('allow'));
  test('not by a role whose name the bucket policy does not fit', async () => {
    const other = await roleClients(platform, accounts.staging, 'other-exec', readObjects, decrypt);
    expect(await get(other, 'models/shared')).toBe('AccessDenied');
  });
  test('not by a role without the right of its own account', async () => {
    const bare = await roleClients(platform, accounts.staging, 'model-bare', decrypt);
    expect(await get(bare, 'models/shared')).toBe('AccessDenied');
  });
  test('not by a role without its own right to decrypt', async () => {
    const keyless = await roleClients(platform, accounts.staging, 'model-keyless', readObjects);
    expect(await get(keyless, 'models/shared')).toBe('AccessDenied');
    expect(await get(keyless, 'models/plain')).toBe('allow');
  });
  test('not from an account that the key policy leaves out, though the bucket policy names it', async () => {
    const production = await roleClients(platform, accounts.production1, 'model-exec', readObjects, decrypt);
    expect(await get(production, 'models/shared')).toBe('AccessDenied');
    expect(await get(production, 'models/plain')).toBe('allow');
  });
  test('not from an account that nobody names', async () => {
    const stranger = await roleClients(platform, accounts.production2, 'model-exec', readObjects, decrypt);
    expect(await get(stranger, 'models/plain')).toBe('AccessDenied');
  });
  test('a wrong expected owner is refused, the right one not', async () => {
    expect(await get(model, 'models/shared', { ExpectedBucketOwner: accounts.staging })).toBe('AccessDenied');
    expect(await get(model, 'models/shared', { ExpectedBucketOwner: accounts.development })).toBe('allow');
  });
  test('an explicit deny in the bucket policy wins, also over the owner', async () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn('/models/plain') };
    await setPolicy(targetsRead, deny);
    expect(await get(model, 'models/plain')).toBe('AccessDenied');
    expect(await get(admin, 'models/plain')).toBe('AccessDenied');
    expect(await get(model, 'models/shared')).toBe('allow');
    await setPolicy(targetsRead);
    expect(await get(model, 'models/plain')).toBe('allow');
  });
  test('the key used directly, not through S3, is refused by the condition on kms:ViaService', async () => {
    const { DescribeKeyCommand } = await import('@aws-sdk/client-kms');
    const direct = await roleClients(platform, accounts.staging, 'model-direct', {
      Effect: 'Allow',
      Action: 'kms:DescribeKey',
      Resource: '*',
    });
    const describeKey = () => outcome(direct.kms.send(new DescribeKeyCommand({ KeyId: sharedKey })));
    expect(await describeKey()).toBe('AccessDeniedException');
    const open = { Effect: 'Allow', Principal: { AWS: accounts.staging }, Action: 'kms:DescribeKey', Resource: '*' };
    const before = { KeyId: sharedKey, PolicyName: 'default' };
    const { GetKeyPolicyCommand } = await import('@aws-sdk/client-kms');
    const { Policy } = await admin.kms.send(new GetKeyPolicyCommand(before));
    await admin.kms.send(new PutKeyPolicyCommand({ ...before, Policy: keyPolicy(open) }));
    expect(await describeKey()).toBe('allow');
    await admin.kms.send(new PutKeyPolicyCommand({ ...before, Policy: Policy! }));
  });
  test('writing and listing are not granted by a right to read', async () => {
    const writer = await roleClients(platform, accounts.staging, 'model-writer', {
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:ListBucket', 's3:GetObject'],
      Resource: [arn(), arn('/*')],
    });
    expect(await outcome(writer.s3.send(new PutObjectCommand({ Bucket, Key: 'models/new', Body: 'x' })))).toBe(
      'AccessDenied',
    );
    expect(await outcome(writer.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'models/' })))).toBe('AccessDenied');
    expect(await get(writer, 'models/plain')).toBe('allow');
  });
  test('settings of the bucket belong to its owner account alone', async () => {
    const read = { Effect: 'Allow', Action: 's3:GetBucketPolicy', Resource: arn() };
    const curious = await roleClients(platform, accounts.staging, 'model-curious', read);
    expect(await outcome(curious.s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe('AccessDenied');
    expect(await outcome(admin.s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe('allow');
  });
});

describe('inside the account', () => {
  test('a prefix condition on listing', async () => {
    const lister = await roleClients(platform, accounts.development, 'lister', {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: arn(),
      Condition: { StringLike: { 's3:prefix': 'models/*' } },
    });
    const list = (Prefix?: string) =>
      outcome(lister.s3.send(new ListObjectsV2Command({ Bucket, ...(Prefix && { Prefix }) })));
    expect(await list('models/')).toBe('allow');
    expect(await list('data/')).toBe('AccessDenied');
    expect(await list()).toBe('AccessDenied');
  });

  test('a missing object: 404 for who may list, 403 for who may not', async () => {
    const blind = await roleClients(platform, accounts.development, 'blind', readObjects);
    const seeing = await roleClients(platform, accounts.development, 'seeing', readObjects, {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: arn(),
    });
    expect(await get(seeing, 'models/none')).toBe('NoSuchKey');
    expect(await get(blind, 'models/none')).toBe('AccessDenied');
    const head = (clients: ClientSet) =>
      clients.s3
        .send(new HeadObjectCommand({ Bucket, Key: 'models/none' }))
        .catch((error) => error.$metadata.httpStatusCode);
    expect(await head(seeing)).toBe(404);
    expect(await head(blind)).toBe(403);
  });

  test('writing with a key needs the right to make a data key, on that key', async () => {
    const write: Statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: arn('/data/*') };
    const generate: Statement = { Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: sharedKey };
    const writer = await roleClients(platform, accounts.development, 'writer', write, generate);
    const putAs = (SSEKMSKeyId?: string, Key = 'data/new') =>
      outcome(
        writer.s3.send(
          new PutObjectCommand({
            Bucket,
            Key,
            Body: 'x',
            ...(SSEKMSKeyId && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId }),
          }),
        ),
      );
    expect(await putAs(sharedKey)).toBe('allow');
    expect(await putAs(closedKey)).toBe('AccessDenied');
    expect(await putAs(undefined)).toBe('allow');
    expect(await putAs(sharedKey, 'models/new')).toBe('AccessDenied');
  });

  test('a policy that demands the key', async () => {
    const wrongKey: Statement = {
      Sid: 'OnlyOurKey',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: arn('/*'),
      Condition: {
        StringNotEquals: { 's3:x-amz-server-side-encryption-aws-kms-key-id': sharedKey },
        Null: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'false' },
      },
    };
    await setPolicy(targetsRead, wrongKey);
    expect(await outcome(put('data/with', sharedKey))).toBe('allow');
    expect(await outcome(put('data/with', closedKey))).toBe('AccessDenied');
    expect(await outcome(put('data/without'))).toBe('allow');
    await setPolicy(targetsRead);
  });

  test('versions are read by a right of their own', async () => {
    const versioned = 'versioned-bucket';
    await admin.s3.send(
      new CreateBucketCommand({ Bucket: versioned, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    await admin.s3.send(
      new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const { VersionId } = await admin.s3.send(new PutObjectCommand({ Bucket: versioned, Key: 'a', Body: '1' }));
    const resource = 'arn:aws:s3:::versioned-bucket/*';
    const plain = await roleClients(platform, accounts.development, 'plain-reader', {
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:DeleteObject'],
      Resource: resource,
    });
    const read = (version?: string) =>
      outcome(
        plain.s3.send(new GetObjectCommand({ Bucket: versioned, Key: 'a', ...(version && { VersionId: version }) })),
      );
    expect(await read()).toBe('allow');
    expect(await read(VersionId)).toBe('AccessDenied');
    const remove = (version?: string) =>
      outcome(
        plain.s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'a', ...(version && { VersionId: version }) })),
      );
    expect(await remove(VersionId)).toBe('AccessDenied');
    expect(await remove()).toBe('allow');
  });

  test('a delete of many keys deletes the permitted ones and names the others', async () => {
    await Promise.all([put('data/one'), put('models/two')]);
    const cleaner = await roleClients(platform, accounts.development, 'cleaner', {
      Effect: 'Allow',
      Action: 's3:DeleteObject',
      Resource: arn('/data/*'),
    });
    const Objects = [{ Key: 'data/one' }, { Key: 'models/two' }];
    const answer = await cleaner.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['data/one']);
    expect(answer.Errors).toMatchObject([{ Key: 'models/two', Code: 'AccessDenied' }]);
    expect(await get(admin, 'models/two')).toBe('allow');
  });

  test('a copy reads its source and its key', async () => {
    const write: Statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: arn('/data/*') };
    const copy = (clients: ClientSet, from: string) =>
      outcome(clients.s3.send(new CopyObjectCommand({ Bucket, Key: 'data/copy', CopySource: `${Bucket}/${from}` })));
    const half = await roleClients(platform, accounts.development, 'copy-half', write);
    const keyless = await roleClients(platform, accounts.development, 'copy-keyless', write, readObjects);
    const whole = await roleClients(platform, accounts.development, 'copy-whole', write, readObjects, decrypt);
    expect(await copy(half, 'models/plain')).toBe('AccessDenied');
    expect(await copy(keyless, 'models/plain')).toBe('allow');
    expect(await copy(keyless, 'models/shared')).toBe('AccessDenied');
    expect(await copy(whole, 'models/shared')).toBe('allow');
  });
});

describe('keys of objects', () => {
  test.each([
    ['an unknown key', () => '11111111-2222-3333-4444-555555555555', 'KMS.NotFoundException'],
    ['a key of another region', () => sharedKey.replace(region, 'us-east-1'), 'KMS.NotFoundException'],
    ['a known key', () => sharedKey, 'allow'],
    ['a known key by its id', () => sharedKey.split('/')[1]!, 'allow'],
  ])('%s', async (_name, key, expected) => {
    expect(await outcome(put('data/key', key()))).toBe(expected);
  });

  test("the bucket's default encryption is applied, answered and needs its key", async () => {
    const bucket = 'encrypted-bucket';
    await admin.s3.send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    const rule = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: closedKey },
    } as const;
    await admin.s3.send(
      new PutBucketEncryptionCommand({ Bucket: bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }),
    );
    const written = await admin.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }));
    expect(written).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: closedKey });
    const head = await admin.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a' }));
    expect(head.SSEKMSKeyId).toBe(closedKey);
    const keyless = await roleClients(platform, accounts.development, 'default-keyless', {
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/*`,
    });
    expect(await outcome(keyless.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'b', Body: 'x' })))).toBe(
      'AccessDenied',
    );
  });

  test('the encryption context is the object, or the bucket where bucket keys are on', async () => {
    const bucket = 'bucket-key-bucket';
    await admin.s3.send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    const sse = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: closedKey } as const;
    await admin.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'own', Body: 'x', ...sse }));
    await admin.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'shared', Body: 'x', ...sse, BucketKeyEnabled: true }),
    );
    const read: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` };
    const within = (context: string): Statement => ({
      ...decrypt,
      Condition: { StringEquals: { 'kms:EncryptionContext:aws:s3:arn': context } },
    });
    const ofObject = await roleClients(
      platform,
      accounts.development,
      'of-object',
      read,
      within(`arn:aws:s3:::${bucket}/own`),
    );
    const ofBucket = await roleClients(
      platform,
      accounts.development,
      'of-bucket',
      read,
      within(`arn:aws:s3:::${bucket}`),
    );
    const getFrom = (clients: ClientSet, Key: string) =>
      outcome(clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key })));
    expect([await getFrom(ofObject, 'own'), await getFrom(ofObject, 'shared')]).toEqual(['allow', 'AccessDenied']);
    expect([await getFrom(ofBucket, 'own'), await getFrom(ofBucket, 'shared')]).toEqual(['AccessDenied', 'allow']);
  });

  test("without a key the writer's own aws/s3 key is taken, and named", async () => {
    const head = await admin.s3.send(new HeadObjectCommand({ Bucket, Key: 'models/account-key' }));
    expect(head.SSEKMSKeyId).toMatch(new RegExp(`^arn:aws:kms:${region}:${accounts.development}:key/`));
    expect(await get(admin, 'models/account-key')).toBe('allow');
  });
});

describe('bucket policies and public access', () => {
  const everybody: Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: arn('/models/*') };

  test.each([
    [
      'a principal that does not exist',
      { ...targetsRead, Principal: { AWS: `arn:aws:iam::${accounts.staging}:role/none` } },
    ],
    ['an account that does not exist', { ...targetsRead, Principal: { AWS: 'arn:aws:iam::999999999999:root' } }],
    ["another bucket's resource", { ...targetsRead, Resource: 'arn:aws:s3:::other/*' }],
    ['no principal', { Effect: 'Allow', Action: 's3:GetObject', Resource: arn('/*') }],
    ['an action of another service', { ...targetsRead, Action: 'kms:Decrypt' }],
  ])('%s: MalformedPolicy', async (_name, statement) => {
    expect(await outcome(setPolicy(statement as Statement))).toBe('MalformedPolicy');
    expect(await outcome(setPolicy(targetsRead))).toBe('allow');
  });

  test('a new bucket blocks public policies; a condition on the organization makes a policy not public', async () => {
    expect(await outcome(setPolicy(everybody))).toBe('AccessDenied');
    const narrowed = { ...everybody, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdef1234' } } };
    expect(await outcome(setPolicy(narrowed))).toBe('allow');
    await setPolicy(targetsRead);
  });

  test('a public policy grants to others only when nothing restricts it', async () => {
    const stranger = await roleClients(platform, accounts.production2, 'public-reader', readObjects);
    await admin.s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await setPolicy(everybody);
    expect((await admin.s3.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic).toBe(true);
    expect(await get(stranger, 'models/plain')).toBe('allow');
    expect((await fetch(`${platform.url}/${Bucket}/models/plain`)).status).toBe(200);
    const restrict = { PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } };
    await admin.s3.send(new PutPublicAccessBlockCommand({ Bucket, ...restrict }));
    expect(await get(stranger, 'models/plain')).toBe('AccessDenied');
    expect((await fetch(`${platform.url}/${Bucket}/models/plain`)).status).toBe(403);
    expect(await get(admin, 'models/plain')).toBe('allow');
    await setPolicy(targetsRead);
    const all = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    await admin.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all }));
  });
});

test('a bucket answers in its own region only, and says which', async () => {
  const { s3 } = platform.administrator(accounts.development, 'us-east-1');
  const error = await s3.send(new GetObjectCommand({ Bucket, Key: 'models/plain' })).catch((failure) => failure);
  expect(error.name).toBe('PermanentRedirect');
  expect(error.$response.statusCode).toBe(301);
  expect(error.$response.headers['x-amz-bucket-region']).toBe(region);
  const head = await s3.send(new HeadBucketCommand({ Bucket })).catch((failure) => failure);
  expect(head.$response.headers['x-amz-bucket-region']).toBe(region);
});

test('bucket names are global', async () => {
  const { s3 } = platform.administrator(accounts.staging);
  const create = (name: string, clients = s3) =>
    outcome(
      clients.send(
        new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: region } }),
      ),
    );
  expect(await create(Bucket)).toBe('BucketAlreadyExists');
  expect(await create(Bucket, admin.s3)).toBe('BucketAlreadyOwnedByYou');
  expect(await create('Bad_Name')).toBe('InvalidBucketName');
  expect(await create('staging-bucket')).toBe('allow');
});
