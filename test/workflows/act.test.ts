import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ensureTools } from '../../local/python/index.ts';
import { fixtures, observeAct, observeOurs } from './fixture.ts';

const names = readdirSync(fixtures).sort();
const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** act judges our runner. Without it there is no judge: an error in CI, a visible skip elsewhere. */
async function findAct(): Promise<string | undefined> {
  try {
    const tools = await ensureTools({ directory: join(checkout, '.sagemaker-mlops/python'), progress: () => {} });
    return join(tools.directory, 'bin/act');
  } catch (error) {
    if (process.env.CI) throw error;
    return undefined;
  }
}

const act = await findAct();
const scratch = await mkdtemp(join(tmpdir(), 'act-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('the same files under our runner and under act', () => {
  test('there are enough of them to mean something', () => expect(names.length).toBeGreaterThanOrEqual(12));

  const judged = act === undefined ? test.skip : test;
  judged.each(names)('%s: equal jobs, equal results, equal output', async (name) => {
    const { record, ...ours } = await observeOurs(name);
    const theirs = await observeAct(name, act!, scratch);
    expect(ours).toEqual(theirs);
    // Two empty observations would be equal as well.
    expect(Object.values(ours.output).flat().length).toBeGreaterThan(0);
    expect(record.status).toBe('completed');
  });
});
