/** What runs and listens: only on the loopback address, and nothing is left when the platform dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from '@jest/globals';
import { testPython } from '../support/platform.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;
let child: ChildProcess | undefined;
let directory: string | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** A platform in a process of its own, with moto started. */
async function startAlone(): Promise<{ pid: number; moto: number }> {
  directory = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-process-'));
  const python = await testPython();
  const program = `
    import { startPlatform } from ${JSON.stringify(join(import.meta.dirname, '../../local/platform.ts'))};
    const logger = { debug() {}, info() {}, warn() {} };
    const platform = await startPlatform({ stateDirectory: ${JSON.stringify(directory)}, python: { python: ${JSON.stringify(python)} }, logger });
    const { ListBucketsCommand } = await import('@aws-sdk/client-s3');
    await platform.administrator('111122223333').s3.send(new ListBucketsCommand({}));
    process.on('SIGTERM', async () => { await platform.close(); });
    console.log(JSON.stringify({ pid: process.pid, moto: platform.composition.motoPid() }));
  `;
  child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<{ pid: number; moto: number }>();
  createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line)));
  child.once('exit', (code) => reject(new Error(`the platform ended with ${code}`)));
  return promise;
}

/** A zombie has ended; it only waits for its parent to notice. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function ended(pids: number[]): Promise<boolean> {
  for (let wait = 0; wait < 100; wait++) {
    if (!pids.some(isAlive)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** Local addresses (hexadecimal, as the kernel prints them) of a process's listening sockets. */
function listeningAddresses(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        const link = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
        const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
        return inode === undefined ? [] : [inode];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? '') && (table.startsWith('udp') || fields[3] === '0A'))
      .map((fields) => fields[1]!.split(':')[0]!),
  );
}

onLinux('platform and moto listen on 127.0.0.1 only; SIGKILL of the platform ends moto too', async () => {
  const { pid, moto } = await startAlone();
  expect(listeningAddresses(pid)).toEqual(['0100007F']);
  expect(listeningAddresses(moto)).toEqual(['0100007F']);
  process.kill(pid, 'SIGKILL');
  expect(await ended([pid, moto])).toBe(true);
});

onLinux('an orderly end takes moto with it and removes the state file', async () => {
  const { pid, moto } = await startAlone();
  expect(existsSync(join(directory!, 'platform.json'))).toBe(true);
  process.kill(pid, 'SIGTERM');
  expect(await ended([pid, moto])).toBe(true);
  expect(existsSync(join(directory!, 'platform.json'))).toBe(false);
});
