import type { CapacitySize, DeploymentConfig } from '@aws-sdk/client-sagemaker';
import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../problems.ts';

/** One step of shifting traffic to a new fleet: its share from then on, and how long it is watched before the next. */
export interface ShiftStep {
  share: number;
  waitSeconds: number;
}

export interface DeploymentPlan {
  steps: ShiftStep[];
  /** How long the old fleet stays after it has lost all traffic. */
  terminationWaitSeconds: number;
}

function shareOf(size: CapacitySize | undefined, instances: number, what: string, least: number): number {
  if (size?.Value === undefined) throw validationError(`${what} is required for this traffic routing.`);
  const share = size.Type === 'INSTANCE_COUNT' ? size.Value / instances : size.Value / 100;
  if (share > 0.5 || share < least) {
    throw validationError(
      `${what} of ${size.Value} (${size.Type}) must be ${least === 0 ? 'at most 50' : `${least * 100} to 50`} percent of the ${instances} instances.`,
    );
  }
  return share;
}

function evenSteps(share: number, waitSeconds: number): ShiftStep[] {
  const count = Math.ceil(1 / share);
  return Array.from({ length: count }, (_, index) => ({ share: Math.min(1, share * (index + 1)), waitSeconds }));
}

/**
 * How an update goes, by its DeploymentConfig; without one all traffic moves at once. Alarms are refused: there is no
 * CloudWatch here that could raise them, and a guardrail that cannot act would be a promise not kept.
 */
export function planDeployment(config: DeploymentConfig | undefined, instances: number): DeploymentPlan {
  if ((config?.AutoRollbackConfiguration?.Alarms ?? []).length > 0) {
    throw new NotImplementedError('AutoRollbackConfiguration of endpoints (there are no CloudWatch alarms here)');
  }
  const rolling = config?.RollingUpdatePolicy;
  if (rolling !== undefined) {
    const share = shareOf(rolling.MaximumBatchSize, instances, 'MaximumBatchSize', 0.05);
    return { steps: evenSteps(share, rolling.WaitIntervalInSeconds ?? 0), terminationWaitSeconds: 0 };
  }
  const policy = config?.BlueGreenUpdatePolicy;
  const routing = policy?.TrafficRoutingConfiguration;
  const wait = routing?.WaitIntervalInSeconds ?? 0;
  const terminationWaitSeconds = policy?.TerminationWaitInSeconds ?? 0;
  let steps: ShiftStep[] = [{ share: 1, waitSeconds: wait }];
  if (routing?.Type === 'CANARY') {
    steps = [{ share: shareOf(routing.CanarySize, instances, 'CanarySize', 0), waitSeconds: wait }, ...steps];
  } else if (routing?.Type === 'LINEAR') {
    steps = evenSteps(shareOf(routing.LinearStepSize, instances, 'LinearStepSize', 0.1), wait);
  }
  const total = steps.reduce((sum, step) => sum + step.waitSeconds, terminationWaitSeconds);
  const limit = policy?.MaximumExecutionTimeoutInSeconds;
  if (limit !== undefined && limit <= total) {
    throw validationError(
      `MaximumExecutionTimeoutInSeconds (${limit}) must be greater than the sum of all wait times (${total} seconds).`,
    );
  }
  return { steps, terminationWaitSeconds };
}
