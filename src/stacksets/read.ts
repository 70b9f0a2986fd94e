import {
  CloudFormationClient,
  DescribeStackSetCommand,
  DescribeStackSetOperationCommand,
  ListStackInstancesCommand,
  ListStackSetOperationResultsCommand,
  ListStackSetOperationsCommand,
} from '@aws-sdk/client-cloudformation';
import { isAws, isNotFound } from '../aws/errors.ts';
import type { Service } from '../aws/session.ts';
import { type Instance, isLive, type Operation, type OperationResult, type StackSetState } from './model.ts';

export { CloudFormationClient };

const pageSize = 100;

async function definitionOf(cloudformation: Service, name: string, signal: AbortSignal) {
  try {
    const { StackSet } = await cloudformation.send(new DescribeStackSetCommand({ StackSetName: name }), {
      resource: name,
      signal,
    });
    return StackSet?.Status === 'DELETED' ? undefined : StackSet;
  } catch (error) {
    if (isAws(error, 'StackSetNotFoundException', 'StackSetNotFound') || isNotFound(error)) return undefined;
    throw error;
  }
}

/** All pages of the instances of a set. */
export async function listInstances(cloudformation: Service, name: string, signal: AbortSignal): Promise<Instance[]> {
  const instances: Instance[] = [];
  let token: string | undefined;
  do {
    const page = await cloudformation.send(
      new ListStackInstancesCommand({ StackSetName: name, MaxResults: pageSize, NextToken: token }),
      { resource: name, signal },
    );
    for (const summary of page.Summaries ?? []) {
      instances.push({
        account: summary.Account ?? '',
        region: summary.Region ?? '',
        status: summary.Status ?? 'OUTDATED',
        detailedStatus: summary.StackInstanceStatus?.DetailedStatus,
        statusReason: summary.StatusReason,
        stackId: summary.StackId,
        lastOperationId: summary.LastOperationId,
      });
    }
    token = page.NextToken;
  } while (token !== undefined && token !== '');
  return instances;
}

/** The stack set and its instances as they are now. */
export async function readStackSet(cloudformation: Service, name: string, signal: AbortSignal): Promise<StackSetState> {
  const set = await definitionOf(cloudformation, name, signal);
  if (set === undefined) return { definition: undefined, arn: undefined, instances: [] };
  const pairs = <T>(list: readonly T[] | undefined, key: (item: T) => string, value: (item: T) => string) =>
    Object.fromEntries((list ?? []).map((item) => [key(item), value(item)]));
  return {
    arn: set.StackSetARN,
    definition: {
      name,
      description: set.Description ?? '',
      templateBody: set.TemplateBody ?? '',
      parameters: pairs(
        set.Parameters,
        (item) => item.ParameterKey ?? '',
        (item) => item.ParameterValue ?? '',
      ),
      tags: pairs(
        set.Tags,
        (item) => item.Key ?? '',
        (item) => item.Value ?? '',
      ),
      administrationRoleArn: set.AdministrationRoleARN ?? '',
      executionRoleName: set.ExecutionRoleName ?? '',
      capabilities: set.Capabilities ?? [],
    },
    instances: await listInstances(cloudformation, name, signal),
  };
}

/** The newest operations of a set, newest first. The list lags behind what has been submitted. */
export async function recentOperations(
  cloudformation: Service,
  name: string,
  signal: AbortSignal,
): Promise<Operation[]> {
  const page = await cloudformation.send(
    new ListStackSetOperationsCommand({ StackSetName: name, MaxResults: pageSize }),
    { resource: name, signal },
  );
  return (page.Summaries ?? []).map((summary) => ({
    id: summary.OperationId ?? '',
    action: summary.Action ?? '',
    status: summary.Status ?? '',
    statusReason: summary.StatusReason,
    failedInstances: summary.StatusDetails?.FailedStackInstancesCount,
    createdAt: summary.CreationTimestamp,
  }));
}

export async function liveOperation(
  cloudformation: Service,
  name: string,
  signal: AbortSignal,
): Promise<Operation | undefined> {
  return (await recentOperations(cloudformation, name, signal)).filter(isLive).at(-1);
}

/** One operation by its id (strongly consistent); undefined when nobody has submitted it. */
export async function describeOperation(
  cloudformation: Service,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<Operation | undefined> {
  try {
    const { StackSetOperation: operation } = await cloudformation.send(
      new DescribeStackSetOperationCommand({ StackSetName: name, OperationId: id }),
      { resource: id, signal },
    );
    if (operation === undefined) return undefined;
    return {
      id,
      action: operation.Action ?? '',
      status: operation.Status ?? '',
      statusReason: operation.StatusReason,
      failedInstances: operation.StatusDetails?.FailedStackInstancesCount,
      createdAt: operation.CreationTimestamp,
    };
  } catch (error) {
    if (isNotFound(error) || isAws(error, 'OperationNotFoundException', 'OperationNotFound')) return undefined;
    throw error;
  }
}

/** All pages of what an operation did per account and region. Lags behind the operation itself. */
export async function operationResults(
  cloudformation: Service,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<OperationResult[]> {
  const results: OperationResult[] = [];
  let token: string | undefined;
  do {
    const page = await cloudformation.send(
      new ListStackSetOperationResultsCommand({
        StackSetName: name,
        OperationId: id,
        MaxResults: pageSize,
        NextToken: token,
      }),
      { resource: id, signal },
    );
    for (const summary of page.Summaries ?? []) {
      results.push({
        account: summary.Account ?? '',
        region: summary.Region ?? '',
        status: summary.Status ?? '',
        reason: summary.StatusReason,
      });
    }
    token = page.NextToken;
  } while (token !== undefined && token !== '');
  return results;
}
