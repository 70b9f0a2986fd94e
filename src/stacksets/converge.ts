/**
 * Brings a stack set to where it should be, one operation after the other. After every operation the state is read anew and the
 * next step worked out from it: killed at any point, the same loop goes on. Where nothing differs, nothing is called that changes.
 */
import { stillRunning } from '../aws/poll.ts';
import type { Service } from '../aws/session.ts';
import { requestToken } from '../aws/token.ts';
import type { Clock } from '../clock.ts';
import { type Failure, FailureError } from '../failure.ts';
import type { Operation as RemoteWork } from '../github/host.ts';
import type { Logger } from '../github/logger.ts';
import { intentOf, operationId, runPrefix } from './intent.ts';
import { isLive, type Operation, type OperationResult, place, type StackSetState, type Wanted } from './model.ts';
import { nextStep, type Plan, plan, type Step } from './plan.ts';
import { describeOperation, liveOperation, readStackSet } from './read.ts';
import { createSet, stopOperation, submit } from './submit.ts';
import { finalResults, watchOperation } from './watch.ts';

export interface ConvergeOptions {
  cloudformation: Service;
  account: string;
  runId: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  deadline: number;
  running: (work: RemoteWork | undefined) => void;
  /** Looks at every state before anything is changed; throws to refuse (foreign set, too many removals). False ends the work (superseded). */
  judge: (state: StackSetState, plan: Plan) => Promise<boolean>;
  /** Called once, just before the first change. */
  beforeFirstChange: () => Promise<void>;
  /** An operation id as soon as it is known. */
  submitted: (id: string) => void;
  /** A failed result as a failure. */
  explain: (result: OperationResult, state: StackSetState, operation: Operation, deep: boolean) => Promise<Failure>;
}

export interface Converged {
  plan: Plan;
  state: StackSetState;
  /** Something was changed, by this attempt or by an operation of this run that it attached to. */
  changed: boolean;
  superseded: boolean;
  failures: readonly Failure[];
}

/** Looks again this often when a finished operation does not show in the instances yet. */
const rereads = 6;
const busyPause = 3_000;
/** So many failures are explained from the events of their stacks, the others from the results' own words. */
const explained = 50;

export async function converge(wanted: Wanted, options: ConvergeOptions): Promise<Converged> {
  const { cloudformation, clock, logger, signal, deadline, account } = options;
  const { name } = wanted.definition;
  const { region } = wanted;
  const watching = { cloudformation, set: name, region, account, clock, logger, signal, deadline };
  const own = runPrefix(options.runId);
  const failures: Failure[] = [];
  const failed = new Set<string>();
  const foreignSeen = new Set<string>();
  let firstPlan: Plan | undefined;
  let changed = false;
  let begun = false;
  let unseen = 0;
  const done = new Set<string>();

  const work = (operation: Operation): RemoteWork => ({
    resource: operation.id,
    describe: () => `The operation ${operation.id} runs on the stack set ${name}`,
    resume: 're-run this job to attach to it',
    stop: () => stopOperation(cloudformation, name, operation.id),
  });

  async function judged(operation: Operation, targets: number): Promise<void> {
    const results = await finalResults(operation, targets, watching);
    const state = await readStackSet(cloudformation, name, signal);
    for (const result of results) logger.info(`  ${place(result)} ${result.status.toLowerCase()}`);
    const bad = results.filter(({ status }) => status === 'FAILED');
    for (const result of bad) {
      failed.add(result.account);
      failures.push(await options.explain(result, state, operation, failures.length < explained));
    }
    const cancelled = results.filter(({ status }) => status === 'CANCELLED');
    for (const { account: id } of cancelled) failed.add(id);
    if (cancelled.length > 0) logger.info(`Not tried after the failure: ${cancelled.map(place).join(', ')}`);
    if (operation.status === 'SUCCEEDED' && bad.length === 0) return;
    if (bad.length === 0) {
      const stopped = operation.status === 'STOPPED';
      failures.push({
        code: 'OperationFailed',
        account,
        region,
        resource: operation.id,
        cause: `The operation ended ${operation.status}${operation.statusReason ? `: ${operation.statusReason}` : ''}`,
        hint: stopped
          ? 'Somebody stopped it; re-run this job to go on'
          : 'Re-run this job; it goes on with what is left',
      });
    }
  }

  /** Waits for an operation that is under way, ours or not; true when its end settles this run. */
  async function attach(operation: Operation): Promise<void> {
    const ours = operation.id.startsWith(own);
    if (ours) {
      changed = true;
      options.submitted(operation.id);
      options.running(work(operation));
      logger.info(`Attached to the operation ${operation.id} (${operation.status})`);
    } else if (!foreignSeen.has(operation.id)) {
      foreignSeen.add(operation.id);
      // It may undo what this run has done.
      done.clear();
      logger.notice(
        `Another operation (${operation.action} ${operation.id}) runs on the stack set ${name}; waiting for its end.`,
      );
    }
    const ended = await watchOperation(operation, watching);
    options.running(undefined);
    if (ours) await judged(ended, 0);
  }

  async function start(step: Exclude<Step, { action: 'create-set' }>): Promise<void> {
    const intent = intentOf(step, wanted);
    let generation = 1;
    for (;;) {
      const id = operationId(options.runId, step, intent, generation);
      // Strongly consistent, unlike the list of operations: what an attempt before this one started is found here.
      const known = await describeOperation(cloudformation, name, id, signal);
      if (known !== undefined) {
        if (isLive(known)) return attach(known);
        generation += 1;
        continue;
      }
      const submission = await submit(cloudformation, step, wanted, id, signal);
      if (submission === 'exists') continue;
      if (submission !== 'submitted') {
        await pauseWhileBusy();
        return;
      }
      changed = true;
      done.add(`${step.action} ${step.accounts.join(',')}`);
      options.submitted(id);
      const operation: Operation = {
        id,
        action: step.action,
        status: 'RUNNING',
        statusReason: undefined,
        failedInstances: undefined,
        createdAt: undefined,
      };
      options.running(work(operation));
      logger.info(`Started ${step.action} of ${step.accounts.length} instances in ${region}: operation ${id}`);
      const ended = await watchOperation(operation, watching);
      options.running(undefined);
      await judged(ended, step.accounts.length);
      return;
    }
  }

  async function pauseWhileBusy(): Promise<void> {
    if (clock.now() >= deadline) {
      throw stillRunning({
        resource: name,
        where: `The stack set ${name} was busy with another operation`,
        region,
        account,
        resume: 're-run this job to deploy after it',
      });
    }
    await clock.sleep(busyPause * (0.8 + 0.4 * Math.random()), signal);
  }

  for (;;) {
    const state = await readStackSet(cloudformation, name, signal);
    const planned = plan(state, wanted);
    firstPlan ??= planned;
    const finish = (superseded: boolean): Converged => ({
      plan: firstPlan as Plan,
      state,
      changed,
      superseded,
      failures,
    });
    // A failed operation ends the run: what comes after it was not meant to happen without it.
    if (failures.length > 0 && failures.some(({ code }) => code === 'OperationFailed')) return finish(false);
    if (failures.length > wanted.preferences.failureToleranceCount) return finish(false);
    if (!(await options.judge(state, planned))) return finish(true);
    if (state.definition !== undefined) {
      const live = await liveOperation(cloudformation, name, signal);
      if (live !== undefined) {
        await attach(live);
        continue;
      }
    }
    const step = nextStep(planned, wanted, failed);
    if (step === undefined) return finish(false);
    if (step.action !== 'create-set' && done.has(`${step.action} ${step.accounts.join(',')}`)) {
      unseen += 1;
      if (unseen > rereads) {
        throw new FailureError({
          code: 'OperationFailed',
          account,
          region,
          resource: name,
          cause: `The last ${step.action} ended SUCCEEDED, but the stack set still does not show it for ${step.accounts.join(', ')}`,
          hint: 'Re-run this job; somebody else may have changed the stack set meanwhile',
        });
      }
      await clock.sleep(1_000 * unseen, signal);
      continue;
    }
    unseen = 0;
    if (!begun) {
      begun = true;
      await options.beforeFirstChange();
    }
    if (step.action === 'create-set') {
      const token = requestToken({
        runId: options.runId,
        action: 'create-set',
        intent: intentOf(step, wanted),
        generation: 1,
      });
      if (await createSet(cloudformation, wanted.definition, token, signal)) changed = true;
      continue;
    }
    await start(step);
  }
}
