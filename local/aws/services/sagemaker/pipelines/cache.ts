import canonicalize from 'canonicalize';
import type { StepDefinition } from './definition.ts';
import type { ExecutionRecord, StepRecord } from './execution.ts';

/** The arguments that decide whether two runs of a step are the same to the service; outputs and resources don't. */
const keyAttributes: Readonly<Record<string, string[]>> = {
  Processing: ['AppSpecification', 'Environment', 'ProcessingInputs'],
  Training: [
    'AlgorithmSpecification',
    'CheckpointConfig',
    'DebugHookConfig',
    'DebugRuleConfigurations',
    'Environment',
    'HyperParameters',
    'InputDataConfig',
  ],
  Transform: ['DataProcessing', 'Environment', 'ModelName', 'TransformInput'],
};

/** Undefined for a step type that never hits. */
export function cacheKey(step: StepDefinition, request: Record<string, unknown>): string | undefined {
  const attributes = keyAttributes[step.type];
  if (attributes === undefined) return undefined;
  const picked = Object.fromEntries(
    attributes.filter((name) => request[name] !== undefined).map((name) => [name, request[name]]),
  );
  return canonicalize([step.type, step.name, picked]);
}

/**
 * The newest successful run of the step with the same key, not older than the step's ExpireAfter. Runs that were
 * themselves hits don't count: their job is older than they are.
 */
export function findCached(
  step: StepDefinition,
  key: string,
  executions: Iterable<ExecutionRecord>,
  now: Date,
): { execution: ExecutionRecord; record: StepRecord } | undefined {
  if (step.cache === undefined) return undefined;
  const oldest = step.cache.expireAfter === undefined ? -Infinity : now.getTime() - step.cache.expireAfter;
  let newest: { execution: ExecutionRecord; record: StepRecord } | undefined;
  let newestEnd = oldest;
  for (const execution of executions) {
    const record = execution.steps.get(step.name);
    if (record?.status !== 'Succeeded' || record.cacheKey !== key || record.endedAt === undefined) continue;
    if (record.cacheSource !== undefined || record.selectiveSource !== undefined) continue;
    const end = record.endedAt.getTime();
    if (end >= newestEnd) {
      newest = { execution, record };
      newestEnd = end;
    }
  }
  return newest;
}
