import type { ProductionVariant } from '@aws-sdk/client-sagemaker';
import type { PlatformContext, RunningModelServer } from '../../../core/context.ts';
import { reasonOf, validationError } from '../problems.ts';
import { useRole } from '../service-role.ts';
import { findModel } from './models.ts';
import type { EndpointConfigRecord, EndpointRecord, Fleet, FleetVariant, Hostings } from './store.ts';

type Context = Pick<PlatformContext, 'clock' | 'roles' | 'modelServers' | 'imageDigest'>;

/** Weights and counts that an update carries over from the running fleet instead of taking those of the configuration. */
export type Retained = (variant: string) => { weight?: number; instanceCount?: number };

/** repository@sha256:... of an image, as SageMaker resolves it when it deploys. */
function pinned(image: string, digest: string | undefined): string {
  if (digest === undefined) return image;
  const withoutDigest = image.replace(/@sha256:.*$/, '');
  return `${withoutDigest.replace(/:[^:/]+$/, '')}@${digest}`;
}

async function startVariant(
  context: Context,
  hostings: Hostings,
  endpoint: EndpointRecord,
  variant: ProductionVariant,
  retained: Retained,
): Promise<FleetVariant> {
  const model = findModel(hostings, endpoint.scope, variant.ModelName ?? '');
  const { container } = model;
  const reasons = context.modelServers.check(container);
  if (reasons.length > 0) throw validationError(reasons.join('; '));
  const credentials = useRole(context, {
    roleArn: model.executionRoleArn,
    scope: endpoint.scope,
    sourceArn: endpoint.arn,
    sessionName: 'SageMaker',
  });
  const resolvedAt = context.clock.now();
  const start = () =>
    context.modelServers.start({
      ...endpoint.scope,
      endpointName: endpoint.name,
      variantName: variant.VariantName ?? '',
      container,
      credentials,
    });
  const server = await start();
  const keep = retained(variant.VariantName ?? '');
  return {
    variant,
    weight: keep.weight ?? variant.InitialVariantWeight ?? 1,
    instanceCount: keep.instanceCount ?? variant.InitialInstanceCount ?? 1,
    specifiedImage: container.image,
    resolvedImage: pinned(container.image, context.imageDigest(container.image)),
    resolvedAt,
    server,
    credentials,
    start,
  };
}

/** Starts every variant of a configuration. When one cannot start, those that could are stopped and the reason is thrown. */
export async function startFleet(
  context: Context,
  hostings: Hostings,
  endpoint: EndpointRecord,
  config: EndpointConfigRecord,
  retained: Retained = () => ({}),
): Promise<Fleet> {
  const started = await Promise.allSettled(
    (config.request.ProductionVariants ?? []).map((variant) =>
      startVariant(context, hostings, endpoint, variant, retained),
    ),
  );
  const variants = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = started.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await stopServers(variants.map((variant) => variant.server));
    throw failure.reason;
  }
  return { config, variants };
}

async function stopServers(servers: RunningModelServer[]): Promise<void> {
  await Promise.allSettled(servers.map((server) => server.stop()));
}

export async function stopFleet(fleet: Fleet | undefined): Promise<void> {
  await stopServers((fleet?.variants ?? []).map((variant) => variant.server));
}

/**
 * Replaces a server that ended by itself, as SageMaker replaces an unhealthy instance, until the fleet is given up
 * (`isLive` answers false) or the new one does not come up either.
 */
export function keepAlive(fleet: Fleet, isLive: () => boolean, warn: (message: string) => void): void {
  for (const variant of fleet.variants) {
    const follow = async (): Promise<void> => {
      const { server } = variant;
      const reason = await server.ended;
      if (!isLive() || variant.server !== server) return;
      warn(`A server of variant ${variant.variant.VariantName} ended and is replaced: ${reason}`);
      const replacement = await variant.start();
      if (!isLive()) return replacement.stop();
      variant.server = replacement;
      return follow();
    };
    follow().catch((error: unknown) =>
      warn(`Variant ${variant.variant.VariantName} has no server: ${reasonOf(error)}`),
    );
  }
}

/** Resolves with a reason when one of the fleet's servers has ended by itself. */
export function fleetDied(fleet: Fleet): Promise<string> {
  return Promise.race(fleet.variants.map((variant) => variant.server.ended));
}
