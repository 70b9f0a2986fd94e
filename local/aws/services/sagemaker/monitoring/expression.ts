import { validationError } from '../problems.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** When a schedule starts executions: once and at once, or at fixed hours of the day (UTC). */
export type Timing = { kind: 'now' } | { kind: 'hours'; hours: readonly number[] };

const forms =
  'cron(0 * ? * * *) for every hour, cron(0 H ? * * *) for every day at H, cron(0 H/N ? * * *) for every N hours from H, or NOW';
/** Left out, SageMaker picks an hour of the day; here it is midnight. */
const defaultExpression = 'cron(0 0 ? * * *)';

/**
 * The expressions that SageMaker takes, and no other:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ScheduleConfig.html
 * "Every N hours from H" counts through midnight, as AWS's example does (every 12 hours, starting at 5pm); where N does
 * not divide the day, the count starts again at H. Throws ValidationException for anything else.
 */
export function parseExpression(text = defaultExpression): Timing {
  if (text === 'NOW') return { kind: 'now' };
  const match = /^cron\(0 (?:(\*)|(\d{1,2})(?:\/(\d{1,2}))?) \? \* \* \*\)$/.exec(text);
  const start = Number(match?.[2] ?? 0);
  const every = match?.[1] === '*' ? 1 : Number(match?.[3] ?? 24);
  if (match === null || start > 23 || every < 1 || every > 24) {
    throw validationError(`ScheduleExpression ${text} is not valid: give ${forms}.`);
  }
  const hours = Array.from({ length: Math.ceil(24 / every) }, (_, index) => (start + index * every) % 24);
  return { kind: 'hours', hours: hours.sort((left, right) => left - right) };
}

/** Start of a day (UTC), in milliseconds since 1970. */
const midnight = (at: number) => Math.floor(at / day) * day;

/** Every moment of three days around `at`, ascending; enough to look one run back and one ahead. */
function around(hours: readonly number[], at: number): number[] {
  return [-day, 0, day].flatMap((offset) => hours.map((each) => midnight(at) + offset + each * hour));
}

/** The first run after `after`. */
export function nextRun(hours: readonly number[], after: Date): Date {
  return new Date(around(hours, after.getTime()).find((each) => each > after.getTime()) as number);
}

/** The run before the one at `at`: where the data of that one begins. */
export function previousRun(hours: readonly number[], at: Date): Date {
  return new Date(around(hours, at.getTime()).findLast((each) => each < at.getTime()) as number);
}

/** Milliseconds of the shortest time between two runs. */
export function shortestGap(hours: readonly number[]): number {
  const gaps = hours.map((each, index) => ((hours[(index + 1) % hours.length] as number) - each + 24) % 24 || 24);
  return Math.min(...gaps) * hour;
}

/** Milliseconds of an offset such as "-PT1H" or "PT2H"; undefined when the text is none. */
export function parseOffset(text: string, duration: (text: string) => number | undefined): number | undefined {
  const match = /^([+-]?)(P.+)$/.exec(text);
  const size = match === null ? undefined : duration(match[2] as string);
  return size === undefined ? undefined : match?.[1] === '-' ? -size : size;
}
