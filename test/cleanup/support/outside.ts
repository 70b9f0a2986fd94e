/** Looks at a world as nobody of the product does: boto3 through the front, boto3 past it at moto, and the maps in the front's memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { World } from '../../actions/support/world.ts';
import { accounts, region, testPython } from '../../support/platform.ts';

/** The port on which a process of this machine listens (Linux): moto's is told to nobody. */
export function listeningPort(pid: number): number {
  const sockets = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (state === '0A' && sockets.has(inode)) return Number.parseInt(local.split(':')[1] ?? '', 16);
  }
  throw new Error(`process ${pid} listens nowhere`);
}

/** Processes that a process has started and that live (Linux). */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
    .filter((child) => child !== '')
    .map(Number);
}

export interface Outside {
  /** "service:Operation" of everything that answered without input. */
  asked: string[];
  /** One per thing: where, which operation, and all that it said. */
  lines: string[];
}

/** boto3 asks everything in every account, in the world's region and in another one; `only` what answered before. */
export async function sweepFromOutside(world: World, only?: readonly string[]): Promise<Outside> {
  const { moto } = await world.control('GET', 'health');
  const keys = await Promise.all(
    Object.values(accounts).map(async (account) => {
      const { accessKeyId, secretAccessKey, sessionToken } = await world.credentials(account);
      return [account, { access: accessKeyId, secret: secretAccessKey, token: sessionToken }];
    }),
  );
  const { PYTHONDONTWRITEBYTECODE: _, PYTHONHOME: __, PYTHONPATH: ___, VIRTUAL_ENV: ____, ...env } = process.env;
  const child = spawn(await testPython(), [join(import.meta.dirname, 'sweep.py')], {
    env: { ...env, AWS_EC2_METADATA_DISABLED: 'true' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(
    JSON.stringify({
      endpoint: world.url,
      moto: `http://127.0.0.1:${listeningPort(moto)}`,
      regions: [region, 'us-east-1'],
      only,
      accounts: Object.fromEntries(keys),
    }),
  );
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw new Error(`sweep.py ended with ${code}: ${err.slice(-3_000)}`);
  return JSON.parse(out);
}

/** What an entry of a map says, with the keys of the maps in it; functions and cycles left out. */
function textOf(value: unknown): string {
  const seen = new Set<unknown>();
  return String(
    JSON.stringify(value, (_, each) => {
      if (typeof each === 'function' || typeof each === 'bigint') return undefined;
      if (each === null || typeof each !== 'object') return each;
      if (seen.has(each) || seen.size > 500) return undefined;
      seen.add(each);
      return each instanceof Map ? [...each.keys()].map(String) : each;
    }),
  );
}

export interface MapWatch {
  /** Entries of all maps that were made since the watch began and still live, as text, those that hold the pattern; sorted. */
  entriesWith(pattern: string): Promise<string[]>;
  stop(): void;
}

/**
 * Notes every map that is made from now on in this test's realm. All stores of the front are maps, so this is what it holds, whatever
 * its operations would list.
 */
export function watchMaps(): MapWatch {
  const Original = globalThis.Map;
  const made: WeakRef<Map<unknown, unknown>>[] = [];
  globalThis.Map = class Watched<Key, Value> extends Original<Key, Value> {
    constructor(entries?: Iterable<readonly [Key, Value]> | null) {
      super(entries ?? []);
      made.push(new WeakRef(this as never));
    }
  } as MapConstructor;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return {
    async entriesWith(pattern) {
      // What nobody holds any more is not held; a reference that was looked at lives to the end of its turn.
      for (let round = 0; round < 2; round += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        collect();
      }
      const found: string[] = [];
      for (const reference of made)
        for (const [key, value] of reference.deref() ?? []) {
          const line = `${textOf(key)} ${textOf(value)}`;
          if (line.includes(pattern)) found.push(line);
        }
      return found.sort();
    },
    stop() {
      globalThis.Map = Original;
    },
  };
}
