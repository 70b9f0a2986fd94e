/** Does an endpoint run what it should? Decided from descriptions alone, so that it can be tried without AWS. */
import { sameArn } from '../aws/partition.ts';

export interface EndpointFacts {
  name: string;
  arn: string;
  status: string;
  failureReason: string | undefined;
  configuration: string;
  /** A deployment is still under way (blue/green fleets, baking). */
  pending: boolean;
  variants: readonly { name: string; images: readonly string[]; instances: number | undefined }[];
}

export interface ConfigurationFacts {
  instanceType: string | undefined;
  instanceCount: number | undefined;
  modelName: string | undefined;
  modelPackages: readonly string[];
}

export interface Expected {
  /** Configuration that the stack made; another one means that the endpoint went back by itself. */
  configuration: string | undefined;
  modelPackage: string;
  /** sha256:... as the gate recorded it. */
  imageDigest: string | undefined;
  instanceType: string;
  instanceCount: number;
}

export interface Problem {
  logicalId: string;
  cause: string;
  hint?: string;
}

/** The digest of "registry/image@sha256:..."; undefined without one. */
export function digestOf(image: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
}

/** All mismatches, each with what was expected and what was found. A configuration that could not be read is not judged. */
export function checkEndpoint(
  endpoint: EndpointFacts,
  configuration: ConfigurationFacts | undefined,
  expected: Expected,
): Problem[] {
  const problems: Problem[] = [];
  if (endpoint.status !== 'InService') {
    problems.push({
      logicalId: 'EndpointStatus',
      cause: `Expected the status InService, found ${endpoint.status}${endpoint.failureReason ? `: ${endpoint.failureReason}` : ''}`,
    });
  }
  if (endpoint.pending)
    problems.push({ logicalId: 'PendingDeployment', cause: 'Expected a finished deployment, found one under way' });
  if (expected.configuration !== undefined && endpoint.configuration !== expected.configuration) {
    problems.push({
      logicalId: 'EndpointConfigName',
      cause: `Expected the configuration ${expected.configuration} of the stack, found ${endpoint.configuration}`,
      hint: 'The endpoint went back to its old configuration by itself; see its alarms and its log',
    });
  }
  const [found, ...more] = configuration?.modelPackages ?? [];
  if (
    configuration !== undefined &&
    (found === undefined || more.length > 0 || !sameArn(found, expected.modelPackage))
  ) {
    problems.push({
      logicalId: 'ModelPackageName',
      cause: `Expected the model package ${expected.modelPackage}, found ${configuration.modelPackages.join(', ') || 'none'}`,
    });
  }
  if (expected.imageDigest !== undefined) {
    for (const image of endpoint.variants.flatMap((variant) => variant.images)) {
      const digest = digestOf(image);
      if (digest === undefined || digest !== expected.imageDigest)
        problems.push({
          logicalId: 'ResolvedImage',
          cause: `Expected the image ${expected.imageDigest}, found ${digest ?? image}`,
          hint: 'The tag of the image was moved after the gate; gate the package again',
        });
    }
  }
  if (configuration !== undefined && configuration.instanceType !== expected.instanceType) {
    problems.push({
      logicalId: 'InstanceType',
      cause: `Expected the instance type ${expected.instanceType}, found ${configuration.instanceType ?? 'none'}`,
    });
  }
  for (const { name, instances } of endpoint.variants) {
    if (instances !== undefined && instances < expected.instanceCount)
      problems.push({
        logicalId: 'InstanceCount',
        cause: `Expected ${expected.instanceCount} instances of the variant ${name}, found ${instances}`,
      });
  }
  return problems;
}
