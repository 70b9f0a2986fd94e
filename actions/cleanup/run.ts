import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Aws, Identity } from '../../src/aws/session.ts';
import { type CleanupOptions, type Findings, findAll, removeAll } from '../../src/cleanup/cleanup.ts';
import { type CleanupContext, createRecorder, describe, inWords, partInWords } from '../../src/cleanup/part.ts';
import { judgeApprovals } from '../../src/deploy/approval.ts';
import { readStage } from '../../src/deploy/stage-file.ts';
import { type Failure, FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import type { Logger } from '../../src/github/logger.ts';
import { openAws } from '../../src/github/session.ts';
import { namesOf } from '../../src/names.ts';
import type { Inputs, Output } from './interface.generated.ts';
import { listJson, summarizeFindings, summarizeRemoval } from './summary.ts';

function checkInputs(inputs: Inputs): void {
  const { confirm, 'project-name': name } = inputs;
  if (confirm !== undefined && confirm !== name) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'confirm',
      cause: `Input \`confirm\` is ${JSON.stringify(confirm)}, but must be the project's name, ${name}; nothing was removed`,
      hint: 'Type the name exactly, or leave it out to see the plan',
    });
  }
  if (inputs['keep-last'] > 0 && inputs['delete-project']) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'keep-last',
      cause: `Input \`keep-last\` keeps ${inputs['keep-last']} packages, but \`delete-project\` removes the group and the key they need`,
      hint: 'Give one of the two',
    });
  }
}

/** Somebody must have let this run through; an environment that nobody protected is no protection. */
async function requireApproval(inputs: Inputs, host: Host<Output>): Promise<void> {
  const { context, logger } = host;
  const { environment, 'github-token': token } = inputs;
  if (token === undefined) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'github-token',
      cause: 'Input `github-token` is empty, so the approvals of this run cannot be read; nothing was removed',
      hint: 'Leave it out (it is github.token then), with `permissions: actions: read`',
    });
  }
  host.mask(token);
  const { readApprovals } = await import('../../src/github/approvals.ts');
  const verdict = judgeApprovals(await readApprovals(context, token), environment, 'check');
  if (verdict.kind === 'approved') {
    logger.info(
      `Removal approved by ${verdict.by.join(', ')}${verdict.comment === '' ? '' : ` (${verdict.comment})`}.`,
    );
    return;
  }
  if (verdict.kind === 'rejected') {
    throw new FailureError(
      {
        code: 'ApprovalRefused',
        resource: environment,
        cause: `${verdict.by.join(', ')} refused the environment ${environment}; nothing was removed`,
      },
      'rejected',
    );
  }
  throw new FailureError({
    code: 'NotProtected',
    resource: environment,
    cause: `Nobody approved the environment ${environment} in this run: it has no required reviewers; nothing was removed`,
    hint: `Add required reviewers to it (${context.runUrl.split('/actions/')[0]}/settings/environments) and run again; in a private repository that takes GitHub Enterprise, and without it nothing is removed from here: the plan names everything, and "Without required reviewers" in actions/cleanup/README.md says how an administrator of the accounts removes it`,
  });
}

/** Accounts of the stage files. A project whose files are gone or broken is cleaned up by what its stacks and stack sets know. */
async function stageTargets(inputs: Inputs, host: Host<Output>): Promise<CleanupOptions['stageTargets']> {
  const folder = inputs.stages;
  let files: string[];
  try {
    files = readdirSync(path.resolve(host.context.workspace, folder)).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    host.logger.info(
      `There is no folder ${folder}; the accounts are those that the project's stacks and stack sets name.`,
    );
    return [];
  }
  const targets: { stage: string; account: string; region: string }[] = [];
  for (const file of files) {
    try {
      const { name, region, accounts } = await readStage(host.context.workspace, path.join(folder, file));
      targets.push(...accounts.map((account) => ({ stage: name, account, region })));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      host.logger.warn(
        `${error.message} Its accounts are looked at only where a stack or a stack set of the project names them.`,
        'cleanup',
      );
    }
  }
  return targets;
}

/** The account of this job. A role that is not there can be the trace of an earlier cleanup that removed everything. */
async function whoRuns(aws: Aws): Promise<Identity> {
  try {
    return await aws.identity();
  } catch (error) {
    if (!(error instanceof FailureError) || error.failures[0]?.code !== 'RoleNotAssumable') throw error;
    const told = 'When a cleanup with delete-roles and delete-project has removed it, nothing is left to do';
    throw new FailureError(
      error.failures.map((failure) => ({
        ...failure,
        hint: failure.hint === undefined ? told : `${failure.hint}. ${told}`,
      })),
      error.status,
      { cause: error },
    );
  }
}

/** Tells what was found. Two spaces in front of a line: the command line shows it as progress. */
async function tellFindings(findings: Findings, project: string, confirmed: boolean, logger: Logger): Promise<void> {
  const { parts, items, kept, unseen } = findings;
  if (items.length === 0 && unseen.length === 0)
    logger.info(`  nothing to do: ${project} owns nothing that would be removed`);
  // The job that removes tells what it did; the plan has been shown by the one before.
  const indent = confirmed ? '' : '  ';
  for (const part of parts) logger.info(`${indent}plan: remove ${partInWords(part, part.items)}`);
  if (kept.length > 0) logger.info(`${indent}stays: ${inWords(kept)}`);
  if (unseen.length > 0) {
    const rest = items.length === 0 ? '; elsewhere there is nothing to remove' : '';
    const places = new Set(unseen.map(({ account, region }) => `${account}/${region}`));
    logger.info(`  not looked at: ${[...places].slice(0, 5).join(', ')}${places.size > 5 ? ', ...' : ''}${rest}`);
  }
  await logger.group(`All ${items.length} things of the plan, and what stays`, async () => {
    for (const item of items) logger.info(`${describe(item)}${item.note === undefined ? '' : `: ${item.note}`}`);
    for (const item of kept) logger.info(`Stays: ${describe(item)}: ${item.because}`);
  });
}

/** Removes what was found. What has been removed is told however it ends; throws with everything that is left. */
async function removeFindings(
  findings: Findings,
  context: CleanupContext,
  { logger, summary, output }: Pick<Host<Output>, 'logger' | 'summary' | 'output'>,
): Promise<void> {
  const project = context.names.base;
  const record = createRecorder(logger, context.signal);
  const left = () => [...findings.unseen, ...record.failures.map(({ failure }) => failure)];
  let ended: readonly Failure[] = [];
  try {
    await removeAll(findings, context, record);
  } catch (error) {
    // The deadline is what the run ends with; what failed before it is left as well.
    if (!(error instanceof FailureError)) throw error;
    ended = error.failures;
    throw new FailureError([...ended, ...left()], error.status, { cause: error });
  } finally {
    output('removed', listJson(record.removed));
    summarizeRemoval(project, record.removed, ended.length + left().length, summary);
  }
  const failures = left();
  logger.info(
    `Removed: ${inWords(record.removed) || 'nothing'}${failures.length === 0 ? '' : `; ${failures.length} things are left`}`,
  );
  if (failures.length > 0) throw new FailureError(failures, 'partial');
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context: runContext, clock, logger, signal, summary } = host;
  checkInputs(inputs);
  const confirmed = inputs.confirm !== undefined;
  if (confirmed) await requireApproval(inputs, host);
  const project = { name: inputs['project-name'], id: inputs['project-id'] };
  const names = namesOf(project);
  const aws = openAws('cleanup', inputs, host);
  const { account } = await whoRuns(aws);
  const context: CleanupContext = {
    aws,
    account,
    project,
    names,
    runId: runContext.runId,
    clock,
    logger,
    signal,
    deadline: clock.now() + inputs['timeout-minutes'] * 60_000,
    running: (work) => host.operation(work),
    targetRole: confirmed ? 'cleanup' : 'cleanup-plan',
  };
  const findings = await findAll(
    {
      stageTargets: await stageTargets(inputs, host),
      running: inputs['running-executions'],
      jobRecords: inputs['job-records'],
      keepLast: inputs['keep-last'],
      deleteRoles: inputs['delete-roles'],
      deleteProject: inputs['delete-project'],
    },
    context,
  );
  const { items, kept, unseen } = findings;
  host.output('plan', listJson(items));
  host.output('kept', JSON.stringify(kept.slice(0, 500)));
  host.output('removed', '');
  await tellFindings(findings, names.base, confirmed, logger);
  summarizeFindings(names.base, findings, confirmed, summary);
  if (confirmed && items.length > 0) {
    await removeFindings(findings, context, host);
    if (inputs['delete-roles'] && inputs['delete-project'])
      logger.info("  left for other projects: the removal role of each account and GitHub's OIDC provider");
    return '';
  }
  // Where nobody could look, "nothing to do" would be a guess.
  if (unseen.length > 0) throw new FailureError(unseen, 'partial');
  if (items.length === 0) return 'none';
  logger.info(`  nothing has been removed yet: that takes confirm=${project.name} and a reviewer's approval`);
  return '';
}
