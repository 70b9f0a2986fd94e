import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { flattenMetrics } from '../../../src/metrics.ts';
import { parseDefinition, renderRoles } from '../../../src/pipelines/definition.ts';
import { compareJson, describeChange } from '../../../src/pipelines/diff.ts';
import { describeCondition, evaluate, readPath, type Scope } from '../../../src/pipelines/expressions.ts';
import { imageUri } from '../../../src/pipelines/images.ts';
import { lintDefinition } from '../../../src/pipelines/lint.ts';
import { resolveParameters } from '../../../src/pipelines/parameters.ts';
import { validateDefinition } from '../../../src/pipelines/validate.ts';

const seed = () =>
  parseDefinition(
    'seed',
    readFileSync(join(import.meta.dirname, '../../../seed-code/model-build/pipeline.json'), 'utf8'),
  );
const problems = (change: (definition: any) => void) => {
  const definition = seed();
  change(definition);
  return validateDefinition('d', definition).map(({ cause }) => cause);
};

describe('validation of a definition', () => {
  test('the seed is valid and gives no advice to follow', () => {
    expect(problems(() => undefined)).toEqual([]);
    expect(lintDefinition(seed())).toEqual([]);
  });

  const cases: [string, (definition: any) => void, RegExp][] = [
    ['an unknown key at the top', (d) => (d.Step = []), /^Step: unknown key \(did you mean Steps\?\)$/],
    ['another version', (d) => (d.Version = '2024'), /Version: must be/],
    ['no steps', (d) => (d.Steps = []), /at least one step/],
    ['a name used twice', (d) => (d.Steps[1].Name = d.Steps[0].Name), /used twice/],
    ['a bad name', (d) => (d.Steps[0].Name = 'a b'), /letters, digits/],
    ['an unknown step type', (d) => (d.Steps[0].Type = 'Processin'), /did you mean Processing/],
    ['an unknown parameter', (d) => (d.Steps[0].Arguments.RoleArn = { Get: 'Parameters.Rol' }), /no parameter Rol/],
    [
      'an unknown execution variable',
      (d) => (d.Steps[0].Arguments.RoleArn = { Get: 'Execution.PipelineExecutionID' }),
      /did you mean PipelineExecutionId/,
    ],
    [
      'a step that is not there',
      (d) => (d.Steps[0].Arguments.RoleArn = { Get: 'Steps.Trian.X' }),
      /no step Trian \(did you mean Train\?\)/,
    ],
    ['a reference to nothing', (d) => (d.Steps[0].Arguments.RoleArn = { Get: 'Foo.Bar' }), /refers to nothing/],
    [
      'a property file that is not declared',
      (d) => (d.Steps[2].PropertyFiles[0].PropertyFileName = 'Other'),
      /no property file/,
    ],
    [
      'a path with $',
      (d) => (d.Steps[3].Arguments.Conditions[0].LeftValue['Std:JsonGet'].Path = '$.mse'),
      /must not begin with \$/,
    ],
    ['an unknown condition', (d) => (d.Steps[3].Arguments.Conditions[0].Type = 'LessThen'), /did you mean LessThan/],
    ['an unknown function', (d) => (d.Steps[0].Arguments.RoleArn = { 'Std:Concat': [] }), /unknown function/],
    ['a cycle', (d) => (d.Steps[0].DependsOn = ['Evaluate']), /depends on itself/],
    [
      'dependence on a Fail step',
      (d) => (d.Steps[2].DependsOn = [d.Steps[3].Arguments.ElseSteps[0].Name]),
      /Fail step/,
    ],
    ['a parameter declared twice', (d) => d.Parameters.push(d.Parameters[0]), /declared twice/],
    [
      'a default of another type',
      (d) => d.Parameters.push({ Name: 'N', Type: 'Integer', DefaultValue: 'x' }),
      /no Integer/,
    ],
    [
      'a default outside of its list',
      (d) => d.Parameters.push({ Name: 'N', DefaultValue: 'x', EnumValues: ['y'] }),
      /none of EnumValues/,
    ],
  ];
  test.each(cases)('%s', (_, change, expected) => {
    const found = problems(change);
    expect(found.some((cause) => expected.test(cause))).toBe(true);
  });

  test('anything at all is answered by problems, not by an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('Steps', 'Parameters', 'Version'), (value, key) => {
        const definition = { ...seed(), [key]: value } as any;
        expect(Array.isArray(validateDefinition('d', definition))).toBe(true);
      }),
    );
  });
});

describe('roles', () => {
  const placeholder = 'arn:aws:iam::000000000000:role/sagemaker-mlops-job';
  const real = 'arn:aws:iam::111122223333:role/job';

  test('every placeholder becomes the role, nothing else changes', () => {
    const { definition, problems: found } = renderRoles('d', seed(), { [placeholder]: real });
    expect(found).toEqual([]);
    expect(JSON.stringify(definition)).toBe(JSON.stringify(seed()).replaceAll(placeholder, real));
  });

  test('inside a longer text, unknown, as a key and unused are told apart', () => {
    const inside = renderRoles('d', { ...seed(), Metadata: { x: `${placeholder}/more` } }, { [placeholder]: real });
    expect(inside.problems.map(({ cause }) => cause)).toEqual([expect.stringContaining('inside a longer text')]);
    const unknown = renderRoles('d', seed(), {});
    expect(unknown.problems[0]?.cause).toContain('no role is given');
    const key = renderRoles('d', { ...seed(), Metadata: { [placeholder]: 1 } }, { [placeholder]: real });
    expect(key.problems[0]?.cause).toContain('cannot be a key');
    const unused = renderRoles('d', { Version: '2020-12-01', Steps: [] }, { [placeholder]: real });
    expect(unused.problems[0]?.cause).toContain('does not occur');
  });
});

describe('parameters', () => {
  const definition = {
    Version: '2020-12-01',
    Steps: [],
    Parameters: [
      { Name: 'Text', Type: 'String' as const },
      { Name: 'Count', Type: 'Integer' as const, DefaultValue: 1 },
      { Name: 'Rate', Type: 'Float' as const, DefaultValue: 0.5 },
      { Name: 'Flag', Type: 'Boolean' as const, DefaultValue: false },
      { Name: 'Kind', Type: 'String' as const, DefaultValue: 'a', EnumValues: ['a', 'b'] },
      { Name: 'KmsKeyArn', Type: 'String' as const },
    ],
  };

  test('given wins over known, defaults stay with the service', () => {
    expect(
      resolveParameters('f', definition, {
        given: { Text: 'x', Count: 3, Rate: 6 },
        known: { KmsKeyArn: 'k', OutputUri: 'o' },
      }),
    ).toEqual({
      values: { Text: 'x', Count: '3', Rate: '6', KmsKeyArn: 'k' },
      problems: [],
    });
  });

  test('all that does not fit is told', () => {
    const { problems: found } = resolveParameters('f', definition, {
      given: { Count: '1.5', Rate: 'x', Flag: 'yes', Kind: 'c', Txet: '1' },
      known: {},
    });
    expect(found.map(({ logicalId }) => logicalId)).toEqual([
      'Txet',
      'Text',
      'Count',
      'Rate',
      'Flag',
      'Kind',
      'KmsKeyArn',
    ]);
  });
});

describe('differences', () => {
  test('of named lists are told by name', () => {
    const before = {
      Steps: [
        { Name: 'A', x: 1 },
        { Name: 'B', x: 1 },
      ],
    };
    const after = {
      Steps: [
        { Name: 'New', x: 0 },
        { Name: 'A', x: 2 },
        { Name: 'B', x: 1 },
      ],
    };
    expect(compareJson(before, after).map(describeChange)).toEqual([
      '+ Steps[New]: {"Name":"New","x":0}',
      '~ Steps[A].x: 1 -> 2',
    ]);
  });

  test('equal values have none, whatever the order of keys; others have at least one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(compareJson(a, JSON.parse(JSON.stringify(a)))).toEqual([]);
        const equal = compareJson(a, b).length === 0;
        if (equal) expect(a).toEqual(b);
      }),
    );
  });
});

describe('expressions', () => {
  const scope: Scope = {
    definition: {
      Version: '2020-12-01',
      Parameters: [{ Name: 'Limit', Type: 'Float', DefaultValue: 6 }],
      Steps: [
        {
          Name: 'Evaluate',
          Type: 'Processing',
          PropertyFiles: [{ PropertyFileName: 'Report', OutputName: 'evaluation', FilePath: 'e.json' }],
        },
      ],
    },
    parameters: {},
    steps: [],
    outputUri: async (step, output) => `s3://b/${step}/${output}/`,
    readJson: async (uri) => ({ uri, a: { b: [{ c: 4.5 }] }, 'odd.key': 1 }),
  };
  const jsonGet = (Path: string) => ({
    'Std:JsonGet': { PropertyFile: { Get: 'Steps.Evaluate.PropertyFiles.Report' }, Path },
  });

  test('values of parameters, joins and property files', async () => {
    expect(await evaluate({ Get: 'Parameters.Limit' }, scope)).toBe(6);
    expect(await evaluate({ 'Std:Join': { On: '/', Values: ['a', { Get: 'Parameters.Limit' }] } }, scope)).toBe('a/6');
    expect(await evaluate(jsonGet('uri'), scope)).toBe('s3://b/Evaluate/evaluation/e.json');
    expect(await evaluate(jsonGet("a.b[0]['c']"), scope)).toBe(4.5);
    expect(await evaluate({ Get: 'Steps.Evaluate.Anything' }, scope)).toBeUndefined();
    expect(readPath({ 'odd.key': 1 }, "['odd.key']")).toBe(1);
  });

  test('conditions say both sides and whether they hold', async () => {
    const right = { Get: 'Parameters.Limit' };
    const left = jsonGet('a.b[0].c');
    expect(await describeCondition({ Type: 'LessThanOrEqualTo', LeftValue: left, RightValue: right }, scope)).toEqual({
      text: 'a.b[0].c 4.5 <= Limit 6',
      holds: true,
    });
    expect(
      await describeCondition(
        { Type: 'Not', Condition: { Type: 'GreaterThan', LeftValue: left, RightValue: 1 } },
        scope,
      ),
    ).toEqual({ text: 'not (a.b[0].c 4.5 > 1)', holds: false });
    expect(await describeCondition({ Type: 'In', QueryValue: left, Values: [1, 4.5] }, scope)).toMatchObject({
      holds: true,
    });
    expect(
      await describeCondition(
        {
          Type: 'Or',
          Conditions: [
            { Type: 'Equals', LeftValue: left, RightValue: 1 },
            { Type: 'Equals', LeftValue: { Get: 'Steps.X.Y' }, RightValue: 1 },
          ],
        },
        scope,
      ),
    ).toMatchObject({ holds: undefined });
  });
});

test('images: the registry of the region, or the reason why there is none', () => {
  expect(imageUri('f', 'ImageUri', 'sagemaker-xgboost:3.2-0', 'eu-west-1').uri).toBe(
    '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0',
  );
  expect(imageUri('f', 'ImageUri', 'sagemaker-xgboost:3.2-0', 'cn-north-1').uri).toMatch(/\.amazonaws\.com\.cn\//);
  expect(imageUri('f', 'ImageUri', 'sagemaker-xgbost:1', 'eu-west-1').problem?.cause).toContain(
    'did you mean sagemaker-xgboost?',
  );
  expect(imageUri('f', 'ImageUri', 'sagemaker-xgboost:1', 'xx-nowhere-1').problem?.cause).toContain('no registry');
});

test('metrics: every number by its path, nothing else', () => {
  expect(
    flattenMetrics({ a: { b: { value: 1, standard_deviation: 'NaN' } }, curve: [1, 2], d: null, e: Number.NaN }),
  ).toEqual({ 'a.b.value': 1 });
});

describe('advice', () => {
  const advise = (change: (definition: any) => void) => {
    const definition = seed();
    change(definition);
    return lintDefinition(definition).join('\n');
  };
  const cases: [string, (definition: any) => void, RegExp][] = [
    [
      'an output that every execution overwrites',
      (d) => (d.Steps[0].Arguments.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri = 's3://b/x'),
      /execution id/,
    ],
    ['a job without a time limit', (d) => delete d.Steps[1].Arguments.StoppingCondition, /StoppingCondition/],
    ['a condition without an else', (d) => (d.Steps[3].Arguments.ElseSteps = []), /ElseSteps/],
    ['a literal threshold', (d) => (d.Steps[3].Arguments.Conditions[0].RightValue = 6), /literal 6/],
    [
      'registering as approved',
      (d) => (d.Steps[3].Arguments.IfSteps[0].Arguments.ModelApprovalStatus = 'Approved'),
      /gate approves/,
    ],
    [
      'a forged gate record',
      (d) => (d.Steps[3].Arguments.IfSteps[0].Arguments.CustomerMetadataProperties['gate-run'] = '1'),
      /belongs to the gate/,
    ],
    [
      'a secret in the environment',
      (d) => (d.Steps[0].Arguments.Environment = { DB_PASSWORD: 'x' }),
      /looks like a secret/,
    ],
    ['capitals in S3', (d) => (d.Steps[0].Arguments.ProcessingInputs[0].S3Input.S3Uri = 'S3://b/x'), /capitals/],
  ];
  test.each(cases)('%s', (_, change, expected) => expect(advise(change)).toMatch(expected));
});
