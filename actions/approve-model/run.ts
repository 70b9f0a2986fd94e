import { judgeApprovals, type Verdict } from '../../src/deploy/approval.ts';
import { finalStage, recordLifecycle } from '../../src/deploy/lifecycle.ts';
import { noteApproval, noteKept } from '../../src/deploy/note.ts';
import { lifecycleOf, readGated, SageMakerClient } from '../../src/deploy/package.ts';
import { checkNotRolledBack } from '../../src/deploy/rollback.ts';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import { codeSpan, plain } from '../../src/github/summary.ts';
import { describePackage } from '../../src/registry/package.ts';
import type { Inputs, Output } from './interface.generated.ts';

/** Refuses what nobody let through. Nothing of AWS has been called by then. */
function refuse(verdict: Verdict, environment: string, host: Host<Output>): void {
  const settings = `${host.context.runUrl.split('/actions/')[0]}/settings/environments`;
  if (verdict.kind === 'rejected') {
    throw new FailureError(
      {
        code: 'ApprovalRefused',
        resource: environment,
        cause: `${verdict.by.join(', ')} refused the environment ${environment}${verdict.comment === '' ? '' : `: ${verdict.comment}`}`,
      },
      'rejected',
    );
  }
  if (verdict.kind === 'nobody') {
    throw new FailureError({
      code: 'NotProtected',
      resource: environment,
      cause: `Nobody approved the environment ${environment} in this run: it has no required reviewers, so anything pushed would be deployed`,
      hint: `Add required reviewers to it (${settings}) and run again; where that is meant, say allow-unprotected: true`,
    });
  }
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context, logger, signal, summary } = host;
  const { environment, mode } = inputs;
  const arn = inputs['model-package-arn'];
  const stage = inputs['lifecycle-stage'];
  host.output('model-package-arn', arn);
  const token = inputs['github-token'];
  if (token === undefined) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'github-token',
      cause: 'Input `github-token` is empty, so the approvals of this run cannot be read',
      hint: 'Leave it out (it is github.token then), with `permissions: actions: read`',
    });
  }
  host.mask(token);
  const { readApprovals } = await import('../../src/github/approvals.ts');
  const approvals = await readApprovals(context, token);
  const verdict = judgeApprovals(approvals, environment, mode === 'check' ? 'check' : 'refusal');
  const by = verdict.kind === 'nobody' ? '' : verdict.by.join(', ');
  const comment = verdict.kind === 'nobody' ? '' : verdict.comment;
  host.output('reviewer', by);
  host.output('comment', comment);
  host.output('protected', String(verdict.kind === 'approved'));

  if (mode === 'record-refusal') {
    if (verdict.kind !== 'rejected') {
      logger.info(`Nobody refused the environment ${environment} in this run; there is nothing to record.`);
      return 'none';
    }
  } else if (!(verdict.kind === 'nobody' && inputs['allow-unprotected'])) {
    refuse(verdict, environment, host);
  }

  const sagemaker = openAws('approve-model', inputs, host).service(SageMakerClient);
  // What the gate has not let through gets no approval either; a refusal is written down on anything.
  const lifecycle =
    mode === 'check' ? (await readGated(sagemaker, arn)).lifecycle : lifecycleOf(await describePackage(sagemaker, arn));
  const said = comment === '' ? '' : ` (${comment})`;
  const noting = { sagemaker, context, logger, signal };
  const from = inputs['rollback-from'];
  // What runs in the stage goes on to: a rollback or a change of its configuration was refused, not the model.
  const kept = from ?? (lifecycle.stage === stage && lifecycle.status === 'Approved' ? arn : undefined);
  if (mode === 'record-refusal' && kept !== undefined) {
    await noteKept(kept, { by, comment }, noting);
    summary.heading(`Refused by ${plain(by)}`);
    summary.text(`${codeSpan(environment)} keeps ${codeSpan(kept)} as it is${plain(said)}.`);
    return 'rejected';
  }
  if (mode === 'record-refusal') {
    await recordLifecycle(
      sagemaker,
      { arn, lifecycle },
      { stage, status: 'Rejected', description: `Refused by ${by}${said} in ${context.runUrl}`, reviewer: by },
      finalStage,
      context,
      logger,
      signal,
    );
    summary.heading(`Refused by ${plain(by)}`);
    summary.text(`${codeSpan(arn)} is not deployed to ${codeSpan(environment)}${plain(said)}.`);
    return 'rejected';
  }
  if (from === undefined) checkNotRolledBack({ arn, lifecycle }, stage);
  if (verdict.kind === 'nobody') {
    logger.warn(
      `Nobody approved the environment ${environment}; allow-unprotected lets this run pass.`,
      'approve-model',
    );
    summary.heading('⚠️ Not approved by anybody');
    summary.text(
      `The environment ${codeSpan(environment)} has no required reviewers; ${codeSpan('allow-unprotected')} lets this run pass.`,
    );
  } else {
    logger.info(`Approved by ${by}${said}.`);
    summary.heading(`Approved by ${plain(by)}`);
    const instead = from === undefined ? '' : `, instead of ${codeSpan(from)}`;
    summary.text(`${codeSpan(arn)} for ${codeSpan(environment)}${instead}${plain(said)}`);
  }
  // What runs in the stage already stays what it is; only its configuration may be about to change.
  if (from !== undefined || (lifecycle.stage === stage && lifecycle.status === 'Approved')) return 'unchanged';
  const reviewer = verdict.kind === 'nobody' ? 'nobody, allow-unprotected' : by;
  await noteApproval(arn, stage, { by: reviewer, comment }, noting);
  return '';
}
