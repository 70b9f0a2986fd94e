import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PolicyStatement } from '../../local/aws/core/policy.ts';
import type { Principal } from '../../local/aws/core/service.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import { createIdentity } from '../../local/aws/iam/index.ts';
import { admin, allowAll, type Bench, createBench, policy, production, staging } from './support.ts';

const api = 'https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html';
const guide = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/';

let bench: Bench;
let caller: Principal;
const verify = `arn:aws:iam::${staging}:role/verify`;
const callerArn = `arn:aws:iam::${admin}:role/ci-deploy`;

async function role(account: string, name: string, trust: PolicyStatement[], statements: PolicyStatement[] = []) {
  const administrator = bench.administrator(account);
  await bench.run(
    'iam:CreateRole',
    { RoleName: name, AssumeRolePolicyDocument: JSON.stringify(policy(...trust)) },
    administrator,
  );
  await permit(account, name, statements);
}
async function permit(account: string, RoleName: string, statements: PolicyStatement[]) {
  if (statements.length === 0) return;
  const PolicyDocument = JSON.stringify(policy(...statements));
  await bench.run(
    'iam:PutRolePolicy',
    { RoleName, PolicyName: 'inline', PolicyDocument },
    bench.administrator(account),
  );
}
async function trust(account: string, RoleName: string, ...statements: PolicyStatement[]) {
  const PolicyDocument = JSON.stringify(policy(...statements));
  await bench.run('iam:UpdateAssumeRolePolicy', { RoleName, PolicyDocument }, bench.administrator(account));
}
const assume = (more: object = {}, principal = caller) =>
  bench.run('sts:AssumeRole', { RoleArn: verify, RoleSessionName: 'deploy', ...more }, principal);
const principalOf = (answer: any): Principal => bench.identity.sessions.find(answer.Credentials.AccessKeyId)!.principal;
const trusting = (more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: 'Allow',
  Principal: { AWS: callerArn },
  Action: 'sts:AssumeRole',
  ...more,
});
const denied = { code: 'AccessDenied', status: 403 };

beforeEach(async () => {
  bench = createBench();
  await role(
    admin,
    'ci-deploy',
    [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }],
    [{ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'], Resource: verify }],
  );
  await role(staging, 'verify', [trusting()]);
  caller = bench.identity.signIn({ account: admin, role: 'ci-deploy', sessionName: 'gha-1' }).principal;
});

describe(`who may assume a role (${api})`, () => {
  test('across accounts trust and identity policy must both allow', async () => {
    await expect(assume()).resolves.toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${staging}:assumed-role/verify/deploy` },
    });
    await trust(staging, 'verify', trusting({ Principal: { AWS: production } }));
    await expect(assume()).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:sts::${admin}:assumed-role/ci-deploy/gha-1 is not authorized to perform: sts:AssumeRole on resource: ${verify} because no role trust policy allows the sts:AssumeRole action`,
    });
    await trust(staging, 'verify', trusting({ Principal: { AWS: admin } }));
    await expect(assume()).resolves.toBeDefined();
    await permit(admin, 'ci-deploy', [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]);
    await expect(assume()).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('because no identity-based policy allows the sts:AssumeRole action'),
    });
  });

  test('in one account a trust policy that names the role needs no identity policy, one that names the account does', async () => {
    await role(admin, 'near', [trusting()]);
    const near = { RoleArn: `arn:aws:iam::${admin}:role/near` };
    await expect(assume(near)).resolves.toBeDefined();
    await trust(admin, 'near', trusting({ Principal: { AWS: `arn:aws:iam::${admin}:root` } }));
    await expect(assume(near)).rejects.toMatchObject(denied);
    await permit(admin, 'ci-deploy', [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: near.RoleArn }]);
    await expect(assume(near)).resolves.toBeDefined();
  });

  test('a role that does not exist reads like one that does not trust', async () => {
    await permit(admin, 'ci-deploy', [allowAll]);
    await expect(assume({ RoleArn: `${verify}-gone` })).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('because no role trust policy allows the sts:AssumeRole action'),
    });
  });

  test('a role does not trust itself without being told to', async () => {
    await permit(admin, 'ci-deploy', [allowAll]);
    await role(admin, 'other', [trusting()]);
    const self = { RoleArn: callerArn };
    await trust(admin, 'ci-deploy', trusting({ Principal: { AWS: `arn:aws:iam::${admin}:role/other` } }));
    await expect(assume(self)).rejects.toMatchObject(denied);
    await trust(admin, 'ci-deploy', trusting());
    await expect(assume(self)).resolves.toBeDefined();
  });

  test(`the external id must be the agreed one (${guide}id_roles_common-scenarios_third-party.html)`, async () => {
    await trust(staging, 'verify', trusting({ Condition: { StringEquals: { 'sts:ExternalId': 'abc' } } }));
    await expect(assume()).rejects.toMatchObject(denied);
    await expect(assume({ ExternalId: 'abd' })).rejects.toMatchObject(denied);
    await expect(assume({ ExternalId: 'abc' })).resolves.toBeDefined();
  });

  test(`sts:RoleSessionName can be demanded (${guide}reference_policies_iam-condition-keys.html#ck_rolesessionname)`, async () => {
    await trust(staging, 'verify', trusting({ Condition: { StringLike: { 'sts:RoleSessionName': 'gha-*' } } }));
    await expect(assume({ RoleSessionName: 'deploy' })).rejects.toMatchObject(denied);
    await expect(assume({ RoleSessionName: 'gha-7' })).resolves.toBeDefined();
  });

  test(`a trusted role that is made anew is another role (${guide}reference_policies_elements_principal.html#principal-roles)`, async () => {
    await expect(assume()).resolves.toBeDefined();
    const administrator = bench.administrator();
    await bench.run('iam:DeleteRolePolicy', { RoleName: 'ci-deploy', PolicyName: 'inline' }, administrator);
    await bench.run('iam:DeleteRole', { RoleName: 'ci-deploy' }, administrator);
    await role(
      admin,
      'ci-deploy',
      [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }],
      [allowAll],
    );
    // The session of the old role is worth nothing either.
    await expect(assume()).rejects.toMatchObject(denied);
    caller = bench.identity.signIn({ account: admin, role: 'ci-deploy' }).principal;
    await expect(assume()).rejects.toMatchObject(denied);
    await trust(staging, 'verify', trusting());
    await expect(assume()).resolves.toBeDefined();
  });
});

describe(`role chaining (${guide}id_roles.html#iam-term-role-chaining)`, () => {
  test('an hour at most, whatever the role allows', async () => {
    await bench.run('iam:UpdateRole', { RoleName: 'verify', MaxSessionDuration: 43_200 }, bench.administrator(staging));
    await expect(assume({ DurationSeconds: 3601 })).rejects.toMatchObject({
      code: 'ValidationError',
      status: 400,
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    });
    const answer = await assume({ DurationSeconds: 3600 });
    expect(principalOf(answer).chained).toBe(true);
    expect(answer.Credentials.Expiration.getTime()).toBe(bench.clock.now().getTime() + 3_600_000);
  });
});

describe(`session tags (${guide}id_session-tags.html)`, () => {
  const tags = { Tags: [{ Key: 'Project', Value: 'abalone' }] };

  test('need sts:TagSession in the trust policy', async () => {
    await expect(assume(tags)).rejects.toMatchObject({ ...denied, message: expect.stringContaining('sts:TagSession') });
    await trust(staging, 'verify', trusting({ Action: ['sts:AssumeRole', 'sts:TagSession'] }));
    const answer = await assume(tags);
    expect(principalOf(answer).sessionTags).toEqual({ Project: 'abalone' });
    expect(answer.PackedPolicySize).toBeGreaterThan(0);
  });

  test('the trust policy can demand a tag’s value and set of keys', async () => {
    await trust(
      staging,
      'verify',
      trusting({
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: {
          StringEquals: { 'aws:RequestTag/Project': 'abalone' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['Project'] },
        },
      }),
    );
    await expect(assume({ Tags: [{ Key: 'Project', Value: 'wine' }] })).rejects.toMatchObject(denied);
    await expect(assume({ Tags: [...tags.Tags, { Key: 'Stage', Value: 'x' }] })).rejects.toMatchObject(denied);
    await expect(assume(tags)).resolves.toBeDefined();
  });

  test('transitive ones go on to later sessions, where they cannot be set anew', async () => {
    const open = { Action: ['sts:AssumeRole', 'sts:TagSession'] };
    await trust(staging, 'verify', trusting(open));
    await permit(staging, 'verify', [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }]);
    await role(production, 'last', [trusting({ ...open, Principal: { AWS: verify } })]);
    const first = await assume({
      Tags: [...tags.Tags, { Key: 'Run', Value: '7' }],
      TransitiveTagKeys: ['Project'],
    });
    const last = { RoleArn: `arn:aws:iam::${production}:role/last` };
    const second = await assume(last, principalOf(first));
    expect(principalOf(second)).toMatchObject({ sessionTags: { Project: 'abalone' }, transitiveTagKeys: ['Project'] });
    await expect(assume({ ...last, ...tags }, principalOf(first))).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    // Handing tags on needs TagSession too.
    await trust(production, 'last', trusting({ Principal: { AWS: verify } }));
    await expect(assume(last, principalOf(first))).rejects.toMatchObject(denied);
  });

  test('are at most 50, with keys that differ without case', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    await trust(staging, 'verify', trusting({ Action: ['sts:AssumeRole', 'sts:TagSession'] }));
    await expect(assume({ Tags: many(51) })).rejects.toMatchObject({ code: 'ValidationError' });
    await expect(assume({ Tags: many(50) })).resolves.toBeDefined();
    const twice = { Tags: [...tags.Tags, { Key: 'project', Value: 'x' }] };
    await expect(assume(twice)).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(assume({ ...tags, TransitiveTagKeys: ['Stage'] })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });
});

describe(`source identity (${guide}id_credentials_temp_control-access_monitor.html)`, () => {
  test('needs sts:SetSourceIdentity and cannot change down the chain', async () => {
    const SourceIdentity = 'ada';
    await expect(assume({ SourceIdentity })).rejects.toMatchObject(denied);
    const open = { Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] };
    await trust(staging, 'verify', trusting(open));
    await permit(staging, 'verify', [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }]);
    await role(production, 'last', [trusting({ ...open, Principal: { AWS: verify } })]);
    const first = await assume({ SourceIdentity });
    expect(first.SourceIdentity).toBe('ada');
    const last = { RoleArn: `arn:aws:iam::${production}:role/last` };
    await expect(assume({ ...last, SourceIdentity: 'eve' }, principalOf(first))).rejects.toMatchObject(denied);
    const second = await assume(last, principalOf(first));
    expect(principalOf(second).sourceIdentity).toBe('ada');
  });
});

describe(`session policies (${guide}access_policies.html#policies_session)`, () => {
  test('inline and managed ones add up and bound the session', async () => {
    const arns = { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AdministratorAccess' }] };
    const inline = { Policy: JSON.stringify(policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })) };
    await permit(staging, 'verify', [allowAll]);
    const decide = async (input: object) => {
      const principal = principalOf(await assume(input));
      const request = { action: 's3:PutObject', resources: ['arn:aws:s3:::b/k'], resourceAccount: staging };
      return bench.identity.authorizer.decide(principal, request, bench.call(principal)).decision;
    };
    expect(await decide({})).toBe('allow');
    expect(await decide(inline)).toBe('implicit-deny');
    expect(await decide({ ...inline, ...arns })).toBe('allow');
    await expect(assume({ PolicyArns: [{ arn: `arn:aws:iam::${admin}:policy/none` }] })).rejects.toMatchObject({
      code: 'MalformedPolicyDocument',
    });
  });
});

describe('GetCallerIdentity', () => {
  test('answers every session, even under an explicit deny', async () => {
    await permit(admin, 'ci-deploy', [{ Effect: 'Deny', Action: '*', Resource: '*' }]);
    await expect(bench.run('sts:GetCallerIdentity', {}, caller)).resolves.toEqual({
      Account: admin,
      Arn: `arn:aws:sts::${admin}:assumed-role/ci-deploy/gha-1`,
      UserId: expect.stringMatching(/^AROA[A-Z2-7]{17}:gha-1$/),
    });
  });
});

describe(`services assume roles (${guide}confused-deputy.html)`, () => {
  const jobRole = `arn:aws:iam::${admin}:role/job`;
  const request = { roleArn: jobRole, service: 'sagemaker.amazonaws.com', sessionName: 'SageMaker' };

  test('that trust them, for the account and resource that they trust', async () => {
    await role(admin, 'job', [
      {
        Effect: 'Allow',
        Principal: { Service: 'sagemaker.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: {
          StringEquals: { 'aws:SourceAccount': admin },
          ArnLike: { 'aws:SourceArn': `arn:aws:sagemaker:*:${admin}:*` },
        },
      },
    ]);
    const source = { sourceAccount: admin, sourceArn: `arn:aws:sagemaker:eu-west-1:${admin}:training-job/x` };
    const session = bench.identity.roles.assumeAsService({ ...request, ...source });
    expect(session.principal).toMatchObject({
      roleArn: jobRole,
      arn: `arn:aws:sts::${admin}:assumed-role/job/SageMaker`,
    });
    for (const wrong of [
      { ...request, ...source, sourceAccount: staging },
      { ...request, ...source, sourceArn: `arn:aws:sagemaker:eu-west-1:${staging}:training-job/x` },
      { ...request, sourceAccount: admin },
      { ...request, ...source, service: 'ec2.amazonaws.com' },
      { ...request, ...source, roleArn: `${jobRole}-2` },
    ]) {
      expect(() => bench.identity.roles.assumeAsService(wrong)).toThrow(
        expect.objectContaining({ code: 'AccessDenied', message: expect.stringContaining(wrong.roleArn) }),
      );
    }
  });
});

describe('first credentials', () => {
  test('every account of the world has OrganizationAccountAccessRole, trusted by the admin account alone', async () => {
    const far = { RoleArn: `arn:aws:iam::${staging}:role/OrganizationAccountAccessRole` };
    await expect(assume(far, bench.administrator(admin))).resolves.toBeDefined();
    await expect(assume(far, bench.administrator(production))).rejects.toMatchObject(denied);
    // An account's administrators need no trust: they sign in.
    expect(bench.identity.signIn({ account: production }).principal.account).toBe(production);
  });

  test('of another role only where its trust policy lets the account in', () => {
    expect(() => bench.identity.signIn({ account: staging, role: 'verify' })).toThrow(
      expect.objectContaining({ code: 'AccessDenied' }),
    );
    expect(bench.identity.signIn({ account: admin, role: callerArn }).principal.roleArn).toBe(callerArn);
    expect(() => bench.identity.signIn({ account: admin, role: 'none' })).toThrow(
      expect.objectContaining({ code: 'NoSuchEntity', status: 404 }),
    );
    expect(() => bench.identity.signIn({ account: '000000000000' })).toThrow(
      expect.objectContaining({ code: 'NoSuchEntity' }),
    );
  });

  test('expire by the platform’s clock, or at once by a fault', () => {
    const session = bench.identity.signIn({ account: admin, lifetimeSeconds: 900 });
    const { accessKeyId, expiration } = session.credentials;
    expect(expiration.getTime() - bench.clock.now().getTime()).toBe(900_000);
    bench.clock.move(1000);
    bench.identity.sessions.expire(session.principal.roleArn!);
    expect(bench.identity.sessions.find(accessKeyId)?.credentials.expiration.getTime()).toBeLessThanOrEqual(
      bench.clock.now().getTime(),
    );
    expect(bench.identity.sessions.find('ASIALOCALUNKNOWNUNKN')).toBeUndefined();
  });

  test('reach an account that joins the world later', () => {
    const world = structuredClone(defaultWorld);
    const identity = createIdentity({ world, clock: bench.clock, logger: { debug() {}, info() {}, warn() {} } });
    identity.seed();
    const { principal } = identity.signIn({ account: admin });
    world.accounts.push({ id: '121212121212', name: 'later' });
    identity.seed();
    expect(identity.signIn({ account: '121212121212' }).principal.account).toBe('121212121212');
    // Roles that are there keep their identity.
    expect(identity.signIn({ account: admin }).principal.userId).toBe(principal.userId);
  });
});
