import { partitionOf } from '../aws/partition.ts';
import type { Failure } from '../failure.ts';
import { didYouMean } from '../github/suggest.ts';
import registries from './image-registries.generated.json' with { type: 'json' };

const table: Readonly<Record<string, Readonly<Record<string, string>>>> = registries;

/** URI of an AWS image in a region: its registry there, repository and tag. A problem when AWS has none there. */
export function imageUri(
  file: string,
  parameter: string,
  image: string,
  region: string,
): { uri?: string; problem?: Failure } {
  const [repository = ''] = image.split(':');
  const hosts = table[repository];
  const host = hosts?.[region];
  if (host !== undefined) return { uri: `${host}/${image}` };
  const cause =
    hosts === undefined
      ? `Image ${image} (${parameter}): no AWS registry is known for ${repository}${didYouMean(repository, Object.keys(table))}`
      : `Image ${image} (${parameter}): AWS has no registry for ${repository} in ${region} (partition ${partitionOf(region)})`;
  return {
    problem: {
      code: 'InvalidConfiguration',
      resource: file,
      logicalId: parameter,
      cause,
      hint: 'Give the whole image URI under `parameters` instead',
    },
  };
}
