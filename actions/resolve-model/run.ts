import type { Service } from '../../src/aws/session.ts';
import { SageMakerClient } from '../../src/deploy/package.ts';
import { resolve } from '../../src/deploy/resolve.ts';
import { choosePrevious } from '../../src/deploy/rollback.ts';
import { readStage } from '../../src/deploy/stage-file.ts';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import { codeSpan, plain } from '../../src/github/summary.ts';
import { describePackage, type ModelPackage, packageParts } from '../../src/registry/package.ts';
import { recordOf } from '../../src/registry/record.ts';
import { CloudFormationClient } from '../../src/stacksets/read.ts';
import type { Inputs, Output } from './interface.generated.ts';

function none(host: Host<Output>, sentence: string): Status {
  host.logger.notice(sentence, 'resolve-model');
  host.summary.text(plain(sentence));
  return 'none';
}

function tell(host: Host<Output>, found: ModelPackage): void {
  const gate = recordOf(found);
  const chosen = found.ModelPackageArn ?? '';
  host.output('model-package-arn', chosen);
  host.output('version', String(found.ModelPackageVersion ?? ''));
  host.output('approval-status', found.ModelApprovalStatus ?? '');
  host.output('artifact-sha256', gate?.artifactSha256 ?? '');
  host.output('image-digest', gate?.imageDigest ?? '');
  host.logger.info(
    `${chosen}: ${found.ModelApprovalStatus}, ${found.ModelLifeCycle?.Stage ?? 'no stage'} ${found.ModelLifeCycle?.StageStatus ?? ''}`.trim(),
  );
}

/** It may have been deleted from the registry, which is no reason to keep it running. */
async function whatGoes(sagemaker: Service, arn: string): Promise<ModelPackage> {
  try {
    return await describePackage(sagemaker, arn);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failures[0]?.code !== 'NotFound') throw error;
    return {
      ModelPackageVersion: packageParts(arn).version,
      ApprovalDescription: 'not in the registry any more',
    } as ModelPackage;
  }
}

/** What a rollback would do, told before a reviewer is asked. */
async function previous(inputs: Inputs, host: Host<Output>, group: string): Promise<Status> {
  const { context, signal, summary } = host;
  const stage = await readStage(context.workspace, inputs['stage-file']);
  const aws = openAws('resolve-model', inputs, host);
  const sagemaker = aws.service(SageMakerClient);
  const { running, found, already } = await choosePrevious(
    { sagemaker, cloudformation: aws.service(CloudFormationClient) },
    { group, stage, version: inputs.version, runId: context.runId },
    signal,
  );
  host.output('running-arn', running ?? '');
  if (running === undefined)
    return none(
      host,
      `The stage ${stage.name} runs no model, so there is nothing to go back from. Nothing was changed.`,
    );
  if (found === undefined) {
    const version = running.split('/').at(-1);
    if (already === true)
      return none(host, `The stage ${stage.name} runs version ${version} of ${group} already. Nothing was changed.`);
    return none(
      host,
      `The stage ${stage.name} runs version ${version} of ${group}, and no earlier version that it ran is left, so there is nothing to go back to. Nothing was changed.`,
    );
  }
  tell(host, found);
  const row = (what: string, { ModelPackageVersion, ApprovalDescription, ModelLifeCycle }: ModelPackage) => [
    what,
    String(ModelPackageVersion ?? ''),
    plain(ApprovalDescription ?? ''),
    plain(ModelLifeCycle?.StageDescription ?? ''),
  ];
  summary.heading(`Rollback of ${stage.name}`);
  if (inputs.reason !== undefined) summary.text(`Why: ${plain(inputs.reason)}`);
  summary.table(
    ['', 'version', 'evidence of the gate', 'what the registry says'],
    [row('goes', await whatGoes(sagemaker, running)), row('returns', found)],
  );
  return '';
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { select } = inputs;
  const arn = inputs['model-package-arn'];
  const needed = select === 'exact' ? 'model-package-arn' : 'model-package-group';
  if (inputs[needed] === undefined) {
    throw new FailureError({
      code: 'InvalidInput',
      resource: needed,
      cause: `Input \`${needed}\` is needed with \`select: ${select}\` and was not given`,
    });
  }
  const group =
    arn !== undefined && select === 'exact' ? packageParts(arn).group : (inputs['model-package-group'] ?? '');
  if (select === 'previous') return previous(inputs, host, group);
  const sagemaker = openAws('resolve-model', inputs, host).service(SageMakerClient);
  const { found, production } = await resolve(sagemaker, { select, arn, group });
  host.output('production-arn', production);
  if (found === undefined) {
    const what = select === 'production' ? 'runs in production' : 'was approved by the gate';
    return none(host, `No package of the group ${group} ${what} yet.`);
  }
  tell(host, found);
  host.summary.text(`Model package: ${codeSpan(found.ModelPackageArn ?? '')} (${select})`);
  return '';
}
