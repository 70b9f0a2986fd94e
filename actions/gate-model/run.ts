import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { readChecked } from '../../src/github/schema.ts';
import { openAws } from '../../src/github/session.ts';
import { type GateReport, gateModel } from '../../src/registry/gate.ts';
import { validate } from '../../src/registry/gate-file.generated.ts';
import type { GateFile } from '../../src/registry/gate-file.ts';
import type { Inputs, Output } from './interface.generated.ts';
import { summarizeGate } from './summary.ts';

function readRules(workspace: string, file: string): string {
  try {
    return readFileSync(resolve(workspace, file), 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `The rules file ${file} cannot be read: ${missing ? 'it does not exist' : (error as Error).message}`,
      hint: 'Run actions/checkout before this step; the path is relative to the checkout',
    });
  }
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context, clock, signal, logger } = host;
  const rulesText = readRules(context.workspace, inputs.rules);
  const rules = readChecked<GateFile>(inputs.rules, rulesText, validate);
  host.output('model-package-arn', inputs['model-package-arn']);
  const report: GateReport = {};
  try {
    return await gateModel(
      {
        packageArn: inputs['model-package-arn'],
        rules,
        rulesText,
        rulesFile: inputs.rules,
        runId: context.runId,
        commit: context.sha,
        deadline: clock.now() + inputs['timeout-minutes'] * 60_000,
      },
      { aws: openAws('gate-model', inputs, host), clock, signal },
      report,
    );
  } finally {
    for (const { metric, passed, text } of report.verdicts ?? []) {
      logger.info(`  ${(passed ? 'passed' : 'missed').padEnd(8)} ${metric}: ${text}`);
    }
    if (report.verdicts !== undefined) host.output('evidence', JSON.stringify(report.verdicts));
    if (report.decision !== undefined) host.output('approval-status', report.decision);
    host.output('champion-arn', report.champion?.arn ?? '');
    if (report.artifact !== undefined) {
      host.output('artifact-sha256', report.artifact.sha256);
      host.output('image-digest', report.artifact.imageDigest ?? '');
    }
    if (report.decision !== undefined) {
      logger.info(`${inputs['model-package-arn']}: ${report.decision}${report.unchanged ? ' already' : ''}.`);
    }
    summarizeGate(report, host);
  }
}
