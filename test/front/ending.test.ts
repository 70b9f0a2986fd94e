/** moto is a process of its own: neither a platform that could not be put together nor a call after the end leaves one behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { compose } from '../../local/aws/control/compose.ts';
import { createClock } from '../../local/aws/core/platform-clock.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import { createMoto } from '../../local/aws/moto/process.ts';
import { testPython } from '../support/platform.ts';

const logger = { debug: () => {}, info: () => {}, warn: () => {} };
const onLinux = process.platform === 'linux' ? test : test.skip;

/** Children of this process that run moto. */
function motos(): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return (
        readFileSync(`/proc/${entry}/status`, 'utf8').includes(`PPid:\t${process.pid}\n`) &&
        readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('moto/server.py')
      );
    } catch {
      return false;
    }
  });
}

test('a call after the end is refused and starts no process', async () => {
  const clock = createClock({ mode: 'at-once' }, Date.now, () => false);
  const moto = createMoto({ python: await testPython(), clock, logger });
  moto.prewarm();
  expect(moto.pid).toBeGreaterThan(0);
  await moto.close();
  const late = { service: 's3', account: '111122223333', region: 'eu-west-1', method: 'GET', path: '/', query: '' };
  await expect(moto.send({ ...late, headers: {}, body: new Uint8Array() })).rejects.toThrow('platform has closed');
  expect(moto.pid).toBeUndefined();
  clock.close();
});

onLinux('a platform that cannot be put together ends what it had started', async () => {
  const before = motos();
  const impossible = undefined as unknown as string;
  const composing = compose({
    world: defaultWorld,
    stateDirectory: impossible,
    python: await testPython(),
    logger,
    endpointUrl: () => 'http://127.0.0.1:1',
    enforcement: 'enforce',
    prewarm: true,
  });
  await expect(composing).rejects.toThrow('path');
  expect(motos()).toEqual(before);
});
