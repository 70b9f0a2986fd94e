import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { RunRecord } from '../../local/github/types.ts';
import { product, startWorld, type World } from './support.ts';

/** GitHub's own @actions/core, which knows nothing of this runner, says what an action may expect of one. */
const sha = '1'.repeat(40);
const core = fileURLToPath(new URL('../../node_modules/@actions/core/lib/core.js', import.meta.url));
/** Values that break naive readers. */
const awkward = [
  '',
  ' padded ',
  'a=b',
  'x<<EOF',
  'line 1\nline 2\n\nline 4',
  '100% of 50%25',
  'tab\there',
  'Ünïcødé ✓ 🚀',
  '::error::not a command',
  '"quoted" \'twice\'',
  '${{ not.an.expression }}',
];
let world: World;

const action = (name: string, main: string, post = '') => ({
  [`actions/${name}/action.yml`]: `name: ${name}\ndescription: x\ninputs:\n  text: {description: x}\n  list: {description: x}\n  flag: {description: x}\nruns: {using: node24, main: main.mjs${post && ', post: post.mjs'}}\n`,
  [`actions/${name}/main.mjs`]: `import * as core from ${JSON.stringify(core)};\nconst awkward = ${JSON.stringify(awkward)};\n${main}\n`,
  ...(post ? { [`actions/${name}/post.mjs`]: `import * as core from ${JSON.stringify(core)};\n${post}\n` } : {}),
});

beforeAll(async () => {
  world = await startWorld({
    product: {
      ...action(
        'writes',
        `awkward.forEach((value, index) => { core.setOutput('v' + index, value); core.exportVariable('V' + index, value); core.saveState('s' + index, value); });
core.setOutput('object', { a: [1, null] });
core.addPath('/first'); core.addPath('/second');`,
        `console.log('OUT ' + JSON.stringify(Array.from({ length: ${awkward.length} }, (_, index) => core.getState('s' + index))));`,
      ),
      ...action(
        'reads',
        `console.log('OUT ' + JSON.stringify({ env: awkward.map((_, index) => process.env['V' + index]), text: core.getInput('text', { trimWhitespace: false }), list: core.getMultilineInput('list'), flag: core.getBooleanInput('flag'), path: process.env.PATH.split(':').slice(0, 2) }));`,
      ),
      ...action(
        'reports',
        `core.error('wrong', { title: 'T, with: signs', file: 'a b.py', startLine: 3, endLine: 4, startColumn: 1 });
core.warning('line 1\\nline 2'); core.notice('hello'); core.debug('hidden');
await core.group('A group', async () => core.info('inside'));
core.setSecret('top secret'); core.info('it is top secret');
await core.summary.addHeading('Title').addTable([[{ data: 'a', header: true }], ['1']]).addRaw('top secret').write();
core.setFailed('the end');`,
      ),
      ...action(
        'asks',
        `const token = await core.getIDToken('sts.amazonaws.com'); core.setOutput('token', token); console.log('OUT ' + token); console.log('OUT ' + [...token].join(' '));`,
      ),
    },
  });
});
afterAll(() => world.close());

const out = async (run: RunRecord) =>
  (await world.log(run))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
const use = (name: string, more = '') => `      - uses: ${product}/actions/${name}@${sha}\n${more}`;

test('outputs, variables, state, paths and inputs come through, whatever is in them', async () => {
  const text = awkward.map((_, index) => `            \${{ steps.w.outputs.v${index} }}`).join('\n');
  const run = await world.runWorkflow(`on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    outputs: {object: "\${{ steps.w.outputs.object }}", multi: "\${{ steps.w.outputs.v4 }}"}
    steps:
${use('writes', '        id: w\n')}${use('reads', `        with:\n          text: \${{ steps.w.outputs.v9 }}\n          flag: true\n          list: |\n${text}\n`)}`);
  expect(run.problems).toEqual([]);
  expect(run.conclusion).toBe('success');
  const [read, state] = (await out(run)).map((line) => JSON.parse(line));
  expect(read.env).toEqual(awkward);
  expect(read.text).toBe(awkward[9]);
  expect(read.flag).toBe(true);
  expect(read.list).toEqual(
    awkward
      .flatMap((value) => value.split('\n'))
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
  expect(read.path).toEqual(['/second', '/first']);
  // Without { trimWhitespace: false } core trims inputs, never state.
  expect(state).toEqual(awkward);
  expect(run.jobs[0]!.outputs).toEqual({ object: '{"a":[1,null]}', multi: awkward[4] });
});

test('annotations, groups, secrets and summaries', async () => {
  const run = await world.runWorkflow(
    `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n${use('reports')}`,
  );
  expect(run.conclusion).toBe('failure');
  expect(run.jobs[0]!.annotations).toEqual([
    { level: 'error', message: 'wrong', title: 'T, with: signs', file: 'a b.py', line: 3, endLine: 4, column: 1 },
    { level: 'warning', message: 'line 1\nline 2' },
    { level: 'notice', message: 'hello' },
    { level: 'error', message: 'the end' },
  ]);
  const log = await world.log(run);
  expect(log).toContain('##[group]A group\ninside\n##[endgroup]');
  expect(log).toContain('it is ***');
  expect(log).not.toContain('hidden');
  expect(await world.summary(run)).toBe('<h1>Title</h1>\n<table><tr><th>a</th></tr><tr><td>1</td></tr></table>\n***\n');
});

test('getIDToken gets a token, masks it, and so its output is dropped', async () => {
  const run = await world.runWorkflow(`on: push
permissions: {id-token: write}
jobs:
  one:
    runs-on: ubuntu-24.04
    outputs: {token: "\${{ steps.a.outputs.token }}"}
    steps:
${use('asks', '        id: a\n')}`);
  const [masked, spaced] = await out(run);
  expect(masked).toBe('***');
  expect(decodeJwt(spaced!.replaceAll(' ', ''))).toMatchObject({ aud: 'sts.amazonaws.com', run_id: String(run.id) });
  expect(run.jobs[0]!.outputs).toEqual({});
});
