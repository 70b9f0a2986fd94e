import { randomUUID } from 'node:crypto';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack as StackDescription,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { partitionOf } from '../../../core/arn.ts';
import type { ClientSet, Credentials, PlatformContext, Session } from '../../../core/context.ts';
import { messageOf } from '../errors.ts';
import { serviceName } from '../stacks/rights.ts';
import type { StackStore } from '../stacks/store.ts';
import type { SetDefinition, StackInstance, StackSet } from './model.ts';

/** Sessions are renewed this long before they end: chained ones last an hour at most. */
const renewBeforeMilliseconds = 300_000;

/** The reason of an instance's failure, as the operation's results show it. */
export class InstanceFailure extends Error {
  override readonly name = 'InstanceFailure';
}

/** Clients in one target account and region, with a session of the execution role that is renewed when needed. */
export type TargetClients = () => Promise<ClientSet>;

/**
 * The two hops of a self-managed stack set: CloudFormation assumes the administration role, which assumes the
 * execution role of the target. Both are judged by IAM; the second goes over the wire as every AssumeRole does.
 */
export function createHops(context: PlatformContext, set: StackSet, definition: SetDefinition, operationId: string) {
  let administration: Session | undefined;
  const executions = new Map<string, Promise<Credentials>>();

  const fresh = (expiration: Date): boolean =>
    expiration.getTime() - context.clock.now().getTime() > renewBeforeMilliseconds;

  const assumeAdministration = (): Session => {
    if (administration === undefined || !fresh(administration.credentials.expiration)) {
      try {
        administration = context.roles.assumeAsService({
          roleArn: definition.administrationRoleArn,
          service: serviceName,
          sessionName: `StackSet-${operationId}`.slice(0, 64),
          sourceAccount: set.account,
          sourceArn: set.arn,
        });
      } catch (error) {
        throw new InstanceFailure(
          `Administration role ${definition.administrationRoleArn} cannot be assumed by ${serviceName}: ${messageOf(error)}`,
        );
      }
    }
    return administration;
  };

  const assumeExecution = async (account: string): Promise<Credentials> => {
    const session = assumeAdministration();
    const name = definition.executionRoleName;
    try {
      const { Credentials: issued } = await context.clients(session.credentials, set.region).sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:${partitionOf(set.region)}:iam::${account}:role/${name}`,
          RoleSessionName: `StackSet-${operationId}`.slice(0, 64),
          DurationSeconds: 3_600,
        }),
      );
      return {
        accessKeyId: issued!.AccessKeyId!,
        secretAccessKey: issued!.SecretAccessKey!,
        sessionToken: issued!.SessionToken!,
        expiration: issued!.Expiration!,
      };
    } catch (error) {
      context.logger.debug(`Stack set ${set.name}, account ${account}: ${messageOf(error)}`);
      const administrationName = definition.administrationRoleArn.split('/').at(-1);
      throw new InstanceFailure(
        `Account ${account} should have '${name}' role with trust relationship to Role '${administrationName}'.`,
      );
    }
  };

  return (account: string, region: string): TargetClients =>
    async () => {
      let credentials = executions.get(account);
      if (credentials !== undefined && !fresh((await credentials).expiration)) credentials = undefined;
      if (credentials === undefined) {
        credentials = assumeExecution(account);
        executions.set(account, credentials);
        // A refusal is not remembered: the next region asks again, as the role may exist by then.
        credentials.catch(() => executions.delete(account));
      }
      return context.clients(await credentials, region);
    };
}

async function describe(clients: TargetClients, stackId: string): Promise<StackDescription | undefined> {
  try {
    const { Stacks } = await (await clients()).cloudformation.send(new DescribeStacksCommand({ StackName: stackId }));
    return Stacks?.[0];
  } catch (error) {
    if (/does not exist/.test(messageOf(error))) return undefined;
    throw error;
  }
}

/** Waits for the end of the stack's operation, then reads the stack with the execution role's rights. */
async function settled(
  stacks: StackStore,
  clients: TargetClients,
  stackId: string,
): Promise<StackDescription | undefined> {
  await stacks.byId(stackId)?.operation?.finished;
  return describe(clients, stackId);
}

/** The first cause in time; what was cancelled because of it is noise. */
async function firstCause(clients: TargetClients, stackId: string, fallback: string): Promise<string> {
  const { cloudformation } = await clients();
  let token: string | undefined;
  let cause: string | undefined;
  do {
    const { StackEvents, NextToken } = await cloudformation.send(
      new DescribeStackEventsCommand({ StackName: stackId, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    for (const event of StackEvents ?? []) {
      const own = event.PhysicalResourceId === stackId;
      // Newest first: an operation of the stack ends the search where it began.
      if (own && ['CREATE_IN_PROGRESS', 'UPDATE_IN_PROGRESS'].includes(event.ResourceStatus ?? ''))
        return cause ?? fallback;
      const reason = (event.ResourceStatusReason ?? '').replace(/\.?\s*$/, '');
      if (own || !event.ResourceStatus?.endsWith('_FAILED') || /cancelled/.test(reason)) continue;
      cause = `ResourceLogicalId:${event.LogicalResourceId}, ResourceType:${event.ResourceType}, ResourceStatusReason:${reason}.`;
    }
    token = NextToken;
  } while (token !== undefined);
  return cause ?? fallback;
}

function stackInput(definition: SetDefinition, instance: StackInstance) {
  const values = { ...definition.parameters, ...instance.overrides };
  return {
    TemplateBody: definition.template.body,
    Parameters: Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    Capabilities: definition.capabilities as 'CAPABILITY_IAM'[],
    ...(definition.tags.length === 0 ? {} : { Tags: definition.tags }),
  };
}

/** Creates or updates the stack of an instance. Throws InstanceFailure with the reason; sets the instance's stack id. */
export async function deployInstance(
  stacks: StackStore,
  clients: TargetClients,
  set: StackSet,
  definition: SetDefinition,
  instance: StackInstance,
): Promise<void> {
  const existing = instance.stackId === undefined ? undefined : await describe(clients, instance.stackId);
  const input = stackInput(definition, instance);
  if (existing === undefined || existing.StackStatus === 'DELETE_COMPLETE') {
    const { cloudformation } = await clients();
    const { StackId } = await cloudformation.send(
      // What cannot be created is removed at once, so that the next operation starts afresh.
      new CreateStackCommand({
        ...input,
        StackName: `StackSet-${set.name.slice(0, 82)}-${randomUUID()}`,
        OnFailure: 'DELETE',
      }),
    );
    instance.stackId = StackId!;
    const stack = await settled(stacks, clients, StackId!);
    if (stack?.StackStatus !== 'CREATE_COMPLETE') {
      throw new InstanceFailure(
        await firstCause(clients, StackId!, stack?.StackStatusReason ?? 'Stack creation failed.'),
      );
    }
    return;
  }
  const stackId = existing.StackId!;
  try {
    await (await clients()).cloudformation.send(
      new UpdateStackCommand({ ...input, Tags: definition.tags, StackName: stackId }),
    );
  } catch (error) {
    if (/No updates are to be performed/.test(messageOf(error))) return;
    throw error;
  }
  const stack = await settled(stacks, clients, stackId);
  if (stack?.StackStatus !== 'UPDATE_COMPLETE') {
    throw new InstanceFailure(await firstCause(clients, stackId, stack?.StackStatusReason ?? 'Stack update failed.'));
  }
}

/** Deletes the stack of an instance; a stack that is gone is no failure. */
export async function removeInstance(
  stacks: StackStore,
  clients: TargetClients,
  instance: StackInstance,
): Promise<void> {
  const { stackId } = instance;
  const { cloudformation } = await clients();
  if (stackId === undefined) return;
  const existing = await describe(clients, stackId);
  if (existing === undefined || existing.StackStatus === 'DELETE_COMPLETE') return;
  await cloudformation.send(new DeleteStackCommand({ StackName: stackId }));
  const stack = await settled(stacks, clients, stackId);
  if (stack !== undefined && stack.StackStatus !== 'DELETE_COMPLETE') {
    throw new InstanceFailure(await firstCause(clients, stackId, stack.StackStatusReason ?? 'Stack deletion failed.'));
  }
}
