import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProject } from '../../cli/project.ts';
import { directoryOrigin, type Origin } from '../../local/github/origin.ts';
import { formatProblem } from '../../local/github/workflow/location.ts';
import { defaultPermissions } from '../../local/github/workflow/permissions.ts';
import { type Plan, planWorkflow } from '../../local/github/workflow/plan.ts';
import { conclusions, product, startWorld, type World } from './support.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const sha = 'c'.repeat(40);
const callers = (await readdir(join(checkout, 'workflows'))).filter((name) => name.endsWith('.yml'));

/** A caller as `start` and `init` fill it. */
async function filled(name: string): Promise<string> {
  const text = await readFile(join(checkout, 'workflows', name), 'utf8');
  const values = {
    'OWNER/REPO': product,
    '@REF': `@${sha}`,
    PROJECT_NAME: 'abalone',
    PROJECT_ID: 'p-000000000000',
    AWS_REGION: 'eu-west-1',
    ADMIN_ACCOUNT: '111122223333',
  };
  return Object.entries(values).reduce((result, [placeholder, value]) => result.replaceAll(placeholder, value), text);
}

async function plan(name: string): Promise<Plan> {
  const path = `.github/workflows/${name}`;
  const text = await filled(name);
  const origin: Origin = {
    repository: 'acme/abalone',
    ref: 'refs/heads/main',
    sha: 'a'.repeat(40),
    working: false,
    read: async () => undefined,
    directory: async () => '/nonexistent',
  };
  const own = directoryOrigin({ directory: checkout, repository: product, ref: sha, sha, working: true });
  return planWorkflow({
    origin,
    path,
    text,
    permissions: defaultPermissions,
    resolve: async (repository) => (repository === product ? own : `${repository} is not on this machine`),
  });
}

describe("the product's own workflows", () => {
  test('there are some', () => expect(callers.length).toBeGreaterThan(0));

  test.each(callers)(
    '%s can run here: nothing in it, in what it calls, or in their actions is unsupported, and its permissions suffice',
    async (name) => {
      const { problems, root, actions } = await plan(name);
      expect(problems.map(formatProblem)).toEqual([]);
      expect(root.calls.size).toBeGreaterThan(0);
      expect([...actions.values()].some((action) => action.kind === 'action')).toBe(true);
    },
  );

  test.each(callers)('%s would not start with one permission less', async (name) => {
    const text = await filled(name);
    // A pull request's jobs have no token to ask for; they read the repository.
    const lost = text.includes('id-token: write') ? 'id-token: write' : 'contents: read';
    const without = text
      .replace(new RegExp(`^ +${lost}.*\\n`, 'm'), '')
      .replace(/^ {4}permissions:\n(?= {4}\w)/m, '    permissions: {}\n');
    expect(without).not.toBe(text);
    const path = `.github/workflows/${name}`;
    const own = directoryOrigin({ directory: checkout, repository: product, ref: sha, sha, working: true });
    const origin: Origin = { ...own, repository: 'acme/abalone', read: async () => undefined };
    const { problems } = await planWorkflow({
      origin,
      path,
      text: without,
      permissions: defaultPermissions,
      resolve: async () => own,
    });
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`is requesting '${lost}', but is only allowed '${lost.split(':')[0]}: none'`),
    );
  });
});

describe('the committed bundles', () => {
  let world: World;
  let copy: string;
  beforeAll(async () => {
    world = await startWorld();
    copy = join(world.directory, 'product');
    await mkdir(copy);
    for (const part of ['action.yml', 'actions', 'dist', '.github/workflows'])
      await cp(join(checkout, part), join(copy, part), { recursive: true });
    world.github.mapRepository(product, copy);
  });
  afterAll(() => world.close());

  test('a mistake in the file of a later job fails the build before a role is assumed', async () => {
    await writeProject(checkout, join(world.directory, 'clone'), {
      projectName: 'abalone',
      projectId: 'p-000000000000',
      region: 'eu-west-1',
      adminAccount: '111122223333',
      stagingAccounts: ['444455556666'],
      productionAccounts: ['777788889999'],
      productRepository: product,
      productCommit: sha,
      productVersion: '0.1.0',
    });
    const stage = 'model-deploy/stages/production.yml';
    const text = await readFile(join(world.directory, 'clone', stage), 'utf8');
    const [run] = await world.push({
      [stage]: text.replace('instance-count', 'instnce-count'),
      '.github/workflows/redeploy.yml': null,
    });
    await world.github.runs.wait(run!.id);
    const [build] = run!.jobs;
    expect(build!.steps.map(({ name, conclusion }) => [name, conclusion])).toEqual(
      expect.arrayContaining([
        ["Check the project's files", 'failure'],
        ['Run the pipeline', 'skipped'],
      ]),
    );
    expect(build!.annotations).toContainEqual(
      expect.objectContaining({ level: 'error', file: stage, message: expect.stringContaining('instnce-count') }),
    );
    expect(Object.values(conclusions(run!))).toEqual(['failure', 'skipped', 'skipped', 'skipped']);
  });

  test('a throw in the bundle of the first action fails the run, and nothing after it happens', async () => {
    const bundle = join(copy, 'dist/check-project.js');
    await writeFile(bundle, `throw new Error('thrown by the test');\n${await readFile(bundle, 'utf8')}`);
    const [run] = await world.push({ '.github/workflows/model.yml': await filled('model.yml'), 'model-build/x': '1' });
    await world.github.runs.wait(run!.id);
    expect(run!.problems).toEqual([]);
    expect(run!.conclusion).toBe('failure');
    const results = Object.entries(conclusions(run!));
    const [failed] = results.filter(([, conclusion]) => conclusion === 'failure');
    expect(failed![0]).toMatch(/^build \/ /);
    expect(await world.log(run!, failed![0])).toContain('thrown by the test');
    expect(results.filter(([name]) => name !== failed![0]).map(([, conclusion]) => conclusion)).toEqual([
      'skipped',
      'skipped',
      'skipped',
    ]);
  });
});
