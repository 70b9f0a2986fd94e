import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { all, excess, grants, intersect } from '../../local/github/workflow/permissions.ts';
import { product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
const file = (name: string) => `${product}/.github/workflows/${name}.yml@${sha}`;
const called = (jobs: string, top = '') => `on: workflow_call\n${top}jobs:\n${jobs}`;
const job = (name: string, permissions = '') =>
  `  ${name}:\n${permissions && `    permissions: ${permissions}\n`}    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n`;
let world: World;

beforeAll(async () => {
  world = await startWorld({
    product: {
      '.github/workflows/plain.yml': called(job('one')),
      '.github/workflows/token.yml': called(job('one', '{id-token: write, contents: read}')),
      '.github/workflows/skipped.yml': called(
        job('never', '{id-token: write}').replace('    runs-on', '    if: false\n    runs-on'),
      ),
      '.github/workflows/top.yml': called(job('one'), 'permissions: {actions: write, contents: read}\n'),
      '.github/workflows/replaced.yml': called(job('one', '{contents: read}'), 'permissions: {id-token: write}\n'),
      '.github/workflows/outer.yml': called(`  inner:\n    uses: ${file('token')}\n`),
      '.github/workflows/narrow.yml': called(
        `  inner:\n    permissions: {contents: read}\n    uses: ${file('token')}\n`,
      ),
    },
  });
});
afterAll(() => world.close());

const caller = (workflow: string, permissions?: string, top = '') =>
  `on: push\n${top}jobs:\n  call:\n${permissions ? `    permissions: ${permissions}\n` : ''}    uses: ${file(workflow)}\n`;

describe('checked before the run starts', () => {
  test.each<[what: string, workflow: string, job: string, asked: string, allowed: string]>([
    [
      'a job that asks for a token under a job that has none',
      caller('token', '{contents: read}'),
      'one',
      'id-token: write',
      'id-token: none',
    ],
    [
      'a caller without permissions has the default, which is no token',
      caller('token'),
      'one',
      'id-token: write',
      'id-token: none',
    ],
    [
      'even a job that an if would skip',
      caller('skipped', '{contents: read}'),
      'never',
      'id-token: write',
      'id-token: none',
    ],
    [
      'the top block of the called workflow',
      caller('top', '{actions: read, contents: read}'),
      'one',
      'actions: write',
      'actions: read',
    ],
    [
      'the top block of the caller counts',
      caller('token', undefined, 'permissions: {contents: read}\n'),
      'one',
      'id-token: write',
      'id-token: none',
    ],
    ['two levels down', caller('outer', '{contents: read}'), 'one', 'id-token: write', 'id-token: none'],
    [
      'a level in between that gives less',
      caller('narrow', '{contents: read, id-token: write}'),
      'one',
      'id-token: write',
      'id-token: none',
    ],
    [
      'all missing scopes at once',
      caller('top', '{}'),
      'one',
      'actions: write, contents: read',
      'actions: none, contents: none',
    ],
  ])('%s', async (_, workflow, name, asked, allowed) => {
    const run = await world.runWorkflow(workflow);
    expect(run.conclusion).toBe('startup_failure');
    expect(run.jobs).toEqual([]);
    expect(run.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(`The nested job '${name}' is requesting '${asked}', but is only allowed '${allowed}'.`),
    ]);
  });

  test.each<[what: string, workflow: string, job: string, effective: Record<string, string>]>([
    [
      'granted by the calling job',
      caller('token', '{id-token: write, contents: read, actions: read}'),
      'call / one',
      { 'id-token': 'write', contents: 'read' },
    ],
    [
      'without a block of its own the called job has what its caller has',
      caller('plain', '{id-token: write, actions: read}'),
      'call / one',
      { 'id-token': 'write', actions: 'read' },
    ],
    [
      'two levels down',
      caller('outer', '{id-token: write, contents: read}'),
      'call / inner / one',
      { 'id-token': 'write', contents: 'read' },
    ],
    [
      'a block of a job replaces that of its workflow',
      caller('replaced', '{contents: write}'),
      'call / one',
      { contents: 'read' },
    ],
    [
      'write-all gives everything',
      caller('token', 'write-all'),
      'call / one',
      { 'id-token': 'write', contents: 'read' },
    ],
  ])('%s', async (_, workflow, name, effective) => {
    const run = await world.runWorkflow(workflow);
    expect(run.problems).toEqual([]);
    expect(run.conclusion).toBe('success');
    expect(world.job(run, name).permissions).toEqual(effective);
  });
});

describe('the rules themselves', () => {
  test('excess names what goes beyond', () => {
    expect(excess({ contents: 'write', actions: 'read' }, { contents: 'read', actions: 'write' })).toEqual({
      requested: 'contents: write',
      allowed: 'contents: read',
    });
    expect(excess({ contents: 'none' }, {})).toBeUndefined();
  });
  test('down the tree rights only shrink', () => {
    expect(intersect({ contents: 'write', actions: 'read' }, { contents: 'read', issues: 'write' })).toEqual({
      contents: 'read',
    });
  });
  test('read-all and write-all', () => {
    expect(all('read')['id-token']).toBeUndefined();
    expect(all('write')).toMatchObject({ 'id-token': 'write', models: 'read' });
    expect(grants(all('write'), 'actions', 'read')).toBe(true);
    expect(grants({ actions: 'read' }, 'actions', 'write')).toBe(false);
  });
});
