import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { didYouMean, UserError } from '../errors.ts';
import { git } from '../project.ts';
import { beginAnew, refuseRemoved, removedParts } from '../removed.ts';
import { runningPlatform, runningProject } from '../state.ts';
import { followRuns } from './push.ts';

/** An input as the workflow file declares it. */
interface Input {
  type?: 'string' | 'boolean' | 'number' | 'choice' | 'environment';
  options?: unknown[];
  required?: boolean;
  default?: unknown;
}

/** Workflow files that have workflow_dispatch, with their inputs. */
function dispatchable(directory: string): Record<string, Record<string, Input | null>> {
  const found: Record<string, Record<string, Input | null>> = {};
  for (const name of readdirSync(directory)) {
    if (!/\.ya?ml$/.test(name)) continue;
    const { on } = parse(readFileSync(join(directory, name), 'utf8')) as { on?: unknown };
    const triggers =
      typeof on === 'string'
        ? { [on]: null }
        : Array.isArray(on)
          ? Object.fromEntries(on.map((one) => [one, null]))
          : (on ?? {});
    if ('workflow_dispatch' in (triggers as object)) {
      const dispatch = (triggers as { workflow_dispatch: { inputs?: Record<string, Input | null> } | null })
        .workflow_dispatch;
      found[name] = dispatch?.inputs ?? {};
    }
  }
  return found;
}

/** Everything that is wrong with the given inputs, a sentence each. */
function inputProblems(declared: Record<string, Input | null>, given: Record<string, string>): string[] {
  const names = Object.keys(declared);
  const unknown = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map(
      (name) =>
        `there is no input "${name}".${didYouMean(name, names)} ${names.length === 0 ? 'It takes none.' : `It takes: ${names.join(', ')}.`}`,
    );
  const missing = names
    .filter((name) => declared[name]?.required === true && declared[name].default === undefined && !given[name])
    .map((name) => `${name} is required: give -f ${name}=VALUE.`);
  const wrong = Object.entries(given).flatMap(([name, value]) => {
    const { type, options } = declared[name] ?? {};
    const allowed =
      type === 'boolean' ? ['true', 'false'] : type === 'choice' ? (options ?? []).map(String) : undefined;
    if (allowed !== undefined && !allowed.includes(value))
      return [`${name} is "${value}", but must be one of ${allowed.join(', ')}.${didYouMean(value, allowed)}`];
    return type === 'number' && !Number.isFinite(Number(value || Number.NaN))
      ? [`${name} is "${value}", but must be a number.`]
      : [];
  });
  return [...unknown, ...missing, ...wrong];
}

/** What was pushed: a branch that only the clone knows cannot be run on. */
async function branchesOf(directory: string): Promise<string[]> {
  const heads = await git(directory, 'ls-remote', '--heads', 'origin');
  return [...heads.matchAll(/refs\/heads\/(.+)$/gm)].map(([, branch]) => branch!);
}

export const command: Command = {
  help: `Starts a workflow of the project by hand (workflow_dispatch) and follows it.

Usage: npx sagemaker-mlops dispatch WORKFLOW [-f NAME=VALUE ...] [--ref BRANCH]
         [--verbose | --json]
  WORKFLOW      file name in the project's .github/workflows, with or without .yml
  -f, --field   an input of the workflow; may be repeated
  --ref         branch to run on (default: main)
  --verbose     every line of every job
  --json        instead of following it aloud one line at the end, for scripts:
                {"runs": [{"id": ID, "workflow": NAME, "conclusion": "success"}]}

  npx sagemaker-mlops dispatch model-rollback                      back to the model before
  npx sagemaker-mlops dispatch model-rollback -f version=2 -f "reason=Errors in the shop"
  npx sagemaker-mlops dispatch model-cleanup                       what would be removed
  npx sagemaker-mlops dispatch model-cleanup -f confirm=abalone    removes it, after an approval

Exit code: 0 the run succeeded, 1 it failed, 2 wrong usage (the workflow's names are told).`,
  options: {
    field: { type: 'string', short: 'f', multiple: true },
    ref: { type: 'string' },
    verbose: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  positionals: ['WORKFLOW'],
  async run({ values, positionals }, terminal) {
    const state = runningPlatform();
    const project = runningProject(state);
    const control = new Control(state);
    const inputs: Record<string, string> = {};
    for (const field of (values['field'] as string[] | undefined) ?? []) {
      const at = field.indexOf('=');
      if (at < 1) throw new UserError(`"${field}" is not NAME=VALUE: give an input as -f confirm=abalone.`, 2);
      inputs[field.slice(0, at)] = field.slice(at + 1);
    }
    const known = dispatchable(join(project.directory, '.github', 'workflows'));
    if (positionals[0] === undefined) {
      throw new UserError(`"dispatch" needs a workflow, one of ${Object.keys(known).join(', ')}.`, 2);
    }
    const names = Object.keys(known).map((name) => name.replace(/\.ya?ml$/, ''));
    const file = /\.ya?ml$/.test(positionals[0]) ? positionals[0] : `${positionals[0]}.yml`;
    const workflow = known[file];
    if (workflow === undefined) {
      throw new UserError(
        `The project has no workflow "${file}" that can be started by hand.${didYouMean(file.replace(/\.ya?ml$/, ''), names)} It has: ${Object.keys(known).join(', ')}.`,
        2,
      );
    }
    const problems = inputProblems(workflow, inputs);
    if (problems.length > 0) throw new UserError(`${file}: ${problems.join(' ')}`, 2);
    const ref = (values['ref'] as string | undefined) ?? 'main';
    const branches = await branchesOf(project.directory);
    if (!branches.includes(ref)) {
      throw new UserError(
        `${project.repository} has no branch "${ref}".${didYouMean(ref, branches)} It has: ${branches.join(', ')}.`,
        2,
      );
    }
    if (file === 'model-cleanup.yml' && (await removedParts(control, project)).roles) {
      terminal.line(`Nothing is left to do: model-cleanup has removed ${project.repository} and its roles.`);
      terminal.line(`${beginAnew}.`);
      return 0;
    }
    if (file !== 'model-cleanup.yml') await refuseRemoved(control, project);
    const { workflow_run_id } = await control.json<{ workflow_run_id: number }>(
      'POST',
      `/_github/api/repos/${project.repository}/actions/workflows/${file}/dispatches`,
      { ref, inputs, return_run_details: true },
    );
    return followRuns(control, [workflow_run_id], terminal, values['verbose'] === true, values['json'] === true);
  },
};
