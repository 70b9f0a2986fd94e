import type { AuthorizationRequest } from '../../../core/service.ts';
import { definedOnly } from '../operation.ts';

type Context = NonNullable<AuthorizationRequest['context']>;

function vpc(request: Record<string, any>): Record<string, string[] | undefined> {
  const config = request['VpcConfig'] ?? request['NetworkConfig']?.VpcConfig;
  return { 'sagemaker:VpcSubnets': config?.Subnets, 'sagemaker:VpcSecurityGroupIds': config?.SecurityGroupIds };
}

/** The condition keys that IAM knows for CreateProcessingJob. */
export function processingConditions(request: Record<string, any>): Context {
  const cluster = request['ProcessingResources']?.ClusterConfig;
  return definedOnly({
    ...vpc(request),
    'sagemaker:InstanceTypes': cluster?.InstanceType === undefined ? undefined : [cluster.InstanceType],
    'sagemaker:VolumeKmsKeyArn': cluster?.VolumeKmsKeyId,
    'sagemaker:OutputKmsKeyArn': request['ProcessingOutputConfig']?.KmsKeyId,
    'sagemaker:MaxRuntimeInSeconds': request['StoppingCondition']?.MaxRuntimeInSeconds,
    'sagemaker:NetworkIsolation': request['NetworkConfig']?.EnableNetworkIsolation,
    'sagemaker:InterContainerTrafficEncryption': request['NetworkConfig']?.EnableInterContainerTrafficEncryption,
  });
}

/** The condition keys that IAM knows for CreateTrainingJob, as far as the platform supports their members. */
export function trainingConditions(request: Record<string, any>): Context {
  const resources = request['ResourceConfig'];
  const groups: { InstanceType?: string }[] = resources?.InstanceGroups ?? [];
  const types = [resources?.InstanceType, ...groups.map((group) => group.InstanceType)].filter(
    (type): type is string => type !== undefined,
  );
  return definedOnly({
    ...vpc(request),
    'sagemaker:InstanceTypes': types,
    'sagemaker:VolumeKmsKeyArn': resources?.VolumeKmsKeyId,
    'sagemaker:KeepAlivePeriod': resources?.KeepAlivePeriodInSeconds,
    'sagemaker:OutputKmsKeyArn': request['OutputDataConfig']?.KmsKeyId,
    'sagemaker:MaxRuntimeInSeconds': request['StoppingCondition']?.MaxRuntimeInSeconds,
    'sagemaker:NetworkIsolation': request['EnableNetworkIsolation'],
    'sagemaker:InterContainerTrafficEncryption': request['EnableInterContainerTrafficEncryption'],
    'sagemaker:EnableRemoteDebug': request['RemoteDebugConfig']?.EnableRemoteDebug,
  });
}

/** The condition keys that IAM knows for CreateTransformJob. */
export function transformConditions(request: Record<string, any>, modelArn: string): Context {
  const resources = request['TransformResources'];
  return definedOnly({
    'sagemaker:InstanceTypes': resources?.InstanceType === undefined ? undefined : [resources.InstanceType],
    'sagemaker:ModelArn': modelArn,
    'sagemaker:VolumeKmsKeyArn': resources?.VolumeKmsKeyId,
    'sagemaker:OutputKmsKeyArn': request['TransformOutput']?.KmsKeyId,
  });
}
