import type {
  ChangeSetSummary,
  DescribeChangeSetCommandOutput,
  Stack as StackDescription,
  StackEvent as StackEventDescription,
  StackResource as StackResourceDescription,
  StackResourceSummary,
  StackSummary,
} from '@aws-sdk/client-cloudformation';
import type { ParameterValue } from '../template/parameters.ts';
import type { ChangeSet, Stack, StackEvent, StackOutput, StackResource } from './model.ts';

/** Answers as the API gives them. */

function parameterViews(parameters: Record<string, ParameterValue>) {
  return Object.entries(parameters).map(([ParameterKey, { value, noEcho, resolvedValue }]) => ({
    ParameterKey,
    ParameterValue: noEcho ? '****' : value,
    ...(resolvedValue === undefined ? {} : { ResolvedValue: noEcho ? '****' : resolvedValue }),
  }));
}

function outputView({ key, value, description, exportName }: StackOutput) {
  return {
    OutputKey: key,
    OutputValue: value,
    ...(description === undefined ? {} : { Description: description }),
    ...(exportName === undefined ? {} : { ExportName: exportName }),
  };
}

export function stackView(stack: Stack): StackDescription {
  const { definition } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...(stack.changeSetId === undefined ? {} : { ChangeSetId: stack.changeSetId }),
    ...(definition.template.description === undefined ? {} : { Description: definition.template.description }),
    Parameters: parameterViews(definition.parameters),
    CreationTime: stack.createdAt,
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: stack.deletedAt }),
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: stack.updatedAt }),
    RollbackConfiguration: {},
    StackStatus: stack.status,
    ...(stack.statusReason === undefined ? {} : { StackStatusReason: stack.statusReason }),
    DisableRollback: stack.disableRollback,
    NotificationARNs: definition.notificationArns,
    ...(stack.timeoutMinutes === undefined ? {} : { TimeoutInMinutes: stack.timeoutMinutes }),
    Capabilities: definition.capabilities as NonNullable<StackDescription['Capabilities']>,
    ...(stack.outputs.length === 0 ? {} : { Outputs: stack.outputs.map(outputView) }),
    ...(stack.roleArn === undefined ? {} : { RoleARN: stack.roleArn }),
    Tags: definition.tags,
    EnableTerminationProtection: stack.terminationProtection,
    ...(stack.parentId === undefined ? {} : { ParentId: stack.parentId, RootId: stack.rootId }),
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

export function stackSummaryView(stack: Stack): StackSummary {
  const { definition } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...(definition.template.description === undefined ? {} : { TemplateDescription: definition.template.description }),
    CreationTime: stack.createdAt,
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: stack.updatedAt }),
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: stack.deletedAt }),
    StackStatus: stack.status,
    ...(stack.statusReason === undefined ? {} : { StackStatusReason: stack.statusReason }),
    ...(stack.parentId === undefined ? {} : { ParentId: stack.parentId, RootId: stack.rootId }),
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

export function eventView(stack: Stack, event: StackEvent): StackEventDescription {
  return {
    StackId: stack.id,
    EventId: event.id,
    StackName: stack.name,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: event.at,
    ResourceStatus: event.status as NonNullable<StackEventDescription['ResourceStatus']>,
    ...(event.reason === undefined ? {} : { ResourceStatusReason: event.reason }),
    ...(event.properties === undefined ? {} : { ResourceProperties: event.properties }),
    ...(event.token === undefined ? {} : { ClientRequestToken: event.token }),
  };
}

export function resourceView(stack: Stack, resource: StackResource): StackResourceDescription {
  return {
    StackName: stack.name,
    StackId: stack.id,
    LogicalResourceId: resource.logicalId,
    ...(resource.physicalId === '' ? {} : { PhysicalResourceId: resource.physicalId }),
    ResourceType: resource.type,
    Timestamp: resource.updatedAt,
    ResourceStatus: resource.status as NonNullable<StackResourceDescription['ResourceStatus']>,
    ...(resource.statusReason === undefined ? {} : { ResourceStatusReason: resource.statusReason }),
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  };
}

export function resourceSummaryView(resource: StackResource): StackResourceSummary {
  return {
    LogicalResourceId: resource.logicalId,
    ...(resource.physicalId === '' ? {} : { PhysicalResourceId: resource.physicalId }),
    ResourceType: resource.type,
    LastUpdatedTimestamp: resource.updatedAt,
    ResourceStatus: resource.status as NonNullable<StackResourceSummary['ResourceStatus']>,
    ...(resource.statusReason === undefined ? {} : { ResourceStatusReason: resource.statusReason }),
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  };
}

export function changeSetView(stack: Stack, changeSet: ChangeSet): Omit<DescribeChangeSetCommandOutput, '$metadata'> {
  const { definition } = changeSet;
  return {
    ChangeSetName: changeSet.name,
    ChangeSetId: changeSet.id,
    StackId: stack.id,
    StackName: stack.name,
    ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
    Parameters: parameterViews(definition.parameters),
    CreationTime: changeSet.createdAt,
    ExecutionStatus: changeSet.executionStatus,
    Status: changeSet.status,
    ...(changeSet.statusReason === undefined ? {} : { StatusReason: changeSet.statusReason }),
    NotificationARNs: definition.notificationArns,
    RollbackConfiguration: {},
    Capabilities: definition.capabilities as NonNullable<DescribeChangeSetCommandOutput['Capabilities']>,
    Tags: definition.tags,
    IncludeNestedStacks: false,
    ...(changeSet.onFailure === undefined ? {} : { OnStackFailure: changeSet.onFailure }),
    Changes: changeSet.changes.map((change) => ({
      Type: 'Resource',
      ResourceChange: {
        Action: change.action,
        LogicalResourceId: change.logicalId,
        ...(change.physicalId === undefined ? {} : { PhysicalResourceId: change.physicalId }),
        ResourceType: change.type,
        ...(change.replacement === undefined ? {} : { Replacement: change.replacement }),
        Scope: change.scope as ('Properties' | 'Metadata' | 'Tags')[],
        Details: change.details.map((detail) => ({
          Target: {
            Attribute: detail.attribute as 'Properties',
            ...(detail.name === undefined ? {} : { Name: detail.name }),
            RequiresRecreation: detail.requiresRecreation,
          },
          Evaluation: detail.evaluation,
          ChangeSource: 'DirectModification',
        })),
      },
    })),
  };
}

export function changeSetSummaryView(stack: Stack, changeSet: ChangeSet): ChangeSetSummary {
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    ExecutionStatus: changeSet.executionStatus,
    Status: changeSet.status,
    ...(changeSet.statusReason === undefined ? {} : { StatusReason: changeSet.statusReason }),
    CreationTime: changeSet.createdAt,
    ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
    IncludeNestedStacks: false,
  };
}
