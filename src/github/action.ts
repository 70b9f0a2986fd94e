import { setOutput, setSecret } from '@actions/core';
import { realClock } from '../clock.ts';
import { type Failure, FailureError, type Status } from '../failure.ts';
import { createCancellation } from './cancellation.ts';
import { readContext } from './context.ts';
import type { Host, Operation } from './host.ts';
import { type Environment, readInputs } from './inputs.ts';
import type { InputSpecifications } from './kinds.ts';
import { githubLogger } from './logger.ts';
import { fetchIdToken } from './oidc.ts';
import { createOutputs } from './outputs.ts';
import { annotate, failureJson, failuresOf, summarize } from './report.ts';
import { createSummary } from './summary.ts';

/** The inputs that every action has. */
export interface CommonInputs {
  readonly 'on-cancel': 'detach' | 'stop';
}

export interface ActionModule<Inputs, Output extends string> {
  /** Does the work; the answer becomes the output `status`. */
  run(inputs: Inputs, host: Host<Output>): Promise<Status>;
}

export interface ActionDefinition {
  readonly name: string;
  readonly inputs: InputSpecifications;
  readonly load: () => Promise<ActionModule<any, any>>;
}

/**
 * Names an action: its inputs (generated from action.yml) and the module that does the work, which is loaded only once the
 * inputs are valid. That keeps a wrong input a matter of milliseconds and the AWS SDK out of it.
 */
export function defineAction<Inputs extends CommonInputs, Output extends string>(
  name: string,
  inputs: InputSpecifications,
  load: () => Promise<ActionModule<Inputs, Output>>,
): ActionDefinition {
  return { name, inputs, load };
}

function cancelled(signal: string, operation: Operation | undefined, stopping: boolean): Failure {
  if (operation === undefined) {
    return { code: 'Cancelled', cause: `Cancelled (${signal}) before anything was started`, hint: 'Re-run this job' };
  }
  return {
    code: 'Cancelled',
    resource: operation.resource,
    cause: `Cancelled (${signal}): ${operation.describe()}`,
    hint: stopping ? 'It is being stopped, as on-cancel says' : `It goes on; to go on here, ${operation.resume}`,
  };
}

/**
 * Runs one action in this process: inputs, work, status, failure and summary. Never throws; a failure sets the exit code.
 * `also` are inputs that belong to the caller of this action (the root action's `command`).
 */
export async function startAction(
  { name, inputs: specifications, load }: ActionDefinition,
  env: Environment = process.env,
  also: readonly string[] = [],
): Promise<void> {
  const logger = githubLogger();
  const outputs = createOutputs({ setOutput, setSecret });
  const summary = createSummary(env['GITHUB_STEP_SUMMARY'], (message) => logger.warn(message));
  const finish = (status: Status, failures: readonly Failure[]) => {
    outputs.set('status', status);
    outputs.set('failure', failures.length === 0 ? '' : outputs.scrub(failureJson(name, failures)));
    summary.write();
  };
  const cancellation = createCancellation({
    signals: process,
    exit: (code) => process.exit(code),
    report(signal, operation, stopping) {
      const failure = cancelled(signal, operation, stopping);
      annotate(name, [failure], logger);
      summarize(name, [failure], summary);
      finish(operation === undefined || stopping ? 'failed' : 'still-running', [failure]);
    },
  });
  const host: Host = {
    env,
    context: readContext(env),
    logger,
    summary,
    clock: realClock,
    signal: cancellation.signal,
    output: outputs.set,
    mask: outputs.mask,
    idToken: (audience) => fetchIdToken({ env, audience, mask: outputs.mask }),
    operation: (running) => {
      cancellation.operation = running;
    },
  };
  try {
    const inputs = await readInputs<CommonInputs>(specifications, env, also);
    cancellation.onCancel = inputs['on-cancel'];
    const { run } = await load();
    const status = await run(inputs, host);
    if (!cancellation.leaving) finish(status, []);
  } catch (error) {
    process.exitCode = 1;
    // The way out of a cancellation reports by itself.
    if (cancellation.leaving) return;
    const failures = failuresOf(error);
    annotate(name, failures, logger);
    if (!(error instanceof FailureError) && error instanceof Error) logger.debug(error.stack ?? error.message);
    for (const { logTail, logicalId } of failures) {
      if (logTail && logTail.length > 0) {
        await logger.group(`Last lines of the log of ${logicalId ?? name}`, async () =>
          logTail.forEach(logger.foreign),
        );
      }
    }
    summarize(name, failures, summary);
    finish(error instanceof FailureError ? error.status : 'failed', failures);
  }
}

/** The front door: `command` chooses the action, everything else is that action's own. */
export async function startCommand(
  actions: Readonly<Record<string, () => Promise<{ default: ActionDefinition }>>>,
  env: Environment = process.env,
): Promise<void> {
  const choice = { kind: { choice: Object.keys(actions) }, required: true } as const;
  let command: string | undefined;
  try {
    // Only `command` is judged here; the other inputs are judged by the action that it names.
    ({ command } = await readInputs<{ command: string }>({ command: choice }, { INPUT_COMMAND: env['INPUT_COMMAND'] }));
  } catch (error) {
    const fail = async () => ({ run: () => Promise.reject(error) });
    return startAction({ name: 'sagemaker-mlops', inputs: {}, load: fail }, env);
  }
  const load = actions[command]!;
  return startAction((await load()).default, env, ['command']);
}
