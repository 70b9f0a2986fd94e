import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;
beforeAll(async () => {
  world = await startWorld({
    product: {
      'README.md': 'of the product\n',
      'actions/x/action.yml': 'name: x\ndescription: x\nruns: {using: node24, main: x.js}\n',
      'actions/x/x.js': '',
    },
  });
});
afterAll(() => world.close());

const simple = (steps: string) => `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}\n`;
const out = async (run: RunRecord, job?: string) =>
  (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
const errors = (run: RunRecord) => run.jobs.flatMap(({ annotations }) => annotations).map(({ message }) => message);

describe('actions/checkout', () => {
  test('the commit of the run, one commit deep, on its branch', async () => {
    await world.push({ '.github/workflows/test.yml': simple('      - run: echo'), old: '1' });
    const run = await world.runWorkflow(
      simple(
        '      - uses: actions/checkout@v7\n        with: {persist-credentials: false}\n      - run: |\n          echo "OUT $(git rev-parse HEAD) $(git rev-parse --abbrev-ref HEAD) $(git rev-list --count HEAD) $(git status --porcelain | wc -l) $(cat old)"',
      ),
    );
    expect(await out(run)).toEqual([`${run.sha} main 1 0 1`]);
  });

  test('all history, a path, another ref, and what it answers', async () => {
    await world.git('push', '--quiet', 'origin', 'HEAD:refs/tags/before');
    const run = await world.runWorkflow(
      simple(`      - id: all
        uses: actions/checkout@v7
        with: {fetch-depth: 0, path: everything}
      - id: old
        uses: actions/checkout@v7
        with: {ref: before, path: old}
      - run: |
          echo "OUT $(git -C everything rev-list --count HEAD) \${{ steps.all.outputs.commit == github.sha }}"
          echo "OUT \${{ steps.old.outputs.ref }} $(git -C old rev-parse HEAD)"`),
    );
    const count = (await world.git('rev-list', '--count', 'HEAD')).trim();
    expect(await out(run)).toEqual([`${count} true`, `before ${(await world.git('rev-parse', 'HEAD~1')).trim()}`]);
  });

  test('a push from a job works with credentials and contents: write only, and starts no workflow', async () => {
    const push = (permissions: string, inputs = '') =>
      world.runWorkflow(`on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    permissions: ${permissions}
    steps:
      - uses: actions/checkout@v7
        with: {${inputs}}
      - run: |
          git -c user.name=a -c user.email=a@example.com commit --quiet --allow-empty -m pushed
          git push origin HEAD:refs/heads/pushed-$GITHUB_RUN_NUMBER 2>&1 && echo "OUT pushed"
`);
    const before = world.github.runs.list().length;
    const allowed = await push('{contents: write}');
    expect(await out(allowed)).toEqual(['pushed']);
    expect(await world.log(allowed)).toContain('starts no workflows');
    expect(world.github.runs.list().length).toBe(before + 1);
    expect(await world.log(await push('{contents: read}'))).toContain('the-job-has-no-permission-contents-write');
    expect(await world.log(await push('{contents: write}', 'persist-credentials: false'))).toContain(
      'persist-credentials-is-false',
    );
    expect(errors(await push('{actions: read}'))).toContainEqual(
      'Repository acme/abalone not found: the job has no permission contents: read',
    );
  });

  test('a mapped repository at the commit of the called file', async () => {
    const run = await world.runWorkflow(
      simple(
        `      - uses: actions/checkout@v7\n        with: {repository: ${product}, ref: ${sha}, path: product}\n      - run: echo "OUT $(cat product/README.md)"`,
      ),
    );
    expect(await out(run)).toEqual(['of the product']);
  });

  test('what it refuses while it runs: a ref or repository that is not there, a path outside', async () => {
    const checkout = (inputs: string) =>
      world.runWorkflow(simple(`      - uses: actions/checkout@v7\n        with: {${inputs}}`));
    expect(errors(await checkout('ref: nowhere'))).toEqual([
      "A branch or tag with the name 'nowhere' could not be found",
    ]);
    expect(errors(await checkout('repository: some/thing'))).toEqual([
      expect.stringContaining('some/thing is not on this machine'),
    ]);
    expect(errors(await checkout('path: ../out'))).toEqual([expect.stringContaining('is not under')]);
    // An input that only turns out to be unsupported when it is computed.
    expect(errors(await checkout('submodules: "${{ \'true\' }}"'))).toEqual([
      expect.stringContaining("'submodules: true' is not supported locally"),
    ]);
  });
});

describe('actions/setup-*', () => {
  test('python and node are those of the machine; a wish that cannot be met is said', async () => {
    const run = await world.runWorkflow(
      simple(`      - id: python
        uses: actions/setup-python@v7
        with: {python-version: "3.x"}
      - id: node
        uses: actions/setup-node@v7
        with: {node-version: 24, package-manager-cache: false}
      - run: |
          test "$(python --version)" = "Python \${{ steps.python.outputs.python-version }}" && echo "OUT python"
          test "$(node --version)" = "\${{ steps.node.outputs.node-version }}" && echo "OUT node"`),
    );
    expect(await out(run)).toEqual(['python', 'node']);
    const old = await world.runWorkflow(
      simple('      - uses: actions/setup-python@v7\n        with: {python-version: "3.3"}'),
    );
    expect(errors(old)[0]).toMatch(/python-version 3\.3 is not on this machine, it has 3\./);
    const wrong = await world.runWorkflow(
      simple('      - uses: actions/setup-node@v7\n        with: {node-version: 18}'),
    );
    expect(errors(wrong)[0]).toMatch(/node-version 18 is not on this machine, it has 24\./);
  });
});

describe('artifacts', () => {
  test('from one job to the next, by name, by pattern, merged; below the run afterwards', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  makes:
    runs-on: ubuntu-24.04
    outputs: {digest: "\${{ steps.up.outputs.artifact-digest }}"}
    steps:
      - run: mkdir -p out/deep && echo one > out/one.txt && echo two > out/deep/two.txt && echo no > out/no.log && echo hidden > out/.hidden
      - id: up
        uses: actions/upload-artifact@v7
        with:
          name: result-a
          path: |
            out
            !out/**/*.log
      - uses: actions/upload-artifact@v7
        with: {name: result-b, path: out/one.txt}
  reads:
    needs: makes
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@v8
        with: {name: result-a, path: a}
      - uses: actions/download-artifact@v8
        with: {pattern: result-*, path: each}
      - uses: actions/download-artifact@v8
        with: {pattern: result-*, path: merged, merge-multiple: true}
      - run: |
          for file in $(find a each merged -type f | sort); do echo "OUT $file $(cat $file)"; done
          echo "OUT \${{ needs.makes.outputs.digest != '' }}"
`);
    expect(errors(run)).toEqual([]);
    expect(await out(run, 'reads')).toEqual([
      'a/deep/two.txt two',
      'a/one.txt one',
      'each/result-a/deep/two.txt two',
      'each/result-a/one.txt one',
      'each/result-b/one.txt one',
      'merged/deep/two.txt two',
      'merged/one.txt one',
      'true',
    ]);
    const artifacts = join(world.github.runs.directory(run.id), 'artifacts');
    expect((await readdir(artifacts)).sort()).toEqual(['result-a', 'result-a.json', 'result-b', 'result-b.json']);
    expect(await readFile(join(artifacts, 'result-a/one.txt'), 'utf8')).toBe('one\n');
  });

  test('a name can be used once, nothing found is a warning or an error, a missing one fails', async () => {
    const upload = (inputs: string) => `      - uses: actions/upload-artifact@v7\n        with: {${inputs}}\n`;
    const twice = await world.runWorkflow(
      simple(
        `      - run: echo x > x\n${upload('name: n, path: x')}${upload('name: n, path: x, overwrite: true')}${upload('name: n, path: x')}`,
      ),
    );
    expect(errors(twice)[0]).toMatch(/409.*an artifact named 'n' already exists/);
    const nothing = await world.runWorkflow(
      simple(`${upload('path: none')}${upload('path: none, if-no-files-found: error')}`),
    );
    expect(conclusions(nothing)).toEqual({ one: 'failure' });
    expect(errors(nothing)).toEqual([expect.stringContaining('No files were found with the provided path: none')]);
    expect(await world.log(nothing)).toContain('##[warning]No files were found');
    const missing = await world.runWorkflow(
      simple('      - uses: actions/download-artifact@v8\n        with: {name: none}'),
    );
    expect(errors(missing)).toEqual(['Unable to download artifact(s): Artifact not found for name: none']);
    const bad = await world.runWorkflow(simple(`      - run: echo x > x\n${upload('name: "../x", path: x')}`));
    expect(errors(bad)).toEqual(['The artifact name is not valid: ../x']);
  });
});
