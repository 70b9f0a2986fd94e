import { type Evaluation, fromData, type Template } from '../expressions.ts';
import type { Pace } from '../types.ts';

/** A number of minutes as GitHub takes it: a positive integer. Throws for anything else. */
export function minutes(name: string, template: Template, evaluation: Evaluation): number {
  const value = Number(fromData(template.evaluate(evaluation)));
  if (!Number.isInteger(value) || value <= 0) {
    throw new Error(`${name} '${template.evaluateString(evaluation)}' must be a positive integer`);
  }
  return value;
}

/** Minutes as a timer takes them: longer than about 24 days would fire at once. */
export function timerMilliseconds(count: number, pace: Pace): number {
  return Math.min(count * pace.minute, 2 ** 31 - 1);
}
