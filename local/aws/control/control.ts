/** The control routes below /_local/: what tests, the CLI and the console steer the platform with. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClockMode } from '../core/clock.ts';
import type { Credentials, PlatformEvent } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { ControllableClock } from '../core/platform-clock.ts';
import type { World, WorldAccount } from '../core/world.ts';
import type { CallFilter, CallLog } from '../front/call-log.ts';
import type { Faults } from '../front/faults.ts';
import { refusal } from './guard.ts';

/** The current world behind the routes; a reset replaces it. */
export interface Controlled {
  world: World;
  clock: ControllableClock;
  faults: Faults;
  log: CallLog;
  durations: Durations;
  events: EventLog;
  credentials(request: CredentialRequest): Credentials;
  setOidcKeys(issuer: string, jwks: unknown): void;
  addAccount(account: WorldAccount): void;
}

export interface CredentialRequest {
  account: string;
  role?: string;
  sessionName?: string;
  durationSeconds?: number;
}

export interface ControlOptions {
  token: string;
  current: () => Controlled;
  reset: () => Promise<void>;
  health: () => Record<string, unknown>;
}

/** A problem of the caller, answered as 400 with this sentence. */
class BadRequest extends Error {}

type Route = (body: Record<string, any>, query: URLSearchParams) => unknown | Promise<unknown>;

export function createControl(
  options: ControlOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { current } = options;
  const clockState = () => {
    const { clock } = current();
    return {
      mode: clock.mode,
      now: clock.now().toISOString(),
      next: clock.next()?.toISOString() ?? null,
      pending: clock.pending,
      held: clock.held,
    };
  };

  const routes: Record<string, Route> = {
    'GET health': () => options.health(),
    'POST reset': async () => {
      await options.reset();
      return {};
    },
    'GET accounts': () => ({ accounts: current().world.accounts }),
    'POST accounts': (body) => {
      if (!/^\d{12}$/.test(body.id ?? '')) throw new BadRequest('id must be an account number of twelve digits.');
      current().addAccount({ id: body.id, name: body.name ?? body.id });
      return { accounts: current().world.accounts };
    },
    'POST credentials': (body) => {
      requireText(body, 'account');
      return current().credentials(body as CredentialRequest);
    },
    'POST oidc': (body) => {
      requireText(body, 'issuer');
      current().setOidcKeys(body.issuer, body.jwks);
      return {};
    },
    'GET clock': clockState,
    'POST clock': (body) => {
      current().clock.setMode(readMode(body));
      return clockState();
    },
    'POST clock/advance': async (body) => {
      if (typeof body.milliseconds !== 'number' || !(body.milliseconds >= 0)) {
        throw new BadRequest('milliseconds must be a number from 0.');
      }
      await byHand(() => current().clock.advance(body.milliseconds));
      return clockState();
    },
    'POST clock/next': async () => {
      const moved = await byHand(() => current().clock.advanceToNext());
      return { moved: moved ?? null, ...clockState() };
    },
    'GET faults': () => ({ faults: current().faults.list() }),
    'POST faults': (body) => current().faults.add(body),
    'DELETE faults': () => {
      current().faults.clear();
      return {};
    },
    'GET durations': () => ({ durations: current().durations.list() }),
    'POST durations': (body) => {
      current().durations.add(body);
      return {};
    },
    'DELETE durations': () => {
      current().durations.clear();
      return {};
    },
    'GET calls': async (_body, query) => {
      const { log } = current();
      const calls = await log.wait(readFilter(query), 1000 * Math.min(60, Number(query.get('wait') ?? 0)));
      return { calls, next: log.next };
    },
    'DELETE calls': () => {
      current().log.clear();
      return {};
    },
    'GET events': (_body, query) => current().events.list(Number(query.get('since') ?? 0)),
  };

  return async (request, response) => {
    const refused = refusal(request, options.token);
    if (refused !== undefined) return answer(response, refused.status, { error: refused.message });
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const name = path === '/moto-api/reset' ? 'reset' : path.replace(/^\/_local\//, '');
    const route = routes[`${request.method} ${name}`];
    if (route === undefined)
      return answer(response, 404, { error: `There is no control route ${request.method} ${path}.` });
    try {
      const body = await readJson(request);
      return answer(response, 200, (await route(body, new URLSearchParams(query))) ?? {});
    } catch (error) {
      if (error instanceof BadRequest || error instanceof TypeError) {
        return answer(response, 400, { error: error.message });
      }
      if (error instanceof AwsError) return answer(response, error.status, { error: error.message, code: error.code });
      throw error;
    }
  };
}

/** How long, in virtual seconds, what a call starts takes at least. */
export class Durations {
  #durations: { operation: string; match: Record<string, string>; seconds: number }[] = [];

  add(body: Record<string, any>): void {
    requireText(body, 'operation');
    if (typeof body.seconds !== 'number' || !(body.seconds >= 0)) {
      throw new BadRequest('seconds must be a number from 0.');
    }
    this.#durations.push({ operation: body.operation, match: body.match ?? {}, seconds: body.seconds });
  }

  list() {
    return [...this.#durations];
  }

  clear(): void {
    this.#durations = [];
  }

  /** The newest entry that matches wins; 0 when none does. */
  seconds(operation: string, matches: (match: Record<string, string>) => boolean): number {
    return this.#durations.findLast((entry) => entry.operation === operation && matches(entry.match))?.seconds ?? 0;
  }
}

/** State changes in the order in which services reported them. */
export class EventLog {
  #events: (PlatformEvent & { seq: number })[] = [];
  #seq = 0;

  add(event: PlatformEvent): void {
    this.#events.push({ seq: ++this.#seq, ...event });
    if (this.#events.length > 11_000) this.#events = this.#events.slice(-10_000);
  }

  list(since = 0): { events: (PlatformEvent & { seq: number })[]; next: number } {
    return { events: this.#events.filter((event) => event.seq > since), next: this.#seq };
  }
}

function readFilter(query: URLSearchParams): CallFilter {
  const filter: CallFilter = { since: Number(query.get('since') ?? 0) };
  for (const name of ['account', 'operation', 'principal'] as const) {
    const value = query.get(name);
    if (value !== null) filter[name] = value;
  }
  const mutating = query.get('mutating');
  if (mutating !== null) filter.mutating = mutating === 'true';
  return filter;
}

function readMode(body: Record<string, any>): ClockMode {
  if (body.mode === 'at-once' || body.mode === 'by-hand') return { mode: body.mode };
  if (body.mode === 'scaled' && typeof body.factor === 'number' && body.factor > 0) {
    return { mode: 'scaled', factor: body.factor };
  }
  throw new BadRequest('mode must be at-once, by-hand, or scaled with a factor above 0.');
}

async function byHand<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new BadRequest(error instanceof Error ? error.message : String(error));
  }
}

function requireText(body: Record<string, any>, name: string): void {
  if (typeof body[name] !== 'string' || body[name] === '') throw new BadRequest(`${name} must be a text.`);
}

async function readJson(request: IncomingMessage): Promise<Record<string, any>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // falls through to the one refusal below
  }
  throw new BadRequest('The body must be a JSON object.');
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
