import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createGitHub } from '../../local/github/index.ts';
import { createOidcIssuer } from '../../local/github/oidc.ts';
import type {
  GitHubOptions,
  JobRecord,
  LocalGitHub,
  Repository,
  RunEvent,
  RunRecord,
} from '../../local/github/types.ts';

const run = promisify(execFile);
export const product = 'sagemaker-mlops/sagemaker-mlops';

export interface World {
  github: LocalGitHub;
  repository: Repository;
  url: string;
  directory: string;
  events: RunEvent[];
  /** Warnings of the local GitHub itself: none are expected. */
  warnings: string[];
  token: string;
  /** Writes files ('' removes), commits and pushes with plain git; returns the runs that the push started, not yet ended. */
  push(
    files: Record<string, string | null>,
    options?: { message?: string; ref?: string; force?: boolean },
  ): Promise<RunRecord[]>;
  /** Pushes one workflow and waits for the end of its run. */
  runWorkflow(workflow: string, files?: Record<string, string>): Promise<RunRecord>;
  git(...args: string[]): Promise<string>;
  /** What the last push printed: the hook's lines start with `remote:`. */
  pushOutput: string;
  /** Masked log of a job as written to its file, without the times. */
  log(run: RunRecord, job?: string): Promise<string>;
  summary(run: RunRecord, job?: string): Promise<string>;
  job(run: RunRecord, name: string): JobRecord;
  close(): Promise<void>;
}

const nodeBinary = process.execPath;

async function which(program: string): Promise<string> {
  return (await run('/bin/sh', ['-c', `command -v ${program}`])).stdout.trim();
}

/** A local GitHub behind a real server on 127.0.0.1, with one repository acme/abalone and a clone of it. */
export async function startWorld(
  options: Partial<GitHubOptions> & { product?: Record<string, string>; defaultBranch?: string } = {},
): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'workflows-'));
  const clock = options.clock ?? { now: () => new Date() };
  const warnings: string[] = [];
  let handle: LocalGitHub['handle'] | undefined;
  const server: Server = createServer((request, response) => void handle?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const token = 'platform-token-of-this-test';
  const { product: productFiles, defaultBranch, ...given } = options;
  const github = createGitHub({
    directory: join(directory, 'github'),
    clock,
    logger: { debug: () => {}, info: () => {}, warn: (message) => warnings.push(message) },
    issuer: createOidcIssuer({ clock }),
    baseUrl: () => url,
    token,
    runnerEnvironment: () => ({ AWS_ENDPOINT_URL: url, AWS_EC2_METADATA_DISABLED: 'true' }),
    tools: { node: nodeBinary, python: await which('python3'), git: await which('git') },
    ...given,
  });
  handle = (request, response) => github.handle(request, response);
  const events: RunEvent[] = [];
  github.subscribe((event) => events.push(event));
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'abalone',
    ...(defaultBranch ? { defaultBranch } : {}),
  });
  if (productFiles) {
    await writeTree(join(directory, 'product'), productFiles);
    github.mapRepository(product, join(directory, 'product'));
  }
  const clone = join(directory, 'clone');
  const git = async (...args: string[]) => {
    const { stdout, stderr } = await run(
      'git',
      ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-C', clone, ...args],
      {
        env: { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1' },
      },
    );
    return stdout + stderr;
  };
  await mkdir(clone, { recursive: true });
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('remote', 'add', 'origin', repository.url);

  const world: World = {
    github,
    repository,
    url,
    directory,
    events,
    warnings,
    token,
    git,
    pushOutput: '',
    async push(files, { message = 'Change', ref = 'main', force = false } = {}) {
      const before = new Set(github.runs.list().map(({ id }) => id));
      await writeTree(clone, files);
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', message);
      world.pushOutput = await git('push', ...(force ? ['--force'] : []), 'origin', `HEAD:refs/heads/${ref}`);
      return github.runs
        .list()
        .filter(({ id }) => !before.has(id))
        .reverse();
    },
    async runWorkflow(workflow, files = {}) {
      const [started] = await world.push({ '.github/workflows/test.yml': workflow, ...files });
      if (!started) throw new Error(`The push started no run: ${world.pushOutput}`);
      return github.runs.wait(started.id);
    },
    job(record, name) {
      const found = record.jobs.find((job) => job.name === name);
      if (!found) throw new Error(`No job '${name}' among ${record.jobs.map((job) => job.name).join(', ')}`);
      return found;
    },
    async log(record, name) {
      const job = name === undefined ? record.jobs[0]! : world.job(record, name);
      const text = await readFile(join(github.runs.directory(record.id), job.log), 'utf8').catch(() => '');
      return text.replace(/^\S+Z /gm, '');
    },
    async summary(record, name) {
      const job = name === undefined ? record.jobs[0]! : world.job(record, name);
      return readFile(join(github.runs.directory(record.id), job.summary), 'utf8');
    },
    async close() {
      await github.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return world;
}

export async function writeTree(directory: string, files: Record<string, string | null>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path);
    if (text === null) await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { mode: 0o755 });
    }
  }
}

export async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
}

export function conclusions(record: RunRecord): Record<string, string | null> {
  return Object.fromEntries(record.jobs.map((job) => [job.name, job.conclusion]));
}

/** A zombie that nobody has reaped yet is not alive. */
export async function isAlive(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    if (stdout.trim() === '' || stdout.trim().startsWith('Z')) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}
