import { join } from 'node:path';
import { type Template, toData } from '../expressions.ts';
import type { Action, CompositeRuns, UsesStep } from '../workflow/model.ts';
import type { PlannedAction } from '../workflow/plan.ts';
import { type InvocationResult, invoke } from './invoke.ts';
import { annotate, evaluation, type Frame, type JobState, stepKey } from './state.ts';

export type LoadedAction = Extract<PlannedAction, { kind: 'action' }>;
type Env = ReadonlyMap<string, string>;

/** One use of an action: where, by which step, with which env. */
export interface Use {
  frame: Frame;
  step: UsesStep;
  env: Env;
}

export function evaluateAll(
  job: JobState,
  { frame, env }: Use,
  templates: ReadonlyMap<string, Template>,
): Record<string, string> {
  const values = evaluation(job, frame, env);
  return Object.fromEntries([...templates].map(([name, template]) => [name, template.evaluateString(values)]));
}

/** Declared inputs with their defaults, then everything else of `with`. Names are compared without case. */
function inputs(job: JobState, use: Use, action: Action, warn: boolean): Map<string, string> {
  const given = new Map(
    Object.entries(evaluateAll(job, use, use.step.with)).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const defaults = evaluation(job, use.frame, use.env);
  const result = new Map<string, string>();
  for (const input of action.inputs) {
    const name = input.name.toLowerCase();
    const value = given.get(name);
    result.set(name, value ?? input.default?.evaluateString(defaults) ?? '');
    if (value !== undefined && input.deprecationMessage && warn) {
      const message = `Input '${input.name}' has been deprecated with message: ${input.deprecationMessage}`;
      annotate(job, { level: 'warning', message });
    }
    given.delete(name);
  }
  if (given.size > 0 && warn) {
    const list = (names: Iterable<string>) => [...names].map((name) => `'${name}'`).join(', ');
    const valid = list(action.inputs.map(({ name }) => name));
    annotate(job, {
      level: 'warning',
      message: `Unexpected input(s) ${list(given.keys())}, valid inputs are [${valid}]`,
    });
  }
  for (const [name, value] of given) result.set(name, value);
  return result;
}

/** What the github context says about the action itself. */
function identity(step: UsesStep, { origin }: LoadedAction): Record<string, string> {
  return {
    action: step.id ?? `__${(origin?.repository ?? 'self').replace('/', '_')}`,
    action_repository: origin?.repository ?? '',
    action_ref: origin?.ref.replace(/^refs\/(heads|tags)\//, '') ?? '',
  };
}

/** Runs one script of a JavaScript action: its pre, main or post. */
export async function runJavaScript(
  job: JobState,
  use: Use,
  action: LoadedAction,
  phase: { script: string; main: boolean },
  signal: AbortSignal,
): Promise<InvocationResult> {
  const { frame, step, env } = use;
  const key = stepKey(frame, step);
  const extra: Record<string, string> = {};
  for (const [name, value] of inputs(job, use, action.action, phase.main)) {
    extra[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = value;
  }
  for (const [name, value] of Object.entries(job.actionState.get(key) ?? {})) extra[`STATE_${name}`] = value;
  const result = await invoke(job, {
    command: job.tools.node,
    args: [join(action.directory, phase.script)],
    cwd: job.folders.workspace,
    env: new Map([...frame.env, ...env]),
    extra,
    github: { ...job.github, ...frame.action, ...identity(step, action) },
    signal,
  });
  job.actionState.set(key, { ...job.actionState.get(key), ...result.state });
  return result;
}

/** The frame of a composite action's steps. */
export function compositeFrame(
  job: JobState,
  use: Use,
  action: LoadedAction,
  runs: CompositeRuns,
  signal: AbortSignal,
  warn: boolean,
): Frame {
  return {
    kind: 'composite',
    id: stepKey(use.frame, use.step),
    list: runs.steps,
    inputs: toData(Object.fromEntries(inputs(job, use, action.action, warn))),
    results: new Map(),
    status: 'success',
    signal,
    action: { ...identity(use.step, action), action_path: action.directory },
    env: new Map([...use.frame.env, ...use.env]),
  };
}
