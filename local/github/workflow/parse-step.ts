import { compileCondition } from '../expressions.ts';
import type { Shell, Step } from './model.ts';
import { type Place, places } from './places.ts';
import type { Value } from './yaml.ts';

const stepKeys = [
  'id',
  'name',
  'if',
  'env',
  'continue-on-error',
  'timeout-minutes',
  'run',
  'shell',
  'working-directory',
  'uses',
  'with',
] as const;
const compositeKeys = [
  'id',
  'name',
  'if',
  'env',
  'continue-on-error',
  'run',
  'shell',
  'working-directory',
  'uses',
  'with',
] as const;
const refusedKeys = {
  background: 'steps run one after the other',
  wait: 'steps run one after the other',
  'wait-all': 'steps run one after the other',
  cancel: 'steps run one after the other',
  parallel: 'steps run one after the other',
};
const shells: readonly string[] = ['bash', 'sh', 'python'];

/** The steps of a job, or of a composite action (where `shell` is required and the contexts are fewer). */
export function parseSteps(value: Value, where: 'job' | 'composite'): Step[] {
  const ids = new Set<string>();
  const steps: Step[] = [];
  for (const item of value.items('steps')) {
    const step = parseStep(item, where);
    if (!step) continue;
    if (step.id !== undefined) {
      if (ids.has(step.id.toLowerCase())) item.problem(`the identifier '${step.id}' is used by two steps`);
      ids.add(step.id.toLowerCase());
    }
    steps.push(step);
  }
  if (value.isList && value.items('steps').length === 0 && where === 'job') value.problem('steps must not be empty');
  return steps;
}

function parseStep(value: Value, where: 'job' | 'composite'): Step | undefined {
  const place: Place = where === 'job' ? places.step : places.compositeStep;
  const keys: readonly (typeof stepKeys)[number][] = where === 'job' ? stepKeys : compositeKeys;
  const fields = value.fields('a step', keys, refusedKeys);
  const id = fields.id?.plainText('id');
  if (id !== undefined && (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(id) || id.startsWith('__'))) {
    fields.id!.problem(
      `the identifier '${id}' must start with a letter or _, hold only letters, digits, - and _, and not start with __`,
    );
  }
  const base = {
    at: value.at,
    id,
    name: fields.name?.template('name', place),
    if: fields.if
      ? fields.if.condition('if', where === 'job' ? places.stepIf : places.compositeIf)
      : compileCondition('', value.at, places.stepIf, []),
    env: fields.env?.templates('env', place) ?? new Map(),
    continueOnError: fields['continue-on-error']?.template('continue-on-error', place),
    timeoutMinutes: fields['timeout-minutes']?.template('timeout-minutes', place),
  };
  if (fields.run && fields.uses) {
    value.problem("a step has either 'run' or 'uses', not both");
    return undefined;
  }
  if (fields.run) {
    if (fields.with) fields.with.problem("'with' belongs to 'uses', not to 'run'");
    if (where === 'composite' && !fields.shell) value.problem("a 'run' step of a composite action needs 'shell'");
    return {
      ...base,
      kind: 'run',
      run: fields.run.template('run', place),
      shell: parseShell(fields.shell),
      workingDirectory: fields['working-directory']?.template('working-directory', place),
    };
  }
  if (!fields.uses) {
    // A refused kind of step has been named already.
    if (!value.entries('a step').some(([key]) => key in refusedKeys)) value.problem("a step needs 'run' or 'uses'");
    return undefined;
  }
  for (const key of ['shell', 'working-directory'] as const) {
    if (fields[key]) fields[key].problem(`'${key}' belongs to 'run', not to 'uses'`);
  }
  return { ...base, kind: 'uses', uses: fields.uses.plainText('uses'), with: parseWith(fields.with, place) };
}

function parseWith(value: Value | undefined, place: Place) {
  const entries = value?.templates('with', place) ?? new Map();
  for (const [key, template] of entries) {
    if (key === 'entrypoint' || key === 'args') {
      value!.file.problems.push({
        ...template.at,
        message: `'${key}' in with is for Docker actions, which are not supported locally`,
      });
    }
  }
  return entries;
}

function parseShell(value: Value | undefined): Shell {
  if (!value) return 'default';
  const shell = value.plainText('shell');
  if (!shells.includes(shell)) value.problem(`shell '${shell}' is not supported locally; use bash, sh or python`);
  return shell as Shell;
}
