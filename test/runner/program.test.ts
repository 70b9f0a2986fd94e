/** Programs of jobs: their exit, their end, and that nothing of them is left, however the platform ends. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { detectOptMl, type OptMl } from '../../local/runner/opt-ml.ts';
import { type ProgramOptions, type RunningProgram, startProgram } from '../../local/runner/program.ts';
import { testPython } from '../support/platform.ts';

let python: string;
let optMl: OptMl;
let folder: string;
let lines: string[];

beforeAll(async () => {
  python = await testPython();
  optMl = await detectOptMl(python);
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'program-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true }));

function start(script: string, more: Partial<ProgramOptions> = {}): RunningProgram {
  const program = startProgram({
    python,
    command: ['/bin/sh', '-c', script],
    environment: { PATH: process.env['PATH']! },
    directory: folder,
    onLine: (line) => lines.push(line),
    ...more,
  });
  program.report.resume();
  return program;
}

async function until(condition: () => boolean, milliseconds = 5000): Promise<void> {
  for (const end = Date.now() + milliseconds; !condition() && Date.now() < end; ) await sleep(20);
  expect(condition()).toBe(true);
}

/** A process that is there and no zombie. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the end of a program', () => {
  test.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -9 $$', 137],
    ['kill -15 $$', 143],
  ])('%s', async (script, code) => {
    expect(await start(script).exit).toBe(code);
  });

  test('a program that does not exist', async () => {
    expect(await start('', { command: ['/no/such/program'] }).exit).toBe(127);
    expect(lines).toEqual(['/no/such/program: No such file or directory']);
  });

  test('its output arrives whole, both streams', async () => {
    expect(await start('seq 1 5000; echo error >&2; printf last').exit).toBe(0);
    expect(lines).toHaveLength(5002);
    expect(lines).toContain('error');
    expect(lines).toContain('last');
  });

  test('it sees its own environment and nothing else', async () => {
    process.env['SECRET_OF_THE_CALLER'] = 'x';
    try {
      await start('env', { environment: { PATH: process.env['PATH']!, OWN: '1' } }).exit;
    } finally {
      delete process.env['SECRET_OF_THE_CALLER'];
    }
    expect(lines).toContain('OWN=1');
    expect(lines.join('\n')).not.toContain('SECRET_OF_THE_CALLER');
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('what it has started', () => {
  onLinux('ends with it, also what has left its session', async () => {
    const script = `setsid sh -c 'echo $$ > ${folder}/pid; exec sleep 300' & while [ ! -s ${folder}/pid ]; do sleep 0.01; done; exit 3`;
    expect(await start(script).exit).toBe(3);
    expect(alive(Number(readFileSync(path.join(folder, 'pid'), 'utf8')))).toBe(false);
  });

  onLinux('SIGTERM reaches the group; who ends in time is not killed', async () => {
    const program = start(`trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done`);
    await until(() => lines.includes('ready'));
    program.stop(10_000);
    expect(await program.exit).toBe(0);
    expect(lines).toContain('saved');
  });

  onLinux('who ignores SIGTERM is killed after the grace time, children included', async () => {
    const program = start(
      `trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ > ${folder}/pid; while :; do sleep 1; done' & while [ ! -s ${folder}/pid ]; do sleep 0.01; done; echo ready; while :; do sleep 1; done`,
    );
    await until(() => lines.includes('ready'));
    const started = Date.now();
    program.stop(200);
    expect(await program.exit).toBe(137);
    expect(Date.now() - started).toBeLessThan(4000);
    expect(alive(Number(readFileSync(path.join(folder, 'pid'), 'utf8')))).toBe(false);
  });

  onLinux.each(['SIGKILL', 'SIGTERM'] as const)('is gone after %s of the platform itself', async (signal) => {
    const code = `
      import { startProgram } from ${JSON.stringify(path.resolve('local/runner/program.ts'))};
      startProgram({ python: ${JSON.stringify(python)}, environment: { PATH: process.env.PATH }, directory: ${JSON.stringify(folder)},
        command: ['/bin/sh', '-c', 'trap "" TERM; (setsid sleep 300 & echo $! > two); echo $$ > one; while :; do sleep 1; done'], onLine: () => {} });
      setInterval(() => {}, 1000);`;
    await writeFile(path.join(folder, 'platform.ts'), code);
    const platform = spawn(process.execPath, [path.join(folder, 'platform.ts')], { stdio: 'ignore' });
    const read = (name: string): number =>
      existsSync(path.join(folder, name)) ? Number(readFileSync(path.join(folder, name), 'utf8')) : 0;
    await until(() => read('one') > 0 && read('two') > 0, 10_000);
    const processes = [read('one'), read('two')];
    expect(processes.every(alive)).toBe(true);
    platform.kill(signal);
    await until(() => !processes.some(alive));
  });
});

describe('/opt/ml', () => {
  test('is the job folder, each program has its own, and the machine sees none of them', async () => {
    if (optMl !== 'namespace') return;
    const before = existsSync('/opt/ml') ? await readdir('/opt/ml') : undefined;
    const jobs = await Promise.all(
      // A comma and a colon would end an option of mount.
      ['a', 'b, c:d'].map(async (name) => {
        const bind = { folder: path.join(folder, name, 'ml'), scratch: path.join(folder, name, 'scratch') };
        await mkdir(bind.folder, { recursive: true });
        await mkdir(bind.scratch);
        await writeFile(path.join(bind.folder, 'name'), name);
        return bind;
      }),
    );
    const codes = await Promise.all(
      jobs.map(
        (bind) => start('cat /opt/ml/name; echo; sleep 0.2; cp /opt/ml/name /opt/ml/copy; ls /opt/ml', { bind }).exit,
      ),
    );
    expect(codes).toEqual([0, 0]);
    expect([...lines].sort()).toEqual(['a', 'b, c:d', 'copy', 'copy', 'name', 'name']);
    expect(readFileSync(path.join(folder, 'a/ml/copy'), 'utf8')).toBe('a');
    expect(readFileSync(path.join(folder, 'b, c:d/ml/copy'), 'utf8')).toBe('b, c:d');
    expect(existsSync('/opt/ml') ? await readdir('/opt/ml') : undefined).toEqual(before);
  });

  test('works for a plain user too', async () => {
    if (optMl !== 'namespace' || process.getuid?.() !== 0) return;
    const supervisor = path.resolve('local/runner/python/supervise.py');
    // World-readable copies: the checkout may lie below a folder that only its owner may enter.
    const shared = await mkdtemp(path.join(tmpdir(), 'plain-user-'));
    await writeFile(path.join(shared, 'supervise.py'), readFileSync(supervisor));
    const { chmod, chown } = await import('node:fs/promises');
    await chmod(shared, 0o755);
    await mkdir(path.join(shared, 'scratch'));
    await chown(path.join(shared, 'scratch'), 65534, 65534);
    const interpreter = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : undefined;
    try {
      if (interpreter === undefined) return;
      const child = spawn(
        interpreter,
        ['-I', '-S', path.join(shared, 'supervise.py'), '--probe', path.join(shared, 'scratch')],
        {
          uid: 65534,
          gid: 65534,
          stdio: 'ignore',
        },
      );
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    } finally {
      await rm(shared, { recursive: true });
    }
  });

  test('network isolation takes every address away', async () => {
    if (optMl !== 'namespace') return;
    const bind = { folder: path.join(folder, 'ml'), scratch: path.join(folder, 'scratch') };
    await mkdir(bind.folder);
    await mkdir(bind.scratch);
    const command = [python, '-c', "import socket; s = socket.socket(); print(s.connect_ex(('127.0.0.1', 9)))"];
    await start('', { command, bind, isolated: true }).exit;
    await start('', { command, bind }).exit;
    // ENETUNREACH inside, ECONNREFUSED outside.
    expect(lines).toEqual(['101', '111']);
  });
});
