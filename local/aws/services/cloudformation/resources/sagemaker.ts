import { randomUUID } from 'node:crypto';
import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  type CreateEndpointConfigCommandInput,
  CreateModelCommand,
  type CreateModelCommandInput,
  CreateModelPackageGroupCommand,
  CreatePipelineCommand,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DeleteModelPackageGroupCommand,
  DeleteModelPackageGroupPolicyCommand,
  DeletePipelineCommand,
  DeleteTagsCommand,
  DescribeEndpointCommand,
  DescribeModelPackageGroupCommand,
  type EndpointStatus,
  PutModelPackageGroupPolicyCommand,
  type SageMakerClient,
  UpdateEndpointCommand,
  UpdatePipelineCommand,
} from '@aws-sdk/client-sagemaker';
import type { ResourceHandler, ResourceRequest, Tag } from './handler.ts';
import { arnOf, errorName, NotStabilizedError, type Properties, policyText, tagChanges } from './handler.ts';
import { shortGeneratedName } from './names.ts';

/** Names of models, endpoint configurations and endpoints: 63 characters (SageMaker API reference). */
const nameLength = 63;

/** SageMaker answers ValidationException "Could not find ..." for most things that are not there. */
export async function unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const missing =
      errorName(error) === 'ResourceNotFound' ||
      (errorName(error) === 'ValidationException' &&
        /could not find|does not exist/i.test(error instanceof Error ? error.message : ''));
    if (missing) return undefined;
    throw error;
  }
}

export async function updateTags(
  sagemaker: SageMakerClient,
  ResourceArn: string,
  before?: Tag[],
  after?: Tag[],
): Promise<void> {
  const { set, remove } = tagChanges(before, after);
  if (set.length > 0) await sagemaker.send(new AddTagsCommand({ ResourceArn, Tags: set }));
  if (remove.length > 0) await sagemaker.send(new DeleteTagsCommand({ ResourceArn, TagKeys: remove }));
}

export const modelPackageGroup: ResourceHandler = {
  nameProperty: 'ModelPackageGroupName',
  async create({ properties, clients, initiated }) {
    const ModelPackageGroupName: string = properties['ModelPackageGroupName'];
    const { ModelPackageGroupArn } = await clients.sagemaker.send(
      new CreateModelPackageGroupCommand({
        ModelPackageGroupName,
        ModelPackageGroupDescription: properties['ModelPackageGroupDescription'],
        Tags: properties['Tags'],
      }),
    );
    const arn = ModelPackageGroupArn!;
    initiated({ physicalId: arn, attributes: { ModelPackageGroupArn: arn } });
    if (properties['ModelPackageGroupPolicy'] !== undefined) {
      const ResourcePolicy = policyText(properties['ModelPackageGroupPolicy']);
      await clients.sagemaker.send(new PutModelPackageGroupPolicyCommand({ ModelPackageGroupName, ResourcePolicy }));
    }
    const group = await clients.sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName }));
    return {
      physicalId: arn,
      attributes: {
        ModelPackageGroupArn: arn,
        CreationTime: group.CreationTime?.toISOString() ?? '',
        ModelPackageGroupStatus: group.ModelPackageGroupStatus ?? '',
      },
    };
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    const ModelPackageGroupName: string = properties['ModelPackageGroupName'];
    if (changed.has('ModelPackageGroupPolicy')) {
      const policy = properties['ModelPackageGroupPolicy'];
      await (policy === undefined
        ? clients.sagemaker.send(new DeleteModelPackageGroupPolicyCommand({ ModelPackageGroupName }))
        : clients.sagemaker.send(
            new PutModelPackageGroupPolicyCommand({ ModelPackageGroupName, ResourcePolicy: policyText(policy) }),
          ));
    }
    await updateTags(clients.sagemaker, physicalId, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  async delete({ properties, clients }) {
    const ModelPackageGroupName: string = properties['ModelPackageGroupName'];
    await unlessMissing(() => clients.sagemaker.send(new DeleteModelPackageGroupCommand({ ModelPackageGroupName })));
  },
};

export const model: ResourceHandler = {
  nameProperty: 'ModelName',
  async create({ properties, clients, initiated, logicalId }) {
    const ModelName: string = properties['ModelName'] ?? shortGeneratedName(logicalId, nameLength);
    const { ModelArn } = await clients.sagemaker.send(
      new CreateModelCommand({ ...(properties as CreateModelCommandInput), ModelName }),
    );
    const state = { physicalId: ModelArn!, attributes: { ModelName, ModelArn: ModelArn! } };
    initiated(state);
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes }) {
    await updateTags(clients.sagemaker, physicalId, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  async delete({ clients, attributes }) {
    const ModelName = String(attributes['ModelName']);
    await unlessMissing(() => clients.sagemaker.send(new DeleteModelCommand({ ModelName })));
  },
};

export const endpointConfig: ResourceHandler = {
  nameProperty: 'EndpointConfigName',
  async create({ properties, clients, initiated, logicalId }) {
    const EndpointConfigName: string = properties['EndpointConfigName'] ?? shortGeneratedName(logicalId, nameLength);
    const { EndpointConfigArn } = await clients.sagemaker.send(
      new CreateEndpointConfigCommand({ ...(properties as CreateEndpointConfigCommandInput), EndpointConfigName }),
    );
    const state = {
      physicalId: EndpointConfigArn!,
      attributes: { EndpointConfigName, EndpointConfigArn: EndpointConfigArn! },
    };
    initiated(state);
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes }) {
    await updateTags(clients.sagemaker, physicalId, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  async delete({ clients, attributes }) {
    const EndpointConfigName = String(attributes['EndpointConfigName']);
    await unlessMissing(() => clients.sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName })));
  },
};

/** Virtual time between two looks at an endpoint: soon at first, then as often as the SDK's own waiter (30 s). */
function pollMilliseconds(look: number): number {
  return Math.min(30_000, 1_000 * 2 ** look);
}

const endpointFailures: readonly EndpointStatus[] = ['Failed', 'UpdateRollbackFailed', 'OutOfService'];

/**
 * Waits until the endpoint serves. An update that SageMaker rolled back by itself ends InService too, and
 * CloudFormation is not known to look behind that (unconfirmed): whoever deploys has to compare the configuration.
 */
async function untilInService(request: ResourceRequest, EndpointName: string): Promise<void> {
  for (let look = 0; ; look++) {
    const endpoint = await request.clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
    const status = endpoint.EndpointStatus;
    if (status === 'InService') return;
    if (status !== undefined && endpointFailures.includes(status)) {
      throw new NotStabilizedError(
        `Endpoint ${EndpointName} is ${status}: ${endpoint.FailureReason ?? 'no reason given'}`,
      );
    }
    await request.clock.sleep(pollMilliseconds(look), request.signal);
  }
}

export const endpoint: ResourceHandler = {
  nameProperty: 'EndpointName',
  async create(request) {
    const { properties, clients, logicalId } = request;
    const EndpointName: string = properties['EndpointName'] ?? shortGeneratedName(logicalId, nameLength);
    const { EndpointArn } = await clients.sagemaker.send(
      new CreateEndpointCommand({
        EndpointName,
        EndpointConfigName: properties['EndpointConfigName'],
        DeploymentConfig: properties['DeploymentConfig'],
        Tags: properties['Tags'],
      }),
    );
    const state = { physicalId: EndpointArn!, attributes: { EndpointName, EndpointArn: EndpointArn! } };
    request.initiated(state);
    await untilInService(request, EndpointName);
    return state;
  },
  async update(request) {
    const { properties, previous, clients, physicalId, attributes, changed } = request;
    const EndpointName = String(attributes['EndpointName']);
    // The retain switches and the deployment configuration say how to update; alone they change nothing.
    if (changed.has('EndpointConfigName')) {
      await clients.sagemaker.send(
        new UpdateEndpointCommand({
          EndpointName,
          EndpointConfigName: properties['EndpointConfigName'],
          DeploymentConfig: properties['DeploymentConfig'],
          RetainDeploymentConfig: properties['RetainDeploymentConfig'],
          RetainAllVariantProperties: properties['RetainAllVariantProperties'],
          ExcludeRetainedVariantProperties: properties['ExcludeRetainedVariantProperties'],
        }),
      );
      await untilInService(request, EndpointName);
    }
    await updateTags(clients.sagemaker, physicalId, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  async delete({ clients, attributes, clock, signal }) {
    const EndpointName = String(attributes['EndpointName']);
    if ((await unlessMissing(() => clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName })))) === undefined)
      return;
    for (let look = 0; ; look++) {
      const found = await unlessMissing(() => clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName })));
      if (found === undefined) return;
      if (found.EndpointStatus === 'Failed') {
        throw new NotStabilizedError(`Endpoint ${EndpointName} could not be deleted: ${found.FailureReason ?? ''}`);
      }
      await clock.sleep(pollMilliseconds(look), signal);
    }
  },
};

function definitionOf(properties: Properties): Record<string, unknown> {
  const definition: Properties = properties['PipelineDefinition'];
  const location: Properties | undefined = definition['PipelineDefinitionS3Location'];
  if (location === undefined) return { PipelineDefinition: definition['PipelineDefinitionBody'] };
  return {
    PipelineDefinitionS3Location: {
      Bucket: location['Bucket'],
      ObjectKey: location['Key'],
      VersionId: location['Version'],
    },
  };
}

export const pipeline: ResourceHandler = {
  nameProperty: 'PipelineName',
  async create(request) {
    const { properties, clients } = request;
    const PipelineName: string = properties['PipelineName'];
    await clients.sagemaker.send(
      new CreatePipelineCommand({
        PipelineName,
        PipelineDisplayName: properties['PipelineDisplayName'],
        PipelineDescription: properties['PipelineDescription'],
        ...definitionOf(properties),
        RoleArn: properties['RoleArn'],
        ParallelismConfiguration: properties['ParallelismConfiguration'],
        Tags: properties['Tags'],
        ClientRequestToken: randomUUID(),
      }),
    );
    const state = { physicalId: PipelineName, attributes: {} };
    request.initiated(state);
    return state;
  },
  async update(request) {
    const { properties, previous, clients, physicalId, attributes, changed } = request;
    if ([...changed].some((name) => name !== 'Tags')) {
      await clients.sagemaker.send(
        new UpdatePipelineCommand({
          PipelineName: physicalId,
          PipelineDisplayName: properties['PipelineDisplayName'],
          PipelineDescription: properties['PipelineDescription'],
          ...definitionOf(properties),
          RoleArn: properties['RoleArn'],
          ParallelismConfiguration: properties['ParallelismConfiguration'],
        }),
      );
    }
    const arn = arnOf(request, 'sagemaker', `pipeline/${physicalId}`);
    await updateTags(clients.sagemaker, arn, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessMissing(() =>
      clients.sagemaker.send(new DeletePipelineCommand({ PipelineName: physicalId, ClientRequestToken: randomUUID() })),
    );
  },
};
