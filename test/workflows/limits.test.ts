import { expect, test } from '@jest/globals';
import { dispatchInputs } from '../../local/github/dispatch.ts';
import { toData } from '../../local/github/expressions.ts';
import type { Origin } from '../../local/github/origin.ts';
import { parseCommand } from '../../local/github/run/commands.ts';
import { ConcurrencyGroups, type Holder } from '../../local/github/run/concurrency.ts';
import { parseKeyValues } from '../../local/github/run/file-commands.ts';
import { Masks } from '../../local/github/run/masks.ts';
import { expandMatrix } from '../../local/github/run/matrix.ts';
import type { Problem } from '../../local/github/workflow/location.ts';
import { parseWorkflow } from '../../local/github/workflow/parse.ts';
import { defaultPermissions } from '../../local/github/workflow/permissions.ts';
import { planWorkflow } from '../../local/github/workflow/plan.ts';

const jobs = 'jobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n';
const problemsOf = (text: string): string[] => {
  const problems: Problem[] = [];
  parseWorkflow('test.yml', text, problems);
  return problems.map(({ message }) => message);
};

test('a file of more than 500 KB, a dispatch of more than 25 inputs', () => {
  expect(problemsOf(`on: push\n${jobs}#${'x'.repeat(500 * 1024)}\n`)).toEqual([
    expect.stringContaining('larger than 500 KB'),
  ]);
  const inputs = (count: number) =>
    Array.from({ length: count }, (_, index) => `      i${index}: {type: string}\n`).join('');
  expect(problemsOf(`on:\n  workflow_dispatch:\n    inputs:\n${inputs(25)}${jobs}`)).toEqual([]);
  expect(problemsOf(`on:\n  workflow_dispatch:\n    inputs:\n${inputs(26)}${jobs}`)).toEqual([
    expect.stringContaining('26 inputs; GitHub allows 25'),
  ]);
});

test('calls: ten levels in all, $/ and ./ mean the repository of the file they stand in', async () => {
  const level = (next: string) => `on: [push, workflow_call]\njobs:\n  call:\n    uses: ${next}\n`;
  const plan = (depth: number) => {
    const files: Record<string, string> = { [`.github/workflows/w${depth}.yml`]: `on: [push, workflow_call]\n${jobs}` };
    for (let index = 1; index < depth; index++) {
      files[`.github/workflows/w${index}.yml`] = level(`${index % 2 ? '$' : '.'}/.github/workflows/w${index + 1}.yml`);
    }
    const origin: Origin = {
      repository: 'other/product',
      ref: 'refs/heads/main',
      sha: 'b'.repeat(40),
      working: false,
      read: async (path) => files[path],
      directory: async () => '/nonexistent',
    };
    const text = level('other/product/.github/workflows/w1.yml@main');
    const caller: Origin = { ...origin, repository: 'acme/abalone', read: async () => undefined };
    return planWorkflow({
      origin: caller,
      path: 'top.yml',
      text,
      permissions: defaultPermissions,
      resolve: async () => origin,
    });
  };
  expect((await plan(9)).problems).toEqual([]);
  expect((await plan(10)).problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('more than 10 levels deep'),
  ]);
});

test('inputs of a dispatch: types, choices, what is required, 65,535 characters', () => {
  const input = (name: string, type: 'string' | 'number' | 'boolean' | 'choice', more = {}) => ({
    name,
    type,
    required: false,
    default: undefined,
    options: [],
    description: '',
    ...more,
  });
  const declared = [
    input('text', 'string', { required: true }),
    input('count', 'number'),
    input('flag', 'boolean'),
    input('size', 'choice', { options: ['s', 'l'] }),
  ];
  expect(dispatchInputs(declared, { TEXT: 'x' })).toEqual({ text: 'x', count: 0, flag: false, size: 's' });
  expect(dispatchInputs(declared, { text: 'x', count: '3', flag: 'true', size: 'l' })).toEqual({
    text: 'x',
    count: 3,
    flag: true,
    size: 'l',
  });
  expect(() => dispatchInputs(declared, {})).toThrow("Required input 'text' not provided");
  expect(() => dispatchInputs(declared, { text: 'x', count: 'many' })).toThrow(
    /'many' for input 'count' must be a number/,
  );
  expect(() => dispatchInputs(declared, { text: 'x', flag: 'yes' })).toThrow(
    /'yes' for input 'flag' must be true or false/,
  );
  expect(() => dispatchInputs(declared, { text: 'x'.repeat(65_536) })).toThrow(/the limit is 65535/);
});

test.each<[what: string, matrix: unknown, expected: unknown]>([
  [
    'the documented example of include',
    {
      fruit: ['apple', 'pear'],
      animal: ['cat', 'dog'],
      include: [
        { color: 'green' },
        { color: 'pink', animal: 'cat' },
        { fruit: 'apple', shape: 'circle' },
        { fruit: 'banana' },
        { fruit: 'banana', animal: 'cat' },
      ],
    },
    [
      { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
      { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
      { fruit: 'pear', animal: 'cat', color: 'pink' },
      { fruit: 'pear', animal: 'dog', color: 'green' },
      { fruit: 'banana' },
      { fruit: 'banana', animal: 'cat' },
    ],
  ],
  ['only include', { include: [{ a: 1 }, { a: 2, b: 3 }] }, [{ a: 1 }, { a: 2, b: 3 }]],
  [
    'exclude by part of an object',
    { node: [{ version: 1, env: 'x' }, { version: 2 }], exclude: [{ node: { version: 1 } }] },
    [{ node: { version: 2 } }],
  ],
])('matrix: %s', (_, matrix, expected) => {
  expect(expandMatrix(toData(matrix))).toEqual(expected);
});

test('a hundred requests may wait for a group with queue: max, the next is turned away', async () => {
  const groups = new ConcurrencyGroups();
  const reasons: string[] = [];
  const holder = (): Holder => ({ ancestors: [], cancel: (reason) => reasons.push(reason) });
  const first = holder();
  const options = { cancelInProgress: false, queue: 'max' as const };
  expect(groups.acquire('g', first, options)).toBe('acquired');
  for (let index = 0; index < 100; index++) void groups.acquire('g', holder(), options);
  expect(groups.acquire('G', holder(), options)).toBe('cancelled');
  expect(reasons).toEqual([expect.stringContaining('100 requests wait')]);
});

test.each<[line: string, expected: ReturnType<typeof parseCommand>]>([
  ['::error::text', { name: 'error', properties: {}, message: 'text' }],
  [
    '  ::warning file=a b.py,line=1::text: with :: colons',
    { name: 'warning', properties: { file: 'a b.py', line: '1' }, message: 'text: with :: colons' },
  ],
  [
    '::error title=50%25%3A%2C,x=1=2::a%0Ab%25',
    { name: 'error', properties: { title: '50%:,', x: '1=2' }, message: 'a\nb%' },
  ],
  ['::add-mask::', { name: 'add-mask', properties: {}, message: '' }],
  ['::group::Title ::', { name: 'group', properties: {}, message: 'Title ::' }],
  ['text ::error::x', undefined],
  [':: error::x', undefined],
  ['::error', undefined],
  [
    'old ##[error file=a;line=2]text%0Amore',
    { name: 'error', properties: { file: 'a', line: '2' }, message: 'text\nmore' },
  ],
  ['##[group]Title', { name: 'group', properties: {}, message: 'Title' }],
  ['##[ error]x', undefined],
])('command %s', (line, expected) => expect(parseCommand(line)).toEqual(expected));

test('command files: pairs, heredocs, Windows line ends, and what is wrong with them', () => {
  expect(parseKeyValues('a=1\r\n\nb<<X\none\n\ntwo=2\nX\nc==<<\n')).toEqual([
    ['a', '1'],
    ['b', 'one\n\ntwo=2'],
    ['c', '=<<'],
  ]);
  expect(parseKeyValues('a<<EOF\nEOF\n')).toEqual([['a', '']]);
  expect(() => parseKeyValues('text')).toThrow("Invalid format 'text'");
  expect(() => parseKeyValues('=x')).toThrow('Name must not be empty');
  expect(() => parseKeyValues('a<<\nx\n')).toThrow('delimiter must not be empty');
  expect(() => parseKeyValues('a<<EOF\nEOF2\n')).toThrow("Matching delimiter not found 'EOF'");
});

test('masks: the longest first, lines on their own, encodings at any offset', () => {
  const masks = new Masks();
  masks.add('secret');
  masks.add('secret-and-more');
  masks.add('line one\r\n\r\nline two');
  expect(masks.mask('secret-and-more secret line one / line two')).toBe('*** *** *** / ***');
  for (const offset of [0, 1, 2, 3, 4]) {
    const text = Buffer.from(`${'x'.repeat(offset)}secret-and-more${'y'.repeat(offset)}`).toString('base64');
    expect(masks.isIn(text)).toBe(true);
  }
  expect(masks.isIn('nothing of it')).toBe(false);
  masks.add('  ');
  expect(masks.mask('a b')).toBe('a b');
  masks.add('a"b<c&d e');
  expect(masks.mask('a\\"b<c&d e; a%22b%3Cc%26d%20e; a&quot;b&lt;c&amp;d e')).toBe('***; ***; ***');
});
