import {
  type CloudFormationClient,
  CreateStackCommand,
  type CreateStackCommandInput,
  DescribeStackEventsCommand,
  DescribeStackSetOperationCommand,
  DescribeStacksCommand,
  type Stack,
  type StackEvent,
  type StackSetOperation,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';

export type Parameters = Record<string, string>;

export function parameterList(parameters: Parameters) {
  return Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

export async function describeStack(client: CloudFormationClient, StackName: string): Promise<Stack> {
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
  return Stacks![0]!;
}

/** Polls until the stack rests; for platforms whose clock is at once. */
export async function settled(client: CloudFormationClient, id: string): Promise<Stack> {
  for (let look = 0; look < 5_000; look++) {
    const stack = await describeStack(client, id);
    if (!stack.StackStatus!.endsWith('_IN_PROGRESS')) return stack;
    await pause();
  }
  throw new Error(`${id} did not come to rest`);
}

export async function createStack(
  client: CloudFormationClient,
  StackName: string,
  template: object | string,
  parameters: Parameters = {},
  more: Partial<CreateStackCommandInput> = {},
): Promise<Stack> {
  const { StackId } = await client.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: typeof template === 'string' ? template : JSON.stringify(template),
      Parameters: parameterList(parameters),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      ...more,
    }),
  );
  return settled(client, StackId!);
}

export async function updateStack(
  client: CloudFormationClient,
  StackName: string,
  template: object,
  parameters: Parameters = {},
): Promise<Stack> {
  const { StackId } = await client.send(
    new UpdateStackCommand({
      StackName,
      TemplateBody: JSON.stringify(template),
      Parameters: parameterList(parameters),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  return settled(client, StackId!);
}

/** Oldest first. */
export async function events(client: CloudFormationClient, StackName: string): Promise<StackEvent[]> {
  const all: StackEvent[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await client.send(new DescribeStackEventsCommand({ StackName, NextToken }));
    all.push(...(answer.StackEvents ?? []));
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return all.reverse();
}

/** "LogicalId STATUS" of each event, oldest first. */
export function story(list: StackEvent[]): string[] {
  return list.map((event) => `${event.LogicalResourceId} ${event.ResourceStatus}`);
}

/** Name and message of what a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ name: string; message: string; status?: number }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, ...($metadata?.httpStatusCode === undefined ? {} : { status: $metadata.httpStatusCode }) };
  }
  throw new Error('The call succeeded.');
}

export async function operationEnd(
  client: CloudFormationClient,
  StackSetName: string,
  OperationId: string,
  looks = 5_000,
): Promise<StackSetOperation> {
  for (let look = 0; look < looks; look++) {
    const { StackSetOperation } = await client.send(
      new DescribeStackSetOperationCommand({ StackSetName, OperationId }),
    );
    if (['SUCCEEDED', 'FAILED', 'STOPPED'].includes(StackSetOperation!.Status!)) return StackSetOperation!;
    await pause();
  }
  throw new Error(`${OperationId} did not end`);
}

/** A trust policy for a role that nobody needs to assume. */
export const trust = (service = 'sagemaker.amazonaws.com') => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});

export function role(properties: object = {}, attributes: object = {}) {
  return {
    Type: 'AWS::IAM::Role',
    ...attributes,
    Properties: { AssumeRolePolicyDocument: trust(), ...properties },
  };
}
