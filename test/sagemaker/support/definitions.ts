/** A pipeline in the shape that the SDK compiles: process, train, evaluate, judge, register or fail. */
import { bucket, image, jobRole } from './world.ts';

export const evaluationUri = (id: string) => `s3://${bucket}/evaluation/${id}`;

export function processing(name: string, extra: Record<string, any> = {}): Record<string, any> {
  const { Arguments, ...rest } = extra;
  return {
    Name: name,
    Type: 'Processing',
    Arguments: {
      ProcessingResources: { ClusterConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 30 } },
      AppSpecification: { ImageUri: image, ContainerEntrypoint: ['python3', '/opt/ml/processing/input/code/x.py'] },
      RoleArn: jobRole,
      ProcessingInputs: [
        {
          InputName: 'code',
          AppManaged: false,
          S3Input: {
            S3Uri: `s3://${bucket}/code/${name}.py`,
            LocalPath: '/opt/ml/processing/input/code',
            S3DataType: 'S3Prefix',
            S3InputMode: 'File',
            S3DataDistributionType: 'FullyReplicated',
            S3CompressionType: 'None',
          },
        },
      ],
      ProcessingOutputConfig: {
        Outputs: [
          {
            OutputName: 'out',
            S3Output: {
              S3Uri: {
                'Std:Join': { On: '/', Values: ['s3:/', bucket, name, { Get: 'Execution.PipelineExecutionId' }] },
              },
              LocalPath: '/opt/ml/processing/out',
              S3UploadMode: 'EndOfJob',
            },
          },
        ],
      },
      ...Arguments,
    },
    ...rest,
  };
}

export function training(name: string, input: unknown, extra: Record<string, any> = {}): Record<string, any> {
  const { Arguments, ...rest } = extra;
  return {
    Name: name,
    Type: 'Training',
    Arguments: {
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
      OutputDataConfig: { S3OutputPath: `s3://${bucket}/models` },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 30 },
      RoleArn: jobRole,
      InputDataConfig: [
        {
          ChannelName: 'train',
          ContentType: 'text/csv',
          DataSource: {
            S3DataSource: { S3DataType: 'S3Prefix', S3Uri: input, S3DataDistributionType: 'FullyReplicated' },
          },
        },
      ],
      HyperParameters: { num_round: { 'Std:Join': { On: '', Values: [{ Get: 'Parameters.Rounds' }] } } },
      ...Arguments,
    },
    ...rest,
  };
}

export const outputOf = (step: string) => ({
  Get: `Steps.${step}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri`,
});

export const mse = {
  'Std:JsonGet': {
    PropertyFile: { Get: 'Steps.Evaluate.PropertyFiles.Report' },
    Path: 'regression_metrics.mse.value',
  },
};

export function register(name = 'Register', extra: Record<string, any> = {}): Record<string, any> {
  return {
    Name: name,
    Type: 'RegisterModel',
    Arguments: {
      ModelPackageGroupName: 'abalone',
      ModelApprovalStatus: 'PendingManualApproval',
      ModelMetrics: {
        ModelQuality: {
          Statistics: {
            ContentType: 'application/json',
            S3Uri: { 'Std:Join': { On: '/', Values: [outputOf('Evaluate'), 'evaluation.json'] } },
          },
        },
      },
      InferenceSpecification: {
        Containers: [{ Image: image, ModelDataUrl: { Get: 'Steps.Train.ModelArtifacts.S3ModelArtifacts' } }],
        SupportedContentTypes: ['text/csv'],
        SupportedResponseMIMETypes: ['text/csv'],
        SupportedRealtimeInferenceInstanceTypes: ['ml.m5.large'],
        SupportedTransformInstanceTypes: ['ml.m5.large'],
      },
      ...extra,
    },
  };
}

/** The whole gate; its steps don't stand in the order in which they run. */
export function gate(): Record<string, any> {
  return {
    Version: '2020-12-01',
    Metadata: {},
    Parameters: [
      { Name: 'MaxMse', Type: 'Float', DefaultValue: 6 },
      { Name: 'Rounds', Type: 'Integer', DefaultValue: 50 },
      { Name: 'Label', Type: 'String', DefaultValue: 'none', EnumValues: ['none', 'nightly'] },
    ],
    PipelineExperimentConfig: {
      ExperimentName: { Get: 'Execution.PipelineName' },
      TrialName: { Get: 'Execution.PipelineExecutionId' },
    },
    Steps: [
      {
        Name: 'Gate',
        Type: 'Condition',
        Arguments: {
          Conditions: [{ Type: 'LessThanOrEqualTo', LeftValue: mse, RightValue: { Get: 'Parameters.MaxMse' } }],
          IfSteps: [register()],
          ElseSteps: [
            {
              Name: 'TooBad',
              Type: 'Fail',
              Arguments: {
                ErrorMessage: {
                  'Std:Join': { On: ' ', Values: ['MSE', mse, 'is above', { Get: 'Parameters.MaxMse' }] },
                },
              },
            },
          ],
        },
      },
      training('Train', outputOf('Preprocess')),
      processing('Evaluate', {
        DependsOn: ['Train'],
        PropertyFiles: [{ PropertyFileName: 'Report', OutputName: 'out', FilePath: 'evaluation.json' }],
      }),
      processing('Preprocess'),
    ],
  };
}
