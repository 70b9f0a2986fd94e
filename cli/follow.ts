import type { JobRecord, RunEvent, RunRecord } from '../local/github/types.ts';
import { cut, seconds, type Terminal, wrap } from './terminal.ts';

export interface FollowOptions {
  /** Every line of every job instead of what the actions report of their progress. */
  verbose?: boolean;
  /** A report follows that repeats it: the progress of a job that succeeded is not kept on the screen. */
  brief?: boolean;
  /** Who decides: a person at this terminal (default), one at another terminal, or nobody, because all is approved at once. */
  reviewer?: 'here' | 'elsewhere' | 'automatic';
}

/**
 * Lines of a job's log that tell progress: what the actions of this product print while they wait starts with two spaces and
 * a word, and is repeated here; set-up, groups and commands of the runner stay in the log file.
 */
const progress = /^ {2}\S/;
/** Good news that a later line repeats: the gate's verdict stands on the package, an instance's end in the test of its endpoint. */
const repeated = /^(passed\s|\d{12}\/\S+ succeeded$)/;

/** Milliseconds after which silence looks like a standstill. */
const longAfter = 10_000;

/** Prints a run as it happens; one follower prints one run. */
export class Follower {
  readonly #terminal: Terminal;
  readonly #options: FollowOptions;
  /** The job whose lines are the last on the screen, and how many they are: they make room for its result. */
  #last: { job: number; lines: number } | undefined;
  /** Progress of jobs that still run where it could not be taken back: shown when the job fails. */
  readonly #held = new Map<number, string[]>();
  /** Where a line cannot be taken back a job is only announced when it takes long. */
  readonly #long = new Map<number, NodeJS.Timeout>();

  constructor(terminal: Terminal, options: FollowOptions = {}) {
    this.#terminal = terminal;
    this.#options = options;
  }

  event(event: RunEvent): void {
    const { line, dim, green, red, yellow, bold } = this.#terminal;
    switch (event.type) {
      case 'run-started':
        line(
          `\n${bold(`Run ${event.run.id}`)}  ${event.run.name} #${event.run.number}, ${event.run.event} to ${event.run.ref.replace('refs/heads/', '')}, ` +
            `${event.run.sha.slice(0, 7)} "${event.run.title}"${event.run.attempt > 1 ? `, attempt ${event.run.attempt}` : ''}`,
        );
        break;
      case 'job-started':
        if (this.#rewrites) {
          line(`  ${dim('…')} ${event.job.name}`);
          this.#last = { job: event.job.id, lines: 1 };
        } else {
          const { id, name } = event.job;
          this.#long.set(id, setTimeout(() => line(`  … ${name} is running`), longAfter).unref());
        }
        break;
      case 'job-finished':
        clearTimeout(this.#long.get(event.job.id));
        if (this.#last?.job === event.job.id && event.job.conclusion === 'success')
          this.#terminal.eraseLines(this.#last.lines);
        this.#last = undefined;
        if (event.job.conclusion !== 'success') for (const held of this.#held.get(event.job.id) ?? []) line(held);
        this.#held.delete(event.job.id);
        this.#jobFinished(event.job);
        break;
      case 'job-pending':
        this.#last = undefined;
        line(`  ${yellow('…')} ${event.job.name} waits for the concurrency group ${event.group}`);
        break;
      case 'waiting-for-review':
        // Where nobody is asked, the line that says who approved is enough.
        if (this.#options.reviewer === 'automatic') break;
        this.#last = undefined;
        line(
          `  ${yellow('?')} ${event.job.name} waits for a reviewer of ${event.environment}: ${this.#options.reviewer === 'elsewhere' ? 'npm start asks' : event.reviewers.join(', ')}`,
        );
        break;
      case 'reviewed':
        this.#last = undefined;
        line(
          `  ${event.approval.state === 'approved' ? green('✓') : red('✗')} ${event.approval.environment} ${event.approval.state} by ` +
            `${event.approval.user}${event.approval.comment === '' ? '' : `: ${event.approval.comment}`}`,
        );
        break;
      case 'log':
        if (this.#options.verbose === true) line(`      ${dim(event.line)}`);
        else if (progress.test(event.line) && !repeated.test(event.line.trim())) {
          // Hashes and ARNs are whole in the log file; here a line is a line.
          const told = `      ${cut(event.line.trim(), 94)}`;
          if (this.#options.brief === true && !this.#rewrites) {
            this.#held.set(event.job.id, [...(this.#held.get(event.job.id) ?? []), told]);
            break;
          }
          line(told);
          if (this.#last?.job === event.job.id) this.#last.lines += 1;
          else this.#last = undefined;
        }
        break;
      case 'note':
        this.#last = undefined;
        line(`  ${dim(`note: ${event.message}`)}`);
        break;
      case 'run-finished':
        for (const problem of event.run.problems) {
          line(`  ${red('✗')} ${problem.file}:${problem.line}: ${problem.message}`);
        }
        break;
      case 'step-started':
      case 'step-finished':
        break;
      default:
        event satisfies never;
    }
  }

  /** Nothing is left to come. */
  close(): void {
    for (const timer of this.#long.values()) clearTimeout(timer);
  }

  get #rewrites(): boolean {
    return this.#terminal.rewritable && this.#options.verbose !== true;
  }

  #jobFinished(job: JobRecord): void {
    const { line, dim, green, red } = this.#terminal;
    if (job.conclusion === 'skipped') return;
    const mark = job.conclusion === 'success' ? green('✓') : red('✗');
    line(
      `  ${mark} ${job.name}  ${dim(seconds(duration(job)))}${job.conclusion === 'success' ? '' : `  ${job.conclusion}`}`,
    );
    const errors = job.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
    // The runner's own last word on a step says nothing where the step has said why.
    const telling = errors.filter((message) => !/^Process completed with exit code \d+\.$/.test(message));
    for (const message of new Set(telling.length > 0 ? telling : errors))
      for (const one of wrap('      ', message.replaceAll('\n', ' '))) line(red(one));
    // What a job that succeeded wants known: nothing to go back to, superseded by a newer model.
    const notices = job.annotations.filter(({ level }) => level === 'notice').map(({ message }) => message);
    for (const message of new Set(notices))
      for (const one of wrap('      ', message.replaceAll('\n', ' '))) line(dim(one));
  }
}

function duration(job: JobRecord): number {
  return job.startedAt === null || job.completedAt === null
    ? 0
    : Date.parse(job.completedAt) - Date.parse(job.startedAt);
}

/** Reviewers who refused a job of the run that then never began, with the environment. */
export function refusals(run: RunRecord): { user: string; environment: string }[] {
  return run.approvals.filter(
    ({ state, environment }) =>
      state === 'rejected' &&
      run.jobs.some(
        (job) =>
          job.environment?.toLowerCase() === environment.toLowerCase() &&
          job.conclusion === 'failure' &&
          job.steps.every(({ startedAt }) => startedAt === null),
      ),
  );
}

export function runDuration(run: RunRecord): number {
  return run.completedAt === null ? 0 : Date.parse(run.completedAt) - Date.parse(run.startedAt);
}
