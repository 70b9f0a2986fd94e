/** The project's stack sets: instances in all accounts and regions first, the sets when nothing of theirs is left. */
import {
  DeleteStackSetCommand,
  ListStackSetOperationsCommand,
  ListStackSetsCommand,
} from '@aws-sdk/client-cloudformation';
import { stackSetName } from '../deploy/names.ts';
import type { Operation as RemoteWork } from '../github/host.ts';
import { type Instance, place, type StackSetState, type Target } from '../stacksets/model.ts';
import { CloudFormationClient, operationResults, readStackSet } from '../stacksets/read.ts';
import { type Running, removeInstances } from './instances.ts';
import {
  atOnce,
  type CleanupContext,
  eachOf,
  type Item,
  type Kept,
  notOurs,
  type Part,
  pages,
  type Recorder,
} from './part.ts';

export interface FoundSet {
  name: string;
  stage: string;
  state: StackSetState;
  /** Where instances were removed before: what they left behind is looked for there, too. */
  earlier: readonly Target[];
}

/** All stack sets whose names are the project's; those without its tag are told and left alone. */
export async function findSets(context: CleanupContext): Promise<{ sets: FoundSet[]; kept: Kept[] }> {
  const { aws, project, account, signal } = context;
  const cloudformation = aws.service(CloudFormationClient);
  const prefix = stackSetName(project, '');
  const all = await pages(async (token) => {
    const page = await cloudformation.send(
      new ListStackSetsCommand({ Status: 'ACTIVE', MaxResults: 100, NextToken: token }),
      { signal },
    );
    return { items: page.Summaries, next: page.NextToken };
  });
  const sets: FoundSet[] = [];
  const kept: Kept[] = [];
  for (const name of all.map(({ StackSetName }) => StackSetName ?? '').filter((found) => found.startsWith(prefix))) {
    const state = await readStackSet(cloudformation, name, signal);
    if (state.definition === undefined) continue;
    if (state.definition.tags['sagemaker:project-id'] !== project.id) {
      kept.push({ kind: 'stack set', account, region: aws.region, name, because: notOurs(project) });
      continue;
    }
    // A run that was killed between removing instances and the set still finds where they were.
    const operations = await pages(async (token) => {
      const page = await cloudformation.send(
        new ListStackSetOperationsCommand({ StackSetName: name, MaxResults: 100, NextToken: token }),
        { resource: name, signal },
      );
      return { items: page.Summaries, next: page.NextToken };
    });
    const removals = operations.filter(({ Action }) => Action === 'DELETE');
    const present = new Set(state.instances.map(place));
    const earlier = new Map<string, Target>();
    await eachOf(removals, atOnce, async ({ OperationId = '' }) => {
      for (const { account: where, region } of await operationResults(cloudformation, name, OperationId, signal)) {
        const target = { account: where, region };
        if (!present.has(place(target))) earlier.set(place(target), target);
      }
    });
    sets.push({ name, stage: name.slice(prefix.length), state, earlier: [...earlier.values()] });
  }
  return { sets, kept };
}

/** Several operations at once, told as one to whoever cancels the job. */
function together(tell: CleanupContext['running']): Running {
  const active = new Map<string, RemoteWork>();
  return (id, work) => {
    if (work === undefined) active.delete(id);
    else active.set(id, work);
    const all = [...active.values()];
    const [first] = all;
    tell(
      first && {
        resource: all.map(({ resource }) => resource).join(', '),
        describe: () => all.map((each) => each.describe()).join('; '),
        resume: first.resume,
        stop: async () => {
          await Promise.allSettled(all.map((each) => each.stop?.()));
        },
      },
    );
  };
}

/** What the removal of the instances came to, for the parts after it. */
export interface InstancesOutcome {
  /** Places (account/region) where an instance could not be removed. */
  readonly remaining: ReadonlySet<string>;
  /** Stacks, by place, that may be left of instances that are gone. */
  readonly givenUp: ReadonlyMap<string, readonly Item[]>;
}

/** Some places by name, the rest by number: a thousand accounts are no sentence. */
function inFew(places: readonly string[]): string {
  const shown = 5;
  const more = places.length > shown ? ` and ${places.length - shown} more` : '';
  return `${places.slice(0, shown).join(', ')}${more}`;
}

/** A set stays while it has instances, and while something is left where they were: it leads there. */
function removeSet(found: FoundSet, item: Item, context: CleanupContext, record: Recorder): Promise<boolean> {
  const { name, state, earlier } = found;
  const hint = 'Mend what keeps that, then run cleanup again';
  const instances = record.failures.filter((one) => one.item.kind === 'stack instance' && one.item.name === name);
  const places = new Set([...state.instances, ...earlier].map(place));
  const left = record.failures.map((one) => place(one.item)).filter((where) => places.has(where));
  if (instances.length > 0) {
    const where = inFew(instances.map((one) => place(one.item)));
    const cause = `The stack set ${name} still has ${instances.length} instances (${where})`;
    record.fail(item, { code: 'Conflict', cause, hint });
  } else if (left.length > 0) {
    const where = inFew([...new Set(left)]);
    const cause = `The stack set ${name} stays, because it leads to what is left in ${where}`;
    record.fail(item, { code: 'Conflict', cause, hint });
  } else {
    const { aws, signal } = context;
    return record.attempt(item, async () => {
      await aws
        .service(CloudFormationClient)
        .send(new DeleteStackSetCommand({ StackSetName: name }), { resource: name, signal });
      return undefined;
    });
  }
  return Promise.resolve(false);
}

function instanceItem(set: string, { account, region, status }: Instance): Item {
  return { kind: 'stack instance', account, region, name: set, ...(status === 'CURRENT' ? {} : { note: status }) };
}

/** The stack of an instance, by its id: stacks of sets have generated names. */
function stackItem({ account, region, stackId }: Instance): Item | undefined {
  const name = /:stack\/([^/]+)\//.exec(stackId ?? '')?.[1];
  return name === undefined ? undefined : { kind: 'stack', account, region, name };
}

/** The instances of all sets as one part, the sets as another: what instances leave behind is removed in between. */
export function stackSetParts(
  sets: readonly FoundSet[],
  settle: (target: Target) => Promise<void>,
  context: CleanupContext,
): { instances: Part; sets: Part; outcome: InstancesOutcome } {
  const { aws, account } = context;
  const remaining = new Set<string>();
  const givenUp = new Map<string, Item[]>();
  const instanceItems = new Map(
    sets.flatMap(({ name, state }) =>
      state.instances.map((one): [string, Item] => [`${name} ${place(one)}`, instanceItem(name, one)]),
    ),
  );
  const setItems = new Map(
    sets.map((found): [FoundSet, Item] => [
      found,
      { kind: 'stack set', account, region: aws.region, name: found.name },
    ]),
  );
  return {
    outcome: { remaining, givenUp },
    instances: {
      items: [...instanceItems.values()],
      async remove(record) {
        const running = together(context.running);
        const removal = ({ name, state }: FoundSet) =>
          removeInstances(
            {
              set: name,
              definition: state.definition!,
              instances: state.instances,
              itemOf: (one) => instanceItems.get(`${name} ${place(one)}`)!,
              settle,
              running,
              mayHaveStayed(one) {
                const item = stackItem(one);
                if (item !== undefined) givenUp.set(place(one), [...(givenUp.get(place(one)) ?? []), item]);
              },
            },
            context,
            record,
          );
        const results = await Promise.allSettled(sets.map(removal));
        for (const { item } of record.failures) if (item.kind === 'stack instance') remaining.add(place(item));
        for (const result of results) if (result.status === 'rejected') throw result.reason;
      },
    },
    sets: {
      items: [...setItems.values()],
      async remove(record) {
        for (const [found, item] of setItems) await removeSet(found, item, context, record);
      },
    },
  };
}
