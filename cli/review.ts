import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReviewDecision, ReviewRequest } from '../local/github/types.ts';
import { accountClients } from './accounts.ts';
import type { Control } from './control.ts';
import { listEndpoints } from './endpoints.ts';
import { stageAccounts } from './environment.ts';
import { describePackages, packageMetrics, packageOf } from './packages.ts';
import { stageChanges } from './stage-changes.ts';
import type { ProjectState } from './state.ts';
import { type Terminal, table, wrap } from './terminal.ts';

/** What a reviewer decides on: the package of this run beside the one in production, and where it would go. */
export async function reviewTable(
  control: Control,
  project: ProjectState,
  accounts: { id: string; name: string }[],
  request: ReviewRequest,
): Promise<string[]> {
  const clients = accountClients(control, project.adminAccount, project.region);
  const targets = stageAccounts(accounts, request.environment);
  // The endpoints know what they serve; the registry remembers every package that was ever in production.
  const endpoints = await Promise.all(
    targets.map((account) => listEndpoints(accountClients(control, account, project.region).sagemaker)),
  );
  const serving = endpoints.flat().flatMap((endpoint) => endpoint.packages);
  const named = packageOf(request.run);
  const packages = await describePackages(clients, `${project.name}-${project.id}`, 20, [
    ...serving,
    ...(named === undefined ? [] : [named]),
  ]);
  const live = packages.find(({ ModelPackageArn }) => serving.includes(ModelPackageArn!));
  const candidate = packages.find(({ ModelPackageArn }) => ModelPackageArn === named) ?? live;
  const [metrics, liveMetrics] = await Promise.all(
    [candidate, live].map(
      (one) => (one === undefined ? {} : packageMetrics(clients, one)) as Promise<Record<string, number>>,
    ),
  );
  const rows = [
    ['', 'this run', 'in production'],
    [
      'package',
      `version ${candidate?.ModelPackageVersion ?? '-'}`,
      live === undefined ? 'none' : `version ${live.ModelPackageVersion}`,
    ],
    ...Object.entries(metrics!).map(([name, value]) => [name, value.toFixed(4), liveMetrics![name]?.toFixed(4) ?? '-']),
  ];
  const changes =
    candidate === undefined
      ? undefined
      : await stageChanges(clients, project, request.environment, request.run.sha, candidate.ModelPackageArn!);
  const same = candidate !== undefined && candidate === live;
  return [
    ...table(rows, '    '),
    ...(changes ?? []).flatMap((change) => wrap('    changes: ', change)),
    ...(same && changes?.length === 0 ? ['    changes: nothing, the same model with the same configuration'] : []),
    `    would go to ${targets.length === 0 ? request.environment : targets.join(', ')} in ${project.region}`,
  ];
}

/** What a reviewer of a cleanup decides on: the plan, as the run's first job told it. */
export async function cleanupPlan(runDirectory: string, { run }: ReviewRequest): Promise<string[]> {
  const planned = run.jobs.filter(({ conclusion }) => conclusion === 'success');
  const logs = await Promise.all(planned.map(({ log }) => readFile(join(runDirectory, log), 'utf8')));
  const lines = logs.flatMap((text) =>
    [...text.matchAll(/ {2}((?:plan: remove|stays:) .*)$/gm)].map(([, line]) => line!),
  );
  return [...lines.map((line) => `    ${line}`), '    what is removed is gone for good'];
}

/** What a person answers; undefined when the signal was aborted, 'interrupt' for Ctrl-C. */
export type Ask = (message: string, signal: AbortSignal) => Promise<boolean | 'interrupt' | undefined>;

async function askAtTerminal(message: string, signal: AbortSignal): Promise<boolean | 'interrupt' | undefined> {
  const { confirm, isCancel } = await import('@clack/prompts');
  // "No" stands selected: an Enter that was meant for something else must not let anything through.
  const answer = await confirm({ message, initialValue: false, signal });
  if (!isCancel(answer)) return answer;
  return signal.aborted ? undefined : 'interrupt';
}

/** How often an open question looks whether it is still one, in milliseconds. */
const lookEvery = 200;

/**
 * The local reviewer of a protected environment: sees what is decided on and is asked at the terminal, one question after the
 * other; with --yes, or where nobody can be asked, approves and says so. `answered` hears of each answer of a person.
 */
export function createReviewer(
  terminal: Terminal,
  yes: boolean,
  describe: (request: ReviewRequest) => Promise<string[]>,
  answered: (request: ReviewRequest) => void = () => {},
  ask: Ask = askAtTerminal,
): (request: ReviewRequest) => Promise<ReviewDecision> {
  let turn: Promise<unknown> = Promise.resolve();
  let queued = 0;

  /** Undefined when nobody needs an answer any more: the run was cancelled, or somebody else has decided. */
  async function question(request: ReviewRequest, user: string): Promise<ReviewDecision | undefined> {
    queued -= 1;
    const { environment, run, job } = request;
    const waits = () => job.status === 'waiting';
    if (!waits()) return undefined;
    terminal.line(
      `\n  ${run.name} "${run.title}" asks:${queued === 0 ? '' : ` (${queued} more ${queued === 1 ? 'waits' : 'wait'})`}`,
    );
    // Only now: what runs in the stage may have changed since this one began to wait.
    for (const line of await describe(request)) terminal.line(line);
    const over = new AbortController();
    const look = setInterval(() => waits() || over.abort(), lookEvery);
    try {
      const answer = await ask(
        `Approve ${job.name} for the environment ${environment}, as ${user}? (y or n)`,
        over.signal,
      );
      if (answer === undefined) {
        terminal.line(`  ${run.name} "${run.title}" needs no answer any more.`);
        return undefined;
      }
      if (answer === 'interrupt') {
        // The prompt reads the keyboard itself, so Ctrl-C arrives here and not as a signal: it means what it always means.
        process.kill(process.pid, 'SIGINT');
        return await new Promise(() => {});
      }
      answered(request);
      return answer
        ? { state: 'approved', user, comment: 'approved at the terminal' }
        : { state: 'rejected', user, comment: 'refused at the terminal' };
    } finally {
      clearInterval(look);
    }
  }

  return async (request) => {
    const user = request.reviewers[0] ?? 'local-reviewer';
    if (yes || !terminal.interactive) {
      return {
        state: 'approved',
        user,
        comment: yes
          ? 'approved by the local reviewer (--yes)'
          : 'approved by the local reviewer (no terminal to ask at)',
      };
    }
    queued += 1;
    // Two questions at once would both take the next key.
    const mine = turn.then(() => question(request, user));
    turn = mine.catch(() => {});
    return (await mine) ?? new Promise(() => {});
  };
}
