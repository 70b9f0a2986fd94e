import type { DeploymentConfig } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { clip, reasonOf } from '../problems.ts';
import { keyOf } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import type { DeploymentPlan } from './deployment.ts';
import { fleetDied, keepAlive, type Retained, startFleet, stopFleet } from './fleet.ts';
import type { EndpointConfigRecord, EndpointRecord, Fleet, Hostings } from './store.ts';

export interface EndpointLifecycle {
  create(endpoint: EndpointRecord): void;
  update(
    endpoint: EndpointRecord,
    config: EndpointConfigRecord,
    plan: DeploymentPlan,
    retained: Retained,
    deployment: DeploymentConfig | undefined,
  ): void;
  remove(endpoint: EndpointRecord): void;
}

/** Moves endpoints through their states while real servers start and stop; the clock stands still as long as they do. */
export function createEndpointLifecycle(
  context: PlatformContext,
  hostings: Hostings,
  tags: TagStore,
): EndpointLifecycle {
  const { clock } = context;

  function setStatus(endpoint: EndpointRecord, status: EndpointRecord['status']): void {
    endpoint.status = status;
    endpoint.modifiedAt = clock.now();
    context.emit({
      at: endpoint.modifiedAt,
      ...endpoint.scope,
      source: 'aws.sagemaker',
      detailType: 'SageMaker Endpoint State Change',
      resources: [endpoint.arn],
      detail: {
        EndpointName: endpoint.name,
        EndpointArn: endpoint.arn,
        EndpointConfigName: endpoint.config.name,
        EndpointStatus: status,
        FailureReason: endpoint.failureReason,
        CreationTime: endpoint.createdAt.getTime(),
        LastModifiedTime: endpoint.modifiedAt.getTime(),
      },
    });
  }

  /** Starts a fleet as slowly as the control route says, and fails it when a fault was injected. */
  async function bringUp(
    endpoint: EndpointRecord,
    config: EndpointConfigRecord,
    operation: string,
    retained?: Retained,
  ): Promise<Fleet> {
    const target = {
      ...endpoint.scope,
      operation,
      fields: { EndpointName: endpoint.name, EndpointConfigName: config.name },
    };
    const due = clock.now().getTime() + 1000 * (context.virtualDuration?.(target) ?? 0);
    const fault = context.takeFault('resource-failure', target);
    const release = clock.hold();
    let fleet: Fleet | undefined;
    let failure: unknown;
    try {
      if (fault !== undefined) throw new Error(fault.reason);
      fleet = await startFleet(context, hostings, endpoint, config, retained);
    } catch (error) {
      failure = error;
    } finally {
      release();
    }
    // A fleet that fails takes its time as well.
    await wait(due - clock.now().getTime(), endpoint);
    if (fleet === undefined) throw failure;
    return fleet;
  }

  async function wait(milliseconds: number, endpoint: EndpointRecord): Promise<void> {
    if (milliseconds > 0) await clock.sleep(milliseconds, AbortSignal.any([endpoint.removed.signal, context.signal]));
  }

  /** From now on the fleet answers, and what dies of it is replaced. */
  function serve(endpoint: EndpointRecord, fleet: Fleet): void {
    endpoint.fleet = fleet;
    const isLive = () => endpoint.fleet === fleet && !endpoint.removed.signal.aborted && !context.signal.aborted;
    keepAlive(fleet, isLive, (message) => context.logger.warn(`Endpoint ${endpoint.arn}: ${message}`));
  }

  async function stopHeld(fleet: Fleet | undefined): Promise<void> {
    const release = clock.hold();
    try {
      await stopFleet(fleet);
    } finally {
      release();
    }
  }

  async function follow(endpoint: EndpointRecord, fleet: Fleet, plan: DeploymentPlan): Promise<void> {
    const pending = endpoint.pending;
    if (pending === undefined) return;
    pending.fleet = fleet;
    const dead = fleetDied(fleet).then((reason) => {
      throw new Error(reason);
    });
    // Without a race below nobody would listen.
    dead.catch(() => undefined);
    for (const { share, waitSeconds } of plan.steps) {
      pending.phase = 'ActivatingTraffic';
      pending.share = share;
      pending.phase = 'Baking';
      await Promise.race([wait(waitSeconds * 1000, endpoint), dead]);
    }
    await Promise.race([wait(plan.terminationWaitSeconds * 1000, endpoint), dead]);
  }

  return {
    create(endpoint) {
      setStatus(endpoint, 'Creating');
      bringUp(endpoint, endpoint.config, 'sagemaker:CreateEndpoint').then(
        (fleet) => {
          serve(endpoint, fleet);
          setStatus(endpoint, 'InService');
        },
        (error: unknown) => {
          endpoint.failureReason = clip(reasonOf(error), 1024);
          setStatus(endpoint, 'Failed');
        },
      );
    },

    update(endpoint, config, plan, retained, deployment) {
      endpoint.pending = { config, startedAt: clock.now(), phase: 'Creating', share: 0 };
      setStatus(endpoint, 'Updating');
      const before = endpoint.fleet;
      const run = async () => {
        const fleet = await bringUp(endpoint, config, 'sagemaker:UpdateEndpoint', retained);
        await follow(endpoint, fleet, plan);
        serve(endpoint, fleet);
        endpoint.config = config;
        if (deployment === undefined) delete endpoint.lastDeployment;
        else endpoint.lastDeployment = deployment;
        delete endpoint.pending;
        await stopHeld(before);
        setStatus(endpoint, 'InService');
      };
      run().catch(async (error: unknown) => {
        // The rollback is silent: InService with the old configuration, and only the log tells why.
        context.logger.warn(`Endpoint ${endpoint.arn} stays on ${endpoint.config.name}: ${reasonOf(error)}`);
        const failed = endpoint.pending?.fleet;
        delete endpoint.pending;
        await stopHeld(failed);
        setStatus(endpoint, 'InService');
      });
    },

    remove(endpoint) {
      endpoint.removed.abort(new Error('the endpoint was deleted'));
      setStatus(endpoint, 'Deleting');
      stopHeld(endpoint.fleet).finally(() => {
        hostings.of(endpoint.scope).endpoints.delete(keyOf(endpoint.name));
        tags.remove(endpoint.arn);
      });
    },
  };
}
