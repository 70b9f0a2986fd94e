import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkKeys, selfRenewing, sessionName } from '../../../src/aws/credentials.ts';
import { isAws, isNotFound, translate } from '../../../src/aws/errors.ts';
import { consoleUrl, parseArn, partitionOf, sameArn } from '../../../src/aws/partition.ts';
import { poll, stillRunning } from '../../../src/aws/poll.ts';
import { agentPart } from '../../../src/aws/session.ts';
import { canonicalJson, requestToken } from '../../../src/aws/token.ts';
import type { Clock } from '../../../src/clock.ts';
import { FailureError, failureCodes } from '../../../src/failure.ts';

/** Time that only sleeping moves. */
function virtualClock(): Clock & { slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
}

describe('poll', () => {
  const waitFor = (milliseconds: number, options: { deadline?: number; random?: () => number } = {}) => {
    const clock = virtualClock();
    const result = poll({
      read: async () => clock.now(),
      done: (now) => now >= milliseconds,
      clock,
      deadline: options.deadline,
      random: options.random ?? (() => 0.5),
      onDeadline: () => stillRunning({ resource: 'arn', where: 'It was running', region: 'r', resume: 're-run' }),
    });
    return { clock, result };
  };

  test('sees short work soon and long work for few calls', async () => {
    const short = waitFor(6_000);
    expect(await short.result).toBeLessThan(7_500);
    const long = waitFor(8 * 3_600_000);
    expect(await long.result).toBeLessThan(8 * 3_600_000 + 25_000);
    expect(long.clock.slept.length).toBeLessThan(8 * 60 * 3.2);
  });

  test('jitter stays within a fifth', async () => {
    for (const random of [() => 0, () => 1]) {
      const { clock, result } = waitFor(60_000, { random });
      await result;
      expect(Math.min(...clock.slept)).toBeGreaterThanOrEqual(800);
      expect(Math.max(...clock.slept)).toBeLessThanOrEqual(24_000);
    }
  });

  test('a deadline is a failure of its own, after one more look', async () => {
    const { clock, result } = waitFor(Number.POSITIVE_INFINITY, { deadline: 60_000 });
    await expect(result).rejects.toMatchObject({
      status: 'still-running',
      failures: [{ code: 'DeadlineExceeded', resource: 'arn' }],
    });
    expect(clock.now()).toBe(60_000);
  });

  test('an abort ends it', async () => {
    const clock = virtualClock();
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(
      poll({ read: async () => 1, done: () => false, clock, signal, onDeadline: () => new FailureError([]) }),
    ).rejects.toThrow('cancelled');
  });
});

describe('self-renewing credentials', () => {
  const session = (number: number, expiresAt: number) => ({
    accessKeyId: `K${number}`,
    secretAccessKey: 's',
    expiration: new Date(expiresAt),
  });

  test('are renewed five minutes before they end, once for all who ask', async () => {
    let now = 0;
    let fetched = 0;
    const credentials = selfRenewing(
      async () => session(++fetched, now + 900_000),
      () => now,
    );
    expect((await Promise.all([credentials.get(), credentials.get()])).map(({ accessKeyId }) => accessKeyId)).toEqual([
      'K1',
      'K1',
    ]);
    now = 599_000;
    expect((await credentials.get()).accessKeyId).toBe('K1');
    now = 601_000;
    expect((await Promise.all([credentials.get(), credentials.get()])).map(({ accessKeyId }) => accessKeyId)).toEqual([
      'K2',
      'K2',
    ]);
    credentials.forget();
    expect((await credentials.get()).accessKeyId).toBe('K3');
  });

  test('a failed renewal is told and tried again by the next who asks', async () => {
    let attempts = 0;
    const credentials = selfRenewing(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no network');
      return session(attempts, Date.now() + 3_600_000);
    });
    await expect(credentials.get()).rejects.toThrow('no network');
    expect((await credentials.get()).accessKeyId).toBe('K2');
  });

  test('local keys and real keys never meet the other side', () => {
    const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: 's' });
    const code = (accessKeyId: string, endpoint: string | undefined, more: Record<string, string> = {}) => {
      try {
        checkKeys(key(accessKeyId), { AWS_ENDPOINT_URL: endpoint, ...more });
        return 'fine';
      } catch (error) {
        return (error as FailureError).failures[0]!.resource;
      }
    };
    expect(code('ASIALOCALXYZ', undefined)).toBe('AWS_ACCESS_KEY_ID');
    expect(code('ASIALOCALXYZ', 'https://vpce.amazonaws.com')).toBe('AWS_ACCESS_KEY_ID');
    expect(code('ASIALOCALXYZ', 'http://127.0.0.1:4000')).toBe('fine');
    expect(code('ASIAREALKEY', 'http://127.0.0.1:4000')).toBe('AWS_ENDPOINT_URL');
    expect(code('AKIAREALKEY', 'http://[::1]:4000')).toBe('AWS_ENDPOINT_URL');
    expect(code('ASIAREALKEY', 'https://vpce.amazonaws.com')).toBe('fine');
    expect(code('ASIAREALKEY', undefined)).toBe('fine');
    // Addresses of single services, and the switch that makes the SDK ignore all of them.
    expect(code('ASIAREALKEY', undefined, { AWS_ENDPOINT_URL_S3: 'http://localhost:1' })).toBe('AWS_ENDPOINT_URL');
    expect(code('ASIALOCALXYZ', 'http://127.0.0.1:1', { AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com' })).toBe(
      'AWS_ACCESS_KEY_ID',
    );
    expect(code('ASIALOCALXYZ', 'http://127.0.0.1:1', { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })).toBe(
      'AWS_ACCESS_KEY_ID',
    );
  });

  test('session names lead to run, attempt and job within the limits of STS', () => {
    expect(sessionName({ runId: '7', runAttempt: 2, job: 'build' })).toBe('gha-7-2-build');
    const odd = sessionName({ runId: '123456789012', runAttempt: 1, job: 'ünïcode / and spaces '.repeat(9) });
    expect(odd).toMatch(/^[\w+=,.@-]{2,64}$/);
    expect(agentPart('run 7/2; rm')).toBe('run-7-2--rm');
  });
});

describe('errors of AWS', () => {
  const site = {
    service: 'SageMaker',
    operation: 'DescribePipeline',
    region: 'eu-west-1',
    account: '111122223333',
    resource: 'arn',
  };
  const sdk = (name: string, message = 'words', more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });
  const codeOf = (error: unknown) => translate(error, site).failures[0]!;

  test.each([
    ['AccessDeniedException', 'AccessDenied'],
    ['AccessDenied', 'AccessDenied'],
    ['ExpiredTokenException', 'WrongCredentials'],
    ['UnrecognizedClientException', 'WrongCredentials'],
    ['ResourceNotFound', 'NotFound'],
    ['NoSuchBucket', 'NotFound'],
    ['StackSetNotFoundException', 'NotFound'],
    ['ConflictException', 'Conflict'],
    ['OperationInProgressException', 'Conflict'],
    ['ThrottlingException', 'Throttled'],
    ['SlowDown', 'Throttled'],
    ['ResourceLimitExceeded', 'LimitExceeded'],
    ['ValidationException', 'InvalidRequest'],
    ['PermanentRedirect', 'WrongRegion'],
    ['NameAlreadyExistsException', 'AlreadyExists'],
    ['SomethingNew', 'ServiceError'],
  ])('%s means %s', (name, code) => {
    expect(codeOf(sdk(name))).toMatchObject({
      code,
      account: '111122223333',
      region: 'eu-west-1',
      resource: 'arn',
      cause: 'words',
    });
    expect(failureCodes).toContain(code);
  });

  test('network errors carry their code as a property', () => {
    expect(codeOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })).code).toBe('NetworkError');
    expect(codeOf(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })).code).toBe('WrongRegion');
  });

  test('a validation error about something missing means that it is missing', () => {
    expect(codeOf(sdk('ValidationException', 'Pipeline x does not exist.')).code).toBe('NotFound');
    expect(isNotFound(translate(sdk('ValidationException', 'Pipeline x does not exist.'), site))).toBe(true);
    expect(isAws(translate(sdk('ConflictException'), site), 'ConflictException')).toBe(true);
  });

  test('an answer without words says who answered what', () => {
    expect(codeOf(sdk('NotFound', 'UnknownError')).cause).toBe('SageMaker answered NotFound to DescribePipeline');
  });

  test("a bucket's own region is named", () => {
    const failure = codeOf(
      sdk('PermanentRedirect', 'moved', { $response: { headers: { 'x-amz-bucket-region': 'us-west-2' } } }),
    );
    expect(failure).toMatchObject({ code: 'WrongRegion' });
    expect(failure.hint).toContain('us-west-2');
  });
});

test('the published schema knows exactly the codes there are', () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas/failure.schema.json'), 'utf8'));
  expect(schema.properties.failures.items.properties.code.enum).toEqual([...failureCodes]);
});

test('tokens depend on run, action, intent and generation, on the order of keys not at all', () => {
  const parts = { runId: '1', action: 'start', intent: 'i', generation: 1 };
  expect(requestToken(parts)).toMatch(/^[0-9a-f]{64}$/);
  expect(requestToken({ generation: 1, intent: 'i', action: 'start', runId: '1' })).toBe(requestToken(parts));
  for (const change of [{ runId: '2' }, { action: 'stop' }, { intent: 'j' }, { generation: 2 }]) {
    expect(requestToken({ ...parts, ...change })).not.toBe(requestToken(parts));
  }
  expect(canonicalJson({ b: 1, a: [{ d: undefined, c: 2 }] })).toBe('{"a":[{"c":2}],"b":1}');
});

test('partitions, ARNs and console pages', () => {
  expect(['eu-west-1', 'cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'us-isob-east-1'].map(partitionOf)).toEqual([
    'aws',
    'aws-cn',
    'aws-us-gov',
    'aws-iso',
    'aws-iso-b',
  ]);
  expect(parseArn('arn:aws:s3:::bucket/key:x')?.resource).toBe('bucket/key:x');
  expect(parseArn('not an arn')).toBeUndefined();
  expect(sameArn('arn:aws:x:Y', 'ARN:aws:x:y')).toBe(true);
  expect(consoleUrl('cn-north-1', 'x')).toBe('https://cn-north-1.console.amazonaws.cn/x');
  expect(consoleUrl('us-iso-east-1', 'x')).toBeUndefined();
});
