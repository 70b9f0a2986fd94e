import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { partitionOf } from '../../../core/arn.ts';
import type { Value } from '../template/evaluate.ts';
import { InvalidRequestError, type Properties, policyText, type ResourceHandler, unlessGone } from './handler.ts';
import { generatedName } from './names.ts';

function urlSuffix(region: string): string {
  return partitionOf(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
}

function attributesOf(name: string, region: string): Record<string, Value> {
  const suffix = urlSuffix(region);
  return {
    Arn: `arn:${partitionOf(region)}:s3:::${name}`,
    DomainName: `${name}.s3.${suffix}`,
    RegionalDomainName: `${name}.s3.${region}.${suffix}`,
    DualStackDomainName: `${name}.s3.dualstack.${region}.${suffix}`,
    WebsiteURL: `http://${name}.s3-website-${region}.${suffix}`,
  };
}

function lifecycleRule(rule: Properties): Record<string, unknown> {
  const known = new Set([
    'Id',
    'Status',
    'Prefix',
    'TagFilters',
    'ExpirationInDays',
    'ExpiredObjectDeleteMarker',
    'NoncurrentVersionExpiration',
    'NoncurrentVersionExpirationInDays',
    'AbortIncompleteMultipartUpload',
    'Transitions',
    'ObjectSizeGreaterThan',
    'ObjectSizeLessThan',
  ]);
  const unknown = Object.keys(rule).filter((key) => !known.has(key));
  if (unknown.length > 0) {
    throw new InvalidRequestError(`The local platform does not support ${unknown.join(', ')} in lifecycle rules`);
  }
  const tags: unknown[] = rule['TagFilters'] ?? [];
  const parts: Record<string, unknown> = {
    ...(rule['Prefix'] === undefined ? {} : { Prefix: rule['Prefix'] }),
    ...(rule['ObjectSizeGreaterThan'] === undefined
      ? {}
      : { ObjectSizeGreaterThan: Number(rule['ObjectSizeGreaterThan']) }),
    ...(rule['ObjectSizeLessThan'] === undefined ? {} : { ObjectSizeLessThan: Number(rule['ObjectSizeLessThan']) }),
  };
  const conditions = Object.keys(parts).length + tags.length;
  const Filter =
    conditions === 0
      ? { Prefix: '' }
      : conditions === 1
        ? tags.length === 1
          ? { Tag: tags[0] }
          : parts
        : { And: { ...parts, ...(tags.length > 0 ? { Tags: tags } : {}) } };
  const noncurrent =
    rule['NoncurrentVersionExpiration'] ??
    (rule['NoncurrentVersionExpirationInDays'] === undefined
      ? undefined
      : { NoncurrentDays: rule['NoncurrentVersionExpirationInDays'] });
  return {
    ID: rule['Id'],
    Status: rule['Status'],
    Filter,
    ...(rule['ExpirationInDays'] === undefined && rule['ExpiredObjectDeleteMarker'] === undefined
      ? {}
      : {
          Expiration: {
            ...(rule['ExpirationInDays'] === undefined ? {} : { Days: rule['ExpirationInDays'] }),
            ...(rule['ExpiredObjectDeleteMarker'] === undefined
              ? {}
              : { ExpiredObjectDeleteMarker: rule['ExpiredObjectDeleteMarker'] }),
          },
        }),
    ...(noncurrent === undefined ? {} : { NoncurrentVersionExpiration: noncurrent }),
    ...(rule['AbortIncompleteMultipartUpload'] === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: rule['AbortIncompleteMultipartUpload'] }),
    ...(rule['Transitions'] === undefined
      ? {}
      : {
          Transitions: rule['Transitions'].map((item: Properties) => ({
            StorageClass: item['StorageClass'],
            ...(item['TransitionInDays'] === undefined ? {} : { Days: item['TransitionInDays'] }),
            ...(item['TransitionDate'] === undefined ? {} : { Date: new Date(item['TransitionDate']) }),
          })),
        }),
  };
}

/** One entry per property that is a setting of the bucket: how it is put, and how it is taken back. */
const settings: Record<
  string,
  {
    put(s3: S3Client, Bucket: string, value: any): Promise<unknown>;
    remove(s3: S3Client, Bucket: string): Promise<unknown>;
  }
> = {
  VersioningConfiguration: {
    put: (s3, Bucket, value) =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: value.Status } })),
    remove: (s3, Bucket) =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })),
  },
  PublicAccessBlockConfiguration: {
    put: (s3, Bucket, value) =>
      s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: value })),
    remove: (s3, Bucket) => s3.send(new DeletePublicAccessBlockCommand({ Bucket })),
  },
  OwnershipControls: {
    put: (s3, Bucket, value) => s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: value })),
    remove: (s3, Bucket) => s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket })),
  },
  BucketEncryption: {
    put: (s3, Bucket, value) =>
      s3.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: {
            Rules: value.ServerSideEncryptionConfiguration.map((rule: Properties) => ({
              ApplyServerSideEncryptionByDefault: rule['ServerSideEncryptionByDefault'],
              BucketKeyEnabled: rule['BucketKeyEnabled'],
            })),
          },
        }),
      ),
    remove: (s3, Bucket) => s3.send(new DeleteBucketEncryptionCommand({ Bucket })),
  },
  LifecycleConfiguration: {
    put: (s3, Bucket, value) =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: { Rules: value.Rules.map(lifecycleRule) },
        }),
      ),
    remove: (s3, Bucket) => s3.send(new DeleteBucketLifecycleCommand({ Bucket })),
  },
  CorsConfiguration: {
    put: (s3, Bucket, value) =>
      s3.send(
        new PutBucketCorsCommand({
          Bucket,
          CORSConfiguration: {
            CORSRules: value.CorsRules.map((rule: Properties) => ({
              ID: rule['Id'],
              AllowedHeaders: rule['AllowedHeaders'],
              AllowedMethods: rule['AllowedMethods'],
              AllowedOrigins: rule['AllowedOrigins'],
              ExposeHeaders: rule['ExposedHeaders'],
              MaxAgeSeconds: rule['MaxAge'],
            })),
          },
        }),
      ),
    remove: (s3, Bucket) => s3.send(new DeleteBucketCorsCommand({ Bucket })),
  },
  LoggingConfiguration: {
    put: (s3, Bucket, value) =>
      s3.send(
        new PutBucketLoggingCommand({
          Bucket,
          BucketLoggingStatus: {
            LoggingEnabled: {
              TargetBucket: value.DestinationBucketName ?? Bucket,
              TargetPrefix: value.LogFilePrefix ?? '',
            },
          },
        }),
      ),
    remove: (s3, Bucket) => s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} })),
  },
  Tags: {
    put: (s3, Bucket, value) => s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: value } })),
    remove: (s3, Bucket) => s3.send(new DeleteBucketTaggingCommand({ Bucket })),
  },
};

export const bucket: ResourceHandler = {
  nameProperty: 'BucketName',
  unsupported: [
    'AccelerateConfiguration',
    'AccessControl',
    'AnalyticsConfigurations',
    'IntelligentTieringConfigurations',
    'InventoryConfigurations',
    'MetricsConfigurations',
    'NotificationConfiguration',
    'ObjectLockConfiguration',
    'ObjectLockEnabled',
    'ReplicationConfiguration',
    'WebsiteConfiguration',
    'BucketNamespace',
    'BucketNamePrefix',
    'MetadataTableConfiguration',
    'AbacStatus',
    'MetadataConfiguration',
  ],
  async create(request) {
    const { properties, clients, region } = request;
    const Bucket: string = properties['BucketName'] ?? generatedName(request, 63, { lowerCase: true });
    await clients.s3.send(
      new CreateBucketCommand({
        Bucket,
        ...(region === 'us-east-1'
          ? {}
          : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } }),
      }),
    );
    const state = { physicalId: Bucket, attributes: attributesOf(Bucket, region) };
    request.initiated(state);
    for (const [name, setting] of Object.entries(settings)) {
      if (properties[name] !== undefined) await setting.put(clients.s3, Bucket, properties[name]);
    }
    return state;
  },
  async update({ properties, clients, physicalId, attributes, changed }) {
    for (const [name, setting] of Object.entries(settings)) {
      if (!changed.has(name)) continue;
      if (properties[name] === undefined) await setting.remove(clients.s3, physicalId);
      else await setting.put(clients.s3, physicalId, properties[name]);
    }
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(['NoSuchBucket'], () => clients.s3.send(new DeleteBucketCommand({ Bucket: physicalId })));
  },
};

export const bucketPolicy: ResourceHandler = {
  nameProperty: 'Bucket',
  async create({ properties, clients, initiated }) {
    const Bucket: string = properties['Bucket'];
    const existing = await unlessGone(['NoSuchBucketPolicy'], () =>
      clients.s3.send(new GetBucketPolicyCommand({ Bucket })),
    );
    if (existing !== undefined) {
      throw Object.assign(new Error(`The bucket policy already exists on bucket ${Bucket}.`), {
        name: 'AlreadyExists',
      });
    }
    await clients.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyText(properties['PolicyDocument']) }));
    const state = { physicalId: Bucket, attributes: {} };
    initiated(state);
    return state;
  },
  async update({ properties, clients, physicalId, attributes }) {
    const Policy = policyText(properties['PolicyDocument']);
    await clients.s3.send(new PutBucketPolicyCommand({ Bucket: physicalId, Policy }));
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(['NoSuchBucket', 'NoSuchBucketPolicy'], () =>
      clients.s3.send(new DeleteBucketPolicyCommand({ Bucket: physicalId })),
    );
  },
};
