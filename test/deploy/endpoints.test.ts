import { describe, expect, test } from '@jest/globals';
import { type ConfigurationFacts, checkEndpoint, type EndpointFacts } from '../../src/endpoints/configuration.ts';
import { compare, pairHeldOut, parseNumbers, sample } from '../../src/endpoints/rows.ts';
import { parseMissingRole, parseReason } from '../../src/stacksets/causes.ts';

describe('rows and answers', () => {
  test.each([
    ['1,2,3', [1, 2, 3]],
    ['1\n2\n3\n', [1, 2, 3]],
    ['1\r\n2\r\n', [1, 2]],
    ['[1.5, -2e-3]', [1.5, -0.002]],
    ['', undefined],
    ['1,,2', undefined],
    ['NaN', undefined],
    ['{"predictions": 1}', undefined],
    ['<html>', undefined],
  ])('%j is %j', (text, numbers) => {
    expect(parseNumbers(text)).toEqual(numbers);
  });

  test('samples are spread, stable and keep rows with their predictions', () => {
    const heldOut = pairHeldOut('a\nb\nc\nd\n', '1\n2\n3\n4', 'x');
    expect(sample(heldOut, 2)).toEqual({ rows: ['a', 'c'], predictions: [1, 3] });
    expect(sample(heldOut, 9)).toEqual(heldOut);
  });

  test.each([
    ['', ''],
    ['a\nb', '1'],
    ['a', 'x'],
  ])('rows %j and predictions %j do not belong together', (rows, predictions) => {
    expect(() => pairHeldOut(rows, predictions, 'x')).toThrow(/held-out.csv has/);
  });

  test('the largest difference is found, with its row', () => {
    expect(compare([1, 2, 5], [1, 2.5, 5])).toEqual({ largest: 0.5, row: 2, expected: 2.5, found: 2 });
    expect(compare([1], [1, 2])).toBeUndefined();
  });
});

describe('what an endpoint runs', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const endpoint: EndpointFacts = {
    name: 'e',
    arn: 'arn:e',
    status: 'InService',
    failureReason: undefined,
    configuration: 'EndpointConfig-1',
    pending: false,
    variants: [{ name: 'AllTraffic', images: [`1.dkr.ecr.eu-west-1.amazonaws.com/x@${digest}`], instances: 2 }],
  };
  const configuration: ConfigurationFacts = {
    instanceType: 'ml.m5.large',
    instanceCount: 2,
    modelName: 'Model-1',
    modelPackages: ['arn:aws:sagemaker:r:1:model-package/g/3'],
  };
  const expected = {
    configuration: 'EndpointConfig-1',
    modelPackage: 'arn:aws:sagemaker:r:1:model-package/G/3',
    imageDigest: digest,
    instanceType: 'ml.m5.large',
    instanceCount: 2,
  };
  const wrong = (a: Partial<EndpointFacts>, b: Partial<ConfigurationFacts> = {}) =>
    checkEndpoint({ ...endpoint, ...a }, { ...configuration, ...b }, expected).map(({ logicalId }) => logicalId);

  test.each([
    [{}, {}, []],
    [{ status: 'Failed', failureReason: 'x' }, {}, ['EndpointStatus']],
    [{ status: 'UpdateRollbackFailed' }, {}, ['EndpointStatus']],
    [{ pending: true }, {}, ['PendingDeployment']],
    // InService on the old configuration: it rolled back without a word.
    [{ configuration: 'EndpointConfig-0' }, {}, ['EndpointConfigName']],
    [{}, { modelPackages: ['arn:aws:sagemaker:r:1:model-package/g/2'] }, ['ModelPackageName']],
    [{}, { modelPackages: [] }, ['ModelPackageName']],
    [{ variants: [{ name: 'A', images: [`x@sha256:${'b'.repeat(64)}`], instances: 2 }] }, {}, ['ResolvedImage']],
    [{ variants: [{ name: 'A', images: ['x:latest'], instances: 2 }] }, {}, ['ResolvedImage']],
    [{ variants: [{ name: 'A', images: [], instances: 1 }] }, {}, ['InstanceCount']],
    [{}, { instanceType: 'ml.t2.medium' }, ['InstanceType']],
  ])('%j %j: %j', (a, b, problems) => {
    expect(wrong(a, b)).toEqual(problems);
  });

  test('every problem says what was expected and what was found', () => {
    const problems = checkEndpoint(
      { ...endpoint, configuration: 'old' },
      { ...configuration, modelPackages: ['other'] },
      expected,
    );
    for (const { cause } of problems) expect(cause).toMatch(/^Expected .+, found .+/);
  });
});

describe('reasons of failed instances', () => {
  test('the form of StackSets', () => {
    const reason =
      'ResourceLogicalId:Model, ResourceType:AWS::SageMaker::Model, ResourceStatusReason:Could not access model data at s3://b/k, really.';
    expect(parseReason(reason)).toMatchObject({
      logicalId: 'Model',
      type: 'AWS::SageMaker::Model',
      cause: 'Could not access model data at s3://b/k, really',
    });
    expect(parseReason('something else')).toBeUndefined();
    expect(parseReason(undefined)).toBeUndefined();
  });

  test('a missing execution role', () => {
    const reason =
      "Account 888899990000 should have 'sagemaker-x-execution' role with trust relationship to Role 'sagemaker-x-stackset-administration'.";
    expect(parseMissingRole(reason)).toEqual({ account: '888899990000', role: 'sagemaker-x-execution' });
  });
});
