/** The project's stack sets: instances in all accounts and regions first, the sets when nothing of theirs is left. */
import {
  DeleteStackSetCommand,
  ListStackSetOperationsCommand,
  ListStackSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { stillRunning } from '../aws/poll.ts';
import { stackSetName } from '../deploy/names.ts';
import type { Failure } from '../failure.ts';
import type { Operation as RemoteWork } from '../github/host.ts';
import { explain } from '../stacksets/causes.ts';
import { intentOf, operationId, runPrefix } from '../stacksets/intent.ts';
import {
  type Instance,
  isLive,
  type Operation,
  place,
  type StackSetState,
  type Target,
  type Wanted,
} from '../stacksets/model.ts';
import {
  CloudFormationClient,
  describeOperation,
  liveOperation,
  operationResults,
  readStackSet,
} from '../stacksets/read.ts';
import { stopOperation, submit } from '../stacksets/submit.ts';
import { finalResults, watchOperation } from '../stacksets/watch.ts';
import { type CleanupContext, type Item, type Kept, notOurs, type Part, pages, type Recorder } from './part.ts';
import { inTarget } from './targets.ts';

export interface FoundSet {
  name: string;
  stage: string;
  state: StackSetState;
  /** Where instances were removed before: what they left behind is looked for there, too. */
  earlier: readonly Target[];
}

/** All stack sets whose names are the project's; those without its tag are told and left alone. */
export async function findSets(context: CleanupContext): Promise<{ sets: FoundSet[]; kept: Kept[] }> {
  const { aws, project, account, signal } = context;
  const cloudformation = aws.service(CloudFormationClient);
  const prefix = stackSetName(project, '');
  const all = await pages(async (token) => {
    const page = await cloudformation.send(
      new ListStackSetsCommand({ Status: 'ACTIVE', MaxResults: 100, NextToken: token }),
      { signal },
    );
    return { items: page.Summaries, next: page.NextToken };
  });
  const sets: FoundSet[] = [];
  const kept: Kept[] = [];
  for (const name of all.map(({ StackSetName }) => StackSetName ?? '').filter((found) => found.startsWith(prefix))) {
    const state = await readStackSet(cloudformation, name, signal);
    if (state.definition === undefined) continue;
    if (state.definition.tags['sagemaker:project-id'] !== project.id) {
      kept.push({ kind: 'stack set', account, region: aws.region, name, because: notOurs(project) });
      continue;
    }
    // A run that was killed between removing instances and the set still finds where they were.
    const operations = await pages(async (token) => {
      const page = await cloudformation.send(
        new ListStackSetOperationsCommand({ StackSetName: name, MaxResults: 100, NextToken: token }),
        { resource: name, signal },
      );
      return { items: page.Summaries, next: page.NextToken };
    });
    const removals = operations.filter(({ Action }) => Action === 'DELETE');
    const results = await Promise.all(
      removals.map(({ OperationId = '' }) => operationResults(cloudformation, name, OperationId, signal)),
    );
    const present = new Set(state.instances.map(place));
    const earlier = new Map(
      results
        .flat()
        .filter((result) => !present.has(place(result)))
        .map((result) => [place(result), { account: result.account, region: result.region }]),
    );
    sets.push({ name, stage: name.slice(prefix.length), state, earlier: [...earlier.values()] });
  }
  return { sets, kept };
}

const busyPause = 3_000;
/** Stacks whose own events are read for the cause; a thousand failures are not a thousand sessions. */
const deepExplanations = 20;

type Running = (id: string, work: RemoteWork | undefined) => void;

/** Several operations at once, told as one to whoever cancels the job. */
function together(tell: CleanupContext['running']): Running {
  const active = new Map<string, RemoteWork>();
  return (id, work) => {
    if (work === undefined) active.delete(id);
    else active.set(id, work);
    const all = [...active.values()];
    const [first] = all;
    tell(
      first && {
        resource: all.map(({ resource }) => resource).join(', '),
        describe: () => all.map((each) => each.describe()).join('; '),
        resume: first.resume,
        stop: async () => {
          await Promise.allSettled(all.map((each) => each.stop?.()));
        },
      },
    );
  };
}

/** Removes every planned instance of one set; those that fail are told with their cause and not tried again in this run. */
async function removeInstances(
  found: FoundSet,
  itemOf: (instance: Instance) => Item,
  settle: (target: Target) => Promise<void>,
  running: Running,
  context: CleanupContext,
  record: Recorder,
): Promise<void> {
  const { aws, account, clock, logger, signal, deadline, runId } = context;
  const cloudformation = aws.service(CloudFormationClient);
  const { name } = found;
  let fruitless = 0;
  let explained = 0;
  const open = new Map(found.state.instances.map((instance) => [place(instance), instance]));
  const watching = { cloudformation, set: name, region: aws.region, account, clock, logger, signal, deadline };
  const work = (operation: Operation): RemoteWork => ({
    resource: operation.id,
    describe: () => `The operation ${operation.id} removes instances of the stack set ${name}`,
    resume: 're-run this job; it goes on with what is left',
    stop: () => stopOperation(cloudformation, name, operation.id),
  });
  const end = async (key: string, failure?: Failure) => {
    const instance = open.get(key);
    if (instance === undefined) return;
    open.delete(key);
    if (failure === undefined) await record.attempt(itemOf(instance), async () => undefined);
    else record.fail(itemOf(instance), failure);
  };

  async function watch(operation: Operation): Promise<Operation> {
    running(operation.id, work(operation));
    try {
      return await watchOperation(operation, watching);
    } finally {
      running(operation.id, undefined);
    }
  }

  /** What one of our operations did: removed places are done, failed ones get their cause. */
  async function judge(operation: Operation, targets: number): Promise<void> {
    const results = await finalResults(operation, targets, watching);
    const after = await readStackSet(cloudformation, name, signal);
    const left = new Set(after.instances.map(place));
    for (const result of results) {
      const key = place(result);
      if (!left.has(key)) await end(key);
      else if (result.status === 'FAILED' || result.status === 'CANCELLED')
        await end(key, await causeOf(result, after, operation));
    }
    if (operation.status !== 'SUCCEEDED' && results.length === 0)
      for (const key of [...open.keys()])
        await end(key, {
          code: 'OperationFailed',
          cause: `The operation ${operation.id} ended ${operation.status}${operation.statusReason ? `: ${operation.statusReason}` : ''}`,
        });
  }

  async function causeOf(
    result: Target & { status: string; reason: string | undefined },
    after: StackSetState,
    operation: Operation,
  ): Promise<Failure> {
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

  for (;;) {
    const state = await readStackSet(cloudformation, name, signal);
    const left = new Map(state.instances.map((instance) => [place(instance), instance]));
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
    const [first] = open.values();
    const region = first?.region ?? '';
    const accounts = [...open.values()].filter((each) => each.region === region).map((each) => each.account);
    await Promise.all(accounts.map((each) => settle({ account: each, region })));
    const step = { action: 'remove', accounts, region } as const;
    const wanted: Wanted = {
      definition: state.definition!,
      region,
      waves: [accounts],
      // Each account is tried, whatever happens in another one.
      preferences: {
        maxConcurrentCount: Math.min(accounts.length, 50),
        failureToleranceCount: accounts.length,
        concurrencyMode: 'soft',
      },
    };
    const intent = intentOf(step, wanted);
    const before = open.size;
    for (let generation = 1; ; ) {
      const id = operationId(runId, step, intent, generation);
      // What an attempt before this one started, or what was started although its answer got lost.
      const known = await describeOperation(cloudformation, name, id, signal);
      if (known !== undefined && isLive(known)) {
        await judge(await watch(known), accounts.length);
        break;
      }
      if (known !== undefined) {
        generation += 1;
        continue;
      }
      const submission = await submit(cloudformation, step, wanted, id, signal);
      if (submission === 'exists') continue;
      if (submission === 'submitted') {
        logger.info(`Removing ${accounts.length} instances of ${name} in ${region}: operation ${id}`);
        const started: Operation = {
          id,
          action: 'DELETE',
          status: 'RUNNING',
          statusReason: undefined,
          failedInstances: undefined,
          createdAt: undefined,
        };
        await judge(await watch(started), accounts.length);
        fruitless = open.size < before ? 0 : fruitless + 1;
      } else await clock.sleep(busyPause, signal);
      break;
    }
    if (open.size === before && fruitless > 0) await clock.sleep(busyPause, signal);
    if (fruitless > 3)
      for (const key of [...open.keys()])
        await end(key, {
          code: 'OperationFailed',
          cause: 'Operations on the instance ended without a result, and it is still there',
        });
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

/** The instances of all sets as one part, the sets as another: what instances leave behind is removed in between. */
export function stackSetParts(
  sets: readonly FoundSet[],
  settle: (target: Target) => Promise<void>,
  context: CleanupContext,
): { instances: Part; sets: Part; remaining: Set<string> } {
  const { aws, account, signal } = context;
  const cloudformation = aws.service(CloudFormationClient);
  /** Places (account/region) where an instance could not be removed. */
  const remaining = new Set<string>();
  const items = new Map(
    sets.flatMap(({ name, state }) =>
      state.instances.map((instance): [string, Item] => [
        `${name} ${place(instance)}`,
        {
          kind: 'stack instance',
          account: instance.account,
          region: instance.region,
          name,
          ...(instance.status === 'CURRENT' ? {} : { note: instance.status }),
        },
      ]),
    ),
  );
  const setItems = new Map(
    sets.map(({ name }): [string, Item] => [name, { kind: 'stack set', account, region: aws.region, name }]),
  );
  return {
    remaining,
    instances: {
      items: [...items.values()],
      async remove(record) {
        const running = together(context.running);
        const results = await Promise.allSettled(
          sets.map((found) =>
            removeInstances(
              found,
              (instance) => items.get(`${found.name} ${place(instance)}`)!,
              settle,
              running,
              context,
              record,
            ),
          ),
        );
        for (const { item } of record.failures) if (item.kind === 'stack instance') remaining.add(place(item));
        for (const result of results) if (result.status === 'rejected') throw result.reason;
      },
    },
    sets: {
      items: [...setItems.values()],
      async remove(record) {
        for (const [name, item] of setItems) {
          const left = record.failures.filter((one) => one.item.kind === 'stack instance' && one.item.name === name);
          if (left.length > 0) {
            record.fail(item, {
              code: 'Conflict',
              cause: `The stack set ${name} still has ${left.length} instances (${left.map((one) => place(one.item)).join(', ')})`,
              hint: 'Mend what keeps them, then run cleanup again',
            });
            continue;
          }
          await record.attempt(item, async () => {
            await cloudformation.send(new DeleteStackSetCommand({ StackSetName: name }), { resource: name, signal });
            return undefined;
          });
        }
      },
    },
  };
}
