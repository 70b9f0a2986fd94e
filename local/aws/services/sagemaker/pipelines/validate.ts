import { AwsError } from '../../../core/errors.ts';
import { comparisons } from './conditions.ts';
import { checkConstraints } from './constraints.ts';
import type { Definition, StepDefinition } from './definition.ts';
import { findStep } from './definition.ts';
import { childPath, findExpressions, isExpression } from './expressions.ts';
import { formatPath } from './json-path.ts';
import { readDefinition } from './read-definition.ts';
import { checkResponsePath, checkShape, type Problem } from './shape-check.ts';
import { outputParameterTypes, stepTypes } from './step-types.ts';

const failMessageLimit = 3072;

/** Reads and judges a definition: its wrapper, the Arguments against the API's shapes, every reference, the graph. */
export function validateDefinition(text: string): { definition: Definition | undefined; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = (path: string, message: string) => {
    problems.push({ path, message });
  };
  const definition = readDefinition(text, report);
  if (definition !== undefined) {
    for (const step of definition.steps) {
      checkArguments(step, report);
      checkReferences(definition, step, report);
    }
    for (const { at, expression } of findExpressions(definition.experiment ?? {}, '$.PipelineExperimentConfig')) {
      if (typeof expression === 'string') report(at, expression);
      else if (expression.kind === 'parameter') checkParameter(definition, expression.name, at, report);
    }
    checkGraph(definition, report);
  }
  return { definition, problems };
}

/** Like validateDefinition, but throws AWS's ValidationException that names all problems. */
export function parseDefinition(text: string): Definition {
  const { definition, problems } = validateDefinition(text);
  if (definition !== undefined && problems.length === 0) return definition;
  const list = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new AwsError('ValidationException', `Unable to parse pipeline definition. ${list}`);
}

type Report = (path: string, message: string) => void;

function checkArguments(step: StepDefinition, report: Report): void {
  const at = `${step.at}.Arguments`;
  const type = stepTypes[step.type];
  if (type?.request !== undefined) {
    const { operation, schema, given } = type.request;
    const problems = checkShape(schema, step.arguments, at, given);
    // Values of a wrong kind need no further judgement.
    const known = new Set(problems.map(({ path }) => path));
    const more = checkConstraints(operation, step.arguments, at).filter(({ path }) => !known.has(path));
    for (const { path, message } of [...problems, ...more]) report(path, message);
  }
  if (step.type === 'Fail') {
    const { ErrorMessage: message, ...rest } = step.arguments;
    for (const key of Object.keys(rest)) report(childPath(at, key), `Cannot parse object, unknown property '${key}'`);
    if (typeof message !== 'string' && !isExpression(message))
      report(`${at}.ErrorMessage`, 'expected a text or an expression');
    else if (typeof message === 'string' && message.length > failMessageLimit) {
      report(`${at}.ErrorMessage`, `longer than ${failMessageLimit} characters`);
    }
  }
  if (step.type === 'Condition') {
    const { Conditions: conditions, ...rest } = step.arguments;
    for (const key of Object.keys(rest)) report(childPath(at, key), `Cannot parse object, unknown property '${key}'`);
    if (!Array.isArray(conditions) || conditions.length === 0)
      report(`${at}.Conditions`, 'expected a list of conditions');
    else for (const [index, each] of conditions.entries()) checkCondition(each, `${at}.Conditions[${index}]`, report);
  }
  const names = step.propertyFiles.map((file) => file.name);
  const outputs = step.arguments['ProcessingOutputConfig']?.Outputs;
  for (const [index, file] of step.propertyFiles.entries()) {
    const path = `${step.at}.PropertyFiles[${index}]`;
    if (names.indexOf(file.name) !== index) report(`${path}.PropertyFileName`, `'${file.name}' is declared twice`);
    if (!Array.isArray(outputs) || outputs.some((output) => isExpression(output?.OutputName))) continue;
    if (!outputs.some((output) => output?.OutputName === file.output)) {
      report(`${path}.OutputName`, `step '${step.name}' has no output '${file.output}'`);
    }
  }
}

function checkCondition(condition: unknown, path: string, report: Report): void {
  if (typeof condition !== 'object' || condition === null || Array.isArray(condition)) {
    report(path, 'expected an object');
    return;
  }
  const object = condition as Record<string, unknown>;
  const type = object['Type'] as string;
  const members = comparisons.some((name) => name === type)
    ? ['LeftValue', 'RightValue']
    : { In: ['QueryValue', 'Values'], Not: ['Condition'], Or: ['Conditions'] }[type];
  if (members === undefined) {
    report(
      `${path}.Type`,
      `expected one of ${[...comparisons, 'In', 'Not', 'Or'].join(', ')}, found ${JSON.stringify(type)}`,
    );
    return;
  }
  for (const key of Object.keys(object)) {
    if (key !== 'Type' && !members.includes(key))
      report(childPath(path, key), `Cannot parse object, unknown property '${key}'`);
  }
  for (const key of members) {
    const value = object[key];
    const at = `${path}.${key}`;
    if (key === 'Condition') checkCondition(value, at, report);
    else if (key === 'Conditions' || key === 'Values') {
      if (!Array.isArray(value) || value.length === 0) report(at, 'expected a list that is not empty');
      else if (key === 'Conditions') {
        for (const [index, each] of value.entries()) checkCondition(each, `${at}[${index}]`, report);
      } else for (const [index, each] of value.entries()) checkOperand(each, `${at}[${index}]`, report);
    } else checkOperand(value, at, report);
  }
}

function checkOperand(value: unknown, path: string, report: Report): void {
  if (['string', 'number', 'boolean'].includes(typeof value) || isExpression(value)) return;
  report(path, 'expected a text, a number, a boolean or an expression');
}

function checkParameter(definition: Definition, name: string, at: string, report: Report): void {
  if (!definition.parameters.some((parameter) => parameter.name === name))
    report(at, `Parameter '${name}' is undefined.`);
}

function checkReferences(definition: Definition, step: StepDefinition, report: Report): void {
  // Step types that are only known by name (ForEach among them) have forms of their own.
  if (stepTypes[step.type]?.keys.includes('*')) return;
  for (const { at, expression } of findExpressions(step.arguments, `${step.at}.Arguments`)) {
    if (typeof expression === 'string') {
      report(at, expression);
      continue;
    }
    if (expression.kind === 'parameter') checkParameter(definition, expression.name, at, report);
    if (!('step' in expression)) continue;
    const target = findStep(definition, expression.step);
    if (target === undefined) {
      report(at, `step '${expression.step}' does not exist`);
    } else if (expression.kind === 'step') {
      const problem = checkProperty(target, expression.path);
      if (problem !== undefined) report(at, `step '${target.name}' (${target.type}): ${problem}`);
    } else if (!target.propertyFiles.some((file) => file.name === expression.file)) {
      report(at, `step '${target.name}' has no property file '${expression.file}'`);
    } else if (expression.kind === 'property-file' && !at.endsWith('.PropertyFile')) {
      report(at, 'a property file can only stand inside Std:JsonGet');
    }
  }
}

function checkProperty(target: StepDefinition, path: Parameters<typeof formatPath>[0]): string | undefined {
  if (target.type === 'Fail') return 'a Fail step has no properties';
  if (target.type === 'Condition')
    return formatPath(path) === 'Outcome' ? undefined : 'a Condition step has only Outcome';
  if (outputParameterTypes.includes(target.type)) {
    const declared = (target.extra['OutputParameters'] ?? []) as { OutputName?: string }[];
    const [head, name, more] = path;
    const fits =
      head?.kind === 'member' &&
      head.name === 'OutputParameters' &&
      name?.kind === 'member' &&
      more === undefined &&
      declared.some((parameter) => parameter.OutputName === name.name);
    return fits ? undefined : `no declared output parameter at ${formatPath(path)}`;
  }
  const response = stepTypes[target.type]?.response;
  return response === undefined ? undefined : checkResponsePath(response, path);
}

function checkGraph(definition: Definition, report: Report): void {
  const byName = new Map<string, StepDefinition>();
  for (const step of definition.steps) {
    if (byName.has(step.name)) report(`${step.at}.Name`, `step '${step.name}' appears twice`);
    else byName.set(step.name, step);
  }
  // A dependency that is refused anyway makes no cycle.
  const edges = new Map([...byName.keys()].map((name): [string, string[]] => [name, []]));
  for (const step of definition.steps) {
    for (const name of step.needs) {
      const target = byName.get(name);
      const declared = `${step.at}.DependsOn`;
      if (target === undefined) {
        // A dangling reference is reported where it stands; here only DependsOn is left.
        if (!referenced(step, name)) report(declared, `step '${name}' does not exist`);
        continue;
      }
      if (target.type === 'Fail') {
        if (!referenced(step, name)) report(declared, `nothing can depend on the Fail step '${name}'`);
        continue;
      }
      const visible = target.branches.every(
        (branch, index) =>
          step.branches[index]?.condition === branch.condition && step.branches[index]?.outcome === branch.outcome,
      );
      if (visible) edges.get(step.name)?.push(name);
      else {
        const { condition, outcome } = target.branches.at(-1) as StepDefinition['branches'][number];
        report(
          referenced(step, name) ? `${step.at}.Arguments` : declared,
          `step '${step.name}' cannot depend on '${name}', which only runs inside the ${outcome === 'True' ? 'IfSteps' : 'ElseSteps'} of '${condition}'`,
        );
      }
    }
  }
  for (const cycle of findCycles(edges)) {
    const first = byName.get(cycle[0] as string) as StepDefinition;
    report(first.at, `cycle of dependencies: ${[...cycle, cycle[0]].join(' -> ')}`);
  }
}

function referenced(step: StepDefinition, name: string): boolean {
  return findExpressions(step.arguments, '$').some(
    ({ expression }) => typeof expression !== 'string' && 'step' in expression && expression.step === name,
  );
}

/** Each cycle once, beginning with its step that stands first in the definition. */
function findCycles(edges: Map<string, string[]>): string[][] {
  const cycles: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (name: string): void => {
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      const cycle = trail.slice(trail.indexOf(name));
      const first = [...edges.keys()].find((each) => cycle.includes(each)) as string;
      const place = cycle.indexOf(first);
      cycles.push([...cycle.slice(place), ...cycle.slice(0, place)]);
      return;
    }
    state.set(name, 'open');
    trail.push(name);
    for (const next of edges.get(name) ?? []) visit(next);
    trail.pop();
    state.set(name, 'done');
  };
  for (const name of edges.keys()) visit(name);
  return cycles;
}
