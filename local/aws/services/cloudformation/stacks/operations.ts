import type * as Api from '@aws-sdk/client-cloudformation';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../../core/service.ts';
import { validationError } from '../errors.ts';
import { resourceSchema } from '../resources/schema.ts';
import { readTemplate, type Template } from '../template/template.ts';
import { importersOf } from './engine.ts';
import { type DefinitionInput, readDefinition, rightsFor, type StackEnvironment, seenBefore } from './environment.ts';
import { inProgress, newStack, type Stack, stackArn } from './model.ts';
import { planChanges } from './plan.ts';
import {
  passRole,
  readTags,
  requiredCapabilities,
  roleContext,
  stackNamePattern,
  stackResource,
  tagRecord,
  templateText,
} from './requests.ts';
import { page } from './store.ts';
import { eventView, resourceSummaryView, resourceView, stackSummaryView, stackView } from './views.ts';

/** Statuses from which a stack can be updated. */
const updatable = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'UPDATE_FAILED',
  'CREATE_FAILED',
]);

export function createStackOperations(environment: StackEnvironment): Record<string, Operation> {
  const { context, store, engine } = environment;

  const onStack = (action: string, call: Call, nameOrId: string | undefined): AuthorizationRequest => {
    const stack = nameOrId === undefined ? undefined : store.find(call.account, call.region, nameOrId);
    return {
      action: `cloudformation:${action}`,
      resources: [stackResource(call, nameOrId, stack?.id)],
      ...(stack === undefined ? {} : { resourceTags: tagRecord(stack.definition.tags) }),
    };
  };

  const withRole = (
    action: string,
    input: { StackName?: string | undefined; RoleARN?: string | undefined },
    call: Call,
  ) => [{ ...onStack(action, call, input.StackName), context: roleContext(input.RoleARN) }, ...passRole(input.RoleARN)];

  const writeStack =
    (action: string) =>
    (input: DefinitionInput & { StackName?: string }, call: Call): AuthorizationRequest[] => {
      const request = onStack(action, call, input.StackName);
      const tags = readTags(input.Tags);
      return [
        {
          ...request,
          context: {
            ...(input.TemplateURL === undefined ? {} : { 'cloudformation:TemplateUrl': input.TemplateURL }),
            ...roleContext(input.RoleARN),
          },
          ...(tags.length === 0 ? {} : { requestTags: tagRecord(tags) }),
        },
        ...(tags.length === 0
          ? []
          : [
              {
                action: 'cloudformation:TagResource',
                resources: request.resources,
                requestTags: tagRecord(tags),
                context: { 'cloudformation:CreateAction': action },
              },
            ]),
        ...passRole(input.RoleARN),
      ];
    };

  const read = <Input extends { StackName?: string | undefined }, Output>(
    action: string,
    handle: (input: Input, call: Call) => Output | Promise<Output>,
  ): Operation<Input, Output> => ({
    mutating: false,
    authorize: (input, call) => [onStack(action, call, input.StackName)],
    handle,
  });

  const createStack: Operation<Api.CreateStackInput, Api.CreateStackOutput> = {
    mutating: true,
    authorize: writeStack('CreateStack') as Operation['authorize'],
    async handle(input, call) {
      const name = input.StackName ?? '';
      if (!stackNamePattern.test(name)) {
        throw validationError(
          `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
        );
      }
      if (input.OnFailure !== undefined && input.DisableRollback !== undefined) {
        throw validationError('You cannot specify both DisableRollback and OnFailure.');
      }
      if (input.RetainExceptOnCreate === true) throw new NotImplementedError('RetainExceptOnCreate of CreateStack');
      const existing = store.live(call.account, call.region, name);
      if (existing !== undefined) {
        if (
          input.ClientRequestToken !== undefined &&
          seenBefore(existing, input.ClientRequestToken, ['CreateStack', input])
        ) {
          return { StackId: existing.id };
        }
        throw alreadyExists(existing);
      }
      const id = stackArn(call.account, call.region, name);
      const rights = rightsFor(environment, call, { id }, input.RoleARN);
      const definition = await readDefinition(environment, input, call, undefined, rights);
      const stack = newStack(id, name, call.account, call.region, definition, context.clock.now());
      planChanges(stack, definition, store, environment.handlers);
      // Reading the template took time: somebody else may have created the stack meanwhile.
      const raced = store.live(call.account, call.region, name);
      if (raced !== undefined) throw alreadyExists(raced);
      if (input.RoleARN !== undefined) stack.roleArn = input.RoleARN;
      stack.terminationProtection = input.EnableTerminationProtection === true;
      stack.disableRollback = input.DisableRollback === true;
      stack.onFailure =
        (input.OnFailure as Stack['onFailure']) ?? (input.DisableRollback === true ? 'DO_NOTHING' : 'ROLLBACK');
      if (input.TimeoutInMinutes !== undefined) stack.timeoutMinutes = input.TimeoutInMinutes;
      seenBefore(stack, input.ClientRequestToken, ['CreateStack', input]);
      store.add(stack);
      engine.create(stack, { rights, token: input.ClientRequestToken });
      return { StackId: id };
    },
  };

  const updateStack: Operation<Api.UpdateStackInput, Api.UpdateStackOutput> = {
    mutating: true,
    authorize: writeStack('UpdateStack') as Operation['authorize'],
    async handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      if (input.RetainExceptOnCreate === true) throw new NotImplementedError('RetainExceptOnCreate of UpdateStack');
      if (seenBefore(stack, input.ClientRequestToken, ['UpdateStack', input])) return { StackId: stack.id };
      requireUpdatable(stack);
      const rights = rightsFor(environment, call, stack, input.RoleARN);
      const definition = await readDefinition(environment, input, call, stack, rights);
      requireUpdatable(stack);
      const plan = planChanges(stack, definition, store, environment.handlers);
      const sameTags = JSON.stringify(stack.definition.tags) === JSON.stringify(definition.tags);
      if (plan.changes.length === 0 && !plan.outputsChanged && sameTags && stack.status !== 'UPDATE_FAILED') {
        if (input.ClientRequestToken !== undefined) stack.usedTokens.delete(input.ClientRequestToken);
        throw validationError('No updates are to be performed.');
      }
      if (input.RoleARN !== undefined) stack.roleArn = input.RoleARN;
      for (const changeSet of stack.changeSets.values()) {
        if (changeSet.executionStatus === 'AVAILABLE') changeSet.executionStatus = 'OBSOLETE';
      }
      engine.update(stack, definition, {
        rights,
        token: input.ClientRequestToken,
        disableRollback: input.DisableRollback === true,
      });
      return { StackId: stack.id };
    },
  };

  const deleteStack: Operation<Api.DeleteStackInput, object> = {
    mutating: true,
    authorize: (input, call) => withRole('DeleteStack', input, call),
    async handle(input, call) {
      const stack = store.find(call.account, call.region, input.StackName ?? '');
      // Deleting what is not there, or is deleted already, succeeds.
      if (stack === undefined || stack.status === 'DELETE_COMPLETE') return {};
      if (stack.terminationProtection) {
        throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
      }
      if (stack.status === 'DELETE_IN_PROGRESS') return {};
      if (inProgress(stack) && stack.status !== 'CREATE_IN_PROGRESS') {
        throw validationError(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`);
      }
      const retain = input.RetainResources ?? [];
      const force = input.DeletionMode === 'FORCE_DELETE_STACK';
      if ((retain.length > 0 || force) && stack.status !== 'DELETE_FAILED') {
        throw validationError(
          `Invalid operation on stack [${stack.id}]. Specify ${force ? 'DeletionMode FORCE_DELETE_STACK' : 'which resources to retain'} only when the stack is in the DELETE_FAILED state.`,
        );
      }
      for (const name of retain) {
        if (!stack.resources.has(name))
          throw validationError(
            `The specified resources to retain must be in a valid state: ${name} is not in the stack`,
          );
      }
      if (stack.status === 'REVIEW_IN_PROGRESS') {
        stack.deletedAt = context.clock.now();
        environment.log.stack(stack, 'DELETE_COMPLETE');
        store.retire(stack);
        return {};
      }
      const rights = rightsFor(environment, call, stack, input.RoleARN);
      void engine.delete(stack, { rights, token: input.ClientRequestToken, retain, force });
      return {};
    },
  };

  const describeStacks: Operation<Api.DescribeStacksInput, Api.DescribeStacksOutput> = {
    mutating: false,
    authorize: (input, call) => [
      input.StackName === undefined
        ? { action: 'cloudformation:DescribeStacks', resources: ['*'] }
        : onStack('DescribeStacks', call, input.StackName),
    ],
    handle(input, call) {
      if (input.StackName !== undefined) {
        return { Stacks: [stackView(store.get(call.account, call.region, input.StackName))] };
      }
      const all = store.liveStacks(call.account, call.region).reverse();
      const { items, next } = page(all, input.NextToken, 100);
      return { Stacks: items.map(stackView), ...(next === undefined ? {} : { NextToken: next }) };
    },
  };

  const listStacks: Operation<Api.ListStacksInput, Api.ListStacksOutput> = {
    mutating: false,
    authorize: () => [{ action: 'cloudformation:ListStacks', resources: ['*'] }],
    handle(input, call) {
      const filter = input.StackStatusFilter;
      const all = store
        .all(call.account, call.region)
        .filter((stack) => filter === undefined || filter.length === 0 || filter.includes(stack.status))
        .reverse();
      const { items, next } = page(all, input.NextToken, 100);
      return { StackSummaries: items.map(stackSummaryView), ...(next === undefined ? {} : { NextToken: next }) };
    },
  };

  const describeStackEvents = read<Api.DescribeStackEventsInput, Api.DescribeStackEventsOutput>(
    'DescribeStackEvents',
    (input, call) => {
      const stack = store.get(call.account, call.region, input.StackName);
      const { items, next } = page([...stack.events].reverse(), input.NextToken, 100);
      return {
        StackEvents: items.map((event) => eventView(stack, event)),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },
  );

  const describeStackResource = read<Api.DescribeStackResourceInput, Api.DescribeStackResourceOutput>(
    'DescribeStackResource',
    (input, call) => {
      const stack = store.get(call.account, call.region, input.StackName);
      const resource = stack.resources.get(input.LogicalResourceId ?? '');
      if (resource === undefined) {
        throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
      }
      const { Timestamp, ...view } = resourceView(stack, resource);
      return {
        StackResourceDetail: {
          ...view,
          LastUpdatedTimestamp: Timestamp,
          ...(resource.metadata === undefined ? {} : { Metadata: JSON.stringify(resource.metadata) }),
        },
      };
    },
  );

  const describeStackResources: Operation<Api.DescribeStackResourcesInput, Api.DescribeStackResourcesOutput> = {
    mutating: false,
    authorize: (input, call) => [onStack('DescribeStackResources', call, input.StackName)],
    handle(input, call) {
      const stack =
        input.StackName === undefined
          ? store
              .liveStacks(call.account, call.region)
              .find((item) =>
                [...item.resources.values()].some((resource) => resource.physicalId === input.PhysicalResourceId),
              )
          : store.get(call.account, call.region, input.StackName);
      if (stack === undefined) throw validationError(`Stack for ${input.PhysicalResourceId} does not exist`);
      const resources = [...stack.resources.values()].filter(
        (resource) => input.LogicalResourceId === undefined || resource.logicalId === input.LogicalResourceId,
      );
      return { StackResources: resources.map((resource) => resourceView(stack, resource)) };
    },
  };

  const listStackResources = read<Api.ListStackResourcesInput, Api.ListStackResourcesOutput>(
    'ListStackResources',
    (input, call) => {
      const stack = store.get(call.account, call.region, input.StackName);
      const { items, next } = page([...stack.resources.values()], input.NextToken, 100);
      return {
        StackResourceSummaries: items.map(resourceSummaryView),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },
  );

  const getTemplate: Operation<Api.GetTemplateInput, Api.GetTemplateOutput> = {
    mutating: false,
    authorize: (input, call) => [onStack('GetTemplate', call, input.StackName)],
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      const changeSet =
        input.ChangeSetName === undefined
          ? undefined
          : [...stack.changeSets.values()].find((item) => [item.id, item.name].includes(input.ChangeSetName as string));
      if (input.ChangeSetName !== undefined && changeSet === undefined) {
        throw validationError(`ChangeSet [${input.ChangeSetName}] does not exist`);
      }
      return {
        TemplateBody: (changeSet ?? stack).definition.template.body,
        StagesAvailable: ['Original', 'Processed'],
      };
    },
  };

  const validateTemplate: Operation<Api.ValidateTemplateInput, Api.ValidateTemplateOutput> = {
    mutating: false,
    authorize: () => [{ action: 'cloudformation:ValidateTemplate', resources: ['*'] }],
    async handle(input, call) {
      const text = await templateText(context, input, call);
      if (text === undefined) throw validationError('Either Template URL or Template Body must be specified.');
      const template = readTemplate(text);
      const { capabilities, reason } = requiredCapabilities(template);
      return {
        Parameters: Object.entries(template.parameters).map(([ParameterKey, declaration]) => ({
          ParameterKey,
          ...(declaration.Default === undefined ? {} : { DefaultValue: String(declaration.Default) }),
          NoEcho: declaration.NoEcho === true,
          ...(declaration.Description === undefined ? {} : { Description: declaration.Description }),
        })),
        ...(template.description === undefined ? {} : { Description: template.description }),
        ...(capabilities.length === 0
          ? {}
          : { Capabilities: capabilities as Api.Capability[], CapabilitiesReason: reason }),
      };
    },
  };

  const updateTerminationProtection: Operation<
    Api.UpdateTerminationProtectionInput,
    Api.UpdateTerminationProtectionOutput
  > = {
    mutating: true,
    authorize: (input, call) => [onStack('UpdateTerminationProtection', call, input.StackName)],
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      if (stack.status.startsWith('DELETE_')) {
        throw validationError(
          `Stack [${stack.id}] is in status ${stack.status}: its termination protection cannot change`,
        );
      }
      stack.terminationProtection = input.EnableTerminationProtection === true;
      return { StackId: stack.id };
    },
  };

  const cancelUpdateStack: Operation<Api.CancelUpdateStackInput, object> = {
    mutating: true,
    authorize: (input, call) => [onStack('CancelUpdateStack', call, input.StackName)],
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      if (stack.status !== 'UPDATE_IN_PROGRESS') {
        throw validationError(`CancelUpdateStack cannot be called from current stack status ${stack.status}`);
      }
      engine.cancelUpdate(stack);
      return {};
    },
  };

  const continueUpdateRollback: Operation<Api.ContinueUpdateRollbackInput, object> = {
    mutating: true,
    authorize: (input, call) => withRole('ContinueUpdateRollback', input, call),
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      if (stack.status !== 'UPDATE_ROLLBACK_FAILED') {
        throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not continue rollback.`);
      }
      const rights = rightsFor(environment, call, stack, input.RoleARN);
      engine.continueRollback(stack, { rights, token: input.ClientRequestToken, skip: input.ResourcesToSkip ?? [] });
      return {};
    },
  };

  const rollbackStack: Operation<Api.RollbackStackInput, Api.RollbackStackOutput> = {
    mutating: true,
    authorize: (input, call) => withRole('RollbackStack', input, call),
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      if (!['CREATE_FAILED', 'UPDATE_FAILED'].includes(stack.status)) {
        throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be rolled back.`);
      }
      const rights = rightsFor(environment, call, stack, input.RoleARN);
      engine.rollback(stack, { rights, token: input.ClientRequestToken });
      return { StackId: stack.id };
    },
  };

  const listExports: Operation<Api.ListExportsInput, Api.ListExportsOutput> = {
    mutating: false,
    authorize: () => [{ action: 'cloudformation:ListExports', resources: ['*'] }],
    handle(input, call) {
      const { items, next } = page(store.exports(call.account, call.region), input.NextToken, 100);
      return {
        Exports: items.map(({ name, value, stackId }) => ({ ExportingStackId: stackId, Name: name, Value: value })),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },
  };

  const listImports: Operation<Api.ListImportsInput, Api.ListImportsOutput> = {
    mutating: false,
    authorize: () => [{ action: 'cloudformation:ListImports', resources: ['*'] }],
    handle(input, call) {
      const importers = importersOf(store, call.account, call.region, input.ExportName ?? '');
      if (importers.length === 0) throw validationError(`Export '${input.ExportName}' is not imported by any stack.`);
      const { items, next } = page(importers, input.NextToken, 100);
      return { Imports: items.map((stack) => stack.name), ...(next === undefined ? {} : { NextToken: next }) };
    },
  };

  return {
    CreateStack: createStack,
    UpdateStack: updateStack,
    DeleteStack: deleteStack,
    DescribeStacks: describeStacks,
    ListStacks: listStacks,
    DescribeStackEvents: describeStackEvents,
    DescribeStackResource: describeStackResource,
    DescribeStackResources: describeStackResources,
    ListStackResources: listStackResources,
    GetTemplate: getTemplate,
    ValidateTemplate: validateTemplate,
    UpdateTerminationProtection: updateTerminationProtection,
    CancelUpdateStack: cancelUpdateStack,
    ContinueUpdateRollback: continueUpdateRollback,
    RollbackStack: rollbackStack,
    ListExports: listExports,
    ListImports: listImports,
  };
}

function alreadyExists(stack: Stack): AwsError {
  return new AwsError('AlreadyExistsException', `Stack [${stack.name}] already exists`);
}

export function requireUpdatable(stack: Stack): void {
  if (updatable.has(stack.status)) return;
  throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

/** What GetTemplateSummary says about a template. */
export function templateSummary(template: Template): Api.GetTemplateSummaryOutput {
  const { capabilities, reason } = requiredCapabilities(template);
  return {
    Parameters: Object.entries(template.parameters).map(([ParameterKey, declaration]) => ({
      ParameterKey,
      ParameterType: declaration.Type,
      NoEcho: declaration.NoEcho === true,
      ...(declaration.Default === undefined ? {} : { DefaultValue: String(declaration.Default) }),
      ...(declaration.Description === undefined ? {} : { Description: declaration.Description }),
      ParameterConstraints:
        declaration.AllowedValues === undefined ? {} : { AllowedValues: declaration.AllowedValues.map(String) },
    })),
    ...(template.description === undefined ? {} : { Description: template.description }),
    ...(capabilities.length === 0
      ? {}
      : { Capabilities: capabilities as Api.Capability[], CapabilitiesReason: reason }),
    ResourceTypes: [...new Set(Object.values(template.resources).map(({ type }) => type))],
    ...(template.source['AWSTemplateFormatVersion'] === undefined ? {} : { Version: '2010-09-09' }),
    ...(template.metadata === undefined ? {} : { Metadata: JSON.stringify(template.metadata) }),
    DeclaredTransforms: [],
    ResourceIdentifierSummaries: Object.entries(template.resources)
      .filter(([, { type }]) => resourceSchema(type)?.primaryIdentifier !== undefined)
      .map(([name, { type }]) => ({
        ResourceType: type,
        LogicalResourceIds: [name],
        ResourceIdentifiers: resourceSchema(type)!.primaryIdentifier as string[],
      })),
  };
}
