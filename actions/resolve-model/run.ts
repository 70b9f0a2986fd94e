import { SageMakerClient } from '../../src/deploy/package.ts';
import { resolve } from '../../src/deploy/resolve.ts';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import { codeSpan } from '../../src/github/summary.ts';
import { packageParts } from '../../src/registry/package.ts';
import { recordOf } from '../../src/registry/record.ts';
import type { Inputs, Output } from './interface.generated.ts';

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
  const sagemaker = openAws('resolve-model', inputs, host).service(SageMakerClient);
  const { found, production } = await resolve(sagemaker, { select, arn, group });
  host.output('production-arn', production);
  if (found === undefined) {
    const what = select === 'production' ? 'runs in production' : 'was approved by the gate';
    host.logger.notice(`No package of the group ${group} ${what} yet.`, 'resolve-model');
    host.summary.text(`No package of the group ${codeSpan(group)} ${what} yet.`);
    return 'none';
  }
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
  host.summary.text(`Model package: ${codeSpan(chosen)} (${select})`);
  return '';
}
