import type { PlatformContext } from '../../../core/context.ts';
import type { Operation } from '../../../core/service.ts';
import { keyOf } from '../scope.ts';
import { scoped } from '../scoped.ts';
import type { TagStore } from '../tag-store.ts';
import { createEngine, type EngineTools } from './engine.ts';
import { executionOperations } from './execution-operations.ts';
import { type PipelineRegistry, pipelineOperations } from './pipeline-operations.ts';

/** Pipelines, their versions and executions. */
export function createPipelines(
  context: PlatformContext,
  tags: TagStore,
  tools: Pick<EngineTools, 'jobEnded' | 'groupExists'>,
): Record<string, Operation> {
  const pipelines: PipelineRegistry = scoped(() => new Map());
  const engine = createEngine(context, {
    ...tools,
    siblings: (execution) =>
      [...(pipelines.of(execution.scope).get(keyOf(execution.pipelineName))?.executions.values() ?? [])].filter(
        (each) => each !== execution,
      ),
  });
  return {
    ...pipelineOperations(context, tags, pipelines),
    ...executionOperations(context, tags, pipelines, engine),
  };
}
