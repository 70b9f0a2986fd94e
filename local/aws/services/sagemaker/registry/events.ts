import { parseArn } from '../../../core/arn.ts';
import type { PlatformContext } from '../../../core/context.ts';
import type { PackageRecord } from './store.ts';

/** SageMaker announces every creation and change of a package; the names of what changed are ours (AWS documents none). */
export function announce(context: PlatformContext, record: PackageRecord, changed: readonly string[]): void {
  const { account = '', region = '' } = parseArn(record.arn) ?? {};
  const at = record.modifiedAt ?? record.createdAt;
  context.emit({
    at: context.clock.now(),
    account,
    region,
    source: 'aws.sagemaker',
    detailType: 'SageMaker Model Package State Change',
    resources: [record.arn],
    detail: {
      ...(record.group === undefined
        ? { ModelPackageName: record.name }
        : { ModelPackageGroupName: record.group.name, ModelPackageVersion: record.version }),
      ModelPackageArn: record.arn,
      ModelPackageDescription: record.fields.ModelPackageDescription,
      CreationTime: record.createdAt.getTime(),
      ModelPackageStatus: record.status,
      ModelApprovalStatus: record.fields.ModelApprovalStatus,
      UpdatedModelPackageFields: changed,
      InferenceSpecification: record.fields.InferenceSpecification,
      ModelMetrics: record.fields.ModelMetrics,
      MetadataProperties: record.fields.MetadataProperties,
      CustomerMetadataProperties: record.fields.CustomerMetadataProperties,
      ModelLifeCycle: record.fields.ModelLifeCycle,
      LastModifiedTime: at.getTime(),
    },
  });
}
