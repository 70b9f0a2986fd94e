import { type Definition, places } from './definition.ts';

const placeholder = /^arn:aws:iam::000000000000:/;
const findings: readonly (readonly [RegExp, string])[] = [
  [/arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:\d{12}:/, 'an ARN of one account'],
  [/\b\d{12}\.dkr\.ecr\./, 'an image in the registry of one account'],
  [/^s3:\/\//i, 'a bucket'],
  [/\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-[a-z]+)+-\d\b/, 'a region'],
];

/**
 * What ties a definition to one account, bucket or region: it is valid there and breaks, or mixes environments up, anywhere
 * else. One sentence each, beginning with the place.
 */
export function portabilityAdvice(definition: Definition): string[] {
  const advice: string[] = [];
  for (const { path, value } of places(definition)) {
    if (typeof value !== 'string' || placeholder.test(value)) continue;
    const found = findings.find(([pattern]) => pattern.test(value));
    if (found !== undefined) {
      advice.push(
        `${path}: names ${found[1]} (${value.length > 100 ? `${value.slice(0, 100)}...` : value}); as a parameter it would fit every account and region.`,
      );
    }
  }
  return advice;
}
