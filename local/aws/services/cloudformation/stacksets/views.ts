import type {
  StackInstance as InstanceDescription,
  StackSetOperation as OperationDescription,
  StackSet as SetDescription,
  StackInstanceSummary,
  StackSetOperationResultSummary,
  StackSetOperationSummary,
  StackSetSummary,
} from '@aws-sdk/client-cloudformation';
import type { OperationResult, StackInstance, StackSet, StackSetOperation } from './model.ts';

export function setView(set: StackSet): SetDescription {
  const { definition } = set;
  return {
    StackSetName: set.name,
    StackSetId: set.id,
    StackSetARN: set.arn,
    ...(set.description === undefined ? {} : { Description: set.description }),
    Status: set.status,
    TemplateBody: definition.template.body,
    Parameters: Object.entries(definition.parameters).map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: definition.template.parameters[ParameterKey]?.NoEcho === true ? '****' : value,
    })),
    Capabilities: definition.capabilities as NonNullable<SetDescription['Capabilities']>,
    Tags: definition.tags,
    AdministrationRoleARN: definition.administrationRoleArn,
    ExecutionRoleName: definition.executionRoleName,
    StackSetDriftDetectionDetails: { DriftStatus: 'NOT_CHECKED', TotalStackInstancesCount: set.instances.size },
    OrganizationalUnitIds: [],
    PermissionModel: 'SELF_MANAGED',
    ManagedExecution: { Active: set.managedExecution },
    Regions: [...new Set([...set.instances.values()].map((instance) => instance.region))],
  };
}

export function setSummaryView(set: StackSet): StackSetSummary {
  return {
    StackSetName: set.name,
    StackSetId: set.id,
    ...(set.description === undefined ? {} : { Description: set.description }),
    Status: set.status,
    PermissionModel: 'SELF_MANAGED',
    DriftStatus: 'NOT_CHECKED',
    ManagedExecution: { Active: set.managedExecution },
  };
}

export function instanceSummaryView(set: StackSet, instance: StackInstance): StackInstanceSummary {
  return {
    StackSetId: set.id,
    Region: instance.region,
    Account: instance.account,
    ...(instance.stackId === undefined ? {} : { StackId: instance.stackId }),
    Status: instance.status,
    ...(instance.statusReason === undefined ? {} : { StatusReason: instance.statusReason }),
    StackInstanceStatus: { DetailedStatus: instance.detailedStatus },
    DriftStatus: 'NOT_CHECKED',
    LastOperationId: instance.lastOperationId,
  };
}

export function instanceView(set: StackSet, instance: StackInstance): InstanceDescription {
  return {
    ...instanceSummaryView(set, instance),
    ParameterOverrides: Object.entries(instance.overrides).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
  };
}

export function operationView(set: StackSet, operation: StackSetOperation): OperationDescription {
  return {
    OperationId: operation.id,
    StackSetId: set.id,
    Action: operation.action,
    Status: operation.status,
    OperationPreferences: operation.preferences,
    ...(operation.retainStacks === undefined ? {} : { RetainStacks: operation.retainStacks }),
    AdministrationRoleARN: operation.definition.administrationRoleArn,
    ExecutionRoleName: operation.definition.executionRoleName,
    CreationTimestamp: operation.createdAt,
    ...(operation.endedAt === undefined ? {} : { EndTimestamp: operation.endedAt }),
    ...(operation.statusReason === undefined ? {} : { StatusReason: operation.statusReason }),
    StatusDetails: { FailedStackInstancesCount: operation.failed },
  };
}

/** As lists show an operation that changed at `changedAfter` or later: the state before. */
export function operationSummaryView(
  operation: StackSetOperation,
  changedAfter: number,
): StackSetOperationSummary | undefined {
  const late = operation.at > changedAfter;
  if (late && operation.seen === undefined) return undefined;
  const { status, endedAt } = late && operation.seen !== undefined ? operation.seen : operation;
  return {
    OperationId: operation.id,
    Action: operation.action,
    Status: status,
    CreationTimestamp: operation.createdAt,
    ...(endedAt === undefined ? {} : { EndTimestamp: endedAt }),
    ...(operation.statusReason === undefined ? {} : { StatusReason: operation.statusReason }),
    StatusDetails: { FailedStackInstancesCount: operation.failed },
    OperationPreferences: operation.preferences,
  };
}

export function resultView(result: OperationResult, changedAfter: number): StackSetOperationResultSummary | undefined {
  const late = result.at > changedAfter;
  if (late && result.seen === undefined) return undefined;
  const { status, reason } = late && result.seen !== undefined ? result.seen : result;
  return {
    Account: result.account,
    Region: result.region,
    Status: status,
    ...(reason === undefined ? {} : { StatusReason: reason }),
    AccountGateResult: {
      Status: 'SKIPPED',
      StatusReason: `Function not found: arn:aws:lambda:${result.region}:${result.account}:function:AWSCloudFormationStackSetAccountGate`,
    },
  };
}
