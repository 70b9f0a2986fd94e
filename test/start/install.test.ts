/** What `npm ci` meets on a newcomer's machine, judged by npm itself from the lock file. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './support.ts';

/** Names of the packages that npm's selector finds (https://docs.npmjs.com/cli/using-npm/dependency-selectors). */
const query = (selector: string): string[] =>
  JSON.parse(execFileSync('npm', ['query', '--package-lock-only', selector], { cwd: root, encoding: 'utf8' })).map(
    ({ name }: { name: string }) => name,
  );

test('no package warns (EBADENGINE) on the Node 20 and later that the README asks for', () => {
  expect(query(':attr(engines, [node])').length).toBeGreaterThan(100);
  for (const node of ['20.20.0', '22.20.0', '24.10.0']) {
    expect(query(`:attr(engines, [node]):not(:semver(${node}, :attr(engines, [node])))`)).toEqual([]);
  }
});

test('the lock names no registry, and every package by its hash', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string }>;
  };
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(entries.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
});
