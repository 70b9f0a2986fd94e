import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, isAlive, product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;

/** Says which signals arrive and when, and only ends when it is told to. */
const stubborn = `
const start = Date.now();
const { spawn } = require('node:child_process');
const child = spawn('sleep', ['300'], { stdio: 'ignore' });
console.log('OUT child', child.pid);
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => {
  console.log('OUT', name, Date.now());
  require('node:fs').appendFileSync(process.env.GITHUB_OUTPUT, name.toLowerCase() + '=seen\\n');
  if (process.env.INPUT_UNTIL === name) process.exit(0);
});
console.log('OUT ready');
setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  world = await startWorld({
    pace: { minute: 60_000, interrupt: 800, terminate: 300, cancelled: 2_500 },
    product: {
      'actions/stubborn/action.yml':
        'name: stubborn\ndescription: x\ninputs: {until: {description: x}}\nruns: {using: node24, main: main.js, post: post.js}\n',
      'actions/stubborn/main.js': stubborn,
      'actions/stubborn/post.js': 'console.log("OUT post");',
    },
  });
});
afterAll(() => world.close());

async function out(run: RunRecord, job?: string): Promise<string[]> {
  return (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
}

/** Starts a workflow and resolves once a job has printed `text`. */
async function startUntil(workflow: string, text: string, job?: string): Promise<RunRecord> {
  const seen = new Promise<void>((resolve) => {
    const stop = world.github.subscribe((event) => {
      if (event.type !== 'log' || event.line !== text || (job !== undefined && event.job.name !== job)) return;
      stop();
      resolve();
    });
  });
  const [run] = await world.push({ '.github/workflows/test.yml': workflow });
  await seen;
  return run!;
}

const job = (until: string, more = '') => `on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    outputs: {seen: "\${{ steps.it.outputs.sigint }}"}
    steps:
      - id: it
        uses: ${product}/actions/stubborn@${sha}
        with: {until: ${until}}
      - run: echo "OUT never"
      - if: cancelled()
        run: echo "OUT cancelled \${{ steps.it.outcome }} \${{ job.status }}"
      - if: failure()
        run: echo "OUT no failure"
      - if: always()
        run: echo "OUT always"
${more}`;

describe('cancelling a run', () => {
  test('SIGINT first; an action that ends on it is cancelled all the same, and its outputs count', async () => {
    const run = await startUntil(job('SIGINT'), 'OUT ready');
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    expect(run.conclusion).toBe('cancelled');
    const lines = (await out(run)).map((line) => line.replace(/\d+/, 'N'));
    expect(lines).toEqual(['child N', 'ready', 'SIGINT N', 'cancelled cancelled cancelled', 'always', 'post']);
    expect(world.job(run, 'one')).toMatchObject({ conclusion: 'cancelled', outputs: { seen: 'seen' } });
    expect(await isAlive(Number((await out(run))[0]!.split(' ')[1]))).toBe(false);
  });

  test('then SIGTERM after the pause, then the end of the whole tree', async () => {
    const run = await startUntil(job('never'), 'OUT ready');
    const start = Date.now();
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    const lines = await out(run);
    const at = (name: string) => Number(lines.find((line) => line.startsWith(name))!.split(' ')[1]);
    expect(at('SIGINT') - start).toBeLessThan(800);
    expect(at('SIGTERM') - at('SIGINT')).toBeGreaterThanOrEqual(500);
    expect(lines.slice(-3)).toEqual(['cancelled cancelled cancelled', 'always', 'post']);
    expect(await isAlive(Number(lines[0]!.split(' ')[1]))).toBe(false);
  });

  test('bash gets the signal, what it runs does not: the entry process only', async () => {
    const workflow = `on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          trap 'echo "OUT bash got it"' INT
          echo "OUT ready"
          python3 -c "
          import signal, time
          signal.signal(signal.SIGINT, lambda *_: print('OUT child got it', flush=True))
          for _ in range(10): time.sleep(0.05)
          print('OUT child ended by itself', flush=True)"
          echo "OUT bash ends"
`;
    const run = await startUntil(workflow, 'OUT ready');
    await new Promise((resolve) => setTimeout(resolve, 150));
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    expect(await out(run)).not.toContain('child got it');
    expect(run.conclusion).toBe('cancelled');
  });

  test('always() steps go on, but not for ever', async () => {
    const run = await startUntil(
      `on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - if: always()
        run: |
          echo "OUT ready"
          sleep 0.3
          echo "OUT not interrupted"
      - if: always()
        run: sleep 60
      - if: always()
        run: echo "OUT too late"
`,
      'OUT ready',
    );
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    expect(await out(run)).toEqual(['ready', 'not interrupted']);
    expect(run.conclusion).toBe('cancelled');
  });

  test('jobs that wait are skipped or cancelled, jobs with always() run', async () => {
    const run = await startUntil(
      job(
        'SIGINT',
        `  later: {needs: one, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  clean-up: {needs: one, if: always(), runs-on: ubuntu-24.04, steps: [{run: 'echo "OUT \${{ needs.one.result }}"'}]}
  when-cancelled: {needs: one, if: cancelled(), runs-on: ubuntu-24.04, steps: [{run: echo}]}
  unless-cancelled: {needs: one, if: "!cancelled()", runs-on: ubuntu-24.04, steps: [{run: echo}]}
`,
      ),
      'OUT ready',
    );
    world.github.runs.cancel(run.id);
    await world.github.runs.wait(run.id);
    expect(conclusions(run)).toEqual({
      one: 'cancelled',
      later: 'skipped',
      'clean-up': 'success',
      'when-cancelled': 'success',
      'unless-cancelled': 'skipped',
    });
    expect(await out(run, 'clean-up')).toEqual(['cancelled']);
    expect(run.conclusion).toBe('cancelled');
  });
});

test('when the process that runs workflows is killed, no process of a step is left', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'killed-'));
  const script = join(directory, 'run.ts');
  await writeFile(
    script,
    `
import { startWorld } from '${new URL('./support.ts', import.meta.url).pathname}';
const world = await startWorld();
world.github.subscribe((event) => { if (event.type === 'log' && event.line.startsWith('PID ')) console.log(event.line, world.directory); });
await world.push({ '.github/workflows/test.yml': 'on: push\\njobs:\\n  one:\\n    runs-on: ubuntu-24.04\\n    steps:\\n      - run: |\\n          sleep 300 &\\n          echo "PID $$ $!"\\n          wait\\n' });
`,
  );
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    const [, bash, sleep, scratch] = /^PID (\d+) (\d+) (\S+)/.exec(line)!;
    expect(await isAliveNow(Number(sleep))).toBe(true);
    child.kill('SIGKILL');
    expect(await isAlive(Number(bash))).toBe(false);
    expect(await isAlive(Number(sleep))).toBe(false);
    await rm(scratch!, { recursive: true, force: true });
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
});

async function isAliveNow(pid: number): Promise<boolean> {
  return new Promise((resolve) =>
    execFile('ps', ['-o', 'stat=', '-p', String(pid)], (_, stdout) => resolve(/^[^Z]/.test(stdout.trim()))),
  );
}

test('closing ends what runs and writes it down', async () => {
  const own = await startWorld();
  const ready = new Promise<void>((resolve) => {
    own.github.subscribe((event) => {
      if (event.type === 'log' && event.line === 'OUT ready') resolve();
    });
  });
  const [run] = await own.push({
    '.github/workflows/test.yml':
      'on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "OUT ready"; sleep 300\n',
  });
  await ready;
  const start = Date.now();
  await own.github.close();
  expect(Date.now() - start).toBeLessThan(5_000);
  const written = JSON.parse(await readFile(join(own.github.runs.directory(run!.id), 'run.json'), 'utf8')) as RunRecord;
  expect(written).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
  await expect(own.github.dispatchWorkflow('acme/abalone', 'test.yml', 'main')).rejects.toThrow();
  expect(await own.push({ x: '1' })).toEqual([]);
  expect(own.pushOutput).toContain('no workflow was started');
  await own.close();
});
