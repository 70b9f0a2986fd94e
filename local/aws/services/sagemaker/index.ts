import type { PlatformContext } from '../../core/context.ts';
import type { Service } from '../../core/service.ts';
import { endpointConfigOperations } from './hosting/endpoint-configs.ts';
import { endpointOperations } from './hosting/endpoints.ts';
import { findModel, modelOperations } from './hosting/models.ts';
import { runtimeOperations } from './hosting/runtime.ts';
import { createHostings } from './hosting/store.ts';
import { createJobs } from './jobs/index.ts';
import { createMonitoring } from './monitoring/index.ts';
import { createPipelines } from './pipelines/index.ts';
import { groupOperations } from './registry/groups.ts';
import { packageOperations } from './registry/packages.ts';
import { createRegistries } from './registry/store.ts';
import { keyOf } from './scope.ts';
import { createTagStore } from './tag-store.ts';
import { tagOperations } from './tags.ts';

/**
 * SageMaker and its runtime: pipelines and their executions, the jobs they make, the model registry, models and
 * endpoints, monitoring schedules. Operations that are not listed here are answered "not implemented" by the front.
 */
export function createSageMaker(context: PlatformContext): Service[] {
  const tags = createTagStore();
  const registries = createRegistries();
  const hostings = createHostings();
  const jobs = createJobs(context, tags, (scope, name) => findModel(hostings, scope, name));
  const monitoring = createMonitoring(context, tags, hostings, jobs.startProcessing);
  return [
    {
      id: 'sagemaker',
      operations: {
        ...createPipelines(context, tags, {
          jobEnded: jobs.ended,
          groupExists: (scope, name) => registries.of(scope).groups.has(keyOf(name)),
        }),
        ...jobs.operations,
        ...groupOperations(context, tags, registries),
        ...packageOperations(context, tags, registries),
        ...modelOperations(context, tags, hostings, registries),
        ...endpointConfigOperations(context, tags, hostings),
        ...endpointOperations(context, tags, hostings, monitoring.schedulesOf),
        ...monitoring.operations,
        ...tagOperations(tags),
      },
    },
    { id: 'sagemaker-runtime', operations: runtimeOperations(context, tags, hostings) },
  ];
}
