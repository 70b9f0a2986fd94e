/** The two jobs of model-cleanup.yml under the local GitHub: what the plan came to decides whether removal is asked for. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { root } from '../actions/support/world.ts';
import { product, startWorld, type World } from '../workflows/support.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  const copy = join(world.directory, 'product');
  await mkdir(copy);
  for (const part of ['action.yml', 'actions', '.github/workflows'])
    await cp(join(root, part), join(copy, part), { recursive: true });
  await mkdir(join(copy, 'dist'));
  // In the action's place: the project's file says what the plan comes to.
  await writeFile(
    join(copy, 'dist/cleanup.js'),
    `import { appendFileSync, readFileSync } from 'node:fs';
    const { INPUT_CONFIRM = '', GITHUB_OUTPUT, GITHUB_WORKSPACE } = process.env;
    const status = INPUT_CONFIRM === '' ? readFileSync(GITHUB_WORKSPACE + '/plan', 'utf8').trim() : '';
    if (status !== 'crashed') appendFileSync(GITHUB_OUTPUT, 'status=' + status + '\\n');
    process.exitCode = ['partial', 'failed', 'crashed'].includes(status) ? 1 : 0;\n`,
  );
  world.github.mapRepository(product, copy);
  const values: Record<string, string> = {
    'OWNER/REPO': product,
    '@REF': `@${'c'.repeat(40)}`,
    PROJECT_NAME: 'abalone',
    PROJECT_ID: 'p-000000000000',
    AWS_REGION: 'eu-west-1',
    ADMIN_ACCOUNT: '111122223333',
  };
  const text = await readFile(join(root, 'workflows/model-cleanup.yml'), 'utf8');
  const filled = Object.entries(values).reduce((result, [from, to]) => result.replaceAll(from, to), text);
  await world.push({ '.github/workflows/model-cleanup.yml': filled });
}, 30_000);
afterAll(() => world.close());

test.each([
  ['something to remove', '', 'abalone', ['success', 'success']],
  ['nothing', 'none', 'abalone', ['success', 'skipped']],
  ['places nobody could look at', 'partial', 'abalone', ['failure', 'success']],
  ['a failure', 'failed', 'abalone', ['failure', 'skipped']],
  ['a crash', 'crashed', 'abalone', ['failure', 'skipped']],
  ['another name', '', 'abalone-2', ['failure', 'skipped']],
  ['another name, and places nobody could look at', 'partial', 'abalone-2', ['failure', 'skipped']],
  ['no name', '', '', ['success', 'skipped']],
  ['no name, and places nobody could look at', 'partial', '', ['failure', 'skipped']],
])(
  '%s',
  async (_, plan, confirm, conclusions) => {
    await world.push({ plan });
    const { id } = await world.github.dispatchWorkflow('acme/abalone', 'model-cleanup.yml', 'main', { confirm });
    const run = await world.github.runs.wait(id);
    expect(run.problems).toEqual([]);
    expect(run.jobs.map(({ conclusion }) => conclusion)).toEqual(conclusions);
  },
  30_000,
);
