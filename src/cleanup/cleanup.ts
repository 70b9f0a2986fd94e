/**
 * Cleans a project up: first everything is looked at, in all accounts and regions, then what was found is removed in the order in
 * which things depend on each other. Nothing is remembered between runs: what is left is found again.
 */
import { type Failure, FailureError } from '../failure.ts';
import { place, type Target } from '../stacksets/model.ts';
import { findBucket } from './bucket.ts';
import {
  accountsAtOnce,
  type CleanupContext,
  eachOf,
  type Item,
  type Kept,
  type Part,
  partInWords,
  progressOf,
  type Recorder,
} from './part.ts';
import { findPipeline, type PipelineOptions } from './pipeline.ts';
import { findPlaces, type Place, type Places, unseenFailure } from './places.ts';
import { findProject } from './project.ts';
import { findRegistry } from './registry.ts';
import { findOwnRoleStacks, findRoleStacks } from './role-stacks.ts';
import { schedulePart } from './schedules.ts';
import { findSets, stackSetParts } from './stack-sets.ts';
import { settler, targetPart } from './target-removal.ts';
import { type FoundTarget, findTarget } from './targets.ts';

export interface CleanupOptions extends PipelineOptions {
  /** Targets that the project's stage files name, besides those that its stack sets know. */
  stageTargets: readonly (Target & { stage: string })[];
  keepLast: number;
  deleteRoles: boolean;
  deleteProject: boolean;
}

export interface Findings {
  parts: readonly Part[];
  items: readonly Item[];
  /** Found and left alone: not the project's, or staying on purpose. */
  kept: readonly Kept[];
  /** What could not be looked at: nothing there is removed. */
  unseen: readonly Failure[];
}

/** From so many on, looking takes minutes, and says how far it is. */
const manyPlaces = 100;

/** Looks into every place. A place that cannot be looked at is a failure, a warning or a remark, as it is trusted. */
async function lookAt(
  { places, dismantled }: Places,
  stackIds: ReadonlySet<string>,
  context: CleanupContext,
): Promise<{ targets: FoundTarget[]; kept: Kept[]; unseen: Failure[] }> {
  const { logger, signal } = context;
  const answers: Awaited<ReturnType<typeof findTarget>>[] = [];
  const missed: { where: Place; error: FailureError }[] = [];
  const tick = progressOf(logger, places.length, 'accounts and regions looked at', manyPlaces);
  await eachOf([...places.keys()], accountsAtOnce, async (index) => {
    const where = places[index] as Place;
    try {
      answers[index] = await findTarget(where, [...where.stages], stackIds, context);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FailureError)) throw error;
      missed.push({ where, error });
    }
    tick();
  });
  const found = answers.flat();
  const unseen = new Map<string, readonly Failure[]>();
  const accounts = new Set(found.map((answer) => answer.found.account));
  for (const { where, error } of missed) {
    const elsewhere = accounts.has(where.account);
    const failures = () => error.failures.map((failure) => unseenFailure(where, failure, context));
    const text = `The account ${where.account} of ${where.saidBy} was not looked at in ${where.region}: ${error.message}`;
    if (where.trust === 'deployed') unseen.set(place(where), failures());
    else if (where.trust === 'deployable' && !elsewhere) unseen.set(where.account, failures());
    else if (where.trust === 'named' && !elsewhere && !dismantled) logger.warn(text, 'cleanup');
    else logger.info(text);
  }
  return {
    targets: found.map((answer) => answer.found),
    kept: found.flatMap((answer) => answer.kept),
    unseen: [...unseen.values()].flat(),
  };
}

/** What is looked for in target accounts, and the sets that lead there. */
const ofTargets: readonly Item['kind'][] = [
  'monitoring schedule',
  'stack instance',
  'endpoint',
  'endpoint configuration',
  'model',
  'endpoint log group',
  'stack set',
  'stack',
];

/**
 * The stacks with the roles that deploy name the target accounts: while something is left in those, or nobody could look, the stacks
 * stay, so that the next run looks there again.
 */
function heldBack(part: Part, unseen: () => boolean): Part {
  return {
    ...part,
    async remove(record) {
      if (!unseen() && !record.failures.some(({ item }) => ofTargets.includes(item.kind))) return part.remove(record);
      for (const item of part.items)
        record.fail(item, {
          code: 'Conflict',
          cause: `The stack ${item.name} stays, because something may be left in the accounts that these stacks name`,
          hint: 'Mend what keeps the rest, then run cleanup again',
        });
    },
  };
}

/** Everything that belongs to the project. Changes nothing. */
export async function findAll(options: CleanupOptions, context: CleanupContext): Promise<Findings> {
  const kept: Kept[] = [];
  const { sets, kept: foreignSets } = await findSets(context);
  kept.push(...foreignSets);

  const stackIds = new Set(sets.flatMap(({ state }) => state.instances.map(({ stackId }) => stackId ?? '')));
  const looked = await lookAt(await findPlaces(sets, options.stageTargets, context), stackIds, context);
  const { targets, unseen } = looked;
  kept.push(...looked.kept);

  const pipeline = await findPipeline(options, context);
  const registry = await findRegistry(options.keepLast, context);
  const bucket = await findBucket(registry.needed, context);
  const roles = options.deleteRoles ? await findRoleStacks(context) : undefined;
  const project = await findProject(options.deleteProject, { group: registry.group, bucket: bucket.bucket }, context);
  // Without the project's stack and bucket there is nothing left that these roles would be needed for.
  const ownRoles =
    options.deleteRoles && options.deleteProject
      ? await findOwnRoleStacks(targets, () => unseen.length > 0, context)
      : undefined;
  for (const found of [pipeline, registry, bucket, roles, project, ownRoles]) kept.push(...(found?.kept ?? []));

  const stackSets = stackSetParts(sets, settler(targets, context), context);
  const parts = [
    schedulePart(targets, context),
    stackSets.instances,
    targetPart(targets, stackSets.outcome, context),
    // The sets know where their instances were, so they go after what those left behind.
    stackSets.sets,
    pipeline.part,
    registry.part,
    bucket.part,
    ...(roles === undefined ? [] : [heldBack(roles.part, () => unseen.length > 0)]),
    project.part,
    ...(ownRoles === undefined ? [] : [ownRoles.part]),
  ].filter(({ items }) => items.length > 0);
  return { parts, items: parts.flatMap(({ items }) => items), kept, unseen };
}

/** Removes what was found, part after part; what fails is told and the rest goes on. Throws only at the deadline or when cancelled. */
export async function removeAll({ parts }: Findings, context: CleanupContext, record: Recorder): Promise<void> {
  for (const part of parts) {
    const [before, failedBefore] = [record.removed.length, record.failures.length];
    try {
      await part.remove(record);
    } catch (error) {
      context.signal.throwIfAborted();
      record.failRest(part.items, error);
    }
    const [done, failed] = [record.removed.slice(before), record.failures.length - failedBefore];
    // Two spaces in front: a line that the command line shows as progress.
    context.logger.info(`  removed ${partInWords(part, done) || 'nothing'}${failed === 0 ? '' : `; ${failed} not`}`);
    for (const { kind, done: what } of done) if (kind === 'key') context.logger.info(`  key ${what.replace(/:$/, '')}`);
  }
}
