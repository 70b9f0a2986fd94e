/** Users' own training programs: script mode of SDK 2 (by hand, as its toolkit documents it) and of SDK 3 (by the SDK itself). */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packFolder } from '../../local/runner/archive.ts';
import { account, bucket, channel, image, type JobFixture, startFixture } from './fixture.ts';

let fixture: JobFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.put('train/rows.csv', '1,2\n3,4\n');
});
afterAll(() => fixture.close());

async function archive(files: Record<string, string>): Promise<Buffer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'source-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), content);
    }
    return await packFolder(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const request = (hyperparameters: Record<string, string>, change: Record<string, any> = {}) => ({
  AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File', ...change },
  HyperParameters: hyperparameters,
  InputDataConfig: [channel('train', 'train/')],
  OutputDataConfig: { S3OutputPath: `s3://${bucket}/models` },
  ResourceConfig: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1 },
});

describe('SDK 2', () => {
  const submit = async (name: string, files: Record<string, string>, hyperparameters: Record<string, string> = {}) => {
    await fixture.put(`code/${name}/sourcedir.tar.gz`, await archive(files));
    return {
      sagemaker_program: '"train.py"',
      sagemaker_submit_directory: `"s3://${bucket}/code/${name}/sourcedir.tar.gz"`,
      sagemaker_container_log_level: '20',
      sagemaker_region: '"eu-west-1"',
      ...hyperparameters,
    };
  };

  test('arguments, variables, modules beside the program, metrics by regular expression', async () => {
    const train = `import argparse, json, os, sys
import helper
print('ARGUMENTS', json.dumps(sys.argv[1:]))
print('VARIABLES', json.dumps({name: os.environ[name] for name in os.environ if name.startswith('SM_')}))
print(helper.greeting, os.getcwd())
print('loss: 0.75;')
open(os.path.join(os.environ['SM_MODEL_DIR'], 'model.txt'), 'w').write(open(os.path.join(os.environ['SM_CHANNEL_TRAIN'], 'rows.csv')).read())`;
    const hyperparameters = await submit(
      'v2',
      { 'train.py': train, 'helper.py': 'greeting = "hello"' },
      { 'learning-rate': '0.5', name: '"abc"', e: '3', flag: 'true', nested: '{"b": 2, "a": 1}' },
    );
    const definitions = { MetricDefinitions: [{ Name: 'loss', Regex: 'loss: ([0-9.]+);' }] };
    const result = await fixture.run('TrainingJob', 'v2', request(hyperparameters, definitions));
    const log = await fixture.log('TrainingJobs', 'v2');
    expect(result).toMatchObject({ status: 'Completed', metrics: [{ name: 'loss', value: 0.75 }] });
    const told = (word: string): any => JSON.parse(log.find((line) => line.startsWith(word))!.slice(word.length));
    expect(told('ARGUMENTS')).toEqual([
      '-e',
      '3',
      '--flag',
      'True',
      '--learning-rate',
      '0.5',
      '--name',
      'abc',
      '--nested',
      'a=1,b=2',
    ]);
    expect(told('VARIABLES')).toMatchObject({
      SM_CHANNELS: '["train"]',
      SM_CHANNEL_TRAIN: '/opt/ml/input/data/train',
      SM_CURRENT_HOST: 'algo-1',
      SM_CURRENT_INSTANCE_TYPE: 'ml.m5.xlarge',
      SM_HOSTS: '["algo-1"]',
      SM_HPS: '{"e":3,"flag":true,"learning-rate":0.5,"name":"abc","nested":{"a":1,"b":2}}',
      SM_HP_LEARNING_RATE: '0.5',
      SM_HP_FLAG: 'true',
      SM_HP_NAME: 'abc',
      SM_MODEL_DIR: '/opt/ml/model',
      SM_MODULE_NAME: 'train',
      SM_OUTPUT_DATA_DIR: '/opt/ml/output/data',
      SM_USER_ENTRY_POINT: 'train.py',
    });
    expect(log).toContain('hello /opt/ml/code');
  });

  test('a failing script is told as the toolkit does', async () => {
    const hyperparameters = await submit('v2-fails', { 'train.py': 'raise ValueError("out of cheese")' });
    const result = await fixture.run('TrainingJob', 'v2-fails', request(hyperparameters));
    expect(result.status).toBe('Failed');
    expect(result.failureReason).toMatch(
      /^AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: out of cheese"\nCommand ".*python.* train.py", exit code: 1$/,
    );
  });

  test('a shell program; a missing program; an archive that leaves its folder', async () => {
    const shell = await submit('v2-shell', { 'run.sh': 'echo "ran $1 $2"; echo x > $SM_MODEL_DIR/x' }, { n: '1' });
    shell.sagemaker_program = 'run.sh';
    expect(await fixture.run('TrainingJob', 'v2-shell', request(shell))).toMatchObject({ status: 'Completed' });
    expect(await fixture.log('TrainingJobs', 'v2-shell')).toContain('ran -n 1');
    const missing = await submit('v2-missing', { 'other.py': '' });
    expect((await fixture.run('TrainingJob', 'v2-missing', request(missing))).failureReason).toContain(
      'The program train.py',
    );
    const escaping = await fixture.runPython(
      `import io, tarfile, base64
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode='w:gz') as tar:
    member = tarfile.TarInfo('../../escaped.py'); member.size = 1
    tar.addfile(member, io.BytesIO(b'x'))
print(base64.b64encode(buffer.getvalue()).decode())`,
    );
    await fixture.put('code/escaping/sourcedir.tar.gz', Buffer.from(escaping, 'base64'));
    const hyperparameters = {
      sagemaker_program: 'train.py',
      sagemaker_submit_directory: `s3://${bucket}/code/escaping/sourcedir.tar.gz`,
    };
    expect((await fixture.run('TrainingJob', 'escaping', request(hyperparameters))).status).toBe('Failed');
    expect((await fixture.log('TrainingJobs', 'escaping')).join('\n')).toContain('../../escaped.py');
  });
});

describe('SDK 3', () => {
  test('what ModelTrainer compiles and uploads runs as it is', async () => {
    // The SDK looks at the role's trust and permissions before it compiles.
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    };
    const { iam } = fixture.platform.administrator(account);
    await iam.send(new CreateRoleCommand({ RoleName: 'training', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: 'training',
        PolicyName: 'everything',
        PolicyDocument: JSON.stringify(everything),
      }),
    );
    const train = `import json, os
print('MODEL DIRECTORY', os.environ['SM_MODEL_DIR'], os.environ['SM_HPS'], sorted(os.listdir(os.environ['SM_CHANNEL_TRAIN'])))
open(os.path.join(os.environ['SM_MODEL_DIR'], 'model.txt'), 'w').write('trained')`;
    const compile = `
import json, os
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
os.mkdir('source'); os.rename('train.py', 'source/train.py')
session = PipelineSession(default_bucket='${bucket}', sagemaker_config={'SchemaVersion': '1.0', 'SageMaker': {'PythonSDK': {'Modules': {'TelemetryOptOut': True}}}})
trainer = ModelTrainer(training_image='${image}', role='arn:aws:iam::${account}:role/training', sagemaker_session=session, base_job_name='v3',
    source_code=SourceCode(source_dir='source', entry_script='train.py'), hyperparameters={'alpha': 0.5, 'name': 'abc'},
    compute=Compute(instance_type='ml.m5.xlarge', instance_count=1), output_data_config=OutputDataConfig(s3_output_path='s3://${bucket}/v3'))
step = TrainingStep(name='Train', step_args=trainer.train(input_data_config=[InputData(channel_name='train', data_source='s3://${bucket}/train/')]))
definition = json.loads(Pipeline(name='p', steps=[step], sagemaker_session=session).definition())
print('DEFINITION' + json.dumps(definition['Steps'][0]['Arguments']))`;
    const environment = fixture.platform.environment(await fixture.platform.credentials(account));
    const printed = await fixture.runPython(compile, { 'train.py': Buffer.from(train) }, environment);
    const compiled = JSON.parse(
      printed
        .split('\n')
        .find((line) => line.startsWith('DEFINITION'))!
        .slice('DEFINITION'.length),
    );
    expect(fixture.platform.platform.context.jobs.check('TrainingJob', compiled)).toEqual([]);
    const result = await fixture.run('TrainingJob', 'v3', compiled);
    const log = await fixture.log('TrainingJobs', 'v3');
    expect([result.status, result.failureReason, log.join('\n')]).toEqual([
      'Completed',
      undefined,
      expect.stringContaining(`MODEL DIRECTORY /opt/ml/model`),
    ]);
    expect(log.find((line) => line.startsWith('MODEL DIRECTORY'))).toContain("['rows.csv']");
  });

  const full = process.env['TEST_FULL'] ? test : test.skip;
  full('what FrameworkProcessor compiles and uploads runs as it is', async () => {
    const main = `import sys, os, helper
print('ARGUMENTS', sys.argv[1:], helper.value, os.environ['WORD'])
open('/opt/ml/processing/out/x', 'w').write('done')`;
    const compile = `
import json, os
from sagemaker.core.processing import FrameworkProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep
os.mkdir('source'); os.rename('main.py', 'source/main.py'); os.rename('helper.py', 'source/helper.py')
session = PipelineSession(default_bucket='${bucket}', sagemaker_config={'SchemaVersion': '1.0', 'SageMaker': {'PythonSDK': {'Modules': {'TelemetryOptOut': True}}}})
processor = FrameworkProcessor(image_uri='${image}', role='arn:aws:iam::${account}:role/training', instance_count=1, instance_type='ml.m5.xlarge',
    command=['python3'], env={'WORD': 'hello'}, base_job_name='fp', sagemaker_session=session)
step = ProcessingStep(name='Process', step_args=processor.run(code='main.py', source_dir='source', arguments=['--a', '1'],
    outputs=[ProcessingOutput(output_name='out', s3_output=ProcessingS3Output(s3_uri='s3://${bucket}/fp', local_path='/opt/ml/processing/out', s3_upload_mode='EndOfJob'))]))
definition = json.loads(Pipeline(name='p', steps=[step], sagemaker_session=session).definition())
print('DEFINITION' + json.dumps(definition['Steps'][0]['Arguments']))`;
    const environment = fixture.platform.environment(await fixture.platform.credentials(account));
    const files = { 'main.py': Buffer.from(main), 'helper.py': Buffer.from('value = 42') };
    const printed = await fixture.runPython(compile, files, environment);
    const line = printed.split('\n').find((one) => one.startsWith('DEFINITION'))!;
    const compiled = JSON.parse(line.slice('DEFINITION'.length));
    expect(fixture.platform.platform.context.jobs.check('ProcessingJob', compiled)).toEqual([]);
    const result = await fixture.run('ProcessingJob', 'framework', compiled);
    const log = (await fixture.log('ProcessingJobs', 'framework')).join('\n');
    expect([result.status, result.failureReason, log]).toEqual([
      'Completed',
      undefined,
      expect.stringContaining("ARGUMENTS ['--a', '1'] 42 hello"),
    ]);
    expect((await fixture.get('fp/x')).toString()).toBe('done');
  });
});
