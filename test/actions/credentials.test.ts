/** Waits that outlive credentials: hours of the platform's by-hand clock on sessions of fifteen minutes. */
import { join } from 'node:path';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterEach, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionRun, runAction } from './support/action.ts';
import { registerPackage } from './support/packages.ts';
import { base, project, root, startWorld, type World } from './support/world.ts';

let world: World;
afterEach(async () => {
  await world?.close();
});

const handClock = (): Pick<ActionRun, 'nodeOptions' | 'env'> => ({
  nodeOptions: ['--import', join(root, 'test/actions/support/hand-clock.mjs')],
  env: { HAND_CLOCK_URL: world.url, HAND_CLOCK_TOKEN: world.token },
});

test('five hours of training on sessions of 900 seconds: no call is ever refused', async () => {
  world = await startWorld();
  await world.control('POST', 'clock', { mode: 'by-hand' });
  await world.control('POST', 'durations', { operation: 'sagemaker:CreateTrainingJob', seconds: 5 * 3_600 });
  const since = world.calls().at(-1)?.seq ?? 0;
  const result = await runAction('run-pipeline', world, {
    environment: 'build',
    inputs: {
      'aws-region': region,
      'project-name': project.name,
      'project-id': project.id,
      'role-to-assume': world.role('ci-build'),
      'role-duration-seconds': '900',
      'timeout-minutes': '6000',
    },
    ...handClock(),
  });
  expect(result.stdout + result.stderr).not.toContain('::error');
  expect(result.code).toBe(0);
  const own = world.calls({ since }).filter(({ principal }) => principal.includes('-ci-build/'));
  expect(own.filter(({ error }) => /Expired/.test(error ?? ''))).toEqual([]);
  const [first, last] = [own.at(0)!, own.at(-1)!];
  // Longer when this machine is slow: the clock moves while real processes run.
  const hours = (Date.parse(last.at) - Date.parse(first.at)) / 3_600_000;
  expect(hours).toBeGreaterThan(5);
  // Each session is renewed five minutes early, so it serves ten minutes: six tokens an hour.
  expect(world.minted()).toBeGreaterThanOrEqual(Math.floor(hours * 6 * 0.9));
  expect(world.minted()).toBeLessThanOrEqual(Math.ceil(hours * 6) + 2);
  // Twenty seconds between two looks once it takes long: about three a minute.
  const looks = own.filter(({ operation }) => operation === 'sagemaker:DescribePipelineExecution');
  expect(looks.length).toBeLessThan(hours * 60 * 4);
});

test('a session that AWS ends early is renewed and the call repeated', async () => {
  world = await startWorld();
  const { arn } = await registerPackage(world);
  await world.control('POST', 'faults', {
    operation: 'sagemaker:UpdateModelPackage',
    nth: 1,
    times: 1,
    effect: { kind: 'expire-credentials' },
  });
  const result = await runAction('gate-model', world, {
    environment: 'model-approval',
    workspace: join(root, 'seed-code'),
    inputs: { 'aws-region': region, 'role-to-assume': world.role('ci-gate'), 'model-package-arn': arn },
  });
  expect(result.stdout + result.stderr).not.toContain('::error');
  expect(result.outputs['approval-status']).toBe('Approved');
  expect(world.minted()).toBe(2);
});

test('a chain of roles: the last one acts, each link is renewed', async () => {
  world = await startWorld();
  const { arn } = await registerPackage(world);
  const { iam } = world.administrator(accounts.development);
  const roleName = 'second-hop';
  await iam.send(
    new CreateRoleCommand({
      RoleName: roleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: world.role('ci-gate') }, Action: 'sts:AssumeRole' }],
      }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: roleName,
      PolicyName: 'read',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sagemaker:DescribeModelPackage',
            Resource: `arn:aws:sagemaker:${region}:${accounts.development}:model-package/${base}/*`,
          },
        ],
      }),
    }),
  );
  const result = await runAction('gate-model', world, {
    environment: 'model-approval',
    workspace: join(root, 'seed-code'),
    inputs: {
      'aws-region': region,
      'role-to-assume': world.role('ci-gate'),
      'role-chain': `arn:aws:iam::${accounts.development}:role/${roleName}`,
      'model-package-arn': arn,
    },
  });
  // It may describe the package and nothing else: the next call is refused, in the name of the second role.
  expect(result.failures.map(({ code }) => code)).toEqual(['AccessDenied']);
  const described = world.calls({ operation: 'sagemaker:DescribeModelPackage' }).at(-1);
  expect(described?.principal).toContain(`assumed-role/${roleName}/gha-77001-1-build`);
});
