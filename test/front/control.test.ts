import { readFile, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { ListModelPackageGroupsCommand } from '@aws-sdk/client-sagemaker';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accounts, startTestPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

function status(headers: Record<string, string>, path = '/_local/health'): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const outgoing = httpRequest(`${platform.url}${path}`, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode!);
  });
  outgoing.on('error', reject);
  outgoing.end();
  return promise;
}

test('only who knows the token, speaks to the loopback address and is no web page is answered', async () => {
  const authorization = `Bearer ${platform.token}`;
  expect(await status({ authorization })).toBe(200);
  expect(await status({ authorization, host: `localhost:${platform.platform.port}` })).toBe(200);
  expect(await status({})).toBe(401);
  expect(await status({ authorization: `${authorization}x` })).toBe(401);
  expect(await status({ authorization: authorization.slice(0, -1) })).toBe(401);
  expect(await status({ authorization, host: 'attacker.example' })).toBe(403);
  expect(await status({ authorization, host: '127.0.0.1.attacker.example' })).toBe(403);
  expect(await status({ authorization, origin: 'http://127.0.0.1' })).toBe(403);
  expect(await status({ authorization }, '/_local/nothing')).toBe(404);
  expect(await status({}, '/moto-api/reset')).toBe(401);
});

test('the state file is for this user only and tells port, process and token', async () => {
  const file = join(platform.stateDirectory, 'platform.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    port: platform.platform.port,
    pid: process.pid,
    token: platform.token,
  });
});

test('credentials of a role, and a clear sentence for an account or role that is not there', async () => {
  const credentials = await platform.credentials(accounts.staging, undefined, 'somebody');
  expect(credentials.accessKeyId).toMatch(/^ASIALOCAL[A-Z0-9]{11}$/);
  const clients = platform.platform.context.clients(credentials, 'eu-west-1');
  const identity = await clients.sts.send(new GetCallerIdentityCommand({}));
  expect(identity.Arn).toBe(`arn:aws:sts::${accounts.staging}:assumed-role/OrganizationAccountAccessRole/somebody`);
  await expect(platform.credentials('999999999999')).rejects.toThrow('999999999999');
  await expect(platform.credentials(accounts.staging, 'nobody')).rejects.toThrow('nobody');
});

test('calls: filters, and a poll that waits for the next one', async () => {
  const { next } = await platform.control('GET', 'calls');
  const waiting = platform.control('GET', `calls?since=${next}&operation=sagemaker:List*&wait=20`);
  const clients = platform.administrator(accounts.development);
  await clients.sts.send(new GetCallerIdentityCommand({}));
  await clients.sagemaker.send(new ListModelPackageGroupsCommand({}));
  const { calls } = await waiting;
  expect(calls.map((call: any) => call.operation)).toEqual(['sagemaker:ListModelPackageGroups']);
  const later = await platform.control('GET', `calls?since=${calls[0].seq}`);
  expect(later.calls).toEqual([]);
  expect((await platform.control('GET', `calls?since=${next}&mutating=true`)).calls).toEqual([]);
  expect((await platform.control('GET', `calls?since=${next}&account=${accounts.staging}`)).calls).toEqual([]);
});

test('clock: state, modes, refusals', async () => {
  await expect(platform.control('POST', 'clock/advance', { milliseconds: 1 })).rejects.toThrow('by hand');
  await expect(platform.control('POST', 'clock', { mode: 'sometimes' })).rejects.toThrow('mode');
  await platform.control('POST', 'clock', { mode: 'by-hand' });
  const before = await platform.control('GET', 'clock');
  const after = await platform.control('POST', 'clock/advance', { milliseconds: 60_000 });
  expect(Date.parse(after.now) - Date.parse(before.now)).toBe(60_000);
  expect(await platform.control('POST', 'clock/next')).toMatchObject({ moved: null, mode: 'by-hand' });
  await platform.control('POST', 'clock', { mode: 'at-once' });
});

test('reset: a new world, in which old credentials are unknown', async () => {
  const before = await platform.credentials(accounts.development);
  await platform.control('POST', 'reset');
  expect((await platform.control('GET', 'calls')).calls).toEqual([]);
  const clients = platform.platform.context.clients(before, 'eu-west-1');
  await expect(clients.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
    Code: 'InvalidClientTokenId',
  });
  await expect(platform.credentials(accounts.development)).resolves.toBeDefined();
});

test('an account can be added to the world', async () => {
  await platform.control('POST', 'accounts', { id: '222233334444', name: 'another' });
  await expect(platform.credentials('222233334444')).resolves.toBeDefined();
  await expect(platform.control('POST', 'accounts', { id: '12' })).rejects.toThrow('twelve digits');
});
