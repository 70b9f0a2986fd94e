/** Deploys one package to one stage: check, compare, converge, record. */
import type { Aws } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import { type Failure, FailureError, type Status } from '../failure.ts';
import type { RunContext } from '../github/context.ts';
import type { Operation } from '../github/host.ts';
import type { Logger } from '../github/logger.ts';
import { describePackage } from '../registry/package.ts';
import { explain } from '../stacksets/causes.ts';
import { type Converged, converge } from '../stacksets/converge.ts';
import { place, type StackSetState, type Wanted } from '../stacksets/model.ts';
import type { Plan } from '../stacksets/plan.ts';
import { CloudFormationClient } from '../stacksets/read.ts';
import { buildDefinition } from './definition.ts';
import { checkOwnership, checkRemovals, inoperableFailures, newerPackage, otherPackage } from './judge.ts';
import { finalStage, recordLifecycle, type StageStatus } from './lifecycle.ts';
import { endpointName, type Project, parsePackageArn, roleArn } from './names.ts';
import { type GatedPackage, lifecycleOf, readDeployable, SageMakerClient } from './package.ts';
import { checkNotRolledBack, checkStillThere, type Rollback, recordLeaving } from './rollback.ts';
import { checkPlace, type Stage } from './stage-file.ts';

export interface DeployRequest {
  project: Project;
  stage: Stage;
  stageFile: string;
  templateFile: string;
  templateBody: string;
  packageArn: string;
  /** Per cent. */
  maxRemovals: number;
  /** A rollback, with the package that the stage goes back from. */
  rollback: Rollback | undefined;
  reviewer: string | undefined;
  /** Milliseconds since the epoch. */
  deadline: number;
}

export interface DeployDeps {
  aws: Aws;
  context: RunContext;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  running: (operation: Operation | undefined) => void;
  /** Called as soon as each is known, so that a failure cannot lose it. */
  report: {
    stackSet: (name: string, endpoint: string) => void;
    plan: (plan: Plan) => void;
    operation: (id: string) => void;
    state: (state: StackSetState) => void;
  };
}

export async function deploy(request: DeployRequest, deps: DeployDeps): Promise<Status> {
  const { project, stage, packageArn } = request;
  const { aws, context, logger, signal, report } = deps;
  const parsed = parsePackageArn(packageArn);
  if (parsed === undefined) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'model-package-arn',
      cause: `Input \`model-package-arn\` is ${JSON.stringify(packageArn)}, but must be the ARN of one version, arn:...:model-package/GROUP/VERSION`,
    });
  }
  checkPlace(stage, request.stageFile, aws.region, project, { arn: packageArn, ...parsed });
  const definition = buildDefinition({ ...request, adminAccount: parsed.account, partition: aws.partition });
  const wanted: Wanted = { definition, region: stage.region, waves: stage.waves, preferences: stage.preferences };
  report.stackSet(definition.name, endpointName(project, stage.name));
  const { preferences } = stage;
  if (
    preferences.concurrencyMode === 'strict' &&
    preferences.maxConcurrentCount > preferences.failureToleranceCount + 1
  ) {
    logger.warn(
      `concurrency-mode strict runs ${preferences.failureToleranceCount + 1} accounts at once (tolerance + 1), not ${preferences.maxConcurrentCount}.`,
      'deploy-stack-set',
    );
  }

  const gated = await readDeployable(aws, packageArn, signal);
  const { rollback } = request;
  if (rollback === undefined) checkNotRolledBack(gated, stage.lifecycleStage);
  const sagemaker = aws.service(SageMakerClient);
  // A package that runs in this stage already, or did, stays what it is: a failed change says nothing about the model.
  const settled =
    rollback !== undefined || (gated.lifecycle.stage === stage.lifecycleStage && gated.lifecycle.status === 'Approved');
  const say = async (status: StageStatus, description: string): Promise<void> => {
    if (settled) return;
    const change = { stage: stage.lifecycleStage, status, description, reviewer: request.reviewer };
    if (await recordLifecycle(sagemaker, gated, change, finalStage, context, logger, signal))
      gated.lifecycle = { stage: stage.lifecycleStage, status, description };
  };

  let newer: string | undefined;
  let chosen: string | undefined;
  let first: Plan | undefined;
  /** An operation of this run has given the stage our package. */
  let placed = false;
  const judge = async (state: StackSetState, plan: Plan): Promise<boolean> => {
    if (first === undefined) {
      first = plan;
      tellPlan(plan, logger);
      report.plan(plan);
    }
    checkOwnership(state, project);
    if (rollback !== undefined) checkStillThere(state, packageArn, rollback.from, stage.name);
    else {
      newer = await stillWanted(aws, newerPackage(state, packageArn));
      if (newer !== undefined) return false;
      // Two jobs that take turns would never end: what a person has chosen meanwhile stays.
      chosen = placed ? otherPackage(state, packageArn) : undefined;
      if (chosen !== undefined) return false;
    }
    checkRemovals(plan, state, request.maxRemovals, request.stageFile);
    return true;
  };

  let begun = false;
  let converged: Converged;
  try {
    converged = await converge(wanted, {
      cloudformation: aws.service(CloudFormationClient),
      account: parsed.account,
      runId: context.runId,
      clock: deps.clock,
      logger,
      signal,
      deadline: request.deadline,
      running: deps.running,
      judge,
      submitted(id) {
        placed = true;
        report.operation(id);
      },
      explain: (result, state, operation, deep) =>
        explain(result, {
          adminRegion: aws.region,
          project,
          inAccount: ({ account, region }) => aws.assume(roleArn(aws.partition, account, project, 'verify'), region),
          instances: state.instances,
          since: operation.createdAt,
          deep,
          signal,
        }),
      beforeFirstChange: async () => {
        begun = true;
        await say('InProgress', `Being deployed to ${stage.accounts.length} accounts by ${context.runUrl}`);
      },
    });
  } catch (error) {
    if (begun && error instanceof FailureError && error.status !== 'still-running') await sayFailed(error.failures);
    throw error;
  }
  report.state(converged.state);
  if (converged.superseded) return superseded(gated);
  const failures = [...inoperableFailures(converged.plan), ...converged.failures];
  if (failures.length > 0) {
    await sayFailed(failures);
    const within = failures.length <= preferences.failureToleranceCount;
    throw new FailureError(failures, within ? 'partial' : 'failed');
  }
  if (rollback !== undefined)
    await recordLeaving(
      sagemaker,
      gated,
      { ...rollback, stage: stage.lifecycleStage, reviewer: request.reviewer },
      deps,
    );
  if (converged.changed) return '';
  logger.info(`  unchanged: ${converged.plan.unchanged.length} instances`);
  return 'unchanged';

  async function sayFailed(list: readonly Failure[]): Promise<void> {
    const [worst] = list;
    const accounts = new Set(list.map(({ account }) => account)).size;
    await say(
      'Rejected',
      `The deployment failed in ${accounts} accounts: ${worst?.account ?? ''} ${worst?.cause ?? ''}`,
    );
  }

  async function superseded({ lifecycle }: GatedPackage): Promise<Status> {
    if (chosen !== undefined) {
      logger.notice(
        `The stage ${stage.name} was given the package ${chosen} while this one was being deployed; nothing more is done.`,
        'deploy-stack-set',
      );
      return 'superseded';
    }
    logger.notice(
      `The stage ${stage.name} runs the newer package ${newer}; this one is not deployed.`,
      'deploy-stack-set',
    );
    // Somebody has let it in, or another attempt has begun: nothing will finish that any more.
    const begunBefore = lifecycle.stage === stage.lifecycleStage && lifecycle.status === 'InProgress';
    if (begunBefore || request.reviewer !== undefined) await say('Rejected', `Superseded by ${newer}`);
    return 'superseded';
  }
}

/** A newer version only counts as out when no stage refused it or went back from it: a refused one may still lie in staging. */
async function stillWanted(aws: Aws, newer: string | undefined): Promise<string | undefined> {
  if (newer === undefined) return undefined;
  const { status } = lifecycleOf(await describePackage(aws.service(SageMakerClient), newer));
  return status === 'Rejected' || status === 'RolledBack' ? undefined : newer;
}

function tellPlan(plan: Plan, logger: Logger): void {
  const line = (title: string, list: readonly { account: string; region: string }[]) => {
    if (list.length > 0)
      logger.info(
        `${title.padEnd(10)} ${list.slice(0, 50).map(place).join(', ')}${list.length > 50 ? `, ${list.length - 50} more` : ''}`,
      );
  };
  if (plan.setMissing) logger.info('The stack set does not exist yet.');
  if (plan.differences.length > 0) logger.info(`Differs: ${plan.differences.join(', ')}`);
  line('create', plan.created);
  line('update', plan.updated);
  line('remove', plan.removed);
  line('unchanged', plan.unchanged);
}
