import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import type { RunRecord } from '../../local/github/types.ts';
import { product, startWorld, type World } from './support.ts';

const sha = '1'.repeat(40);
let world: World;

const ask = (audience = '&audience=sts.amazonaws.com') =>
  `node -e 'fetch(process.env.ACTIONS_ID_TOKEN_REQUEST_URL + "${audience}", {headers: {authorization: "Bearer " + process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}}).then((r) => r.json()).then((j) => console.log("OUT " + (j.value ?? JSON.stringify(j))))'`;

beforeAll(async () => {
  world = await startWorld({
    product: {
      '.github/workflows/deploy.yml': `on:
  workflow_call:
    inputs: {stage: {type: string}}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: \${{ inputs.stage }}
    permissions: {id-token: write}
    steps:
      - run: |
          ${ask()}
`,
    },
  });
});
afterAll(() => world.close());

async function lines(run: RunRecord, job?: string): Promise<string[]> {
  return (await world.log(run, job))
    .split('\n')
    .filter((line) => line.startsWith('OUT '))
    .map((line) => line.slice(4));
}
const direct = (more: string) =>
  `name: The workflow\non: push\n${more}    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          ${ask()}\n`;

describe('claims', () => {
  test('a job of the caller itself: subject by ref, with ids', async () => {
    const run = await world.runWorkflow(direct('permissions: {id-token: write}\njobs:\n  one:\n'));
    const claims = decodeJwt((await lines(run))[0]!);
    const { id, ownerId } = world.repository;
    const file = 'acme/abalone/.github/workflows/test.yml@refs/heads/main';
    expect(claims).toMatchObject({
      iss: 'https://token.actions.githubusercontent.com',
      aud: 'sts.amazonaws.com',
      sub: `repo:acme@${ownerId}/abalone@${id}:ref:refs/heads/main`,
      ref: 'refs/heads/main',
      ref_type: 'branch',
      sha: run.sha,
      repository: 'acme/abalone',
      repository_id: String(id),
      repository_owner: 'acme',
      repository_owner_id: String(ownerId),
      run_id: String(run.id),
      run_attempt: '1',
      run_number: String(run.number),
      actor: 'acme',
      event_name: 'push',
      workflow: 'The workflow',
      workflow_ref: file,
      workflow_sha: run.sha,
      job_workflow_ref: file,
      job_workflow_sha: run.sha,
    });
    expect(claims).not.toHaveProperty('environment');
    expect(claims.exp! - claims.iat!).toBe(300);
  });

  test('a called job with an environment: subject by environment, job_workflow_ref of the called file with the ref that the caller wrote', async () => {
    const run = await world.runWorkflow(`name: Model
on: push
jobs:
  call:
    permissions: {id-token: write}
    uses: ${product}/.github/workflows/deploy.yml@${sha}
    with: {stage: "production:eu"}
`);
    const claims = decodeJwt((await lines(run, 'call / deploy'))[0]!);
    const { id, ownerId } = world.repository;
    expect(claims).toMatchObject({
      // A colon in a value would begin a new part of the subject.
      sub: `repo:acme@${ownerId}/abalone@${id}:environment:production%3Aeu`,
      environment: 'production:eu',
      workflow: 'Model',
      workflow_ref: 'acme/abalone/.github/workflows/test.yml@refs/heads/main',
      workflow_sha: run.sha,
      job_workflow_ref: `${product}/.github/workflows/deploy.yml@${sha}`,
      job_workflow_sha: sha,
    });
  });

  test('one file called by tag, by branch and by commit: each job carries the ref that its caller wrote', async () => {
    const shared = await world.github.createRepository({ owner: 'tools', name: 'shared' });
    await world.push({
      '.github/workflows/test.yml':
        'on: workflow_dispatch\njobs:\n  one: {runs-on: ubuntu-24.04, steps: [{run: echo}]}\n',
      '.github/workflows/called.yml': `on: workflow_call\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    permissions: {id-token: write}\n    steps:\n      - run: |\n          ${ask()}\n`,
    });
    await world.git('push', '--quiet', shared.url, 'HEAD:refs/heads/main', 'HEAD:refs/tags/v1');
    const commit = (await world.git('rev-parse', 'HEAD')).trim();
    const call = (ref: string) =>
      `    permissions: {id-token: write}\n    uses: tools/shared/.github/workflows/called.yml@${ref}\n`;
    const run = await world.runWorkflow(
      `on: push\njobs:\n  tag:\n${call('v1')}  branch:\n${call('main')}  commit:\n${call(commit)}`,
    );
    const ref = async (job: string) => decodeJwt((await lines(run, `${job} / one`))[0]!);
    const file = 'tools/shared/.github/workflows/called.yml';
    expect(await ref('tag')).toMatchObject({ job_workflow_ref: `${file}@refs/tags/v1`, job_workflow_sha: commit });
    expect(await ref('branch')).toMatchObject({
      job_workflow_ref: `${file}@refs/heads/main`,
      job_workflow_sha: commit,
    });
    expect(await ref('commit')).toMatchObject({ job_workflow_ref: `${file}@${commit}`, job_workflow_sha: commit });
  });

  test('a tag, another branch, a re-run', async () => {
    const workflow = direct('permissions: {id-token: write}\njobs:\n  one:\n');
    await world.push({ '.github/workflows/test.yml': workflow });
    await world.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v1');
    const tagged = await world.github.runs.wait(world.github.runs.list()[0]!.id);
    expect(decodeJwt((await lines(tagged))[0]!)).toMatchObject({
      sub: expect.stringMatching(/:ref:refs\/tags\/v1$/),
      ref_type: 'tag',
    });
    const [branch] = await world.push({ x: '1' }, { ref: 'feature' });
    await world.github.runs.wait(branch!.id);
    expect(decodeJwt((await lines(branch!))[0]!)).toMatchObject({
      sub: expect.stringMatching(/:ref:refs\/heads\/feature$/),
    });
    await world.github.runs.rerun(branch!.id, 'all');
    await world.github.runs.wait(branch!.id);
    expect(decodeJwt((await lines(branch!))[0]!)).toMatchObject({
      run_id: String(branch!.id),
      run_attempt: '2',
      sha: branch!.sha,
    });
  });

  test('repositories that keep the older subject', async () => {
    const own = await world.github.createRepository({ owner: 'old', name: 'style', immutableSubject: false });
    await world.git('push', '--quiet', own.url, 'HEAD:refs/heads/main');
    const run = await world.github.runs.wait(world.github.runs.list('old/style')[0]!.id);
    expect(decodeJwt((await lines(run))[0]!)).toMatchObject({ sub: 'repo:old/style:ref:refs/heads/main' });
  });

  test('without an audience it is the page of the owner', async () => {
    const run = await world.runWorkflow(
      direct('permissions: {id-token: write}\njobs:\n  one:\n').replace('&audience=sts.amazonaws.com', ''),
    );
    expect(decodeJwt((await lines(run))[0]!).aud).toBe('https://github.com/acme');
  });

  test('the signature holds against the published keys', async () => {
    const run = await world.runWorkflow(direct('permissions: {id-token: write}\njobs:\n  one:\n'));
    const keys = (await (await fetch(`${world.url}/_github/oidc/.well-known/jwks`)).json()) as JSONWebKeySet;
    const verified = await jwtVerify((await lines(run))[0]!, createLocalJWKSet(keys), {
      issuer: 'https://token.actions.githubusercontent.com',
      audience: 'sts.amazonaws.com',
    });
    expect(verified.payload.run_id).toBe(String(run.id));
  });
});

describe('who gets no token', () => {
  const variables = 'echo "OUT [$ACTIONS_ID_TOKEN_REQUEST_URL$ACTIONS_ID_TOKEN_REQUEST_TOKEN]"';

  test.each([
    ['nothing asked', ''],
    ['other scopes', '    permissions: {contents: read}\n'],
    ['none at all', '    permissions: {}\n'],
  ])('jobs without id-token: write (%s) have no request variables', async (_, permissions) => {
    const run = await world.runWorkflow(
      `on: push\njobs:\n  one:\n${permissions}    runs-on: ubuntu-24.04\n    steps: [{run: '${variables}'}]\n`,
    );
    expect(await lines(run)).toEqual(['[]']);
  });

  test('a token of another job, a made-up one, and one whose job has ended', async () => {
    const run = await world.runWorkflow(`on: push
permissions: {id-token: write}
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          node -e 'const t = process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN, u = process.env.ACTIONS_ID_TOKEN_REQUEST_URL; const get = (url, token) => fetch(url, {headers: {authorization: "Bearer " + token}}).then((r) => console.log("OUT", r.status));
          (async () => { await get(u, t); await get(u.replace(/job=\\d+/, "job=1"), t); await get(u, "made-up"); console.log("OUT " + [...t].join(" ")); console.log("OUT " + u); })()'
`);
    const [own, other, madeUp, spaced, url] = await lines(run);
    expect([own, other, madeUp]).toEqual(['200', '403', '401']);
    const late = await fetch(url!, { headers: { authorization: `Bearer ${spaced!.replaceAll(' ', '')}` } });
    expect(late.status).toBe(401);
  });
});
