/** SIGKILL right after a call of cleanup, then the same run again: the same end as without, and nothing else touched. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CallLogEntry } from '../../local/aws/front/call-log.ts';
import { until } from '../deploy/support/stage.ts';
import { type Approvals, remove, startApprovals } from './support/cleanup.ts';
import { mine, other, type Projects, seed, startProjects } from './support/projects.ts';
import { linesOf, staying, sweep } from './support/sweep.ts';

/** A removal of one stage makes 82 calls, of which the first 55 only look; some of them always, all of them with TEST_FULL. */
const full = process.env['TEST_FULL'] !== undefined;
const beyond = 90;
const sampled = full ? Array.from({ length: beyond }, (_, index) => index + 1) : [40, 56, 66];
/** Calls that come near the end of such a run, by name, in the order in which they are made. */
const sampledByName: [operation: string, nth: number][] = [
  ['logs:DeleteLogStream', 2],
  ['sagemaker:DeletePipeline', 1],
  ['s3:DeleteObjects', 1],
];
/**
 * The calls of delete-project and delete-roles, which come last; each needs a project of its own. Stacks are deleted in this order: four
 * with the roles of jobs, the project, one in each of three targets, and the one with the role that cleanup itself runs in.
 */
const lastCalls: [operation: string, nth: number][] = [
  ['sagemaker:DeleteModelPackageGroupPolicy', 1],
  ['sagemaker:DeleteModelPackageGroup', 1],
  ['kms:ScheduleKeyDeletion', 1],
  ['s3:DeleteBucket', 1],
  ...Array.from({ length: 9 }, (_, index): [string, number] => ['cloudformation:DeleteStack', index + 1]),
];
const sampledLast = full ? lastCalls : lastCalls.filter(([, nth]) => nth === 7);
/** After this one, nobody can assume the role for a run again: CloudFormation ends alone. */
const lastStack = 9;

let projects: Projects;
let approvals: Approvals;
/** Calls of a removal that nobody kills; only counted for the whole list. */
let unkilled = 0;

beforeAll(async () => {
  approvals = await startApprovals();
  projects = await startProjects();
  await seed(projects, other, { stages: ['staging'] });
  if (!full) return;
  await seed(projects, mine, { stages: ['staging'] });
  const since = projects.world.platform.calls.next;
  expect((await remove(projects, approvals, { runId: '94000' })).failures).toEqual([]);
  unkilled = callsOfCleanup(projects, since).length;
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
});

/** Calls of the action itself that have been answered. */
function callsOfCleanup({ world }: Projects, since: number): CallLogEntry[] {
  return world
    .calls({ since })
    .filter(
      ({ principal, operation, status }) =>
        status !== null && (/-(ci-)?cleanup\//.test(principal) || operation === 'sts:AssumeRoleWithWebIdentity'),
    );
}

/** Kills the child as soon as cleanup's own calls since `since` satisfy `enough`. */
function killWhen(on: Projects, since: number, enough: (calls: CallLogEntry[]) => boolean) {
  return (child: ChildProcess) => {
    const watch = setInterval(() => {
      if (!enough(callsOfCleanup(on, since))) return;
      child.kill('SIGKILL');
      clearInterval(watch);
    }, 1);
    child.on('close', () => clearInterval(watch));
  };
}

async function killAndGoOn(
  on: Projects,
  runId: string,
  inputs: Record<string, string>,
  enough: (calls: CallLogEntry[]) => boolean,
  /** The run after it finds its role gone, or going. */
  ends = false,
): Promise<{ killed: boolean; left: string[] }> {
  const { execution } = await seed(on, mine, { stages: ['staging'] });
  const before = await sweep(on.world);
  const owned = new Set(linesOf(before, mine, [execution]));
  const since = on.world.platform.calls.next;
  const killed = await remove(on, approvals, { runId, inputs, onStart: killWhen(on, since, enough) });
  const again = await remove(on, approvals, { runId, inputs, attempt: 2 });
  if (ends) {
    await until(
      () => sweep(on.world),
      (lines) => linesOf(lines, mine, [execution]).every((line) => line.includes(' key ')),
      'the end of the last stack',
    );
  } else {
    expect(again.failures).toEqual([]);
    expect(['', 'none']).toContain(again.outputs['status']);
  }
  const after = await sweep(on.world);
  expect(after.filter((line) => !linesOf([line], mine, [execution]).length)).toEqual(
    before.filter((line) => !owned.has(line)),
  );
  return { killed: killed.signal === 'SIGKILL', left: linesOf(after, mine, [execution]) };
}

describe('killed after call', () => {
  test.each(sampled)('%i', async (call) => {
    const { killed, left } = await killAndGoOn(projects, String(94_000 + call), {}, (calls) => calls.length >= call);
    expect(left.filter((line) => !staying.test(line))).toEqual([]);
    // A case whose run had ended before the kill tests nothing: the sample must stay below that, and the whole list reach it.
    // With the last few calls the run may end while the kill is on its way.
    if (!full || call <= unkilled - 4) expect(killed).toBe(true);
    if (call === beyond) expect({ killed, reached: beyond > unkilled }).toEqual({ killed: false, reached: true });
  });

  test.each(sampledByName)('%s, call %i', async (operation, nth) => {
    const runId = String(94_500 + sampledByName.findIndex(([name]) => name === operation));
    const { killed, left } = await killAndGoOn(
      projects,
      runId,
      {},
      (calls) => calls.filter((call) => call.operation === operation).length >= nth,
    );
    expect(killed).toBe(true);
    expect(left.filter((line) => !staying.test(line))).toEqual([]);
  });
});

describe('cancelled while instances are removed', () => {
  test.each(['detach', 'stop'])('on-cancel: %s', async (choice) => {
    const { execution } = await seed(projects, mine, { stages: ['staging'] });
    await projects.world.control('POST', 'faults', {
      operation: 'sagemaker:DeleteEndpoint',
      effect: { kind: 'delay', after: 'PT1S' },
    });
    const since = projects.world.platform.calls.next;
    const run = { runId: choice === 'stop' ? '96001' : '96002', inputs: { 'on-cancel': choice } };
    const cancelled = await remove(projects, approvals, {
      ...run,
      onLine: (line, child) => {
        if (line.startsWith('Removing 1 instances')) child.kill('SIGINT');
      },
    });
    expect(cancelled.code).toBe(130);
    expect(cancelled.failures).toMatchObject([{ code: 'Cancelled', resource: expect.stringMatching(/^sm-9600/) }]);
    expect(cancelled.outputs['status']).toBe(choice === 'stop' ? 'failed' : 'still-running');
    const stops = projects.world.calls({ since, operation: 'cloudformation:StopStackSetOperation' });
    expect(stops).toHaveLength(choice === 'stop' ? 1 : 0);
    const again = await remove(projects, approvals, { ...run, attempt: 2 });
    expect(again.failures).toEqual([]);
    const left = linesOf(await sweep(projects.world), mine, [execution]);
    expect(left.filter((line) => !staying.test(line))).toEqual([]);
  });
});

test('answers that get lost, throttling and broken connections change nothing', async () => {
  const { execution, retained } = await seed(projects, mine, { stages: ['staging'] });
  const lost = [
    'cloudformation:DeleteStackInstances',
    'cloudformation:DeleteStackSet',
    'sagemaker:DeletePipeline',
    'sagemaker:DeleteModelPackage',
    'logs:DeleteLogGroup',
    'logs:DeleteLogStream',
    's3:DeleteObjects',
  ];
  for (const operation of lost)
    await projects.world.control('POST', 'faults', { operation, effect: { kind: 'lost-response' } });
  // By name: the others are CloudFormation's.
  for (const [operation, member] of [
    ['sagemaker:DeleteModel', 'ModelName'],
    ['sagemaker:DeleteEndpointConfig', 'EndpointConfigName'],
  ])
    await projects.world.control('POST', 'faults', {
      operation,
      match: { [member!]: retained },
      effect: { kind: 'lost-response' },
    });
  for (const operation of ['sagemaker:ListTags', 's3:ListObjectVersions', 'cloudformation:DescribeStackSet'])
    await projects.world.control('POST', 'faults', { operation, effect: { kind: 'throttle' } });
  await projects.world.control('POST', 'faults', { operation: 'sts:AssumeRole', effect: { kind: 'reset' } });
  const result = await remove(projects, approvals, { runId: '97001' });
  expect(result.failures).toEqual([]);
  expect(result.outputs['status']).toBe('');
  expect(linesOf(await sweep(projects.world), mine, [execution]).filter((line) => !staying.test(line))).toEqual([]);
  const { faults } = await projects.world.control('GET', 'faults');
  expect(faults.filter(({ hits }: { hits: number }) => hits === 0)).toEqual([]);
});

describe('killed after the last', () => {
  test.each(sampledLast)('%s, call %i', async (operation, nth) => {
    const own = full ? await startProjects() : projects;
    try {
      const inputs = { 'delete-project': 'true', 'delete-roles': 'true' };
      const ends = operation === 'cloudformation:DeleteStack' && nth === lastStack;
      const { killed, left } = await killAndGoOn(
        own,
        '95001',
        inputs,
        (calls) => calls.filter((call) => call.operation === operation).length >= nth,
        ends,
      );
      expect(killed).toBe(true);
      expect(left.filter((line) => !/ key .* PendingDeletion$/.test(line))).toEqual([]);
    } finally {
      if (full) await own.close();
    }
  });
});
