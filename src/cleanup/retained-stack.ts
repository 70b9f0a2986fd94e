/**
 * Stacks that their stack set does not know any more, deleted with the account's own cleanup role. CloudFormation stumbles over things
 * that are gone already where a right asks for a tag (the answer to a deletion got lost, or a person was quicker): such a right is
 * refused on what has no tags any more, however often it is tried. Those things are left out of the deletion.
 */
import { DeleteStackCommand, DescribeStackEventsCommand, type StackEvent } from '@aws-sdk/client-cloudformation';
import { DescribeEndpointConfigCommand, DescribeModelCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { Aws } from '../aws/session.ts';
import { readEndpoint } from '../endpoints/read.ts';
import { CloudFormationClient } from '../stacksets/read.ts';
import { type CleanupContext, type Item, unlessGone } from './part.ts';
import { deletionEnd, failedDeletion, readStack } from './stack.ts';

interface Resource {
  logicalId: string;
  type: string;
  /** Last part of the physical id, which may be a name or an ARN. */
  name: string;
}

/** What the last attempt to delete the stack failed at. */
async function failedResources(aws: Aws, stackId: string, signal: AbortSignal): Promise<Resource[]> {
  const failed = new Map<string, Resource>();
  let token: string | undefined;
  do {
    const page: { StackEvents?: StackEvent[] | undefined; NextToken?: string | undefined } = await aws
      .service(CloudFormationClient)
      .send(new DescribeStackEventsCommand({ StackName: stackId, NextToken: token }), { resource: stackId, signal });
    for (const event of page.StackEvents ?? []) {
      const isStack = event.PhysicalResourceId === event.StackId;
      // Newest first: what comes before the attempt began belongs to an older one.
      if (isStack && event.ResourceStatus === 'DELETE_IN_PROGRESS') return [...failed.values()];
      if (isStack || event.ResourceStatus !== 'DELETE_FAILED') continue;
      if (/cancell?ed/i.test(event.ResourceStatusReason ?? '')) continue;
      const { LogicalResourceId: logicalId = '', ResourceType: type = '', PhysicalResourceId: id = '' } = event;
      failed.set(logicalId, { logicalId, type, name: id.split('/').at(-1) ?? '' });
    }
    token = page.NextToken;
  } while (token !== undefined && token !== '');
  return [...failed.values()];
}

/** False for every type whose absence we cannot tell. */
async function isAbsent(aws: Aws, { type, name }: Resource, signal: AbortSignal): Promise<boolean> {
  const sagemaker = aws.service(SageMakerClient);
  const sending = { resource: name, signal };
  const looks: Record<string, () => Promise<unknown>> = {
    'AWS::SageMaker::Model': () => sagemaker.send(new DescribeModelCommand({ ModelName: name }), sending),
    'AWS::SageMaker::EndpointConfig': () =>
      sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }), sending),
    'AWS::SageMaker::Endpoint': () => readEndpoint(sagemaker, name, signal),
  };
  const look = looks[type];
  return look !== undefined && name !== '' && (await unlessGone(look)) === undefined;
}

/** Logical ids of what the deletion failed at, when all of that is gone already; empty when something is really kept. */
export async function failedAtNothing(aws: Aws, stackId: string, signal: AbortSignal): Promise<string[]> {
  const failed = await failedResources(aws, stackId, signal);
  for (const resource of failed) if (!(await isAbsent(aws, resource, signal))) return [];
  return failed.map(({ logicalId }) => logicalId);
}

/** Deletes the stack and waits for its end. Throws with the first cause when something in it cannot be deleted. */
export async function deleteRetainedStack(aws: Aws, item: Item, context: CleanupContext): Promise<undefined> {
  const { signal } = context;
  const found = await readStack(aws, item.name, signal);
  if (found === undefined) return undefined;
  const id = found.StackId ?? item.name;
  const absent = new Set<string>();
  if (found.StackStatus === 'DELETE_FAILED') for (const one of await failedAtNothing(aws, id, signal)) absent.add(one);
  for (let status = found.StackStatus; ; status = 'DELETE_FAILED') {
    // CloudFormation takes a list of what it shall leave alone only after a failed attempt.
    const retain = absent.size === 0 ? {} : { RetainResources: [...absent] };
    if (status !== 'DELETE_IN_PROGRESS')
      await aws
        .service(CloudFormationClient)
        .send(new DeleteStackCommand({ StackName: id, ...retain }), { resource: item.name, signal });
    const last = await deletionEnd(aws, item, id, context);
    if (last === undefined) return undefined;
    const before = absent.size;
    for (const one of await failedAtNothing(aws, id, signal)) absent.add(one);
    if (absent.size === before) throw await failedDeletion(aws, item.name, last, signal);
  }
}
