import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureTools } from '../../local/python/index.ts';
import {
  alive,
  listeners,
  processTree,
  root,
  runCli,
  type Started,
  startCli,
  survivors,
  temporaryState,
} from './support.ts';

const execute = promisify(execFile);

let tools: string;
beforeAll(async () => {
  const { directory } = await ensureTools({ directory: join(root, '.sagemaker-mlops', 'python'), progress: () => {} });
  tools = join(directory, 'bin');
}, 120_000);

/** What a user's own shell would have: an AWS CLI, and nothing that this test process knows. */
const toolsEnvironment = (home: string) => ({ PATH: `${tools}:${process.env.PATH}`, HOME: home });

const loopback = '0100007F';

describe('npm start, left running', () => {
  let started: Started;
  const foreign: { pid: number; address: string }[] = [];
  const onLoopback = new Set<number>();
  let sampling = true;

  beforeAll(async () => {
    started = startCli(['start', '--yes', '--port', '0']);
    const sampler = (async () => {
      while (sampling) {
        for (const listener of listeners(processTree(started.child.pid!))) {
          if (listener.address === loopback) onLoopback.add(listener.pid);
          else foreign.push(listener);
        }
        await wait(100);
      }
    })();
    await started.printed('Ctrl-C ends it');
    sampling = false;
    await sampler;
  }, 180_000);

  afterAll(async () => {
    if (started.child.exitCode === null) started.child.kill('SIGKILL');
    await started.ended;
    started.remove();
  });

  const variables = async (account: string, ...args: string[]) =>
    JSON.parse((await runCli(['env', account, '--json', ...args], started.state)).output) as Record<string, string>;

  test('tells package, approval, metrics, commit, steps', () => {
    expect(started.output()).toMatch(
      /package\s+arn:aws:sagemaker:eu-west-1:111122223333:model-package\/abalone-p-[0-9a-f]{12}\/1/,
    );
    expect(started.output()).toMatch(/approval\s+Approved/);
    expect(started.output()).toMatch(/metrics\s+mse 4\.720/);
    expect(started.output()).toMatch(/commit\s+[0-9a-f]{40}/);
    expect(started.output()).toMatch(/steps\s+.*Preprocess.*Train.*Evaluate.*Register/);
  });

  test('fits a screen', () => {
    const lines = started.output().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(60);
    // The package's ARN is to be copied whole; everything else keeps to a hundred columns.
    expect(lines.filter((line) => line.length > 100 && !line.includes('arn:') && !line.includes('/'))).toEqual([]);
  });

  test('nothing in the process tree listened on anything but 127.0.0.1', () => {
    expect(foreign).toEqual([]);
    // The platform, moto and a model server for each account were seen: the sample was no empty one.
    expect(onLoopback.size).toBeGreaterThanOrEqual(5);
  });

  test('boto3 of the user describes the package with fields equal to those printed', async () => {
    const arn = /arn:aws:sagemaker:\S+model-package\/\S+/.exec(started.output())![0];
    const { stdout } = await execute(
      'aws',
      ['sagemaker', 'describe-model-package', '--model-package-name', arn, '--output', 'json'],
      { env: { ...toolsEnvironment(started.state), ...(await variables('development')) } },
    );
    const described = JSON.parse(stdout);
    expect(described.ModelApprovalStatus).toBe('Approved');
    expect(started.output()).toContain(described.CustomerMetadataProperties.commit);
    expect(described.CustomerMetadataProperties['gate-artifact-sha256']).toMatch(/^[0-9a-f]{64}$/);
  }, 60_000);

  test('the printed command invokes the endpoint with the user’s own AWS CLI', async () => {
    const printed = /echo [\d.,]+ > row\.csv\n[\s\S]*?\/dev\/stdout/.exec(started.output())![0];
    // Node's own pipes are sockets, which cannot be opened as /dev/stdout; a shell's can.
    const { stdout } = await execute('bash', ['-c', `{ ${printed}\n} | cat`], {
      cwd: started.state,
      env: { ...toolsEnvironment(started.state), ...(await variables('production-2')) },
    });
    expect(Number.parseFloat(stdout)).toBeGreaterThan(0);
  }, 60_000);

  test('status shows package and run', async () => {
    const { code, output } = await runCli(['status'], started.state);
    expect(code).toBe(0);
    expect(output).toMatch(/1\s+Approved/);
    expect(output).toMatch(/Model\s+push\s+success/);
  }, 30_000);

  test('a push without changes is told so, and a mistyped command gets its name suggested', async () => {
    const nothing = await runCli(['push'], started.state);
    expect(nothing.code).toBe(1);
    expect(nothing.output).toMatch(/Nothing has changed in .*project/);
    const mistyped = await runCli(['stauts'], started.state);
    expect(mistyped.code).toBe(2);
    expect(mistyped.output).toContain('Did you mean "status"?');
  }, 30_000);

  test('a second start in the same state folder is refused in one sentence', async () => {
    const { code, output } = await runCli(['local', '--port', '0'], started.state);
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain('runs already');
  }, 30_000);

  test('SIGTERM ends everything that was started', async () => {
    const tree = processTree(started.child.pid!);
    expect(tree.length).toBeGreaterThan(1);
    started.child.kill('SIGTERM');
    await started.ended;
    expect(await survivors(tree, 5000)).toEqual([]);
    expect(existsSync(join(started.state, 'platform.json'))).toBe(false);
  }, 30_000);
});

test('SIGKILL of the parent leaves no process behind', async () => {
  const state = temporaryState();
  const started = startCli(['local', '--port', '0'], { state });
  await started.printed('answers at');
  // moto is there before it is killed: an S3 call needs it.
  const { output } = await runCli(['env', 'development', '--json'], state);
  await execute('aws', ['s3api', 'list-buckets'], {
    env: { ...toolsEnvironment(state), ...JSON.parse(output) },
  });
  const tree = processTree(started.child.pid!);
  expect(tree.length).toBeGreaterThan(1);
  started.child.kill('SIGKILL');
  await started.ended;
  expect(await survivors(tree, 10_000)).toEqual([]);
  started.remove();
}, 90_000);

test('SIGKILL of npm leaves no process behind', async () => {
  const state = temporaryState();
  const npm = spawn('npm', ['start', '--', '--once', '--yes', '--port', '0'], {
    cwd: root,
    env: { ...process.env, SAGEMAKER_MLOPS_STATE: state, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => {
    // The endpoint of staging is in service then.
    npm.stdout.on('data', (chunk: Buffer) => chunk.toString().includes('staging / Deploy to staging') && resolve());
  });
  const tree = processTree(npm.pid!);
  // npm, the command, moto, a model server.
  expect(tree.length).toBeGreaterThan(3);
  npm.kill('SIGKILL');
  expect(await survivors(tree, 15_000)).toEqual([]);
  rmSync(state, { recursive: true, force: true });
}, 90_000);

test('a busy port is one sentence that says what to do', async () => {
  const first = startCli(['local', '--port', '0']);
  await first.printed('answers at');
  const { port } = JSON.parse(readFileSync(join(first.state, 'platform.json'), 'utf8')) as { port: number };
  const second = startCli(['local', '--port', String(port)]);
  expect((await second.ended).code).toBe(1);
  expect(second.output().trim().split('\n')).toHaveLength(1);
  expect(second.output()).toMatch(new RegExp(`${port}.*--port`));
  first.child.kill('SIGINT');
  await first.ended;
  expect(alive(first.child.pid!)).toBe(false);
  first.remove();
  second.remove();
}, 90_000);

test('every file that docs/architecture.md names exists', () => {
  const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const names = [
    ...text.matchAll(
      /`((?:actions|src|local|cli|workflows|\.github|templates|seed-code|schemas|scripts|dist|test|bench)\/[\w./-]*[\w/-])`/g,
    ),
  ].map((match) => match[1]!);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});
