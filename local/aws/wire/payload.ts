/**
 * Bodies of S3 uploads: the signed hash, aws-chunked framing with signed chunks and trailers, and checksums
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html). Bodies pass as streams; the last piece is
 * held back until everything is verified, so that what lies behind never sees a complete wrong body.
 */
import { createHash, createHmac } from 'node:crypto';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import { checksum, checksumHeaders, type RunningChecksum } from './checksums.ts';
import { sha256 } from './sigv4.ts';

export interface PayloadSeed {
  signature: string;
  key: Uint8Array;
  timestamp: string;
  scope: string;
}

export interface PayloadOptions {
  /** x-amz-content-sha256 (or UNSIGNED-PAYLOAD for a presigned address, "" for an anonymous request). */
  declared: string;
  headers: Record<string, string>;
  seed: PayloadSeed | undefined;
}

export interface Payload {
  body: Readable | Uint8Array;
  /** Bytes of the decoded body. */
  length: number;
}

/** The verified, decoded body. Throws (or breaks the stream with) an AwsError. */
export function readPayload(body: Readable | Uint8Array, { declared, headers, seed }: PayloadOptions): Payload {
  const checks = checksumHeaders.flatMap((name): Check[] => {
    const expected = headers[name];
    return expected === undefined ? [] : [{ name, expected, running: checksum(name) }];
  });
  const isHash = /^[0-9a-f]{64}$/.test(declared);
  if (!isHash && !['UNSIGNED-PAYLOAD', ''].includes(declared) && !declared.startsWith('STREAMING-')) {
    throw new AwsError(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a SHA-256.',
      400,
    );
  }
  const encoding = headers['content-encoding'] ?? '';
  const isChunked = declared.startsWith('STREAMING-') || /(^|,)\s*aws-chunked\s*(,|$)/.test(encoding);
  const lengthHeader = isChunked ? headers['x-amz-decoded-content-length'] : headers['content-length'];
  const length = Number(lengthHeader ?? (body instanceof Uint8Array && !isChunked ? body.length : Number.NaN));
  if (Number.isNaN(length)) {
    if (headers['transfer-encoding'] === undefined && !isChunked) return { body: new Uint8Array(), length: 0 };
    throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  const verifier = new Verifier(checks, isHash ? declared : undefined, length);
  const stages: Transform[] = [];
  if (isChunked) stages.push(new ChunkDecoder(readScheme(declared, seed), headers['x-amz-trailer'], verifier));
  stages.push(verifier);
  let stream = body instanceof Readable ? body : Readable.from(body.length === 0 ? [] : [body]);
  for (const stage of stages) {
    const source = stream;
    source.on('error', (error) => stage.destroy(error));
    source.on('close', () => {
      if (!source.readableEnded && !source.errored) stage.destroy(new Error('The client closed the connection.'));
    });
    stream = source.pipe(stage);
  }
  return { body: stream, length };
}

interface Check {
  name: string;
  expected: string;
  running: RunningChecksum;
}

class Verifier extends Transform {
  readonly #checks: Check[];
  readonly #sha256: string | undefined;
  readonly #hash = createHash('sha256');
  readonly #length: number;
  #seen = 0;
  #held: Uint8Array | undefined;

  constructor(checks: Check[], declaredHash: string | undefined, length: number) {
    super();
    this.#checks = checks;
    this.#sha256 = declaredHash;
    this.#length = length;
  }

  /** A checksum that comes as a trailer is computed from the start and compared at the end. */
  expect(name: string): (expected: string) => void {
    const check = { name, expected: '', running: checksum(name) };
    this.#checks.push(check);
    return (expected) => {
      check.expected = expected;
    };
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#seen += chunk.length;
    for (const { running } of this.#checks) running.update(chunk);
    if (this.#sha256 !== undefined) this.#hash.update(chunk);
    const ready = this.#held;
    this.#held = chunk;
    callback(null, ready);
  }

  override _flush(callback: TransformCallback): void {
    if (this.#seen !== this.#length) {
      callback(
        new AwsError('IncompleteBody', `The body has ${this.#seen} bytes, not the announced ${this.#length}.`, 400),
      );
      return;
    }
    if (this.#sha256 !== undefined && this.#hash.digest('hex') !== this.#sha256) {
      callback(
        new AwsError(
          'XAmzContentSHA256Mismatch',
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          400,
        ),
      );
      return;
    }
    const wrong = this.#checks.find(({ expected, running }) => running.digest() !== expected);
    if (wrong !== undefined) {
      const what =
        wrong.name === 'content-md5' ? 'Content-MD5' : wrong.name.slice('x-amz-checksum-'.length).toUpperCase();
      callback(new AwsError('BadDigest', `The ${what} you specified did not match the calculated checksum.`, 400));
      return;
    }
    callback(null, this.#held);
  }
}

interface ChunkScheme {
  seed: PayloadSeed | undefined;
  hasTrailer: boolean;
}

function readScheme(declared: string, seed: PayloadSeed | undefined): ChunkScheme {
  switch (declared) {
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { seed: undefined, hasTrailer: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { seed, hasTrailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { seed, hasTrailer: true };
    default:
      throw new NotImplementedError(`the payload signature ${declared || 'of an unsigned aws-chunked body'}`);
  }
}

/** Header lines and trailers are short; a longer one is an attack or a mistake. */
const lineLimit = 4096;

class ChunkDecoder extends Transform {
  readonly #scheme: ChunkScheme;
  readonly #trailerName: string | undefined;
  readonly #setExpected: ((expected: string) => void) | undefined;
  #buffered: Buffer = Buffer.alloc(0);
  /** Bytes of the present chunk still to come; -1: a header line is next; -2: trailers. */
  #left = -1;
  #atLineEnd = false;
  #previous: string;
  #chunkSignature: string | undefined;
  #hash = createHash('sha256');
  #trailers = new Map<string, string>();

  constructor(scheme: ChunkScheme, trailer: string | undefined, verifier: Verifier) {
    super();
    this.#scheme = scheme;
    this.#previous = scheme.seed?.signature ?? '';
    this.#trailerName = trailer?.trim().toLowerCase();
    if (this.#trailerName !== undefined) {
      if (!checksumHeaders.includes(this.#trailerName)) {
        throw new NotImplementedError(`the trailer ${this.#trailerName}`);
      }
      this.#setExpected = verifier.expect(this.#trailerName);
    }
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
      while (this.#step()) {}
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: TransformCallback): void {
    try {
      if (this.#left !== -2) throw malformed('the body ends before its last chunk');
      if (this.#buffered.length > 0) this.#readTrailer(this.#buffered.toString('latin1'));
      this.#finishTrailers();
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  /** Consumes one line or one piece of data; false when more input is needed. */
  #step(): boolean {
    if (this.#left > 0) {
      if (this.#buffered.length === 0) return false;
      const piece = this.#buffered.subarray(0, this.#left);
      this.#buffered = this.#buffered.subarray(piece.length);
      this.#left -= piece.length;
      this.#hash.update(piece);
      this.push(piece);
      if (this.#left === 0) this.#atLineEnd = true;
      return true;
    }
    const end = this.#buffered.indexOf('\r\n');
    if (end < 0) {
      if (this.#buffered.length > lineLimit) throw malformed('a chunk header is too long');
      return false;
    }
    const line = this.#buffered.subarray(0, end).toString('latin1');
    this.#buffered = this.#buffered.subarray(end + 2);
    if (this.#left === -2) this.#readTrailer(line);
    else if (this.#atLineEnd) {
      if (line !== '') throw malformed('a chunk is longer than its header says');
      this.#atLineEnd = false;
      this.#endChunk();
      this.#left = -1;
    } else this.#readHeader(line);
    return true;
  }

  #readHeader(line: string): void {
    const [size = '', ...extensions] = line.split(';');
    if (!/^[0-9a-fA-F]+$/.test(size)) throw malformed(`"${line.slice(0, 40)}" is no chunk header`);
    this.#chunkSignature = extensions
      .find((text) => text.startsWith('chunk-signature='))
      ?.slice('chunk-signature='.length);
    this.#hash = createHash('sha256');
    this.#left = Number.parseInt(size, 16);
    if (this.#left === 0) {
      this.#endChunk();
      this.#left = -2;
    }
  }

  #endChunk(): void {
    const { seed } = this.#scheme;
    if (seed === undefined) return;
    const signature = createHmac('sha256', seed.key)
      .update(
        `AWS4-HMAC-SHA256-PAYLOAD\n${seed.timestamp}\n${seed.scope}\n${this.#previous}\n${sha256('')}\n${this.#hash.digest('hex')}`,
      )
      .digest('hex');
    if (signature !== this.#chunkSignature) throw mismatch();
    this.#previous = signature;
  }

  #readTrailer(line: string): void {
    if (line === '') return;
    const at = line.indexOf(':');
    if (at < 0) throw malformed(`"${line.slice(0, 40)}" is no trailer`);
    this.#trailers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }

  #finishTrailers(): void {
    const { seed, hasTrailer } = this.#scheme;
    if (this.#trailerName !== undefined) {
      const value = this.#trailers.get(this.#trailerName);
      if (value === undefined) throw malformed(`the announced trailer ${this.#trailerName} is missing`);
      this.#setExpected!(value);
    }
    if (seed === undefined || !hasTrailer) return;
    const lines = [...this.#trailers].filter(([name]) => name !== 'x-amz-trailer-signature');
    const text = lines.map(([name, value]) => `${name}:${value}\n`).join('');
    const signature = createHmac('sha256', seed.key)
      .update(`AWS4-HMAC-SHA256-TRAILER\n${seed.timestamp}\n${seed.scope}\n${this.#previous}\n${sha256(text)}`)
      .digest('hex');
    if (signature !== this.#trailers.get('x-amz-trailer-signature')) throw mismatch();
  }
}

function malformed(problem: string): AwsError {
  return new AwsError('InvalidRequest', `The aws-chunked body is malformed: ${problem}.`, 400);
}

function mismatch(): AwsError {
  return new AwsError('SignatureDoesNotMatch', 'The signature of a chunk does not match its content.', 403);
}
