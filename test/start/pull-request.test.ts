/** A pull request as a data scientist makes one: checked, compared, tested, trained and judged, merged; and what is refused. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { commitAndPush, git } from '../../cli/project.ts';
import { obstacleOf } from '../../cli/pull-checks.ts';
import type { RunRecord } from '../../local/github/types.ts';
import { edit, job, type ProjectWorld, startProject } from './project.ts';
import { runCli, temporaryState } from './support.ts';

let world: ProjectWorld;
const build = 'model-build/build.yml';
const gate = 'model-build/gate.yml';
const caller = '.github/workflows/pull-request.yml';
/** A model that misses its gate is trained once more: in the full run. */
const full = process.env['TEST_FULL'] !== undefined;

beforeAll(async () => {
  world = await startProject();
  const { project } = world;
  // What a merge starts is tested elsewhere, and so is what pip installs.
  for (const path of ['.github/workflows/model.yml', '.github/workflows/redeploy.yml', 'model-build/requirements.txt'])
    rmSync(join(project.directory, path));
  edit(
    project,
    caller,
    (text) => `${text}      tests: python -c "print('  tested in', __import__('os').getcwd()[-11:])"\n`,
  );
  await commitAndPush(project.directory, 'Project [skip ci]');
}, 120_000);
afterAll(() => world?.close());

const cli = (...args: string[]) => runCli(args, world.state);
const newest = (): RunRecord => world.local.github.runs.list(world.project.repository)[0]!;
const summary = (run: RunRecord, name: string) =>
  readFileSync(join(world.local.github.runs.directory(run.id), job(run, `pull-request / ${name}`).summary), 'utf8');

test('a change of the model is compared with main, tested, trained and judged, without a call to AWS', async () => {
  const since = world.local.platform.calls.list({}).length;
  edit(world.project, build, (text) => text.replace('NumRound: 50', 'NumRound: 20'));
  const { code, output } = await cli('pull-request', '-m', 'Fewer rounds');
  expect(output).toContain('Pull request 1 "Fewer rounds": change-1 into main of acme/abalone');
  expect(output).toContain('pull-request --merge');
  expect({ code, output }).toMatchObject({ code: 0 });
  const run = newest();
  expect(run).toMatchObject({ event: 'pull_request', conclusion: 'success', ref: 'refs/pull/1/merge' });
  expect(summary(run, 'Check')).toContain('! parameters.NumRound: 50 -> 20');
  const log = readFileSync(
    join(world.local.github.runs.directory(run.id), job(run, 'pull-request / Test').log),
    'utf8',
  );
  expect(log).toContain('tested in model-build');
  const local = summary(run, 'Train');
  expect(local).toMatch(/^# Local run: the model passes its gate/);
  // main's own model stands for the one in production: this one is better, with the seed's split.
  expect(local).toMatch(/The model of [0-9a-f]{12} stands where the one in production is\./);
  expect(local).toMatch(
    /regression_metrics\.mse\.value<\/code> \| <code>4\.\d+<\/code> \| &lt;= champion 4\.\d+ \| ✅ passed/,
  );
  expect(local).not.toContain('console.aws');
  for (const one of run.jobs) expect(one.permissions).toEqual({ contents: 'read' });
  expect(world.local.platform.calls.list({}).length).toBe(since);
});

test('a mistake in a file fails the check at its line', async () => {
  edit(world.project, 'model-deploy/stages/staging.yml', (text) =>
    text.replace('instance-count: 1', 'instance-count: one'),
  );
  edit(world.project, gate, (text) => text.replace('limit: 6.0', 'limit: 1.0'));
  // The workflow of the merge commit runs, so a pull request tries its own changes of it.
  if (!full) edit(world.project, caller, (text) => `${text}      local-run: false\n`);
  const { code, output } = await cli('pull-request', '-m', 'Stricter');
  expect(output).toContain('Pull request 1 "Fewer rounds": change-1 into main of acme/abalone, new commits');
  expect({ code, output }).toMatchObject({ code: 1 });
  const run = newest();
  const check = job(run, 'pull-request / Check');
  const [annotation] = check.annotations.filter(({ level }) => level === 'error');
  const text = readFileSync(join(world.project.directory, 'model-deploy/stages/staging.yml'), 'utf8').split('\n');
  expect(annotation).toMatchObject({
    file: 'model-deploy/stages/staging.yml',
    line: text.findIndex((line) => line.includes('instance-count: one')) + 1,
    message: expect.stringContaining('instance-count'),
  });
  expect(summary(run, 'Check')).toContain('+ regression_metrics.mse.value <= 1\n- regression_metrics.mse.value <= 6\n');
  expect(job(run, 'pull-request / Test').conclusion).toBe('success');
  expect(job(run, 'pull-request / Train').conclusion).toBe(full ? 'failure' : 'skipped');
  if (full) expect(summary(run, 'Train')).toMatch(/^# Local run: the model does not pass[\s\S]*&lt;= 1 \| ❌ missed/);
  // What failed is neither offered for a merge nor merged.
  const refusal = `The check of this commit ended with failure (Pull request, run ${run.id}): change what it names`;
  expect(output).toContain(refusal);
  expect(output).not.toContain('--merge');
  const { directory } = world.project;
  const before = await git(directory, 'rev-parse', 'origin/main');
  const merge = await cli('pull-request', '--merge');
  expect(merge).toMatchObject({ code: 1, output: expect.stringContaining(refusal) });
  expect(merge.output).toContain('"--merge --force" merges nevertheless');
  expect(await git(directory, 'rev-parse', 'origin/main')).toBe(before);
  expect(await git(directory, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('change-1');
});

test('a change whose model cannot be built has none, and not that of the base', async () => {
  const { directory } = world.project;
  const [folder, told] = [join(world.state, 'tried'), join(world.state, 'tried.md')];
  await git(directory, 'clone', '--quiet', directory, folder);
  await git(folder, 'switch', '--quiet', '--detach', 'origin/main');
  const text = readFileSync(join(folder, gate), 'utf8');
  writeFileSync(join(folder, gate), `${text}\nbroken: {\n`);
  const { code, output } = await runCli(['try', folder, '--base', 'HEAD', '--summary', told], world.state);
  expect(code).toBe(1);
  expect(output).toContain('stands where the one in production is.');
  expect(output.replaceAll(/\s+/g, ' ')).toMatch(
    /model none was registered: .*gate.yml is no valid YAML: a \{ is not closed.* No model was registered, so none was judged/,
  );
  expect(output).not.toMatch(/^ {2}(metrics|gate) +(mse|Approved)/m);
  expect(readFileSync(told, 'utf8')).toMatch(
    /^# Local run: no model was registered\n\nNothing could be judged: .*a \\?\{ is not closed/,
  );
});

test('a change of the deployment only is compared, and trains nothing; merging it moves main', async () => {
  const { directory } = world.project;
  await git(directory, 'switch', '--quiet', 'main');
  edit(world.project, 'model-deploy/stages/production.yml', (text) =>
    text.replace('instance-count: 2', 'instance-count: 3'),
  );
  const { code, output } = await cli('pull-request', '--branch', 'larger');
  expect({ code, output }).toMatchObject({ code: 0 });
  const run = newest();
  expect(run.title).toBe('Change model-deploy/stages/production.yml');
  expect(run.jobs.map(({ name, conclusion }) => [name.replace('pull-request / ', ''), conclusion])).toEqual([
    ['Check the project', 'success'],
    ['Test the code', 'skipped'],
    ['Train and judge the model locally', 'skipped'],
  ]);
  expect(summary(run, 'Check')).toContain('! endpoint.instance-count: 2 -> 3');
  const merged = await cli('pull-request', '--merge');
  expect(merged.output).toContain('Merged pull request 2 into main');
  expect(merged.code).toBe(0);
  expect(await git(directory, 'log', '-1', '--format=%s')).toBe('Merge pull request #2 from acme/larger');
  expect(await git(directory, 'rev-parse', 'origin/main')).toBe(await git(directory, 'rev-parse', 'HEAD'));
});

test('a commit that no check saw is merged by --force only', async () => {
  const { directory } = world.project;
  await git(directory, 'switch', '--quiet', 'change-1');
  await git(
    directory,
    ...['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'],
    ...['commit', '--quiet', '--allow-empty', '-m', 'Unseen'],
  );
  const unseen = await git(directory, 'rev-parse', 'HEAD');
  expect(await cli('pull-request', '--merge')).toMatchObject({
    code: 1,
    output: expect.stringContaining(`No check has run on the commit ${unseen.slice(0, 12)}: "npx`),
  });
  expect(await cli('pull-request', '--merge', '--force')).toMatchObject({
    code: 0,
    output: expect.stringContaining('Merged pull request 1 into main'),
  });
  expect(await git(directory, 'rev-parse', 'origin/main^2')).toBe(unseen);
});

const check = (status: string, conclusion: string | null, path = 'pull-request.yml', id = 1) => ({
  ...{ id, name: 'Pull request', path, status, conclusion },
});
const done = (conclusion: string, path?: string, id?: number) => check('completed', conclusion, path, id);
test.each([
  ['none', [], /^No check has run on the commit 0123456789ab: /],
  ['one that still runs', [check('in_progress', null)], /^The check of this commit is not over .*run 1\): merge when/],
  ['a waiting one after a success', [check('queued', null), done('success')], /not over/],
  ['a failure', [done('failure', undefined, 7)], /ended with failure \(Pull request, run 7\)/],
  ['a cancelled one', [done('cancelled')], /ended with cancelled/],
  ['a success after a failure', [done('success'), done('failure')], undefined],
  ['a failure after a success', [done('failure'), done('success')], /ended with failure/],
  ['a failure of another workflow', [done('success'), done('failure', 'other.yml')], /ended with failure/],
  ['a skipped one', [done('skipped')], undefined],
])('checks of a commit: %s', (_, runs, sentence) => {
  const told = obstacleOf(runs, '0123456789abcdef');
  if (sentence === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(sentence);
});

test.each<[string[], number, RegExp]>([
  [['pull-request', '--force'], 2, /--force goes with --merge/],
  [['pull-request'], 1, /Nothing has changed in .*open a pull request/],
  [['pull-request', '--merge'], 1, /branch main, which has no open pull request/],
  [['pull-request', '--merge', '-m', 'x'], 2, /--merge goes without --message/],
])('%j is answered with what to do', async (args, code, text) => {
  expect(await cli(...args)).toMatchObject({ code, output: expect.stringMatching(text) });
});

test.each<[string[], RegExp]>([
  [['try', '/nonexistent'], /\/nonexistent\/model-build\/build.yml does not exist/],
  [['try', 'seed-code', '--region', 'Ireland'], /--region is "Ireland"/],
  [['try', 'seed-code', '--base', 'nowhere'], /--base nowhere is no commit/],
])('%j is wrong usage', async (args, text) => {
  const state = temporaryState();
  try {
    expect(await runCli(args, state)).toMatchObject({ code: 2, output: expect.stringMatching(text) });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});
