/**
 * Both directions of the wire, judged by the SDK's own serialisers: for every operation that is served, a request with
 * every member goes through the SDK and our decoder, and an answer with every member through our encoder and the SDK.
 */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HttpResponse } from '@smithy/protocol-http';
import { AwsError } from '../../local/aws/core/errors.ts';
import { decodeInput, encodeOutput, operationName } from '../../local/aws/front/operations.ts';
import { encodeError, protocols, type ServiceProtocol } from '../../local/aws/wire/protocols.ts';
import { type Shape, serviceModel } from '../../local/aws/wire/schemas.ts';
import { escapeUri } from '../../local/aws/wire/sigv4.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

const require = createRequire(import.meta.url);
let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

/** A value with every member set, three levels of recursion deep. */
function sample(shape: Shape, text: string, above: readonly string[] = []): any {
  switch (shape.kind) {
    case 'structure':
    case 'union': {
      if (above.filter((name) => name === shape.name).length >= 2) return undefined;
      const members = shape.kind === 'union' ? [...shape.members].slice(0, 1) : [...shape.members];
      const inner = [...above, shape.name];
      const values = members.map(([name, member]) => [name, sample(member, text, inner)] as const);
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    }
    case 'list': {
      const item = sample(shape.element, text, above);
      return item === undefined ? undefined : [item, item];
    }
    case 'map': {
      const value = sample(shape.element, text, above);
      return value === undefined ? undefined : { 'key one': value, two: value };
    }
    case 'boolean':
      return true;
    case 'number':
      return 42;
    case 'big-number':
      return undefined;
    case 'blob':
      return new Uint8Array([0, 1, 254, 255]);
    case 'timestamp':
      return new Date('2026-03-04T05:06:07.000Z');
    case 'document':
      return { a: [1, 'two'] };
    case 'unit':
      return {};
    default:
      return text;
  }
}

/** Plain data: bytes as lists of numbers, absent members left out. */
function plain(value: any): any {
  if (
    value instanceof Date ||
    (typeof value === 'object' && value !== null && typeof value.toISOString === 'function')
  ) {
    return value.toISOString();
  }
  if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, item]) => name !== '$metadata' && item !== undefined)
        .map(([name, item]) => [name, plain(item)]),
    );
  }
  return value;
}

interface Exchange {
  /** What our decoder read from the SDK's request. */
  input: any;
  operation: string;
  /** What the SDK read from our answer, or the error it threw. */
  output: any;
}

async function exchange(service: ServiceProtocol, name: string, input: any, answer: () => any): Promise<Exchange> {
  const sdk = require(`@aws-sdk/client-${service.id}`);
  const Client = sdk[Object.keys(sdk).find((key) => /Client$/.test(key) && key !== '__Client')!];
  const seen = {} as Exchange;
  const handle = async (request: any) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key.toLowerCase(), value]),
    );
    const query = Object.entries(request.query ?? {}).map(
      ([key, value]) => `${escapeUri(key)}=${escapeUri(String(value))}`,
    );
    const body =
      typeof request.body === 'string'
        ? Buffer.from(request.body)
        : new Uint8Array(request.body?.buffer ?? [], request.body?.byteOffset ?? 0, request.body?.byteLength ?? 0);
    const message = { method: request.method, path: request.path, query: query.join('&'), headers, body } as any;
    seen.operation = operationName(
      service,
      message,
      body,
      (headers['x-amz-target'] as string | undefined)?.split('.')[1],
    );
    const schema = serviceModel(service.id).operation(name)!;
    seen.input = decodeInput(service, schema, message, body);
    const answered = answer();
    const encoded =
      answered instanceof AwsError
        ? encodeError(service, answered, 'request-id')
        : encodeOutput(service, schema, answered, 'request-id', (member) => {
            throw new Error(`${member} is unknown`);
          });
    const content = encoded.body === undefined ? [] : [Buffer.from(encoded.body as Uint8Array)];
    return {
      response: new HttpResponse({
        statusCode: encoded.status,
        headers: encoded.headers,
        body: Readable.from(content),
      }),
    };
  };
  const client = new Client({
    region: 'eu-west-1',
    endpoint: 'http://127.0.0.1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    disableHostPrefix: true,
    requestHandler: { handle },
  });
  seen.output = await client.send(new sdk[`${name}Command`](input)).catch((error: unknown) => error);
  return seen;
}

/** Header values are ASCII; everything else must survive what XML and JSON escape. */
const textFor = (service: ServiceProtocol) => (service.protocol === 'rest-json' ? 'text-1' : `a<b>&"'ü\n€ c`);

test.each(protocols.filter(({ id }) => id !== 's3'))('$id: every served operation', async (service) => {
  const { services } = platform.platform.composition;
  const names = services.filter(({ id }) => id === service.id).flatMap(({ operations }) => Object.keys(operations));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const schema = serviceModel(service.id).operation(name)!;
    const input = sample(schema.input, textFor(service));
    const output = sample(schema.output, textFor(service));
    const seen = await exchange(service, name, input, () => output);
    const unreadable = seen.output instanceof Error || seen.output?.$metadata === undefined;
    expect([name, unreadable ? String(seen.output) : 'readable']).toEqual([name, 'readable']);
    expect(seen.operation).toBe(name);
    expect({ name, input: plain(seen.input) }).toEqual({ name, input: plain(input) });
    expect({ name, output: plain(seen.output) }).toEqual({ name, output: plain(output) });
  }
});

test.each([
  ['sagemaker', 'DescribePipeline', 'ResourceNotFound', 400, 'ResourceNotFound'],
  ['sagemaker', 'CreateModelPackageGroup', 'ResourceLimitExceeded', 400, 'ResourceLimitExceeded'],
  ['sagemaker', 'CreateModelPackageGroup', 'ValidationException', 400, 'ValidationException'],
  ['sagemaker-runtime', 'InvokeEndpoint', 'ModelError', 424, 'ModelError'],
  ['iam', 'GetRole', 'NoSuchEntity', 404, 'NoSuchEntityException'],
  ['iam', 'CreateRole', 'EntityAlreadyExists', 409, 'EntityAlreadyExistsException'],
  ['sts', 'AssumeRole', 'ExpiredToken', 403, 'ExpiredToken'],
  ['cloudformation', 'DescribeChangeSet', 'ChangeSetNotFound', 404, 'ChangeSetNotFoundException'],
  ['cloudformation', 'DescribeStacks', 'ValidationError', 400, 'ValidationError'],
  ['kms', 'DescribeKey', 'NotFoundException', 400, 'NotFoundException'],
])('%s.%s: the error %s is typed', async (id, name, code, status, className) => {
  const service = protocols.find((protocol) => protocol.id === id)!;
  const fields = code === 'ModelError' ? { OriginalStatusCode: 500, OriginalMessage: 'boom' } : {};
  const error = new AwsError(code, 'what <went> wrong', status, fields);
  const input = sample(serviceModel(id).operation(name)!.input, 'text-1');
  const { output } = await exchange(service, name, input, () => error);
  expect(output).toMatchObject({
    name: className,
    message: 'what <went> wrong',
    $metadata: { httpStatusCode: status },
    ...fields,
  });
});
