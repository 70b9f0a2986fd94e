/** The project itself with its stack, key, bucket and group, which are only removed on request. */
import {
  DescribeKeyCommand,
  KMSClient,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { DeleteBucketCommand, GetBucketEncryptionCommand } from '@aws-sdk/client-s3';
import {
  DeleteModelPackageGroupCommand,
  DeleteModelPackageGroupPolicyCommand,
  DescribeModelPackageGroupCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { isAws } from '../aws/errors.ts';
import { S3Client } from '../aws/s3.ts';
import { type CleanupContext, type Item, isGone, isOurs, type Kept, notOurs, type Part, unlessGone } from './part.ts';
import { deleteStack, readStack } from './stack.ts';

/** Days until a key is gone for good; KMS allows 7 to 30, and nothing can be decrypted meanwhile. */
const keyWaitsDays = 7;

export interface ProjectThings {
  group: Item | undefined;
  bucket: Item | undefined;
}

/** The project's key by its alias, or by the bucket that names it once the stack with the alias is gone. */
async function findKey({ group: _, bucket }: ProjectThings, context: CleanupContext) {
  const { aws, names, signal } = context;
  const kms = aws.service(KMSClient);
  const read = (id: string) =>
    unlessGone(() => kms.send(new DescribeKeyCommand({ KeyId: id }), { resource: id, signal }));
  let answer = await read(names.keyAlias);
  if (answer === undefined && bucket !== undefined) {
    const encryption = await unlessGone(() =>
      aws
        .service(S3Client)
        .send(new GetBucketEncryptionCommand({ Bucket: bucket.name }), { resource: bucket.name, signal }),
    );
    const id =
      encryption?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID;
    if (id !== undefined) answer = await read(id);
  }
  return answer?.KeyMetadata;
}

/**
 * Group, stack, key and bucket of the project. Without `remove` they are only told as staying. Bucket and key are retained by
 * the stack, so they are removed after it; the bucket goes last, because it is what leads to the key.
 */
export async function findProject(
  remove: boolean,
  things: ProjectThings,
  context: CleanupContext,
): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project, signal } = context;
  const kms = aws.service(KMSClient);
  const sagemaker = aws.service(SageMakerClient);
  const item = (kind: Item['kind'], name: string): Item => ({ kind, account, region: aws.region, name });
  const kept: Kept[] = [];
  const stackName = `sagemaker-${names.base}-project`;
  const found = await readStack(aws, stackName, signal);
  const stack = found === undefined ? undefined : item('stack', stackName);
  const metadata = await findKey(things, context);
  const key = metadata?.Arn === undefined ? undefined : item('key', metadata.Arn);
  const pending = metadata?.KeyState === 'PendingDeletion';
  if (key !== undefined && pending)
    kept.push({
      ...key,
      because: `pending deletion until ${metadata?.DeletionDate?.toISOString().slice(0, 10) ?? 'its date'}`,
    });
  if (!remove) {
    const because = 'stays, emptied; delete-project: true removes it';
    for (const each of [stack, things.group, things.bucket, pending ? undefined : key])
      if (each !== undefined) kept.push({ ...each, because });
    return { kept, part: { items: [], remove: async () => undefined } };
  }
  const items: Item[] = things.group === undefined ? [] : [things.group];
  if (stack !== undefined && isOurs(project, found?.Tags)) items.push(stack);
  else if (stack !== undefined) kept.push({ ...stack, because: notOurs(project) });
  if (key !== undefined && !pending) {
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: key.name }), { resource: key.name, signal });
    if (isOurs(project, Tags)) items.push({ ...key, note: `is scheduled for deletion in ${keyWaitsDays} days` });
    else kept.push({ ...key, because: notOurs(project) });
  }
  if (things.bucket !== undefined) items.push(things.bucket);
  const of = (kind: Item['kind']) => items.find((each) => each.kind === kind);
  return {
    kept,
    part: {
      items,
      async remove(record) {
        const [groupItem, stackItem, keyItem, bucketItem] = [
          of('model package group'),
          of('stack'),
          of('key'),
          of('bucket'),
        ];
        if (groupItem !== undefined)
          await record.attempt(
            groupItem,
            async () => {
              await unlessGone(() =>
                sagemaker.send(new DeleteModelPackageGroupPolicyCommand({ ModelPackageGroupName: groupItem.name }), {
                  resource: groupItem.name,
                  signal,
                }),
              );
              await sagemaker.send(new DeleteModelPackageGroupCommand({ ModelPackageGroupName: groupItem.name }), {
                resource: groupItem.name,
                signal,
              });
              return undefined;
            },
            () =>
              sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: groupItem.name }), {
                resource: groupItem.name,
                signal,
              }),
          );
        if (stackItem !== undefined) await record.attempt(stackItem, () => deleteStack(aws, stackItem, context));
        if (keyItem !== undefined)
          await record.attempt(keyItem, async () => {
            try {
              const answer = await kms.send(
                new ScheduleKeyDeletionCommand({ KeyId: keyItem.name, PendingWindowInDays: keyWaitsDays }),
                { resource: keyItem.name, signal },
              );
              return `pending deletion until ${answer.DeletionDate?.toISOString().slice(0, 10) ?? `${keyWaitsDays} days from now`}:`;
            } catch (error) {
              if (isGone(error) || !isAws(error, 'KMSInvalidStateException')) throw error;
              return 'pending deletion already:';
            }
          });
        if (bucketItem !== undefined)
          await record.attempt(bucketItem, async () => {
            await aws
              .service(S3Client)
              .send(new DeleteBucketCommand({ Bucket: bucketItem.name }), { resource: bucketItem.name, signal });
            return undefined;
          });
      },
    },
  };
}
