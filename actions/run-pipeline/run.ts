import { randomUUID } from 'node:crypto';
import type { Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import type { RunReport, RunRequest } from '../../src/pipelines/request.ts';
import { runPipeline } from '../../src/pipelines/run.ts';
import type { Inputs, Output } from './interface.generated.ts';
import { listenerFor } from './listener.ts';
import { summarizeRun } from './summary.ts';

function requestOf(inputs: Inputs, host: Host<Output>): RunRequest {
  const { context, clock } = host;
  return {
    project: { name: inputs['project-name'], id: inputs['project-id'] },
    workspace: context.workspace,
    configuration: inputs.configuration,
    parameters: inputs.parameters ?? {},
    selectedSteps: inputs['selected-steps'],
    sourceExecution: inputs['source-execution'],
    onNoModel: inputs['on-no-model'],
    dryRun: inputs['dry-run'],
    pipelineName: inputs['pipeline-name'],
    bucket: inputs.bucket,
    kmsKey: inputs['kms-key'],
    pipelineRole: inputs['pipeline-role'],
    jobRole: inputs['job-role'],
    // Outside of GitHub nothing is re-run, so every start is one of its own.
    runId: context.runId || randomUUID(),
    commit: context.sha,
    runUrl: context.runUrl,
    deadline: clock.now() + inputs['timeout-minutes'] * 60_000,
  };
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const aws = openAws('run-pipeline', inputs, host);
  const report: RunReport = {};
  try {
    const listener = listenerFor(host);
    const status = await runPipeline(
      requestOf(inputs, host),
      { aws, clock: host.clock, signal: host.signal, listener },
      report,
    );
    const [registered] = report.packages ?? [];
    if (registered !== undefined) {
      host.output('model-package-arn', registered.arn);
      host.output('metrics', JSON.stringify(registered.metrics));
      host.output('model-data-url', registered.modelDataUrl);
      host.logger.info(`Registered ${registered.arn} (${registered.approvalStatus}).`);
    }
    return status;
  } finally {
    host.operation(undefined);
    if (report.instanceSeconds !== undefined)
      host.output('instance-seconds', String(Math.round(report.instanceSeconds)));
    summarizeRun(report, host);
  }
}
