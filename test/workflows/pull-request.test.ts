/** Pull requests on the local GitHub: the merge commit, the event, its variables and claims, filters, and what it refuses. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { RunRecord } from '../../local/github/types.ts';
import { conclusions, startWorld, type World } from './support.ts';

const workflow = (on: string, steps = '') => `
on: ${on}
permissions: {}
jobs:
  look:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 2
          persist-credentials: false
      - shell: bash
        env:
          TITLE: \${{ github.event.pull_request.title }}
          ACTION: \${{ github.event.action }}
          HEAD: \${{ github.head_ref }}
          NUMBER: \${{ github.event.number }}
        run: |
          {
            env | grep ^GITHUB_ | grep -E '_(REF|REF_NAME|REF_TYPE|SHA|EVENT_NAME)='
            echo "TITLE=$TITLE ACTION=$ACTION HEAD=$HEAD NUMBER=$NUMBER"
            echo "PARENTS=$(git rev-parse HEAD^1 HEAD^2 | tr '\\n' ' ')"
            echo "FILES=$(ls | tr '\\n' ' ')"
          } >> "$GITHUB_STEP_SUMMARY"
          curl -s -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=a" > token.json
          echo "TOKEN=$(sed 's/.*"value":"\\([^"]*\\)".*/\\1/' token.json | cut -d. -f2)" >> "$GITHUB_STEP_SUMMARY"
${steps}`;

let world: World;
const main = () => world.git('rev-parse', 'origin/main').then((text) => text.trim());

beforeAll(async () => {
  world = await startWorld();
  await world.push({
    '.github/workflows/pr.yml': workflow('pull_request'),
    '.github/workflows/main-only.yml': workflow('{pull_request: {branches: [main], types: [opened, closed]}}'),
    '.github/workflows/docs.yml': workflow('{pull_request: {paths: ["docs/**"]}}'),
    '.github/workflows/push.yml': workflow('{push: {branches: [main]}}'),
    'a.txt': 'a\n',
  });
});
afterAll(() => world.close());

/** A branch from main with these files, pushed. */
async function branch(name: string, files: Record<string, string>): Promise<RunRecord[]> {
  await world.git('fetch', '--quiet', 'origin');
  await world.git('switch', '--quiet', '-C', name, 'origin/main');
  return world.push(files, { ref: name, message: `Change ${name}` });
}

async function rest(method: string, path: string, body?: unknown) {
  const response = await fetch(`${world.url}/_github/api/repos/acme/abalone${path}`, {
    method,
    headers: { authorization: `Bearer ${world.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as any };
}

const runsOf = (number: number) => world.github.runs.list().filter(({ pull }) => pull?.number === number);
const paths = (runs: readonly RunRecord[]) => runs.map(({ path }) => path.split('/').at(-1)).sort();

async function seen(run: RunRecord): Promise<Record<string, string>> {
  const record = await world.github.runs.wait(run.id);
  expect(conclusions(record)).toEqual({ look: 'success' });
  const lines = (await world.summary(record)).split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

describe('a pull request', () => {
  let number: number;

  test('starts the workflows of its merge commit, and a push of its branch alone starts none', async () => {
    expect(await branch('change', { 'b.txt': 'b\n' })).toEqual([]);
    const { status, body } = await rest('POST', '/pulls', { title: 'More: "b"', head: 'change', base: 'main' });
    expect(status).toBe(201);
    number = body.number;
    expect(paths(runsOf(number))).toEqual(['main-only.yml', 'pr.yml']);
    const run = runsOf(number).find(({ path }) => path.endsWith('/pr.yml'))!;
    const facts = await seen(run);
    const head = (await world.git('rev-parse', 'origin/change')).trim();
    expect(facts).toMatchObject({
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REF: `refs/pull/${number}/merge`,
      GITHUB_REF_NAME: `${number}/merge`,
      GITHUB_REF_TYPE: 'branch',
      GITHUB_HEAD_REF: 'change',
      GITHUB_BASE_REF: 'main',
      GITHUB_SHA: body.merge_commit_sha,
      TITLE: `More: "b" ACTION=opened HEAD=change NUMBER=${number}`,
      PARENTS: `${await main()} ${head} `,
      FILES: 'a.txt b.txt ',
    });
    const claims = decodeJwt(`e30.${facts['TOKEN']}.`);
    expect(claims).toMatchObject({
      sub: expect.stringMatching(/^repo:acme@\d+\/abalone@\d+:pull_request$/),
      ref: `refs/pull/${number}/merge`,
      head_ref: 'change',
      base_ref: 'main',
      event_name: 'pull_request',
      sha: body.merge_commit_sha,
    });
    const event = (await rest('GET', `/actions/runs/${run.id}`)).body;
    expect(event).toMatchObject({
      event: 'pull_request',
      head_branch: 'change',
      head_sha: head,
      display_title: 'More: "b"',
    });
    expect(event.pull_requests).toMatchObject([{ number }]);
  });

  test('new commits of its branch start them again, by their types; a new base starts none', async () => {
    await world.push({ 'c.txt': 'c\n' }, { ref: 'change' });
    const again = runsOf(number).filter((run) => run.number === 2);
    expect(paths(again)).toEqual(['pr.yml']);
    expect(await seen(again[0]!)).toMatchObject({
      FILES: 'a.txt b.txt c.txt ',
      TITLE: expect.stringContaining('ACTION=synchronize'),
    });
    const before = runsOf(number).length;
    await branch('other', { 'd.txt': 'd\n' });
    await world.git('push', '--quiet', 'origin', 'other:main');
    expect(runsOf(number)).toHaveLength(before);
    const { body } = await rest('GET', `/pulls/${number}`);
    expect(body).toMatchObject({ state: 'open', mergeable: true, base: { sha: await main() } });
  });

  test('is merged by a push of the base that holds it', async () => {
    await world.git('fetch', '--quiet', 'origin');
    await world.git('switch', '--quiet', '-C', 'merge', 'origin/main');
    await world.git('merge', '--quiet', '--no-edit', 'origin/change');
    await world.git('push', '--quiet', 'origin', 'merge:main');
    expect((await rest('GET', `/pulls/${number}`)).body).toMatchObject({ state: 'closed', merged: true });
    expect((await rest('GET', '/pulls')).body).toEqual([]);
  });

  test('path filters look at what differs from where the branches parted', async () => {
    await branch('docs', { 'docs/x.md': 'x\n' });
    const { body } = await rest('POST', '/pulls', { title: 'Docs', head: 'acme:docs', base: 'main' });
    expect(paths(runsOf(body.number))).toEqual(['docs.yml', 'main-only.yml', 'pr.yml']);
  });

  test('in conflict it starts nothing, and says so', async () => {
    await branch('conflict', { 'a.txt': 'mine\n' });
    await branch('theirs', { 'a.txt': 'theirs\n' });
    await world.git('push', '--quiet', 'origin', 'theirs:main');
    const { body } = await rest('POST', '/pulls', { title: 'Conflict', head: 'conflict', base: 'main' });
    expect(body).toMatchObject({ mergeable: false, merge_commit_sha: null });
    expect(runsOf(body.number)).toEqual([]);
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'note', message: expect.stringContaining('conflict is in conflict with main') }),
    );
  });

  test('[skip ci] in its head commit starts nothing', async () => {
    await world.git('fetch', '--quiet', 'origin');
    await world.git('switch', '--quiet', '-C', 'quiet', 'origin/main');
    await world.push({ 'q.txt': 'q\n' }, { ref: 'quiet', message: 'Quiet [skip ci]' });
    const { body } = await rest('POST', '/pulls', { title: 'Quiet', head: 'quiet', base: 'main' });
    expect(runsOf(body.number)).toEqual([]);
  });

  test('an environment of main only is closed to it', async () => {
    world.github.createEnvironment('acme/abalone', { name: 'build', branches: ['main'] });
    const job = workflow('pull_request').replace('    permissions:\n', '    environment: build\n    permissions:\n');
    await branch('environment', { '.github/workflows/environment.yml': job });
    const { body } = await rest('POST', '/pulls', { title: 'Environment', head: 'environment', base: 'main' });
    const run = runsOf(body.number).find(({ path }) => path.endsWith('/environment.yml'))!;
    const record = await world.github.runs.wait(run.id);
    expect(record.conclusion).toBe('failure');
    const said = [
      ...record.jobs.flatMap(({ annotations }) => annotations.map(({ message }) => message)),
      ...record.notes,
    ].join();
    expect(said).toContain(`Branch "refs/pull/${body.number}/merge" is not allowed to deploy to build`);
  });
});

test.each([
  [{ title: 'x', head: 'nowhere', base: 'main' }, /no head branch 'nowhere'/],
  [{ title: 'x', head: 'docs', base: 'nowhere' }, /no base branch 'nowhere'/],
  [{ title: 'x', head: 'main', base: 'main' }, /No commits between main and main/],
  [{ title: 'x', head: 'docs', base: 'main' }, /already exists for acme:docs/],
  [{ title: 'x', head: 'mallory:docs', base: 'main' }, /no forks/],
  [{ title: 'x', head: 'docs', base: 'main', draft: true }, /does not support 'draft'/],
  [{ head: 'docs', base: 'main' }, /'title' wasn't supplied/],
])('%j is refused', async (request, message) => {
  const { status, body } = await rest('POST', '/pulls', request);
  expect(status).toBe(422);
  expect(body.message).toMatch(message);
});

test('types that never happen here are noted, unknown ones refused', async () => {
  const [noted] = await world.push({
    '.github/workflows/push.yml': workflow('{push: {}, pull_request: {types: [opened, labeled]}}'),
  });
  expect((await world.github.runs.wait(noted!.id)).notes).toContain(
    'Events that never happen on this machine: pull_request (labeled).',
  );
  const [refused] = await world.push({
    '.github/workflows/push.yml': workflow('{push: {}, pull_request: {types: [opnd]}}'),
  });
  const { problems } = await world.github.runs.wait(refused!.id);
  expect(problems.map(({ message }) => message)).toEqual(["unknown type 'opnd' of pull_request"]);
});

test('nothing of a run went wrong unseen', async () => {
  expect(world.warnings).toEqual([]);
  for (const run of world.github.runs.list()) {
    await world.github.runs.wait(run.id);
    expect(JSON.parse(await readFile(join(world.github.runs.directory(run.id), 'run.json'), 'utf8')).id).toBe(run.id);
  }
});
