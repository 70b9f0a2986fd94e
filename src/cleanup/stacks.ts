/** Stacks of the admin account, which are only removed on request: the GitHub roles, and the project itself with key, bucket and group. */
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
import type { Target } from '../stacksets/model.ts';
import { type CleanupContext, type Item, isGone, isOurs, type Kept, notOurs, type Part, unlessGone } from './part.ts';
import { deleteStack, listStacks, readStack } from './stack.ts';

/** Days until a key is gone for good; KMS allows 7 to 30, and nothing can be decrypted meanwhile. */
const keyWaitsDays = 7;

/** The stacks with the project's roles for GitHub, SageMaker and StackSets. The role that this very job runs in cannot remove itself. */
export async function findRoleStacks(
  targets: readonly Target[],
  context: CleanupContext,
): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project } = context;
  const item = (name: string): Item => ({ kind: 'stack', account, region: aws.region, name });
  const prefix = `sagemaker-${names.base}-`;
  const own = `${prefix}cleanup-role`;
  const items: Item[] = [];
  // Where cleanup looked with a role, there is the stack with that role.
  const kept: Kept[] = targets.map((target) => {
    const name = `${prefix}target-roles`;
    const command = `aws cloudformation delete-stack --stack-name ${name}`;
    return {
      ...item(name),
      ...target,
      because: `it holds the role that cleanup works with there; remove it by hand, in that account: ${command}`,
    };
  });
  for (const name of (await listStacks(aws, prefix, context.signal)).map(({ name }) => name).sort()) {
    const suffix = name.slice(prefix.length);
    if (name === own) {
      const command = `aws cloudformation delete-stack --stack-name ${own}`;
      kept.push({
        ...item(name),
        because: `it holds the role that this job runs in; remove it last, by hand: ${command}`,
      });
      continue;
    }
    if (!/^(project-roles|stack-set-administration|deploy-role-.+)$/.test(suffix)) continue;
    const stack = await readStack(aws, name, context.signal);
    if (isOurs(project, stack?.Tags)) items.push(item(name));
    else if (stack !== undefined) kept.push({ ...item(name), because: notOurs(project) });
  }
  return {
    kept,
    part: {
      items,
      async remove(record) {
        for (const each of items) await record.attempt(each, () => deleteStack(aws, each, context));
      },
    },
  };
}

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
