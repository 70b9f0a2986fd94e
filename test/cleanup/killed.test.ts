/** SIGKILL right after a call of cleanup, then the same run again: the same end as without, and nothing else touched. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CallLogEntry } from '../../local/aws/front/call-log.ts';
import { type Approvals, remove, startApprovals } from './support/cleanup.ts';
import { mine, other, type Projects, seed, startProjects } from './support/projects.ts';
import { linesOf, sweep } from './support/sweep.ts';

/** A removal of one stage makes about 70 calls; some of them always, all of them with TEST_FULL. */
const full = process.env['TEST_FULL'] !== undefined;
const sampled = full ? Array.from({ length: 75 }, (_, index) => index + 1) : [30, 46, 60];
/** The calls of delete-project and delete-roles, which come last; each needs a project of its own. */
const lastOperations = [
  'sagemaker:DeleteModelPackageGroupPolicy',
  'sagemaker:DeleteModelPackageGroup',
  'cloudformation:DeleteStack',
  'kms:ScheduleKeyDeletion',
  's3:DeleteBucket',
];
const sampledLast = full ? lastOperations : ['cloudformation:DeleteStack'];

let projects: Projects;
let approvals: Approvals;

beforeAll(async () => {
  approvals = await startApprovals();
  projects = await startProjects();
  await seed(projects, other, { stages: ['staging'] });
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
});

/** Kills the child as soon as cleanup's own calls since `since` satisfy `enough`. */
function killWhen({ world }: Projects, since: number, enough: (calls: CallLogEntry[]) => boolean) {
  return (child: ChildProcess) => {
    const watch = setInterval(() => {
      const own = world
        .calls({ since })
        .filter(
          ({ principal, operation, status }) =>
            status !== null && (/-(ci-)?cleanup\//.test(principal) || operation === 'sts:AssumeRoleWithWebIdentity'),
        );
      if (!enough(own)) return;
      child.kill('SIGKILL');
      clearInterval(watch);
    }, 1);
    child.on('close', () => clearInterval(watch));
  };
}

const staying = / (stack sagemaker-|bucket |group |key )/;

async function killAndGoOn(
  on: Projects,
  runId: string,
  inputs: Record<string, string>,
  enough: (calls: CallLogEntry[]) => boolean,
): Promise<{ killed: boolean; left: string[] }> {
  const { execution } = await seed(on, mine, { stages: ['staging'] });
  const before = await sweep(on.world);
  const owned = new Set(linesOf(before, mine, [execution]));
  const since = on.world.platform.calls.next;
  const killed = await remove(on, approvals, { runId, inputs, onStart: killWhen(on, since, enough) });
  const again = await remove(on, approvals, { runId, inputs, attempt: 2 });
  expect(again.failures).toEqual([]);
  expect(['', 'none']).toContain(again.outputs['status']);
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
    // A case whose run had ended before the kill tests nothing; the sample must stay below that.
    if (!full) expect(killed).toBe(true);
  });
});

describe('killed after the last', () => {
  test.each(sampledLast)('%s', async (operation) => {
    const own = full ? await startProjects() : projects;
    try {
      const inputs = { 'delete-project': 'true', 'delete-roles': 'true' };
      const { killed, left } = await killAndGoOn(own, '95001', inputs, (calls) =>
        calls.some((call) => call.operation === operation),
      );
      expect(killed).toBe(true);
      expect(
        left
          .filter((line) => !/ key (Disks of|Models .* PendingDeletion)/.test(line))
          .map((line) => line.split(' ')[2]?.replace(mine.base, 'N')),
      ).toEqual([
        'sagemaker-N-cleanup-role',
        'sagemaker-N-target-roles',
        'sagemaker-N-target-roles',
        'sagemaker-N-target-roles',
      ]);
    } finally {
      if (full) await own.close();
    }
  });
});
