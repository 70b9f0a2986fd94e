/** What is refused before a stack set is changed. Decided from the state and the plan alone. */
import { type Failure, FailureError } from '../failure.ts';
import { place, type StackSetState } from '../stacksets/model.ts';
import type { Plan } from '../stacksets/plan.ts';
import { packageParameter } from './definition.ts';
import { type Project, parsePackageArn } from './names.ts';

/** A stack set that does not carry our project's tag belongs to somebody else. */
export function checkOwnership({ definition, arn }: StackSetState, project: Project): void {
  if (definition === undefined) return;
  const owner = definition.tags['sagemaker:project-id'];
  if (owner === project.id) return;
  throw new FailureError({
    code: 'NotOwned',
    resource: arn ?? definition.name,
    cause: `The stack set ${definition.name} ${owner === undefined ? 'carries no tag sagemaker:project-id' : `belongs to the project ${owner}`}, so it is not touched`,
    hint: `If it is this project's, tag it sagemaker:project-id=${project.id}`,
  });
}

/** Removing is what a shorter list asks for, but a slip in the list must not take a stage down. `maxRemovals` is per cent of all instances. */
export function checkRemovals(plan: Plan, state: StackSetState, maxRemovals: number, stageFile: string): void {
  const { removed } = plan;
  if (removed.length === 0) return;
  const share = (removed.length / state.instances.length) * 100;
  if (share <= maxRemovals) return;
  throw new FailureError({
    code: 'RemovalNotConfirmed',
    resource: stageFile,
    cause: `${removed.length} of ${state.instances.length} instances (${Math.round(share)} %) are not in ${stageFile} any more and would be removed: ${removed.slice(0, 20).map(place).join(', ')}`,
    hint: `If that is meant, run again with max-removals: ${Math.ceil(share)}; else list the accounts again`,
  });
}

/** Instances that CloudFormation leaves out of every update until somebody has cleared them. */
export function inoperableFailures(plan: Plan): Failure[] {
  return plan.inoperable.map(({ account, region, stackId, statusReason }) => ({
    code: 'InstanceFailed',
    account,
    region,
    resource: stackId ?? `${account}/${region}`,
    cause: `The instance is INOPERABLE${statusReason ? `: ${statusReason}` : ' (its stack could not be deleted)'}`,
    hint: 'Delete the instance with RetainStacks, then the stack by hand in that account, and run again',
  }));
}

/** ARN of the package that the stage has; undefined when nothing was deployed there. */
export function runningPackage({ definition, instances }: StackSetState): string | undefined {
  return instances.length === 0 ? undefined : definition?.parameters[packageParameter];
}

/** The stage's package when it is not ours. */
export function otherPackage(state: StackSetState, packageArn: string): string | undefined {
  const running = state.definition?.parameters[packageParameter];
  return running === packageArn ? undefined : running;
}

/** ARN of a newer version that the stage has; undefined when ours is the newest there. */
export function newerPackage(state: StackSetState, packageArn: string): string | undefined {
  const running = runningPackage(state);
  if (running === undefined) return undefined;
  const [theirs, ours] = [parsePackageArn(running), parsePackageArn(packageArn)];
  if (theirs === undefined || ours === undefined) return undefined;
  const sameGroup = theirs.group === ours.group && theirs.account === ours.account && theirs.region === ours.region;
  return sameGroup && theirs.version > ours.version ? running : undefined;
}
