/** SDK clients whose requests go straight into the front of this process: signed, authorised, logged like anybody's. */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { HttpResponse } from '@smithy/protocol-http';
import type { HttpRequest } from '@smithy/types';
import type { Clock } from '../core/clock.ts';
import type { ClientSet, CredentialSource, Credentials } from '../core/context.ts';
import { escapeUri } from '../wire/sigv4.ts';
import type { Front } from './front.ts';
import { ConnectionLost, type FrontRequest } from './message.ts';

const require = createRequire(import.meta.url);

const packages: Record<keyof ClientSet, [name: string, client: string]> = {
  sagemaker: ['@aws-sdk/client-sagemaker', 'SageMakerClient'],
  s3: ['@aws-sdk/client-s3', 'S3Client'],
  kms: ['@aws-sdk/client-kms', 'KMSClient'],
  ssm: ['@aws-sdk/client-ssm', 'SSMClient'],
  logs: ['@aws-sdk/client-cloudwatch-logs', 'CloudWatchLogsClient'],
  ecr: ['@aws-sdk/client-ecr', 'ECRClient'],
  iam: ['@aws-sdk/client-iam', 'IAMClient'],
  sts: ['@aws-sdk/client-sts', 'STSClient'],
  cloudformation: ['@aws-sdk/client-cloudformation', 'CloudFormationClient'],
};

/** Client sets kept; each costs about a millisecond and some kilobytes to make again. */
const keptSets = 200;

export function createClients(
  front: () => Front,
  clock: Clock,
): (credentials: CredentialSource, region: string) => ClientSet {
  const byKey = new Map<string, ClientSet>();
  const bySource = new WeakMap<object, Map<string, ClientSet>>();
  return (credentials, region) => {
    if (typeof credentials === 'function') {
      const sets = bySource.get(credentials) ?? new Map<string, ClientSet>();
      bySource.set(credentials, sets);
      let set = sets.get(region);
      if (set === undefined) {
        set = clientSet(front, renewing(credentials, clock), region);
        sets.set(region, set);
      }
      return set;
    }
    const key = `${credentials.accessKeyId} ${region}`;
    let set = byKey.get(key);
    if (set === undefined) {
      set = clientSet(front, credentials, region);
      byKey.set(key, set);
      if (byKey.size > keptSets) byKey.delete(byKey.keys().next().value!);
    }
    return set;
  };
}

/**
 * The SDK asks for new credentials when Date.now() nears their expiration; here sessions live by the platform's clock,
 * which may jump. This expiration is always as far from Date.now() as the session's end is from the platform's time.
 */
class PlatformExpiration extends Date {
  readonly #clock: Clock;

  constructor(moment: Date, clock: Clock) {
    super(moment);
    this.#clock = clock;
  }

  override getTime(): number {
    return Date.now() + super.getTime() - this.#clock.now().getTime();
  }
}

function renewing(source: () => Promise<Credentials>, clock: Clock): () => Promise<Credentials> {
  return async () => {
    const credentials = await source();
    return { ...credentials, expiration: new PlatformExpiration(credentials.expiration, clock) };
  };
}

function clientSet(front: () => Front, credentials: CredentialSource, region: string): ClientSet {
  const configuration = {
    region,
    credentials: typeof credentials === 'function' ? credentials : (credentials as Credentials),
    endpoint: 'http://127.0.0.1',
    forcePathStyle: true,
    requestHandler: { handle: (request: HttpRequest) => send(front(), request) },
  };
  const clients: Partial<Record<keyof ClientSet, unknown>> = {};
  const set = {} as ClientSet;
  for (const [name, [packageName, className]] of Object.entries(packages) as [keyof ClientSet, [string, string]][]) {
    Object.defineProperty(set, name, {
      enumerable: true,
      get() {
        clients[name] ??= new (require(packageName)[className])(configuration);
        return clients[name];
      },
    });
  }
  return set;
}

async function send(front: Front, request: HttpRequest): Promise<{ response: HttpResponse }> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
  try {
    const answer = await front.handle({
      method: request.method,
      path: request.path,
      query: queryText(request.query),
      headers,
      body: requestBody(request.body),
    });
    const body =
      answer.body instanceof Readable ? answer.body : Readable.from(answer.body ? [Buffer.from(answer.body)] : []);
    return { response: new HttpResponse({ statusCode: answer.status, headers: answer.headers, body }) };
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    // What the SDK's own handler reports for a socket that was closed; it retries by this code.
    throw Object.assign(new Error(error.message), { code: 'ECONNRESET' });
  }
}

function requestBody(body: unknown): FrontRequest['body'] {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Readable) return body;
  // A plain view: the SDK hands out a subclass that warns when it is read as text.
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return Readable.from(body as AsyncIterable<Uint8Array>);
}

function queryText(query: HttpRequest['query']): FrontRequest['query'] {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) {
      parts.push(item === null || item === undefined ? escapeUri(name) : `${escapeUri(name)}=${escapeUri(item)}`);
    }
  }
  return parts.join('&');
}
