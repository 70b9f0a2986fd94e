import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, startWorld, type World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ pace: { interrupt: 100, terminate: 100, cancelled: 1_000 } });
});
afterEach(() => world.close());

/** A job waits until somebody creates the file `go-NAME` in the world's folder. */
const waits = (concurrency: string, where: 'job' | 'workflow') => `on: push
${where === 'workflow' ? `concurrency: ${concurrency}\n` : ''}jobs:
  one:
    runs-on: ubuntu-24.04
${where === 'job' ? `    concurrency: ${concurrency}\n` : ''}    steps:
      - run: while ! test -e "${world.directory}/go-$GITHUB_RUN_NUMBER"; do sleep 0.02; done
`;

async function go(...runs: RunRecord[]): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  for (const run of runs) await writeFile(`${world.directory}/go-${run.number}`, '');
}

async function until(condition: () => boolean): Promise<void> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > 10_000) throw new Error('It did not happen.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const start = async (workflow: string) => (await world.push({ '.github/workflows/test.yml': workflow }))[0]!;
const running = (run: RunRecord) => until(() => run.jobs[0]?.status === 'in_progress');

describe.each(['workflow', 'job'] as const)('concurrency of a %s', (where) => {
  test('one runs, one waits, a newer one takes the place of the one that waits', async () => {
    const workflow = waits('Deploy', where);
    const first = await start(workflow);
    await running(first);
    const second = await start(workflow);
    await until(() => (where === 'workflow' ? second.status === 'pending' : second.jobs[0]?.status === 'pending'));
    // Names are compared without case.
    const third = await start(workflow.replace('Deploy', 'deploy'));
    await world.github.runs.wait(second.id);
    expect(second.conclusion).toBe('cancelled');
    expect(third.status).not.toBe('completed');
    expect(
      [...second.notes, ...second.jobs.flatMap(({ annotations }) => annotations.map(({ message }) => message))].join(),
    ).toContain('higher priority waiting request');
    await go(first, third);
    expect((await world.github.runs.wait(first.id)).conclusion).toBe('success');
    expect((await world.github.runs.wait(third.id)).conclusion).toBe('success');
    expect(third.jobs[0]!.startedAt! >= first.jobs[0]!.completedAt!).toBe(true);
  });

  test('cancel-in-progress ends the one that runs', async () => {
    const workflow = waits('{group: g, cancel-in-progress: true}', where);
    const first = await start(workflow);
    await running(first);
    const second = await start(workflow);
    expect((await world.github.runs.wait(first.id)).conclusion).toBe('cancelled');
    await go(second);
    expect((await world.github.runs.wait(second.id)).conclusion).toBe('success');
  });

  test('queue: max lets all of them wait', async () => {
    const workflow = waits('{group: g, queue: max}', where);
    const runs: RunRecord[] = [];
    for (let index = 0; index < 4; index++) runs.push(await start(workflow));
    await running(runs[0]!);
    await go(...runs);
    for (const run of runs) expect((await world.github.runs.wait(run.id)).conclusion).toBe('success');
    const times = runs.map((run) => [run.jobs[0]!.startedAt!, run.jobs[0]!.completedAt!] as const);
    for (let index = 1; index < 4; index++) expect(times[index]![0] >= times[index - 1]![1]).toBe(true);
  });
});

test('groups with the run id lock nothing, other groups do not meet', async () => {
  const workflow = waits('g-${{ github.run_id }}', 'workflow');
  const first = await start(workflow);
  const second = await start(workflow);
  await running(first);
  await running(second);
  await go(first, second);
  expect((await world.github.runs.wait(second.id)).conclusion).toBe('success');
  await world.github.runs.wait(first.id);
});

test('a job that waits for its group can be cancelled, and the group is free afterwards', async () => {
  const workflow = waits('g', 'job');
  const first = await start(workflow);
  await running(first);
  const second = await start(workflow);
  await until(() => second.jobs[0]?.status === 'pending');
  expect(world.events.some((event) => event.type === 'job-pending' && event.group === 'g')).toBe(true);
  world.github.runs.cancel(second.id);
  expect((await world.github.runs.wait(second.id)).conclusion).toBe('cancelled');
  await go(first);
  await world.github.runs.wait(first.id);
  const third = await start(workflow);
  await go(third);
  expect((await world.github.runs.wait(third.id)).conclusion).toBe('success');
});

test('a job that asks for the group of its own workflow is a deadlock, and said so', async () => {
  const run = await world.runWorkflow(
    'on: push\nconcurrency: same\njobs:\n  one:\n    concurrency: same\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
  );
  expect(conclusions(run)).toEqual({ one: 'cancelled' });
  expect(run.jobs[0]!.annotations[0]!.message).toContain('deadlock');
});

test('concurrency comes before the approval: who waits for a reviewer holds the group', async () => {
  world.github.createEnvironment('acme/abalone', { name: 'production', reviewers: ['grace'] });
  const workflow =
    'on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    environment: production\n    concurrency: deploy\n    steps: [{run: echo}]\n';
  const first = await start(workflow);
  await until(() => first.jobs[0]?.status === 'waiting');
  const second = await start(workflow);
  await until(() => second.jobs[0]?.status === 'pending');
  expect(world.github.runs.pendingDeployments(second.id)).toEqual([]);
  world.github.decide(first.id, 'production', 'approved', '', 'grace');
  await until(() => second.jobs[0]?.status === 'waiting');
  world.github.decide(second.id, 'production', 'approved', '', 'grace');
  expect((await world.github.runs.wait(second.id)).conclusion).toBe('success');
});
