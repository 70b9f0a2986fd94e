import type { JobSpecification, ModelContainer } from '../aws/core/context.ts';
import { knownImage, knownRepositories } from './images.ts';
import { parseFilter } from './record-filter.ts';

/** Pipeline expressions may still stand in place of values: what is not known yet is not judged yet. */
function known(value: unknown): value is string {
  return typeof value === 'string';
}

const wayOutForImages = `known are ${knownRepositories.join(' and ')} in AWS's registries`;

/** Every reason why a Create*Job request cannot run as a local process, each with the way out; empty when it can. */
export function checkJob(kind: JobSpecification['kind'], request: Record<string, any>): string[] {
  const reasons: string[] = [];
  const refuse = (condition: boolean, reason: string): void => {
    if (condition) reasons.push(reason);
  };
  const isolated = request['EnableNetworkIsolation'] ?? request['NetworkConfig']?.EnableNetworkIsolation;
  refuse(
    isolated === true && process.platform !== 'linux',
    'network isolation is not possible on this system; leave EnableNetworkIsolation out',
  );
  if (kind === 'ProcessingJob') checkProcessing(request, refuse);
  else if (kind === 'TrainingJob') checkTraining(request, refuse);
  else checkTransform(request, refuse);
  return reasons;
}

type Refuse = (condition: boolean, reason: string) => void;

function checkProcessing(request: Record<string, any>, refuse: Refuse): void {
  const specification = request['AppSpecification'] ?? {};
  refuse(
    !Array.isArray(specification.ContainerEntrypoint) || specification.ContainerEntrypoint.length === 0,
    `the image ${describe(specification.ImageUri)} would start a program of its own, which is not on this machine; give a ContainerEntrypoint`,
  );
  for (const input of request['ProcessingInputs'] ?? []) {
    const name = `input ${describe(input.InputName)}`;
    refuse(input.DatasetDefinition !== undefined, `${name}: DatasetDefinition is not supported; use an S3Input`);
    const source = input.S3Input;
    if (source === undefined) continue;
    refuse(
      known(source.S3InputMode) && source.S3InputMode !== 'File',
      `${name}: S3InputMode ${source.S3InputMode} is not supported; use File`,
    );
    refuse(source.S3DataType === 'ManifestFile', `${name}: S3DataType ManifestFile is not supported; use S3Prefix`);
    refuse(source.S3CompressionType === 'Gzip', `${name}: S3CompressionType Gzip is not supported; use None`);
    refuse(
      input.AppManaged !== true && !isProcessingPath(source.LocalPath),
      `${name}: LocalPath ${describe(source.LocalPath)} is not below /opt/ml/processing/, where SageMaker wants it`,
    );
  }
  for (const output of request['ProcessingOutputConfig']?.Outputs ?? []) {
    const name = `output ${describe(output.OutputName)}`;
    refuse(
      output.FeatureStoreOutput !== undefined,
      `${name}: FeatureStoreOutput is not supported; write to S3 by S3Output`,
    );
    refuse(
      output.S3Output !== undefined && !isProcessingPath(output.S3Output.LocalPath),
      `${name}: LocalPath ${describe(output.S3Output?.LocalPath)} is not below /opt/ml/processing/, where SageMaker wants it`,
    );
    refuse(
      output.S3Output?.S3UploadMode === 'Continuous',
      `${name}: S3UploadMode Continuous is not supported; use EndOfJob`,
    );
  }
}

function isProcessingPath(value: unknown): boolean {
  return !known(value)
    ? value !== undefined
    : value.startsWith('/opt/ml/processing/') && !value.split('/').includes('..');
}

function checkTraining(request: Record<string, any>, refuse: Refuse): void {
  const specification = request['AlgorithmSpecification'] ?? {};
  const hyperparameters = request['HyperParameters'] ?? {};
  const script = hyperparameters.sagemaker_program !== undefined;
  const image = known(specification.TrainingImage) ? knownImage(specification.TrainingImage) : undefined;
  const entrypoint = specification.ContainerEntrypoint !== undefined;
  const builtIn = !entrypoint && !script && image?.repository === 'sagemaker-xgboost';

  refuse(
    specification.AlgorithmName !== undefined,
    `AlgorithmName ${describe(specification.AlgorithmName)} is not supported; give a TrainingImage`,
  );
  if (known(specification.TrainingImage) && !entrypoint) {
    refuse(
      image === undefined,
      `nothing stands in for the program of the image ${specification.TrainingImage}; give a ContainerEntrypoint (${wayOutForImages})`,
    );
    refuse(
      image?.repository === 'sagemaker-scikit-learn' && !script,
      `the image ${specification.TrainingImage} trains by a script only; give the hyperparameter sagemaker_program`,
    );
  }
  const inputMode = specification.TrainingInputMode;
  refuse(known(inputMode) && inputMode !== 'File', `TrainingInputMode ${inputMode} is not supported; use File`);
  for (const definition of specification.MetricDefinitions ?? [])
    if (known(definition.Regex))
      refuse(
        !isExpression(definition.Regex),
        `metric ${describe(definition.Name)}: ${definition.Regex} is not a regular expression that JavaScript understands too`,
      );
  for (const channel of request['InputDataConfig'] ?? []) checkChannel(channel, builtIn, refuse);

  if (builtIn) checkHyperparameters(hyperparameters, refuse);

  const checkpoints = request['CheckpointConfig'];
  if (checkpoints !== undefined) {
    const folder = checkpoints.LocalPath;
    refuse(
      known(folder) && !folder.startsWith('/opt/ml/'),
      `CheckpointConfig: LocalPath ${describe(folder)} is not below /opt/ml/; choose one there`,
    );
  }
  refuse(
    (request['DebugRuleConfigurations'] ?? []).length > 0,
    'DebugRuleConfigurations is not supported; leave the rules out',
  );
}

/** Metrics that SageMaker's image computes by code of its own, beside those of XGBoost. */
const metricsOfTheImage = /^(accuracy|balanced_accuracy|f1|f1_binary|f1_macro|precision\w*|recall\w*|mse|r2)$/;

function checkHyperparameters(hyperparameters: Record<string, unknown>, refuse: Refuse): void {
  for (const name of ['_kfold', '_num_cv_round', 'use_dask_gpu_training'])
    refuse(hyperparameters[name] !== undefined, `hyperparameter ${name} is not supported; leave it out`);
  const { eval_metric: metrics, tree_method: method, updater } = hyperparameters;
  for (const metric of known(metrics) ? metrics.split(',').map((one) => one.trim()) : [])
    refuse(metricsOfTheImage.test(metric), `eval_metric ${metric} is not supported; use one of XGBoost's own`);
  refuse(method === 'gpu_hist', 'tree_method gpu_hist is not supported; use hist');
  refuse(known(updater), 'hyperparameter updater is not supported; leave it out');
}

function isExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** Forms of data that the built-in XGBoost takes on SageMaker, and that its stand-in does not. */
const unreadableForms = /^(?:application\/)?(?:x-)?(?:parquet|recordio-protobuf)/;

function checkChannel(channel: Record<string, any>, builtIn: boolean, refuse: Refuse): void {
  const name = `channel ${describe(channel['ChannelName'])}`;
  const source = channel['DataSource']?.S3DataSource;
  refuse(source === undefined, `${name}: only an S3DataSource is supported`);
  refuse(
    known(channel['InputMode']) && channel['InputMode'] !== 'File',
    `${name}: InputMode ${channel['InputMode']} is not supported; use File`,
  );
  refuse(
    known(source?.S3DataType) && source.S3DataType !== 'S3Prefix',
    `${name}: S3DataType ${source?.S3DataType} is not supported; use S3Prefix`,
  );
  refuse(
    known(channel['CompressionType']) && channel['CompressionType'] !== 'None',
    `${name}: CompressionType ${channel['CompressionType']} is not supported; use None`,
  );
  refuse(
    known(channel['RecordWrapperType']) && channel['RecordWrapperType'] !== 'None',
    `${name}: RecordWrapperType ${channel['RecordWrapperType']} is not supported; use None`,
  );
  refuse(
    channel['ShuffleConfig'] !== undefined,
    `${name}: ShuffleConfig is not supported; shuffle the data beforehand`,
  );
  refuse(
    builtIn && known(channel['ContentType']) && unreadableForms.test(channel['ContentType'].toLowerCase()),
    `${name}: ContentType ${channel['ContentType']} is not supported by the XGBoost stand-in; use text/csv or text/libsvm`,
  );
}

function checkTransform(request: Record<string, any>, refuse: Refuse): void {
  const input = request['TransformInput'] ?? {};
  const type = input.DataSource?.S3DataSource?.S3DataType;
  refuse(known(type) && type !== 'S3Prefix', `S3DataType ${type} is not supported; use S3Prefix`);
  refuse(
    known(input.CompressionType) && input.CompressionType !== 'None',
    `CompressionType ${input.CompressionType} is not supported; use None`,
  );
  refuse(
    known(input.SplitType) && !['None', 'Line'].includes(input.SplitType),
    `SplitType ${input.SplitType} is not supported; use Line or None`,
  );
  refuse(request['DataCaptureConfig'] !== undefined, 'DataCaptureConfig is not supported; leave it out');
  const processing = request['DataProcessing'] ?? {};
  for (const name of ['InputFilter', 'OutputFilter'] as const) {
    const filter = processing[name];
    if (known(filter))
      refuse(
        parseFilter(filter) === undefined,
        `DataProcessing: ${name} ${filter} is not supported; use $, $[n], $[from:to] or $[n,m]`,
      );
  }
  refuse(
    processing.JoinSource === 'Input' && known(input.SplitType) && input.SplitType !== 'Line',
    'JoinSource Input needs SplitType Line',
  );
}

/** Every reason why a model container cannot be served here, each with the way out. */
export function checkContainer(container: ModelContainer): string[] {
  const image = knownImage(container.image);
  if (image === undefined)
    return [`nothing stands in for the model server of the image ${container.image} (${wayOutForImages})`];
  const reasons: string[] = [];
  if (container.modelDataUrl === undefined)
    reasons.push('a model without ModelDataUrl cannot be served; name its archive');
  if (container.environment['SAGEMAKER_INFERENCE_OUTPUT'] !== undefined)
    reasons.push('SAGEMAKER_INFERENCE_OUTPUT is not supported; leave it out of the environment');
  return reasons;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '(none)');
}
