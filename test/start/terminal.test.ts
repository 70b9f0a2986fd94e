/** Who decides: a person at a terminal, or the local reviewer where there is none; and how the command ends then. */
import { spawn } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import { pythonEnvironment } from '../../local/python/index.ts';
import { testPython } from '../support/platform.ts';
import { processTree, root, runCli, survivors, temporaryState } from './support.ts';

const states: string[] = [];
afterAll(() => {
  for (const state of states) rmSync(state, { recursive: true, force: true });
});
function state(): string {
  const folder = temporaryState();
  states.push(folder);
  return folder;
}

/** The records of the runs, which the platform keeps on disk: a look at them costs no process, as asking for the status would. */
function runs(folder: string): { name: string; status: string }[] {
  return globSync('github/runs/*/run.json', { cwd: folder }).flatMap((file) => {
    try {
      return [JSON.parse(readFileSync(join(folder, file), 'utf8'))];
    } catch {
      // It is being written.
      return [];
    }
  });
}

async function until(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 90_000; !done(); await wait(100)) {
    if (Date.now() > end) throw new Error('It did not come to that.');
  }
}

test('a person who refuses sees what it is about; nothing goes to production, and the package says who refused', async () => {
  const folder = state();
  const command = [process.execPath, join(root, 'cli/bin.mjs'), 'start', '--port', '0'];
  const steps = [
    // An Enter without a choice: No stands selected.
    ['Approve production / Deploy to production', '\r'],
    ['Ctrl-C ends it', ''],
  ];
  const person = spawn(
    await testPython(),
    [join(import.meta.dirname, 'at_a_terminal.py'), JSON.stringify(steps), ...command],
    {
      cwd: root,
      env: { ...pythonEnvironment(), SAGEMAKER_MLOPS_STATE: folder, NO_COLOR: '1', TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: person.stdout! })[Symbol.asyncIterator]();
  const { pid } = JSON.parse((await lines.next()).value!) as { pid: number };
  await until(() => runs(folder).some(({ name, status }) => name === 'Model' && status === 'completed'));
  const { output } = await runCli(['status'], folder);
  expect(output).toMatch(/1\s+Approved[\s\S]*Model\s+push\s+failure/);
  expect(output).toMatch(/Production\/Rejected/);
  const tree = processTree(pid);
  // The endpoint of staging runs in a process of its own.
  expect(tree.length).toBeGreaterThan(2);
  process.kill(pid, 'SIGINT');
  const { shown, code, left } = JSON.parse((await lines.next()).value!) as {
    shown: string;
    code: number;
    left: unknown[];
  };
  expect(left).toEqual([]);
  expect(code).toBe(130);
  expect(await survivors(tree, 5_000)).toEqual([]);
  const asked = shown.slice(0, shown.indexOf('Approve production'));
  expect(asked).toMatch(/package\s+version 1\s+none/);
  expect(asked).toMatch(/mse\s+4\.7201\s+-/);
  expect(asked).toContain('would go to 777788889999, 888899990000 in eu-west-1');
  expect(shown).toMatch(/production rejected by local-reviewer: refused at the terminal/);
  expect(shown).toMatch(/run\s+failure in/);
  expect(shown).not.toContain('-production  InService');
  expect(shown).toMatch(/Ended\. The project stays in .*\s+"npm start" begins anew, "npm start -- --keep" goes on/);
}, 120_000);

describe('without a terminal', () => {
  const folder = state();

  test('the local reviewer approves, which is said; --once ends with 0', async () => {
    const { code, output } = await runCli(['start', '--once', '--port', '0'], folder);
    expect(output).toContain(
      'production approved by local-reviewer: approved by the local reviewer (no terminal to ask at)',
    );
    for (const account of ['444455556666  staging', '777788889999  production-1', '888899990000  production-2'])
      expect(output).toMatch(
        new RegExp(`${account}\\s+eu-west-1\\s+abalone-p-[0-9a-f]{12}-\\w+\\s+InService\\s+\\d+ ms`),
      );
    expect(code).toBe(0);
  }, 120_000);

  test('a run that fails ends --once with 1, and the terminal says why', async () => {
    const rules = join(folder, 'project/model-build/gate.yml');
    const text = readFileSync(rules, 'utf8');
    writeFileSync(rules, text.replace('limit: 6.0', 'limit: 3.5'));
    const { code, output } = await runCli(['start', '--once', '--yes', '--keep', '--port', '0'], folder);
    expect(output).toMatch(/gate \/ Judge the model .*failure/);
    expect(output).toMatch(/mse 4\.72\d* is not <= 3\.5/);
    expect(output).toMatch(/approval\s+Rejected: Gate missed/);
    expect(output).not.toContain('InService');
    expect(code).toBe(1);
  }, 120_000);
});
