import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  paginateListEndpoints,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';

export interface EndpointState {
  name: string;
  status: string;
  configuration: string;
  /** ARNs of the model packages whose models it serves now; empty for models that come from no package. */
  packages: string[];
}

/** Every endpoint of one account and region with what it serves, read from its configuration and models, not from the registry. */
export async function listEndpoints(sagemaker: SageMakerClient): Promise<EndpointState[]> {
  const endpoints: EndpointState[] = [];
  for await (const page of paginateListEndpoints({ client: sagemaker }, {})) {
    for (const { EndpointName } of page.Endpoints ?? []) {
      const { EndpointStatus, EndpointConfigName } = await sagemaker.send(
        new DescribeEndpointCommand({ EndpointName: EndpointName! }),
      );
      endpoints.push({
        name: EndpointName!,
        status: EndpointStatus ?? '',
        configuration: EndpointConfigName ?? '',
        packages: EndpointConfigName === undefined ? [] : await servedPackages(sagemaker, EndpointConfigName),
      });
    }
  }
  return endpoints;
}

async function servedPackages(sagemaker: SageMakerClient, configuration: string): Promise<string[]> {
  try {
    const { ProductionVariants = [] } = await sagemaker.send(
      new DescribeEndpointConfigCommand({ EndpointConfigName: configuration }),
    );
    const models = await Promise.all(
      ProductionVariants.flatMap(({ ModelName }) =>
        ModelName === undefined ? [] : [sagemaker.send(new DescribeModelCommand({ ModelName }))],
      ),
    );
    const containers = models.flatMap(({ PrimaryContainer, Containers }) => [PrimaryContainer, ...(Containers ?? [])]);
    return [...new Set(containers.flatMap((container) => container?.ModelPackageName ?? []))];
  } catch (error) {
    // Configuration and model may be removed while their endpoint still serves: SageMaker has its general error for what is gone.
    if ((error as Error).name === 'ValidationException') return [];
    throw error;
  }
}
