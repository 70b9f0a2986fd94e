import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import type { Service } from '../aws/session.ts';
import type { ConfigurationFacts, EndpointFacts } from './configuration.ts';

export { SageMakerClient };

export async function readEndpoint(sagemaker: Service, name: string, signal: AbortSignal): Promise<EndpointFacts> {
  const answer = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }), { resource: name, signal });
  return {
    name,
    arn: answer.EndpointArn ?? name,
    status: answer.EndpointStatus ?? '',
    failureReason: answer.FailureReason,
    configuration: answer.EndpointConfigName ?? '',
    pending: answer.PendingDeploymentSummary !== undefined,
    variants: (answer.ProductionVariants ?? []).map((variant) => ({
      name: variant.VariantName ?? '',
      images: (variant.DeployedImages ?? []).map((image) => image.ResolvedImage ?? image.SpecifiedImage ?? ''),
      instances: variant.CurrentInstanceCount,
    })),
  };
}

export async function readConfiguration(
  sagemaker: Service,
  name: string,
  signal: AbortSignal,
): Promise<ConfigurationFacts> {
  const { ProductionVariants } = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }), {
    resource: name,
    signal,
  });
  const [variant] = ProductionVariants ?? [];
  const modelName = variant?.ModelName;
  const containers =
    modelName === undefined
      ? []
      : await sagemaker
          .send(new DescribeModelCommand({ ModelName: modelName }), { resource: modelName, signal })
          .then((model) => [
            ...(model.PrimaryContainer === undefined ? [] : [model.PrimaryContainer]),
            ...(model.Containers ?? []),
          ]);
  return {
    instanceType: variant?.InstanceType,
    instanceCount: variant?.InitialInstanceCount,
    modelName,
    modelPackages: containers.map((container) => container.ModelPackageName).filter((arn) => arn !== undefined),
  };
}
