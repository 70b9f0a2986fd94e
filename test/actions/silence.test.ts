/** A server that accepts a call and then says nothing: given up after a minute of silence, tried again, told; never waited for forever. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { region } from '../support/platform.ts';
import { runAction } from './support/action.ts';

const packageArn = `arn:aws:sagemaker:${region}:111122223333:model-package/abalone-p-0123456789ab/1`;
const factor = 100;
const half = `HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 1000\r\n\r\n{"a":`;

test.each<[string, (socket: Socket) => void]>([
  ['before the answer', () => {}],
  ['in the middle of the answer', (socket) => socket.write(half)],
])(
  'silence %s',
  async (_, answer) => {
    const lives: number[] = [];
    const server = createServer((socket) => {
      const began = performance.now();
      socket.on('error', () => {});
      socket.on('close', () => lives.push((performance.now() - began) * factor));
      socket.once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const result = await runAction('gate-model', undefined, {
      inputs: {
        'aws-region': region,
        'project-name': 'abalone',
        'project-id': 'p-0123456789ab',
        'model-package-arn': packageArn,
      },
      env: {
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        FAST_TIMERS: String(factor),
      },
      nodeOptions: ['--import', join(import.meta.dirname, 'support/fast-timers.mjs')],
    });
    await new Promise((resolve) => server.close(resolve));
    expect(result.code).toBe(1);
    expect(result.failures).toEqual([
      {
        code: 'NetworkError',
        region,
        resource: packageArn,
        cause:
          'sagemaker:DescribeModelPackage was not answered: the request socket timed out after 60000 ms of inactivity',
        hint: 'Re-run this job; it attaches to what was started',
      },
    ]);
    // As often as any broken connection is tried again, and a slow answer has its minute each time.
    expect(lives).toHaveLength(6);
    expect(Math.min(...lives)).toBeGreaterThan(55_000);
  },
  30_000,
);
