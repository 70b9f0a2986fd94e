/** Packages without training: an archive and its metrics in the bucket, registered by the administrator. */

import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { accounts } from '../../support/platform.ts';
import { base, bucket, type World } from './world.ts';

export const image = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0';

export interface FixturePackage {
  metrics?: unknown;
  archive?: Uint8Array;
  champion?: boolean;
  image?: string;
}

let count = 0;

/** Registers one version and answers with its ARN and the archive's key. */
export async function registerPackage(
  world: World,
  options: FixturePackage = {},
): Promise<{ arn: string; key: string; evaluationKey: string }> {
  const { s3, sagemaker } = world.administrator(accounts.development);
  count += 1;
  const key = `models/fixture-${count}/output/model.tar.gz`;
  const evaluationKey = `evaluation/fixture-${count}/report/evaluation.json`;
  const put = (Key: string, Body: string | Uint8Array) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  await put(key, options.archive ?? Buffer.from(`archive ${count}`));
  await put(
    evaluationKey,
    JSON.stringify(options.metrics ?? { regression_metrics: { mse: { value: 4.72, standard_deviation: 'NaN' } } }),
  );
  const { ModelPackageArn: arn = '' } = await sagemaker.send(
    new CreateModelPackageCommand({
      ModelPackageGroupName: base,
      ModelApprovalStatus: 'PendingManualApproval',
      InferenceSpecification: {
        Containers: [{ Image: options.image ?? image, ModelDataUrl: `s3://${bucket}/${key}` }],
        SupportedContentTypes: ['text/csv'],
        SupportedResponseMIMETypes: ['text/csv'],
      },
      ModelMetrics: {
        ModelQuality: { Statistics: { ContentType: 'application/json', S3Uri: `s3://${bucket}/${evaluationKey}` } },
      },
    }),
  );
  if (options.champion) {
    await sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: arn,
        ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' },
      }),
    );
  }
  return { arn, key, evaluationKey };
}
