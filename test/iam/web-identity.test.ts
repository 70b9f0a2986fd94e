import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { createOidcIssuer, type OidcClaims, subjectOf } from '../../local/github/oidc.ts';
import { admin, anonymous, type Bench, createBench, githubProvider, policy, staging } from './support.ts';

const sts = 'https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html';
const subjects = 'https://docs.github.com/en/actions/reference/security/oidc';
const keys = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html';

const host = 'token.actions.githubusercontent.com';
const caller = 'acme/abalone/.github/workflows/model.yml@refs/heads/main';
const product = 'sagemaker-mlops/sagemaker-mlops/.github/workflows/model-build.yml@refs/heads/main';

/** What the job of environment `build` on main sends. */
const claims: OidcClaims = {
  owner: 'acme',
  ownerId: 101,
  repository: 'abalone',
  repositoryId: 202,
  ref: 'refs/heads/main',
  sha: '0'.repeat(40),
  eventName: 'push',
  runId: 7,
  runNumber: 1,
  runAttempt: 1,
  actor: 'ada',
  actorId: 303,
  workflow: 'model',
  workflowRef: caller,
  workflowSha: '0'.repeat(40),
  jobWorkflowRef: product,
  jobWorkflowSha: '1'.repeat(40),
  environment: 'build',
};

const trust = policy({
  Effect: 'Allow',
  Principal: { Federated: githubProvider },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: {
    StringEquals: {
      [`${host}:aud`]: 'sts.amazonaws.com',
      [`${host}:sub`]: ['repo:acme/abalone:environment:build', 'repo:acme@101/abalone@202:environment:build'],
      [`${host}:repository_id`]: '202',
      [`${host}:environment`]: 'build',
      [`${host}:ref`]: 'refs/heads/main',
    },
    StringLike: {
      [`${host}:job_workflow_ref`]: 'sagemaker-mlops/sagemaker-mlops/.github/workflows/model-build.yml@*',
    },
  },
});
const roleArn = `arn:aws:iam::${admin}:role/ci-build`;

async function world(): Promise<Bench & { sign: ReturnType<typeof createOidcIssuer>['sign'] }> {
  const bench = createBench();
  const issuer = createOidcIssuer({ clock: bench.clock });
  bench.identity.setOidcKeys(issuer.issuer, await issuer.jwks());
  await bench.run('iam:CreateOpenIDConnectProvider', { Url: issuer.issuer, ClientIDList: ['sts.amazonaws.com'] });
  await bench.run('iam:CreateRole', { RoleName: 'ci-build', AssumeRolePolicyDocument: JSON.stringify(trust) });
  return { ...bench, sign: issuer.sign };
}

const assume = (bench: Bench, token: string, more: object = {}) =>
  bench.run(
    'sts:AssumeRoleWithWebIdentity',
    { RoleArn: roleArn, RoleSessionName: 'gha-7-1-build', WebIdentityToken: token, ...more },
    anonymous,
  );

describe('tokens that get no role; the same token with that one claim right gets it', () => {
  const denied = {
    code: 'AccessDenied',
    status: 403,
    message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
  };
  const invalid = { code: 'InvalidIdentityToken', status: 400 };
  const cases: { name: string; url: string; wrong: Partial<OidcClaims>; error: object }[] = [
    {
      name: 'a fork: the owner differs',
      url: `${subjects}#example-subject-claims`,
      wrong: { owner: 'mallory' },
      error: denied,
    },
    {
      name: 'another repository of the owner',
      url: `${subjects}#example-subject-claims`,
      wrong: { repository: 'wine' },
      error: denied,
    },
    {
      name: 'a repository made anew under the old name: its id differs',
      url: `${keys}#condition-keys-wif`,
      wrong: { repositoryId: 203 },
      error: denied,
    },
    { name: 'another branch', url: `${keys}#condition-keys-wif`, wrong: { ref: 'refs/heads/try' }, error: denied },
    {
      name: 'another environment',
      url: `${subjects}#filtering-for-a-specific-environment`,
      wrong: { environment: 'staging' },
      error: denied,
    },
    {
      name: 'no environment: the subject names the branch instead',
      url: `${subjects}#filtering-for-a-specific-branch`,
      wrong: { environment: '' },
      error: denied,
    },
    {
      name: 'another workflow file in place of the product’s',
      url: `${keys}#condition-keys-wif`,
      wrong: { jobWorkflowRef: caller },
      error: denied,
    },
    {
      name: 'an audience that the provider does not list',
      url: `${sts}#API_AssumeRoleWithWebIdentity_Errors`,
      wrong: { audience: 'https://github.com/acme' },
      error: { ...invalid, message: 'Incorrect token audience' },
    },
  ];

  for (const { name, url, wrong, error } of cases) {
    test(`denied: ${name} (${url})`, async () => {
      const bench = await world();
      await expect(assume(bench, await bench.sign({ ...claims, ...wrong }))).rejects.toMatchObject(error);
      await expect(assume(bench, await bench.sign(claims))).resolves.toMatchObject({
        AssumedRoleUser: { Arn: `arn:aws:sts::${admin}:assumed-role/ci-build/gha-7-1-build` },
      });
    });
  }

  test(`denied: a token of five minutes and a second ago (${sts}#API_AssumeRoleWithWebIdentity_Errors)`, async () => {
    const bench = await world();
    const token = await bench.sign(claims);
    bench.clock.move(299_000);
    await expect(assume(bench, token)).resolves.toHaveProperty('Credentials');
    bench.clock.move(2000);
    await expect(assume(bench, token)).rejects.toMatchObject({ code: 'ExpiredTokenException', status: 400 });
  });

  test(`denied: signed by a foreign key under the right issuer (${sts})`, async () => {
    const bench = await world();
    const foreign = createOidcIssuer({ clock: bench.clock });
    await expect(assume(bench, await foreign.sign(claims))).rejects.toMatchObject(invalid);
    bench.identity.setOidcKeys(foreign.issuer, await foreign.jwks());
    await expect(assume(bench, await foreign.sign(claims))).resolves.toHaveProperty('Credentials');
  });

  test(`denied: one letter of the payload changed after signing (${sts})`, async () => {
    const bench = await world();
    const token = await bench.sign(claims);
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"ada"', '"eve"')).toString(
      'base64url',
    );
    await expect(assume(bench, `${header}.${forged}.${signature}`)).rejects.toMatchObject(invalid);
    await expect(assume(bench, token)).resolves.toHaveProperty('Credentials');
  });

  test(`denied: an unsigned token (${sts})`, async () => {
    const bench = await world();
    const payload = (await bench.sign(claims)).split('.')[1];
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    await expect(assume(bench, `${header}.${payload}.`)).rejects.toMatchObject(invalid);
  });

  test(`denied: no provider for the issuer in the role's account (${sts}#API_AssumeRoleWithWebIdentity_Errors)`, async () => {
    const bench = await world();
    const token = await bench.sign(claims);
    const there = { RoleArn: roleArn.replace(admin, staging) };
    await expect(assume(bench, token, there)).rejects.toMatchObject({
      ...invalid,
      message: `No OpenIDConnect provider found in your account for https://${host}`,
    });
    await bench.run(
      'iam:CreateOpenIDConnectProvider',
      { Url: `https://${host}`, ClientIDList: ['sts.amazonaws.com'] },
      bench.administrator(staging),
    );
    // With a provider there, only the missing role is left: it reads like a refusal.
    await expect(assume(bench, token, there)).rejects.toMatchObject(denied);
  });

  test('denied: what is no token at all', async () => {
    const bench = await world();
    await expect(assume(bench, 'not a token')).rejects.toMatchObject(invalid);
    await expect(assume(bench, 'abc')).rejects.toMatchObject({ code: 'ValidationError' });
  });
});

describe('subjects', () => {
  const rows: [string, Partial<OidcClaims>, string][] = [
    ['environment', {}, 'repo:acme/abalone:environment:build'],
    ['environment, immutable', { immutableSubject: true }, 'repo:acme@101/abalone@202:environment:build'],
    ['branch', { environment: '' }, 'repo:acme/abalone:ref:refs/heads/main'],
    ['branch, immutable', { environment: '', immutableSubject: true }, 'repo:acme@101/abalone@202:ref:refs/heads/main'],
    ['tag', { environment: '', ref: 'refs/tags/v1' }, 'repo:acme/abalone:ref:refs/tags/v1'],
    [
      'pull request',
      { environment: '', eventName: 'pull_request', ref: 'refs/pull/3/merge' },
      'repo:acme/abalone:pull_request',
    ],
    [
      'pull_request_target carries the base branch',
      { environment: '', eventName: 'pull_request_target' },
      'repo:acme/abalone:ref:refs/heads/main',
    ],
    ['colons in an environment’s name', { environment: 'a:b' }, 'repo:acme/abalone:environment:a%3Ab'],
  ];
  test.each(rows)('%s', (_name, wrong, subject) => {
    expect(subjectOf({ ...claims, ...wrong })).toBe(subject);
  });

  test('both forms are let in by the trust policy', async () => {
    const bench = await world();
    for (const immutableSubject of [false, true]) {
      const answer = await assume(bench, await bench.sign({ ...claims, immutableSubject }));
      expect(answer.SubjectFromWebIdentityToken).toBe(subjectOf({ ...claims, immutableSubject }));
    }
  });

  test('a token has the issuer and the claims of GitHub and lives five minutes', async () => {
    const bench = await world();
    const token = await bench.sign(claims);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
    const payload = decodeJwt(token) as Record<string, any>;
    expect(payload).toMatchObject({
      iss: `https://${host}`,
      repository: 'acme/abalone',
      repository_id: '202',
      repository_owner: 'acme',
      repository_owner_id: '101',
      environment: 'build',
      event_name: 'push',
      ref_type: 'branch',
      run_id: '7',
      job_workflow_ref: product,
      workflow_ref: caller,
    });
    expect(payload.exp! - payload.iat!).toBe(300);
    expect(payload.iat! * 1000).toBe(bench.clock.now().getTime());
  });
});

describe('trust policies see only the claims that AWS knows', () => {
  const trusting = async (bench: Bench, condition: object) =>
    await bench.run('iam:UpdateAssumeRolePolicy', {
      RoleName: 'ci-build',
      PolicyDocument: JSON.stringify({
        ...trust,
        Statement: [{ ...(trust.Statement as any)[0], Condition: condition }],
      }),
    });

  test(`a claim that is no condition key is absent (${keys}#condition-keys-wif)`, async () => {
    const bench = await world();
    await trusting(bench, { StringEquals: { [`${host}:event_name`]: 'push' } });
    await expect(assume(bench, await bench.sign(claims))).rejects.toMatchObject({ code: 'AccessDenied' });
    await trusting(bench, { StringEquals: { [`${host}:actor`]: 'ada' } });
    await expect(assume(bench, await bench.sign(claims))).resolves.toHaveProperty('Credentials');
  });

  test('ForAllValues lets a token without the claim in: why our templates never use it', async () => {
    const bench = await world();
    const token = await bench.sign({ ...claims, environment: '' });
    await trusting(bench, { 'ForAllValues:StringEquals': { [`${host}:environment`]: 'build' } });
    await expect(assume(bench, token)).resolves.toHaveProperty('Credentials');
    await trusting(bench, { StringEquals: { [`${host}:environment`]: 'build' } });
    await expect(assume(bench, token)).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});

describe('the session', () => {
  let bench: Awaited<ReturnType<typeof world>>;
  beforeAll(async () => {
    bench = await world();
  });

  test(`lasts an hour by default, 900 s at least, MaxSessionDuration at most (${sts})`, async () => {
    const token = await bench.sign(claims);
    const lifetime = async (DurationSeconds?: number) => {
      const { Credentials } = await assume(bench, token, DurationSeconds === undefined ? {} : { DurationSeconds });
      return (Credentials.Expiration.getTime() - bench.clock.now().getTime()) / 1000;
    };
    expect(await lifetime()).toBe(3600);
    expect(await lifetime(900)).toBe(900);
    await expect(lifetime(899)).rejects.toMatchObject({ code: 'ValidationError', status: 400 });
    await expect(lifetime(3601)).rejects.toMatchObject({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
    await bench.run('iam:UpdateRole', { RoleName: 'ci-build', MaxSessionDuration: 7200 });
    expect(await lifetime(7200)).toBe(7200);
  });

  test('is found by its key id with the role, name and provider', async () => {
    const { Credentials, ...rest } = await assume(bench, await bench.sign(claims));
    expect(Credentials.AccessKeyId).toMatch(/^ASIALOCAL[A-Z2-7]{11}$/);
    const session = bench.identity.sessions.find(Credentials.AccessKeyId);
    expect(session?.credentials.sessionToken).toBe(Credentials.SessionToken);
    expect(session?.principal).toMatchObject({
      roleArn,
      sessionName: 'gha-7-1-build',
      federatedProvider: githubProvider,
      account: admin,
    });
    expect(rest).toMatchObject({ Audience: 'sts.amazonaws.com', Provider: githubProvider });
    expect(session?.principal.chained).toBeUndefined();
  });

  test('names follow the pattern of STS', async () => {
    const token = await bench.sign(claims);
    for (const RoleSessionName of ['a', 'with space', 'x'.repeat(65)]) {
      await expect(assume(bench, token, { RoleSessionName })).rejects.toMatchObject({ code: 'ValidationError' });
    }
    await expect(assume(bench, token, { RoleSessionName: 'x'.repeat(64) })).resolves.toHaveProperty('Credentials');
  });

  test('a session policy is kept, a longer one than 2,048 characters is refused', async () => {
    const token = await bench.sign(claims);
    const Policy = JSON.stringify(policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }));
    const { Credentials, PackedPolicySize } = await assume(bench, token, { Policy });
    expect(PackedPolicySize).toBeGreaterThan(0);
    expect(bench.identity.sessions.find(Credentials.AccessKeyId)?.principal.sessionPolicy?.Statement).toHaveLength(1);
    await expect(assume(bench, token, { Policy: Policy + ' '.repeat(2048) })).rejects.toMatchObject({
      code: 'PackedPolicyTooLarge',
    });
    await expect(assume(bench, token, { Policy: '{' })).rejects.toMatchObject({ code: 'MalformedPolicyDocument' });
  });
});
