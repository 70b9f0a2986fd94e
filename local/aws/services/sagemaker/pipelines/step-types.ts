import {
  CreateHyperParameterTuningJobRequest$,
  CreateModelInput$,
  CreateModelPackageInput$,
  CreateProcessingJobRequest$,
  CreateTrainingJobRequest$,
  CreateTransformJobRequest$,
  DescribeHyperParameterTuningJobResponse$,
  DescribeModelOutput$,
  DescribeModelPackageOutput$,
  DescribeProcessingJobResponse$,
  DescribeTrainingJobResponse$,
  DescribeTransformJobResponse$,
} from '@aws-sdk/client-sagemaker';
import type { checkShape } from './shape-check.ts';

type Schema = Parameters<typeof checkShape>[0];

export interface StepType {
  /** The Create request whose shape the Arguments have, and its members that the service fills in. */
  request?: { operation: string; schema: Schema; given: string[] };
  /** The Describe answer that Steps.NAME.path reads. */
  response?: Schema;
  /** Keys beside those that every step has. */
  keys: string[];
  cache: boolean;
  retry: boolean;
  /** Absent: runs here. Otherwise why not, and what to do instead. */
  unsupported?: string;
}

const elsewhere = 'run this pipeline on AWS, or leave the step out of the local definition';
const check = [
  'CheckType',
  'ModelPackageGroupName',
  'SkipCheck',
  'FailOnViolation',
  'RegisterNewBaseline',
  'SuppliedBaselineStatistics',
  'SuppliedBaselineConstraints',
];

/** What the definition format (version 2020-12-01) knows as step types. */
export const stepTypes: Readonly<Record<string, StepType>> = {
  Processing: {
    request: { operation: 'CreateProcessingJob', schema: CreateProcessingJobRequest$, given: ['ProcessingJobName'] },
    response: DescribeProcessingJobResponse$,
    keys: ['PropertyFiles'],
    cache: true,
    retry: true,
  },
  Training: {
    request: { operation: 'CreateTrainingJob', schema: CreateTrainingJobRequest$, given: ['TrainingJobName'] },
    response: DescribeTrainingJobResponse$,
    keys: [],
    cache: true,
    retry: true,
  },
  Transform: {
    request: { operation: 'CreateTransformJob', schema: CreateTransformJobRequest$, given: ['TransformJobName'] },
    response: DescribeTransformJobResponse$,
    keys: [],
    cache: true,
    retry: true,
  },
  Model: {
    request: { operation: 'CreateModel', schema: CreateModelInput$, given: ['ModelName'] },
    response: DescribeModelOutput$,
    keys: [],
    cache: false,
    retry: true,
  },
  RegisterModel: {
    request: { operation: 'CreateModelPackage', schema: CreateModelPackageInput$, given: [] },
    response: DescribeModelPackageOutput$,
    keys: [],
    cache: false,
    retry: true,
  },
  Condition: { keys: [], cache: false, retry: false },
  Fail: { keys: [], cache: false, retry: false },
  Tuning: {
    request: {
      operation: 'CreateHyperParameterTuningJob',
      schema: CreateHyperParameterTuningJobRequest$,
      given: ['HyperParameterTuningJobName'],
    },
    response: DescribeHyperParameterTuningJobResponse$,
    keys: [],
    cache: true,
    retry: true,
    unsupported: `tuning jobs do not run here; use a Training step with fixed hyperparameters, or ${elsewhere}`,
  },
  Lambda: {
    keys: ['FunctionArn', 'OutputParameters'],
    cache: true,
    retry: false,
    unsupported: `Lambda functions do not run here; ${elsewhere}`,
  },
  Callback: {
    keys: ['SqsQueueUrl', 'OutputParameters'],
    cache: true,
    retry: false,
    unsupported: `nothing here answers an SQS message; ${elsewhere}`,
  },
  QualityCheck: {
    keys: check,
    cache: true,
    retry: false,
    unsupported: `baseline checks do not run here; ${elsewhere}`,
  },
  ClarifyCheck: {
    keys: [...check, 'ModelName'],
    cache: true,
    retry: false,
    unsupported: `Clarify does not run here; ${elsewhere}`,
  },
  ...Object.fromEntries(
    [
      'EMR',
      'EMRServerless',
      'AutoML',
      'NotebookJob',
      'Endpoint',
      'EndpointConfig',
      'InferenceComponent',
      'Lineage',
      'BedrockCustomModel',
      'BedrockCustomModelDeployment',
      'BedrockProvisionedModelThroughput',
      'BedrockModelImport',
      'ForEach',
      'Cleanup',
      'Job',
    ].map((name): [string, StepType] => [
      name,
      { keys: ['*'], cache: true, retry: true, unsupported: `${name} steps do not run here; ${elsewhere}` },
    ]),
  ),
};

/** Step types that hand back declared values by `OutputParameters['name']`. */
export const outputParameterTypes = ['Lambda', 'Callback'];
