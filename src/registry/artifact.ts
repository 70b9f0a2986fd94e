import { createHash } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { parseS3Uri } from '../aws/s3.ts';
import type { Service } from '../aws/session.ts';
import { sha256 } from '../aws/token.ts';
import { FailureError } from '../failure.ts';
import type { ModelPackage } from './package.ts';

/** What pins a model: the archive's own hash, its ETag in this bucket and the image as the registry resolved it. */
export interface Artifact {
  /** Of several containers: the hash over their hashes, in order. */
  sha256: string;
  /** Without quotation marks; of several containers joined by a dash. */
  etag: string;
  imageDigest: string | undefined;
  uris: string[];
  bytes: number;
}

/** URIs of the archives of all containers, in order. */
export function modelUris(found: ModelPackage): string[] {
  return (found.InferenceSpecification?.Containers ?? [])
    .map((container) => container.ModelDataUrl ?? container.ModelDataSource?.S3DataSource?.S3Uri)
    .filter((uri) => uri !== undefined);
}

/** Image digests of all containers joined by a space; undefined when the registry recorded none for one of them. */
export function imageDigest(found: ModelPackage): string | undefined {
  const digests = (found.InferenceSpecification?.Containers ?? []).map(({ ImageDigest }) => ImageDigest);
  return digests.length === 0 || digests.some((digest) => digest === undefined || digest === '')
    ? undefined
    : digests.join(' ');
}

async function hashObject(
  s3: Service,
  uri: string,
  signal: AbortSignal,
): Promise<{ sha256: string; etag: string; bytes: number }> {
  const { bucket, key } = parseS3Uri(uri);
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { resource: uri, signal });
  const hash = createHash('sha256');
  let bytes = 0;
  // Never held whole: archives of several gigabytes are common.
  for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (answer.ContentLength !== undefined && bytes !== answer.ContentLength) {
    throw new FailureError({
      code: 'NetworkError',
      resource: uri,
      cause: `Only ${bytes} of ${answer.ContentLength} bytes of ${uri} arrived`,
      hint: 'Re-run this job',
    });
  }
  return { sha256: hash.digest('hex'), etag: (answer.ETag ?? '').replaceAll('"', ''), bytes };
}

/** Reads the package's archives as they are now and hashes them; a changed or missing archive is a failure of its own. */
export async function hashArtifact(s3: Service, found: ModelPackage, signal: AbortSignal): Promise<Artifact> {
  const uris = modelUris(found);
  if (uris.length === 0) {
    throw new FailureError({
      code: 'EvidenceMissing',
      resource: found.ModelPackageArn ?? '',
      cause: 'The package has no model archive',
      hint: 'Register it with an inference specification whose containers name their model data',
    });
  }
  const parts = [];
  for (const uri of uris) parts.push(await hashObject(s3, uri, signal));
  const recorded = (found.InferenceSpecification?.Containers ?? []).map((container) =>
    (container.ModelDataETag ?? container.ModelDataSource?.S3DataSource?.ETag)?.replaceAll('"', ''),
  );
  parts.forEach((part, index) => {
    const expected = recorded[index];
    if (expected !== undefined && expected !== '' && expected !== part.etag) {
      throw new FailureError({
        code: 'ArtifactChanged',
        resource: uris[index] ?? '',
        cause: `${uris[index]} was changed after registration: ETag ${expected} was recorded, ${part.etag} was found`,
        hint: 'Build the model again',
      });
    }
  });
  const [only] = parts;
  return {
    sha256:
      parts.length === 1 && only !== undefined ? only.sha256 : sha256(parts.map((part) => part.sha256).join('\n')),
    etag: parts.map(({ etag }) => etag).join('-'),
    imageDigest: imageDigest(found),
    uris,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
