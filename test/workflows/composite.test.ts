import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../local/github/types.ts';
import { product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;

beforeAll(async () => {
  world = await startWorld({
    pace: { minute: 1_500, interrupt: 100, terminate: 100, cancelled: 3_000 },
    product: {
      'actions/keeps/action.yml':
        'name: keeps\ndescription: x\ninputs: {label: {description: x}}\nruns: {using: node24, main: main.js, post: post.js}\n',
      'actions/keeps/main.js':
        'require("fs").appendFileSync(process.env.GITHUB_STATE, "label=" + process.env.INPUT_LABEL + "\\n");',
      'actions/keeps/post.js': 'console.log("OUT post", process.env.STATE_label, process.env.INPUT_LABEL);',
      'actions/wrap/action.yml': `name: wrap
description: x
inputs: {label: {description: x}}
runs:
  using: composite
  steps:
    - uses: $/actions/keeps
      with: {label: "\${{ inputs.label }} one"}
    - uses: $/actions/keeps
      with: {label: "\${{ inputs.label }} two"}
`,
      'actions/slow/action.yml': `name: slow
description: x
runs:
  using: composite
  steps:
    - {run: 'echo "OUT ready"; exec sleep 20', shell: bash}
    - {run: echo "OUT never", shell: bash}
    - {if: always(), run: echo "OUT always", shell: bash}
    - {if: failure(), run: echo "OUT failure", shell: bash}
    - {if: cancelled(), run: echo "OUT cancelled", shell: bash}
`,
      'actions/short/action.yml': `name: short
description: x
runs:
  using: composite
  steps:
    - {run: 'echo "OUT ready"; sleep 0.4; echo "OUT not interrupted"', shell: bash}
    - {run: echo "OUT and the next", shell: bash}
`,
      'actions/env/action.yml': `name: env
description: x
runs:
  using: composite
  steps:
    - {run: 'echo "OUT $OUTER $INNER [\${{ env.OUTER }}]"; echo "LATER=x" >> "$GITHUB_ENV"', shell: bash, env: {INNER: inner}}
    - {run: 'echo "OUT $OUTER [$INNER] $LATER $(basename "$GITHUB_ACTION_PATH") \${{ github.action_path == env.GITHUB_ACTION_PATH }}"', shell: bash}
`,
    },
  });
});
afterAll(() => world.close());

const out = async (run: RunRecord) =>
  (await world.log(run))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
const simple = (steps: string) => `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}\n`;
const use = (name: string, more = '') => `      - uses: ${product}/actions/${name}@${sha}\n${more}`;

test('two uses of one composite action, four of the action in it: each has its own state, inputs and post step', async () => {
  const run = await world.runWorkflow(
    simple(use('wrap', '        with: {label: first}\n') + use('wrap', '        with: {label: second}\n')),
  );
  expect(run.conclusion).toBe('success');
  expect(await out(run)).toEqual([
    'post second two second two',
    'post second one second one',
    'post first two first two',
    'post first one first one',
  ]);
});

test('env of the outer step reaches the inner ones, their own stays with them', async () => {
  const run = await world.runWorkflow(
    simple(`${use('env', '        env: {OUTER: outer}\n')}      - run: echo "OUT [$OUTER] $LATER"`),
  );
  expect(await out(run)).toEqual(['outer inner [outer]', 'outer [] x env false', '[] x']);
});

test('a time-out of the outer step ends what runs inside, and nothing more is started', async () => {
  const run = await world.runWorkflow(
    simple(`${use('slow', '        timeout-minutes: 1\n')}      - if: failure()\n        run: echo "OUT timed out"`),
  );
  expect(run.conclusion).toBe('failure');
  expect(await out(run)).toEqual(['ready', 'timed out']);
  expect(run.jobs[0]!.annotations.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('timed out after 1 minutes'),
  );
});

describe('cancelling', () => {
  async function cancelWhenReady(workflow: string): Promise<RunRecord> {
    const ready = new Promise<void>((resolve) => {
      const stop = world.github.subscribe((event) => {
        if (event.type !== 'log' || event.line !== 'OUT ready') return;
        stop();
        resolve();
      });
    });
    const [run] = await world.push({ '.github/workflows/test.yml': workflow });
    await ready;
    world.github.runs.cancel(run!.id);
    return world.github.runs.wait(run!.id);
  }

  test('the inner step is interrupted; always() and cancelled() inside still run', async () => {
    const run = await cancelWhenReady(simple(use('slow')));
    expect(run.conclusion).toBe('cancelled');
    expect(await out(run)).toEqual(['ready', 'always', 'cancelled']);
  });

  test('a composite action under always() is not disturbed', async () => {
    const run = await cancelWhenReady(simple(use('short', '        if: always()\n')));
    expect(run.conclusion).toBe('cancelled');
    expect(await out(run)).toEqual(['ready', 'not interrupted', 'and the next']);
  });
});
