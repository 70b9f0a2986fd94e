/** The product's workflows and the callers that projects copy: what the linters demand, and what no linter checks. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { root } from './support/world.ts';

const product = join(root, '.github/workflows');
const callers = join(root, 'workflows');
const names = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.yml'));
const sha = '0123456789abcdef0123456789abcdef01234567';

interface Job {
  name?: string;
  uses?: string;
  needs?: string | string[];
  permissions?: Record<string, string>;
  environment?: string;
  concurrency?: unknown;
  'timeout-minutes'?: number;
  with?: Record<string, unknown>;
  steps?: { name?: string; uses?: string; run?: string; with?: Record<string, unknown> }[];
}
interface Workflow {
  name: string;
  on: {
    workflow_call?: { inputs?: Record<string, { required?: boolean }>; outputs?: Record<string, unknown> };
    push?: { paths?: string[] };
  };
  permissions: unknown;
  concurrency?: { 'cancel-in-progress'?: boolean };
  jobs: Record<string, Job>;
}

function render(text: string, reference: (file: string) => string): string {
  return text
    .replace(/OWNER\/REPO\/\.github\/workflows\/(\S+)@REF/g, (_, file: string) => reference(file))
    .replaceAll('PROJECT_NAME', 'abalone')
    .replaceAll('PROJECT_ID', 'p-0123456789ab')
    .replaceAll('AWS_REGION', 'eu-west-1')
    .replaceAll('ADMIN_ACCOUNT', '111122223333');
}

const read = (folder: string, name: string) => parse(readFileSync(join(folder, name), 'utf8')) as Workflow;
const all = [
  ...names(product).map((name) => ({ folder: product, name, workflow: read(product, name) })),
  ...names(callers).map((name) => ({ folder: callers, name, workflow: read(callers, name) })),
];
const jobs = all.flatMap(({ name, folder, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({
    file: name,
    text: readFileSync(join(folder, name), 'utf8'),
    id,
    job,
  })),
);

let tools: string;
/** A project's repository: callers rendered as they are copied. */
let project: string;
/** This repository with the callers beside the reusable workflows, so that linters see both ends of each call. */
let joined: string;

beforeAll(async () => {
  tools = (await ensureTools({ directory: join(root, '.sagemaker-mlops/python'), progress: () => {} })).directory;
  project = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-workflows-'));
  joined = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-workflows-'));
  for (const folder of [project, joined]) mkdirSync(join(folder, '.github/workflows'), { recursive: true });
  for (const name of names(callers)) {
    const text = readFileSync(join(callers, name), 'utf8');
    const remote = (file: string) => `sagemaker-mlops/sagemaker-mlops/.github/workflows/${file}@${sha} # v0.1.0`;
    writeFileSync(join(project, '.github/workflows', name), render(text, remote));
    writeFileSync(
      join(joined, '.github/workflows', name),
      render(text, (file) => `./.github/workflows/${file}`),
    );
  }
  for (const name of names(product))
    writeFileSync(join(joined, '.github/workflows', name), readFileSync(join(product, name)));
  for (const name of readdirSync(join(root, 'actions'))) {
    mkdirSync(join(joined, 'actions', name), { recursive: true });
    mkdirSync(join(joined, 'dist'), { recursive: true });
    writeFileSync(join(joined, 'actions', name, 'action.yml'), readFileSync(join(root, 'actions', name, 'action.yml')));
    writeFileSync(join(joined, 'dist', `${name}.js`), '');
  }
});
afterAll(() => {
  for (const folder of [project, joined]) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function tool(name: string, args: string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(join(tools, 'bin', name), args, {
    cwd,
    encoding: 'utf8',
    env: { ...pythonEnvironment(), PATH: `${join(tools, 'bin')}:${process.env['PATH']}`, NO_COLOR: '1' },
  });
  return { status, text: `${stdout}${stderr}` };
}

describe('foreign judges find nothing', () => {
  test('zizmor, pedantic', () => {
    for (const folder of [project, root]) {
      const files = names(folder === root ? product : join(folder, '.github/workflows')).map(
        (name) => `.github/workflows/${name}`,
      );
      const { status, text } = tool(
        'zizmor',
        ['--offline', '--persona', 'pedantic', '--strict-collection', '--no-progress', ...files],
        folder,
      );
      expect(text).toContain('No findings to report');
      expect(status).toBe(0);
    }
  });

  test('actionlint, with both ends of every call and the inputs of every own action', () => {
    const files = names(join(joined, '.github/workflows')).map((name) => `.github/workflows/${name}`);
    spawnSync('git', ['init', '-q'], { cwd: joined });
    const { status, text } = tool('actionlint', ['-no-color', ...files], joined);
    expect(text).toBe('');
    expect(status).toBe(0);
  });

  test("GitHub's language service", () => {
    const files = names(join(joined, '.github/workflows')).map((name) => join(joined, '.github/workflows', name));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'support/language-service.mjs'), ...files],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([]);
  });

  test('and they would find something', () => {
    const file = join(joined, '.github/workflows/model-build.yml');
    const text = readFileSync(file, 'utf8');
    try {
      writeFileSync(
        file,
        text
          .replace('          project-name:', '          projct-name:')
          .replace('@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1', '@v7'),
      );
      expect(tool('actionlint', ['-no-color', '.github/workflows/model-build.yml'], joined).text).toContain(
        'projct-name',
      );
      expect(
        tool(
          'zizmor',
          ['--offline', '--persona', 'pedantic', '--no-progress', '.github/workflows/model-build.yml'],
          joined,
        ).text,
      ).toContain('unpinned-uses');
      const { stdout } = spawnSync(
        process.execPath,
        [join(import.meta.dirname, 'support/language-service.mjs'), file],
        { encoding: 'utf8' },
      );
      expect(stdout).toContain('projct-name');
    } finally {
      writeFileSync(file, text);
    }
  });
});

describe('rules that no linter checks', () => {
  test('nothing is permitted at the top, and no job lacks its own permissions', () => {
    for (const { workflow } of all) expect(workflow.permissions).toEqual({});
    for (const { job } of jobs) expect(job.permissions).toBeDefined();
  });

  test('every job has a time-out, every call has none', () => {
    for (const { job } of jobs) expect(job['timeout-minutes'] !== undefined).toBe(job.uses === undefined);
  });

  test('no expression stands in a script', () => {
    for (const { job } of jobs) for (const { run = '' } of job.steps ?? []) expect(run).not.toContain('${{');
  });

  test('no secret is used anywhere', () => {
    for (const { text } of jobs) expect(text).not.toMatch(/\bsecrets\b/);
  });

  test('exactly the jobs that assume a role may ask for a token', () => {
    for (const { job } of jobs.filter(({ job }) => job.uses === undefined)) {
      const assumes = JSON.stringify(job.steps).includes('role-to-assume');
      expect(job.permissions!['id-token']).toBe(assumes ? 'write' : undefined);
      expect(job.environment !== undefined).toBe(assumes);
    }
  });

  test('no job that an environment may hold back holds a queue', () => {
    for (const { job } of jobs.filter(({ job }) => job.environment !== undefined))
      expect(job.concurrency).toBeUndefined();
    for (const { workflow } of all)
      if (workflow.on.workflow_call !== undefined) expect(workflow.concurrency).toBeUndefined();
  });

  test('every foreign action is pinned by commit with its version beside it', () => {
    for (const { text } of jobs) {
      for (const [line] of text.matchAll(/^.*uses: (?!\$\/|OWNER\/REPO).*$/gm))
        expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  const calls = jobs.flatMap(({ file, id, job }) => {
    const called = /(?:OWNER\/REPO|\$)\/\.github\/workflows\/([\w-]+\.yml)/.exec(job.uses ?? '')?.[1];
    return called === undefined ? [] : [{ place: `${file} ${id}`, job, callee: read(product, called) }];
  });

  test('callers call', () => expect(calls.length).toBeGreaterThanOrEqual(6));

  test.each(calls.map((call) => [call.place, call] as const))(
    '%s grants what its callee asks for, no more',
    (_, { job, callee }) => {
      const asked: Record<string, string> = {};
      for (const inner of Object.values(callee.jobs)) {
        for (const [scope, level] of Object.entries(inner.permissions ?? {}))
          if (asked[scope] !== 'write') asked[scope] = level;
      }
      expect(job.permissions).toEqual(asked);
    },
  );

  test.each(calls.map((call) => [call.place, call] as const))(
    '%s passes known inputs and every required one',
    (_, { job, callee }) => {
      const inputs = callee.on.workflow_call?.inputs ?? {};
      for (const given of Object.keys(job.with ?? {})) expect(Object.keys(inputs)).toContain(given);
      for (const [input, { required }] of Object.entries(inputs))
        if (required) expect(Object.keys(job.with ?? {})).toContain(input);
    },
  );

  test('the two callers start on their own paths only', () => {
    expect(read(callers, 'model.yml').on.push?.paths).toEqual(['model-build/**']);
    expect(read(callers, 'redeploy.yml').on.push?.paths).toEqual(['model-deploy/**']);
  });

  test('a pull request is always checked, by jobs that may only read the repository', () => {
    const caller = read(callers, 'pull-request.yml');
    // Filters would leave a required check pending; pull_request_target would run what strangers write with the base's rights.
    expect(caller.on).toBe('pull_request');
    const { jobs } = read(product, 'pull-request.yml');
    for (const job of [...Object.values(jobs), ...Object.values(caller.jobs)])
      expect(job.permissions).toEqual({ contents: 'read' });
    for (const { steps = [] } of Object.values(jobs))
      for (const { uses, with: given } of steps)
        if (uses?.startsWith('actions/checkout@')) expect(given?.['persist-credentials']).toBe(false);
  });

  test('a rendered caller has no placeholder left', () => {
    for (const name of names(callers)) {
      const text = readFileSync(join(project, '.github/workflows', name), 'utf8').replace(/^ *#.*$/gm, '');
      expect(text).not.toMatch(/OWNER|@REF|PROJECT_|AWS_REGION|ADMIN_ACCOUNT/);
    }
  });
});
