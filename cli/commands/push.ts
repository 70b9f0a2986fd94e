import type { RunEvent } from '../../local/github/types.ts';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { UserError } from '../errors.ts';
import { Follower } from '../follow.ts';
import { commitAndPush, git } from '../project.ts';
import { runningPlatform, runningProject } from '../state.ts';

export const command: Command = {
  help: `Commits and pushes what you changed in the running platform's project; follows the runs it starts.

  Change something in .sagemaker-mlops/project, e.g. NumRound in model-build/build.yml, then
  npx sagemaker-mlops push -m "Fewer rounds"

Usage: npx sagemaker-mlops push [-m MESSAGE] [--verbose]
  -m, --message   the commit's message (default: the names of the changed files)
  --verbose       every line of every job

Path filters of the workflows decide what runs: model-build/** trains, model-deploy/** redeploys.
Where production has to be approved, "npm start" asks in its own terminal.
Exit code: 0 all runs succeeded (or none was started), 1 one failed, 2 wrong usage.`,
  options: { message: { type: 'string', short: 'm' }, verbose: { type: 'boolean' } },
  positionals: [],
  async run({ values }, terminal) {
    const state = runningPlatform();
    const project = runningProject(state);
    const control = new Control(state);
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
    terminal.line(`Pushed ${commit.slice(0, 7)} "${message}" to ${project.repository}`);
    const runs = await control.json<{ workflow_runs: { id: number; head_sha: string }[] }>(
      'GET',
      `/_github/api/repos/${project.repository}/actions/runs?per_page=20`,
    );
    const started = runs.workflow_runs.filter(({ id, head_sha }) => id > newest && head_sha === commit);
    if (started.length === 0) {
      terminal.line('No workflow runs for these paths: the path filters in .github/workflows decide.');
      return 0;
    }
    return followRuns(
      control,
      started.map(({ id }) => id),
      terminal,
      values['verbose'] === true,
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

/** Prints the runs one after the other; 0 when all of them succeeded. */
export async function followRuns(
  control: Control,
  runs: readonly number[],
  terminal: import('../terminal.ts').Terminal,
  verbose: boolean,
): Promise<number> {
  let failed = 0;
  for (const id of runs) {
    const follower = new Follower(terminal, { verbose, reviewer: 'elsewhere' });
    let finished = false;
    for await (const event of control.lines<RunEvent>(`/_github/events?run=${id}`)) {
      follower.event(event);
      if (event.type === 'run-finished') {
        finished = true;
        const succeeded = event.run.conclusion === 'success';
        if (!succeeded) failed += 1;
        terminal.line(
          succeeded
            ? `${terminal.green('Succeeded.')} Next: "npx sagemaker-mlops status" or "npx sagemaker-mlops logs ${id} --summary".`
            : `${terminal.red(`Ended with ${event.run.conclusion}.`)} Next: "npx sagemaker-mlops logs ${id} --failed" for what the job printed.`,
        );
      }
    }
    if (!finished) {
      throw new UserError(
        `The local platform ended before run ${id} did: "npx sagemaker-mlops logs ${id}" tells how far it came.`,
      );
    }
  }
  return failed === 0 ? 0 : 1;
}
