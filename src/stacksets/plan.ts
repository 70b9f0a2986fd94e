import {
  type Definition,
  type Instance,
  isCurrent,
  place,
  type StackSetState,
  type Target,
  type Wanted,
} from './model.ts';

/** What would change, per account and region. */
export interface Plan {
  setMissing: boolean;
  /** Names of the parts of the definition that differ (template, parameters, ...). */
  differences: readonly string[];
  created: readonly Target[];
  updated: readonly Target[];
  removed: readonly Target[];
  unchanged: readonly Target[];
  /** Instances whose stack could not be deleted; CloudFormation leaves them out of every update. */
  inoperable: readonly Instance[];
}

export type Step =
  | { action: 'create-set' }
  /** The new definition, at once in these accounts; CloudFormation calls all the others outdated from then on. */
  | { action: 'update'; accounts: readonly string[] }
  /** The definition that the set has, in accounts whose stack is behind it. */
  | { action: 'redeploy'; accounts: readonly string[] }
  | { action: 'create'; accounts: readonly string[] }
  | {
      action: 'remove';
      accounts: readonly string[];
      region: string;
      /** Gives the instances up: their stacks stay, and the set does not know them any more. */
      retainStacks?: boolean;
    };

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => a[name] !== b[name]).sort();
}

/** The parts in which two definitions differ, as a person reads them. */
export function differences(actual: Definition, wanted: Definition): string[] {
  const found: string[] = [];
  if (actual.templateBody !== wanted.templateBody) found.push('template');
  found.push(...sameRecord(actual.parameters, wanted.parameters).map((name) => `parameter ${name}`));
  found.push(...sameRecord(actual.tags, wanted.tags).map((name) => `tag ${name}`));
  if (actual.administrationRoleArn !== wanted.administrationRoleArn) found.push('administration role');
  if (actual.executionRoleName !== wanted.executionRoleName) found.push('execution role');
  if (actual.description !== wanted.description) found.push('description');
  if ([...actual.capabilities].sort().join() !== [...wanted.capabilities].sort().join()) found.push('capabilities');
  return found;
}

/** Compares what is with what should be. Reads nothing, changes nothing. */
export function plan(state: StackSetState, wanted: Wanted): Plan {
  const { region } = wanted;
  const accounts = new Set(wanted.waves.flat());
  const existing = new Map(state.instances.map((instance) => [place(instance), instance]));
  const changed = state.definition === undefined ? [] : differences(state.definition, wanted.definition);
  const created: Target[] = [];
  const updated: Target[] = [];
  const unchanged: Target[] = [];
  const inoperable: Instance[] = [];
  for (const account of accounts) {
    const target = { account, region };
    const instance = existing.get(place(target));
    if (instance === undefined) created.push(target);
    else if (instance.status === 'INOPERABLE') inoperable.push(instance);
    else if (changed.length > 0 || !isCurrent(instance)) updated.push(target);
    else unchanged.push(target);
  }
  const removed = state.instances
    .filter((instance) => instance.region !== region || !accounts.has(instance.account))
    .map(({ account, region: where }) => ({ account, region: where }));
  return {
    setMissing: state.definition === undefined,
    differences: changed,
    created,
    updated,
    removed,
    unchanged,
    inoperable,
  };
}

/**
 * The next thing to do, undefined when nothing is left. Always worked out anew from the state, so that a run that was
 * killed goes on where the one before stopped. `failed` are accounts that failed in this very run: they are not tried twice.
 */
export function nextStep(planned: Plan, wanted: Wanted, failed: ReadonlySet<string>): Step | undefined {
  if (planned.setMissing) return { action: 'create-set' };
  const toUpdate = new Set(planned.updated.map(({ account }) => account));
  const toCreate = new Set(planned.created.map(({ account }) => account));
  // New instances get the definition that the set has, so a changed definition goes in first, with the first accounts
  // that have an instance; without any, the update changes the definition alone.
  if (planned.differences.length > 0) {
    const first = wanted.waves.find((wave) => wave.some((account) => toUpdate.has(account))) ?? [];
    return { action: 'update', accounts: first.filter((account) => toUpdate.has(account)) };
  }
  for (const wave of wanted.waves) {
    const update = wave.filter((account) => toUpdate.has(account) && !failed.has(account));
    if (update.length > 0) return { action: 'redeploy', accounts: update };
    const create = wave.filter((account) => toCreate.has(account) && !failed.has(account));
    if (create.length > 0) return { action: 'create', accounts: create };
  }
  const [removal] = planned.removed.filter(({ account }) => !failed.has(account));
  if (removal === undefined) return undefined;
  const accounts = planned.removed
    .filter(({ account, region }) => region === removal.region && !failed.has(account))
    .map(({ account }) => account);
  return { action: 'remove', accounts, region: removal.region };
}
