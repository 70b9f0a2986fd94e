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

// China has no model package groups by CloudFormation, so its regions are left out.
/** The findings of cfn-lint, one a line; empty when it has none. */
async function findings(argument: string): Promise<string[]> {
  try {
    await run(linter, ['--format', 'parseable', '--regions', 'eu-west-1,us-gov-west-1', '--', argument], {
      env: pythonEnvironment(),
    });
    return [];
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error)
      .trim()
      .split('\n');
  }
}

test.each(templateFiles)('%s is clean', async (file) => {
  expect(await findings(path.join(templatesFolder, file))).toEqual([]);
});

test('a property that does not exist is found', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'cfn-lint-')), 'broken.yml');
  writeFileSync(
    file,
    readFileSync(path.join(templatesFolder, 'endpoint.yml'), 'utf8').replace('VariantName:', 'VariantTitle:'),
  );
  expect((await findings(file)).join('\n')).toContain('VariantTitle');
});
