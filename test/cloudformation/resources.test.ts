import {
  type CloudFormationClient,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand as ListLogTagsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  DescribeModelPackageGroupCommand,
  DescribePipelineCommand,
  GetModelPackageGroupPolicyCommand,
  ListTagsCommand,
} from '@aws-sdk/client-sagemaker';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ClientSet } from '../../local/aws/core/context.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { createStack, events, refusal, role, settled, updateStack } from './support.ts';

let platform: TestPlatform;
let clients: ClientSet;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  clients = platform.administrator(accounts.development, region);
  ({ cloudformation } = clients);
});
afterAll(() => platform.close());

const account = accounts.development;
const physicalIds = async (StackName: string): Promise<Record<string, string>> => {
  const { StackResources } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
  return Object.fromEntries(StackResources!.map((item) => [item.LogicalResourceId, item.PhysicalResourceId ?? '']));
};
const ok = async (stack: { StackId?: string | undefined; StackStatus?: string | undefined }, status: string) => {
  const reasons = (await events(cloudformation, stack.StackId!)).flatMap((event) => event.ResourceStatusReason ?? []);
  expect({ status: stack.StackStatus, reasons: stack.StackStatus === status ? [] : reasons }).toEqual({
    status,
    reasons: [],
  });
};
async function remove(name: string, id: string): Promise<void> {
  await cloudformation.send(new DeleteStackCommand({ StackName: name }));
  await ok(await settled(cloudformation, id), 'DELETE_COMPLETE');
}
const allow = (Action: string, Resource: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource }],
});

test('IAM: roles, inline and managed policies, provider', async () => {
  const template = (action: string, extra: object, clients: string[]) => ({
    Resources: {
      Role: role({ Policies: [{ PolicyName: 'inline', PolicyDocument: allow(action, '*') }], ...extra }),
      Managed: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: { PolicyDocument: allow(action, '*'), Roles: [{ Ref: 'Role' }] },
      },
      Inline: {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyName: 'attached', PolicyDocument: allow(action, '*'), Roles: [{ Ref: 'Role' }] },
      },
      RolePolicy: {
        Type: 'AWS::IAM::RolePolicy',
        Properties: { RoleName: { Ref: 'Role' }, PolicyName: 'own', PolicyDocument: allow(action, '*') },
      },
      Provider: {
        Type: 'AWS::IAM::OIDCProvider',
        Properties: { Url: 'https://token.actions.githubusercontent.com', ClientIdList: clients },
      },
    },
  });
  const stack = await createStack(cloudformation, 'iam', template('s3:GetObject', {}, ['sts.amazonaws.com']));
  await ok(stack, 'CREATE_COMPLETE');
  const ids = await physicalIds('iam');
  const RoleName = ids['Role']!;
  const inlineNames = async () =>
    (await clients.iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames?.sort();
  expect(await inlineNames()).toEqual(['attached', 'inline', 'own']);
  const { AttachedPolicies } = await clients.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  expect(AttachedPolicies?.map((item) => item.PolicyArn)).toEqual([ids['Managed']]);
  expect(ids['Provider']).toBe(`arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`);

  for (const [index, action] of ['s3:PutObject', 's3:a', 's3:b', 's3:c', 's3:d', 's3:e'].entries()) {
    const Description = `version ${index}`;
    await ok(
      await updateStack(cloudformation, 'iam', template(action, { Description }, ['other', 'sts.amazonaws.com'])),
      'UPDATE_COMPLETE',
    );
  }
  expect(await physicalIds('iam')).toEqual(ids);
  for (const PolicyName of ['attached', 'inline', 'own']) {
    const { PolicyDocument } = await clients.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    expect(decodeURIComponent(PolicyDocument!)).toContain('s3:e');
  }
  const { Policy } = await clients.iam.send(new GetPolicyCommand({ PolicyArn: ids['Managed'] }));
  const version = await clients.iam.send(
    new GetPolicyVersionCommand({ PolicyArn: ids['Managed'], VersionId: Policy?.DefaultVersionId }),
  );
  expect(decodeURIComponent(version.PolicyVersion!.Document!)).toContain('s3:e');
  const provider = await clients.iam.send(
    new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ids['Provider'] }),
  );
  expect(provider.ClientIDList?.sort()).toEqual(['other', 'sts.amazonaws.com']);
  await remove('iam', stack.StackId!);
});

test('KMS: key with policy, rotation, tags and alias', async () => {
  const policy = (sid: string) => ({
    Version: '2012-10-17',
    Statement: [
      { Sid: sid, Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
    ],
  });
  const template = (properties: object) => ({
    Resources: {
      Key: { Type: 'AWS::KMS::Key', Properties: { PendingWindowInDays: 7, ...properties } },
      Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/test-key', TargetKeyId: { Ref: 'Key' } } },
    },
    Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
  });
  const stack = await createStack(
    cloudformation,
    'kms',
    template({
      KeyPolicy: policy('One'),
      EnableKeyRotation: true,
      Description: 'one',
      Tags: [{ Key: 'a', Value: '1' }],
    }),
  );
  await ok(stack, 'CREATE_COMPLETE');
  const KeyId = (await physicalIds('kms'))['Key']!;
  expect(stack.Outputs?.[0]?.OutputValue).toBe(`arn:aws:kms:${region}:${account}:key/${KeyId}`);
  expect((await clients.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(true);
  await ok(
    await updateStack(
      cloudformation,
      'kms',
      template({ KeyPolicy: policy('Two'), Description: 'two', Tags: [{ Key: 'b', Value: '2' }] }),
    ),
    'UPDATE_COMPLETE',
  );
  expect((await clients.kms.send(new DescribeKeyCommand({ KeyId: 'alias/test-key' }))).KeyMetadata?.Description).toBe(
    'two',
  );
  expect((await clients.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false);
  expect((await clients.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).Policy).toContain('Two');
  expect((await clients.kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
    { TagKey: 'b', TagValue: '2' },
  ]);
  const changed = await updateStack(cloudformation, 'kms', template({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }));
  await ok(changed, 'UPDATE_ROLLBACK_COMPLETE');
  await remove('kms', stack.StackId!);
  expect((await clients.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('PendingDeletion');
});

test('S3: bucket settings and policy; a bucket with objects cannot be deleted', async () => {
  const template = (more: object, sid: string) => ({
    Resources: {
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'cfn-bucket-test', ...more } },
      Policy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          Bucket: { Ref: 'Bucket' },
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Sid: sid,
                Effect: 'Deny',
                Principal: '*',
                Action: 's3:*',
                Resource: { 'Fn::Sub': '${Bucket.Arn}/*' },
                Condition: { Bool: { 'aws:SecureTransport': 'false' } },
              },
            ],
          },
        },
      },
    },
    Outputs: { Domain: { Value: { 'Fn::GetAtt': ['Bucket', 'RegionalDomainName'] } } },
  });
  const stack = await createStack(
    cloudformation,
    's3',
    template(
      {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: 'true',
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'old',
              Status: 'Enabled',
              NoncurrentVersionExpiration: { NoncurrentDays: 90 },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ],
        },
        Tags: [{ Key: 'a', Value: '1' }],
      },
      'One',
    ),
  );
  await ok(stack, 'CREATE_COMPLETE');
  const Bucket = 'cfn-bucket-test';
  expect(stack.Outputs?.[0]?.OutputValue).toBe(`${Bucket}.s3.${region}.amazonaws.com`);
  const { s3 } = clients;
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  expect(
    (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration?.RestrictPublicBuckets,
  ).toBe(true);
  expect(
    (await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules?.[0]?.NoncurrentVersionExpiration
      ?.NoncurrentDays,
  ).toBe(90);
  expect(
    (await s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules?.[0]
      ?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
  ).toBe('AES256');
  await ok(
    await updateStack(
      cloudformation,
      's3',
      template({ VersioningConfiguration: { Status: 'Suspended' }, Tags: [{ Key: 'b', Value: '2' }] }, 'Two'),
    ),
    'UPDATE_COMPLETE',
  );
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Suspended');
  expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'b', Value: '2' }]);
  expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toContain('Two');
  expect((await refusal(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).name).toBe(
    'NoSuchLifecycleConfiguration',
  );

  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  await cloudformation.send(new DeleteStackCommand({ StackName: 's3' }));
  const failed = await settled(cloudformation, stack.StackId!);
  expect(failed.StackStatus).toBe('DELETE_FAILED');
  const reason = (await events(cloudformation, stack.StackId!)).find(
    (event) => event.ResourceStatus === 'DELETE_FAILED',
  )?.ResourceStatusReason;
  expect(reason).toContain('BucketNotEmpty');
  // The policy is gone, the bucket is tried again.
  const unsupported = await createStack(cloudformation, 's3-unsupported', {
    Resources: { B: { Type: 'AWS::S3::Bucket', Properties: { WebsiteConfiguration: { IndexDocument: 'i' } } } },
  });
  const named = (await events(cloudformation, unsupported.StackId!)).find(
    (event) => event.ResourceStatus === 'CREATE_FAILED',
  );
  expect(named?.ResourceStatusReason).toBe(
    'The local platform does not support WebsiteConfiguration of AWS::S3::Bucket.',
  );
});

test('SSM parameters and log groups, parameters read from SSM, dynamic references', async () => {
  const template = (value: string, days: number | undefined, tags: Record<string, string>) => ({
    Parameters: { FromStore: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/given' } },
    Resources: {
      Parameter: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: '/cfn/value', Type: 'String', Value: value, Tags: tags, Description: { Ref: 'FromStore' } },
      },
      Unnamed: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: '{{resolve:ssm:/given}}$1' } },
      Group: {
        Type: 'AWS::Logs::LogGroup',
        Properties: {
          LogGroupName: '/cfn/group',
          ...(days === undefined ? {} : { RetentionInDays: days }),
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        },
      },
    },
    Outputs: {
      Value: { Value: { 'Fn::GetAtt': ['Parameter', 'Value'] } },
      Group: { Value: { 'Fn::GetAtt': ['Group', 'Arn'] } },
    },
  });
  await clients.ssm.send(new PutParameterCommand({ Name: '/given', Type: 'String', Value: 'stored' }));
  const stack = await createStack(cloudformation, 'ssm', template('one', 7, { a: '1' }));
  await ok(stack, 'CREATE_COMPLETE');
  expect(stack.Parameters).toEqual([{ ParameterKey: 'FromStore', ParameterValue: '/given', ResolvedValue: 'stored' }]);
  expect(stack.Outputs?.map((output) => output.OutputValue)).toEqual([
    'one',
    `arn:aws:logs:${region}:${account}:log-group:/cfn/group:*`,
  ]);
  const ids = await physicalIds('ssm');
  expect(ids['Unnamed']).toMatch(/^CFN-Unnamed-[A-Za-z0-9]{12}$/);
  const read = async (Name: string) => (await clients.ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  expect(await read(ids['Unnamed']!)).toBe('stored$1');
  await ok(await updateStack(cloudformation, 'ssm', template('two', undefined, { b: '2' })), 'UPDATE_COMPLETE');
  expect(await read('/cfn/value')).toBe('two');
  const { logGroups } = await clients.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/cfn/group' }));
  expect(logGroups?.[0]?.retentionInDays).toBeUndefined();
  const tags = await clients.logs.send(
    new ListLogTagsCommand({ resourceArn: `arn:aws:logs:${region}:${account}:log-group:/cfn/group` }),
  );
  expect(tags.tags).toEqual({ b: '2' });
  await remove('ssm', stack.StackId!);
  expect((await refusal(read('/cfn/value'))).name).toBe('ParameterNotFound');
  const missing = createStack(cloudformation, 'ssm-missing', template('x', 1, {}), { FromStore: '/not/there' });
  expect((await refusal(missing)).message).toContain('Unable to fetch parameters [/not/there] from parameter store');
});

test('SageMaker: model package group with policy, pipeline', async () => {
  const groupPolicy = (sid: string) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: sid,
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accounts.staging}:root` },
        Action: 'sagemaker:DescribeModelPackageGroup',
        Resource: `arn:aws:sagemaker:${region}:${account}:model-package-group/cfn-group`,
      },
    ],
  });
  const definition = (description: string) =>
    JSON.stringify({
      Version: '2020-12-01',
      Metadata: { description },
      Parameters: [],
      Steps: [{ Name: 'Stop', Type: 'Fail', Arguments: { ErrorMessage: 'x' } }],
    });
  const template = (policy: object | undefined, name: string, tags: object[]) => ({
    Resources: {
      Group: {
        Type: 'AWS::SageMaker::ModelPackageGroup',
        Properties: {
          ModelPackageGroupName: 'cfn-group',
          ModelPackageGroupDescription: 'described',
          ...(policy === undefined ? {} : { ModelPackageGroupPolicy: policy }),
          Tags: tags,
        },
      },
      Role: role({ RoleName: 'cfn-pipeline' }),
      Pipeline: {
        Type: 'AWS::SageMaker::Pipeline',
        Properties: {
          PipelineName: 'cfn-pipeline',
          PipelineDisplayName: name,
          PipelineDefinition: { PipelineDefinitionBody: definition(name) },
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
    },
    Outputs: { Group: { Value: { Ref: 'Group' } }, Pipeline: { Value: { Ref: 'Pipeline' } } },
  });
  const arn = `arn:aws:sagemaker:${region}:${account}:model-package-group/cfn-group`;
  const stack = await createStack(
    cloudformation,
    'sagemaker',
    template(groupPolicy('One'), 'one', [{ Key: 'a', Value: '1' }]),
  );
  await ok(stack, 'CREATE_COMPLETE');
  expect(stack.Outputs?.map((output) => output.OutputValue)).toEqual([arn, 'cfn-pipeline']);
  const { sagemaker } = clients;
  const policyOf = () => sagemaker.send(new GetModelPackageGroupPolicyCommand({ ModelPackageGroupName: 'cfn-group' }));
  expect((await policyOf()).ResourcePolicy).toContain('One');
  await ok(
    await updateStack(cloudformation, 'sagemaker', template(undefined, 'two', [{ Key: 'b', Value: '2' }])),
    'UPDATE_COMPLETE',
  );
  await expect(policyOf()).rejects.toThrow();
  expect((await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }))).Tags).toEqual([{ Key: 'b', Value: '2' }]);
  const described = await sagemaker.send(new DescribePipelineCommand({ PipelineName: 'cfn-pipeline' }));
  expect(described.PipelineDisplayName).toBe('two');
  await remove('sagemaker', stack.StackId!);
  await expect(
    sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: 'cfn-group' })),
  ).rejects.toThrow();
});
