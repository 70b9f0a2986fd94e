/** Removes what was found in the target accounts, after the stack instances have gone. */
import { CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Aws, Service } from '../aws/session.ts';
import { readConfiguration, readEndpoint } from '../endpoints/read.ts';
import { type Failure, FailureError } from '../failure.ts';
import { place, type Target } from '../stacksets/model.ts';
import {
  accountsAtOnce,
  type CleanupContext,
  eachOf,
  type Item,
  type Part,
  type Recorder,
  unlessGone,
} from './part.ts';
import { deleteRetainedStack } from './retained-stack.ts';
import { readStack } from './stack.ts';
import type { InstancesOutcome } from './stack-sets.ts';
import { type FoundTarget, inTarget } from './targets.ts';

/** Endpoints in these states accept neither an update nor their deletion. */
const changing = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];
const deletionsAtOnce = 4;

/** Waits until the endpoint is at rest; resolves to its status, undefined when it is gone. */
async function untilSettled(
  sagemaker: Service,
  name: string,
  target: Target,
  context: CleanupContext,
): Promise<string | undefined> {
  const { clock, signal, deadline, logger } = context;
  let told = false;
  return poll({
    read: async () => (await unlessGone(() => readEndpoint(sagemaker, name, signal)))?.status,
    done: (status) => {
      const busy = status !== undefined && changing.includes(status);
      if (busy && !told)
        logger.info(`The endpoint ${name} in ${place(target)} is ${status}; waiting until it can be deleted`);
      told ||= busy;
      return !busy;
    },
    clock,
    signal,
    deadline,
    onDeadline: (status) =>
      stillRunning({
        resource: name,
        ...target,
        where: `The endpoint ${name} was ${status}`,
        resume: 're-run this job; it goes on with what is left',
      }),
  });
}

/** Waits until no endpoint of the project changes in a target: CloudFormation could not delete it before. */
export function settler(targets: readonly FoundTarget[], context: CleanupContext): (target: Target) => Promise<void> {
  const known = new Map(targets.map((found) => [place(found), found]));
  return async (target) => {
    const found = known.get(place(target));
    if (found === undefined) return;
    const sagemaker = inTarget(target, context).service(SageMakerClient);
    for (const { name } of found.endpoints) {
      try {
        await untilSettled(sagemaker, name, target, context);
      } catch (error) {
        // Waiting is a courtesy: whether the stack can be deleted is CloudFormation's to say.
        if (!(error instanceof FailureError) || error.status === 'still-running') throw error;
      }
    }
  };
}

/** What an endpoint that stays needs: its configuration, that one's model, and its log group. */
async function neededBy(sagemaker: Service, endpoint: string, { signal }: CleanupContext): Promise<string[]> {
  const found = await unlessGone(() => readEndpoint(sagemaker, endpoint, signal));
  if (found === undefined) return [];
  const facts = await unlessGone(() => readConfiguration(sagemaker, found.configuration, signal));
  const models = facts?.modelName === undefined ? [] : [facts.modelName];
  return [found.configuration, ...models, `/aws/sagemaker/Endpoints/${endpoint}`];
}

/** One account and region while things are removed there. */
interface Work {
  target: FoundTarget;
  aws: Aws;
  sagemaker: Service;
  context: CleanupContext;
  record: Recorder;
}

/** Deletes stacks that no set knows. One that fails is tried once more when all else is gone: then it may have nothing to fail at. */
async function removeStacks(
  { target, aws, context, record }: Work,
  givenUp: readonly Item[],
): Promise<() => Promise<void>> {
  const again: Item[] = [];
  const present: Item[] = [...target.stacks];
  for (const item of givenUp) if ((await readStack(aws, item.name, context.signal)) !== undefined) present.push(item);
  for (const item of present) {
    try {
      await deleteRetainedStack(aws, item, context);
      await record.attempt(item, async () => undefined);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof FailureError) || error.status === 'still-running') throw error;
      again.push(item);
    }
  }
  return async () => {
    for (const item of again) await record.attempt(item, () => deleteRetainedStack(aws, item, context));
  };
}

async function deleteEndpoint(name: string, { target, sagemaker, context }: Work): Promise<string | undefined> {
  const { signal } = context;
  const status = await untilSettled(sagemaker, name, target, context);
  if (status === undefined) return 'removed with its stack:';
  await sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }), { resource: name, signal });
  const after = await untilSettled(sagemaker, name, target, context);
  if (after === undefined) return undefined;
  throw new FailureError({
    code: 'Conflict',
    cause: `The endpoint ${name} is ${after} although its deletion was asked for`,
  });
}

/** Deletes the endpoints. Resolves to the names of what those that stay need, each with the reason. */
async function removeEndpoints(work: Work, instanceLeft: boolean): Promise<Map<string, Failure>> {
  const { target, sagemaker, context, record } = work;
  const { signal } = context;
  const needed = new Map<string, Failure>();
  for (const item of target.endpoints) {
    const { name } = item;
    const there = () => readEndpoint(sagemaker, name, signal);
    const served = instanceLeft && (await unlessGone(there)) !== undefined;
    const reason: Failure = {
      code: 'Conflict',
      cause: served
        ? `The endpoint ${name} still serves, because its stack instance could not be removed`
        : `The endpoint ${name} could not be removed, and needs it`,
      hint: `Mend what keeps the ${served ? 'instance' : 'endpoint'}, then run cleanup again`,
    };
    if (served) record.fail(item, reason);
    else if (await record.attempt(item, () => deleteEndpoint(name, work), there)) continue;
    for (const one of await neededBy(sagemaker, name, context)) needed.set(one, reason);
  }
  return needed;
}

/**
 * Deletes a configuration or a model. Looked at first: a right that asks for a tag is refused on what its stack has taken along.
 */
async function removeTagged(
  { record }: Work,
  item: Item,
  look: () => Promise<unknown>,
  remove: () => Promise<unknown>,
): Promise<void> {
  await record.attempt(
    item,
    async () => {
      if ((await unlessGone(look)) === undefined) return 'removed with its stack:';
      await remove();
      return undefined;
    },
    look,
  );
}

async function removeRest(work: Work, needed: ReadonlyMap<string, Failure>): Promise<void> {
  const { target, aws, sagemaker, context, record } = work;
  const { signal } = context;
  const each = (items: readonly Item[], remove: (item: Item) => Promise<unknown>) =>
    eachOf(items, deletionsAtOnce, async (item) => {
      const reason = needed.get(item.name);
      if (reason === undefined) await remove(item);
      else record.fail(item, reason);
    });
  const sending = ({ name }: Item) => ({ resource: name, signal });
  await each(target.configurations, (item) => {
    const named = { EndpointConfigName: item.name };
    return removeTagged(
      work,
      item,
      () => sagemaker.send(new DescribeEndpointConfigCommand(named), sending(item)),
      () => sagemaker.send(new DeleteEndpointConfigCommand(named), sending(item)),
    );
  });
  await each(target.models, (item) => {
    const named = { ModelName: item.name };
    return removeTagged(
      work,
      item,
      () => sagemaker.send(new DescribeModelCommand(named), sending(item)),
      () => sagemaker.send(new DeleteModelCommand(named), sending(item)),
    );
  });
  await each(target.logGroups, (item) =>
    record.attempt(item, async () => {
      const logs = aws.service(CloudWatchLogsClient);
      await logs.send(new DeleteLogGroupCommand({ logGroupName: item.name }), sending(item));
      return undefined;
    }),
  );
}

const itemsOf = ({ stacks, endpoints, configurations, models, logGroups }: FoundTarget): Item[] => [
  ...stacks,
  ...endpoints,
  ...configurations,
  ...models,
  ...logGroups,
];

/** What is in the targets besides instances: retained stacks, endpoints, configurations, models, log groups. */
export function targetPart(targets: readonly FoundTarget[], outcome: InstancesOutcome, context: CleanupContext): Part {
  return {
    items: targets.flatMap(itemsOf),
    remove: (record) =>
      eachOf(targets, accountsAtOnce, async (target) => {
        const aws = inTarget(target, context);
        const work: Work = { target, aws, sagemaker: aws.service(SageMakerClient), context, record };
        try {
          const removeStubborn = await removeStacks(work, outcome.givenUp.get(place(target)) ?? []);
          const needed = await removeEndpoints(work, outcome.remaining.has(place(target)));
          await removeRest(work, needed);
          await removeStubborn();
        } catch (error) {
          // One account must not keep the others from being cleaned up.
          context.signal.throwIfAborted();
          record.failRest(itemsOf(target), error);
        }
      }),
  };
}
