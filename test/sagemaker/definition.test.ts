import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreatePipelineCommand, ListPipelinesCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { validateDefinition } from '../../local/aws/services/sagemaker/pipelines/validate.ts';
import { gate, mse, processing, register, training } from './support/definitions.ts';
import { createWorld, pipelineRole, token, type World } from './support/world.ts';

type Json = Record<string, any>;

function problemsOf(change: (definition: Json) => void): { path: string; message: string }[] {
  const definition = gate();
  change(definition);
  return validateDefinition(JSON.stringify(definition)).problems;
}

// Places in the gate: 0 Gate, 1 Train, 2 Evaluate, 3 Preprocess.
const steps = (definition: Json): Json[] => definition['Steps'];
const conditions = (definition: Json): Json[] => steps(definition)[0]?.['Arguments'].Conditions;

const mutants: [name: string, change: (definition: Json) => void, path: string, message: RegExp][] = [
  ['unknown version', (d) => (d['Version'] = '2021-01-01'), '$.Version', /2020-12-01/],
  ['unknown key at the top', (d) => (d['Foo'] = 1), '$.Foo', /unknown property 'Foo'/],
  ['no steps', (d) => delete d['Steps'], '$.Steps', /list/],
  ['unknown key of a step', (d) => (steps(d)[1]!['Retries'] = 1), '$.Steps[1].Retries', /unknown property 'Retries'/],
  ['unknown type', (d) => (steps(d)[1]!['Type'] = 'Trainig'), '$.Steps[1].Type', /Trainig/],
  [
    'cache on a step that has none',
    (d) => (steps(d)[0]!['CacheConfig'] = { Enabled: true }),
    '$.Steps[0].CacheConfig',
    /unknown/,
  ],
  ['name with a space', (d) => (steps(d)[3]!['Name'] = 'Pre process'), '$.Steps[3].Name', /letters/],
  ['name of 65 characters', (d) => (steps(d)[3]!['Name'] = 'x'.repeat(65)), '$.Steps[3].Name', /64/],
  ['parameter twice', (d) => d['Parameters'].push({ Name: 'Rounds' }), '$.Parameters[3].Name', /twice/],
  [
    'default of another type',
    (d) => (d['Parameters'][1].DefaultValue = '50'),
    '$.Parameters[1].DefaultValue',
    /Unexpected type for parameter 'Rounds'/,
  ],
  ['unknown parameter type', (d) => (d['Parameters'][1].Type = 'Int'), '$.Parameters[1].Type', /Integer/],
  [
    'default outside the enumeration',
    (d) => (d['Parameters'][2].DefaultValue = 'x'),
    '$.Parameters[2].DefaultValue',
    /EnumValues/,
  ],
  [
    'unknown member of the request',
    (d) => (steps(d)[1]!['Arguments'].ResourceConfig.InstanceTyp = 'ml.m5.large'),
    '$.Steps[1].Arguments.ResourceConfig.InstanceTyp',
    /unknown property 'InstanceTyp'/,
  ],
  [
    'missing member of the request',
    (d) => delete steps(d)[1]!['Arguments'].RoleArn,
    '$.Steps[1].Arguments.RoleArn',
    /must not be null/,
  ],
  [
    'missing member deep inside',
    (d) => delete steps(d)[3]!['Arguments'].ProcessingOutputConfig.Outputs[0].OutputName,
    '$.Steps[3].Arguments.ProcessingOutputConfig.Outputs[0].OutputName',
    /must not be null/,
  ],
  [
    'text for a number',
    (d) => (steps(d)[3]!['Arguments'].ProcessingResources.ClusterConfig.InstanceCount = '1'),
    '$.Steps[3].Arguments.ProcessingResources.ClusterConfig.InstanceCount',
    /expected a number/,
  ],
  [
    'number for a hyperparameter',
    (d) => (steps(d)[1]!['Arguments'].HyperParameters.depth = 5),
    '$.Steps[1].Arguments.HyperParameters.depth',
    /expected a text/,
  ],
  [
    'object for a list',
    (d) => (steps(d)[1]!['Arguments'].InputDataConfig = {}),
    '$.Steps[1].Arguments.InputDataConfig',
    /expected a list/,
  ],
  [
    'unknown value of an enumeration',
    (d) => (steps(d)[3]!['Arguments'].ProcessingInputs[0].S3Input.S3InputMode = 'FastFile'),
    '$.Steps[3].Arguments.ProcessingInputs[0].S3Input.S3InputMode',
    /Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy enum value set: \[Pipe, File\]/,
  ],
  [
    'number outside its range',
    (d) => (steps(d)[3]!['Arguments'].ProcessingResources.ClusterConfig.InstanceCount = 0),
    '$.Steps[3].Arguments.ProcessingResources.ClusterConfig.InstanceCount',
    /'ProcessingInstanceCount'/,
  ],
  [
    'too many inputs',
    (d) => (steps(d)[3]!['Arguments'].ProcessingInputs = Array(11).fill(steps(d)[3]!['Arguments'].ProcessingInputs[0])),
    '$.Steps[3].Arguments.ProcessingInputs',
    /length between 0 and 10/,
  ],
  [
    'endless hyperparameter name',
    (d) => (steps(d)[1]!['Arguments'].HyperParameters['h'.repeat(257)] = 'x'),
    `$.Steps[1].Arguments.HyperParameters.${'h'.repeat(257)}`,
    /'HyperParameterKey'/,
  ],
  [
    'undefined parameter',
    (d) => (conditions(d)[0]!['RightValue'] = { Get: 'Parameters.Max' }),
    '$.Steps[0].Arguments.Conditions[0].RightValue',
    /Parameter 'Max' is undefined/,
  ],
  [
    'undefined parameter inside a join',
    (d) =>
      (steps(d)[1]!['Arguments'].HyperParameters.num_round = {
        'Std:Join': { On: '', Values: [{ Get: 'Parameters.N' }] },
      }),
    "$.Steps[1].Arguments.HyperParameters.num_round['Std:Join'].Values[0]",
    /Parameter 'N' is undefined/,
  ],
  [
    'unknown execution variable',
    (d) => (steps(d)[1]!['Arguments'].Environment = { X: { Get: 'Execution.Now' } }),
    '$.Steps[1].Arguments.Environment.X',
    /'Now'/,
  ],
  [
    'reference to a step that is not there',
    (d) => (steps(d)[1]!['Arguments'].Environment = { X: { Get: 'Steps.Nowhere.ModelName' } }),
    '$.Steps[1].Arguments.Environment.X',
    /step 'Nowhere' does not exist/,
  ],
  [
    'property that a training job has not',
    (d) => (steps(d)[2]!['Arguments'].Environment = { X: { Get: 'Steps.Train.ModelArtifacts.S3Model' } }),
    '$.Steps[2].Arguments.Environment.X',
    /no property 'S3Model'/,
  ],
  [
    'property file that is not declared',
    (d) =>
      (conditions(d)[0]!['LeftValue'] = {
        'Std:JsonGet': { PropertyFile: { Get: 'Steps.Evaluate.PropertyFiles.Other' }, Path: 'a' },
      }),
    '$.Steps[0].Arguments.Conditions[0].LeftValue',
    /no property file 'Other'/,
  ],
  [
    'property file of an output that is not there',
    (d) => (steps(d)[2]!['PropertyFiles'][0].OutputName = 'evaluation'),
    '$.Steps[2].PropertyFiles[0].OutputName',
    /no output 'evaluation'/,
  ],
  [
    'path with a dollar in front',
    (d) =>
      (conditions(d)[0]!['LeftValue'] = {
        'Std:JsonGet': { PropertyFile: { Get: 'Steps.Evaluate.PropertyFiles.Report' }, Path: '$.a[b]' },
      }),
    '$.Steps[0].Arguments.Conditions[0].LeftValue',
    /not a path/,
  ],
  [
    'unknown condition',
    (d) => (conditions(d)[0]!['Type'] = 'NotEquals'),
    '$.Steps[0].Arguments.Conditions[0].Type',
    /NotEquals/,
  ],
  [
    'condition without a side',
    (d) => delete conditions(d)[0]!['RightValue'],
    '$.Steps[0].Arguments.Conditions[0].RightValue',
    /expected/,
  ],
  [
    'condition on an object',
    (d) => (conditions(d)[0]!['RightValue'] = { a: 1 }),
    '$.Steps[0].Arguments.Conditions[0].RightValue',
    /expected/,
  ],
  [
    'dependence on nothing',
    (d) => (steps(d)[3]!['DependsOn'] = ['Ghost']),
    '$.Steps[3].DependsOn',
    /'Ghost' does not exist/,
  ],
  [
    'dependence on a Fail step',
    (d) => (steps(d)[0]!['Arguments'].IfSteps[0].DependsOn = ['TooBad']),
    '$.Steps[0].Arguments.IfSteps[0].DependsOn',
    /Fail step 'TooBad'/,
  ],
  [
    'dependence into a branch',
    (d) => (steps(d)[3]!['DependsOn'] = ['Register']),
    '$.Steps[3].DependsOn',
    /only runs inside the IfSteps of 'Gate'/,
  ],
  [
    'reference from the other branch',
    (d) => (steps(d)[0]!['Arguments'].ElseSteps[0].Arguments.ErrorMessage = { Get: 'Steps.Register.ModelPackageArn' }),
    '$.Steps[0].Arguments.ElseSteps[0].Arguments',
    /only runs inside the IfSteps/,
  ],
  [
    'the same name in a branch',
    (d) => (steps(d)[0]!['Arguments'].ElseSteps[0].Name = 'Train'),
    '$.Steps[1].Name',
    /appears twice/,
  ],
  [
    'a cycle',
    (d) => (steps(d)[3]!['DependsOn'] = ['Evaluate']),
    '$.Steps[1]',
    /Train -> Preprocess -> Evaluate -> Train/,
  ],
  [
    'expiry that is no duration',
    (d) => (steps(d)[3]!['CacheConfig'] = { Enabled: true, ExpireAfter: 'soon' }),
    '$.Steps[3].CacheConfig.ExpireAfter',
    /soon/,
  ],
  [
    'both limits of a retry policy',
    (d) =>
      (steps(d)[3]!['RetryPolicies'] = [{ ExceptionType: ['Step.THROTTLING'], MaxAttempts: 1, ExpireAfterMin: 1 }]),
    '$.Steps[3].RetryPolicies[0]',
    /exclude each other/,
  ],
  [
    'unknown exception of a retry policy',
    (d) => (steps(d)[3]!['RetryPolicies'] = [{ ExceptionType: ['Step.ANY'] }]),
    '$.Steps[3].RetryPolicies[0].ExceptionType[0]',
    /Step.ANY/,
  ],
  [
    'endless Fail message',
    (d) => (steps(d)[0]!['Arguments'].ElseSteps[0].Arguments.ErrorMessage = 'x'.repeat(3073)),
    '$.Steps[0].Arguments.ElseSteps[0].Arguments.ErrorMessage',
    /3072/,
  ],
];

describe('the definition validator', () => {
  it('accepts the gate, in any order of its steps', () => {
    expect(problemsOf(() => {})).toEqual([]);
    expect(problemsOf((definition) => definition['Steps'].reverse())).toEqual([]);
  });

  it('accepts the committed definition of the seed code', () => {
    const text = readFileSync(join(import.meta.dirname, '../../seed-code/model-build/pipeline.json'), 'utf8');
    expect(validateDefinition(text).problems).toEqual([]);
  });

  it.each(mutants)('refuses %s', (_name, change, path, message) => {
    const problems = problemsOf(change);
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(problems.find((problem) => problem.path === path)?.message).toMatch(message);
  });

  it('reports a mistake once, and nothing that follows from it', () => {
    for (const [name, change, path] of mutants) {
      // A renamed or retyped step leaves its references dangling: those are mistakes too.
      if (/name|unknown type/.test(name)) continue;
      expect(problemsOf(change).map((problem) => problem.path)).toEqual([path]);
    }
  });

  it('takes null as absent, as the SDK writes it', () => {
    const problems = problemsOf((definition) => {
      definition['MlflowConfig'] = null;
      definition['PipelineExperimentConfig'] = null;
      steps(definition)[1]!['Arguments'].OutputDataConfig.KmsKeyId = null;
    });
    expect(problems).toEqual([]);
  });

  it('accepts every step type that the SDK writes, also those that cannot run here', () => {
    const output = [{ OutputName: 'k', OutputType: 'String' }];
    const check = {
      Arguments: { ProcessingResources: {}, AppSpecification: {} },
      ModelPackageGroupName: 'g',
      SkipCheck: true,
      FailOnViolation: false,
      RegisterNewBaseline: { Get: 'Parameters.Label' },
      SuppliedBaselineConstraints: null,
    };
    const others = [
      { Type: 'Lambda', Arguments: { a: 1 }, FunctionArn: 'arn', OutputParameters: output },
      { Type: 'Callback', Arguments: {}, SqsQueueUrl: 'https://sqs', OutputParameters: output },
      { Type: 'QualityCheck', ...check, CheckType: 'DATA_QUALITY', SuppliedBaselineStatistics: 's3://b/k' },
      { Type: 'ClarifyCheck', ...check, CheckType: 'MODEL_BIAS', ModelName: 'm', CacheConfig: { Enabled: true } },
      { Type: 'EMR', Arguments: { ClusterId: 'j-1', StepConfig: { HadoopJarStep: { Jar: 'x.jar' } } } },
      { Type: 'ForEach', Arguments: { Steps: [{ Name: 'Inner', Environment: { Get: 'ForEach.item.path' } }] } },
      {
        Type: 'Endpoint',
        Arguments: { EndpointName: 'e', EndpointConfigName: { Get: 'Steps.Lambda0.OutputParameters' } },
      },
    ].map((step, index) => ({ ...step, Name: `${step.Type}${index}` }));
    expect(problemsOf((definition) => definition['Steps'].push(...others))).toEqual([]);
    const wrong = {
      Name: 'Wrong',
      Type: 'Fail',
      Arguments: { ErrorMessage: { Get: "Steps.Lambda0.OutputParameters['z']" } },
    };
    expect(problemsOf((definition) => definition['Steps'].push(...others, wrong)).map(({ path }) => path)).toEqual([
      '$.Steps[11].Arguments.ErrorMessage',
    ]);
  });

  it('finds the nested conditions of both branches', () => {
    const inner = (name: string, value: unknown) => ({
      Name: name,
      Type: 'Condition',
      Arguments: {
        Conditions: [{ Type: 'Equals', LeftValue: value, RightValue: 1 }],
        IfSteps: [register(`${name}R`)],
        ElseSteps: [],
      },
    });
    const problems = problemsOf((definition) => {
      steps(definition)[0]!['Arguments'].IfSteps = [inner('Yes', mse)];
      steps(definition)[0]!['Arguments'].ElseSteps = [inner('No', { Get: 'Parameters.Nope' })];
    });
    expect(problems.map((problem) => problem.path)).toEqual([
      '$.Steps[0].Arguments.ElseSteps[0].Arguments.Conditions[0].LeftValue',
    ]);
  });

  it('lets steps inside a branch depend on each other and on everything around them', () => {
    expect(
      problemsOf((definition) => {
        steps(definition)[0]!['Arguments'].IfSteps.push(
          processing('After', { DependsOn: ['Register', 'Train'] }),
          training('Again', { Get: 'Steps.Register.InferenceSpecification.Containers[0].ModelDataUrl' }),
        );
      }),
    ).toEqual([]);
  });
});

describe('CreatePipeline', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.createRoles();
  });
  afterAll(() => world.close());

  it('answers all mistakes of a definition at once, with their places, and creates nothing', async () => {
    const { sagemaker } = world.administrator();
    const definition = gate();
    definition['Parameters'][0].Type = 'Decimal';
    delete definition['Steps'][1].Arguments.RoleArn;
    definition['Steps'][2].DependsOn = ['Trian'];
    const create = sagemaker.send(
      new CreatePipelineCommand({
        PipelineName: 'broken',
        PipelineDefinition: JSON.stringify(definition),
        RoleArn: pipelineRole,
        ClientRequestToken: token,
      }),
    );
    await expect(create).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(
        /^Unable to parse pipeline definition\. \$\.Parameters\[0\]\.Type: .*; \$\.Steps\[1\]\.Arguments\.RoleArn: .*; \$\.Steps\[2\]\.DependsOn: .*/,
      ),
    });
    expect((await sagemaker.send(new ListPipelinesCommand({}))).PipelineSummaries).toEqual([]);
  });

  it('says where a text is no JSON', async () => {
    expect(validateDefinition('{"Version": ').problems).toEqual([
      { path: '$', message: expect.stringContaining('not a JSON document') },
    ]);
    expect(validateDefinition('[]').problems).toEqual([{ path: '$', message: 'expected an object' }]);
  });
});
