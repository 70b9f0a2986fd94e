import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, product, startWorld, type World, writeTree } from './support.ts';

const sha = '1'.repeat(40);
const called = (text: string) => `on:
  workflow_call:
jobs:
  a: {runs-on: ubuntu-24.04, steps: [{run: 'echo "OUT ${text} attempt \${{ github.run_attempt }}"'}]}
  b: {runs-on: ubuntu-24.04, steps: [{run: 'test -e "$MARKS/fixed"', env: {MARKS: MARKS_FOLDER}}]}
`;
let world: World;
let marks: string;
beforeAll(async () => {
  world = await startWorld({ product: {}, pace: { interrupt: 200, terminate: 200 } });
  marks = join(world.directory, 'marks');
  await mkdir(marks);
  await writeTree(join(world.directory, 'product'), {
    '.github/workflows/called.yml': called('old').replaceAll('MARKS_FOLDER', marks),
  });
});
afterAll(() => world.close());

const workflow = () => `on: push
jobs:
  passes:
    runs-on: ubuntu-24.04
    outputs: {when: "\${{ steps.x.outputs.when }}"}
    steps: [{id: x, run: 'echo "when=attempt \${{ github.run_attempt }}" >> "$GITHUB_OUTPUT"'}]
  call:
    uses: ${product}/.github/workflows/called.yml@${sha}
  matrix:
    strategy: {fail-fast: false, matrix: {v: [1, 2]}}
    runs-on: ubuntu-24.04
    steps: [{run: 'test \${{ matrix.v }} = 1 || test -e "${marks}/fixed"'}]
  depends:
    needs: [passes, matrix]
    runs-on: ubuntu-24.04
    steps: [{run: 'echo "OUT \${{ needs.passes.outputs.when }} in \${{ github.run_attempt }}, \${{ github.run_id }} \${{ github.sha }}"; ls -A "$HOME" .'}]
`;
const attempts = (run: RunRecord) => Object.fromEntries(run.jobs.map((job) => [job.name, job.attempt]));
const out = async (run: RunRecord, job: string) =>
  (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));

describe('running a run again', () => {
  let run: RunRecord;
  let jobIds: number[];

  test('first attempt: some jobs fail', async () => {
    run = await world.runWorkflow(workflow());
    expect(conclusions(run)).toEqual({
      passes: 'success',
      'call / a': 'success',
      'call / b': 'failure',
      'matrix (1)': 'success',
      'matrix (2)': 'failure',
      depends: 'skipped',
    });
    jobIds = run.jobs.map(({ id }) => id);
  });

  test('failed jobs: what passed is kept with its outputs, what depends on a failed job runs too', async () => {
    await writeFile(join(marks, 'fixed'), '');
    // The called workflow has changed meanwhile; a re-run of failed jobs uses what the first attempt used.
    await writeTree(join(world.directory, 'product'), {
      '.github/workflows/called.yml': called('new').replaceAll('MARKS_FOLDER', marks),
    });
    const before = { id: run.id, number: run.number, sha: run.sha };
    await world.github.runs.rerun(run.id, 'failed', 'grace');
    await world.github.runs.wait(run.id);
    expect(run).toMatchObject({
      ...before,
      attempt: 2,
      conclusion: 'success',
      actor: 'acme',
      triggeringActor: 'grace',
    });
    expect(attempts(run)).toEqual({
      passes: 1,
      'call / a': 1,
      'call / b': 2,
      'matrix (1)': 1,
      'matrix (2)': 2,
      depends: 2,
    });
    expect(await out(run, 'depends')).toEqual([`attempt 1 in 2, ${run.id} ${run.sha}`]);
    expect(run.previousAttempts).toMatchObject([{ attempt: 1, conclusion: 'failure' }]);
    const fresh = run.jobs.filter((job) => job.attempt === 2).map(({ id }) => id);
    expect(fresh.filter((id) => jobIds.includes(id))).toEqual([]);
    expect(new Set(run.jobs.map(({ id }) => id)).size).toBe(run.jobs.length);
  });

  test('all jobs: everything runs, and refs of called workflows are resolved anew', async () => {
    await world.github.runs.rerun(run.id, 'all');
    await world.github.runs.wait(run.id);
    expect(run.attempt).toBe(3);
    expect(new Set(Object.values(attempts(run)))).toEqual(new Set([3]));
    expect(await out(run, 'call / a')).toEqual(['new attempt 3']);
    const written = JSON.parse(
      await readFile(join(world.github.runs.directory(run.id), 'run.json'), 'utf8'),
    ) as RunRecord;
    expect(written.previousAttempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    // The first attempt's logs are still there.
    expect(await readFile(join(world.github.runs.directory(run.id), 'logs/attempt-1/call.a.log'), 'utf8')).toContain(
      'old attempt 1',
    );
  });

  test('what cannot be run again says why', async () => {
    await expect(world.github.runs.rerun(run.id, 'failed')).rejects.toThrow(/has no failed jobs/);
    await expect(world.github.runs.rerun(1, 'all')).rejects.toThrow(/There is no run 1/);
  });
});

test('a run cannot be run again while it goes on', async () => {
  const [run] = await world.push({
    '.github/workflows/test.yml': 'on: push\njobs:\n  one: {runs-on: ubuntu-24.04, steps: [{run: sleep 60}]}\n',
  });
  await expect(world.github.runs.rerun(run!.id, 'all')).rejects.toThrow(/has not ended/);
  world.github.runs.cancel(run!.id);
  await world.github.runs.wait(run!.id);
});
