import type { Partition } from '../aws/partition.ts';
import type { Project } from '../names.ts';

export type { Project };

/** Names that are made once and used by templates, roles and actions alike. */
export function groupName({ name, id }: Project): string {
  return `${name}-${id}`;
}

export function stackSetName(project: Project, stage: string): string {
  return stackSetOfGroup(groupName(project), stage);
}

export function stackSetOfGroup(group: string, stage: string): string {
  return `sagemaker-${group}-deploy-${stage}`;
}

export function endpointName({ name, id }: Project, stage: string): string {
  return `${name}-${id}-${stage}`;
}

export function roleName({ name, id }: Project, suffix: string): string {
  return `sagemaker-${name}-${id}-${suffix}`;
}

export function roleArn(partition: Partition, account: string, project: Project, suffix: string): string {
  return `arn:${partition}:iam::${account}:role/${roleName(project, suffix)}`;
}

/** Group, version of a model package ARN; undefined for anything else. */
export function parsePackageArn(
  arn: string,
): { account: string; region: string; group: string; version: number } | undefined {
  const match = /^arn:[a-z-]+:sagemaker:([a-z0-9-]+):(\d{12}):model-package\/([A-Za-z0-9-]+)\/(\d+)$/.exec(arn);
  if (match === null) return undefined;
  const [, region = '', account = '', group = '', version = ''] = match;
  return { account, region, group: group.toLowerCase(), version: Number(version) };
}
