import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RunRecord } from '../../local/github/types.ts';
import { product, startWorld, type World } from './support.ts';

const run = promisify(execFile);
export const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
/** The commit that the fixtures write into `uses:`. */
const sha = '1'.repeat(40);

/** What a run amounts to: its jobs that ran with their result, and the `OUT ` lines of each. */
export interface Observation {
  jobs: Record<string, 'success' | 'failure'>;
  output: Record<string, string[]>;
}

interface Fixture {
  caller: string;
  product: string | undefined;
  dispatch: Record<string, unknown> | undefined;
}

async function open(name: string): Promise<Fixture> {
  const directory = join(fixtures, name);
  const split = existsSync(join(directory, 'caller'));
  const dispatch = join(directory, 'dispatch.json');
  return {
    caller: split ? join(directory, 'caller') : directory,
    product: split ? join(directory, 'product') : undefined,
    dispatch: existsSync(dispatch) ? JSON.parse(await readFile(dispatch, 'utf8')) : undefined,
  };
}

async function tree(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== 'dispatch.json')
      files[path.slice(directory.length + 1)] = await readFile(path, 'utf8');
  }
  return files;
}

/** The fixture under our runner. */
export async function observeOurs(name: string): Promise<Observation & { record: RunRecord }> {
  const fixture = await open(name);
  const world = await startWorld(fixture.product ? { product: await tree(fixture.product) } : {});
  try {
    const [pushed] = await world.push(await tree(fixture.caller));
    const started = fixture.dispatch
      ? await world.github.dispatchWorkflow('acme/abalone', 'main.yml', 'main', fixture.dispatch)
      : pushed;
    if (!started) throw new Error(`Fixture ${name} started no run: ${world.pushOutput}`);
    const record = await world.github.runs.wait(started.id);
    if (record.problems.length > 0) throw new Error(`Fixture ${name}: ${JSON.stringify(record.problems)}`);
    return { ...(await observation(world, record)), record };
  } finally {
    await world.close();
  }
}

async function observation(world: World, record: RunRecord): Promise<Observation> {
  const jobs: Observation['jobs'] = {};
  const output: Observation['output'] = {};
  for (const job of record.jobs) {
    if (job.conclusion === 'skipped') continue;
    const name = ownName(job.name);
    jobs[name] = job.conclusion as 'success' | 'failure';
    output[name] = (await world.log(record, job.name)).split('\n').filter((line) => line.startsWith('OUT '));
  }
  return { jobs, output };
}

interface ActLine {
  job?: string;
  matrix?: object;
  jobResult?: 'success' | 'failure';
  raw_output?: boolean;
  msg?: string;
}

/** The same fixture under act, by the recipe that shares nothing with our runner but the files. */
export async function observeAct(name: string, act: string, scratch: string): Promise<Observation> {
  const fixture = await open(name);
  const work = join(scratch, name);
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'home'), { recursive: true });
  await cp(fixture.caller, join(work, 'caller'), { recursive: true });
  const git = (...args: string[]) =>
    run('git', ['-C', join(work, 'caller'), '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args]);
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'fixture');
  const event = join(work, 'event.json');
  await writeFile(
    event,
    JSON.stringify(fixture.dispatch ? { inputs: fixture.dispatch } : { ref: 'refs/heads/main', after: sha }),
  );
  const args = [
    fixture.dispatch ? 'workflow_dispatch' : 'push',
    '-C',
    join(work, 'caller'),
    '-W',
    join(work, 'caller/.github/workflows/main.yml'),
    '-e',
    event,
    '--json',
    '--concurrent-jobs',
    '1',
    '-P',
    'ubuntu-24.04=-self-hosted',
    '--container-daemon-socket',
    '-',
    '--no-cache-server',
    '--action-offline-mode',
    '--action-cache-path',
    join(work, 'cache'),
    '--secret-file',
    '/dev/null',
    '--env-file',
    '/dev/null',
    '--var-file',
    '/dev/null',
    '--input-file',
    '/dev/null',
    '-s',
    'GITHUB_TOKEN=fake-long-token',
    '--env',
    'GITHUB_REPOSITORY=acme/abalone',
    ...(fixture.product ? ['--local-repository', `${product}@${sha}=${fixture.product}`] : []),
  ];
  await mkdir(join(work, 'bin'), { recursive: true });
  await symlink((await run('/bin/sh', ['-c', 'command -v python3'])).stdout.trim(), join(work, 'bin/python'));
  const env = {
    PATH: `${dirname(process.execPath)}:${join(work, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: join(work, 'home'),
    NO_COLOR: '1',
    TERM: 'dumb',
    ACT_DISABLE_VERSION_CHECK: '1',
  };
  const { stdout } = await run(act, args, { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 }).catch(
    (error: { stdout: string; code: number; stderr: string }) => {
      // 1 is a failed job, which some fixtures are about.
      if (error.code !== 1) throw error;
      return error;
    },
  );
  const jobs: Observation['jobs'] = {};
  const output: Observation['output'] = {};
  for (const text of stdout.split('\n').filter((line) => line.startsWith('{'))) {
    const line = JSON.parse(text) as ActLine;
    if (!line.job) continue;
    const job = ownName(line.job, line.matrix);
    if (!line.jobResult && !line.raw_output) continue;
    const lines = output[job] ?? [];
    output[job] = lines;
    if (line.jobResult) jobs[job] = line.jobResult;
    if (!line.raw_output) continue;
    const printed = (line.msg ?? '').split('\n').filter((one) => one.startsWith('OUT '));
    lines.push(...printed.map((one) => one.replace(/\r$/, '')));
  }
  return { jobs, output };
}

/**
 * act names a job `WORKFLOW/JOB`, padded, in a called workflow by that file, and numbers the jobs of a matrix; GitHub says
 * `CALLER / JOB`. What both agree on is the job's own name.
 */
function ownName(name: string, matrix: object = {}): string {
  const own = name.trim().split('/').at(-1)!.trim();
  return (Object.keys(matrix).length > 0 ? own.replace(/-\d+$/, '') : own).trim();
}
