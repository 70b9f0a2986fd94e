import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { isAlive, product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;

const phases = (name: string, more = '') => ({
  [`actions/${name}/action.yml`]: `name: ${name}\ndescription: ${name}\nruns: {using: node24, pre: pre.js, main: main.js, post: post.js${more}}\n`,
  [`actions/${name}/pre.js`]: `console.log('OUT pre ${name}');`,
  [`actions/${name}/main.js`]: `console.log('OUT main ${name}'); if (process.env.FAIL) process.exit(1);`,
  [`actions/${name}/post.js`]: `console.log('OUT post ${name}');`,
});

beforeAll(async () => {
  world = await startWorld({
    product: {
      ...phases('a'),
      ...phases('b'),
      ...phases('conditions', ", pre-if: failure(), post-if: runner.os == 'Plan 9'"),
      ...phases('on-success', ', post-if: success()'),
      'actions/inputs/action.yml':
        'name: inputs\ndescription: x\ninputs:\n  one: {description: x, default: first}\n  old: {description: x, deprecationMessage: use one}\nruns: {using: node24, main: main.js}\n',
      'actions/inputs/main.js':
        'console.log("OUT", Object.entries(process.env).filter(([k]) => k.startsWith("INPUT_")).sort().map((e) => e.join("=")).join(" "));',
      'actions/wrap/action.yml':
        'name: wrap\ndescription: x\nruns:\n  using: composite\n  steps:\n    - uses: $/actions/a\n    - run: echo "OUT in between"\n      shell: bash\n    - uses: $/actions/b\n',
      'actions/fails/action.yml':
        'name: fails\ndescription: x\noutputs: {x: {description: x, value: "${{ steps.x.outputs.x }}"}}\nruns:\n  using: composite\n  steps:\n    - {id: x, run: "echo x=kept >> $GITHUB_OUTPUT", shell: bash}\n    - {run: exit 1, shell: bash}\n    - {run: echo "OUT never", shell: bash}\n    - {if: always(), run: echo "OUT always", shell: bash}\n    - {if: failure(), run: echo "OUT failure", shell: bash}\n',
    },
  });
});
afterAll(() => world.close());

async function out(run: RunRecord, job?: string): Promise<string[]> {
  return (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
}
const simple = (steps: string, job = '') =>
  `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n${job}    steps:\n${steps}\n`;
const use = (name: string, more = '') => `      - uses: ${product}/actions/${name}@${sha}\n${more}`;

describe('phases of actions', () => {
  test('pre steps first, post steps last and in reverse, also after a failure', async () => {
    const run = await world.runWorkflow(
      simple(
        `      - run: echo "OUT start"\n${use('a')}${use('b', '        env: {FAIL: 1}\n')}      - run: echo "OUT never"\n${use('on-success')}`,
      ),
    );
    expect(run.conclusion).toBe('failure');
    // b's pre step ran, so its post step runs; on-success never got to its main step, and its post-if does not hold.
    expect(await out(run)).toEqual([
      'pre a',
      'pre b',
      'pre on-success',
      'start',
      'main a',
      'main b',
      'post b',
      'post a',
    ]);
    const steps = run.jobs[0]!.steps.map(
      ({ name, conclusion }) => `${name.replace(/ \S*actions\//, ' ').replace(/@1+/, '')}: ${conclusion}`,
    );
    expect(steps).toEqual([
      'Set up job: success',
      'Pre Run a: success',
      'Pre Run b: success',
      'Pre Run on-success: success',
      'Run echo "OUT start": success',
      'Run a: success',
      'Run b: failure',
      'Run echo "OUT never": skipped',
      'Run on-success: skipped',
      'Post Run b: success',
      'Post Run a: success',
      'Complete job: success',
    ]);
  });

  test('actions inside a composite action have their phases as well', async () => {
    const run = await world.runWorkflow(
      simple(`      - run: echo "OUT start"\n${use('wrap')}      - run: echo "OUT end"`),
    );
    expect(await out(run)).toEqual([
      'pre a',
      'pre b',
      'start',
      'main a',
      'in between',
      'main b',
      'end',
      'post b',
      'post a',
    ]);
  });

  test('a failing step ends a composite action, but for always() and failure()', async () => {
    const run = await world.runWorkflow(
      simple(
        `${use('fails', '        id: it\n        continue-on-error: true\n')}      - run: echo "OUT \${{ steps.it.outcome }} \${{ steps.it.outputs.x }}"`,
      ),
    );
    expect(run.conclusion).toBe('success');
    expect(await out(run)).toEqual(['always', 'failure', 'failure kept']);
  });

  test('inputs: declared with defaults, others with a warning, old ones with theirs', async () => {
    const run = await world.runWorkflow(simple(use('inputs', '        with: {other thing: x, old: y, empty: ""}\n')));
    expect(await out(run)).toEqual(['INPUT_EMPTY= INPUT_OLD=y INPUT_ONE=first INPUT_OTHER_THING=x']);
    expect(run.jobs[0]!.annotations.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      "warning: Input 'old' has been deprecated with message: use one",
      "warning: Unexpected input(s) 'other thing', 'empty', valid inputs are ['one', 'old']",
    ]);
  });

  test('pre-if and post-if decide about their phases', async () => {
    const run = await world.runWorkflow(simple(use('conditions')));
    expect(await out(run)).toEqual(['main conditions']);
  });

  test('an action of the workspace: known when it is used, no pre step, refused when it is none', async () => {
    const files = Object.fromEntries(
      Object.entries(phases('mine')).map(([path, text]) => [path.replace('actions/', 'own/'), text]),
    );
    const run = await world.runWorkflow(
      simple('      - uses: actions/checkout@v7\n      - uses: ./own/mine\n      - uses: ./own/nothing'),
      files,
    );
    expect(await out(run)).toEqual(['main mine', 'post mine']);
    expect(run.jobs[0]!.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/can't find 'action\.yml'/),
    ]);
  });
});

describe('workflow commands', () => {
  test('annotations carry title, file and line', async () => {
    const run = await world.runWorkflow(
      simple(`      - run: |
          echo "::error file=src/a.py,line=3,endLine=5,col=2,title=Bad%3A value::first%0Asecond"
          echo "::warning::careful"
          echo "  ::notice title=N::indented"
          echo "not ::error::a command"
          echo "::nonsense::printed"`),
    );
    expect(run.jobs[0]!.annotations).toEqual([
      {
        level: 'error',
        message: 'first\nsecond',
        title: 'Bad: value',
        file: 'src/a.py',
        line: 3,
        endLine: 5,
        column: 2,
      },
      { level: 'warning', message: 'careful' },
      { level: 'notice', message: 'indented', title: 'N' },
    ]);
    const log = await world.log(run);
    expect(log).toContain('##[error]first\nsecond');
    expect(log).toContain('\nnot ::error::a command\n::nonsense::printed\n');
  });

  test('groups, debug lines that stay hidden, commands that were abolished', async () => {
    const run = await world.runWorkflow(
      simple(`      - run: |
          echo "::group::Title"
          echo "::endgroup::"
          echo "::debug::hidden"
      - continue-on-error: true
        run: echo "::set-env name=X::y"
      - run: echo "OUT [$X]"
      - id: old
        run: echo "::set-output name=x::still works"
      - run: echo "OUT \${{ steps.old.outputs.x }}"
      - env: {ACTIONS_STEP_DEBUG: true}
        run: echo hello`),
    );
    const log = await world.log(run);
    expect(log).toContain('##[group]Title');
    expect(log).not.toContain('##[debug]hidden');
    expect(await out(run)).toEqual(['[]', 'still works']);
    expect(run.jobs[0]!.steps.find(({ name }) => name.includes('set-env'))!.conclusion).toBe('success');
    expect(run.jobs[0]!.annotations.map(({ message }) => message).join('\n')).toMatch(
      /set-env` command is disabled[\s\S]*set-output` command is deprecated/,
    );
  });

  test('malformed command files fail the step with the words of the runner', async () => {
    const run = await world.runWorkflow(
      simple(`      - run: echo "no pair" >> "$GITHUB_OUTPUT"
      - if: always()
        run: printf 'x<<EOF\\nnever closed\\n' >> "$GITHUB_ENV"
      - if: always()
        run: echo "NODE_OPTIONS=--inspect" >> "$GITHUB_ENV"
      - if: always()
        run: echo "OUT [$NODE_OPTIONS]"`),
    );
    expect(run.conclusion).toBe('failure');
    const messages = run.jobs[0]!.annotations.map(({ message }) => message);
    expect(messages).toEqual([
      "Unable to process file command 'output' successfully.",
      "Invalid format 'no pair'",
      "Unable to process file command 'env' successfully.",
      "Invalid value. Matching delimiter not found 'EOF'",
      "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.",
    ]);
    expect(await out(run)).toEqual(['[]']);
  });

  test('GITHUB_* and RUNNER_* cannot be overwritten, CI can', async () => {
    const run = await world.runWorkflow(
      simple(
        '      - run: echo "OUT $GITHUB_SHA $RUNNER_OS $CI $HOME"\n        env: {GITHUB_SHA: x, RUNNER_OS: y, CI: "false", HOME: /elsewhere}',
      ),
    );
    expect(await out(run)).toEqual([`${run.sha} Linux false /elsewhere`]);
  });
});

describe('masks', () => {
  const secret = 'S3cr3t/Value+1';
  const second = 'another line of it';

  test('every line of a mask, in every encoding, in logs, summaries, annotations, names, events and run.json', async () => {
    const run = await world.runWorkflow(
      simple(`      - name: Make a mask
        run: |
          echo "::add-mask::${secret}%0A${second}"
          echo "OUT plain ${secret}"
          echo "OUT second ${second}"
          echo "OUT base64 $(printf '%s' '${secret}' | base64 -w0)"
          echo "OUT base64 shifted $(printf 'user:%s' '${secret}' | base64 -w0)"
          echo "OUT url ${encodeURIComponent(secret)}"
          echo "::error::failed with ${secret}"
          echo "summary ${secret}" >> "$GITHUB_STEP_SUMMARY"
          echo "LATER=${secret}" >> "$GITHUB_ENV"
      - name: Named \${{ env.LATER }}
        run: echo "OUT later $LATER"`),
    );
    const log = await world.log(run);
    // The script itself is printed before anything is masked, as on GitHub; only what comes after counts.
    const after = log.slice(log.indexOf('::add-mask::***'));
    for (const leak of [secret, second, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)])
      expect(after).not.toContain(leak);
    expect(await out(run)).toEqual([
      'plain ***',
      'second ***',
      'base64 ***',
      expect.stringMatching(/^base64 shifted \S*\*\*\*\S*$/),
      'url ***',
      'later ***',
    ]);
    expect(await world.summary(run)).toBe('summary ***\n');
    expect(run.jobs[0]!.annotations[0]!.message).toBe('failed with ***');
    expect(run.jobs[0]!.steps.map(({ name }) => name)).toContain('Named ***');
    expect(await readFile(join(world.github.runs.directory(run.id), 'run.json'), 'utf8')).not.toContain(secret);
  });

  test('an output that holds a masked value is dropped with a warning, the job stays green', async () => {
    const run = await world.runWorkflow(`on: push
jobs:
  makes:
    runs-on: ubuntu-24.04
    outputs: {arn: "\${{ steps.x.outputs.arn }}", name: "\${{ steps.x.outputs.name }}"}
    environment: {name: staging, url: "https://example.com/\${{ steps.x.outputs.arn }}"}
    steps:
      - id: x
        run: |
          echo "::add-mask::111122223333"
          echo "arn=arn:aws:iam::111122223333:role/x" >> "$GITHUB_OUTPUT"
          echo "name=x" >> "$GITHUB_OUTPUT"
  reads:
    needs: makes
    runs-on: ubuntu-24.04
    steps: [{run: 'echo "OUT [\${{ needs.makes.outputs.arn }}] [\${{ needs.makes.outputs.name }}]"'}]
`);
    expect(run.conclusion).toBe('success');
    expect(await out(run, 'reads')).toEqual(['[] [x]']);
    const makes = world.job(run, 'makes');
    expect(makes.outputs).toEqual({ name: 'x' });
    expect(makes.environmentUrl).toBeUndefined();
    expect(makes.annotations.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      "warning: Skip output 'arn' since it may contain secret.",
      "warning: Skip setting environment url as environment 'staging' may contain secret.",
    ]);
  });

  test('the tokens of a job are masked, and differ from job to job', async () => {
    const run = await world.runWorkflow(
      simple(
        `      - run: |
          echo "OUT \${{ github.token }} \${{ secrets.GITHUB_TOKEN }} $ACTIONS_ID_TOKEN_REQUEST_TOKEN"
          test -n "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"`,
        '    permissions: {id-token: write}\n',
      ),
    );
    expect(run.conclusion).toBe('success');
    expect(await out(run)).toEqual(['*** *** ***']);
  });

  test('an empty mask masks nothing and says so', async () => {
    const run = await world.runWorkflow(
      simple('      - run: |\n          echo "::add-mask::"\n          echo "OUT all is readable"'),
    );
    expect(await out(run)).toEqual(['all is readable']);
    expect(run.jobs[0]!.annotations[0]!.message).toContain("Can't add secret mask for empty string");
  });
});

describe('limits', () => {
  test('a summary of more than 1 MiB is dropped with an error, the step stays green', async () => {
    const run = await world.runWorkflow(
      simple(
        '      - run: head -c 1048577 /dev/zero | tr "\\0" x >> "$GITHUB_STEP_SUMMARY"\n      - run: head -c 1048575 /dev/zero | tr "\\0" y >> "$GITHUB_STEP_SUMMARY"',
      ),
    );
    expect(run.conclusion).toBe('success');
    expect(run.jobs[0]!.annotations).toEqual([
      {
        level: 'error',
        message: '$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1025k.',
      },
    ]);
    expect(await world.summary(run)).toMatch(/^y+\n$/);
  });

  test('outputs of more than 1 MB fail the job', async () => {
    const run = await world.runWorkflow(
      simple(
        '      - id: x\n        run: echo "x=$(head -c 600000 /dev/zero | tr "\\0" x)" >> "$GITHUB_OUTPUT"',
        '    outputs: {x: "${{ steps.x.outputs.x }}"}\n',
      ),
    );
    expect(run.conclusion).toBe('failure');
    expect(run.jobs[0]!.annotations[0]!.message).toContain('the limit is 1048576');
  });
});

test('shells are started exactly as GitHub starts them', async () => {
  const show = `tr '\\0' ' ' < /proc/$$/cmdline | sed 's/^/OUT /; s#/[^ ]*/##g'; echo`;
  const run = await world.runWorkflow(
    simple(
      `      - run: ${show}\n      - run: ${show}\n        shell: bash\n      - run: ${show}\n        shell: sh\n      - run: import sys; print("OUT", sys.argv[0].endswith(".py"), open(f"/proc/self/cmdline").read().count(chr(0)))\n        shell: python`,
    ),
  );
  const lines = (await out(run)).map((line) => line.replace(/\d+-\d+\./, 'N.').trim());
  expect(lines).toEqual(['bash -e N.sh', 'bash --noprofile --norc -eo pipefail N.sh', 'sh -e N.sh', 'True 2']);
});

test('a folder or a program that does not exist is named', async () => {
  const run = await world.runWorkflow(
    simple(
      '      - run: echo\n        working-directory: none\n        continue-on-error: true\n      - run: echo\n        env: {PATH: /nowhere}',
    ),
  );
  expect(run.jobs[0]!.annotations.map(({ message }) => message)).toEqual([
    expect.stringMatching(/start process 'bash' with working directory '\S+\/none'\. No such file or directory$/),
    expect.stringMatching(/start process 'bash'.*ENOENT$/),
  ]);
});

test('a process that a step leaves behind does not survive its job', async () => {
  const run = await world.runWorkflow(simple('      - run: |\n          sleep 300 & echo "OUT $!"\n          disown'));
  const [pid] = await out(run);
  expect(run.conclusion).toBe('success');

  expect(await isAlive(Number(pid))).toBe(false);
});
