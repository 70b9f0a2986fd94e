/** What a project is told about its own files: place, what was given, what it must be; all problems of a file at once. */
import { describe, expect, test } from '@jest/globals';
import { validate as stage } from '../../../src/deploy/stage-file.generated.ts';
import type { FailureError } from '../../../src/failure.ts';
import { readChecked, type Validator } from '../../../src/github/schema.ts';
import { validate as build } from '../../../src/pipelines/build-file.generated.ts';
import { validate as gate } from '../../../src/registry/gate-file.generated.ts';

/** The sentences about a file, without its name in front. */
function told(validate: Validator, text: string): string[] {
  try {
    readChecked('f.yml', text, validate);
    return [];
  } catch (error) {
    return (error as FailureError).failures.map(({ code, resource, cause }) => {
      expect([code, resource]).toEqual(['InvalidConfiguration', 'f.yml']);
      expect(cause).toMatch(/^f\.yml: /);
      return cause.slice('f.yml: '.length);
    });
  }
}

const files: Record<string, Validator> = { gate, stage, build };
const whole = {
  gate: { rules: [{ metric: 'm.mse', operator: '<=', limit: 6 }] },
  stage: {
    environment: 'production',
    region: 'eu-west-1',
    accounts: ['777788889999'],
    endpoint: { 'instance-type': 'ml.m5.large', 'instance-count': 1 },
  },
  build: { definition: 'pipeline.json' },
};
const kinds =
  'must be a limit (metric, operator, limit) or a comparison (metric, better-than, direction, margin, without-champion)';

test.each(Object.keys(files))('a whole %s file is taken', (kind) => {
  expect(told(files[kind]!, JSON.stringify(whole[kind as keyof typeof whole]))).toEqual([]);
});

describe('gate file', () => {
  const limit = (more: object) => JSON.stringify({ rules: [{ metric: 'm', operator: '<', limit: 1, ...more }] });
  test.each([
    ['', 'the file is empty, but must be a mapping (key: value)'],
    ['[1]', 'the file is [1], but must be a mapping (key: value)'],
    ['rules: []', 'rules has 0 entries, but must have 1 or more'],
    ['rules:', 'rules is empty, but must be a list'],
    [limit({ limit: 'six' }), 'rules[0].limit is "six", but must be a number'],
    [limit({ limit: '6' }), 'rules[0].limit is "6", but must be a number: write 6 without quotation marks'],
    [limit({ operator: '=<' }), 'rules[0].operator is "=<", but must be one of <, <=, >, >=, == (did you mean <=?)'],
    [
      limit({ metric: 'm..n' }),
      'rules[0].metric is "m..n", but must be the path of a number in the metrics document, such as regression_metrics.mse.value',
    ],
    [limit({ operater: 1 }), 'rules[0]: unknown key operater (did you mean operator?)'],
    [
      limit({ because: 1 }),
      'rules[0]: unknown key because; known are metric, operator, limit, better-than, direction, margin, without-champion',
    ],
    [limit({ margin: 2 }), `rules[0].margin does not go with the other keys here: rules[0] ${kinds}`],
    // What is missing because it was mistyped is told once.
    ['rules: [{metric: m, operater: "<", limit: 1}]', 'rules[0]: unknown key operater (did you mean operator?)'],
    ['rules: [{metric: m, limit: 1}]', `rules[0]: operator is missing: rules[0] ${kinds}`],
    [
      'rules: [{metric: m, better-than: champio}]',
      'rules[0].better-than is "champio", but must be champion (did you mean champion?)',
    ],
    ['rules: [{metric: m, better-than: champion, margin: -1}]', 'rules[0].margin is -1, but must be 0 or more'],
  ])('%s', (text, sentence) => {
    expect(told(gate, text)).toEqual([sentence]);
  });
});

test.each([
  ['a: {b: 1\nc: 2\n', 'a { is not closed: its } is missing before line 2, column 1', 2],
  ['a: [1, 2', 'a [ is not closed: its ] is missing before line 1, column 9', 1],
  ['a: "b\nc: 2\n', 'a text that begins with " is not closed: its " is missing before line 3, column 1', 3],
  ['a: }\n', 'a } closes nothing at line 1, column 4', 1],
  ['a: {b: 1 c: 2}\n', 'a comma is missing between { and } or [ and ] at line 1, column 8', 1],
  ['a:\n\tb: 1\n', 'a tab indents the line, where only spaces may at line 2, column 1', 2],
  ['a: 1\na: 2\n', 'a key is there twice at line 2, column 1', 2],
  ['a:1\nb: 2\n', 'a key has no colon and space after it at line 1, column 1', 1],
  ['a:\n  - 1\n b: 2\n', 'a key is indented by another number of spaces than those beside it at line 3, column 1', 3],
  ['a: @x\n', 'a value that begins with @ must stand in quotation marks at line 1, column 4', 1],
])('%j is told in plain words, with line and column', (text, sentence, line) => {
  expect.assertions(1);
  try {
    readChecked('f.yml', text, gate);
  } catch (error) {
    expect((error as FailureError).failures).toMatchObject([{ cause: `f.yml is no valid YAML: ${sentence}`, line }]);
  }
});

describe('stage file', () => {
  test.each<[Record<string, unknown>, string[]]>([
    [{ region: 'mars' }, ['region is "mars", but must be an AWS region such as eu-west-1']],
    [{ accounts: [777788889999] }, ['accounts[0] is 777788889999, but must be text: put it in quotation marks']],
    [
      { accounts: ['7777'] },
      ['accounts[0] is "7777", but must be an account number of twelve digits in quotation marks'],
    ],
    [{ accounts: ['777788889999', '777788889999'] }, ['accounts has "777788889999" twice']],
    [{ endpoint: undefined }, ['endpoint is missing: give a mapping of instance-type and instance-count']],
    [
      { endpoint: { 'instance-type': 'large', 'instance-count': 0 } },
      [
        'endpoint.instance-type is "large", but must be an instance type such as ml.m5.large',
        'endpoint.instance-count is 0, but must be 1 or more',
      ],
    ],
    [
      { endpoint: { 'instance-type': 'ml.m5.large', 'instnce-count': 1 } },
      ['endpoint: unknown key instnce-count (did you mean instance-count?)'],
    ],
    [{ waves: [{ acounts: [] }] }, ['waves[0]: unknown key acounts (did you mean accounts?)']],
    [{ waves: [{}] }, ['waves[0] is {}, but must be {accounts: [...]} or {rest: true}']],
    [{ waves: [{ rest: false }] }, ['waves[0].rest is false, but must be true']],
    [
      { preferences: { 'max-concurrent-count': 101 } },
      ['preferences.max-concurrent-count is 101, but must be 100 or less'],
    ],
    [
      { parameters: { 'a-b': 'x' } },
      ['parameters: the key "a-b" must be the name of a template parameter: letters and digits'],
    ],
    [{ tags: { team: 'x'.repeat(257) } }, ['tags.team has 257 characters, but must have 256 or fewer']],
  ])('%j', (change, sentences) => {
    expect(told(stage, JSON.stringify({ ...whole.stage, ...change }))).toEqual(sentences);
  });
});

describe('build file', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ parameters: { A: { b: 1 } } }, 'parameters.A is {"b":1}, but must be text, a number or true or false'],
    [{ uploads: { A: '/abs' } }, 'uploads.A is "/abs", but must be a path relative to this file'],
    [
      { images: { A: 'xgboost' } },
      'images.A is "xgboost", but must be repository:tag without a registry, such as sagemaker-xgboost:3.2-0',
    ],
    [
      { roles: { 'arn:aws:iam::000000000000:role/a': 'jobs' } },
      'roles.arn:aws:iam::000000000000:role/a is "jobs", but must be one of job, pipeline (did you mean job?)',
    ],
    [
      { description: 'x'.repeat(4000) },
      `description is "${'x'.repeat(79)}..., but must be one line of up to 3072 characters`,
    ],
  ])('%j', (change, sentence) => {
    expect(told(build, JSON.stringify({ ...whole.build, ...change }))).toEqual([sentence]);
  });
});

test('all problems of a file are told together, each once', () => {
  expect(
    told(stage, 'environment: Prod\nregion: 1\naccounts: ["1", "1"]\nendpoint: {instance-type: x, instances: 1}'),
  ).toHaveLength(8);
});
