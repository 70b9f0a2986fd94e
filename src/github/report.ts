import { type Failure, FailureError, sentence } from '../failure.ts';
import type { FilePlace, Logger } from './logger.ts';
import { codeSpan, plain, type Summary } from './summary.ts';

/** GitHub shows ten error annotations per step; more would push the first ones' meaning out of sight. */
const annotationLimit = 10;
/** An output is at most 1 MB; the JSON of the first failures is enough to decide by. */
const failureLimit = 50;

/** Anything thrown, as failures. What is no FailureError is a mistake of ours and says so. */
export function failuresOf(error: unknown): readonly Failure[] {
  if (error instanceof FailureError) return error.failures;
  const message = error instanceof Error ? error.message : String(error);
  return [
    {
      code: 'InternalError',
      cause: `Unexpected error: ${message}`,
      hint: 'This is a defect; re-run with debug logging for the stack and report it',
    },
  ];
}

/** JSON of the `failure` output (shapes: action, total, failures). */
export function failureJson(action: string, failures: readonly Failure[]): string {
  const shown = failures.slice(0, failureLimit).map((failure) => ({
    ...failure,
    ...(failure.logTail === undefined ? {} : { logTail: failure.logTail.slice(-40).map((line) => line.slice(0, 500)) }),
  }));
  return JSON.stringify({ action, total: failures.length, failures: shown });
}

function isInput(failure: Failure): boolean {
  return failure.code.startsWith('Invalid') && failure.account === undefined;
}

/** The line of the file that the failure is about, when it has one. */
function placeOf({ resource, line }: Failure): FilePlace | undefined {
  return resource === undefined || line === undefined ? undefined : { file: resource, line };
}

/** Failures that say the same of several accounts. */
interface Group {
  first: Failure;
  failures: readonly Failure[];
}

const namedAccounts = 10;

/** What a failure says, whoever it is about: services name accounts, regions and generated names in their words. */
function meaningOf({ code, account, region, cause, hint, logicalId, line }: Failure): string {
  const anywhere = (text = '') => {
    const here = [account, region].filter((part) => part !== undefined && part !== '');
    const general = here.reduce((words: string, part) => words.replaceAll(part as string, '*'), text);
    return general.replace(/(arn:[^\s"',]*[:/])[\w.-]+/g, '$1*');
  };
  return JSON.stringify([code, anywhere(cause), anywhere(hint), logicalId, line]);
}

/**
 * Failures of the same meaning in several accounts or regions are one: twenty accounts are not twenty tales. Two things of one account
 * stay two. In order of their first.
 */
export function groupFailures(failures: readonly Failure[]): Group[] {
  const groups: { meaning: string; places: Set<string>; failures: Failure[] }[] = [];
  for (const failure of failures) {
    const alone = failure.account === undefined || failure.logTail !== undefined;
    const meaning = alone ? '' : meaningOf(failure);
    const at = `${failure.account}/${failure.region}`;
    const group = alone ? undefined : groups.find((each) => each.meaning === meaning && !each.places.has(at));
    if (group === undefined) groups.push({ meaning, places: new Set([at]), failures: [failure] });
    else {
      group.places.add(at);
      group.failures.push(failure);
    }
  }
  return groups.map((group) => ({ first: group.failures[0] as Failure, failures: group.failures }));
}

const distinct = (values: readonly (string | undefined)[]) => [
  ...new Set(values.filter((value): value is string => value !== undefined)),
];

/** "A, B and 3 more" */
function few(values: readonly string[]): string {
  const more = values.length - namedAccounts;
  return more > 0 ? `${values.slice(0, namedAccounts).join(', ')} and ${more} more` : values.join(', ');
}

/** One line for a group: that of its first member, with all accounts and regions, and the resource when they share it. */
function groupSentence({ first, failures }: Group): string {
  if (failures.length === 1) return sentence(first);
  const { resource, region, account: _, ...same } = first;
  const regions = distinct(failures.map((failure) => failure.region));
  const accounts = distinct(failures.map(({ account }) => account));
  const where = accounts.length === 1 ? `account ${accounts[0]}` : `${accounts.length} accounts: ${few(accounts)}`;
  return sentence({
    ...same,
    logicalId: [same.logicalId, where].filter((part) => part !== undefined).join(', '),
    ...(regions.length > 0 ? { region: few(regions) } : {}),
    ...(resource !== undefined && failures.every((each) => each.resource === resource) ? { resource } : {}),
  });
}

/**
 * Mistakes in what the user wrote become one annotation with a line of text each, unless they have a line of a file to stand at;
 * everything else gets one of its own.
 */
export function annotate(action: string, failures: readonly Failure[], logger: Logger): void {
  if (failures.every((failure) => isInput(failure) && placeOf(failure) === undefined)) {
    logger.error(failures.map(sentence).join('\n'), `${action}: ${failures[0]?.code ?? 'InvalidInput'}`);
    return;
  }
  const groups = groupFailures(failures);
  groups.slice(0, annotationLimit).forEach((group) => {
    logger.error(groupSentence(group), `${action}: ${group.first.code}`, placeOf(group.first));
  });
  if (groups.length > annotationLimit) {
    const more = groups.slice(annotationLimit).reduce((sum, group) => sum + group.failures.length, 0);
    logger.info(`${more} more failures are in the summary and in the output failure.`);
  }
}

export function summarize(action: string, failures: readonly Failure[], summary: Summary): void {
  for (const failure of [...failures].reverse()) {
    if (failure.logTail && failure.logTail.length > 0) {
      const fence = '`'.repeat(8);
      summary.top(
        `<details open><summary>Last lines of the log of ${plain(failure.logicalId ?? failure.resource ?? action)}</summary>\n\n` +
          `${fence}text\n${failure.logTail.join('\n').replaceAll(fence, '')}\n${fence}\n\n</details>`,
      );
    }
  }
  const rows = groupFailures(failures).map(({ first: failure, failures: members }) =>
    [
      codeSpan(failure.code),
      few(distinct(members.map(({ account }) => account))),
      few(distinct(members.map(({ region }) => region))),
      [
        failure.logicalId,
        ...distinct(members.map(({ resource, line }) => (line === undefined ? resource : `${resource}:${line}`))).slice(
          0,
          namedAccounts,
        ),
      ]
        .filter((part) => part !== undefined)
        .map(codeSpan)
        .join(' '),
      plain(failure.cause),
      [failure.hint === undefined ? '' : plain(failure.hint), failure.console ? `[console](${failure.console})` : '']
        .filter((part) => part !== '')
        .join(' '),
    ].join(' | '),
  );
  summary.top(
    [
      `## ❌ ${action} failed`,
      '',
      '| code | account | region | resource | cause | what to do |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows.map((row) => `| ${row} |`),
    ].join('\n'),
  );
}
