/** What deployments leave in the accounts they went to: replaced models and configurations, endpoints, their log groups. */
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogStreamsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DeleteMonitoringScheduleCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  ListEndpointConfigsCommand,
  ListModelsCommand,
  ListMonitoringSchedulesCommand,
  ListTagsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { poll, stillRunning } from '../aws/poll.ts';
import type { Aws, Service } from '../aws/session.ts';
import { endpointName, roleArn, stackSetName } from '../deploy/names.ts';
import { readConfiguration, readEndpoint } from '../endpoints/read.ts';
import { type Failure, FailureError } from '../failure.ts';
import { place, type Target } from '../stacksets/model.ts';
import {
  type CleanupContext,
  eachOf,
  type Item,
  isOurs,
  type Kept,
  notOurs,
  type Part,
  pages,
  unlessGone,
} from './part.ts';
import { deleteStack, listStacks, readStack } from './stack.ts';

export interface FoundTarget extends Target {
  /** Stacks of stack sets that were retained when their instance was given up. */
  stacks: readonly Item[];
  /** Of the project's endpoints; they go before their endpoint. */
  schedules: readonly Item[];
  /** The project's endpoints here, changing or not. */
  endpoints: readonly Item[];
  configurations: readonly Item[];
  models: readonly Item[];
  logGroups: readonly Item[];
}

/** Endpoints in these states accept neither an update nor their deletion. */
const changing = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];
const readsAtOnce = 6;

const sessions = new WeakMap<CleanupContext, Map<string, Aws>>();

/** A target account as its cleanup role sees it; one session per account and region. */
export function inTarget(target: Target, context: CleanupContext): Aws {
  const { aws, project, targetRole } = context;
  const known = sessions.get(context) ?? new Map<string, Aws>();
  sessions.set(context, known);
  const key = place(target);
  const session =
    known.get(key) ?? aws.assume(roleArn(aws.partition, target.account, project, targetRole), target.region);
  known.set(key, session);
  return session;
}

async function ownedBy(sagemaker: Service, arn: string, { project, signal }: CleanupContext): Promise<boolean> {
  const answer = await unlessGone(() =>
    sagemaker.send(new ListTagsCommand({ ResourceArn: arn }), { resource: arn, signal }),
  );
  return isOurs(project, answer?.Tags);
}

/** Everything of the project in one account and region. `stages` are those whose endpoints may be there. */
export async function findTarget(
  target: Target,
  stages: readonly string[],
  /** Stacks that go with their instances. */
  stackIds: ReadonlySet<string>,
  context: CleanupContext,
): Promise<{ found: FoundTarget; kept: Kept[] }> {
  const { project, signal } = context;
  const aws = inTarget(target, context);
  const sagemaker = aws.service(SageMakerClient);
  const logs = aws.service(CloudWatchLogsClient);
  const item = (kind: Item['kind'], name: string, note?: string): Item => ({
    kind,
    account: target.account,
    region: target.region,
    name,
    ...(note === undefined ? {} : { note }),
  });
  const kept: Kept[] = [];
  const stacks: Item[] = [];
  for (const { name, id } of await listStacks(aws, `StackSet-${stackSetName(project, '')}`, signal)) {
    if (stackIds.has(id)) continue;
    const stack = await readStack(aws, id, signal);
    if (isOurs(project, stack?.Tags)) stacks.push(item('stack', name, 'retained when its instance was given up'));
    else if (stack !== undefined) kept.push({ ...item('stack', name), because: notOurs(project) });
  }
  const schedules: Item[] = [];
  const endpoints: Item[] = [];
  const logGroups: Item[] = [];
  for (const stage of stages) {
    const name = endpointName(project, stage);
    const endpoint = await unlessGone(() => readEndpoint(sagemaker, name, signal));
    if (endpoint !== undefined && !(await ownedBy(sagemaker, endpoint.arn, context))) {
      kept.push({ ...item('endpoint', name), because: notOurs(project) });
      continue;
    }
    if (endpoint !== undefined) endpoints.push(item('endpoint', name, endpoint.status));
    const watching = await pages(async (token) => {
      const page = await sagemaker.send(
        new ListMonitoringSchedulesCommand({ EndpointName: name, MaxResults: 100, NextToken: token }),
        { resource: name, signal },
      );
      return { items: page.MonitoringScheduleSummaries, next: page.NextToken };
    });
    for (const { MonitoringScheduleName = '', MonitoringScheduleArn = '' } of watching) {
      const schedule = item('monitoring schedule', MonitoringScheduleName);
      if (await ownedBy(sagemaker, MonitoringScheduleArn, context)) schedules.push(schedule);
      else kept.push({ ...schedule, because: notOurs(project) });
    }
    // SageMaker makes this group without tags; its name holds the project's id and belongs to the endpoint above.
    const group = `/aws/sagemaker/Endpoints/${name}`;
    const exists = await unlessGone(() =>
      logs.send(new DescribeLogStreamsCommand({ logGroupName: group, limit: 1 }), { resource: group, signal }),
    );
    if (exists !== undefined) logGroups.push(item('endpoint log group', group));
  }
  const owned = async (
    kind: Item['kind'],
    all: { name: string | undefined; arn: string | undefined }[],
  ): Promise<Item[]> => {
    const mine = new Set<string>();
    await eachOf(all, readsAtOnce, async ({ name = '', arn = '' }) => {
      if (await ownedBy(sagemaker, arn, context)) mine.add(name);
    });
    return [...mine].sort().map((name) => item(kind, name));
  };
  const configurations = await pages(async (token) => {
    const page = await sagemaker.send(new ListEndpointConfigsCommand({ MaxResults: 100, NextToken: token }), {
      signal,
    });
    return { items: page.EndpointConfigs, next: page.NextToken };
  });
  const models = await pages(async (token) => {
    const page = await sagemaker.send(new ListModelsCommand({ MaxResults: 100, NextToken: token }), { signal });
    return { items: page.Models, next: page.NextToken };
  });
  return {
    kept,
    found: {
      ...target,
      stacks,
      schedules,
      endpoints,
      logGroups,
      configurations: await owned(
        'endpoint configuration',
        configurations.map((each) => ({ name: each.EndpointConfigName, arn: each.EndpointConfigArn })),
      ),
      models: await owned(
        'model',
        models.map((each) => ({ name: each.ModelName, arn: each.ModelArn })),
      ),
    },
  };
}

async function untilSettled(
  sagemaker: Service,
  name: string,
  target: Target,
  context: CleanupContext,
): Promise<string | undefined> {
  const { clock, signal, deadline, logger } = context;
  let told = false;
  const last = await poll({
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
  return last;
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

/** The schedules of all endpoints: an endpoint that is monitored is not deleted before. */
export function schedulePart(targets: readonly FoundTarget[], context: CleanupContext): Part {
  const { signal } = context;
  return {
    items: targets.flatMap(({ schedules }) => schedules),
    remove: (record) =>
      eachOf(targets, 8, async (target) => {
        const sagemaker = inTarget(target, context).service(SageMakerClient);
        for (const item of target.schedules) {
          await record.attempt(item, async () => {
            const { name } = item;
            await sagemaker.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName: name }), {
              resource: name,
              signal,
            });
            return undefined;
          });
        }
      }),
  };
}

/** Endpoints and configurations that still serve in a target whose instance could not be removed stay whole. */
async function stillServed(sagemaker: Service, endpoint: string, context: CleanupContext): Promise<string[]> {
  const { signal } = context;
  const { configuration } = await readEndpoint(sagemaker, endpoint, signal);
  const facts = await unlessGone(() => readConfiguration(sagemaker, configuration, signal));
  return [configuration, ...(facts?.modelName === undefined ? [] : [facts.modelName])];
}

export function targetPart(
  targets: readonly FoundTarget[],
  remaining: ReadonlySet<string>,
  context: CleanupContext,
): Part {
  const { signal } = context;
  return {
    items: targets.flatMap(({ stacks, endpoints, configurations, models, logGroups }) => [
      ...stacks,
      ...endpoints,
      ...configurations,
      ...models,
      ...logGroups,
    ]),
    async remove(record) {
      await eachOf(targets, 8, async (target) => {
        const aws = inTarget(target, context);
        const sagemaker = aws.service(SageMakerClient);
        const logs = aws.service(CloudWatchLogsClient);
        for (const item of target.stacks) await record.attempt(item, () => deleteStack(aws, item, context));
        const used = new Map<string, Failure>();
        for (const item of target.endpoints) {
          const { name } = item;
          if (
            remaining.has(place(target)) &&
            (await unlessGone(() => readEndpoint(sagemaker, name, signal))) !== undefined
          ) {
            const cause: Failure = {
              code: 'Conflict',
              cause: `The endpoint ${name} still serves, because its stack instance could not be removed`,
              hint: 'Mend what keeps the instance, then run cleanup again',
            };
            record.fail(item, cause);
            for (const one of await stillServed(sagemaker, name, context)) used.set(one, cause);
            used.set(`/aws/sagemaker/Endpoints/${name}`, cause);
            continue;
          }
          await record.attempt(
            item,
            async () => {
              const status = await untilSettled(sagemaker, name, target, context);
              if (status === undefined) return 'removed with its stack:';
              await sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }), { resource: name, signal });
              const after = await untilSettled(sagemaker, name, target, context);
              if (after === undefined) return undefined;
              throw new FailureError({
                code: 'Conflict',
                cause: `The endpoint ${name} is ${after} although its deletion was asked for`,
              });
            },
            () => readEndpoint(sagemaker, name, signal),
          );
        }
        const remove = async (
          item: Item,
          work: (name: string) => Promise<string | undefined>,
          look?: (name: string) => Promise<unknown>,
        ) => {
          const cause = used.get(item.name);
          if (cause === undefined) await record.attempt(item, () => work(item.name), look && (() => look(item.name)));
          else record.fail(item, cause);
        };
        // Looked at first: a right that asks for a tag is refused on what its stack has taken along.
        const present = (
          item: Item,
          look: (name: string) => Promise<unknown>,
          work: (name: string) => Promise<unknown>,
        ) =>
          remove(
            item,
            async (name) => {
              if ((await unlessGone(() => look(name))) === undefined) return 'removed with its stack:';
              await work(name);
              return undefined;
            },
            look,
          );
        await eachOf(target.configurations, 4, (item) =>
          present(
            item,
            (name) =>
              sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }), {
                resource: name,
                signal,
              }),
            (name) =>
              sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName: name }), { resource: name, signal }),
          ),
        );
        await eachOf(target.models, 4, (item) =>
          present(
            item,
            (name) => sagemaker.send(new DescribeModelCommand({ ModelName: name }), { resource: name, signal }),
            (name) => sagemaker.send(new DeleteModelCommand({ ModelName: name }), { resource: name, signal }),
          ),
        );
        await eachOf(target.logGroups, 4, (item) =>
          remove(item, async (name) => {
            await logs.send(new DeleteLogGroupCommand({ logGroupName: name }), { resource: name, signal });
            return undefined;
          }),
        );
      });
    },
  };
}
