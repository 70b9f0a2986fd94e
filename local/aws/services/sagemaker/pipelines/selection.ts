import { validationError } from '../problems.ts';
import { type Definition, findStep, type StepDefinition } from './definition.ts';
import type { ExecutionRecord, StepRecord } from './execution.ts';

/**
 * Checks a SelectiveExecutionConfig: the steps exist, everything on a path between two of them is selected too, and what
 * they need from outside has succeeded in the source. Returns the records to take over from the source.
 * Throws ValidationException.
 */
export function selectSteps(
  definition: Definition,
  selected: readonly string[],
  source: ExecutionRecord | undefined,
): StepRecord[] {
  const unknown = selected.filter((name) => findStep(definition, name) === undefined);
  if (unknown.length > 0) {
    throw validationError(`The pipeline has no step ${unknown.map((name) => `'${name}'`).join(', ')} to select.`);
  }
  const upstream = new Map(definition.steps.map((step) => [step.name, allNeeds(definition, step)]));
  const between = definition.steps
    .filter((step) => !selected.includes(step.name))
    .filter((step) => selected.some((name) => upstream.get(name)?.has(step.name)))
    .filter((step) => selected.some((name) => upstream.get(step.name)?.has(name)));
  if (between.length > 0) {
    throw validationError(
      `The selected steps [${selected.join(', ')}] leave out steps between them: [${between.map((step) => step.name).join(', ')}]`,
    );
  }
  const outside = new Set<string>();
  for (const name of selected) {
    for (const need of findStep(definition, name)?.needs ?? []) if (!selected.includes(need)) outside.add(need);
    // The values of a condition that encloses another one are needed as well.
    for (const { condition } of findStep(definition, name)?.branches ?? []) {
      if (!selected.includes(condition)) outside.add(condition);
    }
  }
  if (outside.size === 0) return [];
  if (source === undefined) {
    throw validationError(
      `Invalid SourcePipelineExecutionArn: null. The selected steps [${selected.join(', ')}] have dependencies on [${[...outside].join(', ')}]`,
    );
  }
  const records: StepRecord[] = [];
  for (const name of outside) {
    const record = source.steps.get(name);
    if (record?.status !== 'Succeeded') {
      throw validationError(
        `The selected steps [${selected.join(', ')}] depend on step '${name}', which did not succeed in ${source.arn}`,
      );
    }
    records.push({ ...record, selectiveSource: source.arn });
  }
  return records;
}

function allNeeds(definition: Definition, step: StepDefinition): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const need of findStep(definition, name)?.needs ?? []) visit(need);
  };
  for (const need of step.needs) visit(need);
  return found;
}
