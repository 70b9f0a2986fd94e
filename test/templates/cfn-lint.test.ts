import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { templateFiles, templatesFolder } from './templates.ts';

const run = promisify(execFile);
let linter: string;

beforeAll(async () => {
  const directory = fileURLToPath(new URL('../../.sagemaker-mlops/python', import.meta.url));
  const tools = await ensureTools({ directory, progress: () => undefined });
  linter = path.join(tools.directory, 'bin', 'cfn-lint');
}, 300_000);

/** The findings of cfn-lint, one a line; empty when it has none. Its start is most of its time, so it runs once for all files. */
async function findings(files: string[]): Promise<string[]> {
  // China has no model package groups by CloudFormation, so its regions are left out.
  const options = ['--format', 'parseable', '--regions', 'eu-west-1,us-gov-west-1'];
  try {
    await run(linter, [...options, '--', ...files], { env: pythonEnvironment() });
    return [];
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error)
      .trim()
      .split('\n');
  }
}

test('the templates are clean, and a property that does not exist is found', async () => {
  const broken = path.join(mkdtempSync(path.join(tmpdir(), 'cfn-lint-')), 'broken.yml');
  writeFileSync(
    broken,
    readFileSync(path.join(templatesFolder, 'endpoint.yml'), 'utf8').replace('VariantName:', 'VariantTitle:'),
  );
  const found = await findings([...templateFiles.map((file) => path.join(templatesFolder, file)), broken]);
  expect(found.filter((line) => !line.startsWith(broken))).toEqual([]);
  expect(found.join('\n')).toContain('VariantTitle');
}, 120_000);
