import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobResult } from '../aws/core/context.ts';
import { filesBelow, packFolder } from './archive.ts';
import { JobFailure, programFailure } from './failure.ts';
import { knownImage } from './images.ts';
import { type JobRun, JobStopped, localPath, requireImageOfRegion, runProgram, throwIfStopped } from './job-run.ts';
import { below, download, type Encryption, uploadFolder, uploadObject } from './transfer.ts';

const standIn = (name: string): string => fileURLToPath(new URL(`./python/${name}`, import.meta.url));

/** The training toolkit's name of each image's framework. */
const frameworkModules: Record<string, string> = {
  'sagemaker-xgboost': 'sagemaker_xgboost_container.training:main',
  'sagemaker-scikit-learn': 'sagemaker_sklearn_container.training:main',
};

/** A hyperparameter as the training toolkit reads it: JSON when it is JSON, else the text itself. */
export function decodeHyperparameter(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether the job is SageMaker's built-in XGBoost, which reports metrics of its own. */
export function isBuiltInXGBoost(request: Record<string, any>): boolean {
  const specification = request['AlgorithmSpecification'] ?? {};
  return (
    specification.ContainerEntrypoint === undefined &&
    request['HyperParameters']?.sagemaker_program === undefined &&
    typeof specification.TrainingImage === 'string' &&
    knownImage(specification.TrainingImage)?.repository === 'sagemaker-xgboost'
  );
}

/** Runs a training job: channels from S3, the program, the model to S3. Throws JobFailure or JobStopped. */
export async function runTraining(run: JobRun): Promise<Partial<JobResult>> {
  const { request } = run.job;
  const { place } = run;
  requireImageOfRegion(request['AlgorithmSpecification'].TrainingImage, run.job.region);

  const channels: any[] = request['InputDataConfig'] ?? [];
  await writeConfiguration(run, channels);
  for (const folder of ['model', 'output/data', 'input/data'])
    await mkdir(path.join(place.ml, folder), { recursive: true });
  for (const channel of channels) {
    throwIfStopped(run);
    const folder = path.join(place.ml, 'input', 'data', channel.ChannelName);
    await download(run.s3, channel.DataSource.S3DataSource.S3Uri, folder);
  }
  const checkpoints = request['CheckpointConfig'];
  const checkpointFolder =
    checkpoints === undefined ? undefined : localPath(place, checkpoints.LocalPath ?? '/opt/ml/checkpoints');
  if (checkpointFolder !== undefined) await restoreCheckpoints(run, checkpoints.S3Uri, checkpointFolder);

  const output = request['OutputDataConfig'];
  const encryption: Encryption =
    output.KmsKeyId === undefined
      ? 'account-default-key'
      : output.KmsKeyId === ''
        ? 'bucket-default'
        : { kmsKeyId: output.KmsKeyId };
  const target = below(output.S3OutputPath, `${run.job.name}/output`);

  const code = await runProgram(run, {
    command: await commandOf(run),
    variables: {
      TRAINING_JOB_NAME: run.job.name,
      TRAINING_JOB_ARN: run.job.arn,
      ...request['Environment'],
    },
    isolated: request['EnableNetworkIsolation'] === true,
  });
  if (checkpointFolder !== undefined) await uploadFolder(run.s3, checkpointFolder, checkpoints.S3Uri, encryption);
  // A stopped job had its grace time to save what it has so far; that is kept.
  const modelFolder = path.join(place.ml, 'model');
  if (run.stopRequested && (await filesBelow(modelFolder)).length === 0) throw new JobStopped();
  if (code !== 0 && !run.stopRequested)
    throw programFailure(await readFile(path.join(place.ml, 'output', 'failure'), 'utf8').catch(() => undefined), code);

  const modelArtifacts = await uploadFolderAs(run, modelFolder, target, 'model', encryption);
  const data = path.join(place.ml, 'output', 'data');
  if ((await filesBelow(data)).length > 0) await uploadFolderAs(run, data, target, 'output', encryption);
  return { modelArtifacts };
}

/** As one archive, or file by file with CompressionType NONE; resolves to its URI. */
async function uploadFolderAs(
  run: JobRun,
  folder: string,
  target: string,
  name: 'model' | 'output',
  encryption: Encryption,
): Promise<string> {
  const { s3 } = run;
  if (run.job.request['OutputDataConfig'].CompressionType === 'NONE') {
    await uploadFolder(s3, folder, below(target, name), encryption);
    return `${below(target, name)}/`;
  }
  const uri = below(target, `${name}.tar.gz`);
  await uploadObject(s3, uri, await packFolder(folder), encryption);
  return uri;
}

/** What the container would start: the request's entrypoint, or the stand-in for the image's own program. */
async function commandOf(run: JobRun): Promise<string[]> {
  const { request } = run.job;
  const specification = request['AlgorithmSpecification'];
  if (specification.ContainerEntrypoint !== undefined)
    return [...specification.ContainerEntrypoint, ...(specification.ContainerArguments ?? [])];
  const image = knownImage(specification.TrainingImage);
  if (image === undefined)
    throw new JobFailure(`ClientError: Nothing stands in for the image ${specification.TrainingImage}`);
  const hyperparameters: Record<string, string> = request['HyperParameters'] ?? {};
  if (hyperparameters['sagemaker_program'] === undefined) return ['python3', standIn('train_xgboost.py')];
  const command = ['python3', standIn('train_script.py'), frameworkModules[image.repository]!];
  const submitted = decodeHyperparameter(hyperparameters['sagemaker_submit_directory']);
  if (typeof submitted === 'string' && submitted.startsWith('s3://')) {
    const folder = path.join(run.place.root, 'submitted');
    const [archive] = await download(run.s3, submitted, folder);
    command.push(path.join(folder, archive!));
  }
  return command;
}

async function restoreCheckpoints(run: JobRun, uri: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // The first run of a job has none.
  await download(run.s3, uri, folder).catch((error: Error) => {
    if (!error.message.includes('No S3 objects found')) throw error;
  });
}

async function writeConfiguration(run: JobRun, channels: readonly any[]): Promise<void> {
  const { request } = run.job;
  const folder = path.join(run.place.ml, 'input', 'config');
  await mkdir(folder, { recursive: true });
  const write = (name: string, value: unknown): Promise<void> =>
    writeFile(path.join(folder, name), JSON.stringify(value));
  const instanceType = request['ResourceConfig']?.InstanceType;
  await write('hyperparameters.json', request['HyperParameters'] ?? {});
  await write(
    'inputdataconfig.json',
    Object.fromEntries(
      channels.map((channel) => [
        channel.ChannelName,
        {
          ...(channel.ContentType === undefined ? {} : { ContentType: channel.ContentType }),
          TrainingInputMode: 'File',
          S3DistributionType: channel.DataSource.S3DataSource.S3DataDistributionType ?? 'FullyReplicated',
          RecordWrapperType: 'None',
        },
      ]),
    ),
  );
  if (request['CheckpointConfig'] !== undefined)
    await write('checkpointconfig.json', { LocalPath: '/opt/ml/checkpoints', ...request['CheckpointConfig'] });
  await write('resourceconfig.json', {
    current_host: 'algo-1',
    hosts: ['algo-1'],
    network_interface_name: 'eth0',
    current_instance_type: instanceType,
    current_group_name: 'homogeneousCluster',
    instance_groups: [{ instance_group_name: 'homogeneousCluster', instance_type: instanceType, hosts: ['algo-1'] }],
  });
}
