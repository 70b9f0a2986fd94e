import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackInstancesCommand,
  StopStackSetOperationCommand,
  UpdateStackInstancesCommand,
  UpdateStackSetCommand,
} from '@aws-sdk/client-cloudformation';
import { isAws } from '../aws/errors.ts';
import type { Service } from '../aws/session.ts';
import type { Definition, Preferences, Wanted } from './model.ts';
import type { Step } from './plan.ts';

/** What submitting came to; everything but `submitted` means: look again. */
export type Submission = 'submitted' | 'exists' | 'busy' | 'stale';

function preferencesOf({ maxConcurrentCount, failureToleranceCount, concurrencyMode }: Preferences) {
  return {
    MaxConcurrentCount: maxConcurrentCount,
    FailureToleranceCount: failureToleranceCount,
    ConcurrencyMode:
      concurrencyMode === 'soft' ? ('SOFT_FAILURE_TOLERANCE' as const) : ('STRICT_FAILURE_TOLERANCE' as const),
  };
}

/** Every parameter by value, and the administration role again: an update that leaves it out falls back to the default role. */
function definitionFields(definition: Definition) {
  return {
    StackSetName: definition.name,
    Description: definition.description,
    TemplateBody: definition.templateBody,
    Parameters: Object.entries(definition.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    Tags: Object.entries(definition.tags).map(([Key, Value]) => ({ Key, Value })),
    Capabilities: definition.capabilities.map((capability) => capability as 'CAPABILITY_NAMED_IAM'),
    AdministrationRoleARN: definition.administrationRoleArn,
    ExecutionRoleName: definition.executionRoleName,
  };
}

/** Creates the set itself (no instances yet). True when it was made, false when somebody else was quicker. */
export async function createSet(
  cloudformation: Service,
  definition: Definition,
  token: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await cloudformation.send(
      new CreateStackSetCommand({
        ...definitionFields(definition),
        PermissionModel: 'SELF_MANAGED',
        ClientRequestToken: token,
      }),
      { resource: definition.name, signal },
    );
    return true;
  } catch (error) {
    if (isAws(error, 'NameAlreadyExistsException', 'NameAlreadyExists', 'CreatedButModifiedException')) return false;
    throw error;
  }
}

/** Starts the operation of a step under its id. */
export async function submit(
  cloudformation: Service,
  step: Exclude<Step, { action: 'create-set' }>,
  { definition, region, preferences }: Wanted,
  operationId: string,
  signal: AbortSignal,
): Promise<Submission> {
  const operation = { OperationId: operationId, OperationPreferences: preferencesOf(preferences) };
  const accounts = [...step.accounts];
  const sending = { resource: definition.name, signal };
  try {
    switch (step.action) {
      case 'update':
        await cloudformation.send(
          new UpdateStackSetCommand({
            ...definitionFields(definition),
            ...(accounts.length === 0 ? {} : { Accounts: accounts, Regions: [region] }),
            ...operation,
          }),
          sending,
        );
        break;
      case 'redeploy':
        await cloudformation.send(
          new UpdateStackInstancesCommand({
            StackSetName: definition.name,
            Accounts: accounts,
            Regions: [region],
            ...operation,
          }),
          sending,
        );
        break;
      case 'create':
        await cloudformation.send(
          new CreateStackInstancesCommand({
            StackSetName: definition.name,
            Accounts: accounts,
            Regions: [region],
            ...operation,
          }),
          sending,
        );
        break;
      case 'remove':
        await cloudformation.send(
          new DeleteStackInstancesCommand({
            StackSetName: definition.name,
            Accounts: accounts,
            Regions: [step.region],
            RetainStacks: step.retainStacks ?? false,
            ...operation,
          }),
          sending,
        );
        break;
    }
    return 'submitted';
  } catch (error) {
    if (isAws(error, 'OperationIdAlreadyExistsException', 'OperationIdAlreadyExists')) return 'exists';
    if (isAws(error, 'OperationInProgressException', 'OperationInProgress')) return 'busy';
    if (
      isAws(error, 'StaleRequestException', 'StaleRequest', 'StackInstanceNotFoundException', 'StackInstanceNotFound')
    )
      return 'stale';
    throw error;
  }
}

/** Cancels what has not started; running instances are finished first. */
export async function stopOperation(cloudformation: Service, name: string, id: string): Promise<void> {
  await cloudformation.send(new StopStackSetOperationCommand({ StackSetName: name, OperationId: id }), {
    resource: id,
  });
}
