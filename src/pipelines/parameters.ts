import type { Failure } from '../failure.ts';
import { didYouMean } from '../github/suggest.ts';
import type { Definition, DefinitionParameter } from './definition.ts';

export interface ParameterSources {
  /** From the build file and the action's input, the latter first. */
  given: Readonly<Record<string, string | number | boolean>>;
  /** Filled in when the definition declares them and nobody gives them. */
  known: Readonly<Record<string, string | undefined>>;
}

function textOf(parameter: DefinitionParameter, value: string | number | boolean): string | undefined {
  const text = String(value);
  switch (parameter.Type ?? 'String') {
    case 'Integer':
      return /^[+-]?\d+$/.test(text) ? text : undefined;
    case 'Float':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? text : undefined;
    case 'Boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() : undefined;
    default:
      return text;
  }
}

/** The values an execution starts with, as the texts that StartPipelineExecution takes; all problems at once. */
export function resolveParameters(
  file: string,
  definition: Definition,
  { given, known }: ParameterSources,
): { values: Record<string, string>; problems: Failure[] } {
  const declared = new Map((definition.Parameters ?? []).map((parameter) => [parameter.Name, parameter]));
  const problems: Failure[] = [];
  const report = (name: string, text: string, hint?: string) =>
    problems.push({
      code: 'InvalidConfiguration',
      resource: file,
      logicalId: name,
      cause: `Parameter ${name} ${text}`,
      ...(hint === undefined ? {} : { hint }),
    });
  for (const name of Object.keys(given)) {
    if (!declared.has(name)) report(name, `is not declared by the definition${didYouMean(name, [...declared.keys()])}`);
  }
  const values: Record<string, string> = {};
  for (const [name, parameter] of declared) {
    const value = given[name] ?? known[name];
    if (value === undefined) {
      if (parameter.DefaultValue === undefined)
        report(name, 'has no value', 'Give it under `parameters` in the build file');
      continue;
    }
    const text = textOf(parameter, value);
    if (text === undefined) report(name, `is ${JSON.stringify(value)}, but must be ${parameter.Type}`);
    else if (text.length > 1_024) report(name, 'is longer than 1024 characters');
    else if (parameter.EnumValues !== undefined && !parameter.EnumValues.map(String).includes(text)) {
      report(name, `is ${JSON.stringify(text)}, but must be one of ${parameter.EnumValues.join(', ')}`);
    } else values[name] = text;
  }
  return { values, problems };
}
