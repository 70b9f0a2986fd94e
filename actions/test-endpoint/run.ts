import { finalStage, recordLifecycle } from '../../src/deploy/lifecycle.ts';
import { parsePackageArn, stackSetName } from '../../src/deploy/names.ts';
import { readDeployable, SageMakerClient } from '../../src/deploy/package.ts';
import { returned } from '../../src/deploy/rollback.ts';
import { checkPlace, readStage } from '../../src/deploy/stage-file.ts';
import { type EndpointReport, testStage } from '../../src/deploy/test.ts';
import { type Failure, FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import { codeSpan } from '../../src/github/summary.ts';
import { packageParts } from '../../src/registry/package.ts';
import { CloudFormationClient, listInstances } from '../../src/stacksets/read.ts';
import type { Inputs, Output } from './interface.generated.ts';

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context, clock, logger, signal, summary } = host;
  const arn = inputs['model-package-arn'];
  const stageFile = inputs['stage-file'];
  const project = { name: inputs['project-name'], id: inputs['project-id'] };
  const stage = await readStage(context.workspace, stageFile);
  checkPlace(stage, stageFile, inputs['aws-region'], project, { arn, ...packageParts(arn), ...parsePackageArn(arn) });
  host.output('model-package-arn', arn);
  const aws = openAws('test-endpoint', inputs, host);
  const sagemaker = aws.service(SageMakerClient);

  let failures: readonly Failure[] = [];
  let reports: readonly EndpointReport[] = [];
  const gated = await readDeployable(aws, arn, signal);
  const instances = await listInstances(aws.service(CloudFormationClient), stackSetName(project, stage.name), signal);
  const deadline = clock.now() + inputs['timeout-minutes'] * 60_000;
  ({ reports, failures } = await testStage(
    { project, stage, gated, instances },
    { aws, clock, logger, signal, deadline },
  ));
  host.output('endpoints', JSON.stringify(reports));
  summary.heading(`Endpoints of ${stage.name}: ${failures.length === 0 ? 'passed' : 'failed'}`);
  summary.table(
    ['account', 'region', 'endpoint', 'status', 'rows', 'largest difference', 'latency'],
    reports.map((report) => [
      report.account,
      report.region,
      codeSpan(report.endpoint),
      report.status === 'passed' ? '✅ passed' : '❌ failed',
      String(report.rows),
      String(report['max-difference'] ?? ''),
      report['latency-ms'] === null ? '' : `${Math.round(report['latency-ms'])} ms`,
    ]),
  );
  // A test that ran out of time has found nothing out.
  const undecided = failures.length > 0 && failures.every(({ code }) => code === 'DeadlineExceeded');
  const from = inputs['rollback-from'];
  if (from !== undefined) {
    // What ran here before has proved itself; that it does not answer now says nothing about the model.
    if (failures.length === 0) {
      const said = { from, reason: inputs.reason, stage: stage.lifecycleStage, reviewer: inputs.reviewer };
      await recordLifecycle(sagemaker, gated, returned(said, context), finalStage, context, logger, signal);
    }
  } else if (
    failures.length > 0 &&
    gated.lifecycle.stage === stage.lifecycleStage &&
    gated.lifecycle.status === 'Approved'
  ) {
    logger.warn(
      `Package ${arn} stays ${stage.lifecycleStage} Approved: it ran there before, and only its configuration was changed.`,
      'test-endpoint',
    );
  } else if (!undecided) {
    const [worst] = failures;
    await recordLifecycle(
      sagemaker,
      gated,
      {
        stage: stage.lifecycleStage,
        status: failures.length === 0 ? 'Approved' : 'Rejected',
        description:
          worst === undefined
            ? `Deployed to ${stage.accounts.length} accounts and tested by ${context.runUrl}${inputs.reviewer === undefined ? '' : `, approved by ${inputs.reviewer}`}`
            : `The endpoint test failed: ${worst.account ?? ''} ${worst.cause}`,
        reviewer: inputs.reviewer,
      },
      finalStage,
      context,
      logger,
      signal,
    );
  }
  if (failures.length > 0) throw new FailureError(failures, undecided ? 'still-running' : 'failed');
  return '';
}
