/** Every kind of injected fault, seen from a client. */
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateModelPackageGroupCommand,
  DescribeModelPackageGroupCommand,
  ListModelPackageGroupsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Faults, parseDuration } from '../../local/aws/front/faults.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let sagemaker: SageMakerClient;
beforeAll(async () => {
  platform = await startTestPlatform();
  sagemaker = new SageMakerClient({
    region,
    endpoint: platform.url,
    credentials: await platform.credentials(accounts.development),
    maxAttempts: 1,
  });
});
afterAll(() => platform.close());
afterEach(() => platform.control('DELETE', 'faults'));

const inject = (fault: Record<string, unknown>) => platform.control('POST', 'faults', fault);
const list = () => sagemaker.send(new ListModelPackageGroupsCommand({}));
const failure = (sending: Promise<unknown>) =>
  sending.then(
    () => undefined,
    (error) => error,
  );

test('error: the API answers it, nothing is done, the log says so', async () => {
  await inject({
    operation: 'sagemaker:CreateModelPackageGroup',
    effect: { kind: 'error', code: 'ResourceLimitExceeded', message: 'no more', status: 400 },
  });
  const create = () => sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'never' }));
  expect(await failure(create())).toMatchObject({ name: 'ResourceLimitExceeded', message: 'no more' });
  expect(platform.calls().at(-1)).toMatchObject({ fault: 'error', error: 'ResourceLimitExceeded', status: 400 });
  const described = sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: 'never' }));
  expect(await failure(described)).toMatchObject({ name: 'ValidationException' });
});

test('throttle: each service has its own word for it', async () => {
  await inject({ operation: '*', effect: { kind: 'throttle' }, times: 2 });
  expect(await failure(list())).toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  const { cloudformation } = platform.administrator(accounts.development);
  const stacks = cloudformation.send(new DescribeStacksCommand({}));
  // The SDK of the platform's own clients tries again, and the fault is used up.
  await expect(stacks).resolves.toBeDefined();
  expect(platform.calls({ operation: 'cloudformation:*' })).toMatchObject([
    { error: 'Throttling', status: 400, fault: 'throttle' },
    { error: null, status: 200, fault: null },
  ]);
});

test('reset: the connection breaks and nothing is done', async () => {
  await inject({ operation: 'sagemaker:CreateModelPackageGroup', effect: { kind: 'reset' } });
  const create = sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'reset-group' }));
  expect((await failure(create))?.message).toContain('socket hang up');
  const groups = (await list()).ModelPackageGroupSummaryList!.map((group) => group.ModelPackageGroupName);
  expect(groups).not.toContain('reset-group');
  expect(platform.calls({ operation: '*CreateModelPackageGroup' }).at(-1)).toMatchObject({
    status: null,
    fault: 'reset',
  });
});

test('lost-response: it is done, the answer is lost', async () => {
  await inject({ operation: 'sagemaker:CreateModelPackageGroup', effect: { kind: 'lost-response' } });
  const create = sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'lost-group' }));
  expect((await failure(create))?.message).toContain('socket hang up');
  const groups = (await list()).ModelPackageGroupSummaryList!.map((group) => group.ModelPackageGroupName);
  expect(groups).toContain('lost-group');
});

test('delay: the answer comes late', async () => {
  await inject({ operation: 'sagemaker:ListModelPackageGroups', effect: { kind: 'delay', after: 'PT0.2S' } });
  const started = Date.now();
  await list();
  expect(Date.now() - started).toBeGreaterThanOrEqual(195);
});

test('expire-credentials: this call and all others of the same session and role', async () => {
  const credentials = await platform.credentials(accounts.staging);
  const other = new SageMakerClient({ region, endpoint: platform.url, credentials, maxAttempts: 1 });
  await inject({
    operation: 'sagemaker:ListModelPackageGroups',
    account: accounts.staging,
    effect: { kind: 'expire-credentials' },
  });
  const first = await failure(other.send(new ListModelPackageGroupsCommand({})));
  const second = await failure(other.send(new ListModelPackageGroupsCommand({})));
  expect([first?.name, second?.name]).toEqual(['ExpiredTokenException', 'ExpiredTokenException']);
  await expect(list()).resolves.toBeDefined();
});

test('list-lag: Describe knows what the list does not show yet', async () => {
  await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'young-group' }));
  await inject({ operation: 'sagemaker:List*', effect: { kind: 'list-lag', by: 'PT1M' }, times: 'always' });
  const names = async () => (await list()).ModelPackageGroupSummaryList!.map((group) => group.ModelPackageGroupName);
  expect(await names()).not.toContain('young-group');
  const described = sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: 'young-group' }));
  await expect(described).resolves.toBeDefined();
  await platform.control('DELETE', 'faults');
  expect(await names()).toContain('young-group');
});

test('job-failure and resource-failure wait for the service that asks, and are used up', async () => {
  await inject({
    operation: 'sagemaker:CreateTrainingJob',
    match: { TrainingJobName: '*-Train-*' },
    effect: { kind: 'job-failure', reason: 'CapacityError: none left' },
  });
  const { takeFault } = platform.platform.context;
  const call = (TrainingJobName: string) => ({
    account: accounts.development,
    region,
    operation: 'sagemaker:CreateTrainingJob',
    fields: { TrainingJobName },
  });
  expect(takeFault('resource-failure', call('a-Train-b'))).toBeUndefined();
  expect(takeFault('job-failure', call('a-Other-b'))).toBeUndefined();
  expect(takeFault('job-failure', call('a-Train-b'))).toMatchObject({ reason: 'CapacityError: none left' });
  expect(takeFault('job-failure', call('a-Train-b'))).toBeUndefined();
});

describe('which call is hit', () => {
  const call = (over = {}) => ({
    account: '111122223333',
    region: 'eu-west-1',
    operation: 'sagemaker:CreateModel',
    fields: { ModelName: 'm-1' },
    ...over,
  });

  test('account, region, operation and members all count', () => {
    const faults = new Faults();
    faults.add({
      operation: 'sagemaker:Create*',
      account: '111122223333',
      region: 'eu-west-1',
      match: { ModelName: 'm-*' },
      effect: { kind: 'throttle' },
    });
    expect(faults.take(call({ account: '444455556666' }))).toEqual([]);
    expect(faults.take(call({ region: 'eu-west-2' }))).toEqual([]);
    expect(faults.take(call({ operation: 'sagemaker:DeleteModel' }))).toEqual([]);
    expect(faults.take(call({ fields: { ModelName: 'x' } }))).toEqual([]);
    expect(faults.take(call({ fields: {} }))).toEqual([]);
    expect(faults.take(call())).toHaveLength(1);
    expect(faults.take(call())).toHaveLength(0);
  });

  test('the second and third of matching calls', () => {
    const faults = new Faults();
    faults.add({ operation: 'sagemaker:CreateModel', nth: 2, times: 2, effect: { kind: 'reset' } });
    expect([1, 2, 3, 4].map(() => faults.take(call()).length)).toEqual([0, 1, 1, 0]);
    expect(faults.list()[0]).toMatchObject({ seen: 4, hits: 2 });
  });

  test.each([
    [{ operation: 'CreateModel', effect: { kind: 'reset' } }, 'SERVICE:OPERATION'],
    [{ operation: 'sagemaker:CreateModel', effect: { kind: 'explode' } }, 'effect.kind'],
    [{ operation: 'sagemaker:CreateModel', effect: { kind: 'job-failure' } }, 'effect.reason'],
    [{ operation: 'sagemaker:CreateModel', effect: { kind: 'delay', after: '5 s' } }, 'duration'],
    [{ operation: 'sagemaker:CreateModel', effect: { kind: 'list-lag' } }, 'effect.by'],
    [{ operation: 'sagemaker:CreateModel', nth: 0, effect: { kind: 'reset' } }, 'nth'],
    [{ operation: 'sagemaker:CreateModel', when: 1, effect: { kind: 'reset' } }, 'when'],
  ])('%j is refused with one sentence', async (fault, word) => {
    await expect(platform.control('POST', 'faults', fault)).rejects.toThrow(word);
  });
});

test('durations', () => {
  expect(parseDuration('PT0.5S')).toBe(500);
  expect(parseDuration('P1DT2H3M4S')).toBe((26 * 3600 + 3 * 60 + 4) * 1000);
  for (const text of ['P', 'PT', '5', 'PT5']) expect(() => parseDuration(text)).toThrow('duration');
});

test('faults of clients in this process look like a broken socket, which the SDK tries again', async () => {
  await inject({ operation: 'sts:GetCallerIdentity', effect: { kind: 'reset' } });
  const { sts } = platform.administrator(accounts.development);
  const answer = await sts.send(new GetCallerIdentityCommand({}));
  expect(answer.$metadata.attempts).toBe(2);
});
