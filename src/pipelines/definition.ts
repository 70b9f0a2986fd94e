import { type Failure, FailureError } from '../failure.ts';

/** A pipeline definition of version 2020-12-01, as far as we look into it. */
export interface Definition {
  Version: string;
  Metadata?: unknown;
  Parameters?: DefinitionParameter[];
  PipelineExperimentConfig?: unknown;
  MlflowConfig?: unknown;
  Steps: DefinitionStep[];
}

export interface DefinitionParameter {
  Name: string;
  Type?: 'String' | 'Integer' | 'Float' | 'Boolean';
  DefaultValue?: string | number | boolean;
  EnumValues?: (string | number | boolean)[];
}

export interface DefinitionStep {
  Name: string;
  Type: string;
  Arguments?: any;
  DependsOn?: (string | { Step: string })[];
  PropertyFiles?: { PropertyFileName: string; OutputName: string; FilePath: string }[];
  [key: string]: unknown;
}

/** One place in a definition: its JSON path as people write it, and what stands there. */
export interface Place {
  path: string;
  value: unknown;
  /** Name of the innermost step around it. */
  step: string | undefined;
}

/** Every value of the definition with its path, depth first, in the order of the text. */
export function* places(value: unknown, path = '', step?: string): Generator<Place> {
  yield { path, value, step };
  if (Array.isArray(value)) {
    const inSteps = /(^|\.)(Steps|IfSteps|ElseSteps)$/.test(path);
    for (const [index, entry] of value.entries()) {
      const name = inSteps && typeof entry?.Name === 'string' ? (entry.Name as string) : undefined;
      yield* places(entry, `${path}[${name ?? index}]`, name ?? step);
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [key, entry] of Object.entries(value)) yield* places(entry, path === '' ? key : `${path}.${key}`, step);
  }
}

/** All steps, those inside branches included, each with its path. */
export function allSteps(
  definition: Definition,
): { step: DefinitionStep; path: string; parent: DefinitionStep | undefined }[] {
  const found: { step: DefinitionStep; path: string; parent: DefinitionStep | undefined }[] = [];
  const visit = (steps: unknown, path: string, parent: DefinitionStep | undefined) => {
    if (!Array.isArray(steps)) return;
    steps.forEach((step: DefinitionStep, index) => {
      if (step === null || typeof step !== 'object') return;
      const own = `${path}[${typeof step.Name === 'string' ? step.Name : index}]`;
      found.push({ step, path: own, parent });
      if (step.Type === 'Condition') {
        visit(step.Arguments?.IfSteps, `${own}.Arguments.IfSteps`, step);
        visit(step.Arguments?.ElseSteps, `${own}.Arguments.ElseSteps`, step);
      }
    });
  };
  visit(definition.Steps, 'Steps', undefined);
  return found;
}

/** Line and column of a JSON syntax error, as far as V8 tells its position. */
function position(text: string, message: string): { line: number; column: number } | undefined {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined) return undefined;
  const before = text.slice(0, Number(offset)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

export function parseDefinition(file: string, text: string): Definition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const at = position(text, message);
    const where = at === undefined ? '' : ` (line ${at.line}, column ${at.column})`;
    throw new FailureError({
      code: 'InvalidDefinition',
      resource: file,
      cause: `${file} is no JSON${where}: ${message.replace(/ in JSON at position.*$/, '')}`,
      ...(at === undefined ? {} : { line: at.line }),
      hint: 'Compile the pipeline again and commit the result',
    });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new FailureError({ code: 'InvalidDefinition', resource: file, cause: `${file} holds no JSON object` });
  }
  return value as Definition;
}

const placeholder = /arn:aws:iam::000000000000:/;

/**
 * Puts the project's roles where the portable definition names placeholders, the one thing that the SDK cannot make a parameter.
 * A whole value is replaced; a placeholder inside a longer text, an unknown placeholder and a placeholder that never occurs are problems.
 */
export function renderRoles(
  file: string,
  definition: Definition,
  roles: Readonly<Record<string, string>>,
): { definition: Definition; problems: Failure[] } {
  const problems: Failure[] = [];
  const used = new Set<string>();
  const report = (path: string, text: string, hint: string) =>
    problems.push({ code: 'InvalidDefinition', resource: file, logicalId: path, cause: `${path}: ${text}`, hint });
  const visit = (value: unknown, path: string): unknown => {
    if (typeof value === 'string' && placeholder.test(value)) {
      const role = roles[value];
      if (role !== undefined) {
        used.add(value);
        return role;
      }
      if (Object.keys(roles).some((known) => value.includes(known))) {
        report(
          path,
          `the role placeholder stands inside a longer text (${value})`,
          'A placeholder must be the whole value',
        );
      } else {
        report(path, `no role is given for the placeholder ${value}`, 'Name it under `roles` in the build file');
      }
      return value;
    }
    if (Array.isArray(value)) return value.map((entry, index) => visit(entry, `${path}[${entry?.Name ?? index}]`));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(
        Object.entries(value).map(([key, entry]) => {
          const own = path === '' ? key : `${path}.${key}`;
          if (placeholder.test(key))
            report(own, 'a role placeholder cannot be a key', 'A placeholder must be a whole value');
          return [key, visit(entry, own)];
        }),
      );
    }
    return value;
  };
  const rendered = visit(definition, '') as Definition;
  for (const unused of Object.keys(roles).filter((role) => !used.has(role))) {
    problems.push({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `The role placeholder ${unused} does not occur in ${file}`,
      hint: 'Remove it from `roles` in the build file, or compile the pipeline with it',
    });
  }
  return { definition: rendered, problems };
}
