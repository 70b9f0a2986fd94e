import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  type Stack as StackDescription,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { messageOf } from '../errors.ts';
import type { Stack } from '../stacks/model.ts';
import type { StackStore } from '../stacks/store.ts';
import type { Value } from '../template/evaluate.ts';
import { NotStabilizedError, type ResourceHandler, type ResourceRequest } from './handler.ts';
import { generatedName } from './names.ts';

/** AWS::CloudFormation::Stack: a stack of its own, made with the rights of its parent's operation. */
export function nestedStack(stacks: StackStore): ResourceHandler {
  const parametersOf = (properties: ResourceRequest['properties']) =>
    Object.entries((properties['Parameters'] ?? {}) as Record<string, string>).map(
      ([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      }),
    );

  const describe = async (request: Pick<ResourceRequest, 'clients'>, StackName: string): Promise<StackDescription> => {
    const { Stacks } = await request.clients.cloudformation.send(new DescribeStacksCommand({ StackName }));
    return Stacks![0]!;
  };

  /** Waits for the nested operation, or gives up with the parent's. */
  const settled = async (
    request: Pick<ResourceRequest, 'clients' | 'signal'>,
    id: string,
  ): Promise<StackDescription> => {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(request.signal.reason);
    request.signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([stacks.byId(id)?.operation?.finished, aborted.promise]);
    } finally {
      request.signal.removeEventListener('abort', abort);
    }
    return describe(request, id);
  };

  const attributesOf = (id: string, stack: StackDescription): Record<string, Value> => ({
    StackId: id,
    StackStatus: stack.StackStatus ?? '',
    ...Object.fromEntries(
      (stack.Outputs ?? []).map((output) => [`Outputs.${output.OutputKey}`, output.OutputValue ?? '']),
    ),
  });

  const parentOf = (request: Pick<ResourceRequest, 'stackId'>): Stack | undefined => stacks.byId(request.stackId);

  return {
    alwaysUpdate: true,
    unsupported: ['NotificationARNs'],
    async create(request) {
      const { properties, clients, stackId } = request;
      const { StackId } = await clients.cloudformation.send(
        new CreateStackCommand({
          StackName: generatedName(request, 128),
          TemplateURL: properties['TemplateURL'],
          Parameters: parametersOf(properties),
          Capabilities: (parentOf(request)?.definition.capabilities ?? []) as 'CAPABILITY_IAM'[],
          ...(properties['TimeoutInMinutes'] === undefined ? {} : { TimeoutInMinutes: properties['TimeoutInMinutes'] }),
          ...(properties['Tags'] === undefined ? {} : { Tags: properties['Tags'] }),
        }),
      );
      const id = StackId!;
      const nested = stacks.byId(id);
      if (nested !== undefined) {
        nested.parentId = stackId;
        nested.rootId = parentOf(request)?.rootId ?? stackId;
      }
      request.initiated({ physicalId: id, attributes: { StackId: id } });
      const stack = await settled(request, id);
      if (stack.StackStatus !== 'CREATE_COMPLETE') {
        throw new NotStabilizedError(`Embedded stack ${id} was not successfully created: ${firstReason(stacks, id)}`);
      }
      return { physicalId: id, attributes: attributesOf(id, stack) };
    },
    async update(request) {
      const { properties, clients, physicalId } = request;
      try {
        await clients.cloudformation.send(
          new UpdateStackCommand({
            StackName: physicalId,
            TemplateURL: properties['TemplateURL'],
            Parameters: parametersOf(properties),
            Capabilities: (parentOf(request)?.definition.capabilities ?? []) as 'CAPABILITY_IAM'[],
            Tags: properties['Tags'] ?? [],
          }),
        );
      } catch (error) {
        if (!/No updates are to be performed/.test(messageOf(error))) throw error;
      }
      const stack = await settled(request, physicalId);
      if (
        !['UPDATE_COMPLETE', 'CREATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'].includes(stack.StackStatus ?? '') ||
        rolledBack(stacks, physicalId)
      ) {
        throw new NotStabilizedError(
          `Embedded stack ${physicalId} was not successfully updated: ${firstReason(stacks, physicalId)}`,
        );
      }
      return { physicalId, attributes: attributesOf(physicalId, stack) };
    },
    async delete(request) {
      const { clients, physicalId } = request;
      await clients.cloudformation.send(new DeleteStackCommand({ StackName: physicalId }));
      await stacks.byId(physicalId)?.operation?.finished;
      const stack = await describe(request, physicalId);
      if (stack.StackStatus !== 'DELETE_COMPLETE') {
        throw new NotStabilizedError(
          `Embedded stack ${physicalId} was not successfully deleted: ${stack.StackStatusReason ?? ''}`,
        );
      }
    },
  };
}

/** Whether the last operation of a stack ended in a rollback. */
function rolledBack(stacks: StackStore, id: string): boolean {
  const own = stacks.byId(id)?.events.filter((event) => event.physicalId === id) ?? [];
  const begin = own.findLastIndex((event) => event.reason === 'User Initiated');
  return own.slice(begin).some((event) => event.status === 'UPDATE_ROLLBACK_IN_PROGRESS');
}

function firstReason(stacks: StackStore, id: string): string {
  const failed = stacks
    .byId(id)
    ?.events.findLast(
      (event) => event.physicalId === id && event.reason !== undefined && event.reason !== 'User Initiated',
    );
  return failed?.reason ?? 'no reason given';
}
