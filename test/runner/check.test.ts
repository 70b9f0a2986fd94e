/** What cannot run here is refused before it starts, all of it at once, each with the way out. */
import { describe, expect, test } from '@jest/globals';
import { checkContainer, checkJob } from '../../local/runner/check.ts';

const xgboost = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0';
const sklearn = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3';
const own = '111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1';
const expression = { Get: 'Steps.A.B' };

const processing = (change: Record<string, any> = {}) => ({
  AppSpecification: { ImageUri: xgboost, ContainerEntrypoint: ['python3', '/opt/ml/processing/code/a.py'] },
  ProcessingInputs: [
    {
      InputName: 'i',
      S3Input: {
        S3Uri: expression,
        LocalPath: '/opt/ml/processing/input',
        S3DataType: 'S3Prefix',
        S3InputMode: 'File',
      },
    },
  ],
  ProcessingOutputConfig: {
    Outputs: [
      { OutputName: 'o', S3Output: { S3Uri: 's3://b/k', LocalPath: '/opt/ml/processing/o', S3UploadMode: 'EndOfJob' } },
    ],
  },
  ...change,
});
const training = (change: Record<string, any> = {}, channel: Record<string, any> = {}) => ({
  AlgorithmSpecification: { TrainingImage: xgboost, TrainingInputMode: 'File' },
  HyperParameters: { num_round: '5' },
  InputDataConfig: [
    {
      ChannelName: 'train',
      ContentType: 'text/csv',
      DataSource: { S3DataSource: { S3Uri: expression, S3DataType: 'S3Prefix' } },
      ...channel,
    },
  ],
  OutputDataConfig: { S3OutputPath: 's3://b/m' },
  ...change,
});
const transform = (change: Record<string, any> = {}, processed: Record<string, any> = {}) => ({
  TransformInput: {
    DataSource: { S3DataSource: { S3Uri: 's3://b/k', S3DataType: 'S3Prefix' } },
    SplitType: 'Line',
    ...change,
  },
  TransformOutput: { S3OutputPath: 's3://b/o' },
  DataProcessing: processed,
});

describe('what can run', () => {
  test.each([
    [
      'processing by an entrypoint, in any image',
      'ProcessingJob',
      processing({ AppSpecification: { ImageUri: own, ContainerEntrypoint: ['/bin/sh'] } }),
    ],
    [
      'processing whose values are not known yet',
      'ProcessingJob',
      processing({ AppSpecification: { ImageUri: expression, ContainerEntrypoint: ['python3'] } }),
    ],
    ['built-in XGBoost', 'TrainingJob', training()],
    [
      'an image that is not known yet',
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: expression, TrainingInputMode: 'File' } }),
    ],
    [
      'a script in the scikit-learn image',
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: sklearn }, HyperParameters: { sagemaker_program: 't.py' } }),
    ],
    [
      'an own image with an entrypoint',
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: own, ContainerEntrypoint: ['/bin/bash'] } }),
    ],
    [
      'a batch transform with filters',
      'TransformJob',
      transform({}, { InputFilter: '$[1:]', OutputFilter: '$[0,-1]', JoinSource: 'Input' }),
    ],
  ] as const)('%s', (_, kind, request) => {
    expect(checkJob(kind, request)).toEqual([]);
  });
});

describe('what is refused', () => {
  test.each([
    ['ProcessingJob', processing({ AppSpecification: { ImageUri: own } }), 'give a ContainerEntrypoint'],
    [
      'ProcessingJob',
      processing({ ProcessingInputs: [{ InputName: 'i', DatasetDefinition: {} }] }),
      'input i: DatasetDefinition',
    ],
    [
      'ProcessingJob',
      processing({ ProcessingInputs: [{ InputName: 'i', S3Input: { LocalPath: '/data', S3InputMode: 'File' } }] }),
      'input i: LocalPath /data is not below /opt/ml/processing/',
    ],
    [
      'ProcessingJob',
      processing({ ProcessingInputs: [{ InputName: 'i', S3Input: { LocalPath: '/opt/ml/processing/../x' } }] }),
      '/opt/ml/processing/../x',
    ],
    [
      'ProcessingJob',
      processing({
        ProcessingInputs: [{ InputName: 'i', S3Input: { LocalPath: '/opt/ml/processing/i', S3InputMode: 'Pipe' } }],
      }),
      'S3InputMode Pipe',
    ],
    [
      'ProcessingJob',
      processing({
        ProcessingInputs: [
          { InputName: 'i', S3Input: { LocalPath: '/opt/ml/processing/i', S3DataType: 'ManifestFile' } },
        ],
      }),
      'ManifestFile',
    ],
    [
      'ProcessingJob',
      processing({ ProcessingOutputConfig: { Outputs: [{ OutputName: 'o', FeatureStoreOutput: {} }] } }),
      'output o: FeatureStoreOutput',
    ],
    [
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: own } }),
      'nothing stands in for the program of the image',
    ],
    ['TrainingJob', training({ AlgorithmSpecification: { TrainingImage: sklearn } }), 'sagemaker_program'],
    ['TrainingJob', training({ AlgorithmSpecification: { AlgorithmName: 'arn:x' } }), 'AlgorithmName arn:x'],
    [
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: xgboost, TrainingInputMode: 'FastFile' } }),
      'TrainingInputMode FastFile',
    ],
    ['TrainingJob', training({ HyperParameters: { num_round: '1', _kfold: '5' } }), 'hyperparameter _kfold'],
    [
      'TrainingJob',
      training({ HyperParameters: { num_round: '1', eval_metric: 'rmse,accuracy' } }),
      'eval_metric accuracy',
    ],
    [
      'TrainingJob',
      training({ CheckpointConfig: { S3Uri: 's3://b/c', LocalPath: '/data' } }),
      'CheckpointConfig: LocalPath /data',
    ],
    ['TrainingJob', training({ DebugRuleConfigurations: [{}] }), 'DebugRuleConfigurations'],
    [
      'TrainingJob',
      training({ AlgorithmSpecification: { TrainingImage: xgboost, MetricDefinitions: [{ Name: 'm', Regex: '(' }] } }),
      'metric m',
    ],
    ['TrainingJob', training({}, { InputMode: 'Pipe' }), 'channel train: InputMode Pipe'],
    ['TrainingJob', training({}, { DataSource: { FileSystemDataSource: {} } }), 'only an S3DataSource'],
    ['TrainingJob', training({}, { ContentType: 'application/x-parquet' }), 'application/x-parquet'],
    ['TrainingJob', training({}, { CompressionType: 'Gzip' }), 'CompressionType Gzip'],
    ['TrainingJob', training({}, { RecordWrapperType: 'RecordIO' }), 'RecordWrapperType RecordIO'],
    ['TrainingJob', training({}, { ShuffleConfig: { Seed: 1 } }), 'ShuffleConfig'],
    ['TransformJob', transform({ SplitType: 'RecordIO' }), 'SplitType RecordIO'],
    ['TransformJob', transform({}, { InputFilter: '$.features' }), 'InputFilter $.features'],
    [
      'TransformJob',
      transform({ SplitType: 'None' }, { JoinSource: 'Input' }),
      'JoinSource Input needs SplitType Line',
    ],
  ] as const)('%s %#: %j', (kind, request, reason) => {
    const reasons = checkJob(kind, request);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain(reason);
  });

  test('all reasons at once', () => {
    const reasons = checkJob(
      'TrainingJob',
      training(
        { AlgorithmSpecification: { TrainingImage: own, TrainingInputMode: 'Pipe' } },
        { InputMode: 'Pipe', CompressionType: 'Gzip' },
      ),
    );
    expect(reasons).toHaveLength(4);
  });
});

test('model containers', () => {
  const good = { image: xgboost, modelDataUrl: 's3://b/model.tar.gz', environment: {} };
  expect(checkContainer(good)).toEqual([]);
  expect(checkContainer({ ...good, image: own })[0]).toContain('nothing stands in for the model server');
  expect(checkContainer({ image: xgboost, environment: { SAGEMAKER_INFERENCE_OUTPUT: 'x' } })).toHaveLength(2);
});
