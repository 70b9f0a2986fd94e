import {
  type CloudFormationClient,
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackCommand,
  DescribeStackSetCommand,
  GetTemplateSummaryCommand,
  ListStackInstancesCommand,
  UpdateStackCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { GetRoleCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { createStack, describeStack, events, operationEnd, refusal, role, settled, updateStack } from './support.ts';

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let s3: S3Client;
const Bucket = 'cfn-templates-test';

beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  ({ cloudformation, s3 } = platform.administrator(accounts.development, region));
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
});
afterAll(() => platform.close());

async function upload(Key: string, template: object | string): Promise<string> {
  await s3.send(
    new PutObjectCommand({ Bucket, Key, Body: typeof template === 'string' ? template : JSON.stringify(template) }),
  );
  return `https://${Bucket}.s3.${region}.amazonaws.com/${Key}`;
}

const child = (path: string) => ({
  Parameters: { Name: { Type: 'String' } },
  Resources: { R: role({ RoleName: { Ref: 'Name' }, MaxSessionDuration: 3600, Path: path }) },
  Outputs: { Arn: { Value: { 'Fn::GetAtt': ['R', 'Arn'] } } },
});

test('a template by URL: each form names the same object, rights are the caller’s', async () => {
  const TemplateURL = await upload('plain.json', { Description: 'by url', Resources: { R: role() } });
  for (const url of [
    TemplateURL,
    `https://s3.${region}.amazonaws.com/${Bucket}/plain.json`,
    `https://${Bucket}.s3.amazonaws.com/plain.json`,
    `https://s3-${region}.amazonaws.com/${Bucket}/plain.json`,
  ]) {
    const answer = await cloudformation.send(new ValidateTemplateCommand({ TemplateURL: url }));
    expect(answer).toMatchObject({ Description: 'by url', Capabilities: ['CAPABILITY_IAM'] });
  }
  const missing = cloudformation.send(new ValidateTemplateCommand({ TemplateURL: `${TemplateURL}x` }));
  expect((await refusal(missing)).message).toContain(`template s3://${Bucket}/plain.jsonx`);
  const elsewhere = cloudformation.send(new GetTemplateSummaryCommand({ TemplateURL: 'https://example.com/a/b' }));
  expect((await refusal(elsewhere)).message).toContain('TemplateURL must be a supported URL');
});

test('a nested stack gives its outputs, follows its template, and goes with its parent', async () => {
  const TemplateURL = await upload('child.json', child('/'));
  const parent = (name: string) => ({
    Resources: {
      Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL, Parameters: { Name: name } } },
      User: role({ Description: { 'Fn::GetAtt': ['Child', 'Outputs.Arn'] } }),
    },
    Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Child', 'Outputs.Arn'] } }, Child: { Value: { Ref: 'Child' } } },
  });
  const stack = await createStack(cloudformation, 'parent', parent('nested-role'));
  expect(stack.StackStatus).toBe('CREATE_COMPLETE');
  const outputs = Object.fromEntries(stack.Outputs!.map((item) => [item.OutputKey, item.OutputValue!]));
  expect(outputs['Arn']).toBe(`arn:aws:iam::${accounts.development}:role/nested-role`);
  const nested = await describeStack(cloudformation, outputs['Child']!);
  expect(nested).toMatchObject({ StackStatus: 'CREATE_COMPLETE', ParentId: stack.StackId, RootId: stack.StackId });
  expect(nested.StackName).toMatch(/^parent-Child-[A-Za-z0-9]{12}$/);

  // The same parent template: the nested template behind the URL is looked at again.
  await upload('child.json', { ...child('/'), Outputs: { Arn: { Value: 'another' } } });
  const updated = await updateStack(cloudformation, 'parent', parent('nested-role'));
  expect(updated.StackStatus).toBe('UPDATE_COMPLETE');
  expect(updated.Outputs).toContainEqual({ OutputKey: 'Arn', OutputValue: 'another' });

  // A nested failure rolls the parent back.
  await upload('child.json', child('no-slash'));
  const failed = await updateStack(cloudformation, 'parent', parent('nested-role'));
  expect(failed.StackStatus).toBe('UPDATE_ROLLBACK_FAILED');
  await upload('child.json', child('/'));
  await cloudformation.send(new DeleteStackCommand({ StackName: 'parent' }));
  expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
  expect((await describeStack(cloudformation, outputs['Child']!)).StackStatus).toBe('DELETE_COMPLETE');
});

test('a nested stack that cannot be made: the parent says why and leaves nothing', async () => {
  const TemplateURL = await upload('bad.json', child('no-slash'));
  const stack = await createStack(cloudformation, 'bad-parent', {
    Resources: {
      Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL, Parameters: { Name: 'x' } } },
    },
  });
  expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
  const reason = (await events(cloudformation, stack.StackId!)).find(
    (event) => event.ResourceStatus === 'CREATE_FAILED',
  )?.ResourceStatusReason;
  expect(reason).toContain('was not successfully created');
  expect(reason).toContain('The following resource(s) failed to create: [R]');
});

test('a stack set as a resource, and a set whose template is longer than a request may be', async () => {
  const target = platform.administrator(accounts.staging, region);
  const administration = await createStack(cloudformation, 'sets', {
    Resources: {
      Administration: role({
        RoleName: 'administration',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'cloudformation.amazonaws.com' }, Action: 'sts:AssumeRole' },
          ],
        },
        Policies: [
          {
            PolicyName: 'hop',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::*:role/execution' }],
            },
          },
        ],
      }),
    },
  });
  expect(administration.StackStatus).toBe('CREATE_COMPLETE');
  const AdministrationRoleARN = `arn:aws:iam::${accounts.development}:role/administration`;
  await createStack(target.cloudformation, 'execution', {
    Resources: {
      R: role({
        RoleName: 'execution',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: AdministrationRoleARN }, Action: 'sts:AssumeRole' }],
        },
        Policies: [
          {
            PolicyName: 'all',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: ['cloudformation:*', 'iam:*'], Resource: '*' }],
            },
          },
        ],
      }),
    },
  });

  const template = (accountList: string[], duration: number) => ({
    Resources: {
      Set: {
        Type: 'AWS::CloudFormation::StackSet',
        Properties: {
          StackSetName: 'as-resource',
          PermissionModel: 'SELF_MANAGED',
          TemplateBody: JSON.stringify({
            Resources: { R: role({ RoleName: 'by-resource', MaxSessionDuration: duration }) },
          }),
          Capabilities: ['CAPABILITY_NAMED_IAM'],
          AdministrationRoleARN,
          ExecutionRoleName: 'execution',
          StackInstancesGroup:
            accountList.length === 0 ? [] : [{ DeploymentTargets: { Accounts: accountList }, Regions: [region] }],
        },
      },
    },
  });
  const stack = await createStack(cloudformation, 'set-resource', template([accounts.staging], 3600));
  expect(stack.StackStatus).toBe('CREATE_COMPLETE');
  const duration = async () =>
    (await target.iam.send(new GetRoleCommand({ RoleName: 'by-resource' }))).Role?.MaxSessionDuration;
  expect(await duration()).toBe(3600);
  expect((await updateStack(cloudformation, 'set-resource', template([accounts.staging], 7200))).StackStatus).toBe(
    'UPDATE_COMPLETE',
  );
  expect(await duration()).toBe(7200);
  expect((await updateStack(cloudformation, 'set-resource', template([], 7200))).StackStatus).toBe('UPDATE_COMPLETE');
  expect((await refusal(duration())).name).toBe('NoSuchEntityException');
  await cloudformation.send(new DeleteStackCommand({ StackName: 'set-resource' }));
  expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
  const gone = cloudformation.send(new DescribeStackSetCommand({ StackSetName: 'as-resource' }));
  expect((await refusal(gone)).name).toBe('StackSetNotFoundException');

  const long = JSON.stringify({
    Metadata: { filler: 'x'.repeat(60_000) },
    Resources: { R: role({ RoleName: 'long' }) },
  });
  const direct = createStack(cloudformation, 'too-long', long);
  expect((await refusal(direct)).message).toContain('less than or equal to 51200');
  const TemplateURL = await upload('long.json', long);
  await cloudformation.send(
    new CreateStackSetCommand({
      StackSetName: 'long',
      TemplateURL,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      AdministrationRoleARN,
      ExecutionRoleName: 'execution',
    }),
  );
  await cloudformation.send(
    new CreateStackInstancesCommand({
      StackSetName: 'long',
      Accounts: [accounts.staging],
      Regions: [region],
      OperationId: 'o',
    }),
  );
  expect((await operationEnd(cloudformation, 'long', 'o')).Status).toBe('SUCCEEDED');
  const { Summaries } = await cloudformation.send(new ListStackInstancesCommand({ StackSetName: 'long' }));
  expect(Summaries).toMatchObject([{ Account: accounts.staging, Status: 'CURRENT' }]);
});

test('an update by URL only', async () => {
  const TemplateURL = await upload('update.json', { Resources: { R: role({ MaxSessionDuration: 7200 }) } });
  await createStack(cloudformation, 'by-url', { Resources: { R: role() } });
  await cloudformation.send(
    new UpdateStackCommand({ StackName: 'by-url', TemplateURL, Capabilities: ['CAPABILITY_IAM'] }),
  );
  expect((await settled(cloudformation, 'by-url')).StackStatus).toBe('UPDATE_COMPLETE');
});
