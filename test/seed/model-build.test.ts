/** The seed of model-build: its own tests, its notebook, its files, and its pipeline in two accounts and regions. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { pythonEnvironment } from '../../local/python/index.ts';
import { testPython } from '../support/platform.ts';

const root = path.join(import.meta.dirname, '../..');
const seed = path.join(root, 'seed-code/model-build');
let python: string;
beforeAll(async () => {
  python = await testPython();
});

const run = (args: string[], folder = seed) =>
  promisify(execFile)(python, args, { cwd: folder, env: pythonEnvironment(), maxBuffer: 16 * 1024 * 1024 });

test("the project's own tests pass, compiling for two accounts and regions included", async () => {
  const { stderr } = await run(['-m', 'unittest', 'discover', '-s', 'tests']);
  expect(stderr).toMatch(/^OK$/m);
  expect(Number(/^Ran (\d+) tests/m.exec(stderr)![1])).toBeGreaterThanOrEqual(14);
});

test('the notebook runs from top to bottom', async () => {
  const notebook = JSON.parse(await readFile(path.join(seed, 'explore.ipynb'), 'utf8'));
  const code = notebook.cells.filter((cell: any) => cell.cell_type === 'code');
  expect(code.every((cell: any) => cell.outputs.length === 0 && cell.execution_count === null)).toBe(true);
  const { stdout } = await run(['-c', code.map((cell: any) => cell.source.join('')).join('\n')]);
  expect(stdout).toContain('mse 4.7201 on 626 held-out rows');
});

describe('files', () => {
  test('build.yml and gate.yml name what is there', async () => {
    const build = parse(await readFile(path.join(seed, 'build.yml'), 'utf8'));
    const definition = JSON.parse(await readFile(path.join(seed, build.definition), 'utf8'));
    const declared = definition.Parameters.map((parameter: any) => parameter.Name);
    const named = [...Object.keys(build.parameters), ...Object.keys(build.images), ...Object.keys(build.uploads)];
    expect(named.filter((name) => !declared.includes(name))).toEqual([]);
    const needed = definition.Parameters.filter((parameter: any) => parameter.DefaultValue === undefined).map(
      (parameter: any) => parameter.Name,
    );
    const filledIn = ['KmsKeyArn', 'OutputUri', 'ModelPackageGroupName'];
    expect(needed.filter((name: string) => !named.includes(name) && !filledIn.includes(name))).toEqual([]);
    for (const file of Object.values<string>(build.uploads))
      await expect(readdir(path.dirname(path.join(seed, file)))).resolves.toBeDefined();
    const roles = new Set(JSON.stringify(definition).match(/arn:[^"]+/g));
    expect([...roles]).toEqual(Object.keys(build.roles));
    const gate = parse(await readFile(path.join(seed, 'gate.yml'), 'utf8'));
    expect(gate.rules[0]).toEqual({ metric: 'regression_metrics.mse.value', operator: '<=', limit: 6.0 });
  });

  test.each(['build', 'gate'])('%s.yml is what its schema allows', async (name) => {
    const schema = JSON.parse(await readFile(path.join(root, `schemas/${name}.schema.json`), 'utf8'));
    const validate = new Ajv({ strict: false }).compile(schema);
    validate(parse(await readFile(path.join(seed, `${name}.yml`), 'utf8')));
    expect(validate.errors).toBeNull();
  });

  test('every file that the README names exists', async () => {
    const text = await readFile(path.join(seed, 'README.md'), 'utf8');
    for (const [, name] of text.matchAll(/^\| `([^`]+)` \|/gm))
      if (!name!.includes('<') && !['code/`, `data/'].includes(name!) && name !== 'code/')
        await expect(
          readFile(path.join(seed, name!)).catch((error) => (error.code === 'EISDIR' ? '' : Promise.reject(error))),
        ).resolves.toBeDefined();
  });
});

test('the tables of image registries are what their generator writes', async () => {
  await run([path.join(root, 'scripts/generate-image-registries.py'), '--check']);
  const committed = await readFile(path.join(root, 'src/pipelines/image-registries.generated.json'), 'utf8');
  const table = JSON.parse(committed);
  expect(table['sagemaker-xgboost']['eu-west-1']).toBe('141502667606.dkr.ecr.eu-west-1.amazonaws.com');
  expect(table['sagemaker-xgboost']['cn-north-1']).toBe('450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn');
  expect(table['sagemaker-xgboost']['us-gov-west-1']).toBe('414596584902.dkr.ecr.us-gov-west-1.amazonaws.com');
});
