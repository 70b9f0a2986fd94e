import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runAction } from './support/action.ts';
import { root } from './support/world.ts';

const dist = join(root, 'dist');
const actions = readdirSync(join(root, 'actions'));
const code = readdirSync(dist).filter((name) => /\.m?js$/.test(name));

describe('committed bundles', () => {
  test.each([...actions, 'root'])('%s without inputs tells one error and exits 1', async (name) => {
    const result = await runAction(name, undefined);
    expect(result.code).toBe(1);
    expect(result.errors).toHaveLength(1);
    expect(result.stderr).toBe('');
    expect(result.stdout).not.toMatch(/\n\s+at /);
    expect(result.outputs['status']).toBe('failed');
    expect(new Set(result.failures.map((failure) => failure.code))).toEqual(new Set(['InvalidInput']));
    const required = Object.entries(
      parse(readFileSync(join(root, name === 'root' ? 'action.yml' : `actions/${name}/action.yml`), 'utf8')).inputs,
    )
      .filter(([, input]) => (input as { required?: boolean }).required)
      .map(([input]) => input);
    expect(result.failures.map((failure) => failure.resource)).toEqual(required);
    expect(result.summary).toContain('InvalidInput');
  });

  test('hold every module they import, and more than a broken stub', () => {
    for (const name of code) {
      const text = readFileSync(join(dist, name), 'utf8');
      expect(text).not.toContain('webpackMissingModule');
      expect(text).not.toContain('Cannot find module');
    }
    expect(statSync(join(dist, 'index.js')).size).toBeGreaterThan(15_000);
  });

  test('are as large as README says, by its last bench', () => {
    const told = /all bundles of all actions \| ([\d.]+) MB in (\d+) files/.exec(
      readFileSync(join(root, 'README.md'), 'utf8'),
    )!;
    const bytes = code.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
    expect(Math.abs(Number(told[1]) * 1e6 - bytes) / bytes).toBeLessThan(0.05);
    expect(Math.abs(Number(told[2]) - code.length)).toBeLessThanOrEqual(3);
  });

  test('stay within the bytes that are promised', () => {
    const bytes = code.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
    expect(bytes).toBeLessThan(1_200_000);
  });

  test('name the licences of what they contain', () => {
    const text = readFileSync(join(dist, 'licenses.txt'), 'utf8');
    for (const name of ['@actions/core', '@aws-sdk/client-sagemaker', 'yaml']) expect(text).toContain(`${name} `);
  });

  test('every action runs on the same Node version, from dist', () => {
    for (const name of actions) {
      const { runs } = parse(readFileSync(join(root, 'actions', name, 'action.yml'), 'utf8'));
      expect(runs).toEqual({ using: 'node24', main: `../../dist/${name}.js` });
    }
  });

  test('no input loads the AWS SDK before the inputs are valid', () => {
    // Everything that the entry loads without a lazy import.
    const index = readFileSync(join(dist, 'index.js'), 'utf8');
    expect(index).not.toMatch(/SageMaker\.DescribePipeline|com\.amazonaws\./);
  });
});

describe('the front door', () => {
  test('an unknown command is answered with the nearest known one', async () => {
    const result = await runAction('root', undefined, { inputs: { command: 'run-pipelin' } });
    expect(result.code).toBe(1);
    expect(result.errors[0]).toContain('did you mean run-pipeline?');
  });

  test('runs the action that is named, with its own inputs', async () => {
    const result = await runAction('root', undefined, { inputs: { command: 'gate-model', 'aws-region': 'nowhere' } });
    expect(result.failures.map(({ resource }) => resource)).toEqual(['aws-region', 'model-package-arn']);
  });
});

test('dist and generated files are what the sources give, byte for byte', () => {
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(stdout).not.toContain('out of date');
  expect(status).toBe(0);
});

const full = process.env['TEST_FULL'] === undefined ? test.skip : test;

full('dist does not depend on where the repository lies', () => {
  const copy = join(root, 'build', 'elsewhere', 'deep');
  try {
    mkdirSync(copy, { recursive: true });
    const parts = ['actions', 'src', 'scripts', 'schemas', 'dist', 'action.yml', 'package.json'];
    execFileSync('cp', ['-r', ...parts.map((name) => join(root, name)), copy]);
    // Hard links: half a gigabyte in half a second.
    execFileSync('cp', ['-al', join(root, 'node_modules'), copy]);
    const { stdout, status } = spawnSync(process.execPath, [join(copy, 'scripts/build.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(stdout).not.toContain('out of date');
    expect(status).toBe(0);
  } finally {
    rmSync(join(root, 'build', 'elsewhere'), { recursive: true, force: true });
  }
});
