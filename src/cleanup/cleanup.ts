/**
 * Cleans a project up: first everything is looked at, in all accounts and regions, then what was found is removed in the order in
 * which things depend on each other. Nothing is remembered between runs: what is left is found again.
 */
import { type Failure, FailureError } from '../failure.ts';
import { place, type Target } from '../stacksets/model.ts';
import { findBucket } from './bucket.ts';
import {
  type CleanupContext,
  createRecorder,
  type Item,
  inWords,
  type Kept,
  type Part,
  type Recorder,
} from './part.ts';
import { findPipeline, type PipelineOptions } from './pipeline.ts';
import { findProject } from './project.ts';
import { findRegistry } from './registry.ts';
import { findOwnRoleStacks, findRoleStacks } from './role-stacks.ts';
import { findSets, stackSetParts } from './stack-sets.ts';
import { type FoundTarget, findTarget, schedulePart, settler, targetPart } from './targets.ts';

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

/** Everything that belongs to the project. Changes nothing. */
export async function findAll(options: CleanupOptions, context: CleanupContext): Promise<Findings> {
  const { logger } = context;
  const unseen: Failure[] = [];
  const kept: Kept[] = [];
  const { sets, kept: foreignSets } = await findSets(context);
  kept.push(...foreignSets);

  const stagesAt = new Map<string, { target: Target; stages: Set<string>; certain: boolean }>();
  const add = ({ account, region }: Target, stage: string, certain: boolean) => {
    const key = place({ account, region });
    const entry = stagesAt.get(key) ?? { target: { account, region }, stages: new Set<string>(), certain: false };
    entry.stages.add(stage);
    entry.certain ||= certain;
    stagesAt.set(key, entry);
  };
  for (const { stage, state, earlier } of sets)
    for (const target of [...state.instances, ...earlier]) add(target, stage, true);
  for (const { stage, ...target } of options.stageTargets) add(target, stage, false);
  const targets: FoundTarget[] = [];
  const stackIds = new Set(sets.flatMap(({ state }) => state.instances.map(({ stackId }) => stackId ?? '')));
  for (const { target, stages, certain } of stagesAt.values()) {
    try {
      const { found, kept: foreign } = await findTarget(target, [...stages], stackIds, context);
      targets.push(found);
      kept.push(...foreign);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof FailureError)) throw error;
      // A stage file may name an account that nothing was ever deployed to.
      if (certain) unseen.push(...error.failures.map((failure) => ({ ...target, ...failure })));
      else logger.warn(`The account ${target.account} of a stage file was not looked at: ${error.message}`, 'cleanup');
    }
  }

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
    targetPart(targets, stackSets.remaining, context),
    // The sets know where their instances were, so they go after what those left behind.
    stackSets.sets,
    pipeline.part,
    registry.part,
    bucket.part,
    ...(roles === undefined ? [] : [roles.part]),
    project.part,
    ...(ownRoles === undefined ? [] : [ownRoles.part]),
  ].filter(({ items }) => items.length > 0);
  return { parts, items: parts.flatMap(({ items }) => items), kept, unseen };
}

/** Removes what was found, part after part; what fails is told and the rest goes on. Throws only at the deadline or when cancelled. */
export async function removeAll({ parts }: Findings, context: CleanupContext): Promise<Recorder> {
  const record = createRecorder(context.logger, context.signal);
  for (const part of parts) {
    const [before, failedBefore] = [record.removed.length, record.failures.length];
    try {
      await part.remove(record);
    } catch (error) {
      context.signal.throwIfAborted();
      const [item] = part.items;
      if (!(error instanceof FailureError) || error.status === 'still-running' || item === undefined) throw error;
      for (const failure of error.failures) record.fail(item, failure);
    }
    const [done, failed] = [record.removed.slice(before), record.failures.length - failedBefore];
    // Two spaces in front: a line that the command line shows as progress.
    context.logger.info(`  removed ${inWords(done) || 'nothing'}${failed === 0 ? '' : `; ${failed} not`}`);
    for (const { kind, done: what } of done) if (kind === 'key') context.logger.info(`  key ${what.replace(/:$/, '')}`);
  }
  return record;
}
