import type { ResourceHandler } from './handler.ts';
import * as iam from './iam.ts';
import * as kms from './kms.ts';
import * as logs from './logs.ts';
import * as s3 from './s3.ts';
import * as sagemaker from './sagemaker.ts';
import * as monitoring from './sagemaker-monitoring.ts';
import * as ssm from './ssm.ts';
import { waitConditionHandle } from './wait-condition-handle.ts';

export type HandlerRegistry = Readonly<Record<string, ResourceHandler>>;

/** Types that need nothing but other services' APIs. Nested stacks and stack sets are added by index.ts of the service. */
export const serviceHandlers: HandlerRegistry = {
  'AWS::CloudFormation::WaitConditionHandle': waitConditionHandle,
  'AWS::IAM::ManagedPolicy': iam.managedPolicy,
  'AWS::IAM::OIDCProvider': iam.oidcProvider,
  'AWS::IAM::Policy': iam.policy,
  'AWS::IAM::Role': iam.role,
  'AWS::IAM::RolePolicy': iam.rolePolicy,
  'AWS::KMS::Alias': kms.alias,
  'AWS::KMS::Key': kms.key,
  'AWS::Logs::LogGroup': logs.logGroup,
  'AWS::S3::Bucket': s3.bucket,
  'AWS::S3::BucketPolicy': s3.bucketPolicy,
  'AWS::SSM::Parameter': ssm.parameter,
  'AWS::SageMaker::DataQualityJobDefinition': monitoring.dataQualityJobDefinition,
  'AWS::SageMaker::Endpoint': sagemaker.endpoint,
  'AWS::SageMaker::EndpointConfig': sagemaker.endpointConfig,
  'AWS::SageMaker::Model': sagemaker.model,
  'AWS::SageMaker::ModelPackageGroup': sagemaker.modelPackageGroup,
  'AWS::SageMaker::MonitoringSchedule': monitoring.monitoringSchedule,
  'AWS::SageMaker::Pipeline': sagemaker.pipeline,
};
