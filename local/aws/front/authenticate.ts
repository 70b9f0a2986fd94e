/** Who calls: signature, session token, skew and expiry, with the refusal in each service's own words. */
import type { Clock } from '../core/clock.ts';
import type { Session, Sessions } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { ServiceProtocol } from '../wire/protocols.ts';
import { parseTimestamp, type SignableRequest, type SignedParts, verifySignature } from '../wire/sigv4.ts';

const maximalSkew = 15 * 60_000;

export interface AuthenticationOptions {
  sessions: Sessions;
  clock: Clock;
  /** Wall time in milliseconds. A client's clock may be the wall or the platform's: skew is measured to the nearer one. */
  wall: () => number;
}

/** The session behind a signature. Throws the AwsError that the service answers. */
export function authenticate(
  service: ServiceProtocol,
  parts: SignedParts,
  request: SignableRequest,
  payloadHash: string,
  { sessions, clock, wall }: AuthenticationOptions,
): Session {
  const session = sessions.find(parts.accessKeyId);
  if (session === undefined) throw unknownKey(service, parts.accessKeyId);
  const { secretAccessKey, sessionToken, expiration } = session.credentials;
  if (parts.signingName !== service.signingName) {
    throw wrongSignature(service, `Credential should be scoped to correct service: '${service.signingName}'.`);
  }
  if (parts.sessionToken !== sessionToken) throw badToken(service);
  const signedAt = parseTimestamp(parts.timestamp).getTime();
  const now = clock.now().getTime();
  if (parts.expires !== undefined) {
    const end = signedAt + parts.expires * 1000;
    if (Math.min(now, wall()) > end) throw new AwsError('AccessDenied', 'Request has expired', 403);
  } else if (Math.min(Math.abs(now - signedAt), Math.abs(wall() - signedAt)) > maximalSkew) {
    throw skewed(service, parts, clock.now());
  }
  if (!verifySignature(parts, request, payloadHash, secretAccessKey)) throw wrongSignature(service);
  if (expiration.getTime() <= now) throw expired(service);
  return session;
}

export function unsigned(service: ServiceProtocol): AwsError {
  if (service.protocol === 'rest-xml') return new AwsError('AccessDenied', 'Access Denied', 403);
  const code = service.protocol === 'query' ? 'MissingAuthenticationToken' : 'MissingAuthenticationTokenException';
  return new AwsError(code, 'Missing Authentication Token', 403);
}

export function malformedSignature(service: ServiceProtocol, problem: string): AwsError {
  if (service.protocol === 'rest-xml') return new AwsError('AuthorizationHeaderMalformed', problem, 400);
  return new AwsError(
    service.protocol === 'query' ? 'IncompleteSignature' : 'IncompleteSignatureException',
    problem,
    service.protocol === 'query' ? 403 : 400,
  );
}

function unknownKey(service: ServiceProtocol, accessKeyId: string): AwsError {
  switch (service.protocol) {
    case 'rest-xml':
      return new AwsError(
        'InvalidAccessKeyId',
        'The AWS Access Key Id you provided does not exist in our records.',
        403,
        {
          AWSAccessKeyId: accessKeyId,
        },
      );
    case 'query':
      return new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
    default:
      return new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.', 400);
  }
}

/** `why` is what AWS leaves to guess. */
function badToken(service: ServiceProtocol, why?: string): AwsError {
  const end = why === undefined ? '.' : `: ${why}.`;
  switch (service.protocol) {
    case 'rest-xml':
      return new AwsError('InvalidToken', `The provided token is malformed or otherwise invalid${end}`, 400);
    case 'query':
      return new AwsError('InvalidClientTokenId', `The security token included in the request is invalid${end}`, 403);
    default:
      return new AwsError(
        'UnrecognizedClientException',
        `The security token included in the request is invalid${end}`,
        400,
      );
  }
}

/**
 * A region that is not enabled knows nobody's credentials.
 *
 * https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
 */
export const disabledRegion = (service: ServiceProtocol, why: string): AwsError => badToken(service, why);

export function expired(service: ServiceProtocol): AwsError {
  switch (service.protocol) {
    case 'rest-xml':
      return new AwsError('ExpiredToken', 'The provided token has expired.', 400);
    case 'query':
      return new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
    default:
      return new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 400);
  }
}

function skewed(service: ServiceProtocol, parts: SignedParts, now: Date): AwsError {
  const text = `Signature expired: ${parts.timestamp} is more than 15 minutes away from ${now.toISOString()}`;
  switch (service.protocol) {
    case 'rest-xml':
      return new AwsError(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
        403,
      );
    case 'query':
      return new AwsError('SignatureDoesNotMatch', text, 403);
    default:
      return new AwsError('InvalidSignatureException', text, 400);
  }
}

const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';

function wrongSignature(service: ServiceProtocol, text = mismatch): AwsError {
  if (service.protocol === 'query' || service.protocol === 'rest-xml') {
    return new AwsError('SignatureDoesNotMatch', text, 403);
  }
  return new AwsError('InvalidSignatureException', text, 400);
}
