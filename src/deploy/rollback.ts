/** Going back to a package that ran in a stage before: which one, whether that is still what was decided, and what the registry says then. */
import type { ModelPackageSummary } from '@aws-sdk/client-sagemaker';
import type { Service } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import type { RunContext } from '../github/context.ts';
import type { Logger } from '../github/logger.ts';
import { describePackage, listPackages, type ModelPackage } from '../registry/package.ts';
import { recordOf } from '../registry/record.ts';
import { runPrefix } from '../stacksets/intent.ts';
import type { StackSetState } from '../stacksets/model.ts';
import { readStackSet, recentOperations } from '../stacksets/read.ts';
import { runningPackage } from './judge.ts';
import { finalStage, type LifecycleChange, recordLifecycle } from './lifecycle.ts';
import { parsePackageArn, stackSetOfGroup } from './names.ts';
import { lifecycleOf } from './package.ts';
import type { Stage } from './stage-file.ts';

export interface Rollback {
  /** ARN of the package that the stage goes back from. */
  from: string;
  /** Why, in a person's words. */
  reason: string | undefined;
}

export interface Choice {
  /** ARN of what the stage has now; undefined when it has nothing. */
  running: string | undefined;
  /** undefined: there is nothing to go back to. */
  found: ModelPackage | undefined;
  /** The version asked for is what runs, and not because this very run has brought it back. */
  already?: boolean;
}

const versionOf = (arn: string | undefined): number => parsePackageArn(arn ?? '')?.version ?? 0;

/** Did the package run in the stage and pass its test there? What production took has passed every stage before it. */
function ran(
  cycle: ModelPackageSummary['ModelLifeCycle'],
  lifecycleStage: string,
  statuses: readonly string[],
): boolean {
  return (cycle?.Stage === lifecycleStage || cycle?.Stage === finalStage) && statuses.includes(cycle.StageStatus ?? '');
}

/** Versions older than the running one that ran in the stage and that nobody went back from, newest first. */
export function earlierPackages(
  packages: readonly ModelPackageSummary[],
  running: string,
  lifecycleStage: string,
): ModelPackageSummary[] {
  return packages
    .filter(
      ({ ModelPackageArn, ModelPackageStatus, ModelApprovalStatus, ModelLifeCycle }) =>
        versionOf(ModelPackageArn) < versionOf(running) &&
        ModelPackageStatus === 'Completed' &&
        ModelApprovalStatus === 'Approved' &&
        ran(ModelLifeCycle, lifecycleStage, ['Approved']),
    )
    .sort((a, b) => versionOf(b.ModelPackageArn) - versionOf(a.ModelPackageArn));
}

/** The ARN of a version of the group, given as its number or its ARN. */
function arnOf(version: string, group: string, packages: readonly ModelPackageSummary[]): string {
  const wanted = /^\d+$/.test(version) ? Number(version) : parsePackageArn(version)?.version;
  const given = packages.find(
    ({ ModelPackageArn }) =>
      versionOf(ModelPackageArn) === wanted && (/^\d+$/.test(version) || ModelPackageArn === version),
  );
  if (given?.ModelPackageArn !== undefined) return given.ModelPackageArn;
  throw new FailureError({
    code: 'InvalidInput',
    resource: 'version',
    cause: `Input \`version\` is ${JSON.stringify(version)}, but must be a version of the group ${group}, as its number or its ARN`,
    hint: 'Leave it out to go back to the previous one',
  });
}

/**
 * The package to go back to: the version asked for, else the newest before the running one that ran in the stage. A run that has
 * begun its rollback keeps to what it chose, whichever of its jobs are run again. Throws InvalidInput.
 */
export async function choosePrevious(
  services: { sagemaker: Service; cloudformation: Service },
  request: { group: string; stage: Stage; version: string | undefined; runId: string },
  signal: AbortSignal,
): Promise<Choice> {
  const { sagemaker, cloudformation } = services;
  const { group, stage, version } = request;
  const set = stackSetOfGroup(group, stage.name);
  const running = runningPackage(await readStackSet(cloudformation, set, signal));
  if (running === undefined) return { running, found: undefined };
  const packages = await listPackages(sagemaker, group);
  const [newest] = await recentOperations(cloudformation, set, signal);
  const begun = newest?.id.startsWith(runPrefix(request.runId)) === true;
  if (version !== undefined) {
    const wanted = arnOf(version, group, packages);
    if (wanted === running && !begun) return { running, found: undefined, already: true };
    const found = await describePackage(sagemaker, wanted);
    if (ran(found.ModelLifeCycle, stage.lifecycleStage, ['Approved', 'RolledBack'])) return { running, found };
    const { stage: itsStage, status } = lifecycleOf(found);
    const others = packages.filter(
      ({ ModelPackageArn, ModelLifeCycle }) =>
        ModelPackageArn !== running && ran(ModelLifeCycle, stage.lifecycleStage, ['Approved', 'RolledBack']),
    );
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'version',
      cause: `Version ${found.ModelPackageVersion} did not run in the stage ${stage.name} (${itsStage === undefined ? 'no life cycle' : `${itsStage} ${status}`}), so it cannot be returned to`,
      hint:
        others.length === 0
          ? 'No other version ran there; deploy one by its own run'
          : `Versions that did: ${others.map(({ ModelPackageArn }) => versionOf(ModelPackageArn)).join(', ')}`,
    });
  }
  if (begun) return { running, found: await describePackage(sagemaker, running) };
  for (const { ModelPackageArn } of earlierPackages(packages, running, stage.lifecycleStage)) {
    const found = await describePackage(sagemaker, ModelPackageArn ?? '');
    // Approved by hand: never deployable.
    if (recordOf(found) !== undefined) return { running, found };
  }
  return { running, found: undefined };
}

/** A package that a stage went back from is not brought there again by the run that did so before. */
export function checkNotRolledBack(
  { arn, lifecycle }: { arn: string; lifecycle: ReturnType<typeof lifecycleOf> },
  lifecycleStage: string,
): void {
  if (lifecycle.stage !== lifecycleStage || lifecycle.status !== 'RolledBack') return;
  throw new FailureError({
    code: 'RolledBack',
    resource: arn,
    cause: `${lifecycleStage} went back from this package${lifecycle.description === undefined ? '' : `: ${lifecycle.description}`}`,
    hint: `Push a change for a new package; to return to this very one, run the workflow model-rollback with version: ${versionOf(arn)}`,
  });
}

/** A rollback was decided about one package; when another has come meanwhile, somebody has to decide again. */
export function checkStillThere(state: StackSetState, packageArn: string, from: string, stage: string): void {
  const running = runningPackage(state);
  if (running === undefined || running === from || running === packageArn) return;
  throw new FailureError({
    code: 'Conflict',
    resource: running,
    cause: `The stage ${stage} runs version ${versionOf(running)} by now, not version ${versionOf(from)}, from which this rollback was to go back`,
    hint: 'Start the rollback anew, which says what it would do now',
  });
}

interface Said extends Rollback {
  /** As the registry spells it. */
  stage: string;
  reviewer: string | undefined;
}

const why = (by: string, { reviewer, reason }: Said): string =>
  `by ${by}${reviewer === undefined || reviewer === '' ? '' : `, approved by ${reviewer}`}${reason === undefined ? '' : `: ${reason}`}`;

/** What the stage went back from, and every approved version between: the newest Approved is what runs. */
export async function recordLeaving(
  sagemaker: Service,
  { arn }: { arn: string },
  said: Said,
  { context, logger, signal }: { context: RunContext; logger: Logger; signal: AbortSignal },
): Promise<void> {
  const group = parsePackageArn(arn)?.group ?? '';
  const leaving = (await listPackages(sagemaker, group)).filter(
    ({ ModelPackageArn, ModelLifeCycle: cycle }) =>
      versionOf(ModelPackageArn) > versionOf(arn) &&
      cycle?.Stage === said.stage &&
      (cycle.StageStatus === 'Approved' || (ModelPackageArn === said.from && cycle.StageStatus !== 'RolledBack')),
  );
  for (const { ModelPackageArn } of leaving) {
    const one = ModelPackageArn ?? '';
    const lifecycle = lifecycleOf(await describePackage(sagemaker, one));
    const change: LifecycleChange = {
      stage: said.stage,
      status: 'RolledBack',
      description: `Rolled back to ${arn} ${why(context.runUrl, said)}`,
      reviewer: said.reviewer,
      rollback: said,
    };
    await recordLifecycle(sagemaker, { arn: one, lifecycle }, change, finalStage, context, logger, signal);
  }
}

/** What the registry says about a package that has returned and passed its test. */
export function returned(said: Said, context: RunContext): LifecycleChange {
  return {
    stage: said.stage,
    status: 'Approved',
    description: `Returned and tested ${why(context.runUrl, said)}`,
    reviewer: said.reviewer,
    rollback: said,
  };
}
