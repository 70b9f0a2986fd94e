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

/**
 * Mistakes in what the user wrote become one annotation with a line of text each, unless they have a line of a file to stand at;
 * everything else gets one of its own.
 */
export function annotate(action: string, failures: readonly Failure[], logger: Logger): void {
  if (failures.every((failure) => isInput(failure) && placeOf(failure) === undefined)) {
    logger.error(failures.map(sentence).join('\n'), `${action}: ${failures[0]?.code ?? 'InvalidInput'}`);
    return;
  }
  failures.slice(0, annotationLimit).forEach((failure) => {
    logger.error(sentence(failure), `${action}: ${failure.code}`, placeOf(failure));
  });
  if (failures.length > annotationLimit) {
    logger.info(`${failures.length - annotationLimit} more failures are in the summary and in the output failure.`);
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
  const rows = failures.map((failure) =>
    [
      codeSpan(failure.code),
      failure.account ?? '',
      failure.region ?? '',
      [failure.logicalId, failure.line === undefined ? failure.resource : `${failure.resource}:${failure.line}`]
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
