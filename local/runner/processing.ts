import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { JobResult } from '../aws/core/context.ts';
import { programFailure } from './failure.ts';
import { type JobRun, localPath, requireImageOfRegion, runProgram, throwIfStopped } from './job-run.ts';
import { download, type Encryption, uploadFolder } from './transfer.ts';

/** Runs a processing job: inputs from S3, the entrypoint, outputs to S3. Throws JobFailure or JobStopped. */
export async function runProcessing(run: JobRun): Promise<Partial<JobResult>> {
  const { request } = run.job;
  const { place } = run;
  requireImageOfRegion(request['AppSpecification'].ImageUri, run.job.region);

  const inputs: any[] = request['ProcessingInputs'] ?? [];
  const outputs: any[] = request['ProcessingOutputConfig']?.Outputs ?? [];
  for (const input of inputs) {
    throwIfStopped(run);
    // AppManaged: the program fetches it itself.
    if (input.S3Input !== undefined && input.AppManaged !== true)
      await download(run.s3, input.S3Input.S3Uri, localPath(place, input.S3Input.LocalPath));
  }
  for (const output of outputs)
    if (output.S3Output !== undefined) await mkdir(localPath(place, output.S3Output.LocalPath), { recursive: true });
  await writeConfiguration(run);
  await mkdir(path.join(place.ml, 'output'), { recursive: true });

  const specification = request['AppSpecification'];
  const code = await runProgram(run, {
    command: [...specification.ContainerEntrypoint, ...(specification.ContainerArguments ?? [])],
    variables: { ...request['Environment'] },
    isolated: request['NetworkConfig']?.EnableNetworkIsolation === true,
  });
  throwIfStopped(run);
  const message = await readFile(path.join(place.ml, 'output', 'message'), 'utf8').catch(() => undefined);
  if (code !== 0) throw programFailure(message, code);

  const key: string | undefined = request['ProcessingOutputConfig']?.KmsKeyId;
  const encryption: Encryption = key ? { kmsKeyId: key } : 'bucket-default';
  for (const output of outputs)
    if (output.S3Output !== undefined && output.AppManaged !== true)
      await uploadFolder(run.s3, localPath(place, output.S3Output.LocalPath), output.S3Output.S3Uri, encryption);
  return message === undefined ? {} : { exitMessage: message.slice(0, 1024) };
}

async function writeConfiguration(run: JobRun): Promise<void> {
  const folder = path.join(run.place.ml, 'config');
  await mkdir(folder, { recursive: true });
  const { job } = run;
  await writeFile(
    path.join(folder, 'processingjobconfig.json'),
    JSON.stringify({ ProcessingJobArn: job.arn, ProcessingJobName: job.name, ...job.request }),
  );
  await writeFile(
    path.join(folder, 'resourceconfig.json'),
    JSON.stringify({ current_host: 'algo-1', hosts: ['algo-1'] }),
  );
}
