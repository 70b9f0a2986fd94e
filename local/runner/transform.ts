import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JobResult } from '../aws/core/context.ts';
import { JobFailure } from './failure.ts';
import { type JobRun, throwIfStopped } from './job-run.ts';
import { startModelServer } from './model-server.ts';
import { parseFilter, type RecordFilter } from './record-filter.ts';
import { below, download, type Encryption, uploadObject } from './transfer.ts';

const defaultPayloadMegabytes = 6;

/** Runs a batch transform: every input object through a model server of its own, the answers to S3. */
export async function runTransform(run: JobRun): Promise<Partial<JobResult>> {
  const { job, context } = run;
  const { request } = job;
  if (job.model === undefined) throw new JobFailure(`ClientError: The model ${request['ModelName']} is not known`);
  const input = request['TransformInput'];
  const output = request['TransformOutput'];
  const payloadMegabytes: number = request['MaxPayloadInMB'] ?? defaultPayloadMegabytes;
  const strategy: string = request['BatchStrategy'] ?? 'MultiRecord';

  const source = path.join(run.place.root, 'input');
  const names = (await download(run.s3, input.DataSource.S3DataSource.S3Uri, source)).sort();
  throwIfStopped(run);
  const server = await startModelServer(context, {
    region: job.region,
    container: job.model,
    credentials: job.credentials,
    name: job.name,
    log: {
      group: '/aws/sagemaker/TransformJobs',
      stream: `${job.name}/server-${Math.floor(context.clock.now().getTime() / 1000)}`,
    },
    variables: {
      SAGEMAKER_BATCH: 'true',
      SAGEMAKER_MAX_PAYLOAD_IN_MB: String(payloadMegabytes),
      SAGEMAKER_BATCH_STRATEGY: strategy === 'MultiRecord' ? 'MULTI_RECORD' : 'SINGLE_RECORD',
      SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: String(request['MaxConcurrentTransforms'] ?? 1),
      ...request['Environment'],
    },
  }).catch((error: Error) => {
    throw new JobFailure(`ClientError: ${error.message}`);
  });
  try {
    const encryption: Encryption = output.KmsKeyId ? { kmsKeyId: output.KmsKeyId } : 'bucket-default';
    for (const name of names) {
      throwIfStopped(run);
      const body = await readFile(path.join(source, name));
      const answer = await transformFile(run, server.url, name, body, { strategy, payloadMegabytes });
      await uploadObject(run.s3, below(output.S3OutputPath, `${name}.out`), answer, encryption);
      run.log(`${name}: ${body.length} bytes in, ${answer.length} bytes out`);
    }
  } finally {
    await server.stop();
  }
  return {};
}

interface Batching {
  strategy: string;
  payloadMegabytes: number;
}

async function transformFile(
  run: JobRun,
  url: string,
  name: string,
  body: Buffer,
  batching: Batching,
): Promise<Buffer> {
  const { request } = run.job;
  const input = request['TransformInput'];
  const output = request['TransformOutput'];
  const processing = request['DataProcessing'] ?? {};
  const inputFilter = parseFilter(processing.InputFilter ?? '$')!;
  const outputFilter = parseFilter(processing.OutputFilter ?? '$')!;
  const headers = {
    ...(input.ContentType === undefined ? {} : { 'content-type': input.ContentType }),
    ...(output.Accept === undefined ? {} : { accept: output.Accept }),
  };
  const ask = async (payload: string | Buffer): Promise<Buffer> => {
    throwIfStopped(run);
    const response = await fetch(`${url}/invocations`, { method: 'POST', headers, body: payload });
    const answer = Buffer.from(await response.arrayBuffer());
    if (!response.ok)
      throw new JobFailure(
        `ClientError: See job logs for more information; the model server answered ${response.status} for ${name}: ${answer.toString().slice(0, 300)}`,
      );
    return answer;
  };
  if ((input.SplitType ?? 'None') === 'None') return ask(body);

  const lines = body
    .toString()
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
  const batches =
    batching.strategy === 'SingleRecord' ? lines.map((line) => [line]) : inBatches(lines, batching.payloadMegabytes);
  const plain = processing.JoinSource !== 'Input' && (processing.OutputFilter ?? '$') === '$';
  const answers: string[] = [];
  for (const batch of batches) {
    const answer = (await ask(batch.map((line) => filtered(line, inputFilter)).join('\n'))).toString();
    if (plain) {
      answers.push(answer);
      continue;
    }
    const predictions = answer.replace(/\n$/, '').split('\n');
    if (processing.JoinSource !== 'Input') {
      answers.push(...predictions.map((line) => filtered(line, outputFilter)));
      continue;
    }
    if (predictions.length !== batch.length)
      throw new JobFailure(
        `ClientError: JoinSource Input: the model answered ${predictions.length} records for ${batch.length} of ${name}`,
      );
    answers.push(...batch.map((line, index) => filtered(`${line},${predictions[index]}`, outputFilter)));
  }
  const withBreak = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
  // What was taken apart line by line is put together so, too; whole answers only when the request asks for it.
  return Buffer.from(plain && output.AssembleWith !== 'Line' ? answers.join('') : answers.map(withBreak).join(''));
}

function filtered(line: string, filter: RecordFilter): string {
  return filter(line.split(',')).join(',');
}

function inBatches(lines: readonly string[], megabytes: number): string[][] {
  const limit = megabytes * 1024 * 1024;
  const batches: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const bytes = Buffer.byteLength(line) + 1;
    if (size + bytes > limit) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)!.push(line);
    size += bytes;
  }
  return batches;
}
