import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** An image of AWS's own registries, taken apart: `141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0`. */
export interface KnownImage {
  repository: string;
  /** The tag without the suffix for processor and Python version: 3.2-0. */
  version: string;
  region: string;
}

export interface ImageUri {
  account: string;
  region: string;
  repository: string;
  tag: string;
}

// ACCOUNT.dkr.ecr.REGION.DOMAIN/REPOSITORY:TAG, or @sha256:DIGEST instead of the tag.
const ecrUri =
  /^(?<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.(?:[a-z0-9.-]+)\/(?<repository>[a-z0-9][a-z0-9._/-]*)(?::(?<tag>[\w][\w.-]*)|@(?<digest>sha256:[0-9a-f]{64}))$/;

/**
 * Versions of AWS's images that this platform can stand in for. Source: image tables of the SageMaker Python SDK 3.27. XGBoost
 * before 1.3 keeps its models as pickles, which run code when they are read: there are no stand-ins for those.
 */
const knownVersions: Record<string, readonly string[]> = {
  'sagemaker-xgboost': ['1.3-1', '1.5-1', '1.7-1', '3.0-5', '3.2-0'],
  'sagemaker-scikit-learn': ['0.20.0', '0.23-1', '1.0-1', '1.2-1', '1.4-2', '1.9-0'],
};

/** AWS's registry account of each image and region: the same image under another account is not AWS's. */
const registries: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(new URL('./image-registries.generated.json', import.meta.url), 'utf8'),
);

function isRegistryOf(repository: string, region: string, account: string): boolean {
  return registries[repository]?.[region] === account;
}

/** Undefined for a text that is no ECR image URI with a tag. */
export function parseImageUri(uri: string): ImageUri | undefined {
  const groups = ecrUri.exec(uri)?.groups;
  if (groups === undefined || groups['tag'] === undefined) return undefined;
  return {
    account: groups['account']!,
    region: groups['region']!,
    repository: groups['repository']!,
    tag: groups['tag'],
  };
}

/** The image when it is one of AWS's that the platform stands in for, named by its tag or by its (stand-in) digest. */
export function knownImage(uri: string): KnownImage | undefined {
  const byDigest = ecrUri.exec(uri)?.groups;
  if (byDigest?.['digest'] !== undefined) {
    const repository = byDigest['repository']!;
    if (!isRegistryOf(repository, byDigest['region']!, byDigest['account']!)) return undefined;
    const version = knownVersions[repository]?.find((one) => standInDigest(repository, one) === byDigest['digest']);
    return version === undefined ? undefined : { repository, version, region: byDigest['region']! };
  }
  const parsed = parseImageUri(uri);
  if (parsed === undefined || !isRegistryOf(parsed.repository, parsed.region, parsed.account)) return undefined;
  const version = parsed.tag.replace(/-(?:cpu|gpu)-py3$/, '');
  if (knownVersions[parsed.repository]?.includes(version) !== true) return undefined;
  return { repository: parsed.repository, version, region: parsed.region };
}

/** Names of the images that the platform stands in for, for messages. */
export const knownRepositories: readonly string[] = Object.keys(knownVersions);

/**
 * The digest of an image, as ECR would tell it. AWS's images cannot be pulled here, so these are stand-ins, made from
 * repository and version: the same in every region and on every start, and different from any real digest. Undefined for
 * an image that this platform does not know; one that is named by its digest has that digest.
 */
export function imageDigest(uri: string): string | undefined {
  const digest = ecrUri.exec(uri)?.groups?.['digest'];
  if (digest !== undefined) return digest;
  const image = knownImage(uri);
  if (image === undefined) return undefined;
  return standInDigest(image.repository, image.version);
}

function standInDigest(repository: string, version: string): string {
  const name = `sagemaker-mlops local stand-in for ${repository}:${version}`;
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}
