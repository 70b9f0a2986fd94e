/** Looks at a world as nobody of the product does: boto3 through the front, boto3 past it at moto, and the maps in the front's memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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

/** Runs inside the engine, over all maps: their entries as text, those that hold the pattern. */
const entriesWith = `function (pattern) {
  const isMap = (value) => Object.prototype.toString.call(value) === '[object Map]';
  const text = (value) => {
    const seen = new Set();
    return JSON.stringify(value, (_, each) => {
      if (typeof each === 'function' || typeof each === 'bigint') return undefined;
      if (each === null || typeof each !== 'object') return each;
      if (seen.has(each) || seen.size > 500) return undefined;
      seen.add(each);
      return isMap(each) ? [...each.keys()].map(String) : each;
    });
  };
  const found = [];
  for (const map of this.filter(isMap))
    for (const [key, value] of Map.prototype.entries.call(map)) {
      const line = text(key) + ' ' + text(value);
      if (line.includes(pattern)) found.push(line);
    }
  return found;
}`;

/**
 * Entries of every map that lives in this test's realm, as V8's heap has them. All stores of the front are maps, so this is what it
 * holds, whatever its operations would list.
 */
export async function heldInMemory(pattern: string): Promise<string[]> {
  const session = new Session();
  session.connect();
  try {
    const realms: { id: number; auxData: { isDefault: boolean } }[] = [];
    session.on('Runtime.executionContextCreated', ({ params }: any) => realms.push(params.context));
    await session.post('Runtime.enable');
    const marker = `realm${Math.random()}`;
    (globalThis as any)[marker] = true;
    const found: string[] = [];
    for (const { id } of realms) {
      const evaluate = (expression: string) => session.post('Runtime.evaluate', { expression, contextId: id });
      if ((await evaluate(`globalThis[${JSON.stringify(marker)}] === true`)).result.value !== true) continue;
      const { objectId: prototypeObjectId = '' } = (await evaluate('Map.prototype')).result;
      const { objects } = await session.post('Runtime.queryObjects', { prototypeObjectId });
      const answer = await session.post('Runtime.callFunctionOn', {
        objectId: objects.objectId!,
        functionDeclaration: entriesWith,
        arguments: [{ value: pattern }],
        returnByValue: true,
      });
      if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer.exceptionDetails));
      found.push(...answer.result.value);
    }
    return found.sort();
  } finally {
    session.disconnect();
  }
}
