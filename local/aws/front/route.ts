/** Which service and operation a request means, by target header, credential scope, form action or path. */
import { type AwsError, NotImplementedError } from '../core/errors.ts';
import { protocols, type ServiceProtocol, unknownService } from '../wire/protocols.ts';
import type { SignedParts } from '../wire/sigv4.ts';
import type { FrontRequest } from './message.ts';

const bySigningName = new Map<string, ServiceProtocol[]>();
const byTarget = new Map<string, ServiceProtocol>();
for (const protocol of protocols) {
  bySigningName.set(protocol.signingName, [...(bySigningName.get(protocol.signingName) ?? []), protocol]);
  if (protocol.target !== undefined) byTarget.set(protocol.target, protocol);
}

/** A service that the platform does not have still gets its refusal in a form that its client can read. */
function foreign(name: string, request: FrontRequest): ServiceProtocol {
  const type = request.headers['content-type'] ?? '';
  return {
    id: unknownService,
    protocol: type.startsWith('application/x-www-form-urlencoded') ? 'query' : 'json-1.1',
    signingName: name,
    actionPrefix: name,
    namespace: '',
  };
}

export interface Route {
  service: ServiceProtocol;
  /** Undefined for S3 and REST paths, which their own code reads. */
  operation: string | undefined;
  /** Set when the platform cannot serve this request at all. */
  refusal?: AwsError;
}

/** `signature` undefined: the request is unsigned. */
export function route(request: FrontRequest, signature: SignedParts | undefined): Route {
  const target = request.headers['x-amz-target'];
  if (target !== undefined) {
    const [prefix = '', operation = ''] = target.split('.');
    const service = byTarget.get(prefix);
    if (service !== undefined) return { service, operation };
    return {
      service: foreign(signature?.signingName ?? prefix, request),
      operation,
      refusal: new NotImplementedError(`the service ${signature?.signingName ?? prefix} (${target})`),
    };
  }
  if (signature === undefined) return unsignedRoute(request);
  const candidates = bySigningName.get(signature.signingName) ?? [];
  const service = candidates.find((candidate) => candidate.target === undefined);
  if (service === undefined) {
    const served = candidates[0] ?? foreign(signature.signingName, request);
    const what =
      candidates.length === 0
        ? `the service ${signature.signingName}`
        : `${signature.signingName} without X-Amz-Target`;
    return { service: served, operation: undefined, refusal: new NotImplementedError(what) };
  }
  return { service, operation: undefined };
}

/** Only the exchange of a web identity and S3's anonymous requests come without a signature. */
function unsignedRoute(request: FrontRequest): Route {
  const type = request.headers['content-type'] ?? '';
  const form = type.startsWith('application/x-www-form-urlencoded') || new URLSearchParams(request.query).has('Action');
  const id = form ? 'sts' : 's3';
  return { service: protocols.find((protocol) => protocol.id === id)!, operation: undefined };
}
