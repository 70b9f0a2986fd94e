import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { FailureError } from '../failure.ts';
import type { Service } from './session.ts';

export { S3Client };

export interface S3Location {
  bucket: string;
  key: string;
}

/** s3://BUCKET/KEY; throws when it is none. */
export function parseS3Uri(uri: string): S3Location {
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new FailureError({ code: 'InvalidConfiguration', resource: uri, cause: `${uri} is no S3 URI of an object` });
  }
  return { bucket: match[1], key: match[2] };
}

/** A small JSON document (metrics, property files) in S3. Larger than 5 MB or not JSON: a failure that names it. */
export async function readJson(s3: Service, uri: string): Promise<unknown> {
  const { bucket, key } = parseS3Uri(uri);
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { resource: uri });
  if ((answer.ContentLength ?? 0) > 5_000_000) {
    throw new FailureError({ code: 'EvidenceMissing', resource: uri, cause: `${uri} is larger than 5 MB` });
  }
  const text = (await answer.Body?.transformToString('utf-8')) ?? '';
  try {
    // Evaluation scripts write NaN, which is no JSON; Python reads it back, so do we (as null: no value to judge).
    return JSON.parse(text.replace(/([:[,]\s*)-?(NaN|Infinity)(?=\s*[,\]}])/g, '$1null'));
  } catch (error) {
    throw new FailureError({
      code: 'EvidenceMissing',
      resource: uri,
      cause: `${uri} holds no JSON: ${(error as Error).message}`,
    });
  }
}
