/** The SDK's young schema exports: every operation that is served must be readable, writable and covered by the limits. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compile, limitedOperations, patternsOf, requiredMembers } from '../../local/aws/wire/limits.ts';
import { protocols } from '../../local/aws/wire/protocols.ts';
import { type Shape, serviceModel } from '../../local/aws/wire/schemas.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

/** Visits every shape below one; returns how many were seen. */
function walk(shape: Shape, seen = new Set<string>(), depth = 0): number {
  if (depth > 40) throw new Error(`${shape.name} nests too deep`);
  if (shape.kind === 'structure' || shape.kind === 'union') {
    if (seen.has(shape.name)) return 1;
    seen.add(shape.name);
    let count = 1;
    for (const member of shape.members.values()) count += walk(member, seen, depth + 1);
    return count;
  }
  if (shape.kind === 'list' || shape.kind === 'map') return 1 + walk(shape.element, seen, depth + 1);
  return 1;
}

test('every served operation has a schema that can be walked to its leaves', () => {
  const { services } = platform.platform.composition;
  const names = services.flatMap(({ id, operations }) => Object.keys(operations).map((name) => [id, name] as const));
  expect(names.length).toBeGreaterThan(100);
  for (const [id, name] of names) {
    const schema = serviceModel(id).operation(name);
    if (schema === undefined) throw new Error(`${id}.${name} is not in the model`);
    expect(walk(schema.input)).toBeGreaterThan(0);
    expect(walk(schema.output)).toBeGreaterThan(0);
    expect(protocols.some((protocol) => protocol.id === id)).toBe(true);
  }
});

test('every served operation with constraints is in the table of limits', () => {
  const { services } = platform.platform.composition;
  // Operations whose request constrains nothing, in botocore's models.
  const free = new Set([
    'GetCallerIdentity',
    'ListOpenIDConnectProviders',
    'GetAccountSummary',
    'DescribeStackResources',
  ]);
  const missing = services.flatMap(({ id, operations }) => {
    const limited = new Set(limitedOperations(id));
    return Object.keys(operations)
      .filter(
        (name) => !limited.has(name) && !free.has(name) && serviceModel(id).operation(name)!.input.members.size > 0,
      )
      .map((name) => `${id}.${name}`);
  });
  expect(missing).toEqual([]);
});

test.each([
  'sagemaker',
  'sagemaker-runtime',
  'sts',
  'iam',
  'cloudformation',
  'organizations',
  'kms',
  'ssm',
  'cloudwatch-logs',
  'ecr',
])('limits of %s fit the SDK: required members are known, patterns are ones JavaScript understands', (id) => {
  for (const pattern of patternsOf(id)) expect(compile(pattern)).toBeInstanceOf(RegExp);
  for (const name of limitedOperations(id)) {
    // botocore may be a few days ahead of the pinned SDK.
    const schema = serviceModel(id).operation(name);
    for (const member of schema === undefined ? [] : requiredMembers(id, name)) {
      expect([name, ...schema!.input.members.keys()]).toContain(member);
    }
  }
});

test('errors are found by class name and by the code of awsQuery', () => {
  const iam = serviceModel('iam');
  expect(iam.error('EntityAlreadyExists')).toBe(iam.error('EntityAlreadyExistsException'));
  expect(iam.error('NoSuchEntity')?.status).toBe(404);
  expect(serviceModel('cloudformation').error('ChangeSetNotFound')?.name).toBe('ChangeSetNotFoundException');
  expect(serviceModel('sagemaker').error('ResourceNotFound')?.shape.members.has('Message')).toBe(true);
});
