import type { RunEvent, RunRecord } from '../../local/github/types.ts';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { UserError } from '../errors.ts';
import { Follower, refusals } from '../follow.ts';
import { commitAndPush, git } from '../project.ts';
import { refuseRemoved } from '../removed.ts';
import { runningPlatform, runningProject } from '../state.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = {
  help: `Commits and pushes what you changed in the running platform's project; follows the runs it starts.

  Change something in .sagemaker-mlops/project, e.g. NumRound in model-build/build.yml, then
  npx sagemaker-mlops push -m "Fewer rounds"

Usage: npx sagemaker-mlops push [-m MESSAGE] [--verbose | --json]
  -m, --message   the commit's message (default: the names of the changed files)
  --verbose       every line of every job
  --json          instead of following it aloud one line at the end, for scripts:
                  {"runs": [{"id": ID, "workflow": NAME, "conclusion": "success"}]}

Path filters of the workflows decide what runs: model-build/** trains, model-deploy/** redeploys.
Where production has to be approved, "npm start" asks in its own terminal.
Exit code: 0 all runs succeeded (or none was started), 1 one failed, 2 wrong usage.`,
  options: { message: { type: 'string', short: 'm' }, verbose: { type: 'boolean' }, json: { type: 'boolean' } },
  positionals: [],
  async run({ values }, terminal) {
    const state = runningPlatform();
    const project = runningProject(state);
    const control = new Control(state);
    const json = values['json'] === true;
    await refuseRemoved(control, project);
    const changed = (await git(project.directory, 'status', '--porcelain'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^\s*\S+\s+/, ''));
    if (changed.length === 0) {
      throw new UserError(`Nothing has changed in ${project.directory}: edit something there, then push again.`);
    }
    const message = (values['message'] as string | undefined) ?? `Change ${changed.slice(0, 3).join(', ')}`;
    const newest = await newestRun(control, project.repository);
    const { commit } = await commitAndPush(project.directory, message);
    if (!json) terminal.line(`Pushed ${commit.slice(0, 7)} "${message}" to ${project.repository}`);
    const runs = await control.json<{ workflow_runs: { id: number; head_sha: string }[] }>(
      'GET',
      `/_github/api/repos/${project.repository}/actions/runs?per_page=20`,
    );
    const started = runs.workflow_runs.filter(({ id, head_sha }) => id > newest && head_sha === commit);
    if (started.length === 0 && !json) {
      terminal.line('No workflow runs for these paths: the path filters in .github/workflows decide.');
      return 0;
    }
    return followRuns(
      control,
      started.map(({ id }) => id),
      terminal,
      values['verbose'] === true,
      json,
    );
  },
};

async function newestRun(control: Control, repository: string): Promise<number> {
  const { workflow_runs } = await control.json<{ workflow_runs: { id: number }[] }>(
    'GET',
    `/_github/api/repos/${repository}/actions/runs?per_page=1`,
  );
  return workflow_runs[0]?.id ?? 0;
}

/** The last line of a run: how it ended, and what to do next. */
export function runOutcome(run: RunRecord, { green, red, yellow }: Terminal): string {
  if (run.conclusion === 'success')
    return `${green('Succeeded.')} Next: "npx sagemaker-mlops status" or "npx sagemaker-mlops logs ${run.id} --summary".`;
  const [refused] = refusals(run);
  if (refused !== undefined) {
    const kept = refused.environment === 'cleanup' ? 'nothing was removed' : `${refused.environment} stays as it is`;
    return `${yellow(`Refused by ${refused.user}:`)} ${kept}. Next: "npx sagemaker-mlops status", or change something and push.`;
  }
  return `${red(`Ended with ${run.conclusion}.`)} Next: "npx sagemaker-mlops logs ${run.id} --failed" for what the job printed.`;
}

/**
 * Prints the runs one after the other, or with `json` one line at the end: {"runs": [{"id", "workflow", "conclusion"}]}. Resolves
 * to 0 when all of them succeeded, else 1.
 */
export async function followRuns(
  control: Control,
  runs: readonly number[],
  terminal: Terminal,
  verbose: boolean,
  json = false,
): Promise<number> {
  const finished: RunRecord[] = [];
  let current = runs[0];
  const interrupted = () => {
    console.error(`\nThe run goes on: "npx sagemaker-mlops logs ${current}" tells how far it is.`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  for (const id of runs) {
    current = id;
    const follower = new Follower(json ? { ...terminal, line: () => {}, rewritable: false } : terminal, {
      verbose,
      reviewer: 'elsewhere',
    });
    for await (const event of control.lines<RunEvent>(`/_github/events?run=${id}`)) {
      follower.event(event);
      if (event.type === 'run-finished') {
        finished.push(event.run);
        if (!json) terminal.line(runOutcome(event.run, terminal));
      }
    }
    follower.close();
    if (finished.at(-1)?.id !== id) {
      throw new UserError(
        `The local platform ended before run ${id} did: "npx sagemaker-mlops logs ${id}" tells how far it came.`,
      );
    }
  }
  process.off('SIGINT', interrupted);
  if (json) {
    const told = finished.map(({ id, name, conclusion }) => ({ id, workflow: name, conclusion }));
    terminal.line(JSON.stringify({ runs: told }));
  }
  return finished.every(({ conclusion }) => conclusion === 'success') ? 0 : 1;
}
