/** Starts a committed bundle the way GitHub's runner does: inputs as variables, files for outputs and summary, an exact environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { commit, root, type World } from './world.ts';

export interface ActionRun {
  inputs?: Record<string, string>;
  /** GitHub environment of the job; gives the job an OIDC token with that subject. */
  environment?: string;
  env?: Record<string, string>;
  workspace?: string;
  runId?: string;
  attempt?: number;
  /** Arguments of node before the bundle (--import ...). */
  nodeOptions?: string[];
  /** Called once with the child, e.g. to send signals. */
  onStart?: (child: ChildProcess) => void;
  /** Called with every line that the action writes. */
  onLine?: (line: string, child: ChildProcess) => void;
}

export interface ActionResult {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  outputs: Record<string, string>;
  summary: string;
  failures: {
    code: string;
    cause: string;
    resource?: string;
    account?: string;
    region?: string;
    line?: number;
    logicalId?: string;
    hint?: string;
    logTail?: string[];
  }[];
  /** ::error:: lines, unescapedd. */
  errors: string[];
  milliseconds: number;
}

const isFailure = new Ajv().compile(JSON.parse(readFileSync(join(root, 'schemas/failure.schema.json'), 'utf8')));

function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const match of text.matchAll(/^([^\n<]+)<<(ghadelimiter_[^\n]+)\n([\s\S]*?)\n?\2$/gm))
    outputs[match[1]!] = match[3]!;
  return outputs;
}

function unescaped(text: string): string {
  return text.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
}

/** Sleeps take a fifth of their time: for tests of many runs that wait for jobs of a second. */
export const quick: ActionRun = {
  nodeOptions: ['--import', join(import.meta.dirname, 'fast-clock.mjs')],
  env: { FAST_CLOCK: '5' },
};

/** Runs dist/NAME.js against a world (undefined: no network at all) and collects everything it left behind. */
export async function runAction(name: string, world: World | undefined, run: ActionRun = {}): Promise<ActionResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-action-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  const outputFile = join(folder, 'output');
  const summaryFile = join(folder, 'summary');
  writeFileSync(outputFile, '');
  writeFileSync(summaryFile, '');
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: outputFile,
    GITHUB_STEP_SUMMARY: summaryFile,
    GITHUB_WORKSPACE: run.workspace ?? join(root, 'seed-code'),
    GITHUB_REPOSITORY: 'acme/abalone',
    GITHUB_REPOSITORY_ID: '2002',
    GITHUB_RUN_ID: run.runId ?? '77001',
    GITHUB_RUN_ATTEMPT: String(run.attempt ?? 1),
    GITHUB_JOB: 'build',
    GITHUB_SHA: commit,
    GITHUB_REF: 'refs/heads/main',
    GITHUB_ACTOR: 'ada',
    GITHUB_WORKFLOW: 'Model',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_SERVER_URL: 'https://github.com',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(world === undefined ? {} : { AWS_ENDPOINT_URL: world.url, GITHUB_API_URL: `${world.url}/_github/api` }),
    ...(world === undefined || run.environment === undefined
      ? {}
      : {
          ACTIONS_ID_TOKEN_REQUEST_URL: `${world.url}/_github/oidc/token?environment=${run.environment}`,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
        }),
    ...run.env,
  };
  for (const [input, value] of Object.entries(run.inputs ?? {})) environment[`INPUT_${input.toUpperCase()}`] = value;
  const started = performance.now();
  const child = spawn(process.execPath, [...(run.nodeOptions ?? []), join(root, 'dist', `${name}.js`)], {
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, rest] = ['', '', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      run.onLine?.(rest.slice(0, end), child);
      rest = rest.slice(end + 1);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  run.onStart?.(child);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
  });
  const outputs = parseOutputs(readFileSync(outputFile, 'utf8'));
  const summary = readFileSync(summaryFile, 'utf8');
  rmSync(folder, { recursive: true, force: true });
  // Whatever an action tells, it tells in the published form.
  if (outputs['failure'] && !isFailure(JSON.parse(outputs['failure']))) {
    throw new Error(
      `the output failure does not fit its schema: ${outputs['failure']} ${JSON.stringify(isFailure.errors)}`,
    );
  }
  return {
    code,
    signal,
    // Masks are long and say nothing to a reader of a failed test.
    stdout: stdout.replace(/^::add-mask::.*\n/gm, ''),
    stderr,
    outputs,
    summary,
    failures: outputs['failure'] ? JSON.parse(outputs['failure']).failures : [],
    errors: stdout
      .split('\n')
      .filter((line) => line.startsWith('::error'))
      .map((line) => unescaped(line.replace(/^::error[^:]*::/, ''))),
    milliseconds: performance.now() - started,
  };
}
