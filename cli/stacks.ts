import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { UserError } from './errors.ts';

export interface StackRequest {
  name: string;
  /** Path of the template file. */
  template: string;
  parameters: Record<string, string>;
  tags: Record<string, string>;
  /** A stack that the account has one of (GitHub's OIDC provider): taken as it is when another project made it. */
  shared?: boolean;
}

/**
 * Creates a stack from one of the product's templates and waits for it; resolves to its outputs.
 * The failure of a resource is told with account, region, logical id and CloudFormation's reason.
 */
export async function createStack(
  client: CloudFormationClient,
  where: { account: string; region: string },
  request: StackRequest,
): Promise<Record<string, string>> {
  if (request.shared === true && (await exists(client, request.name))) return {};
  const { StackId } = await client.send(
    new CreateStackCommand({
      StackName: request.name,
      TemplateBody: await readFile(request.template, 'utf8'),
      Parameters: Object.entries(request.parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Tags: Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  for (let delay = 10; ; delay = Math.min(delay * 2, 250)) {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: StackId! }));
    const stack = Stacks![0]!;
    if (stack.StackStatus === 'CREATE_COMPLETE') {
      return Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
    }
    if (stack.StackStatus !== 'CREATE_IN_PROGRESS') {
      const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: StackId! }));
      // The first failure in time is the cause; what was cancelled after it is noise. Events come newest first.
      const cause = (StackEvents ?? [])
        .filter(
          (event) => event.ResourceStatus?.endsWith('_FAILED') && !/cancelled/i.test(event.ResourceStatusReason ?? ''),
        )
        .at(-1);
      throw new UserError(
        `Stack ${request.name} in account ${where.account}, ${where.region} ended ${stack.StackStatus}: ` +
          `${cause?.LogicalResourceId ?? request.name}: ${cause?.ResourceStatusReason ?? stack.StackStatusReason ?? 'no reason given'}`,
      );
    }
    await wait(delay);
  }
}

async function exists(client: CloudFormationClient, name: string): Promise<boolean> {
  try {
    await client.send(new DescribeStacksCommand({ StackName: name }));
    return true;
  } catch (error) {
    // CloudFormation has no error of its own for this: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    if ((error as Error).name === 'ValidationError' && /does not exist/.test((error as Error).message)) return false;
    throw error;
  }
}
