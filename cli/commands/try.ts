import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { UserError } from '../errors.ts';
import { Follower, runDuration } from '../follow.ts';
import { preparePython } from '../python.ts';
import { exitCodeOf, untilStopped } from '../signals.ts';
import { stateDirectory } from '../state.ts';
import { seconds, wrap } from '../terminal.ts';
import { failedLines, outcomeOf, startTrial, type Trial, trialVerdict, writeTrialSummary } from '../trial.ts';
import { resolveCommit } from '../trial-files.ts';

export const command: Command = {
  help: `Trains the model of a project's folder on a local AWS of its own and judges it by the gate's rules.
Nothing is deployed, the folder stays as it is, and a platform that runs is not touched: this is
what the workflow of pull requests does with a change of the model.

  npx sagemaker-mlops try ~/abalone --base main

Usage: npx sagemaker-mlops try [FOLDER] [--base COMMIT] [--region R] [--configuration FILE]
         [--rules FILE] [--summary FILE] [--verbose]
  FOLDER            the project (default: this folder)
  --base            a branch or commit of the folder's repository: its model is built first and
                    stands for the one in production, with which the gate compares
  --region          region of the project (default eu-west-1)
  --configuration   build file below the folder (default model-build/build.yml)
  --rules           the gate's rules below the folder (default model-build/gate.yml)
  --summary         append what the jobs told to this file, as Markdown
  --verbose         every line of every job

Exit code: 0 the model passes, 1 it does not or could not be trained, 2 wrong usage, 130 Ctrl-C.`,
  options: {
    base: { type: 'string' },
    region: { type: 'string' },
    configuration: { type: 'string' },
    rules: { type: 'string' },
    summary: { type: 'string' },
    verbose: { type: 'boolean' },
  },
  positionals: ['FOLDER'],
  async run({ values, positionals }, terminal) {
    const text = (name: string, fallback: string) => (values[name] as string | undefined) ?? fallback;
    const region = text('region', 'eu-west-1');
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
      throw new UserError(`--region is "${region}": give a region such as eu-west-1.`, 2);
    const folder = resolve(positionals[0] ?? '.');
    const base = values['base'] === undefined ? undefined : await resolveCommit(folder, String(values['base']));
    const python = await preparePython(terminal);
    await mkdir(stateDirectory(), { recursive: true });
    const directory = await mkdtemp(join(stateDirectory(), 'try-'));
    let trial: Trial | undefined;
    let stopped: NodeJS.Signals | undefined;
    const clean = async () => {
      await trial?.local.close();
      await rm(directory, { recursive: true, force: true });
    };
    void untilStopped(clean).then((signal) => {
      stopped = signal;
      process.exit(exitCodeOf(signal));
    });
    try {
      trial = await startTrial({
        folder,
        configuration: text('configuration', 'model-build/build.yml'),
        rules: text('rules', 'model-build/gate.yml'),
        region,
        stateDirectory: directory,
        python,
        warn: (message) => terminal.line(terminal.yellow(`  ${message}`)),
      });
      terminal.line(`A local AWS of its own in ${region}; no account is used, nothing is deployed.`);
      const follower = new Follower(terminal, { verbose: values['verbose'] === true });
      trial.local.github.subscribe((event) => follower.event(event));
      let champion =
        'Nothing is in production there, so a rule that compares with the champion says what it says without one.';
      if (base !== undefined) {
        const short = base.slice(0, 12);
        terminal.line(`\nFirst the model of ${short}, to compare with:`);
        const former = await trial.run(base);
        const stands = outcomeOf(former) === 'passed';
        if (stands) await trial.promote(former);
        champion = stands
          ? `The model of ${short} stands where the one in production is.`
          : `The model of ${short} could not be built or does not pass its own gate, so nothing stands where the one in production is.`;
        terminal.line(champion);
      }
      const run = await trial.run();
      if (values['summary'] !== undefined) await writeTrialSummary(String(values['summary']), trial, run, champion);
      for (const line of await failedLines(trial, run)) terminal.line(`      | ${line}`);
      for (const verdict of await trialVerdict(trial, run))
        for (const line of wrap(`  ${verdict.slice(0, 10)}`, verdict.slice(10))) terminal.line(line);
      const outcome = outcomeOf(run);
      const verdict = {
        passed: terminal.green('The model passes its gate'),
        missed: terminal.red('The model does not pass'),
        'no model': terminal.red('No model was registered, so none was judged'),
      }[outcome];
      terminal.line(`${verdict} (${seconds(runDuration(run))}).`);
      return outcome === 'passed' ? 0 : 1;
    } finally {
      if (stopped === undefined) await clean();
    }
  },
};
