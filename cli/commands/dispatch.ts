import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { didYouMean, UserError } from '../errors.ts';
import { runningPlatform, runningProject } from '../state.ts';
import { followRuns } from './push.ts';

/** Workflow files that have workflow_dispatch, with the names of their inputs. */
function dispatchable(directory: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
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
      const dispatch = (triggers as { workflow_dispatch: { inputs?: object } | null }).workflow_dispatch;
      found[name] = Object.keys(dispatch?.inputs ?? {});
    }
  }
  return found;
}

export const command: Command = {
  help: `Starts a workflow of the project by hand (workflow_dispatch) and follows it.

Usage: npx sagemaker-mlops dispatch WORKFLOW [-f NAME=VALUE ...] [--ref BRANCH] [--verbose]
  WORKFLOW      file name in the project's .github/workflows, with or without .yml
  -f, --field   an input of the workflow; may be repeated
  --ref         branch to run on (default: main)
  --verbose     every line of every job

  npx sagemaker-mlops dispatch model-cleanup                       what would be removed
  npx sagemaker-mlops dispatch model-cleanup -f confirm=abalone    removes it, after an approval

Exit code: 0 the run succeeded, 1 it failed, 2 wrong usage (the workflow's names are told).`,
  options: {
    field: { type: 'string', short: 'f', multiple: true },
    ref: { type: 'string' },
    verbose: { type: 'boolean' },
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
    const file = /\.ya?ml$/.test(positionals[0]) ? positionals[0] : `${positionals[0]}.yml`;
    const workflow = known[file];
    if (workflow === undefined) {
      throw new UserError(
        `The project has no workflow "${file}" that can be started by hand.${didYouMean(file, Object.keys(known))} It has: ${Object.keys(known).join(', ')}.`,
        2,
      );
    }
    for (const name of Object.keys(inputs)) {
      if (!workflow.includes(name)) {
        throw new UserError(
          `${file} has no input "${name}".${didYouMean(name, workflow)} ${workflow.length === 0 ? 'It takes none.' : `It takes: ${workflow.join(', ')}.`}`,
          2,
        );
      }
    }
    const { workflow_run_id } = await control.json<{ workflow_run_id: number }>(
      'POST',
      `/_github/api/repos/${project.repository}/actions/workflows/${file}/dispatches`,
      { ref: (values['ref'] as string | undefined) ?? 'main', inputs, return_run_details: true },
    );
    return followRuns(control, [workflow_run_id], terminal, values['verbose'] === true);
  },
};
