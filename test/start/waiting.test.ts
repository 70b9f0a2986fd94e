/** A reviewer may think longer than any client's patience: `push` and `dispatch` follow a run however long nobody decides. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWorld, type World } from '../workflows/support.ts';
import { root, runCli, startCli } from './support.ts';

const workflow = `on: {push: {paths: ["model/**"]}, workflow_dispatch: {inputs: {why: {}}}}
jobs:
  production:
    runs-on: ubuntu-24.04
    environment: production
    steps: [{run: echo deployed}]
`;
/** The command's timers run so many times as fast, those of its HTTP client included; the reviewer thinks in real time. */
const factor = 100;
const minutes = 6;

let world: World;
let state: string;
beforeAll(async () => {
  world = await startWorld();
  world.github.createEnvironment('acme/abalone', { name: 'production', reviewers: ['grace'] });
  await world.push({ '.github/workflows/deploy.yml': workflow, 'model/rounds': '50' });
  for (const { id } of world.github.runs.list()) {
    await waiting(id);
    world.github.decide(id, 'production', 'rejected', 'not the one we follow', 'grace');
    await world.github.runs.wait(id);
  }
  state = world.directory;
  writeFileSync(
    join(state, 'platform.json'),
    JSON.stringify({
      port: Number(new URL(world.url).port),
      pid: process.pid,
      token: world.token,
      project: {
        name: 'abalone',
        id: 'p-0',
        repository: 'acme/abalone',
        directory: join(world.directory, 'clone'),
        region: 'eu-west-1',
        adminAccount: '111122223333',
      },
    }),
  );
});
afterAll(async () => {
  await world.close();
});

async function waiting(run: number): Promise<void> {
  for (let tries = 0; world.github.runs.pendingDeployments(run).length === 0; tries += 1) {
    if (tries > 500) throw new Error(`Nobody is asked about run ${run}.`);
    await wait(20);
  }
}

test.each([
  ['push', ['-m', 'Fewer rounds'], 'approved', 0],
  ['dispatch', ['deploy', '-f', 'why=again'], 'rejected', 1],
] as const)(
  '%s %j, undecided for six minutes, then %s',
  async (command, args, decision, code) => {
    writeFileSync(join(world.directory, 'clone/model/rounds'), command);
    const started = startCli([command, ...args], {
      state,
      nodeOptions: ['--import', join(root, 'test/actions/support/fast-timers.mjs')],
      env: { FAST_TIMERS: String(factor) },
    });
    await started.printed('production waits for a reviewer of production');
    await wait((minutes * 60_000) / factor);
    expect(started.child.exitCode).toBeNull();
    const [newest] = world.github.runs.list();
    world.github.decide(newest!.id, 'production', decision, 'thought about it', 'grace');
    expect((await started.ended).code).toBe(code);
    expect(started.output()).toMatch(
      code === 0
        ? /production approved by grace: thought about it[\s\S]*Succeeded\./
        : /production rejected by grace[\s\S]*Refused by grace: production stays as it is\. Next: "npx sagemaker-mlops status"/,
    );
    if (code === 0) return;
    const { output } = await runCli(['logs', '--failed'], state);
    expect(output).toMatch(/== production \(failure\)\n\(did not run: .*rejected by grace: thought about it/);
  },
  60_000,
);

test('Ctrl-C ends the following, not the run, and says so', async () => {
  const started = startCli(['dispatch', 'deploy'], { state });
  await started.printed('production waits for a reviewer of production');
  const [newest] = world.github.runs.list();
  started.child.kill('SIGINT');
  expect((await started.ended).code).toBe(130);
  expect(started.output()).toContain(`The run goes on: "npx sagemaker-mlops logs ${newest!.id}"`);
  const { output } = await runCli(['logs'], state);
  expect(output).toMatch(/== production \(waiting\)\n\(waits for a reviewer of production: answer in the terminal/);
  world.github.decide(newest!.id, 'production', 'approved', 'on it goes', 'grace');
  expect((await world.github.runs.wait(newest!.id)).conclusion).toBe('success');
}, 30_000);
