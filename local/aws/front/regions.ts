import { partitionOf } from '../core/arn.ts';
import type { World } from '../core/world.ts';

/** Where each partition's services without a region live. */
const globalRegion = { aws: 'us-east-1', 'aws-cn': 'cn-north-1', 'aws-us-gov': 'us-gov-west-1' } as const;

/**
 * Why the accounts of the world do not answer in a region; undefined where they do. Services without a region, and the
 * global endpoint of STS, answer in any world.
 */
export function whyDisabled(
  { region: home, regions }: Pick<World, 'region' | 'regions'>,
  service: string,
  region: string,
): string | undefined {
  if (regions === undefined || regions.includes(region)) return undefined;
  if (service === 'iam' || service === 'organizations') return undefined;
  if (service === 'sts' && region === globalRegion[partitionOf(home)]) return undefined;
  return `the region ${region} is not enabled for the accounts of this world, which answer in ${regions.join(', ')}`;
}
