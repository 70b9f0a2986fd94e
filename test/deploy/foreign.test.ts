/** boto3 beside the action: it sees the operation in mid-flight, and in the end what the action reports. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pythonEnvironment } from '../../local/python/index.ts';
import { runAction } from '../actions/support/action.ts';
import { startWorld, type World } from '../actions/support/world.ts';
import { accounts, testPython } from '../support/platform.ts';
import {
  gatedPackage,
  type LinearServers,
  linearServers,
  setName,
  stageInputs,
  stageWorkspace,
} from './support/fixture.ts';

let world: World;
let servers: LinearServers;

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
}, 120_000);
afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});

async function seenByBoto3(): Promise<any> {
  const credentials = await world.credentials(accounts.development);
  const script = join(import.meta.dirname, 'stack_set.py');
  const env = { ...pythonEnvironment(), ...world.environment(credentials) };
  const { stdout } = await promisify(execFile)(await testPython(), [script, setName('production')], { env });
  return JSON.parse(stdout);
}

test('RUNNING, with one account at work and one that waits; then the same end as the action says', async () => {
  const arn = await gatedPackage(world);
  const release = servers.hold();
  let midFlight: Promise<any> | undefined;
  const result = await runAction('deploy-stack-set', world, {
    inputs: stageInputs(world, 'production', arn),
    environment: 'production',
    workspace: stageWorkspace((_, text) => text.replace('max-concurrent-count: 10', 'max-concurrent-count: 1')),
    onLine(line) {
      if (line.startsWith('Started create')) midFlight = seenByBoto3().finally(release);
    },
  });
  const during = await midFlight;
  expect(during.operation).toBe('RUNNING');
  expect(Object.values(during.results).sort()).toEqual(['PENDING', 'RUNNING']);
  expect(
    Object.values(during.instances)
      .map(([status, detail]: any) => [status, detail])
      .sort(),
  ).toEqual([
    ['OUTDATED', 'PENDING'],
    ['OUTDATED', 'RUNNING'],
  ]);

  expect(result.failures).toEqual([]);
  const after = await seenByBoto3();
  expect([after.operation, [after.id]]).toEqual(['SUCCEEDED', JSON.parse(result.outputs['operation-ids']!)]);
  expect(
    Object.entries(after.instances).map(([account, [status, detail, stack]]: any) => ({
      account,
      region: 'eu-west-1',
      status: detail === 'SUCCEEDED' ? status : detail,
      stack,
    })),
  ).toEqual(JSON.parse(result.outputs['instances']!));
});
