import type { Clock } from '../clock.ts';
import type { RunContext } from './context.ts';
import type { Environment } from './inputs.ts';
import type { Logger } from './logger.ts';
import type { Summary } from './summary.ts';

/** Remote work that goes on without us; what a cancelled or timed-out job has to tell about it. */
export interface Operation {
  /** ARN or id. */
  resource: string;
  /** Where it stands, as one sentence without a period: "Execution ARN is at step Train". */
  describe(): string;
  /** How to go on: "re-run this job to attach to it". */
  resume: string;
  /** Ends the remote work; only called when the user said `on-cancel: stop`. Once, best effort, within a second or so. */
  stop?: () => Promise<void>;
}

/** Everything an action gets from the runner. `Output` is the union of the outputs that its action.yml declares. */
export interface Host<Output extends string = string> {
  readonly env: Environment;
  readonly context: RunContext;
  readonly logger: Logger;
  readonly summary: Summary;
  readonly clock: Clock;
  /** Aborted when the job is cancelled; waits end at once. */
  readonly signal: AbortSignal;
  /** Sets an output at once, so that a later failure cannot lose it. Throws when it would hold a masked text. */
  output(name: Output, value: string): void;
  mask(secret: string): void;
  /** A fresh OIDC token for the audience; never cached. */
  idToken(audience: string): Promise<string>;
  /** Tells what now runs remotely; undefined when nothing does any more. */
  operation(running: Operation | undefined): void;
}
