/** What deployments leave in the accounts they went to: retained stacks, endpoints, replaced models and configurations, log groups. */
import { CloudWatchLogsClient, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  ListEndpointConfigsCommand,
  ListModelsCommand,
  ListMonitoringSchedulesCommand,
  ListTagsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import type { Aws, Service } from '../aws/session.ts';
import { endpointName, roleArn, stackSetName } from '../deploy/names.ts';
import { readEndpoint } from '../endpoints/read.ts';
import { place, type Target } from '../stacksets/model.ts';
import {
  atOnce,
  type CleanupContext,
  eachOf,
  type Item,
  isOurs,
  type Kept,
  notOurs,
  pages,
  unlessGone,
} from './part.ts';
import { listStacks, readStack } from './stack.ts';

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

/** Makes the items of one place. */
const itemsOf =
  ({ account, region }: Target) =>
  (kind: Item['kind'], name: string, note?: string): Item => ({
    kind,
    account,
    region,
    name,
    ...(note === undefined ? {} : { note }),
  });

/** Stacks of stack sets that were retained when their instance was given up. `withInstance` go with theirs. */
async function findRetainedStacks(
  aws: Aws,
  target: Target,
  withInstance: ReadonlySet<string>,
  kept: Kept[],
  { project, signal }: CleanupContext,
): Promise<Item[]> {
  const item = itemsOf(target);
  const found: Item[] = [];
  for (const { name, id } of await listStacks(aws, `StackSet-${stackSetName(project, '')}`, signal)) {
    if (withInstance.has(id)) continue;
    const stack = await readStack(aws, id, signal);
    if (isOurs(project, stack?.Tags)) found.push(item('stack', name, 'retained when its instance was given up'));
    else if (stack !== undefined) kept.push({ ...item('stack', name), because: notOurs(project) });
  }
  return found;
}

/** The stage that the roles of an account were made for; they can do nothing for another one. */
async function stageOfRoles(aws: Aws, { names, signal }: CleanupContext): Promise<string[]> {
  const stack = await readStack(aws, `sagemaker-${names.base}-target-roles`, signal);
  const stage = stack?.Parameters?.find(({ ParameterKey }) => ParameterKey === 'EnvType')?.ParameterValue;
  return stage === undefined ? [] : [stage];
}

/** The endpoint of one stage with its schedules and its log group. */
async function findEndpoint(
  aws: Aws,
  target: Target,
  stage: string,
  kept: Kept[],
  context: CleanupContext,
): Promise<Pick<FoundTarget, 'endpoints' | 'schedules' | 'logGroups'>> {
  const { project, signal } = context;
  const item = itemsOf(target);
  const sagemaker = aws.service(SageMakerClient);
  const name = endpointName(project, stage);
  const endpoint = await unlessGone(() => readEndpoint(sagemaker, name, signal));
  if (endpoint !== undefined && !(await ownedBy(sagemaker, endpoint.arn, context))) {
    kept.push({ ...item('endpoint', name), because: notOurs(project) });
    return { endpoints: [], schedules: [], logGroups: [] };
  }
  const schedules: Item[] = [];
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
    aws
      .service(CloudWatchLogsClient)
      .send(new DescribeLogStreamsCommand({ logGroupName: group, limit: 1 }), { resource: group, signal }),
  );
  return {
    endpoints: endpoint === undefined ? [] : [item('endpoint', name, endpoint.status)],
    schedules,
    logGroups: exists === undefined ? [] : [item('endpoint log group', group)],
  };
}

/** Everything of the project in one account and region. `stages` are those whose endpoints may be there; none: the roles there say it. */
export async function findTarget(
  target: Target,
  stages: readonly string[],
  /** Stacks that go with their instances. */
  stackIds: ReadonlySet<string>,
  context: CleanupContext,
): Promise<{ found: FoundTarget; kept: Kept[] }> {
  const { signal } = context;
  const aws = inTarget(target, context);
  const sagemaker = aws.service(SageMakerClient);
  const item = itemsOf(target);
  const kept: Kept[] = [];
  const stacks = await findRetainedStacks(aws, target, stackIds, kept, context);
  const ofStages = [];
  for (const stage of stages.length > 0 ? stages : await stageOfRoles(aws, context))
    ofStages.push(await findEndpoint(aws, target, stage, kept, context));
  const owned = async (
    kind: Item['kind'],
    all: { name: string | undefined; arn: string | undefined }[],
  ): Promise<Item[]> => {
    const mine = new Set<string>();
    await eachOf(all, atOnce, async ({ name = '', arn = '' }) => {
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
      account: target.account,
      region: target.region,
      stacks,
      endpoints: ofStages.flatMap((each) => each.endpoints),
      schedules: ofStages.flatMap((each) => each.schedules),
      logGroups: ofStages.flatMap((each) => each.logGroups),
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
