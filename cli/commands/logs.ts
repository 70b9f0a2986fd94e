import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../local/github/types.ts';
import type { Command } from '../command.ts';
import { UserError } from '../errors.ts';
import { fromFailedStep, plainMarkdown, withoutLines } from '../log-text.ts';
import { stateDirectory } from '../state.ts';

export const command: Command = {
  help: `Prints what the jobs of a run printed. Works after the platform has ended, too.

Usage: npx sagemaker-mlops logs [RUN] [--job NAME] [--failed] [--summary | --json]
  RUN        id of a run (default: of the newest push or dispatch the run that did most)
  --job      only jobs whose name holds this text
  --failed   only jobs that failed, from the step that did
  --summary  the job summaries (Markdown) instead of the logs
  --json     the run's record for scripts: conclusions, steps, annotations, approvals

Exit code: 0, 1 no such run or job, 2 wrong usage.`,
  options: {
    job: { type: 'string' },
    failed: { type: 'boolean' },
    summary: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  positionals: ['RUN'],
  async run({ values, positionals }, terminal) {
    const runs = join(stateDirectory(), 'github', 'runs');
    let ids: number[] = [];
    try {
      // A run that is just beginning has a folder and no record yet.
      ids = readdirSync(runs)
        .map(Number)
        .filter((id) => Number.isInteger(id) && existsSync(join(runs, String(id), 'run.json')));
    } catch {
      // No run yet: told below.
    }
    if (ids.length === 0) throw new UserError('There is no run yet: "npm start" makes the first one.');
    const id = positionals[0] === undefined ? newest(runs, ids) : Number(positionals[0].replace(/^#/, ''));
    if (!ids.includes(id)) {
      throw new UserError(
        `There is no run ${positionals[0]}: the newest runs are ${ids
          .sort((a, b) => b - a)
          .slice(0, 5)
          .map((known) => `${known} ${readRun(runs, known).name}`)
          .join(', ')}.`,
      );
    }
    const run = readRun(runs, id);
    if (values['json'] === true) {
      terminal.line(JSON.stringify(run, undefined, 2));
      return 0;
    }
    const others = ids
      .filter((other) => other !== id)
      .sort((a, b) => b - a)
      .slice(0, 4)
      .map((other) => `${other} ${readRun(runs, other).name}`);
    terminal.line(
      `Run ${id}: ${run.name}, ${run.conclusion ?? run.status}, "${run.title}"${others.length === 0 ? '' : `; others: ${others.join(', ')}`}`,
    );
    const wanted = values['job'] as string | undefined;
    const jobs = run.jobs.filter(
      (job) =>
        job.conclusion !== 'skipped' &&
        (wanted === undefined || job.name.includes(wanted)) &&
        (values['failed'] !== true || job.conclusion === 'failure'),
    );
    if (jobs.length === 0) {
      if (run.problems.length > 0)
        throw new UserError(
          `Run ${id} never started: ${run.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('; ')}`,
        );
      throw new UserError(
        wanted === undefined
          ? `No job of run ${id} ${values['failed'] === true ? 'failed' : 'has run'}.`
          : `No job of run ${id} ${values['failed'] === true ? 'that failed ' : ''}is called like "${wanted}": it has ${run.jobs.map(({ name }) => `"${name}"`).join(', ')}.`,
      );
    }
    for (const job of jobs) {
      terminal.line(terminal.bold(`== ${job.name} (${job.conclusion ?? job.status})`));
      const file = join(runs, String(id), values['summary'] === true ? job.summary : job.log);
      const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
      if (text === '') terminal.line(terminal.dim(withoutLines(job)));
      else if (values['summary'] === true) terminal.line(plainMarkdown(text));
      else terminal.line(values['failed'] === true ? fromFailedStep(text, job) : text);
    }
    return 0;
  },
};

/** One push may start several runs, of which most find nothing to do: the one with most finished steps is what people ask for. */
function newest(runs: string, ids: readonly number[]): number {
  const last = readRun(runs, Math.max(...ids));
  const steps = (run: RunRecord) =>
    run.jobs.flatMap((job) =>
      job.steps.filter(({ conclusion }) => conclusion === 'success' || conclusion === 'failure'),
    ).length;
  return ids
    .map((id) => readRun(runs, id))
    .filter(({ sha, event, id }) => id === last.id || (event === 'push' && last.event === 'push' && sha === last.sha))
    .sort((a, b) => steps(b) - steps(a) || b.id - a.id)[0]!.id;
}

function readRun(runs: string, id: number): RunRecord {
  return JSON.parse(readFileSync(join(runs, String(id), 'run.json'), 'utf8')) as RunRecord;
}
