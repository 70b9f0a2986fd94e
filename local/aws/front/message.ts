import type { Readable } from 'node:stream';

/** A request as it came, from a socket or from a client in this process. */
export interface FrontRequest {
  method: string;
  /** The path as sent, still escaped, without the query. */
  path: string;
  /** The query as sent, without the question mark. */
  query: string;
  /** Names in lower case; repeated headers joined by commas. */
  headers: Record<string, string>;
  body: Readable | Uint8Array;
}

export interface FrontResponse {
  status: number;
  headers: Record<string, string>;
  body?: string | Uint8Array | Readable;
}

/** Injected fault: the connection breaks instead of an answer. */
export class ConnectionLost extends Error {
  constructor() {
    super('socket hang up');
    this.name = 'ConnectionLost';
  }
}

/** The platform is closing. An AbortError, so that clients of this process do not try again. */
export class PlatformClosed extends Error {
  constructor() {
    super('The local platform has closed.');
    this.name = 'AbortError';
  }
}

/** Reads a whole body. Throws AwsError-free RangeError beyond the limit (bytes), which the caller words. */
export async function readBody(body: Readable | Uint8Array, limit: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limit) throw new RangeError(`The request body is longer than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
