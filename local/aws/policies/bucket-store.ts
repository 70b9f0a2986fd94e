/** What the front itself keeps about buckets, because it decides by it: owner, region, policy, public access, encryption, ownership. */
import { AwsError } from '../core/errors.ts';
import type { PolicyDocument } from '../core/policy.ts';

export interface PublicAccessBlock {
  BlockPublicAcls: boolean;
  IgnorePublicAcls: boolean;
  BlockPublicPolicy: boolean;
  RestrictPublicBuckets: boolean;
}

export interface DefaultEncryption {
  algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** As given: id, ARN or alias; undefined with aws:kms means the account's own aws/s3 key. */
  keyId: string | undefined;
  bucketKeyEnabled: boolean;
}

export type ObjectOwnership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';

export interface Bucket {
  name: string;
  account: string;
  region: string;
  policyText: string | undefined;
  policy: PolicyDocument | undefined;
  publicAccessBlock: PublicAccessBlock | undefined;
  encryption: DefaultEncryption;
  ownership: ObjectOwnership | undefined;
}

export const everythingBlocked: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

/** Bucket names are global. */
export class BucketStore {
  readonly #buckets = new Map<string, Bucket>();
  /**
   * Multipart uploads by id, with their encryption (without a key ARN none of KMS). A completed one may be completed
   * again, with the same answer, and nothing else.
   */
  readonly uploads = new Map<string, { keyArn: string | undefined; bucketKey: boolean; completed: boolean }>();

  find(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** Throws NoSuchBucket. */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
    }
    return bucket;
  }

  /** What S3 gives a new bucket since April 2023: no ACLs, everything public blocked, SSE-S3. */
  add(name: string, account: string, region: string, ownership: ObjectOwnership | undefined): void {
    this.#buckets.set(name, {
      name,
      account,
      region,
      policyText: undefined,
      policy: undefined,
      publicAccessBlock: { ...everythingBlocked },
      encryption: { algorithm: 'AES256', keyId: undefined, bucketKeyEnabled: false },
      ownership: ownership ?? 'BucketOwnerEnforced',
    });
  }

  remove(name: string): void {
    this.#buckets.delete(name);
  }
}
