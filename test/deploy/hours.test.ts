/** A deployment that takes hours of the platform's by-hand clock, on sessions of fifteen minutes. */
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runAction } from '../actions/support/action.ts';
import { root, startWorld, type World } from '../actions/support/world.ts';
import { gatedPackage, type LinearServers, linearServers, stageInputs, stageWorkspace } from './support/fixture.ts';
import { instancesOf, lastCall } from './support/stage.ts';

let world: World | undefined;
let servers: LinearServers | undefined;
afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});

test('no credential is ever refused, and a minute has six looks at most', async () => {
  world = await startWorld();
  servers = linearServers(world);
  const arn = await gatedPackage(world);
  await world.control('POST', 'clock', { mode: 'by-hand' });
  await world.control('POST', 'durations', { operation: 'sagemaker:CreateEndpoint', seconds: 2 * 3_600 });
  const since = lastCall(world);
  const result = await runAction('deploy-stack-set', world, {
    environment: 'production',
    workspace: stageWorkspace(),
    inputs: stageInputs(world, 'production', arn, { 'role-duration-seconds': '900', 'timeout-minutes': '600' }),
    nodeOptions: ['--import', join(root, 'test/actions/support/hand-clock.mjs')],
    env: { HAND_CLOCK_URL: world.url, HAND_CLOCK_TOKEN: world.token },
  });
  expect(result.failures).toEqual([]);
  expect(Object.values(await instancesOf(world, 'production'))).toEqual(['CURRENT SUCCEEDED', 'CURRENT SUCCEEDED']);
  const own = world.calls({ since, principal: '*ci-deploy-production*' });
  expect(own.filter(({ error }) => /Expired/.test(error ?? ''))).toEqual([]);
  const times = own
    .filter(({ operation }) => operation === 'cloudformation:DescribeStackSetOperation')
    .map(({ at }) => Date.parse(at));
  expect((times.at(-1)! - times[0]!) / 3_600_000).toBeGreaterThan(1.9);
  // The question whether the id is known is one more than the looks.
  const busiest = Math.max(
    ...times.map((start) => times.filter((time) => time >= start && time < start + 60_000).length),
  );
  expect(busiest).toBeLessThanOrEqual(7);
  expect(world.minted()).toBeGreaterThanOrEqual(11);
});
