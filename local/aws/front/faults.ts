/** Injected faults: what goes wrong on AWS, on request and countable. */
import { glob } from './call-log.ts';

export type FaultEffect =
  /** The API answers this error; nothing is done. */
  | { kind: 'error'; code: string; message?: string; status?: number }
  /** The API answers its own form of "Rate exceeded". */
  | { kind: 'throttle' }
  /** The connection breaks before anything is done. */
  | { kind: 'reset' }
  /** The call is done, its answer is lost. */
  | { kind: 'lost-response' }
  /** The answer comes late: ISO 8601 duration, of wall time in an at-once world, else of virtual time. */
  | { kind: 'delay'; after: string }
  /** The job that this call creates fails with this reason, `after` its start. */
  | { kind: 'job-failure'; reason: string; after?: string }
  /** The stack resource fails with this reason. */
  | { kind: 'resource-failure'; reason: string }
  /** The caller's credentials expire with this call, and all others of the same role. */
  | { kind: 'expire-credentials' }
  /** Lists omit what is younger than this ISO 8601 duration of virtual time. */
  | { kind: 'list-lag'; by: string };

export interface Fault {
  id: string;
  /** e.g. "sagemaker:CreateTrainingJob"; `*` allowed. */
  operation: string;
  account: string;
  region: string;
  /** Members of the request (top level), by pattern. */
  match: Record<string, string>;
  /** The first matching call that is hit, counted from 1. */
  nth: number;
  /** How many calls from there on are hit. */
  times: number;
  effect: FaultEffect;
  seen: number;
  hits: number;
}

export interface FaultCall {
  account: string;
  region: string;
  operation: string;
  fields: Record<string, unknown>;
}

const kinds = [
  'error',
  'throttle',
  'reset',
  'lost-response',
  'delay',
  'job-failure',
  'resource-failure',
  'expire-credentials',
  'list-lag',
];

/** Kinds that services ask for themselves; the front leaves them alone. */
const serviceKinds = new Set(['job-failure', 'resource-failure']);

export class Faults {
  #faults: Fault[] = [];
  #lastId = 0;

  /** Throws a TypeError with one sentence when the fault is not understood. */
  add(request: unknown): Fault {
    const fault = { ...readFault(request), id: `fault-${++this.#lastId}`, seen: 0, hits: 0 };
    this.#faults.push(fault);
    return fault;
  }

  list(): Fault[] {
    return [...this.#faults];
  }

  clear(): void {
    this.#faults = [];
  }

  /** Every effect that hits this call, each counted. */
  take(call: FaultCall, kindsOfServices = false): Fault[] {
    return this.#faults.filter((fault) => {
      if (serviceKinds.has(fault.effect.kind) !== kindsOfServices || !matches(fault, call)) return false;
      fault.seen += 1;
      const hit = fault.seen >= fault.nth && fault.seen < fault.nth + fault.times;
      if (hit) fault.hits += 1;
      return hit;
    });
  }

  /** One fault of a kind that services consume themselves. */
  takeForService(
    kind: 'job-failure' | 'resource-failure',
    call: FaultCall,
  ): (FaultEffect & { reason: string }) | undefined {
    for (const fault of this.#faults) {
      if (fault.effect.kind !== kind || !matches(fault, call)) continue;
      fault.seen += 1;
      if (fault.seen < fault.nth || fault.seen >= fault.nth + fault.times) continue;
      fault.hits += 1;
      return fault.effect as FaultEffect & { reason: string };
    }
    return undefined;
  }
}

function matches(fault: Fault, call: FaultCall): boolean {
  return (
    glob(fault.operation, call.operation) &&
    glob(fault.account, call.account) &&
    glob(fault.region, call.region) &&
    Object.entries(fault.match).every(([name, pattern]) => {
      const value = call.fields[name];
      return value !== undefined && glob(pattern, typeof value === 'object' ? JSON.stringify(value) : String(value));
    })
  );
}

function readFault(request: unknown): Omit<Fault, 'id' | 'seen' | 'hits'> {
  if (typeof request !== 'object' || request === null) throw new TypeError('A fault must be a JSON object.');
  const fault = request as Record<string, any>;
  for (const name of Object.keys(fault)) {
    if (!['operation', 'account', 'region', 'match', 'nth', 'times', 'effect'].includes(name)) {
      throw new TypeError(`A fault has no member "${name}".`);
    }
  }
  if (typeof fault.operation !== 'string' || !/^(\*|[\w-]+:[\w*]+)$/.test(fault.operation)) {
    throw new TypeError('operation must be SERVICE:OPERATION, e.g. "sagemaker:CreateTrainingJob".');
  }
  const effect = fault.effect as FaultEffect | undefined;
  if (effect === undefined || !kinds.includes(effect.kind)) {
    throw new TypeError(`effect.kind must be one of ${kinds.join(', ')}.`);
  }
  if (effect.kind === 'error' && typeof effect.code !== 'string')
    throw new TypeError('effect.code must name the error.');
  if ('reason' in effect ? typeof effect.reason !== 'string' : serviceKinds.has((effect as FaultEffect).kind)) {
    throw new TypeError('effect.reason must be a text.');
  }
  for (const text of [
    effect.kind === 'delay' ? effect.after : undefined,
    effect.kind === 'list-lag' ? effect.by : undefined,
    effect.kind === 'job-failure' ? effect.after : undefined,
  ]) {
    if (text !== undefined) parseDuration(text);
  }
  if (effect.kind === 'delay' && effect.after === undefined) throw new TypeError('effect.after must be a duration.');
  if (effect.kind === 'list-lag' && effect.by === undefined) throw new TypeError('effect.by must be a duration.');
  const { nth = 1, times = 1 } = fault;
  if (!Number.isInteger(nth) || nth < 1) throw new TypeError('nth must be a whole number from 1.');
  if (times !== 'always' && (!Number.isInteger(times) || times < 1)) {
    throw new TypeError('times must be a whole number from 1, or "always".');
  }
  return {
    operation: fault.operation,
    account: fault.account ?? '*',
    region: fault.region ?? '*',
    match: fault.match ?? {},
    nth,
    times: times === 'always' ? Number.MAX_SAFE_INTEGER : times,
    effect,
  };
}

/** ISO 8601 duration of days, hours, minutes and seconds, in milliseconds. Throws TypeError. */
export function parseDuration(text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text);
  if (match === null || text === 'P' || text.endsWith('T')) {
    throw new TypeError(`"${text}" is not a duration such as PT30S or P1DT2H.`);
  }
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
