/** Keys: who may use them, by which name they are found, and what their state forbids. */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ClientSet } from '../../local/aws/core/context.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { outcome, policy, roleClients } from './support.ts';

let platform: TestPlatform;
let admin: ClientSet;
beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  admin = platform.administrator(accounts.development);
});
afterAll(() => platform.close());

const root = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` });
const everything = { Effect: 'Allow', Principal: root(accounts.development), Action: 'kms:*', Resource: '*' };
const newKey = async (Policy?: string) =>
  (await admin.kms.send(new CreateKeyCommand(Policy === undefined ? {} : { Policy }))).KeyMetadata!;
const encrypt = (clients: ClientSet, KeyId: string) =>
  clients.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));

test('a key is found by id, ARN, alias and alias ARN; across accounts by ARN only', async () => {
  const open = {
    Effect: 'Allow',
    Principal: root(accounts.staging),
    Action: ['kms:DescribeKey', 'kms:Encrypt'],
    Resource: '*',
  };
  const key = await newKey(policy(everything, open));
  await admin.kms.send(new CreateAliasCommand({ AliasName: 'alias/found', TargetKeyId: key.KeyId }));
  const aliasArn = `arn:aws:kms:${region}:${accounts.development}:alias/found`;
  for (const KeyId of [key.KeyId!, key.Arn!, 'alias/found', aliasArn]) {
    const described = await admin.kms.send(new DescribeKeyCommand({ KeyId }));
    expect(described.KeyMetadata?.Arn).toBe(key.Arn);
  }
  const foreign = platform.administrator(accounts.staging);
  const describeAs = (KeyId: string) => outcome(foreign.kms.send(new DescribeKeyCommand({ KeyId })));
  expect(await describeAs(key.Arn!)).toBe('allow');
  expect(await describeAs(aliasArn)).toBe('allow');
  expect(await describeAs(key.KeyId!)).toBe('NotFoundException');
  expect(await describeAs('alias/found')).toBe('NotFoundException');
  expect((await encrypt(foreign, key.Arn!)).KeyId).toBe(key.Arn);
  expect(await outcome(foreign.kms.send(new DisableKeyCommand({ KeyId: key.Arn })))).toBe('AccessDeniedException');
});

test('an identity policy alone never suffices: the key policy must let the account grant', async () => {
  const may = { Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' };
  const user = await roleClients(platform, accounts.development, 'key-user', may);
  const adminRole = `arn:aws:iam::${accounts.development}:role/OrganizationAccountAccessRole`;
  const closed = await newKey(policy({ ...everything, Principal: { AWS: adminRole } }));
  const shared = await newKey(policy(everything));
  expect(await outcome(encrypt(user, closed.Arn!))).toBe('AccessDeniedException');
  expect(await outcome(encrypt(user, shared.Arn!))).toBe('allow');
  const named = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accounts.development}:role/key-user` },
    Action: 'kms:Encrypt',
    Resource: '*',
  };
  const change = { KeyId: closed.KeyId, Policy: policy({ ...everything, Principal: { AWS: adminRole } }, named) };
  await admin.kms.send(new PutKeyPolicyCommand(change));
  expect(await outcome(encrypt(user, closed.Arn!))).toBe('allow');
  const { Policy } = await admin.kms.send(new GetKeyPolicyCommand({ KeyId: closed.KeyId }));
  expect(Policy).toBe(change.Policy);
});

test('encryption context and alias are conditions', async () => {
  const key = await newKey();
  await admin.kms.send(new CreateAliasCommand({ AliasName: 'alias/context', TargetKeyId: key.KeyId }));
  const user = await roleClients(platform, accounts.development, 'context-user', {
    Effect: 'Allow',
    Action: 'kms:GenerateDataKey',
    Resource: key.Arn,
    Condition: { StringEquals: { 'kms:EncryptionContext:stage': 'test', 'kms:RequestAlias': 'alias/context' } },
  });
  const generate = (KeyId: string, stage: string) =>
    outcome(user.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: { stage } })));
  expect(await generate('alias/context', 'test')).toBe('allow');
  expect(await generate('alias/context', 'production')).toBe('AccessDeniedException');
  expect(await generate(key.Arn!, 'test')).toBe('AccessDeniedException');
});

test('what was encrypted is decrypted with its own key, named or not', async () => {
  const [key, other] = await Promise.all([newKey(), newKey()]);
  const { CiphertextBlob } = await encrypt(admin, key.KeyId!);
  const plain = await admin.kms.send(new DecryptCommand({ CiphertextBlob }));
  expect(Buffer.from(plain.Plaintext!).toString()).toBe('x');
  const wrong = admin.kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other.KeyId }));
  expect(await outcome(wrong)).toBe('IncorrectKeyException');
  const nonsense = admin.kms.send(new DecryptCommand({ CiphertextBlob: Buffer.from('nonsense') }));
  expect(await outcome(nonsense)).toBe('InvalidCiphertextException');
});

test('a disabled key, and one that waits for its deletion, encrypts nothing, for S3 neither', async () => {
  const key = await newKey();
  const Bucket = 'kms-bucket';
  await admin.s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  const put = (Key = 'a') =>
    outcome(
      admin.s3.send(
        new PutObjectCommand({ Bucket, Key, Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.Arn }),
      ),
    );
  const get = () => outcome(admin.s3.send(new GetObjectCommand({ Bucket, Key: 'a' })));
  expect([await put(), await get()]).toEqual(['allow', 'allow']);
  await admin.kms.send(new DisableKeyCommand({ KeyId: key.KeyId }));
  expect(await outcome(encrypt(admin, key.KeyId!))).toBe('DisabledException');
  expect([await put(), await get()]).toEqual(['KMS.DisabledException', 'KMS.DisabledException']);
  await admin.kms.send(new EnableKeyCommand({ KeyId: key.KeyId }));
  expect([await put(), await get()]).toEqual(['allow', 'allow']);
  await admin.kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId, PendingWindowInDays: 7 }));
  expect(await put('b')).toBe('KMS.KMSInvalidStateException');
  await admin.kms.send(new CancelKeyDeletionCommand({ KeyId: key.KeyId }));
  await admin.kms.send(new EnableKeyCommand({ KeyId: key.KeyId }));
  expect(await put('b')).toBe('allow');
});

test('policies that would lock the caller out, name nobody or are no policies', async () => {
  const key = await newKey();
  const set = (Policy: string, more = {}) =>
    outcome(admin.kms.send(new PutKeyPolicyCommand({ KeyId: key.KeyId, Policy, ...more })));
  const useOnly = policy({ ...everything, Action: 'kms:Encrypt' });
  expect(await set(useOnly)).toBe('MalformedPolicyDocumentException');
  expect(await set(policy(everything, { ...everything, Principal: root('999999999999') }))).toBe(
    'MalformedPolicyDocumentException',
  );
  expect(await set('{')).toBe('MalformedPolicyDocumentException');
  expect(await set(policy(everything))).toBe('allow');
  expect(await set(useOnly, { BypassPolicyLockoutSafetyCheck: true })).toBe('allow');
  expect(await set(policy(everything))).toBe('AccessDeniedException');
});

test('aliases: one per name, moved, removed; those of AWS appear only when used', async () => {
  const [first, second] = await Promise.all([newKey(), newKey()]);
  const create = () =>
    outcome(admin.kms.send(new CreateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: first.KeyId })));
  expect(await create()).toBe('allow');
  expect(await create()).toBe('AlreadyExistsException');
  await admin.kms.send(new UpdateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: second.KeyId }));
  const described = await admin.kms.send(new DescribeKeyCommand({ KeyId: 'alias/moving' }));
  expect(described.KeyMetadata?.KeyId).toBe(second.KeyId);
  const staging = platform.administrator(accounts.staging);
  expect((await staging.kms.send(new ListAliasesCommand({}))).Aliases).toEqual([]);
  await admin.kms.send(new DeleteAliasCommand({ AliasName: 'alias/moving' }));
  expect(await outcome(admin.kms.send(new DescribeKeyCommand({ KeyId: 'alias/moving' })))).toBe('NotFoundException');
});

test('tags of a key are conditions', async () => {
  const key = await newKey();
  const user = await roleClients(platform, accounts.development, 'tag-user', {
    Effect: 'Allow',
    Action: 'kms:Encrypt',
    Resource: '*',
    Condition: { StringEquals: { 'aws:ResourceTag/project': 'abalone' } },
  });
  expect(await outcome(encrypt(user, key.Arn!))).toBe('AccessDeniedException');
  const Tags = [{ TagKey: 'project', TagValue: 'abalone' }];
  await admin.kms.send(new TagResourceCommand({ KeyId: key.KeyId, Tags }));
  expect(await outcome(encrypt(user, key.Arn!))).toBe('allow');
  expect((await admin.kms.send(new ListResourceTagsCommand({ KeyId: key.KeyId }))).Tags).toEqual(Tags);
});
