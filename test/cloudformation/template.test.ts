import { describe, expect, test } from '@jest/globals';
import { cidrBlocks } from '../../local/aws/services/cloudformation/template/cidr.ts';
import {
  type EvaluationScope,
  evaluate,
  evaluateConditions,
} from '../../local/aws/services/cloudformation/template/evaluate.ts';
import { resolveParameters } from '../../local/aws/services/cloudformation/template/parameters.ts';
import { readTemplateBody } from '../../local/aws/services/cloudformation/template/read.ts';
import { readTemplate } from '../../local/aws/services/cloudformation/template/template.ts';

const handle = { Type: 'AWS::CloudFormation::WaitConditionHandle' };
const roleType = { Type: 'AWS::IAM::Role' };

describe('notation', () => {
  test('short tags are the long functions', () => {
    const yaml = `
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Ref: !Ref Name
      Att: !GetAtt A.B.C
      AttList: !GetAtt [A, B]
      Sub: !Sub "\${A}-x"
      SubList: !Sub ["\${V}", {V: !Ref Q}]
      Number: !Sub 12345
      Join: !Join ["", [!Ref A, !GetAtt B.C]]
      If: !If [C, !Ref AWS::NoValue, [1, "1", true]]
      Cond: !Condition X
      Split: !Split [",", !Ref L]
      Date: 2012-10-17
      Octal: "0123"
      Map: !FindInMap [M, !Ref AWS::Region, k]
`;
    const { Resources } = readTemplateBody(yaml) as any;
    expect(Resources.R.Properties).toEqual({
      Ref: { Ref: 'Name' },
      Att: { 'Fn::GetAtt': ['A', 'B.C'] },
      AttList: { 'Fn::GetAtt': ['A', 'B'] },
      Sub: { 'Fn::Sub': '${A}-x' },
      SubList: { 'Fn::Sub': ['${V}', { V: { Ref: 'Q' } }] },
      Number: { 'Fn::Sub': '12345' },
      Join: { 'Fn::Join': ['', [{ Ref: 'A' }, { 'Fn::GetAtt': ['B', 'C'] }]] },
      If: { 'Fn::If': ['C', { Ref: 'AWS::NoValue' }, [1, '1', true]] },
      Cond: { Condition: 'X' },
      Split: { 'Fn::Split': [',', { Ref: 'L' }] },
      Date: '2012-10-17',
      Octal: '0123',
      Map: { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'k'] },
    });
  });

  test.each<[string, string]>([
    ['a: &x 1\nb: *x', 'YAML aliases are not allowed'],
    ['Resources:\n  A: {Type: [}', 'YAML not well-formed. (line 2'],
    ['{"Resources": ', 'JSON not well-formed'],
    ['- 1', 'unsupported structure'],
    ['Resources:\n  A:\n    Type:\n', "[/Resources/A/Type] 'null' values are not allowed in templates"],
    ['Resources: {A: !Reff B}', 'unsupported structure seen at tag !Reff'],
    ['a: 1\na: 2', 'YAML not well-formed'],
  ])('%j is refused: %s', (body, message) => {
    expect(() => readTemplateBody(body)).toThrow(message);
  });
});

describe('structure', () => {
  const refuse = (template: object, message: string) =>
    expect(() => readTemplate(JSON.stringify(template))).toThrow(message);
  const with_ = (properties: object, more: object = {}) => ({
    Resources: { R: { ...roleType, Properties: properties, ...more }, H: handle },
  });

  test.each<[string, object, string]>([
    ['no resources', {}, 'At least one Resources member must be defined'],
    ['unknown section', { Resources: { H: handle }, Extra: {} }, 'Invalid template property or properties [Extra]'],
    [
      'version',
      { Resources: { H: handle }, AWSTemplateFormatVersion: '2020-01-01' },
      'unsupported value for AWSTemplateFormatVersion',
    ],
    ['macro', { Resources: { H: handle }, Transform: 'AWS::Serverless-2016-10-31' }, 'does not support macros'],
    [
      'language extensions',
      { Resources: { H: handle }, Transform: 'AWS::LanguageExtensions' },
      'AWS::LanguageExtensions',
    ],
    ['rules', { Resources: { H: handle }, Rules: {} }, 'the template section Rules'],
    ['ForEach', { Resources: { 'Fn::ForEach::X': [] } }, 'Fn::ForEach'],
    ['Length', with_({ A: { 'Fn::Length': [] } }), 'Fn::Length'],
    ['ToJsonString', with_({ A: { 'Fn::ToJsonString': {} } }), 'Fn::ToJsonString'],
    ['unknown function', with_({ A: { 'Fn::Nope': [] } }), 'unrecognized intrinsic function Fn::Nope'],
    ['unknown attribute of a resource', with_({}, { Colour: 1 }), "Invalid template resource property 'Colour'"],
    ['creation policy', with_({}, { CreationPolicy: {} }), 'the attribute CreationPolicy'],
    ['deletion policy', with_({}, { DeletionPolicy: 'Maybe' }), 'Unrecognized DeletionPolicy Maybe'],
    [
      'dangling Ref',
      with_({ A: { Ref: 'Missing' } }),
      'Unresolved resource dependencies [Missing] in the Resources block',
    ],
    ['dangling Sub', with_({ A: { 'Fn::Sub': '${Missing}' } }), 'Unresolved resource dependencies [Missing]'],
    ['dangling DependsOn', with_({}, { DependsOn: 'Missing' }), 'Unresolved resource dependencies [Missing]'],
    [
      'dangling GetAtt',
      with_({ A: { 'Fn::GetAtt': ['Missing', 'Arn'] } }),
      'Fn::GetAtt references undefined resource Missing',
    ],
    [
      'unknown attribute',
      { Resources: { R: roleType, S: { ...roleType, Properties: { Path: { 'Fn::GetAtt': ['R', 'Size'] } } } } },
      'resource R does not support attribute type Size',
    ],
    ['dangling condition', with_({}, { Condition: 'Missing' }), 'Unresolved condition Missing'],
    ['dangling mapping', with_({ A: { 'Fn::FindInMap': ['M', 'a', 'b'] } }), "Mapping named 'M' is not present"],
    ['itself', with_({ A: { Ref: 'R' } }), 'Circular dependency between resources: [R]'],
    [
      'circle',
      {
        Resources: {
          A: { ...roleType, Properties: { P: { Ref: 'B' } } },
          B: { ...roleType, Properties: { P: { 'Fn::Sub': '${C.Arn}' } } },
          C: { ...roleType, DependsOn: ['A'] },
          D: handle,
        },
      },
      'Circular dependency between resources: [A, B, C]',
    ],
    [
      'circle of conditions',
      {
        Resources: { H: handle },
        Conditions: { A: { 'Fn::Not': [{ Condition: 'B' }] }, B: { 'Fn::Not': [{ Condition: 'A' }] } },
      },
      'circular condition dependency',
    ],
    [
      'a resource in a condition',
      { Resources: { H: handle }, Conditions: { A: { 'Fn::Equals': [{ Ref: 'H' }, 'x'] } } },
      'Unresolved resource dependencies [H] in the Conditions block',
    ],
    [
      'parameter type',
      { Resources: { H: handle }, Parameters: { P: { Type: 'Colour' } } },
      'Unrecognized parameter type: Colour',
    ],
    [
      'parameter member',
      { Resources: { H: handle }, Parameters: { P: { Type: 'String', Colour: 1 } } },
      "Invalid template parameter property 'Colour'",
    ],
    ['names', { Resources: { 'a-b': handle } }, 'name a-b is non alphanumeric'],
    ['outputs', { Resources: { H: handle }, Outputs: { O: {} } }, 'must contain a Value object; O has none'],
    [
      'output property',
      { Resources: { H: handle }, Outputs: { O: { Value: 'x', Colour: 1 } } },
      "Invalid template output property 'Colour'",
    ],
    [
      'too many resources',
      { Resources: Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`H${index}`, handle])) },
      'Number of resources, 501, is greater than maximum allowed, 500',
    ],
    [
      'too many parameters',
      {
        Resources: { H: handle },
        Parameters: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`P${index}`, { Type: 'String' }])),
      },
      'Number of parameters, 201',
    ],
  ])('%s', (_, template, message) => refuse(template, message));

  test('policy documents with a Condition block are no functions', () => {
    const template = with_({ Policies: [{ Condition: { StringEquals: { a: 'b' } } }] });
    expect(() => readTemplate(JSON.stringify(template))).not.toThrow();
  });
});

describe('functions', () => {
  const base = {
    Parameters: { P: { Type: 'String' }, L: { Type: 'CommaDelimitedList' } },
    Mappings: { M: { 'eu-west-1': { one: '1', list: ['x', 'y'] } } },
    Conditions: {
      Yes: { 'Fn::Equals': [{ Ref: 'P' }, 'p'] },
      No: { 'Fn::Not': [{ Condition: 'Yes' }] },
      Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
      Any: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
    },
    Resources: { R: roleType },
  };
  const scope: EvaluationScope = {
    template: readTemplate(JSON.stringify(base)),
    parameters: { P: 'p', L: ['a', 'b'] },
    pseudo: { 'AWS::Region': 'eu-west-1', 'AWS::AccountId': '111122223333', 'AWS::Partition': 'aws' },
    availabilityZones: ['eu-west-1a', 'eu-west-1b'],
    refOf: (name) => `physical-${name}`,
    attributeOf: (name, attribute) => `${name}.${attribute}`,
    importValue: (name) => `imported-${name}`,
  };
  const conditions = evaluateConditions(scope);

  test('conditions', () => expect(conditions).toEqual({ Yes: true, No: false, Both: false, Any: true }));

  test.each<[any, any]>([
    [{ Ref: 'P' }, 'p'],
    [{ Ref: 'L' }, ['a', 'b']],
    [{ Ref: 'R' }, 'physical-R'],
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ Ref: 'AWS::NoValue' }, undefined],
    [{ a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }, 2] }, { b: [1, 2] }],
    [{ 'Fn::GetAtt': ['R', 'Arn'] }, 'R.Arn'],
    [{ 'Fn::Sub': 'a ${P} ${R.Arn} ${!Literal} ${AWS::AccountId}' }, 'a p R.Arn ${Literal} 111122223333'],
    [{ 'Fn::Sub': ['${V}-${P}', { V: { 'Fn::Join': ['+', { Ref: 'L' }] } }] }, 'a+b-p'],
    [{ 'Fn::Join': ['/', ['x', { Ref: 'P' }, 3]] }, 'x/p/3'],
    [{ 'Fn::Select': ['1', { Ref: 'L' }] }, 'b'],
    [{ 'Fn::Split': ['|', 'a|b|'] }, ['a', 'b', '']],
    [{ 'Fn::If': ['Yes', 'y', 'n'] }, 'y'],
    [{ x: { 'Fn::If': ['No', 'y', { Ref: 'AWS::NoValue' }] } }, {}],
    [{ 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'list'] }, ['x', 'y']],
    [{ 'Fn::Base64': 'text' }, 'dGV4dA=='],
    [{ 'Fn::Cidr': ['10.0.0.0/16', 2, 8] }, ['10.0.0.0/24', '10.0.1.0/24']],
    [{ 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b']],
    [{ 'Fn::ImportValue': { 'Fn::Sub': '${P}-x' } }, 'imported-p-x'],
  ])('%j', (value, expected) => expect(evaluate(value, scope, conditions)).toEqual(expected));

  test.each<[any, string]>([
    [{ 'Fn::Select': [5, { Ref: 'L' }] }, 'Fn::Select cannot select nonexistent value at index 5'],
    [{ 'Fn::FindInMap': ['M', 'us-east-1', 'one'] }, 'Unable to get mapping for M::us-east-1::one'],
    [{ 'Fn::Sub': '${L}' }, 'every Fn::Sub object requires string values'],
    [{ 'Fn::Join': [1, []] }, 'Fn::Join'],
    [{ 'Fn::GetAZs': 'us-east-1' }, 'another region'],
  ])('%j fails: %s', (value, message) => expect(() => evaluate(value, scope, conditions)).toThrow(message));

  test('blocks', () => {
    expect(cidrBlocks('192.168.0.0/24', 3, 5)).toEqual(['192.168.0.0/27', '192.168.0.32/27', '192.168.0.64/27']);
    expect(() => cidrBlocks('10.0.0.0/24', 3, 7)).toThrow('cannot make 3 blocks');
    expect(() => cidrBlocks('2001:db8::/56', 1, 64)).toThrow('IPv4');
  });
});

describe('parameters', () => {
  const template = (Parameters: object) => readTemplate(JSON.stringify({ Parameters, Resources: { H: handle } }));
  const resolve = async (declaration: object, value?: string) =>
    (
      await resolveParameters(
        template({ P: declaration }),
        value === undefined ? [] : [{ ParameterKey: 'P', ParameterValue: value }],
        undefined,
        async (name) => `value of ${name}`,
      )
    )['P'];

  test.each<[object, string | undefined, any]>([
    [{ Type: 'String', Default: 5 }, undefined, '5'],
    [{ Type: 'Number', Default: 5 }, '6', '6'],
    [{ Type: 'CommaDelimitedList' }, 'a, b', ['a', 'b']],
    [{ Type: 'List<Number>' }, '1,2', ['1', '2']],
    [{ Type: 'AWS::SSM::Parameter::Value<String>' }, '/x', 'value of /x'],
    [{ Type: 'AWS::SSM::Parameter::Name' }, '/x', '/x'],
    [{ Type: 'String', AllowedPattern: '[a-z]+' }, 'abc', 'abc'],
    [
      { Type: 'CommaDelimitedList', AllowedPattern: '^\\d{12}$' },
      '111122223333,444455556666',
      ['111122223333', '444455556666'],
    ],
  ])('%j with %j gives %j', async (declaration, value, expected) => {
    expect((await resolve(declaration, value))?.resolved).toEqual(expected);
  });

  test.each<[object, string | undefined, string]>([
    [{ Type: 'String' }, undefined, 'Parameters: [P] must have values'],
    [{ Type: 'Number' }, 'x', "Parameter 'P' must be a number."],
    [{ Type: 'String', AllowedValues: ['a'] }, 'b', "Parameter 'P' must be one of AllowedValues"],
    [{ Type: 'String', AllowedPattern: '[a-z]+' }, 'abc1', "Parameter 'P' must match pattern [a-z]+"],
    [
      { Type: 'String', AllowedPattern: 'a', ConstraintDescription: 'be a' },
      'b',
      'Parameter P failed to satisfy constraint: be a',
    ],
    [{ Type: 'String', MinLength: '2' }, 'a', 'must contain at least 2 characters'],
    [{ Type: 'String', MaxLength: 2 }, 'abc', 'must contain at most 2 characters'],
    [{ Type: 'Number', MinValue: 2 }, '1', 'must be a number not less than 2'],
    [{ Type: 'Number', MaxValue: 2 }, '3', 'must be a number not greater than 2'],
    [{ Type: 'List<Number>' }, '1,x', 'must be a number'],
    [{ Type: 'AWS::EC2::VPC::Id' }, 'vpc-1', 'does not support the parameter type AWS::EC2::VPC::Id'],
  ])('%j with %j is refused', async (declaration, value, message) => {
    await expect(resolve(declaration, value)).rejects.toThrow(message);
  });

  test('keys that nobody declared, keys given twice, previous values', async () => {
    const declared = template({ P: { Type: 'String', NoEcho: true } });
    const read = async () => '';
    const given = (list: object[], previous?: any) => resolveParameters(declared, list, previous, read);
    await expect(
      given([
        { ParameterKey: 'P', ParameterValue: 'x' },
        { ParameterKey: 'Q', ParameterValue: 'x' },
      ]),
    ).rejects.toThrow('Parameters: [Q] do not exist in the template');
    await expect(
      given([
        { ParameterKey: 'P', ParameterValue: 'x' },
        { ParameterKey: 'P', ParameterValue: 'y' },
      ]),
    ).rejects.toThrow('Duplicate parameter key: P');
    await expect(given([{ ParameterKey: 'P', UsePreviousValue: true }])).rejects.toThrow(
      'Cannot specify usePreviousValue as true',
    );
    const before = { P: { value: 'old', resolved: 'old', noEcho: true } };
    expect(await given([{ ParameterKey: 'P', UsePreviousValue: true }], before)).toEqual(before);
    // An empty value beside UsePreviousValue is none (verified on AWS by moto's tests).
    const empty = [{ ParameterKey: 'P', UsePreviousValue: true, ParameterValue: '' }];
    expect(await given(empty, before)).toEqual(before);
    const both = [{ ParameterKey: 'P', UsePreviousValue: true, ParameterValue: 'x' }];
    await expect(given(both, before)).rejects.toThrow('Cannot specify usePreviousValue as true and non empty value');
  });
});
