/** What a person decided, noted on a package beside its life cycle, which only a deployment changes. */
import { UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import type { Service } from '../aws/session.ts';
import { requestToken } from '../aws/token.ts';
import type { RunContext } from '../github/context.ts';
import type { Logger } from '../github/logger.ts';
import { describePackage } from '../registry/package.ts';
import { metadataValue, runMetadata } from './lifecycle.ts';

interface Decision {
  /** Logins, separated by commas. */
  by: string;
  comment: string;
}

interface NoteDeps {
  sagemaker: Service;
  context: RunContext;
  logger: Logger;
  signal: AbortSignal;
}

/** True when something had to be written. */
async function note(
  arn: string,
  wanted: Readonly<Record<string, string>>,
  { sagemaker, context, signal }: NoteDeps,
): Promise<boolean> {
  const { CustomerMetadataProperties: has = {} } = await describePackage(sagemaker, arn);
  if (Object.entries(wanted).every(([key, value]) => has[key] === value)) return false;
  await sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: arn,
      CustomerMetadataProperties: wanted,
      ClientToken: requestToken({
        runId: context.runId,
        action: 'note',
        intent: `${arn} ${Object.entries(wanted).flat().join(' ')}`,
        generation: context.runAttempt,
      }).slice(0, 36),
    }),
    { resource: arn, signal },
  );
  return true;
}

/** A value is never empty. */
const commentOf = ({ comment }: Decision): string => metadataValue(comment === '' ? 'none' : comment);

/** Who let a package into a stage. Whether it gets there is what the deployment says. */
export async function noteApproval(arn: string, stage: string, decision: Decision, deps: NoteDeps): Promise<void> {
  const wanted = {
    ...runMetadata(stage, decision.by, deps.context),
    [`${stage.toLowerCase()}-comment`]: commentOf(decision),
  };
  if (await note(arn, wanted, deps)) deps.logger.info(`Package ${arn}: the approval is noted on it`);
}

/** A reviewer lets a package stay as it runs: nothing about where it runs changes. */
export async function noteKept(arn: string, decision: Decision, deps: NoteDeps): Promise<void> {
  const wanted = {
    'refused-run': metadataValue(deps.context.runUrl),
    'refused-reviewer': metadataValue(decision.by),
    'refused-comment': commentOf(decision),
  };
  if (await note(arn, wanted, deps))
    deps.logger.info(`Package ${arn} stays as it runs; that ${decision.by} refused is noted on it`);
}
