/** The one socket of the platform, on the loopback address only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConnectionLost, type FrontRequest, type FrontResponse, PlatformClosed } from './message.ts';

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface FrontServerOptions {
  /** 0 picks a free one. */
  port: number;
  aws: (request: FrontRequest) => Promise<FrontResponse>;
  /** Requests below a prefix ("/_local/", "/_github/", "/moto-api/") go to their own handler. */
  handlers: ReadonlyMap<string, NodeHandler>;
}

/** Resolves when it listens. Rejects with one sentence when the port is taken. */
export async function listen(options: FrontServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    serve(request, response, options).catch(() => response.destroy());
  });
  // The body may wait for a decision of the policies: the client sends it only when the back end reads it.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    serve(request, response, options).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await bind(server, options.port);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bind(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') {
      const message = `Port ${port} on 127.0.0.1 is in use; stop what listens there, or choose another: npm start -- --port 0 takes a free one.`;
      reject(Object.assign(new Error(message), { code: error.code }));
    } else if (error.code === 'EACCES') {
      const message = `Port ${port} may not be used by this user; choose one above 1023 with --port.`;
      reject(Object.assign(new Error(message), { code: error.code }));
    } else reject(error);
  });
  server.listen(port, '127.0.0.1', resolve);
  await promise;
}

async function serve(request: IncomingMessage, response: ServerResponse, options: FrontServerOptions): Promise<void> {
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  for (const [prefix, handler] of options.handlers) {
    if (path.startsWith(prefix)) return handler(request, response);
  }
  try {
    const answer = await options.aws({
      method: request.method ?? 'GET',
      path,
      query: query.join('?'),
      headers: joinHeaders(request.headers),
      body: request,
    });
    await send(answer, response);
  } catch (error) {
    if (!(error instanceof ConnectionLost || error instanceof PlatformClosed)) throw error;
    request.socket.destroy();
  }
}

async function send(answer: FrontResponse, response: ServerResponse): Promise<void> {
  if (answer.body instanceof Readable) {
    response.writeHead(answer.status, answer.headers);
    await pipeline(answer.body, response);
    return;
  }
  const body = answer.body === undefined ? Buffer.alloc(0) : Buffer.from(answer.body as Uint8Array);
  const headers = { ...answer.headers };
  // A HEAD answer tells the length of the object, not of the empty body.
  headers['content-length'] ??= String(body.length);
  response.writeHead(answer.status, headers);
  response.end(body);
}

function joinHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return joined;
}
