import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOidcIssuer, type OidcClaims } from '../../local/github/oidc.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { admin, githubProvider, policy, staging } from './support.ts';

const run = promisify(execFile);
const region = 'eu-west-1';
const host = 'token.actions.githubusercontent.com';
const roleArn = `arn:aws:iam::${admin}:role/ci-build`;

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
  workflowRef: 'acme/abalone/.github/workflows/model.yml@refs/heads/main',
  workflowSha: '0'.repeat(40),
  jobWorkflowRef: 'sagemaker-mlops/sagemaker-mlops/.github/workflows/model-build.yml@main',
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
      [`${host}:sub`]: 'repo:acme/abalone:environment:build',
      [`${host}:ref`]: 'refs/heads/main',
    },
  },
});

/** One process of boto3 for all its questions: it reads [service, operation, keywords] triples and answers each. */
const boto3Script = `
import json, sys, datetime
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
answers = []
for ask in json.load(sys.stdin):
    options = {"config": Config(signature_version=UNSIGNED)} if ask.get("unsigned") else {}
    client = boto3.client(ask["service"], **options)
    try:
        answers.append({"ok": getattr(client, ask["operation"])(**ask["input"])})
    except ClientError as error:
        answers.append({"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"],
                        "status": error.response["ResponseMetadata"]["HTTPStatusCode"]})
json.dump(answers, sys.stdout, default=str)
`;

interface Ask {
  service: 'iam' | 'sts';
  operation: string;
  input: object;
  unsigned?: boolean;
}

describe('IAM and STS over the wire, by clients that we did not write', () => {
  let platform: TestPlatform;
  let issuer: ReturnType<typeof createOidcIssuer>;
  let foreign: typeof issuer;
  let tools: string;
  let administrator: Record<string, string>;

  beforeAll(async () => {
    platform = await startTestPlatform({ clock: { mode: 'by-hand' } });
    const { clock } = platform.platform.context;
    issuer = createOidcIssuer({ clock });
    foreign = createOidcIssuer({ clock });
    await platform.control('POST', 'oidc', { issuer: issuer.issuer, jwks: await issuer.jwks() });
    const { iam } = platform.administrator(admin);
    await iam.send(new CreateOpenIDConnectProviderCommand({ Url: issuer.issuer, ClientIDList: ['sts.amazonaws.com'] }));
    await iam.send(new CreateRoleCommand({ RoleName: 'ci-build', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const directory = join(import.meta.dirname, '../../.sagemaker-mlops/python');
    tools = (await ensureTools({ directory, progress: () => {} })).directory;
    administrator = platform.environment(await platform.credentials(admin));
  });
  afterAll(async () => {
    await platform.close();
  });

  async function boto3(asks: Ask[], environment = administrator): Promise<any[]> {
    const child = run(join(tools, 'bin/python'), ['-c', boto3Script], { env: pythonEnvironment(environment) as any });
    child.child.stdin!.end(JSON.stringify(asks));
    return JSON.parse((await child).stdout);
  }
  async function cli(parameters: string[], environment = administrator): Promise<any> {
    const child = await run(join(tools, 'bin/aws'), [...parameters, '--output', 'json'], {
      env: pythonEnvironment(environment) as any,
    });
    return child.stdout === '' ? {} : JSON.parse(child.stdout);
  }

  /** Every token that must fail, with the code of its failure, and the right one. */
  async function tokens(): Promise<{ name: string; token: string; code?: string; status?: number }[]> {
    const wrong = async (name: string, more: Partial<OidcClaims>, code = 'AccessDenied', status = 403) => ({
      name,
      token: await issuer.sign({ ...claims, ...more }),
      code,
      status,
    });
    const expired = await wrong('expired', {}, 'ExpiredTokenException', 400);
    await platform.control('POST', 'clock/advance', { milliseconds: 301_000 });
    return [
      { name: 'right', token: await issuer.sign(claims) },
      expired,
      await wrong('fork', { owner: 'mallory' }),
      await wrong('another repository', { repository: 'wine' }),
      await wrong('another branch', { ref: 'refs/heads/try' }),
      await wrong('no environment', { environment: '' }),
      await wrong('wrong audience', { audience: 'x' }, 'InvalidIdentityToken', 400),
      { name: 'foreign key', token: await foreign.sign(claims), code: 'InvalidIdentityToken', status: 400 },
    ];
  }

  test('SDK v3: tokens', async () => {
    const sts = new STSClient({ region, endpoint: platform.url, maxAttempts: 1 });
    for (const { name, token, code, status } of await tokens()) {
      const input = { RoleArn: roleArn, RoleSessionName: 'gha-1', WebIdentityToken: token };
      const answer = sts.send(new AssumeRoleWithWebIdentityCommand(input));
      if (code === undefined) {
        const { Credentials, SubjectFromWebIdentityToken } = await answer;
        expect(Credentials?.Expiration).toBeInstanceOf(Date);
        expect(SubjectFromWebIdentityToken).toBe('repo:acme/abalone:environment:build');
      } else {
        // SDK v3 names modelled errors by their class: ExpiredTokenException, InvalidIdentityTokenException.
        const failure: any = await answer.catch((error) => error);
        expect([name, failure.name.replace(/Exception$/, ''), failure.$metadata?.httpStatusCode]).toEqual([
          name,
          code.replace(/Exception$/, ''),
          status,
        ]);
      }
    }
    sts.destroy();
  });

  test('boto3: tokens', async () => {
    const cases = await tokens();
    const answers = await boto3(
      cases.map(({ token }) => ({
        service: 'sts',
        operation: 'assume_role_with_web_identity',
        input: { RoleArn: roleArn, RoleSessionName: 'gha-1', WebIdentityToken: token },
        unsigned: true,
      })),
      { AWS_ENDPOINT_URL: platform.url, AWS_DEFAULT_REGION: region },
    );
    for (const [index, { name, code, status }] of cases.entries()) {
      const answer = answers[index];
      if (code === undefined)
        expect(answer.ok.AssumedRoleUser.Arn).toBe(`arn:aws:sts::${admin}:assumed-role/ci-build/gha-1`);
      else expect([name, answer.code, answer.status]).toEqual([name, code, status]);
    }
  });

  test('AWS CLI: the right token, and one of a fork', async () => {
    const [right, , fork] = await tokens();
    const ask = (token: string) =>
      cli(
        [
          'sts',
          'assume-role-with-web-identity',
          '--role-arn',
          roleArn,
          '--role-session-name',
          'cli',
          '--web-identity-token',
          token,
          '--no-sign-request',
        ],
        { AWS_ENDPOINT_URL: platform.url, AWS_DEFAULT_REGION: region },
      );
    const { Credentials } = await ask(right!.token);
    await expect(ask(fork!.token)).rejects.toMatchObject({
      stderr: expect.stringContaining(
        '(AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity',
      ),
    });
    const identity = await cli(['sts', 'get-caller-identity'], {
      AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
      AWS_SESSION_TOKEN: Credentials.SessionToken,
      AWS_ENDPOINT_URL: platform.url,
      AWS_DEFAULT_REGION: region,
    });
    expect(identity.Arn).toBe(`arn:aws:sts::${admin}:assumed-role/ci-build/cli`);
  });

  test('boto3: IAM reads and refuses as on AWS', async () => {
    const text = JSON.stringify(
      policy({ Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }),
    );
    const iam = (operation: string, input: object): Ask => ({ service: 'iam', operation, input });
    const trustText = JSON.stringify(trust);
    const answers = await boto3([
      iam('create_role', {
        RoleName: 'peer',
        AssumeRolePolicyDocument: trustText,
        Tags: [{ Key: 'k', Value: 'v' }],
        MaxSessionDuration: 7200,
      }),
      iam('get_role', { RoleName: 'peer' }),
      iam('put_role_policy', { RoleName: 'peer', PolicyName: 'p', PolicyDocument: text }),
      iam('get_role_policy', { RoleName: 'peer', PolicyName: 'p' }),
      iam('list_role_policies', { RoleName: 'peer' }),
      iam('list_role_tags', { RoleName: 'peer' }),
      iam('attach_role_policy', { RoleName: 'peer', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }),
      iam('list_attached_role_policies', { RoleName: 'peer' }),
      iam('get_open_id_connect_provider', { OpenIDConnectProviderArn: githubProvider }),
      iam('create_role', { RoleName: 'peer', AssumeRolePolicyDocument: trustText }),
      iam('delete_role', { RoleName: 'peer' }),
      iam('get_role', { RoleName: 'none' }),
      iam('put_role_policy', { RoleName: 'peer', PolicyName: 'q', PolicyDocument: '{' }),
      iam('list_users', {}),
    ]);
    expect(answers.slice(0, 9).map(({ ok }) => ok !== undefined)).toEqual(Array(9).fill(true));
    expect(answers[1].ok.Role).toMatchObject({
      RoleName: 'peer',
      AssumeRolePolicyDocument: trust,
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    expect(answers[3].ok.PolicyDocument).toEqual(JSON.parse(text));
    expect(answers[4].ok).toMatchObject({ PolicyNames: ['p'], IsTruncated: false });
    expect(answers[7].ok.AttachedPolicies[0].PolicyName).toBe('AdministratorAccess');
    expect(answers[8].ok.ClientIDList).toEqual(['sts.amazonaws.com']);
    expect(answers.slice(9).map(({ code, status }) => [code, status])).toEqual([
      ['EntityAlreadyExists', 409],
      ['DeleteConflict', 409],
      ['NoSuchEntity', 404],
      ['MalformedPolicyDocument', 400],
      ['NotImplemented', 501],
    ]);
  });

  test('denied calls are refused and logged with the reason, allowed ones with the statement', async () => {
    const asked = [
      {
        service: 'iam',
        operation: 'create_role',
        input: {
          RoleName: 'reader',
          AssumeRolePolicyDocument: JSON.stringify(
            policy({ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }),
          ),
        },
      },
      {
        service: 'iam',
        operation: 'put_role_policy',
        input: {
          RoleName: 'reader',
          PolicyName: 'p',
          PolicyDocument: JSON.stringify(
            policy({
              Sid: 'Own',
              Effect: 'Allow',
              Action: 'iam:GetRole',
              Resource: roleArn,
              Condition: { StringEquals: { 'aws:RequestedRegion': region } },
            }),
          ),
        },
      },
    ] as Ask[];
    for (const answer of await boto3(asked)) expect(answer.code).toBeUndefined();
    const credentials = await platform.credentials(admin, 'reader', 'ada');
    const client = (inRegion: string) =>
      new IAMClient({ region: inRegion, endpoint: platform.url, credentials, maxAttempts: 1 });
    const own = client(region);
    await expect(own.send(new GetRoleCommand({ RoleName: 'ci-build' }))).resolves.toMatchObject({
      Role: { Arn: roleArn },
    });
    await expect(own.send(new GetRoleCommand({ RoleName: 'reader' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${admin}:assumed-role/reader/ada is not authorized to perform: iam:GetRole on resource: arn:aws:iam::${admin}:role/reader because no identity-based policy allows the iam:GetRole action`,
      $metadata: { httpStatusCode: 403 },
    });
    const [refused, granted] = platform.calls({ operation: 'iam:GetRole' }).slice(-2).reverse();
    expect(granted).toMatchObject({ decision: 'allow', grantedBy: ['reader#Own'], status: 200, resources: [roleArn] });
    expect(refused).toMatchObject({ decision: 'implicit-deny', grantedBy: [], status: 403, error: 'AccessDenied' });
    own.destroy();
  });

  test('across accounts, and expired by the platform’s clock', async () => {
    const far = await boto3([
      {
        service: 'sts',
        operation: 'assume_role',
        input: {
          RoleArn: `arn:aws:iam::${staging}:role/OrganizationAccountAccessRole`,
          RoleSessionName: 'far',
          DurationSeconds: 900,
        },
      },
      {
        service: 'sts',
        operation: 'assume_role',
        input: {
          RoleArn: `arn:aws:iam::${staging}:role/OrganizationAccountAccessRole`,
          RoleSessionName: 'far',
          DurationSeconds: 3601,
        },
      },
    ]);
    expect(far[1]).toMatchObject({ code: 'ValidationError', status: 400 });
    const { AccessKeyId, SecretAccessKey, SessionToken } = far[0].ok.Credentials;
    const sts = new STSClient({
      region,
      endpoint: platform.url,
      maxAttempts: 1,
      credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    });
    await expect(sts.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({ Account: staging });
    await platform.control('POST', 'clock/advance', { milliseconds: 901_000 });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: expect.stringMatching(/^ExpiredToken/),
    });
    sts.destroy();
  });
});
