/**
 * moto's own S3 tests, those that its authors verified on AWS, run against the front from outside. Opt-in, because the
 * tests are not ours to copy:
 *
 *   pip download --no-deps --no-binary moto moto==VERSION && tar xzf moto-*.tar.gz && mv moto-VERSION/moto moto-VERSION/unused
 *   MOTO_TESTS=.../moto-VERSION MOTO_TESTS_PYTHON=.../python (with moto, flask, pytest, pytest-timeout, freezegun) npm test -- test/front/moto-peer
 */
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { type TestPlatform, withPlatform } from '../support/platform.ts';

const { MOTO_TESTS: directory, MOTO_TESTS_PYTHON: python } = process.env;
const whenAsked = directory === undefined || python === undefined ? test.skip : test;

/** What fails, and why that is right. */
const expectedFailures = new Map([
  ['test_delete_bucket_cors', 'CORS is not served'],
  ['test_put_logging_w_bucket_policy_no_prefix', 'access logs are not served'],
  ['test_put_logging_w_bucket_policy_w_prefix', 'access logs are not served'],
  ['test_presigned_url_generates_content_response_headers', 'Signature Version 2 is refused'],
]);
const account = '123456789012';

/** moto's tests sign with fixed keys and reset the world before each test. */
function knowMotosKeys({ platform }: TestPlatform): void {
  const { sessions } = platform.context;
  const issued = platform.composition.controlled.credentials({ account });
  const session = sessions.find(issued.accessKeyId)!;
  const credentials = {
    ...issued,
    accessKeyId: 'FOOBARKEY',
    secretAccessKey: 'FOOBARSECRET',
    sessionToken: undefined as any,
  };
  const find = sessions.find.bind(sessions);
  sessions.find = (accessKeyId) => (accessKeyId === 'FOOBARKEY' ? { ...session, credentials } : find(accessKeyId));
}

async function serve(started: TestPlatform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/', ...query] = request.url!.split('?');
  if (path === '/moto-api/reset') {
    await started.platform.reset();
    knowMotosKeys(started);
    response.end('{}');
    return;
  }
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const answer = await started.platform.composition.front.handle({
    method: request.method!,
    path,
    query: query.join('?'),
    headers,
    body: request,
  });
  response.writeHead(answer.status, answer.headers);
  if (answer.body instanceof Readable) answer.body.pipe(response);
  else response.end(answer.body);
}

whenAsked(
  'S3 tests that were verified on AWS',
  async () => {
    const world = {
      region: 'us-east-1',
      accounts: [{ id: account, name: 'moto', admin: true }],
      clock: { mode: 'at-once' },
    } as const;
    await withPlatform({ world: { ...world, accounts: [...world.accounts] }, python: true }, async (started) => {
      knowMotosKeys(started);
      const server: Server = createServer((request, response) => {
        serve(started, request, response).catch(() => response.destroy());
      });
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        response.writeContinue();
        server.emit('request', request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const selection = ['-m', 'aws_verified', '-k', 'not select and not lock', 'tests/test_s3'];
      const { stdout } = await promisify(execFile)(
        python!,
        ['-m', 'pytest', '-q', '--color=no', '--timeout=60', '-p', 'no:cacheprovider', '--tb=no', ...selection],
        {
          cwd: directory!,
          env: { ...process.env, TEST_SERVER_MODE: 'true', TEST_SERVER_MODE_ENDPOINT: `http://127.0.0.1:${port}` },
          maxBuffer: 1e8,
        },
      ).catch((failure) => failure);
      server.closeAllConnections();
      server.close();
      const failed = [...stdout.matchAll(/^FAILED \S+::(\w+)/gm)].map(([, name]) => name!);
      expect(Number(/(\d+) passed/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(50);
      expect(failed.filter((name) => !expectedFailures.has(name))).toEqual([]);
    });
  },
  600_000,
);
