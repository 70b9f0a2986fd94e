/** The file of --world: what it makes of the local platform, what is wrong with it, and what `local` tells. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { describeWorld } from '../../cli/commands/local.ts';
import { UserError } from '../../cli/errors.ts';
import { readWorld } from '../../cli/world-file.ts';
import { defaultWorld, type World } from '../../local/aws/core/world.ts';
import { root } from '../start/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-world-'));
afterAll(() => rmSync(folder, { recursive: true }));
function fileWith(text: string): string {
  const file = join(folder, 'world.yml');
  writeFileSync(file, text);
  return file;
}
const read = (text: string): World => readWorld(fileWith(text));
/** The sentence with which a file is refused, the name of the file left out. */
function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(2);
    return (error as Error).message.replace(join(folder, 'world.yml'), 'FILE');
  }
  throw new Error('the file was taken');
}
const accounts = `accounts:
  - {id: "111122223333", name: development, admin: true}
  - {id: "444455556666", name: staging}
  - {id: "777788889999", name: production-1}
`;

describe('a world', () => {
  test('of the four accounts where no file is named', () => expect(readWorld(undefined)).toBe(defaultWorld));

  test('of the least', () => {
    expect(read(`region: eu-west-1\n${accounts}`)).toEqual({
      region: 'eu-west-1',
      accounts: [
        { id: '111122223333', name: 'development', admin: true },
        { id: '444455556666', name: 'staging' },
        { id: '777788889999', name: 'production-1' },
      ],
      clock: { mode: 'at-once' },
    });
  });

  test('with regions, units of names and numbers, and a clock', () => {
    const world = read(`region: eu-west-1
regions: [eu-central-1, eu-west-1]
${accounts}organizational-units:
  - name: workloads
    accounts: [staging]
    units:
      - {name: production, accounts: ["777788889999"]}
      - {name: workloads}
  - {name: empty}
clock: {mode: scaled, factor: 60}
`);
    expect(world).toMatchObject({
      // The default region is one of them wherever it is written.
      regions: ['eu-west-1', 'eu-central-1'],
      organizationalUnits: [
        {
          name: 'workloads',
          accounts: ['444455556666'],
          units: [
            { name: 'production', accounts: ['777788889999'] },
            { name: 'workloads', accounts: [] },
          ],
        },
        { name: 'empty', accounts: [] },
      ],
      clock: { mode: 'scaled', factor: 60 },
    });
  });

  test('of docs/local-world.md', () => {
    const page = readFileSync(join(root, 'docs/local-world.md'), 'utf8');
    const [, text] = /```yaml\n([\s\S]*?)```/.exec(page)!;
    const world = read(text!);
    expect(world.regions).toHaveLength(2);
    expect(world.accounts.length).toBeGreaterThan(2);
    expect(world.organizationalUnits!.length).toBeGreaterThan(0);
  });
});

describe('mistakes', () => {
  test('are told together, in the order of their lines, each with what was meant', () => {
    expect(
      refusal(`regoin: eu-west-1
regions: [eu-central-1, 7, eu-central-1]
accounts:
  - {id: 111122223333, name: a, admn: true}
  - {id: "123456789012", name: production-1}
  - {id: "1", name: a}
  - {id: "444455556666", name: staging, admin: yes please}
  - 7
organizational-units:
  - name: workloads
    accounts: [prodution-1, staging, 444455556666]
    unit: []
  - {name: workloads, accounts: ["444455556666"], units: later}
  - {accounts: staging}
  - x
clock: {mode: fast}
`).split('\n'),
    ).toEqual([
      '--world FILE needs mending:',
      '  line 1: unknown key "regoin", known are region, regions, accounts, organizational-units, clock (did you mean region?)',
      '  line 1: region is missing, but must be one such as eu-west-1',
      '  line 2: regions[1] is 7, but must be one such as eu-central-1',
      '  line 2: regions[2] "eu-central-1" stands twice',
      '  line 3: 0 accounts have admin: true, but exactly one must: it holds registry and pipelines',
      '  line 4: accounts[0]: unknown key "admn", known are id, name, admin (did you mean admin?)',
      '  line 4: accounts[0].id is 111122223333, but must be text: put it in quotation marks',
      '  line 5: accounts[1].id 123456789012 is taken by the emulator behind S3 and KMS for calls without an account: choose another',
      '  line 6: accounts[2].id is "1", but must be twelve digits in quotation marks',
      '  line 6: accounts[2].name "a" stands twice',
      '  line 7: accounts[3].admin is "yes please", but must be true or false',
      '  line 8: accounts[4] is 7, but must be a mapping of id and name',
      '  line 11: organizational-units[0].accounts[0] is "prodution-1", but no account has this name or number (did you mean production-1?)',
      '  line 11: organizational-units[0].accounts[2] is 444455556666, but must be text: put it in quotation marks',
      '  line 12: organizational-units[0]: unknown key "unit", known are name, accounts, units (did you mean units?)',
      '  line 13: organizational-units[1].name "workloads" stands twice in the root',
      '  line 13: organizational-units[1].accounts[0] "444455556666" stands in workloads already: an account has one place',
      '  line 13: organizational-units[1].units is "later", but must be a list such as [{name: production, accounts: [production-1]}]',
      '  line 14: organizational-units[2].name is missing, but must be a name of at most 128 characters',
      '  line 14: organizational-units[2].accounts is "staging", but must be a list of names or numbers of accounts',
      '  line 15: organizational-units[3] is "x", but must be a mapping of name and accounts',
      '  line 16: clock.mode is "fast", but must be one of at-once, scaled, by-hand',
    ]);
  });

  const start = `region: eu-west-1\n${accounts}`;
  test.each<[string, string, RegExp]>([
    [
      'a region of another partition',
      `${start}regions: [cn-north-1]`,
      /line 6: regions\[0\] is "cn-north-1" of the partition aws-cn, but eu-west-1 is of aws: an account lives in one$/,
    ],
    [
      'regions that are no list',
      `${start}regions: eu-central-1`,
      /line 6: regions is "eu-central-1", but must be a list/,
    ],
    [
      'units that are no list',
      `${start}organizational-units: {name: a}`,
      /line 6: organizational-units is {"name":"a"}, but must be a list/,
    ],
    [
      'two places',
      `${start}organizational-units: [{name: a, accounts: [staging]}, {name: b, units: [{name: c, accounts: [staging]}]}]`,
      /organizational-units\[1\]\.units\[0\]\.accounts\[0\] "staging" stands in a already/,
    ],
    [
      'more levels than AWS has',
      `${start}organizational-units: ${'[{name: a, units: '.repeat(5)}[{name: a}]${'}]'.repeat(5)}`,
      /units\[0\]\.units stands on level 6 below the root, but AWS allows 5 levels/,
    ],
    [
      'a clock that stands',
      `${start}clock: {mode: scaled, factor: 0}`,
      /line 6: clock\.factor is 0, but must be a number above 0/,
    ],
    ['no mapping', 'hello', /FILE is "hello", but must be a mapping of region, accounts and clock\.$/],
    ['no accounts', 'region: eu-west-1', /line 1: accounts is missing, but must list at least one/],
    ['nothing', '', /line 1: region is missing/],
    ['a key twice', 'region: a\nregion: b', /FILE is no YAML: line 2: Map keys must be unique\.$/],
    ['an open bracket', 'region: eu-west-1\naccounts: [{]', /FILE is no YAML: line 2: [^:]+\.$/],
    ['a tab', 'region: eu-west-1\naccounts:\n\t- 1', /FILE is no YAML: line 3: [^:]+\.$/],
  ])('%s', (_what, text, message) => expect(refusal(text)).toMatch(message));

  test('a file that is not there, and a folder', () => {
    expect(() => readWorld('/nowhere.yml')).toThrow(/^There is no file \/nowhere\.yml/);
    expect(() => readWorld(folder)).toThrow(/could not be read/);
  });
});

describe('what `local` tells', () => {
  const url = 'http://127.0.0.1:4577';
  test('of a world of one', () => {
    const world = read('region: eu-west-1\naccounts: [{id: "222233334444", name: only, admin: true}]');
    expect(describeWorld(world, url)).toEqual([
      'The local platform answers at http://127.0.0.1:4577 (eu-west-1 and every other region):',
      '  222233334444  only  (manages the organization)',
      'In another terminal: eval "$(npx sagemaker-mlops env only)", then aws or boto3. Ctrl-C ends it.',
    ]);
  });

  test('of regions and units; a name that a shell would read is not typed', () => {
    const world = read(`region: eu-west-1
regions: [eu-central-1]
accounts:
  - {id: "444455556666", name: "my $HOME"}
  - {id: "111122223333", name: tooling, admin: true}
  - {id: "777788889999", name: production-1}
organizational-units:
  - {name: infrastructure, accounts: [tooling]}
  - {name: workloads, units: [{name: production, accounts: [production-1]}]}
`);
    expect(describeWorld(world, url)).toEqual([
      'The local platform answers at http://127.0.0.1:4577 (eu-west-1, eu-central-1):',
      '  444455556666  my $HOME',
      '  111122223333  tooling       infrastructure (manages the organization)',
      '  777788889999  production-1  workloads/production',
      'In another terminal: eval "$(npx sagemaker-mlops env 444455556666)", then aws or boto3. Ctrl-C ends it.',
    ]);
  });

  test('of many accounts fits a screen', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      id: String(200_000_000_000 + index),
      name: `a${index}`,
    }));
    const lines = describeWorld({ ...defaultWorld, accounts: [...defaultWorld.accounts, ...many] }, url);
    expect(lines.length).toBeLessThan(30);
    expect(lines).toContain('  and 84 more: aws organizations list-accounts');
  });
});
