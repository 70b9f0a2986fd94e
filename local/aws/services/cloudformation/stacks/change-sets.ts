import { randomUUID } from 'node:crypto';
import type * as Api from '@aws-sdk/client-cloudformation';
import { formatArn } from '../../../core/arn.ts';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../../core/service.ts';
import { messageOf, validationError } from '../errors.ts';
import { readDefinition, rightsFor, type StackEnvironment } from './environment.ts';
import { type ChangeSet, newStack, type Stack, stackArn } from './model.ts';
import { requireUpdatable } from './operations.ts';
import { planChanges } from './plan.ts';
import { passRole, readTags, roleContext, stackNamePattern, stackResource, tagRecord } from './requests.ts';
import { page } from './store.ts';
import { changeSetSummaryView, changeSetView } from './views.ts';

/** Virtual time that the creation of a change set takes. */
const creationMilliseconds = 1_000;

const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

export function createChangeSetOperations(environment: StackEnvironment): Record<string, Operation> {
  const { context, store, engine, log, handlers } = environment;

  const find = (
    input: { ChangeSetName?: string | undefined; StackName?: string | undefined },
    call: Call,
  ): { stack: Stack; changeSet: ChangeSet } | undefined => {
    const name = input.ChangeSetName ?? '';
    const stacks =
      input.StackName === undefined
        ? store.all(call.account, call.region)
        : [store.find(call.account, call.region, input.StackName)];
    for (const stack of stacks) {
      if (stack === undefined) continue;
      for (const changeSet of stack.changeSets.values()) {
        if (changeSet.id === name || (input.StackName !== undefined && changeSet.name === name))
          return { stack, changeSet };
      }
    }
    return undefined;
  };

  const get = (input: { ChangeSetName?: string | undefined; StackName?: string | undefined }, call: Call) => {
    const name = input.ChangeSetName ?? '';
    if (!name.startsWith('arn:') && input.StackName === undefined) {
      throw validationError('StackName must be specified if ChangeSetName is not specified as an ARN.');
    }
    if (input.StackName !== undefined) store.get(call.account, call.region, input.StackName);
    const found = find(input, call);
    if (found === undefined) throw new AwsError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404);
    return found;
  };

  const authorize =
    (action: string) =>
    (input: { ChangeSetName?: string; StackName?: string }, call: Call): AuthorizationRequest[] => {
      const stack =
        find(input, call)?.stack ??
        (input.StackName === undefined ? undefined : store.find(call.account, call.region, input.StackName));
      return [
        {
          action: `cloudformation:${action}`,
          resources: [stackResource(call, input.StackName, stack?.id)],
          context: { 'cloudformation:ChangeSetName': find(input, call)?.changeSet.name ?? input.ChangeSetName ?? '' },
          ...(stack === undefined ? {} : { resourceTags: tagRecord(stack.definition.tags) }),
        },
      ];
    };

  const complete = async (stack: Stack, changeSet: ChangeSet): Promise<void> => {
    changeSet.status = 'CREATE_IN_PROGRESS';
    await context.clock.sleep(creationMilliseconds, context.signal);
    try {
      const plan = planChanges(stack, changeSet.definition, store, handlers);
      const sameTags = JSON.stringify(stack.definition.tags) === JSON.stringify(changeSet.definition.tags);
      changeSet.changes = plan.changes;
      if (changeSet.type === 'UPDATE' && plan.changes.length === 0 && !plan.outputsChanged && sameTags) {
        Object.assign(changeSet, { status: 'FAILED', statusReason: noChanges });
        return;
      }
      Object.assign(changeSet, { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE' });
    } catch (error) {
      Object.assign(changeSet, { status: 'FAILED', statusReason: messageOf(error) });
    }
  };

  const createChangeSet: Operation<Api.CreateChangeSetInput, Api.CreateChangeSetOutput> = {
    mutating: true,
    authorize: (input, call) => {
      const tags = readTags(input.Tags);
      const [request] = authorize('CreateChangeSet')(
        { ...(input.StackName === undefined ? {} : { StackName: input.StackName }) },
        call,
      ) as [AuthorizationRequest];
      return [
        {
          ...request,
          context: {
            'cloudformation:ChangeSetName': input.ChangeSetName ?? '',
            ...(input.TemplateURL === undefined ? {} : { 'cloudformation:TemplateUrl': input.TemplateURL }),
            ...roleContext(input.RoleARN),
          },
          ...(tags.length === 0 ? {} : { requestTags: tagRecord(tags) }),
        },
        ...passRole(input.RoleARN),
      ];
    },
    async handle(input, call) {
      const type = input.ChangeSetType ?? 'UPDATE';
      if (type !== 'CREATE' && type !== 'UPDATE') throw new NotImplementedError(`change sets of type ${type}`);
      if (input.IncludeNestedStacks === true) throw new NotImplementedError('IncludeNestedStacks of CreateChangeSet');
      if ((input.ResourcesToImport?.length ?? 0) > 0)
        throw new NotImplementedError('ResourcesToImport of CreateChangeSet');
      const name = input.ChangeSetName ?? '';
      if (!stackNamePattern.test(name)) {
        throw validationError(
          `1 validation error detected: Value '${name}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
        );
      }
      const stackName = input.StackName ?? '';
      let stack = store.find(call.account, call.region, stackName);
      if (stack?.status === 'DELETE_COMPLETE') stack = undefined;
      if (type === 'UPDATE') {
        stack = store.get(call.account, call.region, stackName);
        requireUpdatable(stack);
      } else if (stack !== undefined && stack.status !== 'REVIEW_IN_PROGRESS') {
        throw validationError(
          `Stack [${stack.name}] already exists and cannot be created again with the changeSet [${name}].`,
        );
      } else if (stack === undefined && !stackNamePattern.test(stackName)) {
        throw validationError(
          `1 validation error detected: Value '${stackName}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
        );
      }
      if (stack !== undefined && [...stack.changeSets.values()].some((item) => item.name === name)) {
        const same = [...stack.changeSets.values()].find((item) => item.name === name)!;
        if (input.ClientToken !== undefined && same.token === input.ClientToken)
          return { Id: same.id, StackId: stack.id };
        throw new AwsError('AlreadyExistsException', `ChangeSet ${name} already exists for stack ${stack.id}`);
      }
      const id = stack?.id ?? stackArn(call.account, call.region, stackName);
      const rights = rightsFor(environment, call, stack ?? { id }, input.RoleARN);
      const current = type === 'UPDATE' ? stack : undefined;
      const definition = await readDefinition(environment, input, call, current, rights);
      if (stack === undefined) {
        const empty = { ...definition, template: { ...definition.template, resources: {}, outputs: {} } };
        stack = newStack(id, stackName, call.account, call.region, empty, context.clock.now());
        store.add(stack);
        log.stack(stack, 'REVIEW_IN_PROGRESS', 'User Initiated');
      }
      const changeSet: ChangeSet = {
        id: formatArn('cloudformation', call.region, call.account, `changeSet/${name}/${randomUUID()}`),
        name,
        type,
        ...(input.Description === undefined ? {} : { description: input.Description }),
        status: 'CREATE_PENDING',
        executionStatus: 'UNAVAILABLE',
        createdAt: context.clock.now(),
        definition,
        ...(input.RoleARN === undefined ? {} : { roleArn: input.RoleARN }),
        ...(input.OnStackFailure === undefined ? {} : { onFailure: input.OnStackFailure }),
        ...(input.ClientToken === undefined ? {} : { token: input.ClientToken }),
        changes: [],
      };
      stack.changeSets.set(changeSet.id, changeSet);
      complete(stack, changeSet).catch((error: unknown) => {
        if (!context.signal.aborted) context.logger.warn(`Change set ${name} stopped: ${messageOf(error)}`);
      });
      return { Id: changeSet.id, StackId: stack.id };
    },
  };

  const describeChangeSet: Operation<Api.DescribeChangeSetInput, Api.DescribeChangeSetOutput> = {
    mutating: false,
    authorize: authorize('DescribeChangeSet') as Operation['authorize'],
    handle(input, call) {
      const { stack, changeSet } = get(input, call);
      const view = changeSetView(stack, changeSet);
      const { items, next } = page(view.Changes ?? [], input.NextToken, 100);
      return { ...view, Changes: items, ...(next === undefined ? {} : { NextToken: next }) };
    },
  };

  const executeChangeSet: Operation<Api.ExecuteChangeSetInput, object> = {
    mutating: true,
    authorize: authorize('ExecuteChangeSet') as Operation['authorize'],
    handle(input, call) {
      const { stack, changeSet } = get(input, call);
      if (changeSet.executionStatus !== 'AVAILABLE') {
        throw new AwsError(
          'InvalidChangeSetStatus',
          `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}] and execution status [${changeSet.executionStatus}]`,
        );
      }
      if (changeSet.type === 'UPDATE') requireUpdatable(stack);
      const rights = rightsFor(environment, call, stack, changeSet.roleArn);
      if (changeSet.roleArn !== undefined) stack.roleArn = changeSet.roleArn;
      stack.changeSetId = changeSet.id;
      changeSet.executionStatus = 'EXECUTE_IN_PROGRESS';
      for (const other of stack.changeSets.values()) {
        if (other !== changeSet && other.executionStatus === 'AVAILABLE') other.executionStatus = 'OBSOLETE';
      }
      const token = input.ClientRequestToken;
      if (changeSet.type === 'CREATE') {
        stack.definition = changeSet.definition;
        stack.disableRollback = input.DisableRollback === true;
        stack.onFailure = changeSet.onFailure ?? (input.DisableRollback === true ? 'DO_NOTHING' : 'ROLLBACK');
        engine.create(stack, { rights, token });
      } else {
        engine.update(stack, changeSet.definition, { rights, token, disableRollback: input.DisableRollback === true });
      }
      void stack.operation?.finished.then(() => {
        changeSet.executionStatus = /^(CREATE|UPDATE)_COMPLETE$/.test(stack.status)
          ? 'EXECUTE_COMPLETE'
          : 'EXECUTE_FAILED';
      });
      return {};
    },
  };

  const deleteChangeSet: Operation<Api.DeleteChangeSetInput, object> = {
    mutating: true,
    authorize: authorize('DeleteChangeSet') as Operation['authorize'],
    handle(input, call) {
      const found = find(input, call);
      if (found === undefined) return {};
      if (found.changeSet.executionStatus === 'EXECUTE_IN_PROGRESS') {
        throw new AwsError(
          'InvalidChangeSetStatus',
          `ChangeSet [${found.changeSet.id}] is being executed and cannot be deleted`,
        );
      }
      found.stack.changeSets.delete(found.changeSet.id);
      return {};
    },
  };

  const listChangeSets: Operation<Api.ListChangeSetsInput, Api.ListChangeSetsOutput> = {
    mutating: false,
    authorize: authorize('ListChangeSets') as Operation['authorize'],
    handle(input, call) {
      const stack = store.get(call.account, call.region, input.StackName);
      const waiting = [...stack.changeSets.values()].filter(
        (changeSet) => !changeSet.executionStatus.startsWith('EXECUTE_'),
      );
      const { items, next } = page(waiting, input.NextToken, 100);
      return {
        Summaries: items.map((changeSet) => changeSetSummaryView(stack, changeSet)),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },
  };

  return {
    CreateChangeSet: createChangeSet,
    DescribeChangeSet: describeChangeSet,
    ExecuteChangeSet: executeChangeSet,
    DeleteChangeSet: deleteChangeSet,
    ListChangeSets: listChangeSets,
  };
}
