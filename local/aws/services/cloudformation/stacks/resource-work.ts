import type { Clock } from '../../../core/clock.ts';
import type { PlatformContext } from '../../../core/context.ts';
import type { ResourceHandler, ResourceState } from '../resources/handler.ts';
import type { HandlerRegistry } from '../resources/index.ts';
import { checkProperties, resourceSchema } from '../resources/schema.ts';
import { resolveDynamicReferences } from '../template/dynamic-references.ts';
import { type EvaluationScope, evaluate, type Value } from '../template/evaluate.ts';
import { dependenciesOf } from '../template/template.ts';
import type { StackLog } from './events.ts';
import { CancelledError, failureReason, PlainFailure } from './failure.ts';
import type { Stack, StackDefinition, StackResource } from './model.ts';
import { canonical, compareProperties, metadataOf, withStackTags } from './plan.ts';
import { type Rights, readSsmParameter } from './rights.ts';

/** Virtual time that CloudFormation takes to see that a resource is there or gone. */
const settleMilliseconds = 1_000;

/** Where an operation stands that evaluates and applies resources. */
export interface Work {
  stack: Stack;
  definition: StackDefinition;
  scope: EvaluationScope;
  conditions: Record<string, boolean>;
  rights: Rights;
  signal: AbortSignal;
  /** Virtual moment at which the operation's time-out ends it. */
  deadline?: Date;
}

export type Teardown = Pick<Work, 'stack' | 'rights' | 'signal'>;

/** What an update did to a resource, so that it can be undone. */
export type Undo =
  | { kind: 'created'; after: StackResource }
  | { kind: 'updated'; before: StackResource; after: StackResource }
  | { kind: 'replaced'; before: StackResource; after: StackResource };

export interface ResourceWork {
  create(work: Work, logicalId: string): Promise<void>;
  /** Brings an existing resource to the work's definition; `journal` gets an entry before anything is touched. */
  update(work: Work, logicalId: string, journal: Map<string, Undo>): Promise<void>;
  /** Undoes an in-place update or points back to the resource that a replacement stood beside. */
  revert(teardown: Teardown, undo: Extract<Undo, { before: StackResource }>): Promise<void>;
  remove(teardown: Teardown, resource: StackResource): Promise<void>;
  /** The resource stays, out of CloudFormation's hands. */
  skip(stack: Stack, resource: StackResource): void;
}

export function createResourceWork(context: PlatformContext, log: StackLog, handlers: HandlerRegistry): ResourceWork {
  const handlerOf = (type: string): ResourceHandler => {
    const handler = handlers[type];
    if (handler === undefined) throw new PlainFailure(`The local platform does not support resources of type ${type}.`);
    return handler;
  };

  const clockOf = (work: Teardown & { deadline?: Date }): Clock => ({
    mode: context.clock.mode,
    now: () => context.clock.now(),
    async sleep(milliseconds, signal) {
      await context.clock.sleep(milliseconds, signal);
      if (work.deadline !== undefined && context.clock.now() > work.deadline) {
        throw new CancelledError('Resource creation cancelled');
      }
    },
    hold: () => context.clock.hold(),
    advance: (milliseconds) => context.clock.advance(milliseconds),
    advanceToNext: () => context.clock.advanceToNext(),
  });

  const requestOf = (work: Teardown & { deadline?: Date }, resource: StackResource) => {
    const { stack, rights, signal } = work;
    return {
      // A getter: operations may outlive their session, so every use takes a valid one.
      get clients() {
        return rights.clients;
      },
      account: stack.account,
      region: stack.region,
      stackName: stack.name,
      stackId: stack.id,
      logicalId: resource.logicalId,
      properties: resource.properties,
      clock: clockOf(work),
      signal,
      initiated(_state: ResourceState): void {},
    };
  };

  const takeFault = (stack: Stack, resource: StackResource, operation: string): void => {
    const fault = context.takeFault('resource-failure', {
      account: stack.account,
      region: stack.region,
      operation: `cloudformation:${operation}`,
      fields: { StackName: stack.name, LogicalResourceId: resource.logicalId, ResourceType: resource.type },
    });
    if (fault !== undefined) throw new PlainFailure(fault.reason);
  };

  const settle = (work: Teardown & { deadline?: Date }): Promise<void> =>
    clockOf(work).sleep(settleMilliseconds / 2, work.signal);

  const declare = (work: Work, logicalId: string): StackResource => {
    const declaration = work.definition.template.resources[logicalId]!;
    return {
      logicalId,
      type: declaration.type,
      physicalId: '',
      status: '',
      updatedAt: context.clock.now(),
      declared: {},
      properties: {},
      attributes: {},
      deletionPolicy: String(declaration.deletionPolicy ?? 'Delete'),
      updateReplacePolicy: String(declaration.updateReplacePolicy ?? 'Delete'),
      dependencies: dependenciesOf(work.definition.template, logicalId),
    };
  };

  const evaluateProperties = (work: Work, logicalId: string): Record<string, Value> => {
    const declaration = work.definition.template.resources[logicalId]!;
    const raw = (evaluate(declaration.properties, work.scope, work.conditions) ?? {}) as Record<string, Value>;
    const tagged = withStackTags(declaration.type, raw, work.definition.tags);
    const schema = resourceSchema(declaration.type);
    if (schema === undefined) return tagged;
    const { properties, problems } = checkProperties(schema, tagged);
    if (problems.length > 0) {
      throw new PlainFailure(
        `Properties validation failed for resource ${logicalId} with message:\n[${problems.join(', ')}]`,
      );
    }
    return properties;
  };

  /** Fills in what the template says now. Throws what makes the resource fail. */
  const evaluateInto = async (work: Work, resource: StackResource): Promise<void> => {
    resource.declared = evaluateProperties(work, resource.logicalId);
    const source = work.definition.template.resources[resource.logicalId]?.metadata;
    const metadata = metadataOf(source, work.scope, work.conditions);
    if (metadata !== undefined) resource.metadata = metadata;
    resource.properties = (await resolveDynamicReferences(resource.declared, (name) =>
      readSsmParameter(work.rights.clients, name),
    )) as Record<string, Value>;
  };

  const supported = (resource: StackResource): ResourceHandler => {
    const handler = handlerOf(resource.type);
    const refused = (handler.unsupported ?? []).filter((name) => resource.properties[name] !== undefined);
    if (refused.length > 0) {
      throw new PlainFailure(`The local platform does not support ${refused.join(', ')} of ${resource.type}.`);
    }
    return handler;
  };

  /** Makes the physical resource. Its id is on the record as soon as it exists, so that a rollback finds it. */
  const make = async (work: Work, resource: StackResource, verb: 'CREATE' | 'UPDATE'): Promise<void> => {
    const { stack } = work;
    takeFault(stack, resource, 'CreateResource');
    const handler = supported(resource);
    await settle(work);
    const request = requestOf(work, resource);
    request.initiated = (state) => {
      Object.assign(resource, { physicalId: state.physicalId, attributes: state.attributes });
      log.resource(stack, resource, `${verb}_IN_PROGRESS`, 'Resource creation Initiated');
    };
    const state = await handler.create(request);
    Object.assign(resource, { physicalId: state.physicalId, attributes: state.attributes });
    await settle(work);
    log.resource(stack, resource, `${verb}_COMPLETE`);
  };

  const replace = async (
    work: Work,
    current: StackResource,
    wanted: StackResource,
    changed: Set<string>,
    journal: Map<string, Undo>,
  ): Promise<void> => {
    const { stack } = work;
    const { logicalId } = current;
    const nameProperty = handlers[current.type]?.nameProperty;
    if (nameProperty !== undefined && !changed.has(nameProperty) && current.declared[nameProperty] !== undefined) {
      throw new PlainFailure(
        `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${current.declared[nameProperty]} and update the stack again.`,
      );
    }
    journal.set(logicalId, { kind: 'replaced', before: current, after: wanted });
    stack.resources.set(logicalId, wanted);
    log.resource(
      stack,
      Object.assign(wanted, { physicalId: current.physicalId, attributes: current.attributes }),
      'UPDATE_IN_PROGRESS',
      'Requested update requires the creation of a new physical resource; hence creating one.',
    );
    Object.assign(wanted, { physicalId: '', attributes: {} });
    await make(work, wanted, 'UPDATE');
  };

  const updateInPlace = async (work: Work, current: StackResource, wanted: StackResource, changed: Set<string>) => {
    takeFault(work.stack, wanted, 'UpdateResource');
    const handler = supported(wanted);
    await settle(work);
    const state = await handler.update(
      Object.assign(requestOf(work, wanted), {
        previous: current.properties,
        physicalId: current.physicalId,
        attributes: current.attributes,
        changed,
      }),
    );
    Object.assign(wanted, { physicalId: state.physicalId, attributes: state.attributes });
    await settle(work);
  };

  return {
    async create(work, logicalId) {
      const { stack } = work;
      const resource = declare(work, logicalId);
      stack.resources.set(logicalId, resource);
      let started = false;
      try {
        await evaluateInto(work, resource);
        log.resource(stack, resource, 'CREATE_IN_PROGRESS');
        started = true;
        await make(work, resource, 'CREATE');
      } catch (error) {
        if (!started) log.resource(stack, resource, 'CREATE_IN_PROGRESS');
        log.resource(stack, resource, 'CREATE_FAILED', failureReason(error));
        throw error;
      }
    },

    async update(work, logicalId, journal) {
      const { stack } = work;
      const current = stack.resources.get(logicalId)!;
      const wanted = declare(work, logicalId);
      try {
        await evaluateInto(work, wanted);
        const { changed, replacement } = compareProperties(current.type, current.declared, wanted.declared);
        if (current.status === 'UPDATE_FAILED') {
          // Nobody knows what of the failed update was applied: everything is applied again.
          for (const name of Object.keys(wanted.declared)) changed.add(name);
        }
        const always = handlers[current.type]?.alwaysUpdate === true;
        if (changed.size === 0 && !always && canonical(current.metadata) === canonical(wanted.metadata)) {
          // Policies and dependencies may differ; they touch nothing but the record.
          const { status, updatedAt, physicalId, attributes, properties } = current;
          stack.resources.set(
            logicalId,
            Object.assign(wanted, { status, updatedAt, physicalId, attributes, properties }),
          );
          journal.set(logicalId, { kind: 'updated', before: current, after: wanted });
          return;
        }
        const fixed = (handlers[current.type]?.fixed ?? []).filter(
          (name) => changed.has(name) && canonical(current.declared[name]) !== canonical(wanted.declared[name]),
        );
        if (fixed.length > 0) {
          throw new PlainFailure(`Properties ${fixed.join(', ')} of ${current.type} cannot change once it is created.`);
        }
        if (replacement) {
          await replace(work, current, wanted, changed, journal);
          return;
        }
        Object.assign(wanted, { physicalId: current.physicalId, attributes: current.attributes });
        journal.set(logicalId, { kind: 'updated', before: current, after: wanted });
        stack.resources.set(logicalId, wanted);
        log.resource(stack, wanted, 'UPDATE_IN_PROGRESS');
        if (changed.size > 0 || always) await updateInPlace(work, current, wanted, changed);
        log.resource(stack, wanted, 'UPDATE_COMPLETE');
      } catch (error) {
        if (!journal.has(logicalId)) {
          // Nothing was touched: the rollback has only to say so.
          const { declared, properties, physicalId, attributes } = current;
          journal.set(logicalId, { kind: 'updated', before: current, after: wanted });
          stack.resources.set(logicalId, Object.assign(wanted, { declared, properties, physicalId, attributes }));
        }
        log.resource(stack, wanted, 'UPDATE_FAILED', failureReason(error));
        if (journal.get(logicalId)?.kind === 'replaced' && wanted.physicalId === '') {
          // There is no replacement: until the rollback, or the next update, the old resource is what there is.
          stack.resources.set(logicalId, { ...current, status: 'UPDATE_FAILED' });
        }
        throw error;
      }
    },

    async revert(teardown, { kind, before, after }) {
      const { stack } = teardown;
      const { changed } = compareProperties(before.type, after.declared, before.declared);
      const always = handlers[before.type]?.alwaysUpdate === true;
      const touched = kind === 'replaced' || changed.size > 0 || always || after.status === 'UPDATE_FAILED';
      stack.resources.set(before.logicalId, before);
      if (!touched) return;
      try {
        log.resource(stack, before, 'UPDATE_IN_PROGRESS');
        takeFault(stack, before, 'RollbackResource');
        if (kind === 'updated' && (changed.size > 0 || always)) {
          const request = requestOf(teardown, before);
          const state = await handlerOf(before.type).update(
            Object.assign(request, {
              previous: after.properties,
              physicalId: before.physicalId,
              attributes: after.attributes,
              changed,
            }),
          );
          Object.assign(before, { attributes: state.attributes });
        }
        await settle(teardown);
        log.resource(stack, before, 'UPDATE_COMPLETE');
      } catch (error) {
        log.resource(stack, before, 'UPDATE_FAILED', failureReason(error));
        throw error;
      }
    },

    async remove(teardown, resource) {
      const { stack } = teardown;
      if (resource.physicalId === '') {
        // Never made: AWS writes the two events all the same.
        log.resource(stack, resource, 'DELETE_COMPLETE');
        return;
      }
      try {
        log.resource(stack, resource, 'DELETE_IN_PROGRESS');
        takeFault(stack, resource, 'DeleteResource');
        await settle(teardown);
        const { initiated: _, ...members } = requestOf(teardown, resource);
        await handlerOf(resource.type).delete(
          Object.assign(members, {
            clients: teardown.rights.clients,
            physicalId: resource.physicalId,
            attributes: resource.attributes,
          }),
        );
        await settle(teardown);
        log.resource(stack, resource, 'DELETE_COMPLETE');
      } catch (error) {
        log.resource(stack, resource, 'DELETE_FAILED', failureReason(error));
        throw error;
      }
    },

    skip(stack, resource) {
      log.resource(stack, resource, 'DELETE_SKIPPED');
    },
  };
}
