/** The commands that README.md shows, run in its order on one world; help, wrong usage and troubleshooting texts. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Command } from '../../cli/command.ts';
import { followRuns } from '../../cli/commands/push.ts';
import { Control } from '../../cli/control.ts';
import { UserError } from '../../cli/errors.ts';
import { git } from '../../cli/project.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { root, runCli, type Started, startCli, temporaryState } from './support.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const fits = (text: string) => {
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(30);
  // A line that names a folder is as long as the folder's name makes it.
  expect(lines.filter((line) => line.length > 100 && !line.includes(tmpdir()))).toEqual([]);
};

describe('help', () => {
  test('of the whole fits a screen and names every command', async () => {
    const state = temporaryState();
    const { code, output } = await runCli(['--help'], state);
    expect(code).toBe(0);
    fits(output);
    for (const file of globSync('cli/commands/*.ts', { cwd: root }))
      expect(output).toMatch(new RegExp(`^  ${/([\w-]+)\.ts$/.exec(file)![1]} `, 'm'));
  });

  test.each(globSync('cli/commands/*.ts', { cwd: root }))(
    'of %s fits a screen, tells options and exit code',
    async (file) => {
      const { command } = (await import(join(root, file))) as { command: Command };
      fits(command.help);
      expect(command.help).toMatch(/Exit code: [\s\S]*\b2 wrong usage/);
      for (const option of Object.keys(command.options)) expect(command.help).toContain(`--${option}`);
    },
  );
});

describe('where no platform runs', () => {
  const state = temporaryState();
  /** A world file with this text. */
  const world = (text: string): string[] => {
    const file = join(state, `world-${text.length}.yml`);
    writeFileSync(file, text);
    return ['local', '--port', '0', '--world', file];
  };
  const account = '{id: "111122223333", name: a, admin: true}';
  test.each<[string[], number, RegExp]>([
    [world('hello'), 2, /is "hello", but must be a mapping of region, accounts and clock/],
    [world('{'), 2, /is no YAML/],
    [world(`region: eu-west-1\naccounts: [${account}]\nclock: {mode: fast}`), 2, /line 3: clock\.mode is "fast"/],
    [[], 2, /npx sagemaker-mlops COMMAND/],
    [['--version'], 0, /^sagemaker-mlops \d+\.\d+\.\d+/],
    [['help', 'logs'], 0, /--summary/],
    [['status'], 1, /No local platform is running.*npm start/],
    [['status', '--jsn'], 2, /"status" has no option --jsn\. Did you mean "--json"\? It has: --json/],
    [['logs', '--job'], 2, /--job needs a value/],
    [['status', '--json=1'], 2, /--json takes no value/],
    [['push', 'hello'], 2, /"push" takes no arguments, but got "hello"/],
    [['help', 'lgos'], 2, /no command "lgos"\. Did you mean "logs"/],
    [['logs'], 1, /no run yet.*npm start/],
    [['start', '--port', 'abc'], 2, /--port is "abc"/],
    [['local', '--world', '/nowhere.yml'], 2, /There is no file \/nowhere\.yml/],
    [['init'], 2, /FOLDER is missing[\s\S]*--name is missing[\s\S]*--production is missing/],
  ])('%j ends with %i', async (args, wanted, text) => {
    const { code, output } = await runCli(args, state);
    expect(output).toMatch(text);
    expect(output).not.toMatch(/^ {4}at /m);
    expect(code).toBe(wanted);
  });
});

describe('colour', () => {
  const before = { NO_COLOR: process.env['NO_COLOR'], TERM: process.env['TERM'] };
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  /** What a bold word comes out as on such a stream. */
  const written = (isTTY: boolean, env: Record<string, string>) => {
    delete process.env['NO_COLOR'];
    Object.assign(process.env, { TERM: 'xterm' }, env);
    const terminal = createTerminal({ isTTY, columns: 120, write: () => true } as unknown as NodeJS.WriteStream);
    return { text: terminal.bold('x'), rewritable: terminal.rewritable };
  };

  test.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    // https://no-color.org: present and not empty, whatever its value.
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ])('terminal: %s, %j: %s', (isTTY, env, coloured) => {
    expect(written(isTTY, env)).toEqual({ text: coloured ? '\u001b[1mx\u001b[22m' : 'x', rewritable: coloured });
  });
});

test('a platform that ends while a run is followed is told in one sentence', async () => {
  const started = `${JSON.stringify({ type: 'note', repository: 'acme/abalone', message: 'hello' })}\n`;
  for (const end of ['whole', 'broken']) {
    const server = createServer((_, response) => {
      response.write(started, () => (end === 'whole' ? response.end() : response.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const control = new Control({ port: (server.address() as AddressInfo).port, token: 'x' });
    const silent = { ...createTerminal(), line: () => {} };
    const error = await followRuns(control, [7], silent, false).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/platform.* ended.*npx sagemaker-mlops logs/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('every text that docs/troubleshooting.md explains is printed by the code', () => {
  const code = globSync('{cli,local,src,actions,templates,.github}/**/*.{ts,yml}', { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const rows = [...readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8').matchAll(/^\| ([^|]+) \|/gm)];
  const texts = rows.flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
  expect(texts.length).toBeGreaterThan(12);
  // N, P, R, A and ... stand for what differs.
  const parts = texts.flatMap((text) => text.split(/\.\.\.\w*|'?\b[NPRA]\b'?/)).map((part) => part.trim());
  expect(parts.filter((part) => part.length > 2 && !code.includes(part))).toEqual([]);
});

describe('the commands of README.md', () => {
  let started: Started;
  const lines = readme.split('\n').filter((line) => /^ {4}.*npx sagemaker-mlops /.test(line));
  const taken = new Set<string>();
  /** The line of README.md whose command begins so, as arguments. */
  const shown = (start: string): string[] => {
    const line = lines.find((one) => one.includes(`npx sagemaker-mlops ${start}`));
    if (line === undefined) throw new Error(`README.md shows no command that begins with "${start}".`);
    taken.add(line);
    const command = /npx sagemaker-mlops (.*?)(?:\)"|\s+#\s|$)/.exec(line)![1]!;
    return command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
  };
  /** A change that README.md names, made as it says. */
  const change = (key: string, file: string) => {
    const wanted = new RegExp(`\`(${key}: \\S+)\` in \`${file}\``).exec(readme)?.[1];
    if (wanted === undefined) throw new Error(`README.md names no ${key} in ${file}.`);
    const path = join(started.state, 'project', file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace(new RegExp(`${key}: [\\d.]+`), wanted));
    expect(readFileSync(path, 'utf8')).not.toBe(before);
    return () => writeFileSync(path, before);
  };
  const run = async (...args: string[]) => {
    const result = await runCli(args, started.state);
    // Logs are as long as they are, and so is a session token.
    if (!['logs', 'env'].includes(args[0]!)) fits(result.output);
    return result;
  };

  beforeAll(async () => {
    started = startCli(['start', '--yes', '--port', '0']);
    await started.printed('Ctrl-C ends it');
  }, 120_000);
  afterAll(async () => {
    if (started.child.exitCode === null) started.child.kill('SIGKILL');
    await started.ended;
    started.remove();
  });

  test('status and summaries', async () => {
    // A pipe is no terminal, whatever the variables say.
    const piped = startCli(['status'], { state: started.state, env: { NO_COLOR: '', TERM: 'xterm-256color' } });
    await piped.ended;
    expect(piped.output()).not.toContain('\u001b');
    expect((await run(...shown('status'))).output).toMatch(/production-1\s+777788889999\s+\S+-production InService/);
    const { code, output } = await run(...shown('logs --summary'));
    expect(code).toBe(0);
    // The first push started Redeploy as well, which found nothing to do: the run that people ask for is Model.
    expect(output).toMatch(/^Run \d+: Model, success/);
    expect(output).toContain('## Model gate: Approved');
    // Written for a browser, read at a terminal.
    expect(output).toContain('| `regression_metrics.mse.value` | `4.72');
    expect(output).not.toMatch(/<\/?(code|details|summary)>|&lt;/);
    expect((await run(...shown('env '))).output).toMatch(/^export AWS_ENDPOINT_URL='http:\/\/127\.0\.0\.1:\d+'$/m);
  }, 30_000);

  test('with one model there is nothing to go back to, and a script is told by one line', async () => {
    const { code, output } = await run('dispatch', 'model-rollback');
    expect(output).toMatch(/there is nothing\s+to\s+go back to[\s\S]*Succeeded/);
    expect(code).toBe(0);
    const told = await run('dispatch', 'model-rollback', '--json');
    expect(JSON.parse(told.output)).toEqual({
      runs: [{ id: expect.any(Number), workflow: 'Rollback', conclusion: 'success' }],
    });
  }, 30_000);

  test('a stricter gate fails the push with metric, value and limit; logs --failed shows the job', async () => {
    const undo = change('limit', 'model-build/gate.yml');
    const { code, output } = await run('push', '-m', 'Stricter gate');
    undo();
    const failed = (await run('logs', '--failed')).output;
    expect(failed).toMatch(/== gate \/ Judge the model \(failure\)\n-- Judge the model\n/);
    expect(failed).not.toMatch(/add-mask|GITHUB_TOKEN Permissions|\d\d:\d\d:\d\d/);
    expect(failed).toMatch(/mse 4\.72\d* is not <= 3\.5/);
    expect(output).toMatch(/mse 4\.72\d* is not <= 3\.5/);
    expect(output).toMatch(/Next: "npx sagemaker-mlops logs \d+ --failed"/);
    expect(code).toBe(1);
  }, 60_000);

  test('fewer rounds are trained and deployed', async () => {
    change('NumRound', 'model-build/build.yml');
    const { code, output } = await run(...shown('push'));
    expect(output).toMatch(/Train\s+Succeeded\s+\d+\.\d s$/m);
    expect(output).toMatch(/production \/ Deploy to production[\s\S]*Succeeded\. Next:/);
    expect(code).toBe(0);
    // The registry keeps the first package's stage; the endpoints tell which one answers.
    const status = await run('status');
    expect(status.output).toMatch(/3\s+Approved\s+Production\/Approved\s+staging, production-1, production-2/);
    expect(status.output).toMatch(/1\s+Approved\s+Production\/Approved\s+-\s/);
    const { packages, runs, accounts } = JSON.parse((await runCli(['status', '--json'], started.state)).output);
    expect(packages.map(({ version, serves }: { version: number; serves: string[] }) => [version, serves])).toEqual([
      [3, ['staging', 'production-1', 'production-2']],
      [2, []],
      [1, []],
    ]);
    expect(accounts[2].endpoints[0]).toMatchObject({ status: 'InService', packages: [packages[0].arn] });
    expect(runs[0]).toMatchObject({ name: 'Model', conclusion: 'success' });
    expect(JSON.parse((await runCli(['logs', '--json'], started.state)).output)).toMatchObject({
      id: runs[0].id,
      conclusion: 'success',
    });
  }, 60_000);

  test('back to the model before; then a script pushes', async () => {
    const { code, output } = await run(...shown('dispatch model-rollback'));
    expect(output).toMatch(/rollback \/ Roll back production[\s\S]*Succeeded\. Next:/);
    expect(code).toBe(0);
    const status = await run('status');
    expect(status.output).toMatch(/^ {2}1\s+Approved\s+Production\/Approved\s+production-1, production-2\s+mse 4\.72/m);
    expect(status.output).toMatch(/^ {2}3\s+Approved\s+Production\/RolledBack\s+staging\s/m);
    // The stricter gate, told in one line.
    const undo = change('limit', 'model-build/gate.yml');
    const pushed = await run('push', '--json');
    undo();
    expect(pushed.code).toBe(1);
    expect(JSON.parse(pushed.output).runs).toContainEqual({
      id: expect.any(Number),
      workflow: 'Model',
      conclusion: 'failure',
    });
  }, 60_000);

  test('a pull request is opened and its check followed; all of the check is tried in pull-request.test.ts', async () => {
    const project = join(started.state, 'project');
    const file = join(project, 'model-build/build.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/NumRound: \d+/, 'NumRound: 60'));
    const opened = startCli(shown('pull-request'), { state: started.state });
    await opened.printed(/✓ pull-request \/ Check the project/);
    const run = /Run (\d+)/.exec(opened.output())![1];
    const state = JSON.parse(readFileSync(join(started.state, 'platform.json'), 'utf8'));
    await new Control(state).request('POST', `/_github/api/repos/acme/abalone/actions/runs/${run}/cancel`);
    expect((await opened.ended).code).toBe(1);
    expect(opened.output()).toMatch(/Ended with cancelled\. Next: .*logs/);
    await git(project, 'switch', '--quiet', 'main');
  }, 60_000);

  test('wrong names are answered with the right ones', async () => {
    for (const [args, wanted, text] of [
      [['env', 'stagin'], 2, /Did you mean "staging"\?.*production-2/],
      [['env', 'prod'], 2, /Did you mean "production-1"\?/],
      [['env', 'staging', '--region', 'mars'], 2, /--region is "mars"/],
      [
        ['env', 'development', '--role', 'data-scientst'],
        2,
        /no role "data-scientst"\. Did you mean "data-scientist"\? It has: .*ci-build, .*job/,
      ],
      [['env', 'development', '--role', 'ci-build'], 2, /cannot be taken by hand: .* only tokens of token\.actions/],
      [['dispatch'], 2, /model-cleanup\.yml/],
      [['dispatch', 'clenup'], 2, /no workflow "clenup\.yml".* Did you mean "model-cleanup"\? It has: .*redeploy\.yml/],
      [['dispatch', 'model-cleanup', '--ref', 'mian'], 2, /no branch "mian"\. Did you mean "main"\?/],
      [
        ['dispatch', 'model-cleanup', '-f', 'confrm=x', '-f', 'delete-project=maybe', '-f', 'running-executions=stopp'],
        2,
        /"confrm"\. Did you mean "confirm"\?.*delete-project is "maybe", but must be one of true, false\..*Did you mean "stop"\?/,
      ],
      [['logs', '--job', 'nothing'], 1, /is called like "nothing": it has "/],
      [['logs', '99'], 1, /There is no run 99: the newest runs are \d+ Pull request, \d+ Model, \d+/],
      [['reset'], 1, /Ctrl-C/],
    ] as const) {
      const { code, output } = await runCli([...args], started.state);
      expect(output).toMatch(text);
      expect(code).toBe(wanted);
    }
  }, 60_000);

  test('cleanup: the plan removes nothing, the confirmed one does; then reset', async () => {
    const plan = await run(...shown('dispatch model-cleanup  '));
    expect(plan.output).toMatch(/plan: remove 3 stack instances/);
    expect(plan.code).toBe(0);
    expect((await run('status')).output).toContain('InService');
    const removal = await run(...shown('dispatch model-cleanup -f'));
    expect(removal.output).toMatch(/removed 3 stack instances[\s\S]*Succeeded/);
    expect(removal.code).toBe(0);
    expect((await run('status')).output).not.toContain('InService');

    const all = ['-f', 'confirm=abalone', '-f', 'delete-roles=true', '-f', 'delete-project=true'];
    expect((await run('dispatch', 'model-cleanup', ...all)).code).toBe(0);
    expect((await run('status')).output).toMatch(/^ {2}removed from its accounts by model-cleanup: Ctrl-C/m);
    const pushed = await runCli(['push'], started.state);
    expect(pushed.output).toMatch(
      /model-cleanup has removed the project .* from its accounts.*"npm start" makes a new one/,
    );
    expect(pushed.code).toBe(1);
    expect(await run('dispatch', 'model-cleanup')).toEqual({
      code: 0,
      output: expect.stringContaining('Nothing is left to do'),
    });
    started.child.kill('SIGINT');
    expect((await started.ended).code).toBe(130);
    expect(await run(...shown('reset'))).toMatchObject({ code: 0, output: expect.stringContaining('begins anew') });
  }, 120_000);

  test('are all of them run here', () => {
    expect(lines.filter((line) => !taken.has(line))).toEqual([]);
    expect(lines.length).toBeGreaterThan(5);
  });
});
