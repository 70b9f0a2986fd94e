import { beforeEach, describe, expect, test } from '@jest/globals';
import { admin, allowAll, type Bench, createBench, policy, production, staging } from './support.ts';

const api = 'https://docs.aws.amazon.com/IAM/latest/APIReference/';
const quotas = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

const trust = policy({ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' });
const AssumeRolePolicyDocument = JSON.stringify(trust);
const create = (RoleName: string, more: object = {}) =>
  bench.run('iam:CreateRole', { RoleName, AssumeRolePolicyDocument, ...more });
const document = (...statements: Parameters<typeof policy>) => JSON.stringify(policy(...statements));
const put = (RoleName: string, PolicyDocument: string, PolicyName = 'inline') =>
  bench.run('iam:PutRolePolicy', { RoleName, PolicyName, PolicyDocument });
const malformed = (message?: string) => ({
  code: 'MalformedPolicyDocument',
  status: 400,
  ...(message ? { message } : {}),
});

describe(`roles (${api}API_CreateRole.html)`, () => {
  test('answer what was given, the trust policy URL-encoded', async () => {
    const { Role } = await create('job', { Path: '/ml/', Description: 'd', Tags: [{ Key: 'k', Value: 'v' }] });
    expect(Role).toMatchObject({
      Arn: `arn:aws:iam::${admin}:role/ml/job`,
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      MaxSessionDuration: 3600,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    expect(Role.AssumeRolePolicyDocument).toMatch(/^%7B%22Version%22%3A/);
    expect(JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument))).toEqual(trust);
    const { Role: read } = await bench.run('iam:GetRole', { RoleName: 'JOB' });
    expect(read).toMatchObject({ RoleName: 'job', Description: 'd', Tags: [{ Key: 'k', Value: 'v' }] });
    const { Roles } = await bench.run('iam:ListRoles', { PathPrefix: '/ml/' });
    expect(Roles).toHaveLength(1);
    expect(Roles[0]).not.toHaveProperty('Tags');
  });

  test('exist once per account, whatever the case', async () => {
    await create('job');
    await expect(create('Job')).rejects.toMatchObject({ code: 'EntityAlreadyExists', status: 409 });
    await expect(
      bench.run('iam:CreateRole', { RoleName: 'job', AssumeRolePolicyDocument }, bench.administrator(staging)),
    ).resolves.toBeDefined();
  });

  test('are not found as AWS says it', async () => {
    for (const operation of ['GetRole', 'DeleteRole', 'ListRolePolicies', 'ListRoleTags', 'ListAttachedRolePolicies']) {
      await expect(bench.run(`iam:${operation}`, { RoleName: 'none' })).rejects.toMatchObject({
        code: 'NoSuchEntity',
        status: 404,
        message: 'The role with name none cannot be found.',
      });
    }
  });

  test('last 3600 to 43200 seconds', async () => {
    for (const MaxSessionDuration of [3599, 43_201]) {
      await expect(create('job', { MaxSessionDuration })).rejects.toMatchObject({
        code: 'ValidationError',
        status: 400,
      });
    }
    await create('job', { MaxSessionDuration: 43_200 });
    await bench.run('iam:UpdateRole', { RoleName: 'job', Description: 'new' });
    const { Role } = await bench.run('iam:GetRole', { RoleName: 'job' });
    // UpdateRole sets a duration that is left out back to an hour.
    expect(Role).toMatchObject({ MaxSessionDuration: 3600, Description: 'new' });
  });

  test('are deleted only when they are empty', async () => {
    await create('job');
    await put('job', document(allowAll));
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn });
    const conflict = { code: 'DeleteConflict', status: 409 };
    await expect(bench.run('iam:DeleteRole', { RoleName: 'job' })).rejects.toMatchObject({
      ...conflict,
      message: 'Cannot delete entity, must detach all policies first.',
    });
    await bench.run('iam:DetachRolePolicy', { RoleName: 'job', PolicyArn });
    await expect(bench.run('iam:DeleteRole', { RoleName: 'job' })).rejects.toMatchObject({
      ...conflict,
      message: 'Cannot delete entity, must delete policies first.',
    });
    await bench.run('iam:DeleteRolePolicy', { RoleName: 'job', PolicyName: 'inline' });
    await bench.run('iam:DeleteRole', { RoleName: 'job' });
    await expect(bench.run('iam:GetRole', { RoleName: 'job' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
  });

  test('come in pages', async () => {
    for (let index = 0; index < 5; index += 1) await create(`r${index}`);
    const names: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await bench.run('iam:ListRoles', { MaxItems: 2, ...(Marker === undefined ? {} : { Marker }) });
      expect(answer.Roles.length).toBeLessThanOrEqual(2);
      names.push(...answer.Roles.map(({ RoleName }: any) => RoleName));
      Marker = answer.Marker;
      expect(answer.IsTruncated).toBe(Marker !== undefined);
    } while (Marker !== undefined);
    expect(names).toEqual(['OrganizationAccountAccessRole', 'r0', 'r1', 'r2', 'r3', 'r4']);
    await expect(bench.run('iam:ListRoles', { Marker: 'x' })).rejects.toMatchObject({ code: 'ValidationError' });
  });

  test('take tags whose keys differ without case, at most 50', async () => {
    await create('job', { Tags: [{ Key: 'Team', Value: 'a' }] });
    await bench.run('iam:TagRole', { RoleName: 'job', Tags: [{ Key: 'team', Value: 'b' }] });
    const tags = async () => (await bench.run('iam:ListRoleTags', { RoleName: 'job' })).Tags;
    expect(await tags()).toEqual([{ Key: 'team', Value: 'b' }]);
    const fifty = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }));
    await expect(bench.run('iam:TagRole', { RoleName: 'job', Tags: fifty })).rejects.toMatchObject({
      code: 'LimitExceeded',
      status: 409,
    });
    await bench.run('iam:UntagRole', { RoleName: 'job', TagKeys: ['TEAM'] });
    expect(await tags()).toEqual([]);
  });

  test('with tags need iam:TagRole beside iam:CreateRole', async () => {
    await create('builder', {
      AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }),
    });
    await put('builder', document({ Effect: 'Allow', Action: 'iam:CreateRole', Resource: '*' }));
    const { principal } = bench.identity.signIn({ account: admin, role: 'builder' });
    const made = { RoleName: 'job', AssumeRolePolicyDocument, Tags: [{ Key: 'k', Value: 'v' }] };
    await expect(bench.run('iam:CreateRole', made, principal)).rejects.toMatchObject({
      message: expect.stringContaining('iam:TagRole'),
    });
    await put('builder', document({ Effect: 'Allow', Action: ['iam:CreateRole', 'iam:TagRole'], Resource: '*' }));
    await expect(bench.run('iam:CreateRole', made, principal)).resolves.toBeDefined();
  });
});

describe('policies are checked when they are saved', () => {
  const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
  const good = { Version: '2012-10-17', Statement: [statement] };
  const wrong: [string, unknown, string][] = [
    ['no JSON', 'no', 'Syntax errors in policy.'],
    ['another version', { ...good, Version: '2020-01-01' }, 'Syntax errors in policy.'],
    ['an unknown element', { ...good, Statement: [{ ...statement, Actions: 'x' }] }, 'Syntax errors in policy.'],
    ['no statement', { Version: '2012-10-17', Statement: [] }, 'Syntax errors in policy.'],
    [
      'an effect in lower case',
      { ...good, Statement: [{ ...statement, Effect: 'allow' }] },
      'Syntax errors in policy.',
    ],
    [
      'an unknown operator',
      { ...good, Statement: [{ ...statement, Condition: { StringIs: { 'a:b': 'c' } } }] },
      'Syntax errors in policy.',
    ],
    ['Action and NotAction', { ...good, Statement: [{ ...statement, NotAction: 's3:*' }] }, 'Syntax errors in policy.'],
    [
      'no action',
      { ...good, Statement: [{ Effect: 'Allow', Resource: '*' }] },
      'Policy statement must contain actions.',
    ],
    [
      'no resource',
      { ...good, Statement: [{ Effect: 'Allow', Action: 's3:*' }] },
      'Policy statement must contain resources.',
    ],
    [
      'an action without service',
      { ...good, Statement: [{ ...statement, Action: 'GetObject' }] },
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    [
      'a resource that is no ARN',
      { ...good, Statement: [{ ...statement, Resource: 'bucket' }] },
      'Resource bucket must be in ARN format or "*".',
    ],
    [
      'a principal',
      { ...good, Statement: [{ ...statement, Principal: '*' }] },
      'Policy document should not specify a principal.',
    ],
    [
      'a Sid twice',
      {
        ...good,
        Statement: [
          { ...statement, Sid: 'A' },
          { ...statement, Sid: 'A' },
        ],
      },
      'Statement IDs (SID) in a single policy must be unique.',
    ],
  ];
  test.each(wrong)('identity policy with %s', async (_name, value, message) => {
    await create('job');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    await expect(put('job', text)).rejects.toMatchObject(malformed(message));
    await expect(put('job', JSON.stringify(good))).resolves.toEqual({});
  });

  const trustee = (more: object) => ({
    Version: '2012-10-17',
    Statement: [{ ...(trust.Statement as any)[0], ...more }],
  });
  const wrongTrust: [string, object, string][] = [
    ['a resource', { Resource: '*' }, 'Has prohibited field Resource'],
    ['no principal', { Principal: undefined }, 'Missing required field Principal'],
    ['another action', { Action: 's3:GetObject' }, 'AssumeRole policy may only specify STS AssumeRole actions.'],
    [
      'NotPrincipal',
      { Principal: undefined, NotPrincipal: { AWS: admin } },
      'AssumeRole policy must not contain NotPrincipal.',
    ],
    [
      'a wildcard inside a principal',
      { Principal: { AWS: `arn:aws:iam::${admin}:role/*` } },
      `Invalid principal in policy: "AWS":"arn:aws:iam::${admin}:role/*"`,
    ],
    [
      'a role that does not exist',
      { Principal: { AWS: `arn:aws:iam::${admin}:role/none` } },
      `Invalid principal in policy: "AWS":"arn:aws:iam::${admin}:role/none"`,
    ],
    [
      'an account that does not exist',
      { Principal: { AWS: '999999999999' } },
      'Invalid principal in policy: "AWS":"999999999999"',
    ],
  ];
  test.each(wrongTrust)('trust policy with %s', async (_name, more, message) => {
    const AssumeRolePolicyDocument = JSON.stringify(trustee(more));
    await expect(create('job', { AssumeRolePolicyDocument })).rejects.toMatchObject(malformed(message));
    await create('job', {
      AssumeRolePolicyDocument: JSON.stringify(trustee({ Principal: { AWS: [admin, staging, production] } })),
    });
    await expect(
      bench.run('iam:UpdateAssumeRolePolicy', { RoleName: 'job', PolicyDocument: AssumeRolePolicyDocument }),
    ).rejects.toMatchObject(malformed(message));
  });

  test(`within IAM's sizes (${quotas})`, async () => {
    await create('job');
    const filler = (characters: number) => document({ ...(statement as any), Sid: 'x'.repeat(characters) });
    const base = filler(0).length;
    await put('job', filler(10_240 - base));
    await expect(put('job', filler(10_241 - base))).rejects.toMatchObject({ code: 'LimitExceeded', status: 409 });
    await expect(put('job', filler(0), 'second')).rejects.toMatchObject({ code: 'LimitExceeded' });
    // White space is free.
    await put('job', JSON.stringify(JSON.parse(filler(10_240 - base)), null, 8));
    await expect(
      bench.run('iam:CreatePolicy', { PolicyName: 'p', PolicyDocument: filler(6145 - base) }),
    ).rejects.toMatchObject({ code: 'LimitExceeded' });
    await bench.run('iam:CreatePolicy', { PolicyName: 'p', PolicyDocument: filler(6144 - base) });
    const long = JSON.stringify(trustee({ Sid: 'x'.repeat(2048) }));
    await expect(create('long', { AssumeRolePolicyDocument: long })).rejects.toMatchObject({ code: 'LimitExceeded' });
  });

  test('and read back URL-encoded, byte for byte', async () => {
    await create('job');
    const text = JSON.stringify(
      { ...good, Statement: [{ ...statement, Sid: 'A', Resource: "arn:aws:s3:::b/it's (a) + b" }] },
      null,
      2,
    );
    await put('job', text);
    const { PolicyDocument } = await bench.run('iam:GetRolePolicy', { RoleName: 'job', PolicyName: 'inline' });
    expect(PolicyDocument).toMatch(/^[A-Za-z0-9%._~-]+$/);
    expect(decodeURIComponent(PolicyDocument)).toBe(text);
    await expect(bench.run('iam:GetRolePolicy', { RoleName: 'job', PolicyName: 'no' })).rejects.toMatchObject({
      code: 'NoSuchEntity',
      message: 'The role policy with name no cannot be found.',
    });
  });
});

describe(`managed policies (${api}API_CreatePolicy.html)`, () => {
  const read = document({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
  const make = async () => (await bench.run('iam:CreatePolicy', { PolicyName: 'read', PolicyDocument: read })).Policy;

  test('grant through their default version', async () => {
    await create('job', {
      AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }),
    });
    const { Arn: PolicyArn } = await make();
    await bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn });
    const { principal } = bench.identity.signIn({ account: admin, role: 'job' });
    const decide = (action: string) =>
      bench.identity.authorizer.decide(
        principal,
        { action, resources: ['arn:aws:s3:::b/k'], resourceAccount: admin },
        bench.call(principal),
      );
    expect(decide('s3:GetObject')).toMatchObject({ decision: 'allow', grantedBy: ['job#read[0]'] });
    const PolicyDocument = document({ Sid: 'Write', Effect: 'Allow', Action: 's3:PutObject', Resource: '*' });
    const { PolicyVersion } = await bench.run('iam:CreatePolicyVersion', {
      PolicyArn,
      PolicyDocument,
      SetAsDefault: true,
    });
    expect(PolicyVersion).toMatchObject({ VersionId: 'v2', IsDefaultVersion: true });
    expect(decide('s3:GetObject').decision).toBe('implicit-deny');
    expect(decide('s3:PutObject')).toMatchObject({ decision: 'allow', grantedBy: ['job#Write'] });
    await bench.run('iam:SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' });
    expect(decide('s3:GetObject').decision).toBe('allow');
  });

  test('are counted, versioned up to five, and deleted only when unused', async () => {
    await create('job');
    const { Arn: PolicyArn } = await make();
    await expect(make()).rejects.toMatchObject({ code: 'EntityAlreadyExists', status: 409 });
    await bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn });
    await bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn });
    const { Policy } = await bench.run('iam:GetPolicy', { PolicyArn });
    expect(Policy).toMatchObject({ AttachmentCount: 1, DefaultVersionId: 'v1', PolicyName: 'read' });
    const conflict = { code: 'DeleteConflict', status: 409 };
    await expect(bench.run('iam:DeletePolicy', { PolicyArn })).rejects.toMatchObject(conflict);
    const { PolicyRoles } = await bench.run('iam:ListEntitiesForPolicy', { PolicyArn });
    expect(PolicyRoles).toMatchObject([{ RoleName: 'job' }]);
    await bench.run('iam:DetachRolePolicy', { RoleName: 'job', PolicyArn });
    await expect(bench.run('iam:DetachRolePolicy', { RoleName: 'job', PolicyArn })).rejects.toMatchObject({
      code: 'NoSuchEntity',
    });
    for (let version = 2; version <= 5; version += 1)
      await bench.run('iam:CreatePolicyVersion', { PolicyArn, PolicyDocument: read });
    await expect(bench.run('iam:CreatePolicyVersion', { PolicyArn, PolicyDocument: read })).rejects.toMatchObject({
      code: 'LimitExceeded',
    });
    await expect(bench.run('iam:DeletePolicy', { PolicyArn })).rejects.toMatchObject(conflict);
    await expect(bench.run('iam:DeletePolicyVersion', { PolicyArn, VersionId: 'v1' })).rejects.toMatchObject(conflict);
    for (let version = 2; version <= 5; version += 1)
      await bench.run('iam:DeletePolicyVersion', { PolicyArn, VersionId: `v${version}` });
    await bench.run('iam:DeletePolicy', { PolicyArn });
    await expect(bench.run('iam:GetPolicy', { PolicyArn })).rejects.toMatchObject({
      code: 'NoSuchEntity',
      status: 404,
    });
  });

  test('need an older language nowhere: version 2012-10-17 only', async () => {
    const PolicyDocument = JSON.stringify({ ...JSON.parse(read), Version: '2008-10-17' });
    await expect(bench.run('iam:CreatePolicy', { PolicyName: 'old', PolicyDocument })).rejects.toMatchObject(
      malformed('Policy document must be version 2012-10-17 or greater.'),
    );
  });

  test('of AWS are those we know by name, never invented', async () => {
    await create('job');
    const { PolicyVersion } = await bench.run('iam:GetPolicyVersion', {
      PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      VersionId: 'v1',
    });
    expect(JSON.parse(decodeURIComponent(PolicyVersion.Document)).Statement).toEqual([allowAll]);
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonSageMakerFullAccess';
    await expect(bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn })).rejects.toMatchObject({
      code: 'NoSuchEntity',
      message: `Policy ${PolicyArn} does not exist or is not attachable.`,
    });
    await expect(
      bench.run('iam:CreatePolicyVersion', {
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
        PolicyDocument: read,
      }),
    ).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});

describe(`OIDC providers (${api}API_CreateOpenIDConnectProvider.html)`, () => {
  const Url = 'https://token.actions.githubusercontent.com';
  const OpenIDConnectProviderArn = `arn:aws:iam::${admin}:oidc-provider/token.actions.githubusercontent.com`;

  test('exist once per URL and account', async () => {
    const made = await bench.run('iam:CreateOpenIDConnectProvider', { Url, ClientIDList: ['sts.amazonaws.com'] });
    expect(made).toEqual({ OpenIDConnectProviderArn });
    await expect(bench.run('iam:CreateOpenIDConnectProvider', { Url: `${Url}/` })).rejects.toMatchObject({
      code: 'EntityAlreadyExists',
      status: 409,
    });
    await bench.run('iam:AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'other' });
    const read = await bench.run('iam:GetOpenIDConnectProvider', { OpenIDConnectProviderArn });
    expect(read).toMatchObject({
      Url: 'token.actions.githubusercontent.com',
      ClientIDList: ['sts.amazonaws.com', 'other'],
      ThumbprintList: [],
    });
    await bench.run('iam:RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'other' });
    const { OpenIDConnectProviderList } = await bench.run('iam:ListOpenIDConnectProviders', {});
    expect(OpenIDConnectProviderList).toEqual([{ Arn: OpenIDConnectProviderArn }]);
    await bench.run('iam:DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn });
    await bench.run('iam:DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn });
    await expect(bench.run('iam:GetOpenIDConnectProvider', { OpenIDConnectProviderArn })).rejects.toMatchObject({
      code: 'NoSuchEntity',
      status: 404,
    });
  });

  test.each([
    'http://example.com',
    'https://example.com:8443',
    'https://example.com?x=1',
    'https://example.com#x',
    'example.com',
  ])('refuse the URL %s', async (url) => {
    await expect(bench.run('iam:CreateOpenIDConnectProvider', { Url: url })).rejects.toMatchObject({
      code: 'ValidationError',
    });
    await expect(
      bench.run('iam:CreateOpenIDConnectProvider', { Url: 'https://example.com/path' }),
    ).resolves.toBeDefined();
  });
});

describe('the rest', () => {
  test('service-linked roles belong to their service', async () => {
    const AWSServiceName = 'sagemaker.application-autoscaling.amazonaws.com';
    const { Role } = await bench.run('iam:CreateServiceLinkedRole', { AWSServiceName });
    expect(Role.Arn).toBe(
      `arn:aws:iam::${admin}:role/aws-service-role/${AWSServiceName}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint`,
    );
    await expect(bench.run('iam:CreateServiceLinkedRole', { AWSServiceName })).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('has been taken in this account'),
    });
    await expect(bench.run('iam:DeleteRole', { RoleName: Role.RoleName })).rejects.toMatchObject({
      code: 'UnmodifiableEntity',
    });
    await expect(put(Role.RoleName, document(allowAll))).rejects.toMatchObject({ code: 'UnmodifiableEntity' });
    const { DeletionTaskId } = await bench.run('iam:DeleteServiceLinkedRole', { RoleName: Role.RoleName });
    await expect(bench.run('iam:GetServiceLinkedRoleDeletionStatus', { DeletionTaskId })).resolves.toEqual({
      Status: 'SUCCEEDED',
    });
    await expect(bench.run('iam:CreateServiceLinkedRole', { AWSServiceName: 'x.amazonaws.com' })).rejects.toMatchObject(
      { code: 'InvalidInput' },
    );
  });

  test(`SimulatePrincipalPolicy answers by the evaluator of real calls (${api}API_SimulatePrincipalPolicy.html)`, async () => {
    await create('job');
    await put(
      'job',
      document(
        {
          Sid: 'Read',
          Effect: 'Allow',
          Action: 's3:Get*',
          Resource: 'arn:aws:s3:::b/*',
          Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
        },
        { Sid: 'No', Effect: 'Deny', Action: 's3:GetObjectAcl', Resource: '*' },
      ),
    );
    const ask = async (more: object = {}) =>
      (
        await bench.run('iam:SimulatePrincipalPolicy', {
          PolicySourceArn: `arn:aws:iam::${admin}:role/job`,
          ActionNames: ['s3:GetObject', 's3:GetObjectAcl', 's3:PutObject'],
          ResourceArns: ['arn:aws:s3:::b/k'],
          ...more,
        })
      ).EvaluationResults.map(({ EvalDecision, MissingContextValues }: any) => [EvalDecision, MissingContextValues]);
    const missing = ['aws:RequestedRegion'];
    expect(await ask()).toEqual([
      ['implicitDeny', missing],
      ['explicitDeny', missing],
      ['implicitDeny', missing],
    ]);
    const ContextEntries = [
      { ContextKeyName: 'aws:RequestedRegion', ContextKeyValues: ['eu-west-1'], ContextKeyType: 'string' },
    ];
    expect(await ask({ ContextEntries })).toEqual([
      ['allowed', []],
      ['explicitDeny', []],
      ['implicitDeny', []],
    ]);
    await expect(ask({ PolicySourceArn: `arn:aws:iam::${admin}:role/none` })).rejects.toMatchObject({
      code: 'NoSuchEntity',
    });
    await expect(ask({ PolicySourceArn: `arn:aws:iam::${admin}:user/ada` })).rejects.toMatchObject({
      code: 'NotImplemented',
      status: 501,
    });
  });

  test('iam:PolicyARN bounds what may be attached', async () => {
    await create('job');
    await create('builder', {
      AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }),
    });
    const allowed = (await bench.run('iam:CreatePolicy', { PolicyName: 'p', PolicyDocument: document(allowAll) }))
      .Policy.Arn;
    await put(
      'builder',
      document({
        Effect: 'Allow',
        Action: 'iam:AttachRolePolicy',
        Resource: '*',
        Condition: { ArnEquals: { 'iam:PolicyARN': allowed } },
      }),
    );
    const { principal } = bench.identity.signIn({ account: admin, role: 'builder' });
    const attach = (PolicyArn: string) => bench.run('iam:AttachRolePolicy', { RoleName: 'job', PolicyArn }, principal);
    await expect(attach('arn:aws:iam::aws:policy/AdministratorAccess')).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(attach(allowed)).resolves.toEqual({});
  });
});
