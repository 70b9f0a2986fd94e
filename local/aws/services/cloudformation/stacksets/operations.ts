import { randomUUID } from 'node:crypto';
import type * as Api from '@aws-sdk/client-cloudformation';
import { formatArn } from '../../../core/arn.ts';
import type { PlatformContext } from '../../../core/context.ts';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../../core/service.ts';
import { validationError } from '../errors.ts';
import { digest } from '../stacks/plan.ts';
import { checkCapabilities, passRole, readTags, requireRoleArn, tagRecord, templateText } from '../stacks/requests.ts';
import { type ParameterInput, resolveParameters } from '../template/parameters.ts';
import { limits, readTemplate, type Template } from '../template/template.ts';
import type { StackSetEngine } from './engine.ts';
import {
  instanceKey,
  isLive,
  type OperationAction,
  type SetDefinition,
  type StackInstance,
  type StackSet,
  type StackSetOperation,
} from './model.ts';
import {
  onSet,
  onTargets,
  readOperationId,
  readPreferences,
  readTargets,
  refuseDelegation,
  setNamePattern,
} from './requests.ts';
import type { StackSetStore } from './store.ts';

const defaultAdministrationRole = 'AWSCloudFormationStackSetAdministrationRole';
const defaultExecutionRole = 'AWSCloudFormationStackSetExecutionRole';

export interface StackSetEnvironment {
  context: PlatformContext;
  sets: StackSetStore;
  engine: StackSetEngine;
  /** Bodies longer than a request may carry, which the targets' CreateStack has to accept from a set. */
  distributedBodies: Set<string>;
}

/** Checks a set's parameters and gives their values as text. SSM types are resolved only where a stack is made. */
async function setParameters(
  template: Template,
  given: ParameterInput[] | undefined,
  previous: Record<string, string> | undefined,
): Promise<Record<string, string>> {
  const before =
    previous === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(previous).map(([name, value]) => [name, { value, resolved: value, noEcho: false }]),
        );
  const values = await resolveParameters(template, given ?? [], before, async () => '');
  return Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]));
}

function refuseServiceManaged(permissionModel: string | undefined, autoDeployment: unknown): void {
  if (permissionModel !== undefined && permissionModel !== 'SELF_MANAGED') {
    throw new NotImplementedError(`stack sets with the permission model ${permissionModel}`);
  }
  if (autoDeployment !== undefined) {
    throw validationError('AutoDeployment is not allowed for stack sets with SELF_MANAGED permissions.');
  }
}

export function createStackSetOperations({
  context,
  sets,
  engine,
  distributedBodies,
}: StackSetEnvironment): Record<string, Operation> {
  const find = (input: { StackSetName?: string | undefined }, call: Call): StackSet | undefined =>
    sets.find(call.account, call.region, input.StackSetName);

  const get = (input: { StackSetName?: string | undefined; CallAs?: string | undefined }, call: Call): StackSet => {
    refuseDelegation(input.CallAs);
    return sets.get(call.account, call.region, input.StackSetName);
  };

  const withTags = (
    action: string,
    request: AuthorizationRequest,
    tags: Api.Tag[] | undefined,
    resource: string,
  ): AuthorizationRequest[] => {
    const list = readTags(tags);
    if (list.length === 0) return [request];
    return [
      { ...request, requestTags: tagRecord(list) },
      {
        action: 'cloudformation:TagResource',
        resources: [resource],
        requestTags: tagRecord(list),
        context: { 'cloudformation:CreateAction': action },
      },
    ];
  };

  const distribute = ({ body }: Template): void => {
    if (Buffer.byteLength(body) > limits.bodyBytes) distributedBodies.add(body);
  };

  const requireIdle = (set: StackSet): void => {
    if (set.managedExecution) return;
    const live = [...set.operations.values()].find(isLive);
    if (live !== undefined) {
      throw new AwsError(
        'OperationInProgressException',
        `Another Operation on StackSet ${set.arn} is in progress: ${live.id}`,
        409,
      );
    }
  };

  const submit = (
    set: StackSet,
    action: OperationAction,
    id: string,
    preferences: Api.StackSetOperationPreferences,
    targets: { account: string; region: string }[],
    retainStacks?: boolean,
  ): { OperationId: string } => {
    const now = context.clock.now();
    const operation: StackSetOperation = {
      id,
      action,
      status: 'QUEUED',
      preferences,
      ...(retainStacks === undefined ? {} : { retainStacks }),
      definition: set.definition,
      createdAt: now,
      results: new Map(),
      failed: 0,
      stop: new AbortController(),
      at: now.getTime(),
    };
    for (const { account, region } of targets) {
      const key = instanceKey(account, region);
      operation.results.set(key, { account, region, status: 'PENDING', at: now.getTime() });
      const instance = set.instances.get(key);
      if (instance === undefined) continue;
      instance.lastOperationId = id;
      instance.detailedStatus = 'PENDING';
      delete instance.statusReason;
    }
    engine.submit(set, operation);
    return { OperationId: id };
  };

  const product = (targets: { accounts: string[]; regions: string[] }): { account: string; region: string }[] =>
    targets.regions.flatMap((region) => targets.accounts.map((account) => ({ account, region })));

  /** The named instances; StackInstanceNotFoundException for one that the set does not have. */
  const existing = (set: StackSet, targets: { accounts: string[]; regions: string[] }): StackInstance[] =>
    product(targets).map(({ account, region }) => {
      const instance = set.instances.get(instanceKey(account, region));
      if (instance === undefined) {
        throw new AwsError(
          'StackInstanceNotFoundException',
          `Stack instance not found: account ${account}, region ${region} of stack set ${set.name}`,
          404,
        );
      }
      return instance;
    });

  const readOverrides = (set: StackSet, overrides: Api.Parameter[] | undefined) => {
    const { template } = set.definition;
    const unknown = (overrides ?? [])
      .map(({ ParameterKey }) => ParameterKey ?? '')
      .filter((key) => !(key in template.parameters));
    if (unknown.length > 0) throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
    return async (instance: Record<string, string>): Promise<Record<string, string>> => {
      if (overrides === undefined) return instance;
      const given = overrides.filter((item) => item.UsePreviousValue !== true);
      const kept = overrides
        .filter((item) => item.UsePreviousValue === true && item.ParameterKey !== undefined)
        .filter((item) => item.ParameterKey! in instance);
      // Checks the values as the stack would; those of the set stand in for the rest.
      await setParameters(
        template,
        [
          ...given,
          ...Object.entries(set.definition.parameters)
            .filter(([key]) => !given.some((item) => item.ParameterKey === key))
            .map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
        ],
        undefined,
      );
      return Object.fromEntries([
        ...kept.map((item) => [item.ParameterKey, instance[item.ParameterKey!]]),
        ...given.map((item) => [item.ParameterKey, item.ParameterValue ?? '']),
      ]);
    };
  };

  const createStackSet: Operation<Api.CreateStackSetInput, Api.CreateStackSetOutput> = {
    mutating: true,
    authorize: (input, call) => [
      ...withTags(
        'CreateStackSet',
        {
          action: 'cloudformation:CreateStackSet',
          resources: ['*'],
          context: {
            ...(input.TemplateURL === undefined ? {} : { 'cloudformation:TemplateUrl': input.TemplateURL }),
            ...(input.AdministrationRoleARN === undefined
              ? {}
              : { 'cloudformation:RoleArn': input.AdministrationRoleARN }),
          },
        },
        input.Tags,
        `arn:${call.partition}:cloudformation:${call.region}:${call.account}:stackset/${input.StackSetName}:*`,
      ),
      ...passRole(input.AdministrationRoleARN),
    ],
    async handle(input, call) {
      refuseDelegation(input.CallAs);
      refuseServiceManaged(input.PermissionModel, input.AutoDeployment);
      if (input.StackId !== undefined) throw new NotImplementedError('StackId of CreateStackSet (import of stacks)');
      const name = input.StackSetName ?? '';
      if (!setNamePattern.test(name)) {
        throw validationError(
          `1 validation error detected: Value '${name}' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
        );
      }
      requireRoleArn(input.AdministrationRoleARN);
      const { ClientRequestToken, ...request } = input;
      const fingerprint = digest(request);
      const present = find(input, call);
      if (present !== undefined) return again(present, ClientRequestToken, fingerprint);
      const text = await templateText(context, input, call);
      if (text === undefined) throw validationError('Either Template URL or Template Body must be specified.');
      const template = readTemplate(text);
      distribute(template);
      checkCapabilities(template, input.Capabilities);
      const id = `${name}:${randomUUID()}`;
      const set: StackSet = {
        id,
        name,
        arn: formatArn('cloudformation', call.region, call.account, `stackset/${id}`),
        account: call.account,
        region: call.region,
        status: 'ACTIVE',
        ...(input.Description === undefined ? {} : { description: input.Description }),
        definition: {
          generation: 1,
          template,
          parameters: await setParameters(template, input.Parameters, undefined),
          tags: readTags(input.Tags),
          capabilities: input.Capabilities ?? [],
          administrationRoleArn:
            input.AdministrationRoleARN ??
            `arn:${call.partition}:iam::${call.account}:role/${defaultAdministrationRole}`,
          executionRoleName: input.ExecutionRoleName ?? defaultExecutionRole,
        },
        customAdministrationRole: input.AdministrationRoleARN !== undefined,
        managedExecution: input.ManagedExecution?.Active === true,
        instances: new Map(),
        operations: new Map(),
        ...(ClientRequestToken === undefined ? {} : { token: ClientRequestToken, tokenDigest: fingerprint }),
      };
      const raced = find(input, call);
      if (raced !== undefined) return again(raced, ClientRequestToken, fingerprint);
      sets.add(set);
      return { StackSetId: id };
    },
  };

  const updateStackSet: Operation<Api.UpdateStackSetInput, Api.UpdateStackSetOutput> = {
    mutating: true,
    authorize: (input, call) => {
      const set = find(input, call);
      const [own, ...others] = onTargets('UpdateStackSet', call, input.StackSetName, set, input) as [
        AuthorizationRequest,
        ...AuthorizationRequest[],
      ];
      own.context = {
        ...(input.TemplateURL === undefined ? {} : { 'cloudformation:TemplateUrl': input.TemplateURL }),
        ...(input.AdministrationRoleARN === undefined ? {} : { 'cloudformation:RoleArn': input.AdministrationRoleARN }),
      };
      return [
        ...withTags('UpdateStackSet', own, input.Tags, own.resources[0]!),
        ...others,
        ...passRole(input.AdministrationRoleARN),
      ];
    },
    async handle(input, call) {
      const set = get(input, call);
      refuseServiceManaged(input.PermissionModel, input.AutoDeployment);
      requireRoleArn(input.AdministrationRoleARN);
      if (set.customAdministrationRole && input.AdministrationRoleARN === undefined) {
        throw validationError(
          `AdministrationRoleARN must be specified: stack set ${set.name} uses the customized administration role ${set.definition.administrationRoleArn}.`,
        );
      }
      const targets = readTargets(input, true);
      const preferences = readPreferences(input.OperationPreferences);
      const text = await templateText(context, input, call);
      if (input.UsePreviousTemplate === true && text !== undefined) {
        throw validationError('You cannot specify both usePreviousTemplate and Template Body/Template URL.');
      }
      if (text === undefined && input.UsePreviousTemplate !== true) {
        throw validationError('Either Template URL, Template Body or UsePreviousTemplate must be specified.');
      }
      const before = set.definition;
      const template = text === undefined ? before.template : readTemplate(text);
      distribute(template);
      checkCapabilities(template, input.Capabilities);
      const parameters = await setParameters(template, input.Parameters, before.parameters);
      const tags = input.Tags === undefined ? before.tags : readTags(input.Tags);
      // From here on nothing waits: what is checked is what is changed.
      const id = readOperationId(set, input.OperationId, randomUUID);
      requireIdle(set);
      const chosen = targets === undefined ? [...set.instances.values()] : existing(set, targets);
      const definition: SetDefinition = {
        generation: before.generation + 1,
        template,
        parameters,
        tags,
        capabilities: input.Capabilities ?? [],
        administrationRoleArn: input.AdministrationRoleARN ?? before.administrationRoleArn,
        executionRoleName: input.ExecutionRoleName ?? before.executionRoleName,
      };
      set.definition = definition;
      if (input.AdministrationRoleARN !== undefined) set.customAdministrationRole = true;
      if (input.Description !== undefined) set.description = input.Description;
      if (input.ManagedExecution?.Active !== undefined) set.managedExecution = input.ManagedExecution.Active;
      for (const instance of set.instances.values()) {
        if (instance.status === 'CURRENT') instance.status = 'OUTDATED';
        for (const key of Object.keys(instance.overrides)) {
          if (!(key in template.parameters)) delete instance.overrides[key];
        }
      }
      return submit(
        set,
        'UPDATE',
        id,
        preferences,
        chosen.filter((instance) => instance.status !== 'INOPERABLE'),
      );
    },
  };

  const deleteStackSet: Operation<Api.DeleteStackSetInput, object> = {
    mutating: true,
    authorize: (input, call) => [onSet('DeleteStackSet', call, input.StackSetName, find(input, call))],
    handle(input, call) {
      refuseDelegation(input.CallAs);
      const set = find(input, call);
      if (set === undefined) return {};
      const live = [...set.operations.values()].find(isLive);
      if (live !== undefined) {
        throw new AwsError(
          'OperationInProgressException',
          `Operation ${live.id} on stack set ${set.name} is in progress`,
          409,
        );
      }
      if (set.instances.size > 0) {
        throw new AwsError(
          'StackSetNotEmptyException',
          `StackSet ${set.name} is not empty: it has ${set.instances.size} stack instances`,
          409,
        );
      }
      set.status = 'DELETED';
      sets.retire(set);
      return {};
    },
  };

  const createStackInstances: Operation<Api.CreateStackInstancesInput, Api.CreateStackInstancesOutput> = {
    mutating: true,
    authorize: (input, call) => onTargets('CreateStackInstances', call, input.StackSetName, find(input, call), input),
    async handle(input, call) {
      const set = get(input, call);
      const targets = product(readTargets(input, false)!);
      const preferences = readPreferences(input.OperationPreferences);
      const overrides = readOverrides(set, input.ParameterOverrides);
      const wanted = await overrides({});
      const id = readOperationId(set, input.OperationId, randomUUID);
      requireIdle(set);
      for (const { account, region } of targets) {
        const key = instanceKey(account, region);
        const instance = set.instances.get(key);
        if (instance === undefined) {
          set.instances.set(key, {
            account,
            region,
            overrides: { ...wanted },
            status: 'OUTDATED',
            detailedStatus: 'PENDING',
            lastOperationId: id,
            generation: 0,
          });
        } else if (input.ParameterOverrides !== undefined) {
          instance.overrides = { ...wanted };
        }
      }
      return submit(set, 'CREATE', id, preferences, targets);
    },
  };

  const updateStackInstances: Operation<Api.UpdateStackInstancesInput, Api.UpdateStackInstancesOutput> = {
    mutating: true,
    authorize: (input, call) => onTargets('UpdateStackInstances', call, input.StackSetName, find(input, call), input),
    async handle(input, call) {
      const set = get(input, call);
      const targets = readTargets(input, false)!;
      const preferences = readPreferences(input.OperationPreferences);
      const overrides = readOverrides(set, input.ParameterOverrides);
      const before = existing(set, targets);
      const changed = await Promise.all(before.map((instance) => overrides(instance.overrides)));
      const id = readOperationId(set, input.OperationId, randomUUID);
      requireIdle(set);
      const chosen = existing(set, targets).filter((instance) => instance.status !== 'INOPERABLE');
      before.forEach((instance, index) => {
        if (!chosen.includes(instance)) return;
        instance.overrides = changed[index] as Record<string, string>;
        instance.status = 'OUTDATED';
      });
      return submit(set, 'UPDATE', id, preferences, chosen);
    },
  };

  const deleteStackInstances: Operation<Api.DeleteStackInstancesInput, Api.DeleteStackInstancesOutput> = {
    mutating: true,
    authorize: (input, call) => onTargets('DeleteStackInstances', call, input.StackSetName, find(input, call), input),
    handle(input, call) {
      const set = get(input, call);
      if (input.RetainStacks === undefined) throw validationError('RetainStacks must be specified.');
      const targets = product(readTargets(input, false)!);
      const preferences = readPreferences(input.OperationPreferences);
      const id = readOperationId(set, input.OperationId, randomUUID);
      requireIdle(set);
      return submit(set, 'DELETE', id, preferences, targets, input.RetainStacks);
    },
  };

  const stopStackSetOperation: Operation<Api.StopStackSetOperationInput, object> = {
    mutating: true,
    authorize: (input, call) => [onSet('StopStackSetOperation', call, input.StackSetName, find(input, call))],
    handle(input, call) {
      const set = get(input, call);
      const operation = set.operations.get(input.OperationId ?? '');
      if (operation === undefined) {
        throw new AwsError('OperationNotFoundException', `Operation ${input.OperationId} not found`, 404);
      }
      if (operation.status === 'STOPPING') return {};
      if (!isLive(operation)) {
        throw new AwsError(
          'InvalidOperationException',
          `Operation ${operation.id} is already in status ${operation.status} and can not be stopped`,
        );
      }
      engine.stop(set, operation);
      return {};
    },
  };

  return {
    CreateStackSet: createStackSet,
    UpdateStackSet: updateStackSet,
    DeleteStackSet: deleteStackSet,
    CreateStackInstances: createStackInstances,
    UpdateStackInstances: updateStackInstances,
    DeleteStackInstances: deleteStackInstances,
    StopStackSetOperation: stopStackSetOperation,
  };
}

/** CreateStackSet on a name that is taken. */
function again(set: StackSet, token: string | undefined, fingerprint: string): { StackSetId: string } {
  if (token !== undefined && set.token === token) {
    if (set.tokenDigest === fingerprint) return { StackSetId: set.id };
    throw new AwsError(
      'CreatedButModifiedException',
      `Stack set ${set.name} was created by the same token with other properties`,
      409,
    );
  }
  throw new AwsError('NameAlreadyExistsException', `The name ${set.name} is already in use by another stack set`, 409);
}
