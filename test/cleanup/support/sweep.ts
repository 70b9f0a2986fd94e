/** Everything that exists in every account, read by an administrator and by nothing of the product: the judge of a cleanup. */
import { ListStackInstancesCommand, ListStackSetsCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeLogGroupsCommand, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import {
  ListBucketsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import {
  ListEndpointConfigsCommand,
  ListEndpointsCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
  ListModelsCommand,
  ListMonitoringSchedulesCommand,
  ListPipelineExecutionsCommand,
  ListPipelinesCommand,
  ListTagsCommand,
} from '@aws-sdk/client-sagemaker';
import type { World } from '../../actions/support/world.ts';
import { accounts } from '../../support/platform.ts';
import type { Names } from './projects.ts';

type Page<T> = { items: T[] | undefined; next: string | undefined };

async function all<T>(read: (token: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const page = await read(token);
    found.push(...(page.items ?? []));
    token = page.next;
  } while (token !== undefined);
  return found;
}

async function sweepAccount(world: World, account: string): Promise<string[]> {
  const { cloudformation, sagemaker, s3, logs, kms } = world.administrator(account);
  const lines: string[] = [];
  const say = (kind: string, ...names: (string | undefined)[]) => lines.push(`${account} ${kind} ${names.join(' ')}`);
  const owner = async (arn: string | undefined) =>
    (await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }))).Tags?.find(
      ({ Key }) => Key === 'sagemaker:project-id',
    )?.Value ?? '-';

  const live = [
    'CREATE_COMPLETE',
    'DELETE_FAILED',
    'DELETE_IN_PROGRESS',
    'UPDATE_COMPLETE',
    'ROLLBACK_COMPLETE',
  ] as const;
  for (const stack of await all(async (NextToken) => {
    const page = await cloudformation.send(new ListStacksCommand({ NextToken, StackStatusFilter: [...live] }));
    return { items: page.StackSummaries, next: page.NextToken };
  }))
    say('stack', stack.StackName?.replace(/-[0-9a-f-]{36}$/, ''), stack.StackStatus);
  const sets = await all(async (NextToken) => {
    const page = await cloudformation.send(new ListStackSetsCommand({ Status: 'ACTIVE', NextToken }));
    return { items: page.Summaries, next: page.NextToken };
  });
  for (const { StackSetName } of sets) {
    say('set', StackSetName);
    const instances = await all(async (NextToken) => {
      const page = await cloudformation.send(new ListStackInstancesCommand({ StackSetName, NextToken }));
      return { items: page.Summaries, next: page.NextToken };
    });
    for (const one of instances) say('instance', StackSetName, one.Account, one.Region, one.Status);
  }
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListEndpointsCommand({ NextToken }));
    return { items: page.Endpoints, next: page.NextToken };
  }))
    say('endpoint', one.EndpointName);
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListEndpointConfigsCommand({ NextToken }));
    return { items: page.EndpointConfigs, next: page.NextToken };
  }))
    say('configuration', await owner(one.EndpointConfigArn), one.EndpointConfigName);
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListModelsCommand({ NextToken }));
    return { items: page.Models, next: page.NextToken };
  }))
    say('model', await owner(one.ModelArn), one.ModelName);
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListMonitoringSchedulesCommand({ NextToken }));
    return { items: page.MonitoringScheduleSummaries, next: page.NextToken };
  }))
    say('schedule', one.MonitoringScheduleName, one.MonitoringScheduleStatus, one.EndpointName);
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListModelPackageGroupsCommand({ NextToken }));
    return { items: page.ModelPackageGroupSummaryList, next: page.NextToken };
  })) {
    say('group', one.ModelPackageGroupName);
    const packages = await all(async (NextToken) => {
      const page = await sagemaker.send(
        new ListModelPackagesCommand({ ModelPackageGroupName: one.ModelPackageGroupName, NextToken }),
      );
      return { items: page.ModelPackageSummaryList, next: page.NextToken };
    });
    for (const each of packages) say('package', each.ModelPackageArn);
  }
  for (const one of await all(async (NextToken) => {
    const page = await sagemaker.send(new ListPipelinesCommand({ NextToken }));
    return { items: page.PipelineSummaries, next: page.NextToken };
  })) {
    say('pipeline', one.PipelineName);
    const executions = await all(async (NextToken) => {
      const page = await sagemaker.send(
        new ListPipelineExecutionsCommand({ PipelineName: one.PipelineName, NextToken }),
      );
      return { items: page.PipelineExecutionSummaries, next: page.NextToken };
    });
    for (const each of executions) say('execution', one.PipelineName, each.PipelineExecutionArn);
  }
  for (const { Name } of (await s3.send(new ListBucketsCommand({}))).Buckets ?? []) {
    say('bucket', Name);
    let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
    while (next !== undefined) {
      const page: ListObjectVersionsCommandOutput = await s3.send(
        new ListObjectVersionsCommand({ Bucket: Name, ...next }),
      );
      for (const each of page.Versions ?? []) say('version', Name, each.Key, each.VersionId);
      for (const each of page.DeleteMarkers ?? []) say('marker', Name, each.Key, each.VersionId);
      next = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! }
        : undefined;
    }
  }
  for (const { logGroupName } of await all(async (nextToken) => {
    const page = await logs.send(new DescribeLogGroupsCommand({ nextToken }));
    return { items: page.logGroups, next: page.nextToken };
  })) {
    say('log-group', logGroupName);
    const streams = await all(async (nextToken) => {
      const page = await logs.send(new DescribeLogStreamsCommand({ logGroupName: logGroupName!, nextToken }));
      return { items: page.logStreams, next: page.nextToken };
    });
    for (const each of streams) say('stream', logGroupName, each.logStreamName);
  }
  for (const { KeyId } of (await kms.send(new ListKeysCommand({}))).Keys ?? []) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: KeyId! }));
    if (KeyMetadata?.KeyManager === 'CUSTOMER') say('key', KeyMetadata.Description, KeyMetadata.KeyState);
  }
  return lines;
}

/** One sorted line per thing. */
export async function sweep(world: World): Promise<string[]> {
  return (await Promise.all(Object.values(accounts).map((account) => sweepAccount(world, account)))).flat().sort();
}

/** The lines about one project; streams of jobs are told by its executions. */
export function linesOf(lines: readonly string[], { base, id, name }: Names, executions: readonly string[]): string[] {
  const ids = executions.map((arn) => `pipelines-${arn.split('/').at(-1)}-`);
  return lines.filter(
    (line) =>
      line.includes(base) ||
      line.includes(` ${id} `) ||
      new RegExp(`project ${name} (Enabled|PendingDeletion)$`).test(line) ||
      ids.some((prefix) => line.includes(prefix)),
  );
}
