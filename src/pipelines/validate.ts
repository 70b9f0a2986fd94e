import type { Failure } from '../failure.ts';
import { didYouMean } from '../github/suggest.ts';
import { allSteps, type Definition, places } from './definition.ts';

/** Step types of the definition format; those the SDK writes today. */
const stepTypes = [
  'Processing',
  'Training',
  'Tuning',
  'Transform',
  'Model',
  'RegisterModel',
  'Condition',
  'Fail',
  'Lambda',
  'Callback',
  'QualityCheck',
  'ClarifyCheck',
  'EMR',
  'AutoML',
  'EMRServerless',
  'Endpoint',
  'EndpointConfig',
  'InferenceComponent',
  'Lineage',
  'ForEach',
  'Cleanup',
  'Job',
]; // prettier-ignore

const topKeys = ['Version', 'Metadata', 'Parameters', 'PipelineExperimentConfig', 'MlflowConfig', 'Steps'];
const parameterKeys = ['Name', 'Type', 'DefaultValue', 'EnumValues'];
const parameterTypes = ['String', 'Integer', 'Float', 'Boolean'];
const executionVariables = [
  'StartDateTime',
  'CurrentDateTime',
  'PipelineName',
  'PipelineArn',
  'PipelineExecutionId',
  'PipelineExecutionArn',
  'TrainingJobName',
  'ProcessingJobName',
]; // prettier-ignore
const conditionTypes = [
  'Equals',
  'GreaterThan',
  'GreaterThanOrEqualTo',
  'LessThan',
  'LessThanOrEqualTo',
  'In',
  'Not',
  'Or',
]; // prettier-ignore

const name = /^[A-Za-z0-9_-]{1,64}$/;
const parameterName = /^[A-Za-z0-9_-]{1,256}$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/**
 * Everything that is wrong with a definition and can be known without AWS: keys, names, references, graph, limits of the service.
 * All problems at once, each with its place. What depends on roles, images and quotas only shows when it runs.
 */
export function validateDefinition(file: string, definition: Definition): Failure[] {
  const problems: Failure[] = [];
  const report = (path: string, text: string) =>
    problems.push({ code: 'InvalidDefinition', resource: file, logicalId: path, cause: `${path}: ${text}` });

  for (const key of Object.keys(definition)) {
    if (!topKeys.includes(key)) report(key, `unknown key${didYouMean(key, topKeys)}`);
  }
  if (definition.Version !== '2020-12-01') report('Version', 'must be "2020-12-01"');

  const parameters = new Map<string, string>();
  const declared = definition.Parameters ?? [];
  if (!Array.isArray(declared)) report('Parameters', 'must be a list');
  else {
    if (declared.length > 200) report('Parameters', `holds ${declared.length}, but at most 200 are allowed`);
    declared.forEach((parameter, index) => {
      const path = `Parameters[${parameter?.Name ?? index}]`;
      if (!isObject(parameter) || typeof parameter.Name !== 'string' || !parameterName.test(parameter.Name)) {
        report(path, 'needs a Name of letters, digits, - and _ (at most 256)');
        return;
      }
      for (const key of Object.keys(parameter)) {
        if (!parameterKeys.includes(key)) report(`${path}.${key}`, `unknown key${didYouMean(key, parameterKeys)}`);
      }
      if (parameters.has(parameter.Name)) report(path, 'is declared twice');
      const type = parameter.Type ?? 'String';
      if (!parameterTypes.includes(type))
        report(`${path}.Type`, `${type} is no type${didYouMean(type, parameterTypes)}`);
      parameters.set(parameter.Name, type);
      if (parameter.DefaultValue !== undefined) {
        const wrong = wrongValue(type, parameter.DefaultValue);
        if (wrong !== undefined) report(`${path}.DefaultValue`, wrong);
        else if (parameter.EnumValues !== undefined && !parameter.EnumValues.includes(parameter.DefaultValue)) {
          report(`${path}.DefaultValue`, 'is none of EnumValues');
        }
      }
    });
  }

  if (!Array.isArray(definition.Steps) || definition.Steps.length === 0) {
    report('Steps', 'must be a list of at least one step');
    return problems;
  }
  const steps = allSteps(definition);
  const byName = new Map<string, (typeof steps)[number]>();
  for (const entry of steps) {
    const { step, path } = entry;
    if (typeof step.Name !== 'string' || !name.test(step.Name)) {
      report(path, 'needs a Name of letters, digits, - and _ (at most 64)');
      continue;
    }
    if (byName.has(step.Name)) report(path, `the name ${step.Name} is used twice`);
    byName.set(step.Name, entry);
    if (!stepTypes.includes(step.Type) && !/^Bedrock/.test(String(step.Type))) {
      report(`${path}.Type`, `${String(step.Type)} is no step type${didYouMean(String(step.Type), stepTypes)}`);
    }
    if (!['Callback', 'Lambda', 'EMR'].includes(step.Type) && !isObject(step.Arguments))
      report(`${path}.Arguments`, 'is missing');
    if (step.Type === 'Condition' && !Array.isArray(step.Arguments?.Conditions)) {
      report(`${path}.Arguments.Conditions`, 'must be a list');
    }
    if (step.Type === 'Fail' && step.Arguments?.ErrorMessage === undefined)
      report(`${path}.Arguments.ErrorMessage`, 'is missing');
  }

  const names = [...byName.keys()];
  const needs = new Map<string, Set<string>>(names.map((step) => [step, new Set<string>()]));
  const refer = (path: string, from: string | undefined, to: string) => {
    const target = byName.get(to);
    if (target === undefined) report(path, `there is no step ${to}${didYouMean(to, names)}`);
    else if (target.step.Type === 'Fail') report(path, `nothing can depend on the Fail step ${to}`);
    else if (from !== undefined) needs.get(from)?.add(to);
    return target;
  };
  for (const { path, value, step } of places(definition)) {
    if (!isObject(value)) continue;
    if ('Get' in value && Object.keys(value).length === 1) {
      if (typeof value.Get !== 'string') report(path, 'Get must be text');
      else reference(path, value.Get, step);
    }
    const jsonGet = value['Std:JsonGet'];
    if (isObject(jsonGet)) {
      const jsonPath = jsonGet.Path;
      if (typeof jsonPath !== 'string' || jsonPath === '') report(`${path}.Std:JsonGet.Path`, 'is missing');
      else if (jsonPath.startsWith('$')) report(`${path}.Std:JsonGet.Path`, `must not begin with $ (${jsonPath})`);
    }
    for (const key of Object.keys(value)) {
      if (key.startsWith('Std:') && !['Std:Join', 'Std:JsonGet'].includes(key))
        report(`${path}.${key}`, 'unknown function');
    }
    if (/\.Conditions\[\d+\]$/.test(path) && !conditionTypes.includes(String(value.Type))) {
      report(`${path}.Type`, `${String(value.Type)} is no condition${didYouMean(String(value.Type), conditionTypes)}`);
    }
  }
  for (const { step, path, parent } of steps) {
    for (const entry of step.DependsOn ?? [])
      refer(`${path}.DependsOn`, step.Name, typeof entry === 'string' ? entry : entry?.Step);
    if (parent !== undefined) needs.get(step.Name)?.add(parent.Name);
  }
  for (const cycle of cycles(needs))
    report(`Steps[${cycle[0]}]`, `depends on itself: ${[...cycle, cycle[0]].join(' -> ')}`);
  if (JSON.stringify(definition).length > 1_048_576)
    report('Steps', 'the definition is longer than 1,048,576 characters');
  return problems;

  function reference(path: string, get: string, from: string | undefined): void {
    const [kind, first = '', ...rest] = get.split('.');
    if (kind === 'Parameters') {
      const wanted = [first, ...rest].join('.');
      if (!parameters.has(wanted))
        report(path, `there is no parameter ${wanted}${didYouMean(wanted, [...parameters.keys()])}`);
    } else if (kind === 'Execution') {
      if (!executionVariables.includes(first))
        report(path, `there is no Execution.${first}${didYouMean(first, executionVariables)}`);
    } else if (kind === 'Steps') {
      const target = refer(path, from, first);
      if (target !== undefined && rest[0] === 'PropertyFiles') {
        const files = target.step.PropertyFiles ?? [];
        const wanted = rest[1] ?? '';
        if (!files.some((entry) => entry.PropertyFileName === wanted)) {
          const known = files.map((entry) => entry.PropertyFileName);
          report(path, `step ${first} has no property file ${wanted}${didYouMean(wanted, known)}`);
        }
      }
    } else if (kind !== 'PipelineExperimentConfig') {
      report(path, `${get} refers to nothing; write Parameters.NAME, Execution.NAME or Steps.NAME.PATH`);
    }
  }
}

/** Why a value does not fit a parameter's type, undefined when it does. Integers are accepted for Float, as the service does. */
export function wrongValue(type: string, value: unknown): string | undefined {
  const fits =
    type === 'String'
      ? typeof value === 'string'
      : type === 'Boolean'
        ? typeof value === 'boolean'
        : type === 'Integer'
          ? Number.isInteger(value)
          : typeof value === 'number';
  return fits ? undefined : `${JSON.stringify(value)} is no ${type}`;
}

/** The cycles of a dependency graph, each once. */
function cycles(needs: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const found: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (step: string, trail: string[]): void => {
    if (state.get(step) === 'done') return;
    if (state.get(step) === 'open') {
      found.push(trail.slice(trail.indexOf(step)));
      return;
    }
    state.set(step, 'open');
    for (const next of needs.get(step) ?? []) visit(next, [...trail, step]);
    state.set(step, 'done');
  };
  for (const step of needs.keys()) visit(step, []);
  return found;
}
