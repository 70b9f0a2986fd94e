/**
 * Says on the model package where it runs. Each write is an event that others act on, so only differences are written; approval and
 * gate record are never touched, which the deploy roles could not do anyway.
 */
import { UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import type { Service } from '../aws/session.ts';
import { requestToken } from '../aws/token.ts';
import type { RunContext } from '../github/context.ts';
import type { Logger } from '../github/logger.ts';

/** The stage whose word on a package is final: no other stage writes over it. */
export const finalStage = 'Production';

export type StageStatus = 'InProgress' | 'Approved' | 'Rejected' | 'RolledBack';

export interface Lifecycle {
  stage: string | undefined;
  status: string | undefined;
  description: string | undefined;
}

export interface LifecycleChange {
  stage: string;
  status: StageStatus;
  /** What happened, for people; at most 1,024 characters. */
  description: string;
  /** Login of the reviewer who let it through. */
  reviewer?: string | undefined;
  /** Said by a rollback, with the reason that a person gave. Only a rollback speaks over what another has said. */
  rollback?: { reason: string | undefined };
}

/** Metadata values hold letters, digits, spaces and `_.:/=+-@`, at most 256; anything else becomes a hyphen. */
export function metadataValue(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.:/=+\-@]/gu, '-').slice(0, 256);
}

/**
 * Undefined when the package says so already. A package that runs in production is not called a staging one again, and one that a
 * stage went back from stays so until a rollback returns to it.
 */
export function neededChange(
  current: Lifecycle,
  change: LifecycleChange,
  finalStage: string,
): LifecycleChange | undefined {
  const running = current.stage === finalStage && (current.status === 'Approved' || current.status === 'InProgress');
  if (change.stage !== finalStage && running) return undefined;
  if (current.status === 'RolledBack') {
    if (current.stage === finalStage && change.stage !== finalStage) return undefined;
    if (current.stage === change.stage && change.rollback === undefined) return undefined;
  }
  const same = current.stage === change.stage && current.status === change.status;
  // A package that returns is Approved already, from when it ran before; the rollback is told all the same.
  if (same && (change.rollback === undefined || current.description === oneLine(change.description))) return undefined;
  return change;
}

/** By which run, commit and reviewer a package came to a stage. */
export function runMetadata(
  stage: string,
  reviewer: string | undefined,
  { runUrl, sha }: RunContext,
): Record<string, string> {
  const prefix = stage.toLowerCase();
  return {
    [`${prefix}-run`]: metadataValue(runUrl === '' ? 'outside GitHub' : runUrl),
    [`${prefix}-commit`]: metadataValue(sha === '' ? 'unknown' : sha),
    ...(reviewer === undefined ? {} : { [`${prefix}-reviewer`]: metadataValue(reviewer) }),
  };
}

/** The registry's pattern knows no line ends. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 1_024);
}

export async function writeLifecycle(
  sagemaker: Service,
  packageArn: string,
  change: LifecycleChange,
  context: RunContext,
  signal: AbortSignal | undefined,
): Promise<void> {
  const metadata: Record<string, string> = {
    ...runMetadata(change.stage, change.reviewer, context),
    ...(change.rollback?.reason === undefined
      ? {}
      : { [`${change.stage.toLowerCase()}-reason`]: metadataValue(change.rollback.reason) }),
  };
  await sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: packageArn,
      ModelLifeCycle: {
        Stage: change.stage,
        StageStatus: change.status,
        StageDescription: oneLine(change.description),
      },
      CustomerMetadataProperties: metadata,
      ClientToken: requestToken({
        runId: context.runId,
        action: 'life-cycle',
        intent: `${packageArn} ${change.stage} ${change.status} ${change.description}`,
        // An attempt may have to say again what another attempt has overwritten.
        generation: context.runAttempt,
      }).slice(0, 36),
    }),
    { resource: packageArn, ...(signal === undefined ? {} : { signal }) },
  );
}

/** Writes the change when it is needed; true when it was written. */
export async function recordLifecycle(
  sagemaker: Service,
  target: { arn: string; lifecycle: Lifecycle },
  change: LifecycleChange,
  finalStage: string,
  context: RunContext,
  logger: Logger,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const needed = neededChange(target.lifecycle, change, finalStage);
  if (needed === undefined) return false;
  await writeLifecycle(sagemaker, target.arn, needed, context, signal);
  logger.info(`Package ${target.arn}: ${needed.stage} ${needed.status}`);
  return true;
}
