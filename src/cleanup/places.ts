/**
 * Accounts and regions in which things of the project can be. The project's own stacks say it (their parameter TargetAccounts), so it
 * is known although stage files and stack sets are gone; the regions are those of sets and stage files, and the registry's.
 */
import type { Stack } from '@aws-sdk/client-cloudformation';
import type { Failure } from '../failure.ts';
import { place, type Target } from '../stacksets/model.ts';
import { type CleanupContext, isOurs } from './part.ts';
import { listStacks, readStack } from './stack.ts';
import type { FoundSet } from './stack-sets.ts';

export interface Place extends Target {
  /** Stages whose endpoints may be there; empty: the roles there say it. */
  stages: ReadonlySet<string>;
  /** What says so, in words. */
  saidBy: string;
  trust: Trust;
}

/**
 * What not being able to look there means. `deployed`: something is or was there, so the plan is incomplete. `deployable`: an account that
 * is deployed to; one of its places has to be seen. `named`: a list names it, which may hold accounts that nothing was ever deployed to.
 * `guessed`: another region of an account whose region is known.
 */
export type Trust = (typeof trusts)[number];
const trusts = ['guessed', 'named', 'deployable', 'deployed'] as const;

export interface Places {
  places: readonly Place[];
  /** The roles that deploy are gone already, and cleanup removes those before the roles it looks with: these may be gone as well. */
  dismantled: boolean;
}

/** A stack of the project that names target accounts. */
interface Naming {
  name: string;
  accounts: readonly string[];
  /** Only the stack of a deploy role has one. */
  stage: string | undefined;
  /** With this stack in place, something can be deployed to the accounts. */
  deploys: boolean;
}

const deployRole = 'deploy-role-';
const deploying = ['stack-set-administration'];
const others = ['cleanup-role', 'project'];

function targetAccounts({ Parameters }: Stack): string[] {
  const list = Parameters?.find(({ ParameterKey }) => ParameterKey === 'TargetAccounts')?.ParameterValue ?? '';
  return list
    .split(',')
    .map((account) => account.trim())
    .filter((account) => /^\d{12}$/.test(account));
}

async function namingStacks({ aws, names, project, signal }: CleanupContext): Promise<Naming[]> {
  const prefix = `sagemaker-${names.base}-`;
  const found: Naming[] = [];
  for (const { name } of await listStacks(aws, prefix, signal)) {
    const suffix = name.slice(prefix.length);
    const stage = suffix.startsWith(deployRole) ? suffix.slice(deployRole.length) : undefined;
    if (stage === undefined && !deploying.includes(suffix) && !others.includes(suffix)) continue;
    const stack = await readStack(aws, name, signal);
    if (stack === undefined || !isOurs(project, stack.Tags)) continue;
    const deploys = stage !== undefined || deploying.includes(suffix);
    found.push({ name, accounts: targetAccounts(stack), stage, deploys });
  }
  // The stack that says most about an account speaks first.
  const rank = ({ stage, deploys }: Naming) => (stage !== undefined ? 0 : deploys ? 1 : 2);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Collects places, each once; what is trusted most speaks for it. */
function collector() {
  const found = new Map<string, Place & { stages: Set<string> }>();
  const ofAccount = new Map<string, Place[]>();
  return {
    found,
    /** Regions of an account that are more than a guess. */
    regionsOf: (account: string) =>
      (ofAccount.get(account) ?? []).filter(({ trust }) => trust !== 'guessed').map(({ region }) => region),
    add({ account, region }: Target, stage: string | undefined, saidBy: string, trust: Trust) {
      const key = place({ account, region });
      let entry = found.get(key);
      if (entry === undefined) {
        entry = { account, region, stages: new Set<string>(), saidBy, trust };
        found.set(key, entry);
        ofAccount.set(account, [...(ofAccount.get(account) ?? []), entry]);
      }
      if (stage !== undefined) entry.stages.add(stage);
      if (trusts.indexOf(trust) > trusts.indexOf(entry.trust)) Object.assign(entry, { trust, saidBy });
    },
  };
}

/** Every place of sets, stage files and stacks, each once. Changes nothing; fails when the project's stacks cannot be read. */
export async function findPlaces(
  sets: readonly FoundSet[],
  stageTargets: readonly (Target & { stage: string })[],
  context: CleanupContext,
): Promise<Places> {
  const { found, regionsOf, add } = collector();
  const ofStage = new Map<string, Set<string>>();
  const seen = (stage: string, region: string) => ofStage.set(stage, (ofStage.get(stage) ?? new Set()).add(region));
  for (const { name, stage, state, earlier } of sets) {
    for (const target of [...state.instances, ...earlier]) {
      add(target, stage, `the stack set ${name}`, 'deployed');
      seen(stage, target.region);
    }
  }
  for (const { stage, ...target } of stageTargets) {
    add(target, stage, 'a stage file', 'named');
    seen(stage, target.region);
  }

  const stacks = await namingStacks(context);
  const home = context.aws.region;
  const everyRegion = new Set([home, ...[...ofStage.values()].flatMap((regions) => [...regions])]);
  for (const { name, accounts, stage, deploys } of stacks) {
    for (const account of accounts) {
      // Where something of the account is known, or its stage is deployed to; else where the registry is.
      const known = regionsOf(account);
      const likely = known.length > 0 ? known : [...((stage === undefined ? undefined : ofStage.get(stage)) ?? [home])];
      for (const region of new Set([...likely, ...(stage === undefined ? everyRegion : [home])])) {
        const trust = !likely.includes(region) ? 'guessed' : deploys ? 'deployable' : 'named';
        add({ account, region }, stage, `the stack ${name}`, trust);
      }
    }
  }
  return {
    places: [...found.values()],
    dismantled: stacks.length > 0 && !stacks.some(({ deploys }) => deploys),
  };
}

/** Why a place could not be looked at, with what a person does about it. */
export function unseenFailure(
  { account, region, saidBy }: Place,
  failure: Failure,
  { names }: Pick<CleanupContext, 'names'>,
): Failure {
  if (failure.code === 'AccessDenied')
    return {
      account,
      region,
      ...failure,
      hint: `The roles of an account work in the region that target-roles.yml was deployed in; when that is not ${region}, name account and region in a stage file (input stages) and run cleanup again`,
    };
  if (failure.code !== 'RoleNotAssumable') return { account, region, ...failure };
  const prefix = `sagemaker-${names.base}-`;
  return {
    account,
    region,
    ...failure,
    cause: `What the project has in the account ${account} (named by ${saidBy}) could not be looked at: ${failure.cause}`,
    hint: `Deploy target-roles.yml there as ${prefix}target-roles and name the account in TargetAccounts of ${prefix}cleanup-role, or take it out of TargetAccounts of the project's stacks when nothing is left there; then run cleanup again`,
  };
}
