import { allSteps, type Definition, places } from './definition.ts';

/** Advice about a valid definition: what works today and hurts later. One sentence each. */
export function lintDefinition(definition: Definition): string[] {
  const advice: string[] = [];
  const mentionsExecution = (value: unknown): boolean =>
    [...places(value)].some(
      ({ value: entry }) =>
        typeof (entry as { Get?: unknown } | null)?.Get === 'string' &&
        /^(Execution\.|Steps\.)/.test((entry as { Get: string }).Get),
    );
  for (const { step, path } of allSteps(definition)) {
    const argument = step.Arguments ?? {};
    if (step.Type === 'Processing' || step.Type === 'Training') {
      const outputs: [string, unknown][] = [
        ...((argument.ProcessingOutputConfig?.Outputs ?? []) as any[]).map((output): [string, unknown] => [
          output.OutputName,
          output.S3Output?.S3Uri,
        ]),
        ...(argument.OutputDataConfig === undefined
          ? []
          : [['model', argument.OutputDataConfig.S3OutputPath] as [string, unknown]]),
      ];
      for (const [output, uri] of outputs) {
        if (!mentionsExecution(uri)) {
          advice.push(`${path}: output ${output} names no execution id, so executions overwrite each other's results.`);
        }
      }
      if (argument.StoppingCondition === undefined) {
        advice.push(`${path}: no StoppingCondition, so a hanging job runs (and is paid) for a day.`);
      }
      for (const [variable, value] of Object.entries(argument.Environment ?? {})) {
        if (/secret|password|token|api_?key/i.test(variable) && typeof value === 'string') {
          advice.push(
            `${path}: Environment.${variable} looks like a secret; everybody who may describe the job can read it.`,
          );
        }
      }
    }
    if (step.Type === 'Condition') {
      if ((argument.ElseSteps ?? []).length === 0) {
        advice.push(
          `${path}: no ElseSteps, so an execution whose condition is not met ends as Succeeded without a model.`,
        );
      }
      for (const [index, condition] of (argument.Conditions ?? []).entries()) {
        if (typeof condition?.RightValue === 'number') {
          advice.push(
            `${path}: condition ${index + 1} compares with the literal ${condition.RightValue}; a parameter could be changed without compiling.`,
          );
        }
      }
    }
    if (step.Type === 'RegisterModel') {
      if (argument.ModelApprovalStatus === 'Approved') {
        advice.push(`${path}: registers as Approved, which the pipeline's role refuses; the gate approves.`);
      }
      for (const key of Object.keys(argument.CustomerMetadataProperties ?? {})) {
        if (key.startsWith('gate-'))
          advice.push(`${path}: the metadata ${key} belongs to the gate; the pipeline's role refuses it.`);
      }
    }
  }
  for (const { path, value } of places(definition)) {
    if (typeof value === 'string' && /^S3:\/\//.test(value))
      advice.push(`${path}: ${value} begins with S3:// in capitals, which SageMaker refuses.`);
  }
  return advice;
}
