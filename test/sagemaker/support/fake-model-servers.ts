import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelServers, RunningModelServer } from '../../../local/aws/core/context.ts';

type Start = Parameters<ModelServers['start']>[0];

export interface FakeModelServers extends ModelServers {
  started: Start[];
  running: (RunningModelServer & { die(reason: string): void })[];
  /** Set: the next starts fail with this reason. */
  failure: string | undefined;
  closeAll(): Promise<void>;
}

/** Real HTTP servers that answer with the number of their fleet, the content type and the body they got. */
export function createFakeModelServers(): FakeModelServers {
  let count = 0;
  const servers: FakeModelServers = {
    started: [],
    running: [],
    failure: undefined,
    check: () => [],
    async start(options) {
      servers.started.push(options);
      await options.credentials();
      if (servers.failure !== undefined) throw new Error(servers.failure);
      const number = ++count;
      const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          if (body === 'bad') {
            response.writeHead(415).end('cannot parse');
            return;
          }
          response
            .writeHead(200, {
              'content-type': 'text/csv',
              'X-Amzn-SageMaker-Custom-Attributes': String(request.headers['x-amzn-sagemaker-custom-attributes'] ?? ''),
            })
            .end(`${number},${request.headers['content-type']},${request.headers.accept},${body}`);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const ended = Promise.withResolvers<string>();
      const running = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        ended: ended.promise,
        die: (reason: string) => ended.resolve(reason),
        stop: () =>
          new Promise<void>((resolve) => {
            servers.running = servers.running.filter((each) => each !== running);
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
      servers.running.push(running);
      return running;
    },
    async closeAll() {
      await Promise.all(servers.running.map((server) => server.stop()));
    },
  };
  return servers;
}
