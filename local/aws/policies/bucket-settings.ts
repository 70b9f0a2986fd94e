/** Bucket settings that the front keeps and answers itself: policy, public access block, default encryption, ownership. */
import type { Authorizer } from '../core/context.ts';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { FrontResponse } from '../front/message.ts';
import { element, escapeXml } from '../wire/query.ts';
import { checkBucketPolicy } from './bucket-policy.ts';
import type { Bucket, ObjectOwnership, PublicAccessBlock } from './bucket-store.ts';
import { isPublic } from './public-policy.ts';

const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** Answers an operation of this module; undefined when the operation is another's. `body` is read only when asked for. */
export async function bucketSetting(
  operation: string,
  bucket: Bucket,
  body: () => Promise<string>,
  authorizer: Authorizer,
): Promise<FrontResponse | undefined> {
  switch (operation) {
    case 'GetBucketPolicy':
      if (bucket.policyText === undefined)
        throw missing('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: bucket.policyText };
    case 'GetBucketPolicyStatus':
      if (bucket.policy === undefined) throw missing('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket);
      return xml('PolicyStatus', element('IsPublic', String(isPublic(bucket.policy))));
    case 'PutBucketPolicy': {
      const text = await body();
      const policy = checkBucketPolicy(text, bucket, authorizer);
      if (bucket.publicAccessBlock?.BlockPublicPolicy === true && isPublic(policy)) {
        throw new AwsError(
          'AccessDenied',
          'User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
          403,
        );
      }
      bucket.policy = policy;
      bucket.policyText = text;
      return empty();
    }
    case 'DeleteBucketPolicy':
      bucket.policy = undefined;
      bucket.policyText = undefined;
      return empty();
    case 'GetPublicAccessBlock': {
      const block = bucket.publicAccessBlock;
      if (block === undefined) {
        throw missing(
          'NoSuchPublicAccessBlockConfiguration',
          'The public access block configuration was not found',
          bucket,
        );
      }
      const content = Object.entries(block).map(([name, value]) => element(name, String(value)));
      return xml('PublicAccessBlockConfiguration', content.join(''));
    }
    case 'PutPublicAccessBlock': {
      const text = await body();
      const flag = (name: string) => tag(text, name) === 'true';
      const block: PublicAccessBlock = {
        BlockPublicAcls: flag('BlockPublicAcls'),
        IgnorePublicAcls: flag('IgnorePublicAcls'),
        BlockPublicPolicy: flag('BlockPublicPolicy'),
        RestrictPublicBuckets: flag('RestrictPublicBuckets'),
      };
      bucket.publicAccessBlock = block;
      return { status: 200, headers: {} };
    }
    case 'DeletePublicAccessBlock':
      bucket.publicAccessBlock = undefined;
      return empty();
    case 'GetBucketEncryption': {
      const { algorithm, keyId, bucketKeyEnabled } = bucket.encryption;
      const byDefault =
        element('SSEAlgorithm', algorithm) + (keyId === undefined ? '' : element('KMSMasterKeyID', escapeXml(keyId)));
      const rule =
        element('ApplyServerSideEncryptionByDefault', byDefault) +
        element('BucketKeyEnabled', String(bucketKeyEnabled));
      return xml('ServerSideEncryptionConfiguration', element('Rule', rule));
    }
    case 'PutBucketEncryption': {
      const text = await body();
      const algorithm = tag(text, 'SSEAlgorithm');
      if (algorithm !== 'AES256' && algorithm !== 'aws:kms') {
        throw new NotImplementedError(`the default encryption ${algorithm} of a bucket`);
      }
      const keyId = tag(text, 'KMSMasterKeyID');
      if (algorithm === 'AES256' && keyId !== undefined) {
        throw new AwsError(
          'InvalidArgument',
          'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms',
          400,
        );
      }
      bucket.encryption = { algorithm, keyId, bucketKeyEnabled: tag(text, 'BucketKeyEnabled') === 'true' };
      return { status: 200, headers: {} };
    }
    case 'DeleteBucketEncryption':
      bucket.encryption = { algorithm: 'AES256', keyId: undefined, bucketKeyEnabled: false };
      return empty();
    case 'GetBucketOwnershipControls':
      if (bucket.ownership === undefined) {
        throw missing('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found', bucket);
      }
      return xml('OwnershipControls', element('Rule', element('ObjectOwnership', bucket.ownership)));
    case 'PutBucketOwnershipControls': {
      const ownership = tag(await body(), 'ObjectOwnership');
      if (
        ownership === undefined ||
        !['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'].includes(ownership)
      ) {
        throw new AwsError(
          'MalformedXML',
          'The XML you provided was not well-formed or did not validate against our published schema',
          400,
        );
      }
      bucket.ownership = ownership as ObjectOwnership;
      return { status: 200, headers: {} };
    }
    case 'DeleteBucketOwnershipControls':
      bucket.ownership = undefined;
      return empty();
    default:
      return undefined;
  }
}

/** Text of the first element of this name; XML of S3 settings is flat enough for that. */
export function tag(text: string, name: string): string | undefined {
  const match = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)</`).exec(text);
  return match === null ? undefined : unescapeXml(match[1]!.trim());
}

export function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|amp|quot|apos));/g, (_all, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }[name as 'lt'];
  });
}

function missing(code: string, message: string, bucket: Bucket): AwsError {
  return new AwsError(code, message, 404, { BucketName: bucket.name });
}

function empty(): FrontResponse {
  return { status: 204, headers: {} };
}

function xml(root: string, content: string): FrontResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} ${namespace}>${content}</${root}>`,
  };
}
