import { parseDuration } from '../duration.ts';
import type { Definition, PropertyFile, RetryPolicy, StepDefinition } from './definition.ts';
import { childPath, findExpressions, referencedSteps } from './expressions.ts';
import { isOfType, type ParameterDefinition, type ParameterType, parameterTypes } from './parameters.ts';
import { stepTypes } from './step-types.ts';

const topKeys = ['Version', 'Metadata', 'Parameters', 'PipelineExperimentConfig', 'MlflowConfig', 'Steps'];
const stepKeys = ['Name', 'Type', 'Arguments', 'DependsOn', 'DisplayName', 'Description'];
const namePattern = /^[A-Za-z0-9\-_]+$/;
const retryable = [
  'Step.SERVICE_FAULT',
  'Step.THROTTLING',
  'SageMaker.JOB_INTERNAL_ERROR',
  'SageMaker.CAPACITY_ERROR',
  'SageMaker.RESOURCE_LIMIT',
];
const limits = { parameters: 200, stepName: 64, displayName: 256, description: 3072, parameterName: 256, value: 1024 };

type Json = Record<string, any>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads the wrapper of a definition: everything but the Arguments of job steps, which other checks judge. What is wrong
 * goes to `report`; what can be read is read nevertheless, so that one look finds all mistakes.
 */
export function readDefinition(text: string, report: (path: string, message: string) => void): Definition | undefined {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    report('$', `not a JSON document: ${(error as Error).message}`);
    return undefined;
  }
  if (!isObject(root)) {
    report('$', 'expected an object');
    return undefined;
  }
  const reader = createReader(report);
  reader.refuseUnknown(root, topKeys, '$');
  if (root['Version'] !== '2020-12-01')
    report('$.Version', `expected "2020-12-01", found ${JSON.stringify(root['Version'])}`);
  const parameters = reader.parameters(root['Parameters'] ?? []);
  const experiment = reader.experiment(root['PipelineExperimentConfig']);
  if (!Array.isArray(root['Steps'])) report('$.Steps', 'expected a list');
  const steps = reader.steps(root['Steps'] ?? [], '$.Steps', []);
  const mlflow = root.MlflowConfig !== undefined && root.MlflowConfig !== null;
  return { text, parameters, ...(experiment === undefined ? {} : { experiment }), mlflow, steps };
}

function createReader(report: (path: string, message: string) => void) {
  function refuseUnknown(object: Json, known: readonly string[], path: string): void {
    for (const key of Object.keys(object)) {
      if (!known.includes(key)) report(childPath(path, key), `Cannot parse object, unknown property '${key}'`);
    }
  }

  function textMember(object: Json, key: string, path: string, maximum: number): string | undefined {
    const value = object[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') report(childPath(path, key), 'expected a text');
    else if (value.length > maximum) report(childPath(path, key), `longer than ${maximum} characters`);
    else return value;
    return undefined;
  }

  function parameter(item: unknown, path: string): ParameterDefinition | undefined {
    if (!isObject(item)) {
      report(path, 'expected an object');
      return undefined;
    }
    refuseUnknown(item, ['Name', 'Type', 'DefaultValue', 'EnumValues'], path);
    const name = item['Name'];
    if (typeof name !== 'string' || !namePattern.test(name) || name.length > limits.parameterName) {
      report(`${path}.Name`, `expected 1 to ${limits.parameterName} letters, digits, - and _`);
      return undefined;
    }
    const type = (item['Type'] ?? 'String') as ParameterType;
    if (!parameterTypes.includes(type)) {
      report(`${path}.Type`, `expected one of ${parameterTypes.join(', ')}, found ${JSON.stringify(item['Type'])}`);
      return { name, type: 'String' };
    }
    const result: ParameterDefinition = { name, type };
    const fallback = item['DefaultValue'];
    if (fallback !== undefined && fallback !== null) {
      if (!isOfType(fallback, type)) report(`${path}.DefaultValue`, `Unexpected type for parameter '${name}'`);
      else if (String(fallback).length > limits.value)
        report(`${path}.DefaultValue`, `longer than ${limits.value} characters`);
      else result.defaultValue = fallback;
    }
    const enumeration = item['EnumValues'];
    if (enumeration !== undefined && enumeration !== null) {
      if (!Array.isArray(enumeration) || enumeration.length === 0)
        report(`${path}.EnumValues`, 'expected a list of values');
      else if (!enumeration.every((value) => isOfType(value, type))) {
        report(`${path}.EnumValues`, `Unexpected type for parameter '${name}'`);
      } else if (result.defaultValue !== undefined && !enumeration.includes(result.defaultValue)) {
        report(`${path}.DefaultValue`, `must be one of EnumValues`);
      } else result.enumValues = enumeration;
    }
    return result;
  }

  function retryPolicy(item: unknown, path: string): RetryPolicy | undefined {
    if (!isObject(item)) {
      report(path, 'expected an object');
      return undefined;
    }
    refuseUnknown(item, ['ExceptionType', 'IntervalSeconds', 'BackoffRate', 'MaxAttempts', 'ExpireAfterMin'], path);
    const exceptions = item['ExceptionType'];
    if (!Array.isArray(exceptions) || exceptions.length === 0)
      report(`${path}.ExceptionType`, 'expected a list of exception types');
    else {
      for (const [index, each] of exceptions.entries()) {
        if (!retryable.includes(each)) {
          report(
            `${path}.ExceptionType[${index}]`,
            `expected one of ${retryable.join(', ')}, found ${JSON.stringify(each)}`,
          );
        }
      }
    }
    const number = (key: string, minimum: number, maximum: number): number | undefined => {
      const value = item[key];
      if (value === undefined || value === null) return undefined;
      if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
      report(childPath(path, key), `expected a number from ${minimum} to ${maximum}`);
      return undefined;
    };
    const maxAttempts = number('MaxAttempts', 0, 20);
    const expireAfterMinutes = number('ExpireAfterMin', 0, 14_400);
    if (maxAttempts !== undefined && expireAfterMinutes !== undefined) {
      report(path, 'MaxAttempts and ExpireAfterMin exclude each other');
    }
    return {
      exceptions: Array.isArray(exceptions) ? exceptions : [],
      intervalSeconds: number('IntervalSeconds', 1, 43_200) ?? 1,
      backoffRate: number('BackoffRate', 1, 100) ?? 2,
      maxAttempts: maxAttempts ?? (expireAfterMinutes === undefined ? 5 : undefined),
      expireAfterMinutes,
    };
  }

  function propertyFile(item: unknown, path: string): PropertyFile | undefined {
    if (!isObject(item)) {
      report(path, 'expected an object');
      return undefined;
    }
    refuseUnknown(item, ['PropertyFileName', 'OutputName', 'FilePath'], path);
    const [name, output, file] = ['PropertyFileName', 'OutputName', 'FilePath'].map((key) => {
      if (typeof item[key] === 'string' && item[key] !== '') return item[key] as string;
      report(childPath(path, key), 'expected a text');
      return undefined;
    });
    return name !== undefined && output !== undefined && file !== undefined ? { name, output, path: file } : undefined;
  }

  function list<T>(value: unknown, path: string, read: (item: unknown, path: string) => T | undefined): T[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      report(path, 'expected a list');
      return [];
    }
    return value.map((item, index) => read(item, childPath(path, index))).filter((item) => item !== undefined);
  }

  function dependencies(value: unknown, path: string): { names: string[]; triggers: string[] } {
    const names: string[] = [];
    const triggers: string[] = [];
    list(value, path, (item, at) => {
      if (typeof item === 'string') names.push(item);
      else if (isObject(item) && typeof item['Step'] === 'string') {
        refuseUnknown(item, ['Step', 'Trigger'], at);
        names.push(item['Step']);
        if (item['Trigger'] !== undefined) triggers.push(`${item['Step']}: ${item['Trigger']}`);
      } else report(at, 'expected the name of a step');
      return undefined;
    });
    return { names, triggers };
  }

  function cacheConfig(value: unknown, path: string): StepDefinition['cache'] {
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) {
      report(path, 'expected an object');
      return undefined;
    }
    refuseUnknown(value, ['Enabled', 'ExpireAfter'], path);
    if (typeof value['Enabled'] !== 'boolean') report(`${path}.Enabled`, 'expected a boolean');
    const limit = value['ExpireAfter'];
    if (limit === undefined || limit === null) return value['Enabled'] === true ? {} : undefined;
    const milliseconds = typeof limit === 'string' ? parseDuration(limit) : undefined;
    if (milliseconds === undefined) {
      report(`${path}.ExpireAfter`, `expected an ISO 8601 duration such as "P30D", found ${JSON.stringify(limit)}`);
      return undefined;
    }
    return value['Enabled'] === true ? { expireAfter: milliseconds } : undefined;
  }

  function step(item: unknown, path: string, branches: StepDefinition['branches']): StepDefinition[] {
    if (!isObject(item)) {
      report(path, 'expected an object');
      return [];
    }
    const name = item['Name'];
    if (typeof name !== 'string' || !namePattern.test(name) || name.length > limits.stepName) {
      report(`${path}.Name`, `expected 1 to ${limits.stepName} letters, digits, - and _`);
    }
    const type = stepTypes[item['Type']];
    if (type === undefined) {
      report(`${path}.Type`, `unknown step type ${JSON.stringify(item['Type'])}`);
    } else if (!type.keys.includes('*')) {
      const keys = [...stepKeys, ...type.keys];
      if (type.cache) keys.push('CacheConfig');
      if (type.retry) keys.push('RetryPolicies');
      refuseUnknown(item, keys, path);
    }
    const at = `${path}.Arguments`;
    const given = item['Arguments'];
    // Lambda and Callback may come without arguments.
    if (!isObject(given) && !(given === undefined && type?.keys.includes('OutputParameters')))
      report(at, 'expected an object');
    const { IfSteps, ElseSteps, ...rest } = isObject(given) ? given : {};
    const isCondition = item['Type'] === 'Condition';
    const own = isCondition ? rest : isObject(given) ? given : {};
    const { names, triggers } = dependencies(item['DependsOn'], `${path}.DependsOn`);
    const extra = Object.fromEntries((type?.keys ?? []).filter((key) => key in item).map((key) => [key, item[key]]));
    const condition = branches.at(-1)?.condition;
    const displayName = textMember(item, 'DisplayName', path, limits.displayName);
    const description = textMember(item, 'Description', path, limits.description);
    const cache = cacheConfig(item['CacheConfig'], `${path}.CacheConfig`);
    const read: StepDefinition = {
      name: String(name),
      type: String(item['Type']),
      at: path,
      ...(displayName === undefined ? {} : { displayName }),
      ...(description === undefined ? {} : { description }),
      arguments: own,
      needs: [...new Set([...names, ...referencedSteps(own), ...(condition === undefined ? [] : [condition])])],
      branches,
      propertyFiles: list(item['PropertyFiles'], `${path}.PropertyFiles`, propertyFile),
      retryPolicies: list(item['RetryPolicies'], `${path}.RetryPolicies`, retryPolicy),
      ...(cache === undefined ? {} : { cache }),
      triggers,
      extra,
    };
    if (!isCondition) return [read];
    const inside = (value: unknown, key: string, outcome: 'True' | 'False') =>
      steps(value ?? [], `${at}.${key}`, [...branches, { condition: read.name, outcome }]);
    return [read, ...inside(IfSteps, 'IfSteps', 'True'), ...inside(ElseSteps, 'ElseSteps', 'False')];
  }

  function steps(value: unknown, path: string, branches: StepDefinition['branches']): StepDefinition[] {
    return list(value, path, (item, at) => step(item, at, branches)).flat();
  }

  return {
    refuseUnknown,
    steps,
    parameters(value: unknown): ParameterDefinition[] {
      const read = list(value, '$.Parameters', parameter);
      if (read.length > limits.parameters) report('$.Parameters', `more than ${limits.parameters} parameters`);
      for (const [index, each] of read.entries()) {
        if (read.findIndex((other) => other.name === each.name) !== index) {
          report(`$.Parameters[${index}].Name`, `parameter '${each.name}' is declared twice`);
        }
      }
      return read;
    },
    experiment(value: unknown): Record<string, unknown> | undefined {
      if (value === undefined || value === null) return undefined;
      if (!isObject(value)) {
        report('$.PipelineExperimentConfig', 'expected an object');
        return undefined;
      }
      refuseUnknown(value, ['ExperimentName', 'TrialName'], '$.PipelineExperimentConfig');
      for (const { at, expression } of findExpressions(value, '$.PipelineExperimentConfig')) {
        if (typeof expression !== 'string' && 'step' in expression) report(at, 'a step cannot be referred to here');
      }
      return value;
    },
  };
}
