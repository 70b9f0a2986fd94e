import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Origin } from '../../local/github/origin.ts';
import { formatProblem, type Problem } from '../../local/github/workflow/location.ts';
import { parseWorkflow } from '../../local/github/workflow/parse.ts';
import { defaultPermissions } from '../../local/github/workflow/permissions.ts';
import { planWorkflow } from '../../local/github/workflow/plan.ts';
import { startWorld, type World } from './support.ts';

/** A repository that is nothing but texts. */
function origin(repository: string, files: Record<string, string>): Origin {
  return {
    repository,
    ref: 'refs/heads/main',
    sha: 'a'.repeat(40),
    working: false,
    read: async (path) => files[path],
    directory: async () => '/nonexistent',
  };
}

async function problemsOf(text: string, others: Record<string, Record<string, string>> = {}): Promise<Problem[]> {
  const path = '.github/workflows/test.yml';
  const plan = await planWorkflow({
    origin: origin('acme/abalone', { [path]: text, ...others['acme/abalone'] }),
    path,
    text,
    permissions: defaultPermissions,
    resolve: async (repository, ref) =>
      others[repository] ? origin(repository, others[repository]) : `${repository} is not on this machine (${ref})`,
  });
  return plan.problems;
}

const job = (lines: string) =>
  `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n${lines}\n    steps:\n      - run: echo hello\n`;
const step = (lines: string) => `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n${lines}\n`;

/** The construct, a workflow that uses it, the line that must be named, words that must be in the sentence. */
const refused: [name: string, workflow: string, line: number, words: RegExp][] = [
  ['services', job('    services:\n      db: {image: postgres}'), 5, /'services'.*not supported/],
  ['container', job('    container: node:24'), 5, /'container'.*not supported/],
  ['defaults of a job', job('    defaults:\n      run: {shell: bash}'), 5, /'defaults'.*not supported/],
  ['defaults of the workflow', `defaults:\n  run: {shell: bash}\n${job('')}`, 1, /'defaults'.*not supported/],
  ['snapshot', job('    snapshot: my-image'), 5, /'snapshot'.*not supported/],
  ['cache-mode of a job', job('    cache-mode: read'), 5, /'cache-mode'.*not supported/],
  ['cache-mode of the workflow', `cache-mode: none\n${job('')}`, 1, /'cache-mode'.*not supported/],
  [
    'a runner group',
    'on: push\njobs:\n  one:\n    runs-on:\n      group: large\n    steps:\n      - run: echo\n',
    4,
    /runner groups.*not supported/,
  ],
  [
    'Windows',
    'on: push\njobs:\n  one:\n    runs-on: windows-latest\n    steps:\n      - run: echo\n',
    4,
    /'windows-latest' is not supported/,
  ],
  [
    'macOS',
    'on: push\njobs:\n  one:\n    runs-on: [macos-15]\n    steps:\n      - run: echo\n',
    4,
    /'macos-15' is not supported/,
  ],
  ['docker://', step('      - uses: docker://alpine:3'), 6, /'docker:\/\/alpine:3'.*not supported/],
  [
    'args for Docker',
    step('      - uses: actions/checkout@v7\n        with:\n          args: hello'),
    8,
    /'args'.*Docker/,
  ],
  ['PowerShell', step('      - run: echo\n        shell: pwsh'), 7, /shell 'pwsh' is not supported/],
  ['a custom shell', step('      - run: echo\n        shell: perl {0}'), 7, /shell 'perl \{0\}' is not supported/],
  ['background steps', step('      - run: sleep 1\n        background: true'), 7, /'background'.*not supported/],
  ['waiting for background steps', step('      - run: echo\n      - wait: one'), 7, /'wait'.*not supported/],
  ['parallel steps', step('      - parallel:\n          - run: echo'), 6, /'parallel'.*not supported/],
  [
    'secrets: inherit',
    'on: push\njobs:\n  one:\n    uses: ./.github/workflows/called.yml\n    secrets: inherit\n',
    5,
    /'secrets: inherit' is not supported/,
  ],
  [
    'secrets of a call',
    'on: push\njobs:\n  one:\n    uses: ./.github/workflows/called.yml\n    secrets:\n      token: x\n',
    5,
    /'secrets' of a call is not supported/,
  ],
  ['a secret', step('      - run: echo "${{ secrets.PASSWORD }}"'), 6, /secrets\.PASSWORD.*not supported/],
  [
    'all secrets',
    step('      - run: echo\n      - env:\n          ALL: ${{ toJSON(secrets) }}\n        run: echo'),
    8,
    /secrets context is not supported/,
  ],
  [
    'a secret in the middle of a script',
    step('      - run: |\n          echo one\n          echo "${{ secrets.TOKEN }}"'),
    8,
    /secrets\.TOKEN.*not supported/,
  ],
  [
    '${{ insert }}',
    job('    env:\n      ${{ insert }}: x').replace('      ${{ insert }}: x', '      A: ${{ insert }}'),
    6,
    /insert.*not supported/,
  ],
  [
    'an action nobody has mapped',
    step('      - uses: someone/something@v1'),
    6,
    /someone\/something@v1.*not on this machine/,
  ],
  ['the cache action', step('      - uses: actions/cache@v6'), 6, /actions\/cache@v6.*not on this machine/],
  [
    'a workflow nobody has mapped',
    'on: push\njobs:\n  one:\n    uses: someone/something/.github/workflows/x.yml@v1\n',
    3,
    /someone\/something.*not on this machine/,
  ],
  [
    'an input that checkout has, but not here',
    step('      - uses: actions/checkout@v7\n        with:\n          submodules: recursive'),
    8,
    /'submodules: recursive' is not supported/,
  ],
  [
    'an input that no checkout has',
    step('      - uses: actions/checkout@v7\n        with: {fetch_depth: 0}'),
    7,
    /'fetch_depth' is not supported/,
  ],
  [
    'a cache of setup-python',
    step(
      '      - uses: actions/setup-python@v7\n        with:\n          python-version: "3.12"\n          cache: pip',
    ),
    9,
    /'cache: pip' is not supported/,
  ],
  [
    'an artifact of another run',
    step('      - uses: actions/download-artifact@v8\n        with: {name: x, run-id: 1}'),
    7,
    /'run-id: 1' is not supported/,
  ],
  [
    'a registry of setup-node',
    step('      - uses: actions/setup-node@v7\n        with: {registry-url: "https://example.com"}'),
    7,
    /'registry-url' is not supported/,
  ],
  [
    'workflow_call secrets',
    'on:\n  workflow_call:\n    secrets:\n      token: {required: true}\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    3,
    /'secrets'.*not supported/,
  ],
  ['an unknown key of a job', job('    time-out: 3'), 5, /unknown key 'time-out'/],
  [
    'an unknown key of a step',
    step('      - run: echo\n        working_directory: x'),
    7,
    /unknown key 'working_directory'/,
  ],
  ['an unknown key of the workflow', `permission: {}\n${job('')}`, 1, /unknown key 'permission'/],
  [
    'an unknown event',
    'on: [push, pushed]\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    1,
    /unknown event 'pushed'/,
  ],
  [
    'an unknown permission',
    job('    permissions:\n      contents: read\n      tokens: write'),
    7,
    /unknown permission scope 'tokens'/,
  ],
  ['an impossible permission', job('    permissions: {id-token: read}'), 5, /id-token: 'read' must be write or none/],
  [
    'queue: max with cancel-in-progress',
    job('    concurrency:\n      group: x\n      queue: max\n      cancel-in-progress: true'),
    7,
    /'queue: max' with 'cancel-in-progress: true'/,
  ],
  ['a context that is not there', job('    if: matrix.x == 1'), 5, /Unrecognized named-value: 'matrix'/],
  ['a function that is not there', step('      - run: echo ${{ success() }}'), 6, /Unrecognized function: 'success'/],
  [
    'an expression in uses',
    step('      - uses: actions/checkout@${{ github.sha }}'),
    6,
    /may not contain an expression/,
  ],
  ['an open expression', step('      - run: echo ${{ github.sha'), 6, /not closed/],
  [
    'a merge key',
    'on: push\njobs:\n  one: &one\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n  two:\n    <<: *one\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    7,
    /merge keys/,
  ],
  [
    'a key that is there twice',
    'on: push\non: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    2,
    /unique/,
  ],
  [
    'a circle of needs',
    'on: push\njobs:\n  one:\n    needs: two\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n  two:\n    needs: one\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    3,
    /one -> two -> one/,
  ],
  ['a need that does not exist', job('    needs: zero'), 3, /unknown job 'zero'/],
  [
    'keys of a job on a call',
    'on: push\njobs:\n  one:\n    uses: ./.github/workflows/called.yml\n    timeout-minutes: 5\n',
    5,
    /'timeout-minutes' cannot stand in a job that calls/,
  ],
  [
    'a reusable workflow in a subfolder',
    'on: push\njobs:\n  one:\n    uses: ./.github/workflows/deep/called.yml\n',
    3,
    /without subfolders/,
  ],
  [
    'two branch filters',
    'on:\n  push:\n    branches: [main]\n    branches-ignore: [dev]\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    4,
    /both 'branches' and 'branches-ignore'/,
  ],
  ['two ids', step('      - {id: a, run: echo}\n      - {id: A, run: echo}'), 7, /'A' is used by two steps/],
];

describe('what the runner does not support', () => {
  test('there are twenty constructs at least', () => expect(refused.length).toBeGreaterThanOrEqual(20));

  const called = 'on: workflow_call\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n';

  test.each(refused)('%s is refused by name and line', async (_, workflow, line, words) => {
    const problems = await problemsOf(workflow, { 'acme/abalone': { '.github/workflows/called.yml': called } });
    expect(problems.map(formatProblem)).toEqual([expect.stringMatching(words)]);
    expect(problems[0]).toMatchObject({ file: '.github/workflows/test.yml', line });
  });

  test('the same workflows without the construct are accepted', async () => {
    expect(await problemsOf(job('    timeout-minutes: 3'))).toEqual([]);
    expect(
      await problemsOf(step('      - uses: actions/checkout@v7\n        with: {submodules: false, fetch-depth: 0}')),
    ).toEqual([]);
    expect(await problemsOf(step('      - run: echo "${{ secrets.GITHUB_TOKEN }}"'))).toEqual([]);
  });

  test('Docker actions and actions of old Nodes, in the action.yml', async () => {
    const files = {
      'docker/action.yml': 'name: d\ndescription: d\nruns:\n  using: docker\n  image: Dockerfile\n',
      'old/action.yml': 'name: o\ndescription: o\nruns:\n  using: node16\n  main: x.js\n',
    };
    const problems = await problemsOf(
      step('      - uses: other/actions/docker@v1\n      - uses: other/actions/old@v1'),
      { 'other/actions': files },
    );
    expect(problems.map(formatProblem)).toEqual([
      expect.stringMatching(
        /^other\/actions\/docker\/action.yml@refs\/heads\/main:4:.*Docker actions are not supported/,
      ),
      expect.stringMatching(/^other\/actions\/old\/action.yml@refs\/heads\/main:4:.*'using: node16' are not supported/),
    ]);
  });

  test('what GitHub says about calls', async () => {
    const inputs =
      'on:\n  workflow_call:\n    inputs:\n      name: {type: string, required: true}\n      count: {type: number}\n';
    const text = `${inputs}jobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n`;
    const caller =
      'on: push\njobs:\n  one:\n    uses: ./.github/workflows/called.yml\n    with:\n      count: many\n      other: x\n';
    const problems = await problemsOf(caller, { 'acme/abalone': { '.github/workflows/called.yml': text } });
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [3, 'Input name is required, but not provided while calling.'],
      [6, "input 'count' must be a number, not 'many'"],
      [7, 'Invalid input, other is not defined in the referenced workflow.'],
    ]);
  });

  test('a workflow that calls itself, and one that cannot be called', async () => {
    const self = 'on: workflow_call\njobs:\n  one:\n    uses: ./.github/workflows/self.yml\n';
    const push = 'on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n';
    const caller =
      'on: push\njobs:\n  one:\n    uses: ./.github/workflows/self.yml\n  two:\n    uses: ./.github/workflows/push.yml\n  three:\n    uses: ./.github/workflows/none.yml\n';
    const files = { '.github/workflows/self.yml': self, '.github/workflows/push.yml': push };
    const messages = (await problemsOf(caller, { 'acme/abalone': files })).map(({ message }) => message);
    expect(messages).toEqual([
      expect.stringMatching(/calls itself/),
      expect.stringMatching(/cannot be called/),
      expect.stringMatching(/was not found/),
    ]);
  });
});

describe('against the schema of GitHub', () => {
  const schema = JSON.parse(
    readFileSync(
      fileURLToPath(
        new URL('../../node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json', import.meta.url),
      ),
      'utf8',
    ),
  ) as { definitions: Record<string, { mapping: { properties: Record<string, unknown> } }> };
  const keys = (definition: string) => Object.keys(schema.definitions[definition]!.mapping.properties);

  test.each<[string, (key: string) => string]>([
    ['workflow-root-strict', (key) => `${key}: x\n`],
    ['job-factory', (key) => `jobs:\n  one:\n    ${key}: x\n`],
    ['workflow-job', (key) => `jobs:\n  one:\n    ${key}: x\n`],
    ['run-step', (key) => `jobs:\n  one:\n    steps:\n      - ${key}: x\n`],
    ['regular-step', (key) => `jobs:\n  one:\n    steps:\n      - ${key}: x\n`],
    ['wait-step', (key) => `jobs:\n  one:\n    steps:\n      - ${key}: x\n`],
    ['parallel-step', (key) => `jobs:\n  one:\n    steps:\n      - ${key}: x\n`],
    ['cancel-step', (key) => `jobs:\n  one:\n    steps:\n      - ${key}: x\n`],
    ['push-mapping', (key) => `on:\n  push:\n    ${key}: x\n`],
    ['concurrency-mapping', (key) => `concurrency:\n  ${key}: x\n`],
    ['strategy', (key) => `jobs:\n  one:\n    strategy:\n      ${key}: x\n`],
    ['on-mapping-strict', (key) => `on:\n  ${key}:\n`],
    ['permissions-mapping', (key) => `permissions:\n  ${key}: none\n`],
  ])('every key of %s is supported or refused by name, none is unknown', (definition, text) => {
    const unknown = keys(definition).filter((key) => {
      const problems: Problem[] = [];
      parseWorkflow('test.yml', text(key), problems);
      return problems.some(({ message }) => /unknown (key|event|permission)/.test(message) && !message.includes("'x'"));
    });
    expect(unknown).toEqual([]);
  });
});

describe('a push of a workflow that cannot run', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  test('names everything at once, starts no job, and says so to who pushes', async () => {
    const workflow = `on: push
jobs:
  fine:
    runs-on: ubuntu-24.04
    steps:
      - run: touch "$HOME/../../../../ran"
  broken:
    runs-on: ubuntu-24.04
    container: node:24
    services: {db: {image: x}}
    steps:
      - uses: docker://alpine
      - run: echo "\${{ secrets.X }}"
`;
    const run = await world.runWorkflow(workflow);
    expect(run.conclusion).toBe('startup_failure');
    expect(run.jobs).toEqual([]);
    expect(run.problems.map(({ line }) => line)).toEqual([9, 10, 12, 13]);
    for (const line of [9, 10, 12, 13]) expect(world.pushOutput).toContain(`.github/workflows/test.yml:${line}:`);
    expect(world.pushOutput).toContain('cannot start');
    expect(world.events.filter(({ type }) => type === 'job-started')).toEqual([]);
  });

  test('a file that is no YAML fails visibly as well', async () => {
    const run = await world.runWorkflow('on: push\njobs:\n  one: [\n');
    expect(run.conclusion).toBe('startup_failure');
    expect(run.problems.length).toBeGreaterThan(0);
  });

  test('events that never happen here are no problem, only a note', async () => {
    const run = await world.runWorkflow(
      'on:\n  push:\n  schedule: [{cron: "0 3 * * *"}]\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n',
    );
    expect(run.conclusion).toBe('success');
    expect(run.notes).toEqual([expect.stringContaining('schedule')]);
  });
});
