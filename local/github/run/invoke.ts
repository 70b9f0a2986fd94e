import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Annotation } from '../types.ts';
import { type Command, parseCommand } from './commands.ts';
import { githubVariables } from './contexts.ts';
import { parseKeyValues, parsePaths } from './file-commands.ts';
import { runProcess } from './process.ts';
import { annotate, type JobState, type Outcome } from './state.ts';

export interface Invocation {
  command: string;
  args: readonly string[];
  cwd: string;
  /** Over the machine's and the job's variables, below GITHUB_* and RUNNER_*. */
  env: ReadonlyMap<string, string>;
  /** INPUT_* and STATE_*. */
  extra: Record<string, string>;
  /** The github context of this step. */
  github: Record<string, unknown>;
  signal: AbortSignal;
}

export interface InvocationResult {
  exitCode: number;
  outcome: Outcome;
  outputs: Record<string, string>;
  state: Record<string, string>;
}

/** The exit code of a process that could not be started; its reason is told already. */
const notStarted = -1;
const summaryLimit = 1024 * 1024;
let invocations = 0;

/** Runs one process of a step as the runner does: exact environment, workflow commands in its output, command files after it. */
export async function invoke(job: JobState, invocation: Invocation): Promise<InvocationResult> {
  const folder = join(job.folders.temp, '_runner_file_commands');
  await mkdir(folder, { recursive: true });
  const unique = `${process.pid}_${invocations++}`;
  const files = Object.fromEntries(
    ['output', 'env', 'path', 'state', 'step_summary'].map((name) => [name, join(folder, `${name}_${unique}`)]),
  ) as Record<'output' | 'env' | 'path' | 'state' | 'step_summary', string>;
  for (const file of Object.values(files)) writeFileSync(file, '');

  const reader = new OutputReader(job);
  let exitCode: number;
  try {
    const result = await runProcess({
      command: invocation.command,
      args: invocation.args,
      cwd: invocation.cwd,
      env: environment(job, invocation, files),
      onLine: (line) => reader.line(line),
      signal: invocation.signal,
      deadline: job.deadline.signal,
      pace: job.pace,
      watchdog: job.watchdog,
    });
    exitCode = result.exitCode;
    job.groups.add(result.group);
  } catch (error) {
    annotate(job, {
      level: 'error',
      message: `An error occurred trying to start process '${invocation.command}' with working directory '${invocation.cwd}'. ${reason(error, invocation)}`,
    });
    exitCode = notStarted;
  }
  const outputs: Record<string, string> = { ...reader.outputs };
  const state: Record<string, string> = { ...reader.state };
  let failed = reader.failed || exitCode !== 0;
  const read = (name: keyof typeof files, use: (text: string) => void) => {
    try {
      use(readFileSync(files[name], 'utf8'));
    } catch (error) {
      annotate(job, { level: 'error', message: `Unable to process file command '${name}' successfully.` });
      annotate(job, { level: 'error', message: (error as Error).message });
      failed = true;
    }
  };
  read('env', (text) => {
    for (const [name, value] of parseKeyValues(text)) setEnvironment(job, name, value);
  });
  read('path', (text) => job.paths.unshift(...parsePaths(text).reverse()));
  read('output', (text) => {
    for (const [name, value] of parseKeyValues(text)) outputs[name] = value;
  });
  read('state', (text) => {
    for (const [name, value] of parseKeyValues(text)) state[name] = value;
  });
  read('step_summary', (text) => addSummary(job, text));
  await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
  // A cancelled process is cancelled, whatever it answered.
  const outcome = invocation.signal.aborted ? 'cancelled' : failed ? 'failure' : 'success';
  return { exitCode, outcome, outputs, state };
}

/** spawn says ENOENT of the program when it is the folder that is missing. */
function reason(error: unknown, { cwd }: Invocation): string {
  return existsSync(cwd) ? (error as Error).message : 'No such file or directory';
}

function environment(job: JobState, invocation: Invocation, files: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = {
    ...job.machine,
    ...Object.fromEntries(job.env),
    ...Object.fromEntries(invocation.env),
    ...invocation.extra,
    ...githubVariables({ ...invocation.github, ...files }),
  };
  for (const name of Object.keys(job.machine))
    if (/^(RUNNER_|GITHUB_|ACTIONS_)/.test(name)) env[name] = job.machine[name]!;
  if (job.paths.length > 0) env.PATH = [...job.paths, env.PATH].join(':');
  return env;
}

function setEnvironment(job: JobState, name: string, value: string): void {
  if (name.toUpperCase() === 'NODE_OPTIONS') {
    annotate(job, {
      level: 'error',
      message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.",
    });
    return;
  }
  job.env.set(name, value);
}

function addSummary(job: JobState, text: string): void {
  if (text === '') return;
  const size = Buffer.byteLength(text);
  if (size > summaryLimit) {
    annotate(job, {
      level: 'error',
      message: `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.ceil(size / 1024)}k.`,
    });
    return;
  }
  appendFileSync(job.summary, job.masks.mask(text.endsWith('\n') ? text : `${text}\n`));
}

/** Follows a process's output: commands act, everything else is logged. */
class OutputReader {
  readonly outputs: Record<string, string> = {};
  readonly state: Record<string, string> = {};
  failed = false;
  #stopped: string | undefined;
  readonly #job: JobState;

  constructor(job: JobState) {
    this.#job = job;
  }

  line(line: string): void {
    const command = parseCommand(line);
    if (this.#stopped !== undefined) {
      if (command?.name === this.#stopped.toLowerCase()) this.#stopped = undefined;
      else this.#job.log.line(line);
      return;
    }
    if (!command || !this.#act(command)) this.#job.log.line(line);
  }

  /** False for a command nobody knows: it is printed like any line. */
  #act({ name, properties, message }: Command): boolean {
    const job = this.#job;
    switch (name) {
      case 'error':
      case 'warning':
      case 'notice':
        annotate(job, annotation(name, properties, message));
        return true;
      case 'debug':
        if (job.env.get('ACTIONS_STEP_DEBUG') === 'true') job.log.line(`##[debug]${message}`);
        return true;
      case 'group':
        job.log.line(`##[group]${message}`);
        return true;
      case 'endgroup':
        job.log.line('##[endgroup]');
        return true;
      case 'add-mask':
        if (message.trim() === '')
          annotate(job, {
            level: 'warning',
            message: "Can't add secret mask for empty string in ##[add-mask] command.",
          });
        else {
          job.masks.add(message);
          job.log.line('::add-mask::***');
        }
        return true;
      case 'stop-commands':
        this.#stopped = message;
        return true;
      case 'set-output':
      case 'save-state':
        annotate(job, {
          level: 'warning',
          message: `The \`${name}\` command is deprecated and will be disabled soon. Please upgrade to using Environment Files.`,
        });
        if (properties.name) (name === 'set-output' ? this.outputs : this.state)[properties.name] = message;
        return true;
      case 'set-env':
      case 'add-path':
        annotate(job, {
          level: 'error',
          message: `The \`${name}\` command is disabled. Please upgrade to using Environment Files.`,
        });
        this.failed = true;
        return true;
      case 'echo':
        return true;
      case 'add-matcher':
      case 'remove-matcher':
        annotate(job, {
          level: 'warning',
          message: `Problem matchers are not supported locally: '${name}' has no effect.`,
        });
        return true;
      default:
        return false;
    }
  }
}

function annotation(level: Annotation['level'], properties: Record<string, string>, message: string): Annotation {
  const number = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);
  const result: Annotation = { level, message };
  if (properties.title) result.title = properties.title;
  if (properties.file) result.file = properties.file;
  const numbers = {
    line: number(properties.line),
    endLine: number(properties.endline ?? properties.endLine),
    column: number(properties.col),
    endColumn: number(properties.endColumn),
  };
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined) result[name as keyof typeof numbers] = value;
  return result;
}
