/**
 * Every request to the local AWS, whether it came by the socket or from a client in this process, passes here once:
 * route, signature, decoding, constraints, faults, permissions, the service itself, encoding, call log.
 */
import { randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import { partitionOf } from '../core/arn.ts';
import type { Clock } from '../core/clock.ts';
import type { AuthorizationDecision, Authorizer, Logger, Sessions } from '../core/context.ts';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { AuthorizationRequest, Call, Operation, Principal, Service } from '../core/service.ts';
import { checkInput } from '../wire/limits.ts';
import { encodeError, type ServiceProtocol } from '../wire/protocols.ts';
import { readSignature, type SignedParts, scopeOf, sha256, signingKey } from '../wire/sigv4.ts';
import { authenticate, disabledRegion, expired, malformedSignature, unsigned } from './authenticate.ts';
import type { CallLog, CallLogEntry } from './call-log.ts';
import { type Fault, type Faults, parseDuration } from './faults.ts';
import type { HttpService, PayloadSignature } from './http-service.ts';
import { withoutYoung } from './list-lag.ts';
import { ConnectionLost, type FrontRequest, type FrontResponse, PlatformClosed, readBody } from './message.ts';
import { decodeInput, encodeOutput, operationName, operationSchema } from './operations.ts';
import { route } from './route.ts';

export interface FrontOptions {
  services: () => readonly Service[];
  s3: () => HttpService<any> | undefined;
  sessions: Sessions;
  authorizer: Authorizer;
  clock: Clock;
  faults: Faults;
  log: CallLog;
  logger: Logger;
  /** Decisions are made and logged either way; `observe` carries on after a denial. */
  enforcement: () => 'enforce' | 'observe';
  /** Aborted when the platform closes: from then on nothing is answered, and nothing that fails is worth a line. */
  signal: AbortSignal;
  /** Why the accounts do not answer for a service in a region; undefined where they do. */
  whyDisabled?: (service: string, region: string) => string | undefined;
}

export interface Front {
  handle(request: FrontRequest): Promise<FrontResponse>;
  /** Calls that are being answered, those that a fault delays left out. */
  readonly inFlight: number;
}

/** The patterns of regions in botocore's partition data, together. */
const regionPattern = /^(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|eusc)(-\w+)+-\d+$/;

/** Bodies of everything but S3: InvokeEndpoint allows 6 MB, templates by URL less. */
const bodyLimit = 8 * 1024 * 1024;

export function createFront(options: FrontOptions): Front {
  const { log, logger } = options;
  let operations: Map<string, Operation> | undefined;
  const warned = new Set<string>();
  let inFlight = 0;

  const findOperation = (service: ServiceProtocol, name: string): Operation => {
    operations ??= new Map(
      options
        .services()
        .flatMap((served) => Object.entries(served.operations).map(([key, value]) => [`${served.id}.${key}`, value])),
    );
    const operation = operations.get(`${service.id}.${name}`);
    if (operation === undefined) throw new NotImplementedError(`the operation ${name} of ${service.id}`);
    return operation;
  };

  async function handle(request: FrontRequest): Promise<FrontResponse> {
    if (options.signal.aborted) throw new PlatformClosed();
    const requestId = randomUUID();
    const { log: exchange, run } = begin(request, requestId);
    inFlight += 1;
    try {
      const response = await run();
      exchange.entry.status = response.status;
      return finish(response, requestId);
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      if (options.signal.aborted) throw new PlatformClosed();
      const known = asAwsError(error, exchange.entry.operation);
      const encoded = encodeError(exchange.service, known, requestId, {
        queryMode: request.headers['x-amzn-query-mode'] === 'true',
      });
      exchange.entry.status = encoded.status;
      exchange.entry.error = encoded.code;
      const body = request.method === 'HEAD' ? '' : encoded.body;
      return finish({ ...encoded, headers: { ...encoded.headers, ...known.headers }, body }, requestId);
    } finally {
      inFlight -= 1;
      exchange.done();
    }
  }

  /** Finds out what is asked so that even a refused call is in the log under its name. */
  function begin(request: FrontRequest, requestId: string) {
    const read = readSignature(request);
    const signature = typeof read === 'string' ? undefined : read;
    const routed = route(request, signature);
    const { service } = routed;
    const { entry, done } = log.start(emptyEntry(options.clock.now(), service, signature));
    const exchange = { entry, done, service };
    const run = async (): Promise<FrontResponse> => {
      if (typeof read === 'string') throw malformedSignature(service, read);
      if (routed.refusal !== undefined) throw routed.refusal;
      if (signature !== undefined && !regionPattern.test(signature.region)) {
        throw new NotImplementedError(`the region "${signature.region}", which no partition of AWS has`);
      }
      if (service.protocol === 'rest-xml') return runHttp(request, signature, entry, service);
      return runModelled(request, requestId, signature, entry, service, routed.operation);
    };
    return { log: exchange, run };
  }

  async function runModelled(
    request: FrontRequest,
    requestId: string,
    signature: SignedParts | undefined,
    entry: CallLogEntry,
    service: ServiceProtocol,
    target: string | undefined,
  ): Promise<FrontResponse> {
    const body = await readBody(request.body, bodyLimit).catch(() => {
      throw new AwsError('RequestEntityTooLarge', `The request body is longer than ${bodyLimit} bytes.`, 413);
    });
    const name = operationName(service, request, body, target);
    entry.operation = `${service.actionPrefix}:${name}`;
    const principal = identify(request, signature, service, () => sha256(body), name);
    describeCaller(entry, principal, signature);
    const schema = operationSchema(service, name);
    const operation = findOperation(service, name);
    entry.mutating = operation.mutating;
    const input = decodeInput(service, schema, request, body);
    entry.requestHash = hashOf(input);
    checkInput(service, name, input);
    const call = makeCall(entry, principal, service.id, name, request);
    const faults = await applyFaults(entry, input, service, call);
    permit(await operation.authorize(input, call), call, entry, service);
    let output = await operation.handle(input, call);
    for (const fault of faults.after) {
      if (fault.effect.kind === 'lost-response') throw new ConnectionLost();
      if (fault.effect.kind === 'list-lag' && !operation.mutating) {
        output = withoutYoung(output ?? {}, new Date(options.clock.now().getTime() - parseDuration(fault.effect.by)));
      }
    }
    return encodeOutput(service, schema, output, requestId, (member) => {
      if (warned.has(`${name} ${member}`)) return;
      warned.add(`${name} ${member}`);
      logger.warn(`${entry.operation} answered ${member}, which is not in the service's model; it was left out.`);
    });
  }

  async function runHttp(
    request: FrontRequest,
    signature: SignedParts | undefined,
    entry: CallLogEntry,
    service: ServiceProtocol,
  ): Promise<FrontResponse> {
    const s3 = options.s3();
    if (s3 === undefined) throw new NotImplementedError('S3 without its back end (moto)');
    const declared =
      request.headers['x-amz-content-sha256'] ?? (signature?.expires === undefined ? '' : 'UNSIGNED-PAYLOAD');
    if (signature !== undefined && declared === '') {
      throw new AwsError('MissingSecurityHeader', 'The header x-amz-content-sha256 is required.', 400);
    }
    const principal = identify(request, signature, service, () => declared, '');
    describeCaller(entry, principal, signature);
    const recognised = s3.recognise(request);
    entry.operation = `${service.actionPrefix}:${recognised.operation}`;
    entry.mutating = recognised.mutating;
    entry.requestHash = hashOf({ operation: recognised.operation, ...recognised.fields, declared });
    const call = makeCall(entry, principal, service.id, recognised.operation, request);
    const faults = await applyFaults(entry, recognised.fields, service, call);
    permit(await s3.authorize(recognised, request, call), call, entry, service);
    const response = await s3.handle(recognised, request, call, {
      payload: payloadSignature(declared, signature),
      permit: (requests) => permit(requests, call, entry, service),
    });
    if (faults.after.some((fault) => fault.effect.kind === 'lost-response')) throw new ConnectionLost();
    return response;
  }

  function payloadSignature(declared: string, signature: SignedParts | undefined): PayloadSignature {
    if (signature === undefined) return { declared, seed: undefined };
    const secret = options.sessions.find(signature.accessKeyId)!.credentials.secretAccessKey;
    return {
      declared,
      seed: {
        signature: signature.signature,
        key: signingKey(secret, signature.date, signature.region, signature.signingName),
        timestamp: signature.timestamp,
        scope: scopeOf(signature),
      },
    };
  }

  function identify(
    request: FrontRequest,
    signature: SignedParts | undefined,
    service: ServiceProtocol,
    payloadHash: () => string,
    operation: string,
  ): Principal {
    if (signature === undefined) {
      const isOpen = service.id === 's3' || operation === 'AssumeRoleWithWebIdentity';
      if (!isOpen) throw unsigned(service);
      return { kind: 'anonymous', account: '', arn: '', userId: 'ANONYMOUS_PRINCIPAL' };
    }
    const { principal } = authenticate(service, signature, request, payloadHash(), {
      sessions: options.sessions,
      clock: options.clock,
      wall: Date.now,
    });
    const disabled = options.whyDisabled?.(service.id, signature.region);
    if (disabled !== undefined) throw disabledRegion(service, disabled);
    return principal;
  }

  /** Faults before the call act here; those that act after it are handed back. */
  async function applyFaults(
    entry: CallLogEntry,
    fields: Record<string, unknown>,
    service: ServiceProtocol,
    call: Call,
  ): Promise<{ after: Fault[] }> {
    const hits = options.faults.take({
      account: entry.account,
      region: entry.region,
      operation: entry.operation,
      fields,
    });
    for (const fault of hits) {
      entry.fault = entry.fault === null ? fault.effect.kind : `${entry.fault},${fault.effect.kind}`;
      const { effect } = fault;
      switch (effect.kind) {
        case 'error':
          throw new AwsError(effect.code, effect.message ?? `Injected fault ${fault.id}`, effect.status ?? 400);
        case 'throttle':
          throw throttled(service);
        case 'reset':
          throw new ConnectionLost();
        case 'delay':
          await delay(parseDuration(effect.after));
          break;
        case 'expire-credentials':
          if (call.principal.roleArn !== undefined) options.sessions.expire(call.principal.roleArn);
          throw expired(service);
        default:
          break;
      }
    }
    return { after: hits };
  }

  /** An at-once clock would skip the delay, which is meant for a client that waits in real time. */
  async function delay(milliseconds: number): Promise<void> {
    if (options.clock.mode === 'at-once') await new Promise((resolve) => setTimeout(resolve, milliseconds));
    else {
      inFlight -= 1;
      await options.clock.sleep(milliseconds);
      inFlight += 1;
    }
  }

  function permit(requests: AuthorizationRequest[], call: Call, entry: CallLogEntry, service: ServiceProtocol): void {
    entry.resources = [...new Set([...entry.resources, ...requests.flatMap((request) => request.resources)])];
    entry.decision ??= 'allow';
    for (const request of requests) {
      const decision = options.authorizer.decide(call.principal, request, call);
      entry.permissions.push({ action: request.action, resources: request.resources, ...pick(decision) });
      entry.grantedBy = [...new Set([...entry.grantedBy, ...decision.grantedBy])];
      if (decision.decision === 'allow') continue;
      entry.decision = decision.decision;
      if (options.enforcement() === 'enforce') throw denied(service, decision.message);
    }
  }

  function asAwsError(error: unknown, operation: string): AwsError {
    if (error instanceof AwsError) return error;
    logger.warn(`${operation} failed inside the platform: ${error instanceof Error ? error.stack : String(error)}`);
    const text = error instanceof Error ? error.message : String(error);
    return new AwsError('InternalFailure', `The local platform failed in ${operation}: ${text}`, 500);
  }

  return {
    handle,
    get inFlight() {
      return inFlight;
    },
  };
}

function pick({
  decision,
  grantedBy,
}: AuthorizationDecision): Pick<CallLogEntry['permissions'][number], 'decision' | 'grantedBy'> {
  return { decision, grantedBy };
}

function finish(response: FrontResponse, requestId: string): FrontResponse {
  return {
    ...response,
    headers: { 'x-amzn-requestid': requestId, 'x-amz-request-id': requestId, ...response.headers },
  };
}

function emptyEntry(at: Date, service: ServiceProtocol, signature: SignedParts | undefined): Omit<CallLogEntry, 'seq'> {
  return {
    at: at.toISOString(),
    account: '',
    region: signature?.region ?? '',
    principal: '',
    operation: `${service.actionPrefix}:Unknown`,
    mutating: false,
    resources: [],
    requestHash: '',
    decision: null,
    grantedBy: [],
    permissions: [],
    status: null,
    error: null,
    fault: null,
  };
}

function describeCaller(entry: CallLogEntry, principal: Principal, signature: SignedParts | undefined): void {
  entry.account = principal.account;
  entry.principal = principal.arn === '' ? principal.kind : principal.arn;
  entry.region = signature?.region ?? 'us-east-1';
}

function makeCall(
  entry: CallLogEntry,
  principal: Principal,
  service: string,
  operation: string,
  request: FrontRequest,
): Call {
  return {
    seq: entry.seq,
    at: new Date(entry.at),
    account: principal.account,
    region: entry.region,
    partition: partitionOf(entry.region),
    service,
    operation,
    principal,
    userAgent: request.headers['user-agent'] ?? '',
  };
}

function hashOf(input: unknown): string {
  const plain = JSON.parse(
    JSON.stringify(input, (_name, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ),
  );
  return sha256(canonicalize(plain) ?? '');
}

function denied(service: ServiceProtocol, message: string): AwsError {
  switch (service.protocol) {
    case 'query':
      return new AwsError('AccessDenied', message, 403);
    case 'rest-xml':
      return new AwsError('AccessDenied', message, 403);
    case 'rest-json':
      return new AwsError('AccessDeniedException', message, 403);
    default:
      return new AwsError('AccessDeniedException', message, 400);
  }
}

/** Each service has its own name for "too many requests" (CloudFormation: HTTP 400 `Throttling`). */
function throttled(service: ServiceProtocol): AwsError {
  if (service.protocol === 'rest-xml') return new AwsError('SlowDown', 'Please reduce your request rate.', 503);
  if (service.protocol === 'query') return new AwsError('Throttling', 'Rate exceeded', 400);
  return new AwsError('ThrottlingException', 'Rate exceeded', 400);
}
