import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { serviceHandlers } from '../../local/aws/services/cloudformation/resources/index.ts';
import {
  checkProperties,
  resourceSchema,
  typeIsKnownToAws,
} from '../../local/aws/services/cloudformation/resources/schema.ts';

test('the extract is what the installed specification says', async () => {
  const script = join(import.meta.dirname, '../../scripts/generate-resource-types.mjs');
  await promisify(execFile)(process.execPath, [script, '--check']);
}, 60_000);

test('every handler has a schema, and its name and refused properties are in it', () => {
  for (const [type, handler] of Object.entries(serviceHandlers)) {
    const schema = resourceSchema(type);
    expect({ type, known: schema !== undefined }).toEqual({ type, known: true });
    const names = [
      ...(handler.unsupported ?? []),
      ...(handler.fixed ?? []),
      ...(handler.nameProperty === undefined ? [] : [handler.nameProperty]),
    ];
    expect({ type, unknown: names.filter((name) => schema!.properties[name] === undefined) }).toEqual({
      type,
      unknown: [],
    });
  }
});

test('what replaces and what does not', () => {
  const replaces = (type: string) =>
    Object.entries(resourceSchema(type)!.properties)
      .filter(([, property]) => property.replacement === 'yes')
      .map(([name]) => name);
  expect(replaces('AWS::SageMaker::Endpoint')).toEqual(['EndpointName']);
  const model = resourceSchema('AWS::SageMaker::Model')!.properties;
  expect(replaces('AWS::SageMaker::Model').sort()).toEqual(
    Object.keys(model)
      .filter((name) => name !== 'Tags')
      .sort(),
  );
  expect(replaces('AWS::SageMaker::ModelPackageGroup').sort()).toEqual([
    'ModelPackageGroupDescription',
    'ModelPackageGroupName',
  ]);
  expect(typeIsKnownToAws('AWS::EC2::VPC')).toBe(true);
  expect(typeIsKnownToAws('AWS::EC2::VPX')).toBe(false);
});

test('values are brought into their declared type, nested ones too', () => {
  const schema = resourceSchema('AWS::SageMaker::EndpointConfig')!;
  const { properties, problems } = checkProperties(schema, {
    ProductionVariants: [
      {
        VariantName: 'v',
        InitialInstanceCount: '2',
        InitialVariantWeight: '1.5',
        ModelName: 'm',
        InstanceType: 'ml.m5.large',
        EnableSSMAccess: 'true',
      },
    ],
  });
  expect(problems).toEqual([]);
  expect(properties['ProductionVariants']).toEqual([
    {
      VariantName: 'v',
      InitialInstanceCount: 2,
      InitialVariantWeight: 1.5,
      ModelName: 'm',
      InstanceType: 'ml.m5.large',
      EnableSSMAccess: true,
    },
  ]);
  const bad = checkProperties(schema, {
    ProductionVariants: [{ VariantName: 'v', Colour: 'red', InitialInstanceCount: 'two' }],
  });
  expect(bad.problems).toEqual([
    '#/ProductionVariants/0: extraneous key [Colour] is not permitted',
    '#/ProductionVariants/0/InitialInstanceCount: expected type: Integer, found: String',
  ]);
});
