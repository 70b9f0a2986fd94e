import type { Authorizer } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { OneOrMany, PolicyDocument, PolicyStatement } from '../core/policy.ts';
import type { Bucket } from './bucket-store.ts';

const sizeLimit = 20 * 1024;
const list = <T>(value: OneOrMany<T> | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** A bucket policy as S3 accepts it. Throws MalformedPolicy with S3's sentences. */
export function checkBucketPolicy(text: string, bucket: Bucket, authorizer: Authorizer): PolicyDocument {
  if (text.length > sizeLimit) throw malformed(`Policies must not be larger than ${sizeLimit} bytes`);
  let policy: PolicyDocument;
  try {
    policy = authorizer.parse(text);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
  for (const statement of list(policy.Statement)) checkStatement(statement, bucket);
  if (authorizer.unknownPrincipal(policy) !== undefined) throw malformed('Invalid principal in policy');
  return policy;
}

function checkStatement(statement: PolicyStatement, bucket: Bucket): void {
  if (statement.Principal === undefined && statement.NotPrincipal === undefined) {
    throw malformed('Missing required field Principal');
  }
  const resources = [...list(statement.Resource), ...list(statement.NotResource)];
  if (resources.length === 0) throw malformed('Missing required field Resource');
  for (const resource of resources) {
    const name = /^arn:[^:]+:s3:::(.+)$/s.exec(resource)?.[1]?.split('/')[0];
    if (name !== undefined && globFits(name, bucket.name)) continue;
    throw malformed('Policy has invalid resource');
  }
  for (const action of [...list(statement.Action), ...list(statement.NotAction)]) {
    if (action !== '*' && !/^s3:/i.test(action)) throw malformed('Policy has invalid action');
  }
}

function globFits(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicy', message, 400);
}
