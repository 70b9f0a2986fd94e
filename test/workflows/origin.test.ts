import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Git } from '../../local/github/git.ts';
import { mappedOrigin } from '../../local/github/origin.ts';
import { writeTree } from './support.ts';

const run = promisify(execFile);
let directory: string;
let first: string;
let second: string;
const git = async (...args: string[]) =>
  (
    await run('git', ['-C', join(directory, 'product'), '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args])
  ).stdout.trim();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'origin-'));
  await writeTree(join(directory, 'product'), { file: 'first\n', 'deep/other': 'x\n' });
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '--all');
  await git('commit', '--quiet', '-m', 'first');
  await git('tag', 'v1');
  first = await git('rev-parse', 'HEAD');
  await writeTree(join(directory, 'product'), { file: 'second\n' });
  await git('commit', '--quiet', '--all', '-m', 'second');
  second = await git('rev-parse', 'HEAD');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const resolve = (ref: string, name = 'product') =>
  mappedOrigin({
    git: new Git('git'),
    directory: join(directory, name),
    repository: 'o/r',
    ref,
    cache: join(directory, 'cache'),
  });

test('the commit of the checkout means its files as they are, and says when they differ', async () => {
  const clean = (await resolve(second))!;
  expect(clean).toMatchObject({ sha: second, ref: second, working: false });
  expect(await clean.read('file')).toBe('second\n');
  await writeTree(join(directory, 'product'), { file: 'edited\n' });
  const edited = (await resolve('main'))!;
  expect(edited).toMatchObject({ sha: second, ref: 'refs/heads/main', working: true });
  expect(await edited.read('file')).toBe('edited\n');
  expect(await edited.directory()).toBe(join(directory, 'product'));
});

test('another commit, by tag or hash, is that commit', async () => {
  for (const [name, ref] of [
    ['v1', 'refs/tags/v1'],
    [first, first],
  ] as const) {
    const old = (await resolve(name))!;
    expect(old).toMatchObject({ sha: first, ref, working: false });
    expect(await old.read('file')).toBe('first\n');
    expect(await readFile(join(await old.directory(), 'deep/other'), 'utf8')).toBe('x\n');
    expect(await readFile(join(await old.directory(), 'file'), 'utf8')).toBe('first\n');
  }
});

test('several at once export a commit once', async () => {
  const origins = await Promise.all(Array.from({ length: 5 }, () => resolve('v1')));
  const directories = await Promise.all(origins.map((origin) => origin!.directory()));
  expect(new Set(directories).size).toBe(1);
});

test('what is not there is undefined; a folder without a repository stands for every ref', async () => {
  expect(await resolve('v2')).toBeUndefined();
  expect(await resolve('f'.repeat(40))).toBeUndefined();
  await writeTree(join(directory, 'bare'), { file: 'plain\n' });
  expect(await resolve('anything', 'bare')).toMatchObject({ ref: 'refs/heads/anything', working: true });
  expect(await resolve('f'.repeat(40), 'bare')).toMatchObject({ ref: 'f'.repeat(40), sha: 'f'.repeat(40) });
  expect(await (await resolve('x'))?.read('none')).toBeUndefined();
});
