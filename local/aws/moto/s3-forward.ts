/** Requests to moto's S3 and its answers: what passes on, what ends here, and errors as AwsErrors. */
import { Readable } from 'node:stream';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import { type FrontRequest, type FrontResponse, readBody } from '../front/message.ts';
import { tag, unescapeXml } from '../policies/bucket-settings.ts';
import type { S3Request } from '../policies/s3-operations.ts';
import { checksum, checksumHeaders } from '../wire/checksums.ts';
import type { Payload } from '../wire/payload.ts';
import type { Moto, MotoResponse } from './process.ts';

/** XML bodies (settings, deletes, part lists) are read whole; 1,000 keys of 1,024 bytes fit. */
export const documentLimit = 4 * 1024 * 1024;
const hopHeaders = new Set([
  'connection',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'x-amzn-requestid',
  'x-amz-request-id',
]);

/** Sends a request on in the account that owns the bucket; `added` headers win over the client's. */
export async function forward(
  moto: Moto,
  { operation }: S3Request,
  request: FrontRequest,
  account: string,
  region: string,
  payload: Payload,
  added: Record<string, string>,
): Promise<FrontResponse> {
  const { body, length, checksums } = await withChecksum(payload, request.headers['x-amz-trailer']);
  const response = await moto.send({
    service: 's3',
    account,
    region,
    method: request.method,
    path: request.path,
    query: withoutSignature(request.query),
    headers: { ...forwardedHeaders(request.headers), 'content-length': String(length), ...checksums, ...added },
    body: length === 0 && !(body instanceof Readable) ? new Uint8Array() : body,
  });
  return toFront(response, operation);
}

export async function readDocument({ body, length }: Payload): Promise<Uint8Array> {
  if (length > documentLimit) throw new AwsError('MaxMessageLengthExceeded', 'Your request was too big.', 400);
  return readBody(body, documentLimit);
}

/** Checksums that moto computes itself when it is told the algorithm; for others it would compute CRC32 under their name. */
const computedByMoto = new Set(['x-amz-checksum-crc32', 'x-amz-checksum-sha1', 'x-amz-checksum-sha256']);
const bufferedLimit = 64 * 1024 * 1024;

/** A checksum that comes after the body must be told before it: by its algorithm or, where moto lacks that, by its value. */
async function withChecksum(
  payload: Payload,
  trailer: string | undefined,
): Promise<Payload & { checksums: Record<string, string> }> {
  const name = trailer?.trim().toLowerCase();
  if (name === undefined || !checksumHeaders.includes(name)) return { ...payload, checksums: {} };
  if (computedByMoto.has(name)) {
    return {
      ...payload,
      checksums: { 'x-amz-sdk-checksum-algorithm': name.slice('x-amz-checksum-'.length).toUpperCase() },
    };
  }
  if (payload.length > bufferedLimit)
    throw new NotImplementedError(`the trailer ${name} of a body above ${bufferedLimit} bytes`);
  const body = await readBody(payload.body, bufferedLimit);
  const running = checksum(name);
  running.update(body);
  return { body, length: body.length, checksums: { [name]: running.digest() } };
}

/** What moto needs to know; signature, framing and connection end here. */
function forwardedHeaders(headers: Record<string, string>): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (hopHeaders.has(name) || ['authorization', 'host', 'expect', 'content-length', 'x-amz-trailer'].includes(name))
      continue;
    if (
      ['x-amz-content-sha256', 'x-amz-security-token', 'x-amz-decoded-content-length', 'accept-encoding'].includes(name)
    )
      continue;
    forwarded[name] = value;
  }
  const attributes = forwarded['x-amz-object-attributes'];
  if (attributes !== undefined) forwarded['x-amz-object-attributes'] = attributes.replace(/\s/g, '');
  const encoding = (forwarded['content-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked');
  if (encoding.length > 0) forwarded['content-encoding'] = encoding.join(',');
  else delete forwarded['content-encoding'];
  return forwarded;
}

function withoutSignature(query: string): string {
  return query
    .split('&')
    .filter((pair) => !pair.startsWith('X-Amz-'))
    .join('&');
}

function toFront(response: MotoResponse, operation: string): FrontResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) if (!hopHeaders.has(name)) headers[name] = value;
  const isHead = operation === 'HeadObject' || operation === 'HeadBucket';
  if (isHead) response.body.resume();
  return { status: response.status, headers, ...(isHead ? {} : { body: response.body }) };
}

/** Headers of an error that tell about the object: a delete marker, its version, what may be done with it. */
const tellingHeaders = ['x-amz-delete-marker', 'x-amz-version-id', 'allow', 'etag', 'last-modified'];

class ForwardedError extends AwsError {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, response: FrontResponse, fields: Record<string, string>) {
    super(code, message, response.status, fields);
    const present = tellingHeaders.filter((name) => response.headers[name] !== undefined);
    this.headers = Object.fromEntries(present.map((name) => [name, response.headers[name]!]));
  }
}

/** What the status of an answer without a body means (HEAD). */
const codesByStatus: Record<number, string> = {
  304: 'NotModified',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
};

/** The error in moto's answer; a HEAD has no body, so its status must do. */
export async function errorOf(response: FrontResponse): Promise<AwsError> {
  const text =
    response.body instanceof Readable
      ? Buffer.from(await readBody(response.body, documentLimit)).toString('utf8')
      : String(response.body ?? '');
  const code = tag(text, 'Code') ?? codesByStatus[response.status];
  if (code === undefined) {
    return new AwsError('InternalError', `moto answered ${response.status}: ${text.slice(0, 300)}`, response.status);
  }
  const fields: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    if (!['Code', 'Message', 'RequestID', 'RequestId', 'HostId'].includes(name!)) fields[name!] = unescapeXml(value!);
  }
  return new ForwardedError(code, tag(text, 'Message') ?? '', response, fields);
}
