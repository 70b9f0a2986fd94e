/** Model servers answer as SageMaker's containers do, from the archive that was deployed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunningModelServer } from '../../local/aws/core/context.ts';
import { region } from '../support/platform.ts';
import { account, bucket, channel, image, type JobFixture, startFixture } from './fixture.ts';

let fixture: JobFixture;
let regression: RunningModelServer;
const rows = '0.5,0.25\n0.75,0.125\n0.1,0.9';
let expected: number[];

beforeAll(async () => {
  fixture = await startFixture();
  await fixture.put(
    'train/rows.csv',
    Array.from({ length: 50 }, (_, row) => `${row / 10},${row / 50},${((row * 7) % 50) / 50}`).join('\n'),
  );
  await train('regression', { num_round: '5' });
  regression = await start('regression', 'models/regression/output/model.tar.gz');
  const printed = await fixture.runPython(
    `import tarfile, numpy, xgboost
tarfile.open('model.tar.gz').extract('xgboost-model')
rows = numpy.array([[float(x) for x in line.split(',')] for line in """${rows}""".split()])
print(*xgboost.Booster(model_file='xgboost-model').predict(xgboost.DMatrix(rows)).tolist())`,
    { 'model.tar.gz': await fixture.get('models/regression/output/model.tar.gz') },
  );
  expected = printed.split(' ').map(Number);
});
afterAll(() => fixture.close());

async function train(name: string, hyperparameters: Record<string, string>, trainingImage = image): Promise<void> {
  const result = await fixture.run('TrainingJob', name, {
    AlgorithmSpecification: { TrainingImage: trainingImage, TrainingInputMode: 'File' },
    HyperParameters: hyperparameters,
    InputDataConfig: [channel('train', 'train/', 'text/csv')],
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/models` },
  });
  expect(result).toMatchObject({ status: 'Completed' });
}

function start(endpointName: string, key: string, environment: Record<string, string> = {}, containerImage = image) {
  return fixture.platform.platform.context.modelServers.start({
    account,
    region,
    endpointName,
    variantName: 'AllTraffic',
    container: { image: containerImage, modelDataUrl: `s3://${bucket}/${key}`, environment },
    credentials: () => fixture.platform.credentials(account),
  });
}

async function ask(
  server: RunningModelServer,
  body: string,
  headers: Record<string, string> = { 'content-type': 'text/csv' },
) {
  const response = await fetch(`${server.url}/invocations`, { method: 'POST', body: Buffer.from(body), headers });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

/** An archive made by Python: any members, links and escaping names included. */
async function putArchive(key: string, code: string): Promise<void> {
  const text = await fixture.runPython(`import base64, io, tarfile
buffer = io.BytesIO()
tar = tarfile.open(fileobj=buffer, mode='w:gz')
def add(name, content, **fields):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in fields.items(): setattr(member, field, value)
    tar.addfile(member, io.BytesIO(content))
${code}
tar.close()
print(base64.b64encode(buffer.getvalue()).decode())`);
  await fixture.put(key, Buffer.from(text, 'base64'));
}

describe('the XGBoost algorithm', () => {
  test('it listens on the loopback address only', () => {
    const port = Number(new URL(regression.url).port).toString(16).toUpperCase().padStart(4, '0');
    if (process.platform !== 'linux') return;
    const listening = ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${port}`))
      .map((fields) => fields[1]!.split(':')[0]);
    expect(listening).toEqual(['0100007F']);
  });

  test('ping and execution parameters', async () => {
    expect((await fetch(`${regression.url}/ping`)).status).toBe(200);
    expect(await (await fetch(`${regression.url}/execution-parameters`)).json()).toMatchObject({
      BatchStrategy: 'MULTI_RECORD',
      MaxPayloadInMB: 6,
    });
    expect((await fetch(`${regression.url}/other`)).status).toBe(404);
  });

  test('CSV in; CSV, JSON and JSON lines out: the numbers of a stock xgboost', async () => {
    const csv = await ask(regression, rows);
    expect(csv).toMatchObject({ status: 200, type: 'text/csv' });
    expect(csv.body.split('\n').map(Number)).toEqual(expected);
    expect((await ask(regression, `${rows}\n`, {})).body).toBe(csv.body);
    const json = await ask(regression, rows, { 'content-type': 'text/csv; charset=utf-8', accept: 'application/json' });
    expect(json.type).toBe('application/json');
    expect(JSON.parse(json.body)).toEqual({ predictions: expected.map((score) => ({ score })) });
    const lines = await ask(regression, rows, { 'content-type': 'text/csv', accept: 'application/jsonlines' });
    expect(
      lines.body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).score),
    ).toEqual(expected);
    const svm = await ask(regression, '0:0.5 1:0.25', { 'content-type': 'text/libsvm' });
    expect(Number(svm.body)).toBe(expected[0]);
  });

  test.each([
    ['', {}, 204, ''],
    ['a,b', { 'content-type': 'text/csv' }, 415, 'please ensure data is in csv format'],
    ['1,2\n3', { 'content-type': 'text/csv' }, 415, '1 columns instead of 2'],
    ['{}', { 'content-type': 'application/json' }, 415, 'Content-type application/json not supported'],
    ['1,2', { 'content-type': 'text/csv', accept: 'image/png' }, 406, 'Accept type image/png is not supported'],
    ['1,2,3', { 'content-type': 'text/csv' }, 400, 'Unable to evaluate payload provided'],
  ])('%j with %j: %i', async (body, headers, status, message) => {
    const answer = await ask(regression, body, headers as unknown as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(message);
  });

  test('hundred requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(regression, rows)));
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1);
  });

  test('classes give probabilities per class', async () => {
    await fixture.put(
      'train/rows.csv',
      Array.from({ length: 60 }, (_, row) => `${row % 3},${row % 3},${row}`).join('\n'),
    );
    await train('classes', { num_round: '3', objective: 'multi:softprob', num_class: '3' });
    const server = await start('classes', 'models/classes/output/model.tar.gz');
    const { body } = await ask(server, '1,4\n2,5', { 'content-type': 'text/csv', accept: 'application/json' });
    const [first] = JSON.parse(body).predictions;
    expect(first.score).toHaveLength(3);
    expect(first.score.indexOf(Math.max(...first.score))).toBe(1);
    await server.stop();
  });

  test('an image whose models are pickles has no stand-in', async () => {
    await expect(
      start('old', 'models/classes/output/model.tar.gz', {}, image.replace('3.2-0', '1.2-1')),
    ).rejects.toThrow(/1\.2-1/);
  });
});

describe('the start of a server', () => {
  test('what cannot be read, loaded or unpacked is told', async () => {
    await expect(start('none', 'models/none.tar.gz')).rejects.toThrow(
      `Could not access model data at s3://${bucket}/models/none.tar.gz`,
    );
    await fixture.put('models/text.tar.gz', 'no archive');
    await expect(start('text', 'models/text.tar.gz')).rejects.toThrow('Unable to load model');
    await putArchive('models/empty.tar.gz', '');
    await expect(start('empty', 'models/empty.tar.gz')).rejects.toThrow('the model archive holds no file');
  });

  test.each([
    ['a name that leads out', `add('../escaped', b'x')`],
    ['an absolute name', `add('/tmp/escaped', b'x')`],
    ['a link', `add('link', b'', type=tarfile.SYMTYPE, linkname='/etc/passwd')`],
    ['a device', `add('device', b'', type=tarfile.CHRTYPE)`],
  ])('an archive with %s is refused', async (_, code) => {
    await putArchive('models/bad.tar.gz', code);
    await expect(start('bad', 'models/bad.tar.gz')).rejects.toThrow('which is no plain file below the model folder');
  });

  test('a pickle is never loaded', async () => {
    await putArchive(
      'models/pickle.tar.gz',
      `import os, pickle
class Evil:
    def __reduce__(self): return (os.system, ('touch /tmp/unpickled-by-a-model-server',))
add('xgboost-model', pickle.dumps(Evil()))`,
    );
    await expect(start('pickle', 'models/pickle.tar.gz')).rejects.toThrow('Unable to load model');
    expect(() => readFileSync('/tmp/unpickled-by-a-model-server')).toThrow();
  });
});

describe('handlers of the user', () => {
  test('model_fn, input_fn, predict_fn, output_fn', async () => {
    await putArchive(
      'models/handlers.tar.gz',
      `add('factor', b'3')
add('code/helper.py', b'def times(a, b): return a * b')
add('code/inference.py', b"""
import json, os, helper
def model_fn(folder): return int(open(os.path.join(folder, 'factor')).read())
def input_fn(body, content_type):
    if content_type != 'application/json': raise ValueError('only JSON, not ' + content_type)
    return json.loads(body)
def predict_fn(data, model): return helper.times(data['x'], model)
def output_fn(prediction, accept): return json.dumps({'y': prediction}), 'application/json'
""")`,
    );
    const server = await start('handlers', 'models/handlers.tar.gz', { SAGEMAKER_PROGRAM: 'inference.py' });
    expect(await ask(server, '{"x": 14}', { 'content-type': 'application/json' })).toEqual({
      status: 200,
      type: 'application/json',
      body: '{"y": 42}',
    });
    const refused = await ask(server, 'x', { 'content-type': 'text/csv' });
    expect(refused.status).toBe(500);
    expect(refused.body).toContain('only JSON, not text/csv');
    await server.stop();
  });

  test('transform_fn; the scikit-learn image with its default handlers', async () => {
    await putArchive(
      'models/transform.tar.gz',
      `add('code/inference.py', b"""
def model_fn(folder): return 'model'
def transform_fn(model, body, content_type, accept): return model + ' ' + body, accept
""")`,
    );
    const one = await start('transform', 'models/transform.tar.gz', { SAGEMAKER_PROGRAM: 'inference.py' });
    expect((await ask(one, '1')).body).toBe('model 1');
    await one.stop();
    await putArchive(
      'models/sklearn.tar.gz',
      `add('code/inference.py', b"""
class Doubles:
    def predict(self, rows): return rows.sum(axis=1) * 2
def model_fn(folder): return Doubles()
""")`,
    );
    const sklearn = image.replace('sagemaker-xgboost:3.2-0', 'sagemaker-scikit-learn:1.9-0-cpu-py3');
    const two = await start('sklearn', 'models/sklearn.tar.gz', {}, sklearn);
    expect((await ask(two, '[[1, 2], [3, 4]]', { 'content-type': 'application/json' })).body).toBe('[6, 14]');
    expect((await ask(two, 'x', { 'content-type': 'image/png' })).status).toBe(415);
    await two.stop();
  });

  test('a broken script is the reason of the failed start', async () => {
    await putArchive('models/broken.tar.gz', `add('code/inference.py', b'import no_such_module')`);
    await expect(start('broken', 'models/broken.tar.gz', { SAGEMAKER_PROGRAM: 'inference.py' })).rejects.toThrow(
      "No module named 'no_such_module'",
    );
    await expect(start('missing', 'models/broken.tar.gz', { SAGEMAKER_PROGRAM: 'other.py' })).rejects.toThrow(
      'code/other.py (SAGEMAKER_PROGRAM) is not in the model archive',
    );
  });
});

describe('batch transform', () => {
  const transform = (change: Record<string, any> = {}) => ({
    ModelName: 'm',
    TransformInput: {
      ContentType: 'text/csv',
      SplitType: 'Line',
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `s3://${bucket}/batch/` } },
    },
    TransformOutput: { S3OutputPath: `s3://${bucket}/transformed`, AssembleWith: 'Line', KmsKeyId: fixture.kmsKey },
    ...change,
  });
  const model = () => ({
    image,
    modelDataUrl: `s3://${bucket}/models/regression/output/model.tar.gz`,
    environment: {},
  });

  test('every file, line by line', async () => {
    await fixture.put('batch/one.csv', `${rows}\n`);
    await fixture.put('batch/deep/two.csv', rows.split('\n')[0]!);
    const result = await fixture.run('TransformJob', 'batch', transform(), { model: model() });
    expect(result).toMatchObject({ status: 'Completed' });
    expect((await fixture.get('transformed/one.csv.out')).toString().trim().split('\n').map(Number)).toEqual(expected);
    expect((await fixture.get('transformed/deep/two.csv.out')).toString()).toBe(`${expected[0]}\n`);
  });

  test('filters and joined input', async () => {
    await fixture.put(
      'batch/one.csv',
      rows
        .split('\n')
        .map((line, index) => `id${index},${line}`)
        .join('\n'),
    );
    await fixture.put('batch/deep/two.csv', 'id9,0.5,0.25');
    const processing = { DataProcessing: { InputFilter: '$[1:]', JoinSource: 'Input', OutputFilter: '$[0,-1]' } };
    await fixture.run('TransformJob', 'joined', transform({ ...processing, BatchStrategy: 'SingleRecord' }), {
      model: model(),
    });
    expect((await fixture.get('transformed/one.csv.out')).toString()).toBe(
      expected.map((value, index) => `id${index},${value}\n`).join(''),
    );
  });

  test('a refused record fails the job', async () => {
    const result = await fixture.run('TransformJob', 'bad-records', transform(), { model: model() });
    expect(result).toMatchObject({ status: 'Failed' });
    expect(result.failureReason).toMatch(/the model server answered 415 for (one|deep\/two).csv/);
  });
});

test('a server that dies says so, and leaves nothing behind', async () => {
  await putArchive(
    'models/dies.tar.gz',
    `add('code/inference.py', b"import os\\ndef model_fn(folder): return 1\\ndef transform_fn(*_): print('goodbye', flush=True); os._exit(9)")`,
  );
  const server = await start('dies', 'models/dies.tar.gz', { SAGEMAKER_PROGRAM: 'inference.py' });
  await expect(ask(server, 'x')).rejects.toThrow();
  expect(await server.ended).toBe('the model server ended with exit code 9: goodbye');
  expect(await fixture.log('Endpoints/dies', 'AllTraffic')).toContain('goodbye');
});

test('when the platform closes, servers end, their last lines are kept, nothing is complained about', async () => {
  const other = await startFixture();
  await other.put('m.tar.gz', await fixture.get('models/regression/output/model.tar.gz'));
  const server = await other.platform.platform.context.modelServers.start({
    account,
    region,
    endpointName: 'closing',
    variantName: 'AllTraffic',
    container: { image, modelDataUrl: `s3://${bucket}/m.tar.gz`, environment: {} },
    credentials: () => other.platform.credentials(account),
  });
  await ask(server, rows);
  await other.close();
  await expect(fetch(`${server.url}/ping`)).rejects.toThrow();
  expect(other.platform.lines.filter((line) => line.includes('No log'))).toEqual([]);
});
