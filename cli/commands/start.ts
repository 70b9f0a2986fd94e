import { defaultWorld } from '../../local/aws/core/world.ts';
import type { RunRecord } from '../../local/github/types.ts';
import { parsePort } from '../arguments.ts';
import type { Command, ParsedArguments } from '../command.ts';
import { Control } from '../control.ts';
import { Follower } from '../follow.ts';
import { makeLocalProject } from '../local-project.ts';
import { type LocalWorld, startLocalWorld } from '../platform.ts';
import { commitAndPush, productVersion } from '../project.ts';
import { preparePython } from '../python.ts';
import { report } from '../report.ts';
import { cleanupPlan, createReviewer, reviewTable } from '../review.ts';
import { exitCodeOf, untilStopped } from '../signals.ts';
import { type ProjectState, productDirectory, stateDirectory } from '../state.ts';
import { seconds, type Terminal } from '../terminal.ts';
import { runOutcome } from './push.ts';

const owner = 'acme';
const name = 'abalone';

export const command: Command = {
  help: `Shows the whole platform on this machine: four AWS accounts and a GitHub, both local, and a project
whose first push is trained, registered, gated and deployed by the workflow files and actions that
run on GitHub.

Usage: npm start -- [--once] [--yes] [--keep] [--port N] [--verbose]
  --once      end when the run has ended instead of staying up until Ctrl-C
  --yes       never ask: the local reviewer approves production
  --keep      keep the project of the last start instead of making a fresh one
  --port      port on 127.0.0.1 (default 4577; 0 takes a free one)
  --verbose   every line of every job

Without a terminal to ask at, the local reviewer approves as with --yes, which is said.
Exit code: 0 the run succeeded (--once), 1 it failed or nothing could start, 2 wrong usage,
130 ended by Ctrl-C, 143 by SIGTERM.
While it is up, in another terminal: npx sagemaker-mlops status | push | logs | env | dispatch`,
  options: {
    once: { type: 'boolean' },
    yes: { type: 'boolean' },
    keep: { type: 'boolean' },
    port: { type: 'string' },
    verbose: { type: 'boolean' },
  },
  positionals: [],
  async run(args, terminal) {
    const port = parsePort(args.values['port']);
    const directory = stateDirectory();
    const version = await productVersion(productDirectory);
    terminal.line(
      `${terminal.bold(`sagemaker-mlops ${version.version}`)}: everything below runs on this machine; no AWS account is used.`,
    );
    const python = await preparePython(terminal);

    let known: ProjectState | undefined;
    /** Runs that a person decided about here. */
    const decided = new Set<number>();
    const started = Date.now();
    const local = await startLocalWorld({
      world: defaultWorld,
      port,
      stateDirectory: directory,
      python,
      warn: (message) => terminal.line(terminal.yellow(`  ${message}`)),
      reviewer: createReviewer(
        terminal,
        args.values['yes'] === true,
        async (request) =>
          known === undefined
            ? []
            : request.environment === 'cleanup'
              ? cleanupPlan(local.github.runs.directory(request.run.id), request)
              : reviewTable(new Control(local.platform), known, local.platform.context.world.accounts, request),
        ({ run }) => decided.add(run.id),
      ),
    });
    let ended = false;
    const stopped = untilStopped(async () => {
      ended = true;
      await local.close();
    });
    try {
      const { project, stacks } = await makeLocalProject(local, {
        stateDirectory: directory,
        owner,
        name,
        keep: args.values['keep'] === true,
      });
      known = project;
      terminal.line(
        `  Local AWS and GitHub at ${local.platform.url}: ${defaultWorld.accounts.length} accounts in ${defaultWorld.region}, ${stacks} stacks (${seconds(Date.now() - started)})`,
      );
      terminal.line(`  Project ${project.repository} in ${project.directory}`);

      const run = await firstPush(local, project, terminal, args);
      await report(terminal, local, project, run, args.values['once'] !== true);
      if (args.values['once'] === true) {
        await local.close();
        return run.conclusion === 'success' ? 0 : 1;
      }
      // Other terminals follow what they start; who decided about it here wants to know how it ended, too.
      local.github.subscribe((event) => {
        if (event.type !== 'run-finished' || !decided.has(event.run.id)) return;
        terminal.line(`\n  ${event.run.name} "${event.run.title}": ${runOutcome(event.run, terminal)}`);
      });
      terminal.line('Ctrl-C ends it. In another terminal: npx sagemaker-mlops status | push | logs | env | dispatch');
    } catch (error) {
      // After Ctrl-C whatever was under way fails because its platform is gone: that is no news.
      if (!ended) {
        await local.close();
        throw error;
      }
    }
    const signal = await stopped;
    terminal.line(
      known === undefined
        ? '\nEnded.'
        : `\nEnded. The project stays in ${known.directory}:\n"npm start" begins anew, "npm start -- --keep" goes on with it.`,
    );
    return exitCodeOf(signal);
  },
};

/** The first commit on main; resolves when the run that it started has ended. */
async function firstPush(
  local: LocalWorld,
  project: ProjectState,
  terminal: Terminal,
  args: ParsedArguments,
): Promise<RunRecord> {
  const follower = new Follower(terminal, {
    verbose: args.values['verbose'] === true,
    // The table at the end has the steps' times and the endpoints' answers.
    brief: true,
    reviewer: args.values['yes'] === true || !terminal.interactive ? 'automatic' : 'here',
  });
  // GitHub takes the first push of a branch as matching every path filter, so redeploy.yml starts too and finds nothing to
  // redeploy; only the run that builds the model is shown.
  const unsubscribe = local.github.subscribe((event) => {
    if (event.type === 'note' || event.run.path.endsWith('/model.yml')) follower.event(event);
  });
  try {
    await commitAndPush(project.directory, 'First model');
    const run = local.github.runs.list(project.repository).find(({ path }) => path.endsWith('/model.yml'));
    if (run === undefined) throw new Error('The first push started no run of model.yml.');
    return await local.github.runs.wait(run.id);
  } finally {
    unsubscribe();
  }
}
