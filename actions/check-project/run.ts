import { posix } from 'node:path';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { checkProject, type ProjectFiles } from '../../src/project/check.ts';
import { type Comparison, compareProject, touches } from '../../src/project/compare.ts';
import { type History, openHistory } from '../../src/project/git.ts';
import type { Inputs, Output } from './interface.generated.ts';
import { summarizeCheck } from './summary.ts';

/** As many warnings as GitHub shows of a step. */
const annotationLimit = 10;

/** The commit to compare with; undefined for an event that brings none. */
async function baseOf({ base }: Inputs, { context }: Host<Output>, history: History): Promise<string | undefined> {
  if (base === undefined && context.eventName !== 'pull_request') return undefined;
  const name = base ?? 'HEAD^1';
  const commit = await history.resolve(name);
  if (commit !== undefined) return commit;
  throw new FailureError({
    code: 'InvalidInput',
    resource: 'base',
    cause:
      base === undefined
        ? 'The checkout does not hold the commit that the pull request is merged into (HEAD^1)'
        : `Input \`base\` names ${base}, which the checkout does not hold`,
    hint: 'Give actions/checkout fetch-depth: 2 for a pull request, 0 for any commit',
  });
}

const given = (file: string): string | undefined => (file === 'none' ? undefined : file);

function filesOf({ configuration, rules, stages }: Inputs): ProjectFiles {
  // A job that deploys one stage knows its file; its neighbours are the other stages.
  const folder = /\.ya?ml$/.test(stages) ? posix.dirname(stages) : stages;
  return { configuration: given(configuration), rules: given(rules), stages: given(folder) };
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context, logger } = host;
  const files = filesOf(inputs);
  const history = openHistory(context.workspace);
  const base = await baseOf(inputs, host, history);
  const checked = await checkProject({
    ...files,
    workspace: context.workspace,
    region: inputs['aws-region'],
    commit: context.sha,
    runUrl: context.runUrl,
  });
  let comparison: Comparison | undefined;
  if (base !== undefined) comparison = await compareProject(history, base, files, checked);
  const changed = (file: string | undefined) =>
    file !== undefined && (comparison === undefined || touches(comparison, posix.dirname(file)));
  const buildChanged = changed(files.configuration);
  const deploymentChanged = changed(files.stages);
  host.output('build-changed', String(buildChanged));
  host.output('deployment-changed', String(deploymentChanged));

  if (inputs.report === 'problems') logger.info(`Read ${checked.files.map(({ file }) => file).join(', ')}.`);
  else {
    for (const { file, failures } of checked.files)
      logger.info(`  ${(failures.length === 0 ? 'valid' : 'invalid').padEnd(8)} ${file}`);
    checked.advice.forEach(({ file, line, text }, index) => {
      if (index < annotationLimit && line !== undefined) logger.warn(text, 'check-project: advice', { file, line });
      else logger.info(`  advice   ${text}`);
    });
    summarizeCheck(checked, comparison, host);
  }
  const failures = checked.files.flatMap((file) => file.failures);
  if (failures.length > 0) throw new FailureError(failures);
  return buildChanged || deploymentChanged ? '' : 'unchanged';
}
