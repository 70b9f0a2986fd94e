/** What cleanup is made of: parts that first say what there is, and later remove exactly that. */

import { AwsCallError, isNotFound } from '../aws/errors.ts';
import type { Aws } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import { type Failure, FailureError, sentence } from '../failure.ts';
import type { Operation } from '../github/host.ts';
import type { Logger } from '../github/logger.ts';
import type { Project, ProjectNames } from '../names.ts';

export type Kind =
  | 'monitoring schedule'
  | 'stack instance'
  | 'endpoint'
  | 'endpoint configuration'
  | 'model'
  | 'endpoint log group'
  | 'stack set'
  | 'pipeline execution'
  | 'job log streams'
  | 'job records'
  | 'pipeline'
  | 'model package'
  | 'model package group'
  | 'objects'
  | 'stack'
  | 'key'
  | 'bucket';

/** One thing, or `count` things that are told as one (objects, log streams). */
export interface Item {
  kind: Kind;
  account: string;
  region: string;
  name: string;
  count?: number;
  note?: string;
}

/** Found, and left alone on purpose. */
export interface Kept extends Item {
  because: string;
}

export interface Part {
  items: readonly Item[];
  /** What its items have in common, where their kind does not tell it from those of another part. */
  about?: string;
  /** Removes the items, tells each to the recorder. What is gone already counts as removed, so a second run goes on. */
  remove(record: Recorder): Promise<void>;
}

/** Where one project is cleaned up, and with what. */
export interface CleanupContext {
  /** The account of registry and stack sets. */
  aws: Aws;
  account: string;
  project: Project;
  names: ProjectNames;
  runId: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
  running: (work: Operation | undefined) => void;
  /** Role of the target accounts to look and remove with: `cleanup`, or `cleanup-plan` that only reads. */
  targetRole: string;
}

/** Calls in flight to one service of one account; the slowest of them (CloudWatch Logs) allow some tens a second. */
export const atOnce = 6;
/** Target accounts that are worked on side by side. */
export const accountsAtOnce = 8;

export interface Outcome extends Item {
  done: string;
}

export interface Recorder {
  readonly removed: readonly Outcome[];
  readonly failures: readonly { item: Item; failure: Failure }[];
  /**
   * Removes one item by `work`, whose text says what was done when that is not simply "removed". A failure is noted and the rest
   * goes on. `look` reads the item: a right that asks for a tag is refused on what is gone, so a refusal is looked into (the answer
   * to a deletion may have got lost, and the repeated call finds nothing).
   */
  attempt(item: Item, work: () => Promise<string | undefined>, look?: () => Promise<unknown>): Promise<boolean>;
  fail(item: Item, failure: Failure): void;
  /**
   * Fails all of `items` that are not told yet, with what ended the work on them; at least one. Throws the error again when it is not
   * about these items: a deadline ends the run, and a mistake of ours must not look like one of the account.
   */
  failRest(items: readonly Item[], error: unknown): void;
}

const keyOf = ({ kind, account, region, name }: Item) => [kind, account, region, name].join(' ');

/** How many things of each kind; a counted item counts as many. */
export function countsOf(items: readonly Item[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { kind, count = 1 } of items) totals[kind] = (totals[kind] ?? 0) + count;
  return totals;
}

/** "2 stack instances, 1 stack set" */
export function inWords(items: readonly Item[]): string {
  return Object.entries(countsOf(items))
    .map(([kind, count]) => `${count} ${count === 1 ? kind.replace(/s$/, '') : kind.replace(/s?$/, 's')}`)
    .join(', ');
}

/** "4 stacks (with roles)": a part in a line of progress. */
export function partInWords({ about }: Part, items: readonly Item[]): string {
  const words = inWords(items);
  return words === '' || about === undefined ? words : `${words} (${about})`;
}

export function describe(item: Item): string {
  const what = item.count === undefined ? item.kind : `${item.count} ${item.kind} in`;
  return `${what} ${item.name} (account ${item.account}, ${item.region})`;
}

/** What a person does about a thing that could not be removed, when the failure itself does not say. */
function cureOf(item: Item, failure: Failure): string {
  if (failure.hint !== undefined) return failure.hint;
  if (failure.code === 'AccessDenied')
    return `Let the role of this job do that (cleanup-role.yml and target-roles.yml grant it; look for a Deny in a policy, boundary or service control policy), then run cleanup again`;
  if (failure.code === 'Throttled' || failure.code === 'NetworkError')
    return 'Run cleanup again; it goes on with what is left';
  return `Remove the ${item.kind} by hand, or mend the cause and run cleanup again`;
}

export function createRecorder(logger: Logger, signal: AbortSignal): Recorder {
  const removed: Outcome[] = [];
  const failures: { item: Item; failure: Failure }[] = [];
  const fail = (item: Item, failure: Failure) => {
    const { account, region } = item;
    const told: Failure = {
      account,
      region,
      resource: item.name,
      ...failure,
      logicalId: item.kind,
      hint: cureOf(item, failure),
    };
    failures.push({ item, failure: told });
    logger.warn(`Not removed: ${sentence(told)}`, 'cleanup');
  };
  return {
    removed,
    failures,
    fail,
    failRest(items, error) {
      if (!(error instanceof FailureError) || error.status === 'still-running') throw error;
      const told = new Set([...removed, ...failures.map(({ item }) => item)].map(keyOf));
      const rest = items.filter((item) => !told.has(keyOf(item)));
      const [first] = rest.length > 0 ? rest : items;
      if (first === undefined) throw error;
      for (const item of rest.length > 0 ? rest : [first]) for (const failure of error.failures) fail(item, failure);
    },
    async attempt(item, work, look) {
      signal.throwIfAborted();
      let done: string | undefined;
      try {
        done = await work();
      } catch (error) {
        signal.throwIfAborted();
        // A deadline ends the run; a mistake of ours must not look like one of the account.
        if (!(error instanceof FailureError) || error.status === 'still-running') throw error;
        const refused = look !== undefined && error.failures[0]?.code === 'AccessDenied';
        if (!isGone(error) && !(refused && (await unlessGone(look).catch(() => error)) === undefined)) {
          for (const failure of error.failures) fail(item, failure);
          return false;
        }
        done = 'gone already';
      }
      removed.push({ ...item, done: done ?? 'removed' });
      logger.info(`${done ?? 'removed'} ${describe(item)}`);
      return true;
    },
  };
}

/** SageMaker answers a missing model, endpoint, configuration, package or group with a ValidationException. */
export function isGone(error: unknown): boolean {
  return isNotFound(error) || (error instanceof AwsCallError && /could not find|cannot find/i.test(error.awsMessage));
}

/** The answer, or undefined when the thing does not exist. */
export async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether tags of any service's spelling carry the project's id: nothing else is touched. */
export function isOurs(
  project: Project,
  tags:
    | readonly {
        Key?: string | undefined;
        Value?: string | undefined;
        TagKey?: string | undefined;
        TagValue?: string | undefined;
      }[]
    | undefined,
): boolean {
  return (tags ?? []).some(
    (tag) => (tag.Key ?? tag.TagKey) === 'sagemaker:project-id' && (tag.Value ?? tag.TagValue) === project.id,
  );
}

export const notOurs = (project: Project) => `it carries no tag sagemaker:project-id = ${project.id}`;

/** Counts what is done of a long list, and says now and then how far it is. */
export function progressOf(logger: Logger, all: number, what: string, every = 500): () => void {
  let done = 0;
  return () => {
    done += 1;
    // Two spaces in front: a line that the command line shows as progress.
    if (done % every === 0 && done < all) logger.info(`  ${done} of ${all} ${what}`);
  };
}

/** Runs `work` over a list, a few at a time, in order of the list. The first error ends it, after what runs has ended. */
export async function eachOf<T>(
  list: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < list.length && !failed) {
      const item = list[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(atOnce, list.length) }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** All pages of a list. */
export async function pages<T>(
  read: (token: string | undefined) => Promise<{ items: readonly T[] | undefined; next: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const page = await read(token);
    all.push(...(page.items ?? []));
    token = page.next === '' ? undefined : page.next;
  } while (token !== undefined);
  return all;
}
