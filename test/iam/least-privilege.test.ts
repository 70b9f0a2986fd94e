import { describe, expect, test } from '@jest/globals';
import { describeAction, expandAction, overlap, permissionFaults, statementFaults } from './action-table.ts';
import { type DeployedRole, describeGrant, type LoggedCall, leastPrivilege, withoutAction } from './least-privilege.ts';
import { admin, policy, staging } from './support.ts';

const roles: DeployedRole[] = [
  {
    account: admin,
    name: 'ci-build',
    policies: [
      {
        name: 'inline',
        document: policy(
          {
            Sid: 'Start',
            Effect: 'Allow',
            Action: ['sagemaker:StartPipelineExecution', 'sagemaker:StopPipelineExecution'],
            Resource: 'arn:aws:sagemaker:eu-west-1:*:pipeline/p',
          },
          { Effect: 'Allow', Action: 's3:Get*', Resource: ['arn:aws:s3:::b/code/*', 'arn:aws:s3:::b/data/*'] },
          { Sid: 'Twice', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' },
          { Sid: 'No', Effect: 'Deny', Action: 'iam:*', Resource: '*' },
        ),
      },
    ],
  },
];
const call = (seq: number, action: string, resource: string, grantedBy: string[], more: object = {}): LoggedCall => ({
  seq,
  account: admin,
  principal: `arn:aws:sts::${admin}:assumed-role/ci-build/gha`,
  operation: action,
  permissions: [
    { action, resources: [resource], decision: grantedBy.length > 0 ? 'allow' : 'implicit-deny', grantedBy },
  ],
  ...more,
});
const calls = [
  call(1, 'sagemaker:StartPipelineExecution', 'arn:aws:sagemaker:eu-west-1:1:pipeline/p', ['ci-build#Start']),
  call(2, 's3:GetObject', 'arn:aws:s3:::b/code/x', ['ci-build#inline[1]', 'ci-build#Twice', 'resource-policy#Own']),
  call(3, 's3:GetObjectVersion', 'arn:aws:s3:::b/code/x', ['ci-build#inline[1]']),
  call(4, 'kms:Decrypt', 'arn:aws:kms:eu-west-1:1:key/1', ['resource-policy#Key']),
  call(5, 'iam:GetRole', 'arn:aws:iam::1:role/x', []),
  call(6, 'iam:GetRole', 'arn:aws:iam::1:role/x', [], {
    principal: `arn:aws:sts::${staging}:assumed-role/ci-build/gha`,
  }),
];

describe('least privilege', () => {
  const report = leastPrivilege(calls, roles);

  test('names what no call used', () => {
    expect(report.unused.map(describeGrant)).toEqual([`${admin} ci-build#Start sagemaker:StopPipelineExecution`]);
    expect(report.untouched).toEqual([
      { account: admin, role: 'ci-build', statement: 'inline[1]', resource: 'arn:aws:s3:::b/data/*' },
    ]);
  });

  test('names what another statement grants as well', () => {
    expect(report.redundant.map(describeGrant)).toEqual([`${admin} ci-build#Twice s3:GetObject`]);
  });

  test('names what these roles did not grant, of their own sessions only', () => {
    expect(report.ungranted.map(({ seq, action }) => [seq, action])).toEqual([
      [4, 'kms:Decrypt'],
      [5, 'iam:GetRole'],
    ]);
  });

  test('takes one right out of a policy', () => {
    const { document } = roles[0]!.policies[0]!;
    const left = withoutAction(document, 'Start', 'sagemaker:StopPipelineExecution', 'inline');
    expect((left.Statement as any)[0].Action).toEqual(['sagemaker:StartPipelineExecution']);
    expect(withoutAction(document, 'inline[1]', 's3:Get*', 'inline').Statement).toHaveLength(3);
    expect(withoutAction(document, 'Twice', 's3:PutObject', 'inline').Statement).toHaveLength(4);
  });
});

describe('AWS’s table of actions', () => {
  const allow = (Action: string, Resource: string, keys: string[] = []) =>
    statementFaults({
      Effect: 'Allow',
      Action,
      Resource,
      ...(keys.length === 0 ? {} : { Condition: { StringEquals: Object.fromEntries(keys.map((key) => [key, 'x'])) } }),
    });

  test('knows which actions there are', async () => {
    expect(await allow('sagemaker:CreateModelPackge', '*')).toEqual(['sagemaker:CreateModelPackge is no action']);
    expect(await allow('sagemaker:CreateModelPackage', '*')).toEqual([]);
    expect(await expandAction('s3:GetObject')).toEqual(['s3:GetObject']);
    expect((await expandAction('s3:GetObject*')).length).toBeGreaterThan(5);
    expect(await describeAction('nosuch:Thing')).toBeUndefined();
  });

  test('knows which resources they have', async () => {
    expect(await allow('s3:GetObject', 'arn:aws:s3:::bucket')).toEqual([
      's3:GetObject has no resource like arn:aws:s3:::bucket',
    ]);
    expect(await allow('s3:GetObject', 'arn:aws:s3:::bucket/*')).toEqual([]);
    expect(await allow('s3:ListAllMyBuckets', 'arn:aws:s3:::bucket')).toEqual([
      's3:ListAllMyBuckets knows no resources: on arn:aws:s3:::bucket it grants nothing',
    ]);
  });

  test('knows which condition keys they fill', async () => {
    const group = 'arn:aws:sagemaker:eu-west-1:1:model-package/g/*';
    expect(
      await allow('sagemaker:UpdateModelPackage', group, [
        'sagemaker:ModelApprovalStatus',
        'sagemaker:ModelLifeCycle:Stage',
        'sagemaker:CustomerMetadataProperties/gate-run',
        'aws:ResourceTag/x',
        'aws:PrincipalTag/y',
        'aws:PrincipalArn',
      ]),
    ).toEqual([]);
    expect(await allow('sagemaker:UpdateModelPackage', group, ['sagemaker:ModelLifeCycle:stages'])).toEqual([
      'sagemaker:ModelLifeCycle:stages is no key of sagemaker:UpdateModelPackage',
    ]);
    expect(await allow('sagemaker:UpdateModelPackage', group, ['aws:RequestTag/x'])).toEqual([
      'aws:RequestTag/x is no key of sagemaker:UpdateModelPackage',
    ]);
  });

  test('judges what local services ask for', async () => {
    const faults = (action: string, ...resources: string[]) => permissionFaults({ action, resources });
    expect(await faults('iam:GetRole', `arn:aws:iam::${admin}:role/x`)).toEqual([]);
    expect(await faults('iam:GetRole', '*')).toHaveLength(1);
    expect(await faults('iam:ListRoles', '*')).toEqual([]);
    expect(await faults('iam:ListRoles', `arn:aws:iam::${admin}:role/x`)).toHaveLength(1);
    expect(await faults('iam:ListRole', '*')).toEqual(['iam:ListRole is no action']);
  });

  test('patterns overlap when a text fits both', () => {
    expect(overlap('a*', '*b')).toBe(true);
    expect(overlap('a*c', 'ab')).toBe(false);
    expect(overlap('arn:*:s3:::*/*', 'arn:aws:s3:::b')).toBe(false);
    expect(overlap('a?c', 'abc')).toBe(true);
    expect(overlap('', '*')).toBe(true);
    expect(overlap('a', '')).toBe(false);
  });
});
