/** Things that several deploy tests do to a stage. */
import {
  type CloudFormationClient,
  DeleteStackInstancesCommand,
  DeleteStackSetCommand,
  DescribeStackSetOperationCommand,
  ListStackInstancesCommand,
  ListStackSetOperationsCommand,
} from '@aws-sdk/client-cloudformation';
import type { World } from '../../actions/support/world.ts';
import { accounts, region } from '../../support/platform.ts';
import { setName } from './fixture.ts';

export const administration = (world: World): CloudFormationClient =>
  world.administrator(accounts.development).cloudformation;

/** Waits until `done` is true of what `read` gives; fails after some seconds. */
export async function until<T>(read: () => Promise<T> | T, done: (value: T) => boolean, what: string): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const value = await read();
    if (done(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what} did not happen`);
}

export async function ended(world: World, set: string, id: string): Promise<string> {
  const operation = () =>
    administration(world).send(new DescribeStackSetOperationCommand({ StackSetName: set, OperationId: id }));
  const { StackSetOperation } = await until(
    operation,
    ({ StackSetOperation: one }) => !['QUEUED', 'RUNNING', 'STOPPING'].includes(one?.Status ?? ''),
    `the end of ${id}`,
  );
  return StackSetOperation?.Status ?? '';
}

export async function operationsOf(world: World, stage: string): Promise<{ id: string; status: string }[]> {
  const page = await administration(world).send(new ListStackSetOperationsCommand({ StackSetName: setName(stage) }));
  return (page.Summaries ?? []).map(({ OperationId, Status }) => ({ id: OperationId ?? '', status: Status ?? '' }));
}

/** Account -> "CURRENT SUCCEEDED". */
export async function instancesOf(world: World, stage: string): Promise<Record<string, string>> {
  const page = await administration(world).send(new ListStackInstancesCommand({ StackSetName: setName(stage) }));
  return Object.fromEntries(
    (page.Summaries ?? []).map(({ Account, Status, StackInstanceStatus }) => [
      Account,
      `${Status} ${StackInstanceStatus?.DetailedStatus}`,
    ]),
  );
}

/** Removes a stage's stack set with its instances, so that the next test begins anew. */
export async function resetStage(world: World, stage: string): Promise<void> {
  const cloudformation = administration(world);
  const set = setName(stage);
  let targets: string[];
  try {
    targets = Object.keys(await instancesOf(world, stage));
  } catch {
    return;
  }
  for (const { id, status } of await operationsOf(world, stage))
    if (['RUNNING', 'QUEUED', 'STOPPING'].includes(status)) await ended(world, set, id);
  if (targets.length > 0) {
    const { OperationId } = await cloudformation.send(
      new DeleteStackInstancesCommand({
        StackSetName: set,
        Accounts: targets,
        Regions: [region],
        RetainStacks: false,
        OperationPreferences: {
          MaxConcurrentCount: 10,
          ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE',
          FailureToleranceCount: 9,
        },
      }),
    );
    await ended(world, set, OperationId!);
  }
  await cloudformation.send(new DeleteStackSetCommand({ StackSetName: set }));
}

/** Operations that changed something since a number of the call log, signing in and asking endpoints left out. */
export function changes(world: World, since: number): string[] {
  return world
    .calls({ since, mutating: true })
    .map(({ operation }) => operation)
    .filter((operation) => !/^(sts:|sagemaker:InvokeEndpoint)/.test(operation));
}

export const lastCall = (world: World): number => world.platform.calls.next;
