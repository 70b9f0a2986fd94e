import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Approvals, plan, remove, startApprovals } from './support/cleanup.ts';
import { mine, other, type Projects, type Seeded, seed, startProjects } from './support/projects.ts';
import { linesOf, sweep } from './support/sweep.ts';

let projects: Projects;
let approvals: Approvals;
let seeded: Seeded;

beforeAll(async () => {
  approvals = await startApprovals();
  let t = performance.now();
  projects = await startProjects();
  console.log('start', performance.now() - t);
  t = performance.now();
  await seed(projects, other);
  seeded = await seed(projects, mine);
  console.log('seed', performance.now() - t);
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
});

test('try', async () => {
  const before = await sweep(projects.world);
  console.log(before.join('\n'));
  const planned = await plan(projects, approvals);
  console.log(planned.stdout, planned.stderr, planned.milliseconds);
  const removed = await remove(projects, approvals, { inputs: { 'delete-project': 'true', 'delete-roles': 'true' } });
  console.log(removed.stdout, removed.stderr, removed.milliseconds, removed.summary);
  console.log((await sweep(projects.world)).join('\n'));
  console.log(linesOf(await sweep(projects.world), mine, [seeded.execution]));
  expect(1).toBe(1);
}, 60_000);
