import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Control } from './control.ts';

/** SDK clients of one account of the running platform, by temporary keys from its control route. */
export interface AccountClients {
  cloudformation: CloudFormationClient;
  iam: IAMClient;
  s3: S3Client;
  sagemaker: SageMakerClient;
  runtime: SageMakerRuntimeClient;
}

export function accountClients(control: Control, account: string, region: string, role?: string): AccountClients {
  let cached:
    | Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: Date }>
    | undefined;
  const configuration = {
    region,
    endpoint: control.url,
    forcePathStyle: true,
    credentials: () => {
      cached ??= control
        .credentials(account, role)
        .then((credentials) => ({ ...credentials, expiration: new Date(credentials.expiration) }));
      return cached;
    },
  };
  return {
    cloudformation: new CloudFormationClient(configuration),
    iam: new IAMClient(configuration),
    s3: new S3Client(configuration),
    sagemaker: new SageMakerClient(configuration),
    runtime: new SageMakerRuntimeClient(configuration),
  };
}
