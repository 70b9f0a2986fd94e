import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
const validate = new Ajv({ allErrors: true }).compile(JSON.parse(read('schemas/stage.schema.json')));

/** As `start` and `init` fill a seed file. */
function filled(stage: string): any {
  const text = read(`seed-code/model-deploy/stages/${stage}.yml`)
    .replaceAll('AWS_REGION', 'eu-west-1')
    .replaceAll('STAGING_ACCOUNTS', '["444455556666"]')
    .replaceAll('PRODUCTION_ACCOUNTS', '["777788889999", "888899990000"]');
  return parse(text);
}

test.each(['staging', 'production'])('the seed stage file %s is valid once it is filled', (stage) => {
  const file = filled(stage);
  expect(validate(file) ? [] : validate.errors).toEqual([]);
  expect(file.environment).toBe(stage);
});

test('production runs more than one instance in an account', () => {
  expect(filled('production').endpoint['instance-count']).toBeGreaterThan(1);
});

test.each([
  ['accounts', (file: any) => (file.accounts = [444455556666])],
  ['accounts', (file: any) => delete file.accounts],
  ['organizational-units', (file: any) => (file['organizational-units'] = ['ou-1'])],
  ['instance-count', (file: any) => (file.endpoint['instance-count'] = 0)],
  ['waves', (file: any) => (file.waves = [{ rest: false }])],
])('a stage file with a wrong %s is refused', (_, change) => {
  const file = filled('staging');
  change(file);
  expect(validate(file)).toBe(false);
});

test('an unfilled seed file is refused', () => {
  expect(validate(parse(read('seed-code/model-deploy/stages/staging.yml')))).toBe(false);
});
