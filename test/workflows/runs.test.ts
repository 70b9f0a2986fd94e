import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;

beforeAll(async () => {
  process.env.SOMETHING_OF_THE_USER = 'must not leak';
  world = await startWorld({
    pace: { minute: 400, interrupt: 150, terminate: 150, cancelled: 2_000 },
    product: {
      '.github/workflows/called.yml': `name: The called one
on:
  workflow_call:
    inputs:
      fail: {type: boolean, default: false}
      number: {type: number, default: 7}
    outputs:
      where: {value: "\${{ jobs.inner.outputs.where }}"}
jobs:
  inner:
    name: Inner
    runs-on: ubuntu-24.04
    outputs: {where: "\${{ steps.where.outputs.where }}"}
    steps:
      - run: |
          echo "OUT workflow=\${{ github.workflow }} ref=\${{ github.workflow_ref }}"
          echo "OUT job=\${{ job.workflow_repository }} \${{ job.workflow_file_path }} \${{ job.workflow_sha }}"
          echo "OUT job_ref=\${{ job.workflow_ref }}"
          echo "OUT env=[$FROM_CALLER] number=\${{ inputs.number }} vars=\${{ vars.COLOUR }}"
      - uses: $/actions/hello
      - id: where
        run: echo "where=\${{ github.repository }}" >> "$GITHUB_OUTPUT"
      - if: inputs.fail
        run: exit 1
`,
      'actions/hello/action.yml': 'name: hello\ndescription: says hello\nruns: {using: node24, main: main.js}\n',
      'actions/hello/main.js':
        'console.log("OUT hello from", process.env.GITHUB_ACTION_REPOSITORY, process.version.split(".")[0]);\n',
      'actions/throws/action.yml': 'name: throws\ndescription: throws\nruns: {using: node24, main: main.js}\n',
      'actions/throws/main.js': 'console.log("OUT before"); throw new Error("a bundle that throws");\n',
    },
  });
  world.github.setVariables('acme/abalone', { COLOUR: 'green' });
});
afterAll(async () => {
  delete process.env.SOMETHING_OF_THE_USER;
  await world.close();
  expect(world.warnings).toEqual([]);
});

async function out(run: RunRecord, job?: string): Promise<string[]> {
  return (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
}

const simple = (steps: string) => `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}\n`;

describe('from push to action', () => {
  test('a push runs a reusable workflow of another repository, and that its own actions', async () => {
    const run = await world.runWorkflow(`name: The caller
on: push
env: {FROM_CALLER: x}
jobs:
  call:
    uses: ${product}/.github/workflows/called.yml@${sha}
  after:
    needs: call
    runs-on: ubuntu-24.04
    steps: [{run: 'echo "OUT \${{ needs.call.outputs.where }}"'}]
`);
    expect(run.conclusion).toBe('success');
    expect(conclusions(run)).toEqual({ 'call / Inner': 'success', after: 'success' });
    expect(await out(run, 'call / Inner')).toEqual([
      'workflow=The caller ref=acme/abalone/.github/workflows/test.yml@refs/heads/main',
      `job=${product} .github/workflows/called.yml ${sha}`,
      `job_ref=${product}/.github/workflows/called.yml@${sha}`,
      'env=[] number=7 vars=green',
      `hello from ${product} v24`,
    ]);
    expect(await out(run, 'after')).toEqual(['acme/abalone']);
    expect(run.notes).toEqual([expect.stringContaining('files are used as they are')]);
  });

  test('a throw in a bundle fails the step, the job and the run, and what follows is skipped', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: ${product}/actions/throws@${sha}
      - run: echo "OUT never"
  two:
    needs: one
    runs-on: ubuntu-24.04
    steps: [{run: echo}]
`);
    expect(run.conclusion).toBe('failure');
    expect(conclusions(run)).toEqual({ one: 'failure', two: 'skipped' });
    expect(await out(run, 'one')).toEqual(['before']);
    expect(await world.log(run, 'one')).toContain('a bundle that throws');
  });

  test('the environment of a step is exactly what the runner gives', async () => {
    const run = await world.runWorkflow(
      simple('      - run: env -0 | sort -z | tr "\\0" "\\n" | cut -d= -f1 | sed "s/^/OUT /"'),
    );
    const names = (await out(run)).filter((name) => !['SHLVL', '_', 'PWD'].includes(name));
    expect(names).toEqual(
      [
        'AWS_EC2_METADATA_DISABLED', 'AWS_ENDPOINT_URL', 'CI', 'GITHUB_ACTION', 'GITHUB_ACTIONS', 'GITHUB_ACTOR', 'GITHUB_ACTOR_ID', 'GITHUB_API_URL',
        'GITHUB_BASE_REF', 'GITHUB_ENV', 'GITHUB_EVENT_NAME', 'GITHUB_EVENT_PATH', 'GITHUB_GRAPHQL_URL', 'GITHUB_HEAD_REF', 'GITHUB_JOB', 'GITHUB_OUTPUT',
        'GITHUB_PATH', 'GITHUB_REF', 'GITHUB_REF_NAME', 'GITHUB_REF_PROTECTED', 'GITHUB_REF_TYPE', 'GITHUB_REPOSITORY', 'GITHUB_REPOSITORY_ID',
        'GITHUB_REPOSITORY_OWNER', 'GITHUB_REPOSITORY_OWNER_ID', 'GITHUB_RETENTION_DAYS', 'GITHUB_RUN_ATTEMPT', 'GITHUB_RUN_ID', 'GITHUB_RUN_NUMBER',
        'GITHUB_SERVER_URL', 'GITHUB_SHA', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'GITHUB_TRIGGERING_ACTOR', 'GITHUB_WORKFLOW', 'GITHUB_WORKFLOW_REF',
        'GITHUB_WORKFLOW_SHA', 'GITHUB_WORKSPACE', 'HOME', 'LANG', 'PATH', 'RUNNER_ARCH', 'RUNNER_ENVIRONMENT', 'RUNNER_NAME', 'RUNNER_OS', 'RUNNER_TEMP',
        'RUNNER_TOOL_CACHE', 'RUNNER_WORKSPACE', 'USER',
      ].sort(), // biome-ignore format: a list of names
    );
  });

  test('every job has a workspace, a HOME and a RUNNER_TEMP of its own, all empty', async () => {
    const look =
      'echo "OUT $GITHUB_WORKSPACE $HOME $RUNNER_TEMP"; ls -A "$GITHUB_WORKSPACE" "$HOME"; echo here > "$HOME/file"; echo here > file';
    const run = await world.runWorkflow(`on: push
jobs:
  one: {runs-on: ubuntu-24.04, steps: [{run: '${look}'}]}
  two: {needs: one, runs-on: ubuntu-24.04, steps: [{run: '${look}; ls "$HOME" | sed "s/^/OUT /"'}]}
`);
    const [one, two] = [(await out(run, 'one'))[0]!.split(' '), (await out(run, 'two'))[0]!.split(' ')];
    expect(new Set([...one, ...two]).size).toBe(6);
    expect(one[0]).toMatch(/\/abalone\/abalone$/);
    expect((await out(run, 'two')).slice(1)).toEqual(['file']);
  });
});

describe('jobs', () => {
  test('success() looks at all ancestors: what follows a skipped job is skipped as well', async () => {
    const job = (needs: string, condition = '') =>
      `{needs: [${needs}], ${condition && `if: "${condition}",`} runs-on: ubuntu-24.04, steps: [{run: echo}]}`;
    const run = await world.runWorkflow(`on: push
jobs:
  off: {if: false, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  always: ${job('off', 'always()')}
  after-always: ${job('always')}
  not-failed: ${job('off', '!failure() && !cancelled()')}
  bad: {runs-on: ubuntu-24.04, steps: [{run: exit 1}]}
  after-bad: ${job('bad')}
  far-failure: ${job('after-bad', 'failure()')}
`);
    expect(conclusions(run)).toEqual({
      off: 'skipped',
      always: 'success',
      'after-always': 'skipped',
      'not-failed': 'success',
      bad: 'failure',
      'after-bad': 'skipped',
      'far-failure': 'success',
    });
    expect(run.conclusion).toBe('failure');
  });

  test('a job with failure() runs after a failed reusable call (a rollback), and outputs of skipped jobs are empty', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  deploy:
    uses: ${product}/.github/workflows/called.yml@${sha}
    with: {fail: true}
  rollback:
    needs: deploy
    if: failure()
    runs-on: ubuntu-24.04
    steps: [{run: 'echo "OUT \${{ needs.deploy.result }} [\${{ needs.deploy.outputs.where }}]"'}]
  skipped:
    if: false
    runs-on: ubuntu-24.04
    outputs: {x: text}
    steps: [{run: echo}]
  reads:
    needs: skipped
    if: always()
    runs-on: ubuntu-24.04
    steps: [{run: 'echo "OUT [\${{ needs.skipped.outputs.x }}] \${{ needs.skipped.result }}"'}]
`);
    expect(conclusions(run)).toEqual({
      'deploy / Inner': 'failure',
      rollback: 'success',
      skipped: 'skipped',
      reads: 'success',
    });
    expect(await out(run, 'rollback')).toEqual(['failure [acme/abalone]']);
    expect(await out(run, 'reads')).toEqual(['[] skipped']);
  });

  test('names of matrix jobs, as GitHub makes them', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  plain: {strategy: {matrix: {v: [1, 2], os: [linux]}}, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  named: {name: With a name, strategy: {matrix: {v: [3]}}, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  computed: {name: "v\${{ matrix.v }}", strategy: {matrix: {v: [4]}}, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  whole: {strategy: {matrix: "\${{ fromJSON('{\\"v\\":[6],\\"o\\":[{\\"deep\\":7}]}') }}"}, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  call: {strategy: {matrix: {v: [5]}}, uses: "${product}/.github/workflows/called.yml@${sha}"}
`);
    expect(Object.keys(conclusions(run)).sort()).toEqual([
      'With a name (3)',
      'call (5) / Inner',
      'plain (1, linux)',
      'plain (2, linux)',
      'v4',
      'whole (6, 7)',
    ]);
  });

  test('fail-fast cancels the rest of a matrix, max-parallel limits it', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  fast:
    strategy: {max-parallel: 1, matrix: {v: [1, 2, 3]}}
    runs-on: ubuntu-24.04
    steps: [{run: 'test \${{ matrix.v }} = 1'}]
  running:
    strategy: {matrix: {v: [1, 2]}}
    runs-on: ubuntu-24.04
    steps: [{run: 'if test \${{ matrix.v }} = 1; then sleep 0.3; exit 1; else sleep 20; fi'}]
  slow:
    strategy: {fail-fast: false, max-parallel: 1, matrix: {v: [1, 2]}}
    runs-on: ubuntu-24.04
    steps: [{run: exit 1}]
`);
    expect(conclusions(run)).toEqual({
      'fast (1)': 'success',
      'fast (2)': 'failure',
      'fast (3)': 'cancelled',
      'running (1)': 'failure',
      'running (2)': 'cancelled',
      'slow (1)': 'failure',
      'slow (2)': 'failure',
    });
    const started = (name: string) => world.job(run, name).startedAt!;
    expect(started('slow (2)') >= world.job(run, 'slow (1)').completedAt!).toBe(true);
  });

  test('continue-on-error: the job fails, the run and what follows do not', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  flaky: {continue-on-error: true, runs-on: ubuntu-24.04, steps: [{run: exit 1}]}
  after: {needs: flaky, runs-on: ubuntu-24.04, steps: [{run: 'echo "OUT \${{ needs.flaky.result }}"'}]}
`);
    expect(conclusions(run)).toEqual({ flaky: 'failure', after: 'success' });
    expect(run.conclusion).toBe('success');
  });

  test('a job that takes too long is cancelled and says so; a step that takes too long fails', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  job:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    steps:
      - run: exec sleep 20
      - run: echo "OUT never"
      - if: always()
        run: echo "OUT \${{ job.status }}"
  step:
    runs-on: ubuntu-24.04
    steps:
      - timeout-minutes: 1
        continue-on-error: true
        id: slow
        run: exec sleep 20
      - run: echo "OUT \${{ steps.slow.outcome }}"
`);
    expect(conclusions(run)).toEqual({ job: 'cancelled', step: 'success' });
    expect(await out(run, 'job')).toEqual(['cancelled']);
    expect(await out(run, 'step')).toEqual(['failure']);
    const errors = (name: string) => world.job(run, name).annotations.map(({ message }) => message);
    expect(errors('job')).toContainEqual(expect.stringContaining('exceeded the maximum execution time of 1 minutes'));
    expect(errors('step')).toContainEqual(expect.stringContaining('has timed out after 1 minutes'));
  });

  test('minutes are positive integers', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  job: {timeout-minutes: 0.5, runs-on: ubuntu-24.04, steps: [{run: echo}]}
  step: {runs-on: ubuntu-24.04, steps: [{timeout-minutes: "\${{ 'soon' }}", run: echo}]}
`);
    expect(conclusions(run)).toEqual({ job: 'failure', step: 'failure' });
    expect(world.job(run, 'job').annotations[0]!.message).toBe("timeout-minutes '0.5' must be a positive integer");
    expect(world.job(run, 'step').annotations[0]!.message).toBe("timeout-minutes 'soon' must be a positive integer");
  });

  test('inputs that a call computes are checked by type', async () => {
    const call = (value: string) =>
      `on: push\njobs:\n  call:\n    uses: ${product}/.github/workflows/called.yml@${sha}\n    with: {fail: "${value}"}\n`;
    const wrong = await world.runWorkflow(call("${{ 'false' }}"));
    expect(wrong.conclusion).toBe('failure');
    expect(wrong.jobs[0]!.annotations[0]!.message).toContain("Input 'fail' must be a boolean");
    const right = await world.runWorkflow(call('${{ 1 == 2 }}'));
    expect(right.conclusion).toBe('success');
  });

  test('an expression that cannot be evaluated fails the job with file and line', async () => {
    const run = await world.runWorkflow(
      `on: push\njobs:\n  one:\n    if: fromJSON('no json')\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n`,
    );
    expect(run.conclusion).toBe('failure');
    expect(run.jobs[0]!.annotations[0]!.message).toMatch(/test\.yml \(Line: 4, Col: \d+\)/);
  });

  test('an unknown matrix: too many jobs, none at all', async () => {
    const matrix = (text: string) =>
      `on: push\njobs:\n  one:\n    strategy: {matrix: ${text}}\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n`;
    const many = `{a: "\${{ fromJSON('[${Array.from({ length: 17 }, (_, index) => index).join(',')}]') }}", b: [${Array.from({ length: 17 }, (_, index) => index).join(',')}]}`;
    expect((await world.runWorkflow(matrix(many))).jobs[0]!.annotations[0]!.message).toContain(
      '289 jobs; GitHub allows 256',
    );
    expect((await world.runWorkflow(matrix('{a: []}'))).jobs[0]!.annotations[0]!.message).toContain(
      "'a' does not contain any values",
    );
  });
});

describe('what a push starts', () => {
  const workflow = (paths: string) =>
    `on: {push: {branches: [main], paths: [${paths}]}}\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps: [{run: echo}]\n`;

  test('path filters see what the push changed, over all its commits; a force push counts as matching', async () => {
    const own = await startWorld();
    try {
      const files = {
        '.github/workflows/a.yml': workflow('a/**'),
        '.github/workflows/b.yml': workflow("b/**, '!b/docs/**'"),
      };
      const paths = (runs: RunRecord[]) => runs.map(({ path }) => path.slice(-5)).sort();
      expect(paths(await own.push(files))).toEqual(['a.yml', 'b.yml']);
      expect(paths(await own.push({ 'a/x': '1' }))).toEqual(['a.yml']);
      expect(paths(await own.push({ 'c/x': '1' }))).toEqual([]);
      expect(paths(await own.push({ 'b/docs/x': '1' }))).toEqual([]);
      await own.git('commit', '--quiet', '--allow-empty', '-m', 'in between');
      expect(paths(await own.push({ 'b/x': '1', 'a/y': '2' }))).toEqual(['a.yml', 'b.yml']);
      expect(paths(await own.push({ 'a/z': '2' }, { ref: 'other' }))).toEqual([]);
      expect(paths(await own.push({ 'a/q': '2' }, { message: 'Nothing [skip ci]' }))).toEqual([]);
      await own.git('reset', '--quiet', '--hard', 'HEAD~2');
      expect(paths(await own.push({ 'c/y': '1' }, { force: true }))).toEqual(['a.yml', 'b.yml']);
      await Promise.all(own.github.runs.list().map(({ id }) => own.github.runs.wait(id)));
    } finally {
      await own.close();
    }
  });

  test('the payload of a push', async () => {
    await world.push({ a: '1' });
    const before = (await world.git('rev-parse', 'HEAD')).trim();
    await world.git('commit', '--quiet', '--allow-empty', '-m', 'One\n\nwith a body');
    const run = await world.runWorkflow(
      simple('      - run: cat "$GITHUB_EVENT_PATH" | tr -d "\\n" | sed "s/^/OUT /"'),
    );
    const event = JSON.parse((await out(run))[0]!);
    expect(event).toMatchObject({
      ref: 'refs/heads/main',
      before,
      after: run.sha,
      created: false,
      forced: false,
      deleted: false,
      pusher: { name: 'acme' },
      repository: { full_name: 'acme/abalone' },
    });
    expect(event.commits.map(({ message }: { message: string }) => message)).toEqual(['One\n\nwith a body', 'Change']);
    expect(event.head_commit).toMatchObject({
      id: run.sha,
      message: 'Change',
      author: { name: 'Ada', email: 'ada@example.com' },
    });
    expect(run.title).toBe('Change');
  });

  test('tags', async () => {
    await world.push({
      '.github/workflows/test.yml':
        'on: {push: {tags: ["v*"]}}\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "OUT ${{ github.ref_type }} ${{ github.ref_name }}"\n',
    });
    const before = world.github.runs.list().length;
    await world.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v1.0', 'HEAD:refs/tags/other');
    expect(world.github.runs.list().length).toBe(before + 1);
    const run = await world.github.runs.wait(world.github.runs.list()[0]!.id);
    expect(run.ref).toBe('refs/tags/v1.0');
    expect(await out(run)).toEqual(['tag v1.0']);
  });
});

test('each run leaves run.json, logs and summaries under stable names', async () => {
  const { readFile, readdir } = await import('node:fs/promises');
  const run = await world.runWorkflow(simple('      - run: echo "# Title" >> "$GITHUB_STEP_SUMMARY"'));
  const directory = world.github.runs.directory(run.id);
  const written = JSON.parse(await readFile(`${directory}/run.json`, 'utf8')) as RunRecord;
  expect(written).toMatchObject({
    id: run.id,
    status: 'completed',
    conclusion: 'success',
    jobs: [{ name: 'one', log: 'logs/attempt-1/one.log' }],
  });
  expect(await readFile(`${directory}/logs/attempt-1/one.log`, 'utf8')).toContain('# Title');
  expect(await world.summary(run)).toBe('# Title\n');
  expect((await readdir(directory)).sort()).toEqual(['artifacts', 'logs', 'run.json', 'summaries', 'work'].sort());
  expect(await readdir(join(directory, 'work', 'attempt-1'))).toEqual([]);
});
