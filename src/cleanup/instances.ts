/** Removes the instances of one stack set, whatever happens in a single account, and gives up those that only stumble over what is gone. */
import { stillRunning } from '../aws/poll.ts';
import type { Failure } from '../failure.ts';
import type { Operation as RemoteWork } from '../github/host.ts';
import { explain } from '../stacksets/causes.ts';
import { intentOf, operationId, runPrefix } from '../stacksets/intent.ts';
import {
  type Definition,
  type Instance,
  isLive,
  type Operation,
  type OperationResult,
  place,
  type StackSetState,
  type Target,
  type Wanted,
} from '../stacksets/model.ts';
import { CloudFormationClient, describeOperation, liveOperation, readStackSet } from '../stacksets/read.ts';
import { stopOperation, submit } from '../stacksets/submit.ts';
import { finalResults, watchOperation } from '../stacksets/watch.ts';
import { accountsAtOnce, type CleanupContext, eachOf, type Item, type Recorder } from './part.ts';
import { failedAtNothing } from './retained-stack.ts';
import { inTarget } from './targets.ts';

const busyPause = 3_000;
/** Stacks whose own events are read for the cause; a thousand failures are not a thousand sessions. */
const deepExplanations = 20;
const concurrentStacks = 50;
/**
 * Accounts of one operation. CloudFormation names no limit for their list (its API model has none, and the file of account ids that
 * takes 10 MB is for service-managed sets only), so the request stays far below the 51,200 bytes that it takes for a template. A killed
 * run then also waits for a part only.
 */
export const accountsPerOperation = 500;
const tries = 3;

export type Running = (id: string, work: RemoteWork | undefined) => void;

export interface InstanceRemoval {
  set: string;
  definition: Definition;
  instances: readonly Instance[];
  itemOf: (instance: Instance) => Item;
  /** Waits until nothing of the project changes in a target. */
  settle: (target: Target) => Promise<void>;
  running: Running;
  /** Told for an instance that is gone while its stack may have stayed. */
  mayHaveStayed: (instance: Instance) => void;
}

type Step = { action: 'remove'; accounts: string[]; region: string; retainStacks: boolean };

/** Every instance ends as removed, given up, or failed with its cause; a failed one is not tried again in this run. */
export async function removeInstances(
  removal: InstanceRemoval,
  context: CleanupContext,
  record: Recorder,
): Promise<void> {
  const { aws, account, clock, logger, signal, deadline, runId } = context;
  const { set: name, itemOf, settle, running } = removal;
  const cloudformation = aws.service(CloudFormationClient);
  const watching = { cloudformation, set: name, region: aws.region, account, clock, logger, signal, deadline };
  const all = removal.instances.length;
  const open = new Map(removal.instances.map((instance) => [place(instance), instance]));
  /** Places whose stack cannot be deleted, because what it stumbles over is gone already. */
  const givingUp = new Set<string>();
  let explained = 0;

  async function end(key: string, failure?: Failure): Promise<void> {
    const instance = open.get(key);
    if (instance === undefined) return;
    open.delete(key);
    if (failure !== undefined) {
      record.fail(itemOf(instance), failure);
      return;
    }
    const given = givingUp.has(key);
    // An attempt before this one may have given it up as well.
    if (given || instance.status === 'INOPERABLE') removal.mayHaveStayed(instance);
    await record.attempt(itemOf(instance), async () => (given ? 'given up, its stack is deleted next:' : undefined));
  }

  async function watch(operation: Operation): Promise<Operation> {
    running(operation.id, {
      resource: operation.id,
      describe: () => `The operation ${operation.id} removes instances of the stack set ${name}`,
      resume: 're-run this job; it goes on with what is left',
      stop: () => stopOperation(cloudformation, name, operation.id),
    });
    try {
      return await watchOperation(operation, watching);
    } finally {
      running(operation.id, undefined);
    }
  }

  /** What one of our operations did: removed places are done; failed ones are given up next, or get their cause. */
  async function judge(operation: Operation, targets: number): Promise<void> {
    const results = await finalResults(operation, targets, watching);
    const after = await readStackSet(cloudformation, name, signal);
    const left = new Map(after.instances.map((instance) => [place(instance), instance]));
    for (const result of results) {
      const key = place(result);
      const instance = left.get(key);
      if (instance === undefined) await end(key);
      else if (result.status !== 'FAILED' && result.status !== 'CANCELLED') continue;
      else if (!givingUp.has(key) && (await stumbles(instance))) givingUp.add(key);
      else if (open.has(key)) await end(key, await causeOf(result, after, operation));
    }
    if (operation.status !== 'SUCCEEDED' && results.length === 0) {
      const why = `The operation ${operation.id} ended ${operation.status}${operation.statusReason ? `: ${operation.statusReason}` : ''}`;
      for (const key of [...open.keys()]) await end(key, { code: 'OperationFailed', cause: why });
    }
  }

  async function stumbles(instance: Instance): Promise<boolean> {
    if (instance.status !== 'INOPERABLE' || instance.stackId === undefined) return false;
    try {
      return (await failedAtNothing(inTarget(instance, context), instance.stackId, signal)).length > 0;
    } catch {
      // Who cannot look does not give up.
      signal.throwIfAborted();
      return false;
    }
  }

  async function causeOf(result: OperationResult, after: StackSetState, operation: Operation): Promise<Failure> {
    explained += 1;
    const { logicalId, resource, ...failure } = await explain(result, {
      adminRegion: aws.region,
      project: context.project,
      inAccount: (target) => inTarget(target, context),
      instances: after.instances,
      since: operation.createdAt,
      deep: explained <= deepExplanations,
      signal,
    });
    const stack = after.instances.find((instance) => place(instance) === place(result))?.stackId;
    return {
      ...failure,
      cause: `${[logicalId, resource].filter((part) => part !== undefined).join(' ')}: ${failure.cause}`,
      hint: `${failure.hint === undefined ? 'Mend that in the account' : failure.hint}, then run cleanup again; or give the instance up (aws cloudformation delete-stack-instances with retain-stacks) and run cleanup again: it deletes ${stack ?? 'the stack that stays'} by itself`,
    };
  }

  /** A part of what is open, all in one region and all to be removed in the same way. */
  function nextStep(): Step {
    const instances = [...open.values()];
    const first = instances.find((each) => givingUp.has(place(each))) ?? (instances[0] as Instance);
    const retainStacks = givingUp.has(place(first));
    const accounts = instances
      .filter((each) => each.region === first.region && givingUp.has(place(each)) === retainStacks)
      .map((each) => each.account);
    return {
      action: 'remove',
      accounts: accounts.slice(0, accountsPerOperation),
      region: first.region,
      retainStacks,
    };
  }

  /** Submits the step, or attaches to what an attempt before this one submitted. False when another operation was quicker. */
  async function perform(step: Step, definition: Definition): Promise<boolean> {
    const { accounts, region } = step;
    const wanted: Wanted = {
      definition,
      region,
      waves: [accounts],
      // Each account is tried, whatever happens in another one.
      preferences: {
        maxConcurrentCount: Math.min(accounts.length, concurrentStacks),
        failureToleranceCount: accounts.length,
        concurrencyMode: 'soft',
      },
    };
    const intent = intentOf(step, wanted);
    for (let generation = 1; ; ) {
      const id = operationId(runId, step, intent, generation);
      const known = await describeOperation(cloudformation, name, id, signal);
      if (known !== undefined && isLive(known)) {
        await judge(await watch(known), accounts.length);
        return true;
      }
      if (known !== undefined) {
        generation += 1;
        continue;
      }
      const submission = await submit(cloudformation, step, wanted, id, signal);
      if (submission === 'exists') continue;
      if (submission !== 'submitted') return false;
      const doing = step.retainStacks ? 'Giving up' : 'Removing';
      logger.info(`${doing} ${accounts.length} instances of ${name} in ${region}: operation ${id}`);
      const started = { id, action: 'DELETE', status: 'RUNNING' };
      await judge(
        await watch({ ...started, statusReason: undefined, failedInstances: undefined, createdAt: undefined }),
        accounts.length,
      );
      return true;
    }
  }

  for (let fruitless = 0; ; ) {
    const state = await readStackSet(cloudformation, name, signal);
    const left = new Set(state.instances.map(place));
    for (const key of [...open.keys()]) if (!left.has(key)) await end(key);
    if (open.size === 0) return;
    const live = await liveOperation(cloudformation, name, signal);
    if (live !== undefined) {
      const ours = live.id.startsWith(runPrefix(runId));
      logger.info(`${ours ? 'Attached to' : 'Waiting for'} the operation ${live.id} of ${name} (${live.status})`);
      // Another's operation is waited for, and goes on when this job is cancelled.
      if (ours) await judge(await watch(live), 0);
      else await watchOperation(live, watching);
      continue;
    }
    const step = nextStep();
    await eachOf(step.accounts, accountsAtOnce, (each) => settle({ account: each, region: step.region }));
    const before = [open.size, givingUp.size];
    const performed = await perform(step, state.definition ?? removal.definition);
    // Two spaces in front: a line that the command line shows as progress.
    if (all > accountsPerOperation) logger.info(`  ${all - open.size} of ${all} instances of ${name} done`);
    const advanced = open.size !== before[0] || givingUp.size !== before[1];
    fruitless = advanced ? 0 : fruitless + (performed ? 1 : 0);
    if (!advanced) await clock.sleep(busyPause, signal);
    if (fruitless > tries) {
      const why = 'Operations on the instance ended without a result, and it is still there';
      for (const key of [...open.keys()]) await end(key, { code: 'OperationFailed', cause: why });
    }
    if (clock.now() > deadline) {
      throw stillRunning({
        resource: name,
        region: aws.region,
        account,
        where: `Instances of the stack set ${name} were being removed`,
        resume: 're-run this job; it goes on with what is left',
      });
    }
  }
}
