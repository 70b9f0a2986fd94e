/** A platform with one bucket and key, and short ways to run jobs on it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Credentials, JobResult, JobRunner, JobSpecification, RunningJob } from '../../local/aws/core/context.ts';
import { pythonEnvironment } from '../../local/python/index.ts';
import { accounts, arrange, region, startTestPlatform, type TestPlatform, testPython } from '../support/platform.ts';

export const account = accounts.development;
export const bucket = 'job-tests';
export const image = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0';
export const seedFolder = path.join(import.meta.dirname, '../../seed-code/model-build');

export interface JobFixture {
  platform: TestPlatform;
  python: string;
  kmsKey: string;
  put(key: string, body: string | Buffer): Promise<void>;
  get(key: string): Promise<Buffer>;
  start(
    kind: JobSpecification['kind'],
    name: string,
    request: Record<string, any>,
    more?: Partial<JobSpecification>,
    jobs?: JobRunner,
  ): RunningJob;
  run(
    kind: JobSpecification['kind'],
    name: string,
    request: Record<string, any>,
    more?: Partial<JobSpecification>,
    jobs?: JobRunner,
  ): Promise<JobResult>;
  /** Lines that the job wrote to CloudWatch Logs. */
  log(group: string, job: string): Promise<string[]>;
  /** Runs Python code with the runtime's interpreter; resolves to what it printed. */
  runPython(code: string, files?: Record<string, Buffer>, environment?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

export async function startFixture(): Promise<JobFixture> {
  const platform = await startTestPlatform({ python: true });
  const { s3, kms, logs } = platform.administrator(account);
  const kmsKey = await arrange(platform, async () => {
    await s3.send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  });
  const python = await testPython();
  let session: Promise<Credentials> | undefined;
  const start: JobFixture['start'] = (kind, name, request, more = {}, jobs = platform.platform.context.jobs) =>
    jobs.start({
      kind,
      account,
      region,
      name,
      arn: `arn:aws:sagemaker:${region}:${account}:${kind === 'TrainingJob' ? 'training-job' : 'processing-job'}/${name}`,
      request,
      credentials: () => {
        session ??= platform.credentials(account);
        return session;
      },
      ...more,
    });
  return {
    platform,
    python,
    kmsKey,
    put: async (key, body) =>
      void (await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) }))),
    get: async (key) =>
      Buffer.from(
        await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body!.transformToByteArray(),
      ),
    start,
    run: (...job) => start(...job).finished,
    async log(group, job) {
      const logGroupName = `/aws/sagemaker/${group}`;
      const { logStreams } = await logs.send(
        new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: `${job}/` }),
      );
      const { events } = await logs.send(
        new GetLogEventsCommand({ logGroupName, logStreamName: logStreams![0]!.logStreamName!, startFromHead: true }),
      );
      return events!.map((event) => event.message!);
    },
    async runPython(code, files = {}, environment = {}) {
      const folder = await mkdtemp(path.join(tmpdir(), 'python-'));
      try {
        for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
        const { stdout } = await promisify(execFile)(python, ['-c', code], {
          cwd: folder,
          env: pythonEnvironment(environment),
          maxBuffer: 16 * 1024 * 1024,
        });
        return stdout.trim();
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    close: () => platform.close(),
  };
}

export const input = (name: string, key: string, localPath: string) => ({
  InputName: name,
  S3Input: { S3Uri: `s3://${bucket}/${key}`, LocalPath: localPath, S3DataType: 'S3Prefix', S3InputMode: 'File' },
});
export const output = (name: string, key: string, localPath: string) => ({
  OutputName: name,
  S3Output: { S3Uri: `s3://${bucket}/${key}`, LocalPath: localPath, S3UploadMode: 'EndOfJob' },
});
export const channel = (name: string, key: string, contentType?: string) => ({
  ChannelName: name,
  ...(contentType === undefined ? {} : { ContentType: contentType }),
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `s3://${bucket}/${key}` } },
});

/** A processing job that runs a Python script (put below code/NAME) with outputs of one folder. */
export async function script(fixture: JobFixture, name: string, code: string, change: Record<string, any> = {}) {
  await fixture.put(`code/${name}/main.py`, code);
  return {
    AppSpecification: { ImageUri: image, ContainerEntrypoint: ['python3', '/opt/ml/processing/code/main.py'] },
    ProcessingInputs: [input('code', `code/${name}`, '/opt/ml/processing/code')],
    ProcessingOutputConfig: { Outputs: [output('out', `out/${name}`, '/opt/ml/processing/out')] },
    ...change,
  };
}

export const xgboostHyperparameters = {
  objective: 'reg:squarederror',
  num_round: '50',
  max_depth: '5',
  eta: '0.2',
  gamma: '4',
  min_child_weight: '6',
  subsample: '0.7',
  seed: '0',
};

/** Puts the seed's scripts and data where its pipeline would find them. */
export async function uploadSeed(fixture: JobFixture): Promise<void> {
  for (const name of await readdir(path.join(seedFolder, 'scripts')))
    if (name.endsWith('.py'))
      await fixture.put(`code/seed/scripts/${name}`, await readFile(path.join(seedFolder, 'scripts', name)));
  await fixture.put('data/seed/abalone.csv', await readFile(path.join(seedFolder, 'data/abalone.csv')));
}
