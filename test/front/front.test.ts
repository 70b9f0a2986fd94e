/** One call through everything: signature, permission, log, refusal of what is not supported, in each protocol's form. */
import { request as httpRequest } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreatePipelineCommand,
  DescribePipelineCommand,
  ListModelPackageGroupsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../local/aws/core/context.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import { startPlatform } from '../../local/platform.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let credentials: Credentials;
let since = 0;
beforeAll(async () => {
  platform = await startTestPlatform();
  credentials = await platform.credentials(accounts.development);
});
afterAll(() => platform.close());
beforeEach(() => {
  since = platform.platform.calls.next;
});

const client = <T>(type: new (configuration: any) => T, over: Record<string, unknown> = {}): T =>
  new type({ region, endpoint: platform.url, credentials, maxAttempts: 1, ...over });
const failure = (sending: Promise<unknown>) =>
  sending.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error) => error,
  );
const lastCall = () => platform.calls({ since }).at(-1)!;

describe('over the socket, with stock clients', () => {
  test('STS says who calls, and the log has the call', async () => {
    const identity = await client(STSClient).send(new GetCallerIdentityCommand({}));
    expect(identity.Account).toBe(accounts.development);
    expect(identity.Arn).toMatch(/^arn:aws:sts::111122223333:assumed-role\/OrganizationAccountAccessRole\//);
    expect(identity.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(lastCall()).toMatchObject({
      account: accounts.development,
      region,
      principal: identity.Arn,
      operation: 'sts:GetCallerIdentity',
      mutating: false,
      decision: 'allow',
      grantedBy: [],
      permissions: [],
      status: 200,
      error: null,
      fault: null,
    });
  });

  test('a permission that was used names its statement', async () => {
    await client(SageMakerClient).send(new ListModelPackageGroupsCommand({}));
    expect(lastCall()).toMatchObject({ operation: 'sagemaker:ListModelPackageGroups', decision: 'allow' });
    expect(lastCall().grantedBy).toEqual(['OrganizationAccountAccessRole#AdministratorAccess[0]']);
    expect(lastCall().permissions).toMatchObject([{ action: 'sagemaker:ListModelPackageGroups', decision: 'allow' }]);
  });

  test('errors keep class, code and status: JSON, query, REST', async () => {
    const json = await failure(client(SageMakerClient).send(new DescribePipelineCommand({ PipelineName: 'none' })));
    expect(json).toMatchObject({ name: 'ResourceNotFound', $metadata: { httpStatusCode: 400 } });
    const query = await failure(client(IAMClient).send(new GetRoleCommand({ RoleName: 'none' })));
    expect(query).toMatchObject({
      name: 'NoSuchEntityException',
      Code: 'NoSuchEntity',
      $metadata: { httpStatusCode: 404 },
    });
    const rest = await failure(
      client(SageMakerRuntimeClient).send(new InvokeEndpointCommand({ EndpointName: 'none', Body: '1' })),
    );
    expect(rest.$metadata.httpStatusCode).toBe(400);
    expect(lastCall()).toMatchObject({ operation: 'sagemaker:InvokeEndpoint', status: 400 });
  });

  test('constraints are checked before anything happens, all at once, in the words of AWS', async () => {
    const error = await failure(
      client(SageMakerClient).send(
        new CreatePipelineCommand({ PipelineName: 'a_b', RoleArn: 'short', ClientRequestToken: 'x'.repeat(32) }),
      ),
    );
    expect(error.name).toBe('ValidationException');
    expect(error.message).toMatch(
      /^3 validation errors detected: Value '.*' at '.*' failed to satisfy constraint: Member must /,
    );
    expect(error.message).toContain("at 'pipelineName'");
    expect(error.message).toContain("at 'roleArn'");
    expect(lastCall()).toMatchObject({ status: 400, error: 'ValidationException', decision: null });
  });

  test('equal requests have equal hashes, others do not', async () => {
    const sagemaker = client(SageMakerClient);
    for (const input of [{ MaxResults: 5 }, { MaxResults: 5 }, { MaxResults: 6 }]) {
      await sagemaker.send(new ListModelPackageGroupsCommand(input));
    }
    const [first, second, third] = platform.calls({ since }).map(({ requestHash }) => requestHash);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});

describe('who calls', () => {
  const stolen = (change: Partial<Credentials>) => ({ credentials: { ...credentials, ...change } });

  test.each([
    [
      'an unknown key',
      () => stolen({ accessKeyId: 'ASIALOCALNOBODY00000' }),
      'InvalidClientTokenId',
      'UnrecognizedClientException',
    ],
    ['another secret', () => stolen({ secretAccessKey: 'x' }), 'SignatureDoesNotMatch', 'InvalidSignatureException'],
    ['another token', () => stolen({ sessionToken: 'x' }), 'InvalidClientTokenId', 'UnrecognizedClientException'],
  ])('%s is refused', async (_what, change, query, json) => {
    const ofQuery = await failure(client(STSClient, change()).send(new GetCallerIdentityCommand({})));
    expect(ofQuery.Code ?? ofQuery.name).toBe(query);
    expect(ofQuery.$metadata.httpStatusCode).toBe(403);
    const ofJson = await failure(client(SageMakerClient, change()).send(new ListModelPackageGroupsCommand({})));
    expect(ofJson.name).toBe(json);
    expect(lastCall()).toMatchObject({ account: '', status: 400, decision: null });
  });

  test.each([
    ['sts', 400, 'InvalidSignatureException'],
    ['sagemaker', 200, undefined],
  ])('a SageMaker request signed for %s', async (service, status, type) => {
    const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
    const { host } = new URL(platform.url);
    const signed = await signer.sign(
      new HttpRequest({
        method: 'POST',
        hostname: '127.0.0.1',
        path: '/',
        headers: {
          host,
          'x-amz-target': 'SageMaker.ListModelPackageGroups',
          'content-type': 'application/x-amz-json-1.1',
        },
        body: '{}',
      }),
    );
    const response = await fetch(platform.url, { method: 'POST', headers: signed.headers, body: '{}' });
    expect(response.status).toBe(status);
    expect(((await response.json()) as any).__type).toBe(type);
  });

  test('an expired session hears so', async () => {
    const { sessions } = platform.platform.context;
    const { principal } = sessions.find(credentials.accessKeyId)!;
    const old = sessions.issue(principal, -1).credentials;
    const ofQuery = await failure(client(STSClient, { credentials: old }).send(new GetCallerIdentityCommand({})));
    expect(ofQuery.Code).toBe('ExpiredToken');
    const ofJson = await failure(
      client(SageMakerClient, { credentials: old }).send(new ListModelPackageGroupsCommand({})),
    );
    expect(ofJson.name).toBe('ExpiredTokenException');
  });

  test('a client whose clock is an hour off is refused, unless the platform clock agrees', async () => {
    const hour = 3_600_000;
    const late = () =>
      client(STSClient, { systemClockOffset: hour, maxAttempts: 1 }).send(new GetCallerIdentityCommand({}));
    expect((await failure(late())).Code).toBe('SignatureDoesNotMatch');
    await platform.control('POST', 'clock', { mode: 'by-hand' });
    const { accessKeyId } = credentials;
    // The session must outlive the hour; one of its own keeps the other tests untouched.
    const { principal } = platform.platform.context.sessions.find(accessKeyId)!;
    credentials = platform.platform.context.sessions.issue(principal, 12 * 3600).credentials;
    await platform.control('POST', 'clock/advance', { milliseconds: hour });
    await expect(late()).resolves.toMatchObject({ Account: accounts.development });
    await expect(client(STSClient).send(new GetCallerIdentityCommand({}))).resolves.toBeDefined();
    await platform.control('POST', 'clock', { mode: 'at-once' });
  });

  test('an unsigned request is refused', async () => {
    const response = await fetch(platform.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'SageMaker.ListPipelines', 'content-type': 'application/x-amz-json-1.1' },
      body: '{}',
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });
});

describe('what is not supported is refused by name, and not retried', () => {
  test('an operation of a service', async () => {
    const { CreateDomainCommand } = await import('@aws-sdk/client-sagemaker');
    const command = new CreateDomainCommand({
      DomainName: 'd',
      AuthMode: 'IAM',
      DefaultUserSettings: { ExecutionRole: 'arn:aws:iam::111122223333:role/x' },
    });
    const error = await failure(client(SageMakerClient, { maxAttempts: 3 }).send(command));
    expect(error).toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501, attempts: 1 } });
    expect(error.message).toContain('CreateDomain of sagemaker');
  });

  test('a member that the model does not know', async () => {
    const sagemaker = client(SageMakerClient);
    sagemaker.middlewareStack.add(
      (next: any) => (args: any) => {
        args.request.body = JSON.stringify({
          ...JSON.parse(String(new TextDecoder().decode(args.request.body))),
          Extra: 1,
        });
        return next(args);
      },
      { step: 'build', priority: 'high' },
    );
    const error = await failure(sagemaker.send(new ListModelPackageGroupsCommand({})));
    expect(error.$metadata.httpStatusCode).toBe(501);
    expect(error.message).toContain('Extra');
  });

  test('a region that no partition has', async () => {
    const error = await failure(client(STSClient, { region: 'eu-nowhere' }).send(new GetCallerIdentityCommand({})));
    expect(error.$metadata.httpStatusCode).toBe(501);
    expect(error.message).toContain('eu-nowhere');
    const good = client(STSClient, { region: 'us-gov-west-1' }).send(new GetCallerIdentityCommand({}));
    await expect(good).resolves.toBeDefined();
  });

  test('a whole service', async () => {
    const sagemaker = client(SageMakerClient);
    sagemaker.middlewareStack.add(
      (next: any) => (args: any) => {
        args.request.headers['x-amz-target'] = 'AWSEvents.ListRules';
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    const error = await failure(sagemaker.send(new ListModelPackageGroupsCommand({})));
    expect(error.$metadata.httpStatusCode).toBe(501);
    expect(error.message).toContain('AWSEvents.ListRules');
  });
});

test('clients in this process pass the same front: signed, permitted, logged', async () => {
  const { cloudformation } = platform.administrator(accounts.staging);
  await cloudformation.send(new DescribeStacksCommand({}));
  expect(lastCall()).toMatchObject({
    account: accounts.staging,
    operation: 'cloudformation:DescribeStacks',
    decision: 'allow',
    status: 200,
  });
});

describe('the socket', () => {
  const start = (more: Record<string, unknown>) =>
    startPlatform({
      world: defaultWorld,
      stateDirectory: `${platform.stateDirectory}/another`,
      logger: { debug() {}, info() {}, warn() {} },
      ...more,
    });

  test('is bound to the loopback address; a taken port is one sentence', async () => {
    expect(new URL(platform.url).hostname).toBe('127.0.0.1');
    const { port } = platform.platform;
    await expect(start({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
  });

  test('a folder that cannot be written is one sentence, and the port is free again', async () => {
    const stateDirectory = `${platform.stateDirectory}/platform.json/below-a-file`;
    await expect(start({ stateDirectory })).rejects.toThrow(/cannot be written: .*choose another folder\.$/);
  });

  test('an unreadable body is refused in the form of the protocol', async () => {
    const sagemaker = client(SageMakerClient);
    sagemaker.middlewareStack.add(
      (next: any) => (args: any) => {
        args.request.body = '{"a":';
        return next(args);
      },
      { step: 'build', priority: 'high' },
    );
    const error = await failure(sagemaker.send(new ListModelPackageGroupsCommand({})));
    expect(error).toMatchObject({ name: 'SerializationException', $metadata: { httpStatusCode: 400 } });
  });

  test('Expect: 100-continue is answered', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const outgoing = httpRequest(`${platform.url}/`, {
      method: 'POST',
      headers: { expect: '100-continue', 'content-type': 'application/x-www-form-urlencoded', 'content-length': '5' },
    });
    outgoing.on('continue', () => outgoing.end('a=b&c'));
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    outgoing.on('error', reject);
    outgoing.flushHeaders();
    expect(await promise).toBe(400);
  });
});
