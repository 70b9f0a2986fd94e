/**
 * Signature Version 4, verified by computing it again over what arrived
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). Written on node:crypto rather than
 * with the SDK's signer: that one decides itself which headers to sign, here the client decided, and chunk signatures need the key.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedParts {
  accessKeyId: string;
  /** yyyymmdd of the credential scope. */
  date: string;
  region: string;
  signingName: string;
  signedHeaders: string[];
  signature: string;
  /** x-amz-date as sent, yyyymmddThhmmssZ. */
  timestamp: string;
  sessionToken: string | undefined;
  /** Lifetime of a presigned address in seconds; undefined for a signed header. */
  expires: number | undefined;
}

export interface SignableRequest {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
}

/** Reads the Authorization header or the X-Amz-* query of a presigned address. undefined: unsigned. A string: what is malformed. */
export function readSignature(request: SignableRequest): SignedParts | string | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) return readHeader(header, request.headers);
  const query = new URLSearchParams(request.query);
  if (query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm')) return readQuery(query);
  if (query.has('AWSAccessKeyId')) return 'Signature Version 2 is not supported. Please use AWS4-HMAC-SHA256.';
  return undefined;
}

function readHeader(header: string, headers: Record<string, string>): SignedParts | string {
  if (!header.startsWith('AWS4-HMAC-SHA256 ')) {
    return `The Authorization header must start with AWS4-HMAC-SHA256; "${header.split(' ')[0]}" is not supported.`;
  }
  const fields = new Map(
    header
      .slice('AWS4-HMAC-SHA256 '.length)
      .split(',')
      .map((field): [string, string] => {
        const [name = '', ...value] = field.trim().split('=');
        return [name, value.join('=')];
      }),
  );
  for (const name of ['Credential', 'SignedHeaders', 'Signature']) {
    if (!fields.has(name)) return `Authorization header requires '${name}' parameter.`;
  }
  const timestamp = headers['x-amz-date'];
  if (timestamp === undefined) return "Authorization header requires existence of 'X-Amz-Date' header.";
  return fromParts(
    fields.get('Credential')!,
    fields.get('SignedHeaders')!,
    fields.get('Signature')!,
    timestamp,
    headers['x-amz-security-token'],
    undefined,
  );
}

function readQuery(query: URLSearchParams): SignedParts | string {
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'X-Amz-Algorithm must be AWS4-HMAC-SHA256.';
  for (const name of ['X-Amz-Credential', 'X-Amz-SignedHeaders', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-Expires']) {
    if (!query.has(name)) return `The query must contain the parameter ${name}.`;
  }
  const expires = Number(query.get('X-Amz-Expires'));
  if (!Number.isInteger(expires) || expires < 1 || expires > 604800) {
    return 'X-Amz-Expires must be between 1 and 604800 seconds.';
  }
  return fromParts(
    query.get('X-Amz-Credential')!,
    query.get('X-Amz-SignedHeaders')!,
    query.get('X-Amz-Signature')!,
    query.get('X-Amz-Date')!,
    query.get('X-Amz-Security-Token') ?? undefined,
    expires,
  );
}

function fromParts(
  credential: string,
  signedHeaders: string,
  signature: string,
  timestamp: string,
  sessionToken: string | undefined,
  expires: number | undefined,
): SignedParts | string {
  const scope = credential.split('/');
  if (scope.length !== 5 || scope[4] !== 'aws4_request') {
    return `The credential must be KEY/DATE/REGION/SERVICE/aws4_request, not "${credential}".`;
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) return `X-Amz-Date must be yyyymmddThhmmssZ, not "${timestamp}".`;
  if (!timestamp.startsWith(scope[1]!)) return 'The date of the credential scope is not the date of X-Amz-Date.';
  return {
    accessKeyId: scope[0]!,
    date: scope[1]!,
    region: scope[2]!,
    signingName: scope[3]!,
    signedHeaders: signedHeaders.split(';'),
    signature,
    timestamp,
    sessionToken,
    expires,
  };
}

export function parseTimestamp(timestamp: string): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp)!;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

export function signingKey(secret: string, date: string, region: string, signingName: string): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), signingName), 'aws4_request');
}

export function scopeOf(parts: SignedParts): string {
  return `${parts.date}/${parts.region}/${parts.signingName}/aws4_request`;
}

/** True when the signature is the one this secret makes over the request with this payload hash. */
export function verifySignature(
  parts: SignedParts,
  request: SignableRequest,
  payloadHash: string,
  secret: string,
): boolean {
  const canonical = [
    request.method,
    canonicalPath(request.path, parts.signingName === 's3'),
    canonicalQuery(request.query),
    ...parts.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    parts.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const text = `AWS4-HMAC-SHA256\n${parts.timestamp}\n${scopeOf(parts)}\n${sha256(canonical)}`;
  const key = signingKey(secret, parts.date, parts.region, parts.signingName);
  return equal(createHmac('sha256', key).update(text).digest('hex'), parts.signature);
}

/** S3 signs the path as sent; every other service escapes it once more. */
function canonicalPath(path: string, isS3: boolean): string {
  if (isS3) return path;
  return path
    .split('/')
    .map((segment) => escapeUri(segment))
    .join('/');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
    .map((pair): [string, string] => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      const value = at < 0 ? '' : pair.slice(at + 1);
      return [escapeUri(unescapeUri(name)), escapeUri(unescapeUri(value))];
    })
    .sort(([left, leftValue], [right, rightValue]) => compare(left, right) || compare(leftValue, rightValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function unescapeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** RFC 3986 escaping: only letters, digits and `-._~` stay. */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function equal(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
