import type { PlatformContext } from '../../../core/context.ts';
import { messageOf } from '../errors.ts';
import { evaluate, evaluateConditions } from '../template/evaluate.ts';
import { dependenciesOf } from '../template/template.ts';
import type { StackLog } from './events.ts';
import { CancelledError } from './failure.ts';
import { runGraph } from './graph.ts';
import type { Stack, StackDefinition, StackOutput, StackResource } from './model.ts';
import { includedResources, isUnmade } from './plan.ts';
import type { ResourceWork, Teardown, Undo, Work } from './resource-work.ts';
import type { Rights } from './rights.ts';
import { evaluationScope, resourceReferences } from './scope.ts';
import type { StackStore } from './store.ts';

/** Cleanup after an update tries this often to delete what is no longer needed, as on AWS. */
const cleanupAttempts = 3;

export interface OperationOptions {
  rights: Rights;
  token?: string | undefined;
}

export interface StackEngine {
  create(stack: Stack, options: OperationOptions): void;
  update(stack: Stack, definition: StackDefinition, options: OperationOptions & { disableRollback?: boolean }): void;
  delete(stack: Stack, options: OperationOptions & { retain?: string[]; force?: boolean }): Promise<void>;
  /** Stops a running update; it rolls back. */
  cancelUpdate(stack: Stack): void;
  continueRollback(stack: Stack, options: OperationOptions & { skip: string[] }): void;
  /** Rolls back a stack that a failure left as it was (DisableRollback). */
  rollback(stack: Stack, options: OperationOptions): void;
}

interface Journal {
  undo: Map<string, Undo>;
  before: { definition: StackDefinition; outputs: StackOutput[] };
}

export function createStackEngine(
  context: PlatformContext,
  store: StackStore,
  log: StackLog,
  work: ResourceWork,
): StackEngine {
  /** What an unfinished update changed: needed by ContinueUpdateRollback and RollbackStack. */
  const journals = new WeakMap<Stack, Journal>();

  /** Runs an operation behind the answer of the call that started it. */
  const start = (
    stack: Stack,
    token: string | undefined,
    run: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const operation = { controller, finished: promise, ...(token === undefined ? {} : { token }) };
    stack.operation = operation;
    const execute = async (): Promise<void> => {
      try {
        // The call that started the operation writes the stack's own first event before anything else happens.
        await undefined;
        await run(AbortSignal.any([controller.signal, context.signal]));
      } catch (error) {
        if (!context.signal.aborted) {
          context.logger.warn(`Stack ${stack.name} stopped in ${stack.status}: ${messageOf(error)}`);
        }
      } finally {
        if (stack.operation === operation) delete stack.operation;
        resolve();
      }
    };
    void execute();
    return promise;
  };

  const workOf = (stack: Stack, definition: StackDefinition, rights: Rights, signal: AbortSignal): Work => {
    const scope = evaluationScope(stack, definition, store, resourceReferences(stack.resources));
    const { importValue } = scope;
    scope.importValue = (name) => {
      stack.imports.add(name);
      return importValue(name);
    };
    return { stack, definition, scope, conditions: evaluateConditions(scope), rights, signal };
  };

  const outputsOf = ({ definition, scope, conditions }: Work): StackOutput[] =>
    Object.entries(definition.template.outputs)
      .filter(([, output]) => output.condition === undefined || conditions[output.condition] === true)
      .map(([key, output]) => {
        const value = evaluate(output.value, scope, conditions);
        if (value === undefined || typeof value === 'object') {
          throw new Error(
            `Template format error: Output ${key} is malformed. The Value field of every Outputs member must evaluate to a String.`,
          );
        }
        return {
          key,
          value: String(value),
          ...(output.description === undefined ? {} : { description: output.description }),
          ...(output.exportName === undefined
            ? {}
            : { exportName: String(evaluate(output.exportName, scope, conditions)) }),
        };
      });

  /** Throws when another stack exports one of the names, or imports what these outputs would take away. */
  const checkExports = (stack: Stack, outputs: StackOutput[]): void => {
    for (const { exportName } of outputs) {
      if (exportName === undefined) continue;
      const owner = store.exports(stack.account, stack.region).find((item) => item.name === exportName);
      if (owner !== undefined && owner.stackId !== stack.id) {
        throw new Error(
          `Export with name ${exportName} is already exported by stack ${store.byId(owner.stackId)?.name}. Rollback requested by user.`,
        );
      }
    }
  };

  const teardownAll = async (
    teardown: Teardown,
    resources: StackResource[],
    retain: (resource: StackResource) => boolean,
  ): Promise<Map<string, unknown>> => {
    const byNode = new Map(resources.map((resource, index) => [`${index}`, resource]));
    // What depends on a resource goes first.
    const dependents = (node: string): string[] =>
      [...byNode].filter(([, other]) => other.dependencies.has(byNode.get(node)!.logicalId)).map(([key]) => key);
    const failures = await runGraph(
      byNode.keys(),
      dependents,
      async (node) => {
        const resource = byNode.get(node)!;
        if (retain(resource)) work.skip(teardown.stack, resource);
        else await work.remove(teardown, resource);
      },
      { keepGoing: true },
    );
    return new Map([...failures].map(([node, error]) => [byNode.get(node)!.logicalId, error]));
  };

  /** Deletes what an update or rollback left over; what resists after three attempts is left behind. */
  const cleanUp = async (
    teardown: Teardown,
    leftovers: { resource: StackResource; retain: boolean }[],
  ): Promise<boolean> => {
    let remaining = leftovers;
    for (let attempt = 0; attempt < cleanupAttempts && remaining.length > 0; attempt++) {
      const failures = await teardownAll(
        teardown,
        remaining.map(({ resource }) => resource),
        (resource) => remaining.find((item) => item.resource === resource)?.retain === true,
      );
      remaining = remaining.filter(({ resource }) => failures.has(resource.logicalId));
    }
    return remaining.length === 0;
  };

  const liveResources = (stack: Stack): StackResource[] =>
    [...stack.resources.values()].filter(
      (resource) => !['DELETE_COMPLETE', 'DELETE_SKIPPED'].includes(resource.status),
    );

  const rollbackCreation = async (stack: Stack, rights: Rights, reason: string | undefined): Promise<void> => {
    log.stack(stack, 'ROLLBACK_IN_PROGRESS', reason);
    const failures = await teardownAll(
      { stack, rights, signal: context.signal },
      liveResources(stack),
      (resource) => resource.deletionPolicy === 'Retain' && resource.physicalId !== '',
    );
    stack.outputs = [];
    if (failures.size > 0) {
      log.stack(
        stack,
        'ROLLBACK_FAILED',
        `The following resource(s) failed to delete: [${[...failures.keys()].join(', ')}]. `,
      );
    } else {
      log.stack(stack, 'ROLLBACK_COMPLETE');
    }
  };

  const runDelete = async (
    stack: Stack,
    rights: Rights,
    {
      retain = [],
      force = false,
      neverComplete = false,
    }: { retain?: string[]; force?: boolean; neverComplete?: boolean },
  ): Promise<void> => {
    for (const { exportName } of stack.outputs) {
      const importers = exportName === undefined ? [] : importersOf(store, stack.account, stack.region, exportName);
      if (importers.length > 0) {
        const names = importers.map((item) => item.name).join(', ');
        log.stack(stack, 'DELETE_FAILED', `Export ${exportName} cannot be deleted as it is in use by ${names}`);
        return;
      }
    }
    const failures = await teardownAll(
      { stack, rights, signal: context.signal },
      liveResources(stack),
      (resource) =>
        retain.includes(resource.logicalId) ||
        (resource.deletionPolicy === 'Retain' && resource.physicalId !== '') ||
        (resource.deletionPolicy === 'RetainExceptOnCreate' && !neverComplete && resource.physicalId !== ''),
    );
    if (failures.size > 0 && !force) {
      const names = [...failures.keys()].join(', ');
      log.stack(stack, 'DELETE_FAILED', `The following resource(s) failed to delete: [${names}]. `);
      return;
    }
    stack.outputs = [];
    stack.deletedAt = context.clock.now();
    log.stack(stack, 'DELETE_COMPLETE');
    store.retire(stack);
  };

  const runCreate = async (stack: Stack, rights: Rights, signal: AbortSignal): Promise<void> => {
    const cancelled = new AbortController();
    let failureText: string | undefined;
    let failed: string[] = [];
    try {
      const current = workOf(stack, stack.definition, rights, AbortSignal.any([signal, cancelled.signal]));
      if (stack.timeoutMinutes !== undefined) {
        current.deadline = new Date(context.clock.now().getTime() + stack.timeoutMinutes * 60_000);
      }
      const included = includedResources(stack.definition.template, current.conditions);
      const failures = await runGraph(
        included,
        (name) => dependenciesOf(stack.definition.template, name),
        (name) => work.create(current, name),
        { onFirstFailure: () => cancelled.abort(new CancelledError('Resource creation cancelled')) },
      );
      failed = [...failures.keys()];
      if (failed.length > 0) {
        failureText =
          current.deadline !== undefined && context.clock.now() > current.deadline
            ? 'Stack creation time exceeded the specified timeout. '
            : `The following resource(s) failed to create: [${failed.join(', ')}]. `;
      } else {
        const outputs = outputsOf(current);
        checkExports(stack, outputs);
        stack.outputs = outputs;
        log.stack(stack, 'CREATE_COMPLETE');
        return;
      }
    } catch (error) {
      failureText = messageOf(error);
    }
    if (context.signal.aborted || signal.aborted) return;
    switch (stack.onFailure) {
      case 'DO_NOTHING':
        log.stack(stack, 'CREATE_FAILED', failureText);
        return;
      case 'DELETE':
        log.stack(stack, 'DELETE_IN_PROGRESS', `${failureText}Delete requested by user.`);
        await runDelete(stack, rights, { neverComplete: true });
        return;
      default:
        await rollbackCreation(stack, rights, `${failureText}Rollback requested by user.`);
    }
  };

  const rollBackUpdate = async (
    stack: Stack,
    rights: Rights,
    reason: string | undefined,
    skip: string[] = [],
  ): Promise<void> => {
    const journal = journals.get(stack)!;
    log.stack(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
    const teardown: Teardown = { stack, rights, signal: context.signal };
    const reverts = new Map(
      [...journal.undo].filter(
        (entry): entry is [string, Extract<Undo, { before: StackResource }>] => entry[1].kind !== 'created',
      ),
    );
    const failures = await runGraph(
      reverts.keys(),
      (name) => reverts.get(name)!.before.dependencies,
      async (name) => {
        const undo = reverts.get(name)!;
        if (skip.includes(name)) {
          stack.resources.set(name, Object.assign(undo.before, { status: 'UPDATE_COMPLETE' }));
          return;
        }
        await work.revert(teardown, undo);
      },
    );
    if (context.signal.aborted) return;
    if (failures.size > 0) {
      log.stack(
        stack,
        'UPDATE_ROLLBACK_FAILED',
        `The following resource(s) failed to update: [${[...failures.keys()].join(', ')}]. `,
      );
      return;
    }
    stack.definition = journal.before.definition;
    stack.outputs = journal.before.outputs;
    log.stack(stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    const leftovers: { resource: StackResource; retain: boolean }[] = [];
    for (const [name, undo] of journal.undo) {
      if (undo.kind === 'created') {
        leftovers.push({
          resource: undo.after,
          retain: undo.after.deletionPolicy === 'Retain' && undo.after.physicalId !== '',
        });
        stack.resources.delete(name);
      } else if (undo.kind === 'replaced') {
        leftovers.push({
          resource: undo.after,
          retain: undo.after.updateReplacePolicy === 'Retain' && undo.after.physicalId !== '',
        });
      }
    }
    await cleanUp(teardown, leftovers);
    journals.delete(stack);
    log.stack(stack, 'UPDATE_ROLLBACK_COMPLETE');
  };

  const runUpdate = async (
    stack: Stack,
    definition: StackDefinition,
    rights: Rights,
    signal: AbortSignal,
    disableRollback: boolean,
  ): Promise<void> => {
    const journal: Journal = { undo: new Map(), before: { definition: stack.definition, outputs: stack.outputs } };
    journals.set(stack, journal);
    const cancelled = new AbortController();
    let failureText: string;
    try {
      const current = workOf(stack, definition, rights, AbortSignal.any([signal, cancelled.signal]));
      const included = includedResources(definition.template, current.conditions);
      const failures = await runGraph(
        included,
        (name) => dependenciesOf(definition.template, name),
        async (name) => {
          const existing = stack.resources.get(name);
          if (existing !== undefined && !isUnmade(existing)) {
            await work.update(current, name, journal.undo);
            return;
          }
          if (existing !== undefined && existing.physicalId !== '') await work.remove(current, existing);
          const creation = work.create(current, name);
          journal.undo.set(name, { kind: 'created', after: stack.resources.get(name)! });
          await creation;
        },
        { onFirstFailure: () => cancelled.abort(new CancelledError('Resource update cancelled')) },
      );
      if (signal.aborted && !context.signal.aborted) throw signal.reason;
      if (failures.size === 0) {
        const outputs = outputsOf(current);
        checkExports(stack, outputs);
        checkImports(stack, outputs);
        stack.definition = definition;
        stack.outputs = outputs;
        await finishUpdate(stack, rights, journal, included);
        return;
      }
      const created = [...failures.keys()].filter((name) => journal.undo.get(name)?.kind === 'created');
      const updated = [...failures.keys()].filter((name) => !created.includes(name));
      failureText = [
        ...(created.length > 0 ? [`The following resource(s) failed to create: [${created.join(', ')}]. `] : []),
        ...(updated.length > 0 ? [`The following resource(s) failed to update: [${updated.join(', ')}]. `] : []),
      ].join('');
    } catch (error) {
      failureText = error instanceof CancelledError ? error.message : messageOf(error);
    }
    if (context.signal.aborted) return;
    if (disableRollback) {
      stack.definition = definition;
      log.stack(stack, 'UPDATE_FAILED', failureText);
      return;
    }
    await rollBackUpdate(stack, rights, failureText);
  };

  const finishUpdate = async (stack: Stack, rights: Rights, journal: Journal, included: Set<string>): Promise<void> => {
    log.stack(stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    const leftovers: { resource: StackResource; retain: boolean }[] = [];
    for (const undo of journal.undo.values()) {
      if (undo.kind === 'replaced') {
        // The policy of the template that replaced it decides.
        leftovers.push({ resource: undo.before, retain: undo.after.updateReplacePolicy === 'Retain' });
      }
    }
    for (const [name, resource] of [...stack.resources]) {
      if (included.has(name)) continue;
      leftovers.push({ resource, retain: resource.deletionPolicy !== 'Delete' });
      stack.resources.delete(name);
    }
    const clean = await cleanUp({ stack, rights, signal: context.signal }, leftovers);
    journals.delete(stack);
    if (context.signal.aborted) return;
    log.stack(
      stack,
      'UPDATE_COMPLETE',
      clean ? undefined : 'Update successful. One or more resources could not be deleted.',
    );
  };

  const checkImports = (stack: Stack, outputs: StackOutput[]): void => {
    for (const { exportName, value } of stack.outputs) {
      if (exportName === undefined) continue;
      const kept = outputs.find((output) => output.exportName === exportName);
      if (kept?.value === value) continue;
      const importers = importersOf(store, stack.account, stack.region, exportName);
      if (importers.length > 0) {
        throw new Error(
          `Cannot ${kept === undefined ? 'delete' : 'update'} export ${exportName} as it is in use by ${importers.map((item) => item.name).join(', ')}. `,
        );
      }
    }
  };

  return {
    create(stack, { rights, token }) {
      void start(stack, token, async (signal) => runCreate(stack, rights, signal));
      log.stack(stack, 'CREATE_IN_PROGRESS', 'User Initiated');
    },
    update(stack, definition, { rights, token, disableRollback }) {
      stack.updatedAt = context.clock.now();
      void start(stack, token, async (signal) =>
        runUpdate(stack, definition, rights, signal, disableRollback === true),
      );
      log.stack(stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
    },
    delete(stack, { rights, token, retain, force }) {
      // A running creation is given up: its resources end as cancelled and are deleted with the rest.
      const running = stack.operation;
      running?.controller.abort(new CancelledError('Resource creation cancelled'));
      const neverComplete = ['CREATE_IN_PROGRESS', 'CREATE_FAILED', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'].includes(
        stack.status,
      );
      const finished = start(stack, token, async () => {
        await running?.finished;
        await runDelete(stack, rights, { retain: retain ?? [], force: force === true, neverComplete });
      });
      log.stack(stack, 'DELETE_IN_PROGRESS', 'User Initiated');
      return finished;
    },
    cancelUpdate(stack) {
      stack.operation?.controller.abort(new CancelledError('Update cancelled by user.'));
    },
    continueRollback(stack, { rights, token, skip }) {
      void start(stack, token, async () => rollBackUpdate(stack, rights, 'User Initiated', skip));
    },
    rollback(stack, { rights, token }) {
      void start(stack, token, async () =>
        stack.status === 'CREATE_FAILED'
          ? rollbackCreation(stack, rights, 'User Initiated')
          : rollBackUpdate(stack, rights, 'User Initiated'),
      );
    },
  };
}

/** Live stacks whose last operation imported the export. */
export function importersOf(store: StackStore, account: string, region: string, exportName: string): Stack[] {
  return store.liveStacks(account, region).filter((other) => other.imports.has(exportName));
}
