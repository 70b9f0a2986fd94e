import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Condition, fromData, isTruthy, type Template, toData } from '../expressions.ts';
import { runStandIn } from '../stand-ins/index.ts';
import type { StepRecord } from '../types.ts';
import type { Action, CompositeRuns, JavaScriptRuns, RunStep, Shell, Step, UsesStep } from '../workflow/model.ts';
import type { PlannedAction } from '../workflow/plan.ts';
import { type InvocationResult, invoke } from './invoke.ts';
import { annotate, evaluation, type Frame, type JobState, type Outcome, type Post, type StepResult } from './state.ts';

type Env = Map<string, string>;
type HandlerResult = { outcome: Outcome; outputs: Record<string, string> };

/** How GitHub starts a shell. `{0}` is the script file. Without `shell:` there is no pipefail. */
const shells: Record<Shell, { command: string; args: string[]; extension: string }> = {
  default: { command: 'bash', args: ['-e', '{0}'], extension: 'sh' },
  bash: { command: 'bash', args: ['--noprofile', '--norc', '-eo', 'pipefail', '{0}'], extension: 'sh' },
  sh: { command: 'sh', args: ['-e', '{0}'], extension: 'sh' },
  python: { command: 'python', args: ['{0}'], extension: 'py' },
};

export function stepName(job: JobState, frame: Frame, step: Step): string {
  try {
    if (step.name) return job.masks.mask(step.name.evaluateString(evaluation(job, frame)));
    if (step.kind === 'uses') return `Run ${step.uses}`;
    return job.masks.mask(`Run ${step.run.evaluateString(evaluation(job, frame)).trim().split('\n')[0] ?? ''}`);
  } catch {
    return step.name?.text ?? (step.kind === 'uses' ? `Run ${step.uses}` : 'Run');
  }
}

/** Runs one step of a job or composite action and records its result in the frame. */
export async function runStep(
  job: JobState,
  frame: Frame,
  step: Step,
  record: StepRecord | undefined,
  planned: PlannedAction | undefined,
): Promise<StepResult> {
  const result: StepResult = { outputs: {}, outcome: 'success', conclusion: 'success' };
  const finish = (outcome: Outcome): StepResult => {
    result.outcome = outcome;
    result.conclusion = outcome;
    if (outcome === 'failure' && tolerates(job, frame, step)) result.conclusion = 'success';
    if (step.id !== undefined) frame.steps.set(step.id, result);
    if (result.conclusion === 'failure') frame.failed = true;
    return result;
  };
  let env: Env;
  try {
    env = evaluateEnv(job, frame, step);
    if (!step.if.evaluate(evaluation(job, frame, env))) return finish('skipped');
  } catch (error) {
    annotate(job, { level: 'error', message: (error as Error).message });
    return finish('failure');
  }
  if (record) job.log.line(`##[group]${record.name}`);
  const handled = await guarded(job, frame, step, env, (signal) => handle(job, frame, step, env, planned, signal));
  if (record) job.log.line('##[endgroup]');
  result.outputs = handled.outputs;
  return finish(handled.outcome);
}

function evaluateEnv(job: JobState, frame: Frame, step: Step): Env {
  const env: Env = new Map();
  for (const [name, template] of step.env) env.set(name, template.evaluateString(evaluation(job, frame, env)));
  return env;
}

function tolerates(job: JobState, frame: Frame, step: Step): boolean {
  return step.continueOnError ? isTruthy(step.continueOnError.evaluate(evaluation(job, frame))) : false;
}

/** Time-out and cancellation around a step. A step whose `if` still holds after the cancellation goes on. */
async function guarded(
  job: JobState,
  frame: Frame,
  step: Step,
  env: Env,
  run: (signal: AbortSignal) => Promise<HandlerResult>,
): Promise<HandlerResult> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let timedOut: string | undefined;
  const onCancel = () => {
    if (!stillWanted(job, frame, step.if, env)) controller.abort(new Error('cancelled'));
  };
  const onDeadline = () => controller.abort(new Error('deadline'));
  try {
    const minutes = step.timeoutMinutes
      ? Math.trunc(Number(fromData(step.timeoutMinutes.evaluate(evaluation(job, frame, env)))))
      : 0;
    if (minutes > 0) {
      timer = setTimeout(() => {
        timedOut = `The action '${stepName(job, frame, step)}' has timed out after ${minutes} minutes.`;
        controller.abort(new Error('timeout'));
      }, minutes * job.pace.minute);
    }
    if (!job.cancellation.signal.aborted) job.cancellation.signal.addEventListener('abort', onCancel, { once: true });
    job.deadline.signal.addEventListener('abort', onDeadline, { once: true });
    if (job.deadline.signal.aborted) onDeadline();
    const result = await run(controller.signal);
    if (timedOut !== undefined) {
      annotate(job, { level: 'error', message: timedOut });
      return { ...result, outcome: 'failure' };
    }
    if (result.outcome === 'cancelled') annotate(job, { level: 'error', message: 'The operation was canceled.' });
    return result;
  } catch (error) {
    annotate(job, { level: 'error', message: (error as Error).message });
    return { outcome: 'failure', outputs: {} };
  } finally {
    clearTimeout(timer);
    job.cancellation.signal.removeEventListener('abort', onCancel);
    job.deadline.signal.removeEventListener('abort', onDeadline);
  }
}

function stillWanted(job: JobState, frame: Frame, condition: Condition, env: Env): boolean {
  try {
    return condition.evaluate(evaluation(job, frame, env));
  } catch {
    return false;
  }
}

async function handle(
  job: JobState,
  frame: Frame,
  step: Step,
  env: Env,
  planned: PlannedAction | undefined,
  signal: AbortSignal,
): Promise<HandlerResult> {
  if (step.kind === 'run') return runScript(job, frame, step, env, signal);
  let action = planned ?? { kind: 'workspace' as const, path: step.uses };
  if (action.kind === 'workspace')
    action = await job.loadWorkspaceAction(resolve(job.folders.workspace, action.path), step.at);
  if (action.kind === 'workspace') throw new Error(`'${step.uses}' is not an action`);
  if (action.kind === 'stand-in') return runStandIn(action.name, job, evaluateAll(job, frame, step.with, env), signal);
  if (action.action.runs.kind === 'composite')
    return runComposite(job, frame, step, env, action, action.action.runs, signal);
  const { runs } = action.action;
  const chosen = action;
  if (runs.post !== undefined) registerPost(job, frame, step, env, chosen, runs);
  return runJavaScript(job, frame, step, env, chosen, runs.main, signal);
}

function evaluateAll(job: JobState, frame: Frame, templates: Map<string, Template>, env: Env): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, template] of templates) result[name] = template.evaluateString(evaluation(job, frame, env));
  return result;
}

let scripts = 0;

async function runScript(
  job: JobState,
  frame: Frame,
  step: RunStep,
  env: Env,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const at = evaluation(job, frame, env);
  const shell = shells[step.shell];
  const file = join(job.folders.temp, `${process.pid}-${scripts++}.${shell.extension}`);
  const text = step.run.evaluateString(at);
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o755 });
  for (const line of text.trimEnd().split('\n')) job.log.line(line);
  const directory = step.workingDirectory
    ? resolve(job.folders.workspace, step.workingDirectory.evaluateString(at))
    : job.folders.workspace;
  const result = await invoke(job, {
    command: shell.command,
    args: shell.args.map((argument) => argument.replace('{0}', file)),
    cwd: directory,
    env: new Map([...frame.env, ...env]),
    extra: {},
    github: { ...job.github, ...frame.action, action: step.id ?? '__run' },
    signal,
  });
  if (result.outcome === 'failure' && result.exitCode !== 0) {
    annotate(job, { level: 'error', message: `Process completed with exit code ${result.exitCode}.` });
  }
  return result;
}

type LoadedAction = Extract<PlannedAction, { kind: 'action' }>;

/** Declared inputs with their defaults, then everything of `with`. Names are compared without case. */
function actionInputs(
  job: JobState,
  frame: Frame,
  step: UsesStep,
  env: Env,
  action: Action,
  warn: boolean,
): Map<string, string> {
  const given = new Map(
    Object.entries(evaluateAll(job, frame, step.with, env)).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const inputs = new Map<string, string>();
  for (const input of action.inputs) {
    const name = input.name.toLowerCase();
    const value = given.get(name);
    inputs.set(name, value ?? input.default?.evaluateString(evaluation(job, frame, env)) ?? '');
    if (value !== undefined && input.deprecationMessage && warn) {
      annotate(job, {
        level: 'warning',
        message: `Input '${input.name}' has been deprecated with message: ${input.deprecationMessage}`,
      });
    }
    given.delete(name);
  }
  if (given.size > 0 && warn) {
    const list = (names: Iterable<string>) => [...names].map((name) => `'${name}'`).join(', ');
    annotate(job, {
      level: 'warning',
      message: `Unexpected input(s) ${list(given.keys())}, valid inputs are [${list(action.inputs.map(({ name }) => name))}]`,
    });
  }
  for (const [name, value] of given) inputs.set(name, value);
  return inputs;
}

function actionGithub(_job: JobState, _frame: Frame, step: UsesStep, action: LoadedAction): Record<string, string> {
  const own = action.origin;
  return {
    action: step.id ?? `__${(own?.repository ?? 'self').replace('/', '_')}`,
    action_repository: own?.repository ?? '',
    action_ref: own ? own.ref.replace(/^refs\/(heads|tags)\//, '') : '',
  };
}

async function runJavaScript(
  job: JobState,
  frame: Frame,
  step: UsesStep,
  env: Env,
  action: LoadedAction,
  script: string,
  signal: AbortSignal,
  main = true,
): Promise<InvocationResult> {
  const extra: Record<string, string> = {};
  for (const [name, value] of actionInputs(job, frame, step, env, action.action, main))
    extra[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = value;
  for (const [name, value] of Object.entries(job.actionState.get(step) ?? {})) extra[`STATE_${name}`] = value;
  const result = await invoke(job, {
    command: job.tools.node,
    args: [join(action.directory, script)],
    cwd: job.folders.workspace,
    env: new Map([...frame.env, ...env]),
    extra,
    github: { ...job.github, ...frame.action, ...actionGithub(job, frame, step, action) },
    signal,
  });
  job.actionState.set(step, { ...job.actionState.get(step), ...result.state });
  if (
    result.outcome === 'failure' &&
    result.exitCode !== 0 &&
    !job.record.annotations.some(({ level }) => level === 'error')
  ) {
    job.log.line(`##[error]The process '${script}' failed with exit code ${result.exitCode}`);
  }
  return result;
}

function registerPost(
  job: JobState,
  frame: Frame,
  step: UsesStep,
  env: Env,
  action: LoadedAction,
  runs: JavaScriptRuns,
): void {
  if (job.posted.has(step)) return;
  job.posted.add(step);
  job.posts.push({
    name: `Post ${stepName(job, frame, step)}`,
    id: step.id,
    shouldRun: () => runs.postIf.evaluate(evaluation(job, { ...frame, kind: 'job' }, env)),
    run: async (signal) => (await runJavaScript(job, frame, step, env, action, runs.post!, signal, false)).outcome,
  });
}

/** Pre steps of actions run before the first step of the job, in order; actions of the workspace have none. */
export function preSteps(
  job: JobState,
  frame: Frame,
  steps: readonly Step[],
  actions: Map<UsesStep, PlannedAction>,
): Post[] {
  const result: Post[] = [];
  for (const step of steps) {
    const planned = step.kind === 'uses' ? actions.get(step) : undefined;
    if (step.kind !== 'uses' || planned?.kind !== 'action') continue;
    const { runs } = planned.action;
    if (runs.kind === 'composite') {
      result.push(...preSteps(job, frame, runs.steps, actions));
    } else if (runs.pre !== undefined) {
      const env = new Map<string, string>();
      result.push({
        name: `Pre ${stepName(job, frame, step)}`,
        id: step.id,
        shouldRun: () => runs.preIf.evaluate(evaluation(job, frame, env)),
        run: async (signal) => {
          for (const [name, value] of evaluateEnv(job, frame, step)) env.set(name, value);
          if (runs.post !== undefined) registerPost(job, frame, step, env, planned, runs);
          return (await runJavaScript(job, frame, step, env, planned, runs.pre!, signal, false)).outcome;
        },
      });
    }
  }
  return result;
}

async function runComposite(
  job: JobState,
  frame: Frame,
  step: UsesStep,
  env: Env,
  action: LoadedAction,
  runs: CompositeRuns,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const inner: Frame = {
    kind: 'composite',
    inputs: toData(Object.fromEntries(actionInputs(job, frame, step, env, action.action, true))),
    steps: new Map(),
    failed: false,
    action: { ...actionGithub(job, frame, step, action), action_path: action.directory },
    env: new Map([...frame.env, ...env]),
  };
  // The action's own post steps run together where the composite's would: after the job's steps, last in first out.
  const cancel = () => job.cancellation.signal.aborted || signal.aborted;
  let cancelled = false;
  for (const nested of runs.steps) {
    const planned = nested.kind === 'uses' ? job.spec.facts.actions.get(nested) : undefined;
    if (signal.aborted && !cancelled) cancelled = true;
    const stepped = await withOuterSignal(job, signal, () => runStep(job, inner, nested, undefined, planned));
    if (stepped.outcome === 'cancelled') cancelled = true;
  }
  const outputs: Record<string, string> = {};
  for (const [name, template] of runs.outputs) outputs[name] = template.evaluateString(evaluation(job, inner));
  const outcome: Outcome =
    cancelled || (cancel() && !inner.failed && signal.aborted) ? 'cancelled' : inner.failed ? 'failure' : 'success';
  return { outcome, outputs };
}

/** A time-out of the outer step also ends the nested one that runs. */
async function withOuterSignal<T>(job: JobState, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const deadline = job.deadline;
  if (signal.reason instanceof Error && signal.reason.message === 'timeout') throw signal.reason;
  const own = new AbortController();
  const onAbort = () => {
    if ((signal.reason as Error | undefined)?.message === 'timeout') own.abort(signal.reason);
  };
  const onDeadline = () => own.abort(deadline.signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  deadline.signal.addEventListener('abort', onDeadline, { once: true });
  job.deadline = own;
  try {
    return await run();
  } finally {
    job.deadline = deadline;
    signal.removeEventListener('abort', onAbort);
    deadline.signal.removeEventListener('abort', onDeadline);
  }
}
