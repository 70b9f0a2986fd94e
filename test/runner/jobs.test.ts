/** Jobs over the wire: real S3, KMS, Logs and rights behind them. */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRunner } from '../../local/runner/index.ts';
import {
  account,
  bucket,
  channel,
  image,
  input,
  type JobFixture,
  output,
  script,
  startFixture,
  uploadSeed,
  xgboostHyperparameters,
} from './fixture.ts';

let fixture: JobFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await uploadSeed(fixture);
});
afterAll(() => fixture.close());

const folder = '/opt/ml/processing';
const training = (
  change: Record<string, any> = {},
  hyperparameters: Record<string, string> = xgboostHyperparameters,
) => ({
  AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
  HyperParameters: hyperparameters,
  InputDataConfig: ['train', 'validation'].map((name) => channel(name, `seed/${name}`, 'text/csv')),
  OutputDataConfig: { S3OutputPath: `s3://${bucket}/models`, KmsKeyId: fixture.kmsKey },
  ResourceConfig: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1 },
  ...change,
});

/** Mean squared error of a stock xgboost with the model of an archive on the test rows. */
async function stockError(model: Buffer): Promise<number> {
  return Number(
    await fixture.runPython(
      `import numpy, tarfile, xgboost
tarfile.open('model.tar.gz').extract('xgboost-model')
rows = numpy.loadtxt('test.csv', delimiter=',')
predictions = xgboost.Booster(model_file='xgboost-model').predict(xgboost.DMatrix(rows[:, 1:]))
print(((predictions - rows[:, 0]) ** 2).mean())`,
      { 'model.tar.gz': model, 'test.csv': await fixture.get('seed/test/test.csv') },
    ),
  );
}

describe('the seed', () => {
  test('preprocess, train, evaluate', async () => {
    const seedJob = (name: string, inputs: any[], outputs: any[]) => ({
      AppSpecification: { ImageUri: image, ContainerEntrypoint: ['python3', `${folder}/code/${name}.py`] },
      ProcessingInputs: [input('code', 'code/seed/scripts', `${folder}/code`), ...inputs],
      ProcessingOutputConfig: { KmsKeyId: fixture.kmsKey, Outputs: outputs },
    });
    const preprocess = await fixture.run(
      'ProcessingJob',
      'preprocess',
      seedJob(
        'preprocess',
        [input('data', 'data/seed/abalone.csv', `${folder}/input`)],
        ['train', 'validation', 'test'].map((name) => output(name, `seed/${name}`, `${folder}/${name}`)),
      ),
    );
    expect(preprocess).toMatchObject({ status: 'Completed' });
    const train = await fixture.run('TrainingJob', 'train', training());
    expect(train).toMatchObject({
      status: 'Completed',
      modelArtifacts: `s3://${bucket}/models/train/output/model.tar.gz`,
    });
    expect(train.metrics!.map(({ name }) => name)).toEqual(['train:rmse', 'validation:rmse']);
    const evaluate = await fixture.run(
      'ProcessingJob',
      'evaluate',
      seedJob(
        'evaluate',
        [
          input('model', 'models/train/output/model.tar.gz', `${folder}/model`),
          input('test', 'seed/test', `${folder}/test`),
        ],
        [output('evaluation', 'seed/report', `${folder}/evaluation`)],
      ),
    );
    expect(evaluate).toMatchObject({ status: 'Completed' });

    const { mse } = JSON.parse((await fixture.get('seed/report/evaluation.json')).toString()).regression_metrics;
    expect(mse.value).toBeCloseTo(4.72006, 4);
    expect(await stockError(await fixture.get('models/train/output/model.tar.gz'))).toBeCloseTo(mse.value, 9);
    expect((await fixture.log('TrainingJobs', 'train')).at(-1)).toBe(
      '[49]#011train-rmse:1.61559#011validation-rmse:2.15543',
    );
    expect(await fixture.log('ProcessingJobs', 'evaluate')).toContain('mse 4.7201 on 626 held-out rows');
    for (const key of ['models/train/output/model.tar.gz', 'seed/train/train.csv', 'seed/report/predictions.csv']) {
      const head = await fixture.platform
        .administrator(account)
        .s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      expect([key, head.SSEKMSKeyId]).toEqual([key, fixture.kmsKey]);
    }
  });

  test('the same model every time, another with another num_round', async () => {
    const again = await fixture.run('TrainingJob', 'train-again', training());
    expect(again.status).toBe('Completed');
    const model = await fixture.get('models/train-again/output/model.tar.gz');
    expect(model.equals(await fixture.get('models/train/output/model.tar.gz'))).toBe(true);
    await fixture.run('TrainingJob', 'train-less', training({}, { ...xgboostHyperparameters, num_round: '10' }));
    expect(await stockError(await fixture.get('models/train-less/output/model.tar.gz'))).toBeCloseTo(4.76493, 4);
  });

  test.each([
    [{ ...xgboostHyperparameters, num_rounds: '5' }, 'Extraneous hyperparameter found: num_rounds'],
    [{ objective: 'reg:squarederror' }, 'Missing required hyperparameter: num_round'],
    [{ ...xgboostHyperparameters, eta: '2' }, 'Hyperparameter eta: 2 is not in [0, 1]'],
    [{ ...xgboostHyperparameters, subsample: '0' }, 'Hyperparameter subsample: 0 is not in (0, 1]'],
    [{ ...xgboostHyperparameters, max_depth: 'deep' }, "Hyperparameter max_depth: could not parse value 'deep'"],
    [{ ...xgboostHyperparameters, objective: 'reg:magic' }, 'Hyperparameter objective: reg:magic is not one of'],
    [{ ...xgboostHyperparameters, objective: 'multi:softmax' }, "Require input for parameter 'num_class'"],
    [{ ...xgboostHyperparameters, learning_rate: '0.1' }, 'Hyperparameter eta is given twice'],
  ])('hyperparameters are judged as the algorithm does: %#', async (hyperparameters, message) => {
    const result = await fixture.run('TrainingJob', 'refused', training({}, hyperparameters as Record<string, string>));
    expect(result.status).toBe('Failed');
    expect(result.failureReason).toContain(`AlgorithmError: framework error: UserError: ${message}`);
  });

  test('data that is not what its content type says', async () => {
    await fixture.put('bad/header.csv', 'label,feature\n1,2\n');
    await fixture.put('rows/a.csv', '1,2\n3,4\n');
    const failed = async (channels: any[]) =>
      (await fixture.run('TrainingJob', 'bad-data', training({ InputDataConfig: channels }))).failureReason;
    expect(await failed([channel('train', 'bad/', 'text/csv')])).toContain('header.csv, line 1');
    expect(await failed([channel('train', 'rows/')])).toContain("is not 'LIBSVM' format");
    expect(await failed([channel('train', 'rows/', 'text/csv;label_size=2')])).toContain(
      'is not an accepted ContentType',
    );
    expect(await failed([channel('extra', 'rows/', 'text/csv')])).toContain('Missing required channel: train');
  });

  test('early stopping by the last metric on the validation rows keeps the best rounds', async () => {
    const hyperparameters = {
      ...xgboostHyperparameters,
      num_round: '200',
      eval_metric: 'mae,rmse',
      early_stopping_rounds: '5',
    };
    expect(await fixture.run('TrainingJob', 'early', training({}, hyperparameters))).toMatchObject({
      status: 'Completed',
    });
    const rounds = (await fixture.log('TrainingJobs', 'early')).filter((line) => /^\[\d+\]#011/.test(line));
    const errors = rounds.map((line) => Number(/validation-rmse:([\d.]+)/.exec(line)![1]));
    const best = errors.indexOf(Math.min(...errors));
    expect(rounds).toHaveLength(best + 1 + 5);
    const code = `import tarfile, xgboost
tarfile.open('model.tar.gz').extract('xgboost-model')
print(xgboost.Booster(model_file='xgboost-model').num_boosted_rounds())`;
    const kept = await fixture.runPython(code, {
      'model.tar.gz': await fixture.get('models/early/output/model.tar.gz'),
    });
    expect(Number(kept)).toBe(best + 1);
    // Without a metric of one's own the image does not stop early.
    const { eval_metric: _, ...without } = hyperparameters;
    await fixture.run('TrainingJob', 'not-early', training({}, { ...without, num_round: '60' }));
    expect((await fixture.log('TrainingJobs', 'not-early')).at(-1)).toMatch(/^\[59\]/);
  });

  test.each([
    ['true', true],
    ['false', false],
  ])('stopped with save_model_on_termination %s', async (save, kept) => {
    const name = `terminated-${save}`;
    const hyperparameters = { ...xgboostHyperparameters, num_round: '1000000', save_model_on_termination: save };
    const job = fixture.start('TrainingJob', name, training({}, hyperparameters));
    for (let count = 0; count < 200; count++) {
      await sleep(50);
      if ((await fixture.log('TrainingJobs', name).catch(() => [] as string[])).some((line) => line.startsWith('[0]')))
        break;
    }
    job.stop();
    const result = await job.finished;
    expect(result.status).toBe('Stopped');
    expect(result.modelArtifacts !== undefined).toBe(kept);
    if (kept) expect(await stockError(await fixture.get(`models/${name}/output/model.tar.gz`))).toBeGreaterThan(0);
  });

  test('libsvm, labels of classes, early stopping', async () => {
    const rows = Array.from({ length: 60 }, (_, row) => `${row % 2} 0:${row % 2 ? 1 : 0} 3:${row}`).join('\n');
    await fixture.put('svm/rows.libsvm', `${rows}\n`);
    const result = await fixture.run(
      'TrainingJob',
      'svm',
      training(
        { InputDataConfig: [channel('train', 'svm/'), channel('validation', 'svm/')] },
        { num_round: '40', objective: 'binary:logistic', eval_metric: 'error,logloss', early_stopping_rounds: '3' },
      ),
    );
    expect(result.status).toBe('Completed');
    expect(result.metrics!.map(({ name }) => name)).toEqual([
      'train:error',
      'train:logloss',
      'validation:error',
      'validation:logloss',
    ]);
  });
});

describe('what a program sees', () => {
  test("the job's role, region and endpoint; none of the caller's secrets", async () => {
    process.env['CALLER_SECRET'] = 'leaked';
    const code = `import boto3, json, os
identity = boto3.client('sts').get_caller_identity()
print(json.dumps({'arn': identity['Arn'], 'environment': dict(os.environ), 'directory': os.getcwd(), 'files': sorted(os.listdir('/opt/ml'))}))
print(json.load(open('/opt/ml/config/processingjobconfig.json'))['ProcessingJobName'], json.load(open('/opt/ml/config/resourceconfig.json')))`;
    const result = await fixture.run(
      'ProcessingJob',
      'looks-around',
      await script(fixture, 'looks-around', code, { Environment: { GREETING: 'hello' } }),
    );
    delete process.env['CALLER_SECRET'];
    expect(result.status).toBe('Completed');
    const [seen, configuration] = await fixture.log('ProcessingJobs', 'looks-around');
    const { arn, environment, directory, files } = JSON.parse(seen!);
    expect(arn).toContain(`:sts::${account}:assumed-role/OrganizationAccountAccessRole/`);
    expect(environment).toMatchObject({
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      GREETING: 'hello',
      AWS_ENDPOINT_URL: fixture.platform.url,
    });
    expect(JSON.stringify(environment)).not.toContain('leaked');
    expect(directory).not.toBe(process.cwd());
    expect(files).toEqual(['config', 'output', 'processing']);
    expect(configuration).toContain("looks-around {'current_host': 'algo-1', 'hosts': ['algo-1']}");
  });

  test('two jobs of one name at once share no file', async () => {
    const code = `import os, time, sys
open('/opt/ml/processing/out/mine', 'w').write(os.environ['WHO'])
open('mine', 'w').write(os.environ['WHO'])
time.sleep(0.3)
print(open('/opt/ml/processing/out/mine').read() + open('mine').read() + str(len(os.listdir('.'))))`;
    const request = await script(fixture, 'isolated', code);
    await Promise.all(
      ['a', 'b'].map((who) =>
        fixture.run('ProcessingJob', 'twin', {
          ...request,
          Environment: { WHO: who },
          ProcessingOutputConfig: { Outputs: [output('out', `twin/${who}`, `${folder}/out`)] },
        }),
      ),
    );
    expect((await fixture.get('twin/a/mine')).toString()).toBe('a');
    expect((await fixture.get('twin/b/mine')).toString()).toBe('b');
  });

  test('nothing is left on the disk after a job', async () => {
    const jobs = path.join(fixture.platform.stateDirectory, 'jobs');
    expect(existsSync(jobs) ? await readdir(jobs) : []).toEqual([]);
  });
});

test('what a job installs is its own', async () => {
  const code = `import importlib.metadata, os, subprocess, sys, zipfile
name = '/opt/ml/processing/tiny-1.0-py3-none-any.whl'
with zipfile.ZipFile(name, 'w') as wheel:
    wheel.writestr('tiny.py', 'size = 1')
    wheel.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    wheel.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.0.dist-info/RECORD', '')
subprocess.run(['pip', 'install', '--quiet', '--no-index', '--no-deps', name], check=True)
print(subprocess.run([sys.executable, '-c', 'import tiny; print(tiny.size, tiny.__file__)'], capture_output=True, text=True).stdout)`;
  expect(await fixture.run('ProcessingJob', 'installs', await script(fixture, 'installs', code))).toMatchObject({
    status: 'Completed',
  });
  expect((await fixture.log('ProcessingJobs', 'installs')).join('\n')).toMatch(
    /^1 \S+\/jobs\/installs-\S+\/packages\/tiny\.py$/m,
  );
  await expect(fixture.runPython('import tiny')).rejects.toThrow("No module named 'tiny'");
});

describe('how a job ends', () => {
  test('exit code and message of a failed program', async () => {
    const code = `import sys
open('/opt/ml/output/message', 'w').write('out of cheese')
print('last words', file=sys.stderr)
sys.exit(3)`;
    const result = await fixture.run('ProcessingJob', 'fails', await script(fixture, 'fails', code));
    expect(result).toMatchObject({ status: 'Failed', failureReason: 'AlgorithmError: out of cheese, exit code: 3' });
    expect(await fixture.log('ProcessingJobs', 'fails')).toEqual(['last words']);
  });

  test('an exit message of a successful one', async () => {
    const code = `open('/opt/ml/output/message', 'w').write('all well')`;
    expect(await fixture.run('ProcessingJob', 'message', await script(fixture, 'message', code))).toMatchObject({
      status: 'Completed',
      exitMessage: 'all well',
    });
  });

  test('an injected failure runs nothing', async () => {
    const request = await script(fixture, 'never', `open('/opt/ml/processing/out/x', 'w')`);
    const result = await fixture.run('ProcessingJob', 'never', request, {
      injectedFailure: 'CapacityError: none left',
    });
    expect(result).toMatchObject({ status: 'Failed', failureReason: 'CapacityError: none left' });
    await expect(fixture.get('out/never/x')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('missing input, missing bucket, foreign image', async () => {
    const request = await script(fixture, 'input', 'pass');
    const failed = async (change: Record<string, any>) =>
      (await fixture.run('ProcessingJob', 'input', { ...request, ...change })).failureReason;
    expect(await failed({ ProcessingInputs: [input('x', 'no/such/prefix', `${folder}/x`)] })).toContain(
      `No S3 objects found under S3 URL "s3://${bucket}/no/such/prefix"`,
    );
    const elsewhere = {
      InputName: 'x',
      S3Input: { S3Uri: 's3://no-such-bucket/x', LocalPath: `${folder}/x`, S3DataType: 'S3Prefix' },
    };
    expect(await failed({ ProcessingInputs: [elsewhere] })).toMatch(
      /ClientError: .*s3:\/\/no-such-bucket\/x.*NoSuchBucket/,
    );
    const foreign = image.replaceAll('eu-west-1', 'us-east-1');
    expect(await failed({ AppSpecification: { ...request.AppSpecification, ImageUri: foreign } })).toContain(
      'is in the registry of us-east-1',
    );
  });

  test("what the job's role may not do fails the job, by name", async () => {
    const { iam } = fixture.platform.administrator(account);
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }],
    };
    await iam.send(new CreateRoleCommand({ RoleName: 'reader', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['s3:GetObject', 's3:ListBucket'],
          Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        },
      ],
    };
    await iam.send(
      new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'read', PolicyDocument: JSON.stringify(policy) }),
    );
    const credentials = () => fixture.platform.credentials(account, 'reader');
    const request = await script(
      fixture,
      'denied',
      `print('writing'); open('/opt/ml/processing/out/x', 'w').write('1')`,
    );
    const result = await fixture.run('ProcessingJob', 'denied', request, { credentials });
    expect(result.status).toBe('Failed');
    expect(result.failureReason).toMatch(
      new RegExp(`ClientError: Failed to write s3://${bucket}/out/denied/x: AccessDenied: .*reader.*s3:PutObject`),
    );
    // Its log is lost, which is told, and is no reason to fail.
    expect(fixture.platform.lines.join('\n')).toContain('No log of denied/');
  });

  test('stop: SIGTERM; what a training has saved by then is kept', async () => {
    const code = `import signal, sys, time
def save(*_):
    open('/opt/ml/model/half', 'w').write('half')
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print('ready', flush=True)
while True: time.sleep(0.05)`;
    await fixture.put('code/slow/slow.py', code);
    const request = training({
      AlgorithmSpecification: {
        TrainingImage: image,
        ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/slow.py'],
      },
      InputDataConfig: [channel('code', 'code/slow')],
      HyperParameters: {},
    });
    const job = fixture.start('TrainingJob', 'stopped', request);
    for (let count = 0; count < 100; count++) {
      await sleep(50);
      if ((await fixture.log('TrainingJobs', 'stopped').catch(() => [] as string[])).includes('ready')) break;
    }
    job.stop();
    expect(await job.finished).toMatchObject({
      status: 'Stopped',
      modelArtifacts: `s3://${bucket}/models/stopped/output/model.tar.gz`,
    });
    const processing = fixture.start('ProcessingJob', 'stopped-early', await script(fixture, 'stopped-early', 'pass'));
    processing.stop();
    expect(await processing.finished).toMatchObject({ status: 'Stopped' });
  });
});

test('CompressionType NONE, and further output data', async () => {
  const code = `import os
os.makedirs('/opt/ml/model/parts')
open('/opt/ml/model/parts/a', 'w').write('A')
open('/opt/ml/output/data/plot', 'w').write('P')`;
  await fixture.put('code/files/t.py', code);
  const request = training({
    AlgorithmSpecification: { TrainingImage: image, ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/t.py'] },
    InputDataConfig: [channel('code', 'code/files')],
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/plain`, CompressionType: 'NONE' },
  });
  expect(await fixture.run('TrainingJob', 'files', request)).toMatchObject({
    status: 'Completed',
    modelArtifacts: `s3://${bucket}/plain/files/output/model/`,
  });
  expect((await fixture.get('plain/files/output/model/parts/a')).toString()).toBe('A');
  expect((await fixture.get('plain/files/output/output/plot')).toString()).toBe('P');
});

test('checkpoints come back in the next job', async () => {
  const code = `import os
path = '/opt/ml/checkpoints/count'
count = int(open(path).read()) + 1 if os.path.exists(path) else 1
open(path, 'w').write(str(count))
print('count', count)`;
  await fixture.put('code/checkpoints/t.py', code);
  const request = training({
    AlgorithmSpecification: { TrainingImage: image, ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/t.py'] },
    InputDataConfig: [channel('code', 'code/checkpoints')],
    CheckpointConfig: { S3Uri: `s3://${bucket}/checkpoints` },
  });
  await fixture.run('TrainingJob', 'first', request);
  await fixture.run('TrainingJob', 'second', request);
  expect(await fixture.log('TrainingJobs', 'second')).toEqual(['count 2']);
});

test('the built-in XGBoost goes on after its newest checkpoint, to the same model', async () => {
  const rounds = (num_round: string, change: Record<string, any> = {}) =>
    training({ InputDataConfig: [channel('train', 'rows')], ...change }, { num_round, max_depth: '2' });
  await fixture.put(
    'rows/a.csv',
    Array.from({ length: 40 }, (_, row) => `${(row * 7) % 11},${row},${row % 5}`).join('\n'),
  );
  const csv = [channel('train', 'rows', 'text/csv')];
  const CheckpointConfig = { S3Uri: `s3://${bucket}/xgboost-checkpoints` };
  await fixture.run('TrainingJob', 'whole', rounds('12', { InputDataConfig: csv }));
  await fixture.run('TrainingJob', 'half', rounds('7', { InputDataConfig: csv, CheckpointConfig }));
  const rest = await fixture.run('TrainingJob', 'rest', rounds('12', { InputDataConfig: csv, CheckpointConfig }));
  expect(rest).toMatchObject({ status: 'Completed' });
  const log = await fixture.log('TrainingJobs', 'rest');
  expect(log.filter((line) => line.startsWith('[')).map((line) => /^\[(\d+)\]/.exec(line)![1])).toEqual([
    '7',
    '8',
    '9',
    '10',
    '11',
  ]);
  const code = `import tarfile, xgboost, json, sys
trees = []
for name in ('one', 'two'):
    tarfile.open(name).extract('xgboost-model')
    trees.append(xgboost.Booster(model_file='xgboost-model').get_dump())
print(len(trees[0]), trees[0] == trees[1])`;
  const files = {
    one: await fixture.get('models/whole/output/model.tar.gz'),
    two: await fixture.get('models/rest/output/model.tar.gz'),
  };
  expect(await fixture.runPython(code, files)).toBe('12 True');
});

test('where no namespace can be had, /opt/ml is rewritten in the scripts', async () => {
  const { context } = fixture.platform.platform;
  const runner = createRunner({
    directory: path.join(fixture.platform.stateDirectory, 'rewritten'),
    python: fixture.python,
    clock: context.clock,
    logger: context.logger,
    endpointUrl: () => fixture.platform.url,
    clients: context.clients,
    optMl: 'rewrite',
  });
  const code = `import os, sys
print(open('/opt/ml/processing/data/x').read(), sys.argv[1], os.environ['WHERE'])
open('/opt/ml/processing/out/x', 'w').write('done')`;
  await fixture.put('data/rewritten/x', 'names /opt/ml as data');
  const request = await script(fixture, 'rewritten', code, { Environment: { WHERE: '/opt/ml/input' } });
  request.AppSpecification = { ...request.AppSpecification, ContainerArguments: ['/opt/ml/processing'] } as any;
  request.ProcessingInputs.push(input('data', 'data/rewritten/x', `${folder}/data`));
  const result = await fixture.run('ProcessingJob', 'rewritten', request, {}, runner.jobs);
  expect(result).toMatchObject({ status: 'Completed', optMl: 'rewrite' });
  const [line] = await fixture.log('ProcessingJobs', 'rewritten');
  expect(line).toMatch(/^names \/opt\/ml as data \S+\/rewritten\/rewritten-[\w-]+\/ml\/processing \S+\/ml\/input$/);
  expect((await fixture.get('out/rewritten/x')).toString()).toBe('done');
  const packed = `import tarfile, io
tar = tarfile.open('/opt/ml/processing/out/sourcedir.tar.gz', 'w:gz')
for name, text in {'a/main.py': b"print('/opt/ml/model')", 'a/data.csv': b'/opt/ml/model'}.items():
    member = tarfile.TarInfo(name); member.size = len(text); tar.addfile(member, io.BytesIO(text))
tar.close()`;
  await fixture.run('ProcessingJob', 'packs', await script(fixture, 'packs', packed));
  const unpacks = await script(fixture, 'unpacks', '', {
    AppSpecification: {
      ImageUri: image,
      ContainerEntrypoint: [
        '/bin/bash',
        '-c',
        'cd /opt/ml/processing/input && tar xzf sourcedir.tar.gz && python a/main.py && cat a/data.csv && echo',
      ],
    },
    ProcessingInputs: [input('packed', 'out/packs', `${folder}/input`)],
  });
  expect(await fixture.run('ProcessingJob', 'unpacks', unpacks, {}, runner.jobs)).toMatchObject({
    status: 'Completed',
  });
  expect(await fixture.log('ProcessingJobs', 'unpacks')).toEqual([
    expect.stringMatching(/\/rewritten\/unpacks-[\w-]+\/ml\/model$/),
    '/opt/ml/model',
  ]);
  const trained = await fixture.run('TrainingJob', 'rewritten-train', training(), {}, runner.jobs);
  expect(trained).toMatchObject({ status: 'Completed', optMl: 'rewrite' });
  expect(
    (await fixture.get('models/rewritten-train/output/model.tar.gz')).equals(
      await fixture.get('models/train/output/model.tar.gz'),
    ),
  ).toBe(true);
  await runner.close();
});

test('network isolation; more instances than one process can be', async () => {
  const code = `import socket
print('code', socket.socket().connect_ex(('127.0.0.1', 1)))`;
  const request = await script(fixture, 'isolation', code, {
    NetworkConfig: { EnableNetworkIsolation: true },
    ProcessingResources: { ClusterConfig: { InstanceCount: 2, InstanceType: 'ml.m5.large', VolumeSizeInGB: 1 } },
  });
  const result = await fixture.run('ProcessingJob', 'isolation', request);
  if (result.optMl === 'rewrite') {
    expect(result.failureReason).toContain('Network isolation needs a Linux machine');
    return;
  }
  expect(await fixture.log('ProcessingJobs', 'isolation')).toEqual([
    'WARNING: isolation asks for 2 instances and runs as one process here.',
    'code 101',
  ]);
});

test('closing ends what runs; leftovers of a killed platform are removed by the next', async () => {
  const { context } = fixture.platform.platform;
  const directory = path.join(fixture.platform.stateDirectory, 'closing');
  await mkdir(path.join(directory, 'train-999999999-AbCdEf', 'ml'), { recursive: true });
  const make = () =>
    createRunner({
      directory,
      python: fixture.python,
      clock: context.clock,
      logger: context.logger,
      endpointUrl: () => fixture.platform.url,
      clients: context.clients,
    });
  const runner = make();
  const request = await script(fixture, 'endless', `import time; print('ready', flush=True); time.sleep(300)`);
  const job = fixture.start('ProcessingJob', 'endless', request, {}, runner.jobs);
  for (let count = 0; count < 100; count++) {
    await sleep(50);
    if ((await fixture.log('ProcessingJobs', 'endless').catch(() => [] as string[])).includes('ready')) break;
  }
  expect(await readdir(directory)).toEqual([expect.stringMatching(new RegExp(`^endless-${process.pid}-`))]);
  await runner.close();
  expect((await job.finished).status).not.toBe('Completed');
  expect(await readdir(directory)).toEqual([]);
  expect(await fixture.run('ProcessingJob', 'late', request, {}, runner.jobs)).toMatchObject({ status: 'Stopped' });
});

test('a session that ends while a job runs is renewed for what is left to do', async () => {
  const { sessions } = fixture.platform.platform.context;
  let session = await fixture.platform.credentials(account);
  let asked = 0;
  const request = await script(fixture, 'renewed', `open('/opt/ml/processing/out/x', 'w').write('1')`);
  const result = await fixture.run('ProcessingJob', 'renewed', request, {
    credentials: async () => {
      asked += 1;
      // Start, list, get: then the session counts no more, as after hours of the platform's clock.
      if (asked === 4) {
        sessions.expire(`arn:aws:iam::${account}:role/OrganizationAccountAccessRole`);
        session = await fixture.platform.credentials(account);
      }
      return session;
    },
  });
  expect(result).toMatchObject({ status: 'Completed' });
  expect(
    (
      await fixture.platform.platform.context
        .clients(session, 'eu-west-1')
        .s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'out/renewed/x' }))
    ).ContentLength,
  ).toBe(1);
});
