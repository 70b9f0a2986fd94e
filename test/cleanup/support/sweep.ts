/** Everything that exists in every account, read by an administrator and by nothing of the product: the judge of a cleanup. */
import { ListStackInstancesCommand, ListStackSetsCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeLogGroupsCommand, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListRolesCommand } from '@aws-sdk/client-iam';
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
import { DescribeParametersCommand } from '@aws-sdk/client-ssm';
import type { World } from '../../actions/support/world.ts';
import { accounts, region } from '../../support/platform.ts';
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

async function sweepAccount(world: World, account: string, inRegion: string): Promise<string[]> {
  const { cloudformation, sagemaker, s3, logs, kms, iam, ssm } = world.administrator(account, inRegion);
  const lines: string[] = [];
  const where = inRegion === region ? account : `${account}/${inRegion}`;
  const say = (kind: string, ...names: (string | undefined)[]) => lines.push(`${where} ${kind} ${names.join(' ')}`);
  const owner = async (arn: string | undefined) =>
    (await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }))).Tags?.find(
      ({ Key }) => Key === 'sagemaker:project-id',
    )?.Value ?? '-';

  for (const stack of await all(async (NextToken) => {
    const page = await cloudformation.send(new ListStacksCommand({ NextToken }));
    return { items: page.StackSummaries, next: page.NextToken };
  })) {
    if (stack.StackStatus === 'DELETE_COMPLETE') continue;
    say('stack', stack.StackName?.replace(/-[0-9a-f-]{36}$/, ''), stack.StackStatus);
  }
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
  const worldwide = inRegion === region;
  for (const { Name } of worldwide ? ((await s3.send(new ListBucketsCommand({}))).Buckets ?? []) : []) {
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
  if (worldwide)
    for (const { RoleName } of await all(async (Marker) => {
      const page = await iam.send(new ListRolesCommand({ Marker }));
      return { items: page.Roles, next: page.Marker };
    }))
      say('role', RoleName);
  for (const { Name } of await all(async (NextToken) => {
    const page = await ssm.send(new DescribeParametersCommand({ NextToken }));
    return { items: page.Parameters, next: page.NextToken };
  }))
    say('parameter', Name);
  for (const { KeyId } of await all(async (Marker) => {
    const page = await kms.send(new ListKeysCommand({ Marker }));
    return { items: page.Keys, next: page.NextMarker };
  })) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: KeyId! }));
    if (KeyMetadata?.KeyManager === 'CUSTOMER') say('key', KeyMetadata.Description, KeyMetadata.KeyState);
  }
  return lines;
}

/** One sorted line per thing; an account in another region than the world's is told as account/region. */
export async function sweep(world: World, regions: readonly string[] = [region]): Promise<string[]> {
  const places = regions.flatMap((each) => Object.values(accounts).map((account) => [account, each] as const));
  return (await Promise.all(places.map(([account, each]) => sweepAccount(world, account, each)))).flat().sort();
}

/** What stays when neither roles nor project are to be deleted. */
export const staying = / (stack sagemaker-|bucket |group |key |role |parameter )/;

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
