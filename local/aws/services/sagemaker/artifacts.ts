import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { ClientSet, PlatformContext } from '../../core/context.ts';
import type { Call } from '../../core/service.ts';
import { reasonOf, validationError } from './problems.ts';

const callerSessionSeconds = 900;

/**
 * Clients that act with the rights of whoever makes this call, as AWS services do when they check what a request points
 * at (forward access sessions: aws:ViaAWSService is true).
 */
export function asCaller(context: PlatformContext, call: Call): ClientSet {
  const principal = { ...call.principal, viaService: 'sagemaker.amazonaws.com' };
  return context.clients(context.sessions.issue(principal, callerSessionSeconds).credentials, call.region);
}

export function splitS3Uri(uri: string): { bucket: string; key: string } | undefined {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  return match === null ? undefined : { bucket: match[1] as string, key: match[2] as string };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

export interface AccessCheck {
  /** What the object is, for the error: "model data", "metrics". */
  what: string;
  /** Who reads it, for the error: a role's ARN or "the caller". */
  who: string;
}

function explain(error: unknown, uri: string, { what, who }: AccessCheck): Error {
  const status = statusOf(error);
  if (status === 404) return validationError(`Could not find ${what} at ${uri}.`);
  if (status === 403) {
    return validationError(
      `Could not access ${what} at ${uri}. Please ensure that ${who} has "s3:GetObject" permissions and, for an encrypted object, "kms:Decrypt" on its key. ${reasonOf(error)}`.trim(),
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** The ETag of an object (without quotes) that must exist. Throws ValidationException when it is missing or hidden. */
export async function objectETag(s3: S3Client, uri: string, check: AccessCheck): Promise<string | undefined> {
  const place = splitS3Uri(uri);
  if (place === undefined || place.key === '') {
    throw validationError(`Could not find ${check.what} at ${uri}: expected s3://BUCKET/KEY.`);
  }
  try {
    const answer = await s3.send(new HeadObjectCommand({ Bucket: place.bucket, Key: place.key }));
    return answer.ETag?.replaceAll('"', '');
  } catch (error) {
    throw explain(error, uri, check);
  }
}

/** Reads one byte, so that the key policy is asked as well; a prefix is listed and its first object read. */
export async function checkReadable(s3: S3Client, uri: string, isPrefix: boolean, check: AccessCheck): Promise<void> {
  const place = splitS3Uri(uri);
  if (place === undefined) throw validationError(`Could not find ${check.what} at ${uri}: expected s3://BUCKET/KEY.`);
  try {
    let key: string | undefined = place.key;
    if (isPrefix) {
      const list = await s3.send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.key, MaxKeys: 1 }));
      key = list.Contents?.[0]?.Key;
      if (key === undefined) throw validationError(`Could not find ${check.what} at ${uri}.`);
    }
    const answer = await s3.send(new GetObjectCommand({ Bucket: place.bucket, Key: key, Range: 'bytes=0-0' }));
    await answer.Body?.transformToByteArray();
  } catch (error) {
    throw explain(error, uri, check);
  }
}
