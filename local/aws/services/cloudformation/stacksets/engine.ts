import type { Clock } from '../../../core/clock.ts';
import type { PlatformContext } from '../../../core/context.ts';
import { messageOf } from '../errors.ts';
import type { StackStore } from '../stacks/store.ts';
import {
  instanceKey,
  isLive,
  type OperationResult,
  type OperationStatus,
  type ResultStatus,
  type StackInstance,
  type StackSet,
  type StackSetOperation,
} from './model.ts';
import { createHops, deployInstance, removeInstance } from './target.ts';
import { orderRegions, regionLimits, runRegion } from './tolerance.ts';

/** Virtual time that an operation needs before its first instance starts, and an instance before its stack is touched. */
const startMilliseconds = 1_000;

const toleranceText = 'Cancelled since failure tolerance has exceeded';
const stopText = 'Cancelled since the operation was stopped';

/**
 * Virtual milliseconds by which ListStackSetOperations and ListStackSetOperationResults run behind the Describe calls.
 * At once nothing lags: nobody moves that clock on while a client reads a list again and again.
 */
export function listLag(clock: Clock): number {
  return clock.mode === 'at-once' ? 0 : 2_000;
}

export interface StackSetEngine {
  /** Starts the operation, or queues it behind the ones that are under way. */
  submit(set: StackSet, operation: StackSetOperation): void;
  stop(set: StackSet, operation: StackSetOperation): void;
}

export function createStackSetEngine(context: PlatformContext, stacks: StackStore): StackSetEngine {
  const setStatus = (operation: StackSetOperation, status: OperationStatus): void => {
    if (operation.at <= context.clock.now().getTime() - listLag(context.clock)) {
      operation.seen = {
        status: operation.status,
        ...(operation.endedAt === undefined ? {} : { endedAt: operation.endedAt }),
      };
    }
    operation.status = status;
    operation.at = context.clock.now().getTime();
    if (!isLive(operation)) operation.endedAt = context.clock.now();
  };

  const setResult = (
    set: StackSet,
    operation: StackSetOperation,
    key: string,
    status: ResultStatus,
    reason?: string,
  ): void => {
    const result = operation.results.get(key) as OperationResult;
    if (result.at <= context.clock.now().getTime() - listLag(context.clock)) {
      result.seen = { status: result.status, ...(result.reason === undefined ? {} : { reason: result.reason }) };
    }
    result.status = status;
    result.at = context.clock.now().getTime();
    if (reason !== undefined) result.reason = reason;
    if (status === 'FAILED') operation.failed++;
    const instance = set.instances.get(key);
    if (instance !== undefined && instance.lastOperationId === operation.id) {
      instance.detailedStatus = status;
      if (reason === undefined) delete instance.statusReason;
      else instance.statusReason = reason;
    }
  };

  const succeed = (
    set: StackSet,
    operation: StackSetOperation,
    instance: StackInstance | undefined,
    key: string,
  ): void => {
    if (operation.action === 'DELETE') {
      set.instances.delete(key);
    } else if (instance !== undefined) {
      instance.generation = operation.definition.generation;
      // The definition may have changed while this operation was under way.
      instance.status = instance.generation === set.definition.generation ? 'CURRENT' : 'OUTDATED';
    }
    setResult(set, operation, key, 'SUCCEEDED');
  };

  const runInstance = async (
    set: StackSet,
    operation: StackSetOperation,
    hops: ReturnType<typeof createHops>,
    result: OperationResult,
  ): Promise<boolean> => {
    const key = instanceKey(result.account, result.region);
    const instance = set.instances.get(key);
    setResult(set, operation, key, 'RUNNING');
    try {
      await context.clock.sleep(startMilliseconds, context.signal);
      if (instance !== undefined && !(operation.action === 'DELETE' && operation.retainStacks === true)) {
        const clients = hops(result.account, result.region);
        if (operation.action === 'DELETE') await removeInstance(stacks, clients, instance);
        else await deployInstance(stacks, clients, set, operation.definition, instance);
      }
      succeed(set, operation, instance, key);
      return true;
    } catch (error) {
      setResult(set, operation, key, 'FAILED', messageOf(error));
      if (operation.action === 'DELETE' && instance !== undefined) {
        instance.status = 'INOPERABLE';
        instance.detailedStatus = 'INOPERABLE';
      }
      return false;
    }
  };

  const run = async (set: StackSet, operation: StackSetOperation): Promise<void> => {
    const { preferences, stop } = operation;
    const hops = createHops(context, set, operation.definition, operation.id);
    const byRegion = new Map<string, OperationResult[]>();
    for (const result of operation.results.values()) {
      const list = byRegion.get(result.region) ?? [];
      byRegion.set(result.region, list);
      list.push(result);
    }
    const cancel = (result: OperationResult, because: 'tolerance' | 'stop'): void => {
      const key = instanceKey(result.account, result.region);
      setResult(set, operation, key, 'CANCELLED', because === 'stop' ? stopText : toleranceText);
    };
    let exceeded = false;
    const region = async (name: string): Promise<void> => {
      const results = byRegion.get(name) as OperationResult[];
      if (exceeded || stop.signal.aborted) {
        for (const result of results) cancel(result, stop.signal.aborted ? 'stop' : 'tolerance');
        return;
      }
      const limits = regionLimits(results.length, preferences);
      const outcome = await runRegion(
        results,
        limits,
        stop.signal,
        (result) => runInstance(set, operation, hops, result),
        cancel,
      );
      if (outcome.exceeded) exceeded = true;
    };

    await context.clock.sleep(startMilliseconds, context.signal);
    const regions = orderRegions([...byRegion.keys()], preferences.RegionOrder);
    if (preferences.RegionConcurrencyType === 'PARALLEL') await Promise.all(regions.map(region));
    else for (const name of regions) await region(name);
    if (context.signal.aborted) return;
    if (stop.signal.aborted) setStatus(operation, 'STOPPED');
    else if (exceeded) {
      operation.statusReason = `${operation.failed} of ${operation.results.size} stack instances failed, more than the failure tolerance allows`;
      setStatus(operation, 'FAILED');
    } else setStatus(operation, 'SUCCEEDED');
  };

  const startNext = (set: StackSet): void => {
    const operations = [...set.operations.values()];
    if (operations.some((operation) => operation.status === 'RUNNING' || operation.status === 'STOPPING')) return;
    const next = operations.find((operation) => operation.status === 'QUEUED');
    if (next === undefined) return;
    setStatus(next, 'RUNNING');
    run(set, next)
      .catch((error: unknown) => {
        if (!context.signal.aborted) {
          context.logger.warn(`Operation ${next.id} of stack set ${set.name} stopped: ${messageOf(error)}`);
        }
      })
      .finally(() => startNext(set));
  };

  return {
    submit(set, operation) {
      set.operations.set(operation.id, operation);
      startNext(set);
    },
    stop(set, operation) {
      operation.stop.abort();
      if (operation.status === 'QUEUED') {
        for (const [key] of operation.results) setResult(set, operation, key, 'CANCELLED', stopText);
        setStatus(operation, 'STOPPED');
      } else {
        setStatus(operation, 'STOPPING');
      }
    },
  };
}
