import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../local/aws/core/service.ts';
import { permissionFaults } from './action-table.ts';
import { admin, createBench, policy, staging } from './support.ts';

/** Members that name something in requests of IAM and STS, enough for every operation to say what it needs. */
const input = {
  RoleName: 'job',
  PolicyName: 'p',
  Path: '/ml/',
  PolicyArn: `arn:aws:iam::${admin}:policy/ml/p`,
  PolicySourceArn: `arn:aws:iam::${admin}:role/job`,
  OpenIDConnectProviderArn: `arn:aws:iam::${admin}:oidc-provider/example.com`,
  Url: 'https://example.com',
  AWSServiceName: 'sagemaker.application-autoscaling.amazonaws.com',
  DeletionTaskId: 'task/aws-service-role/x.amazonaws.com/AWSServiceRoleForX/1',
  PermissionsBoundary: `arn:aws:iam::${admin}:policy/ml/p`,
  Tags: [{ Key: 'k', Value: 'v' }],
  TagKeys: ['k'],
  RoleArn: `arn:aws:iam::${staging}:role/far`,
  RoleSessionName: 'session',
  SourceIdentity: 'ada',
};

/** Decided inside, or open to everybody. */
const free = ['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity'];

const bench = createBench();
const operations = bench.identity.services.flatMap(({ id, operations }) =>
  Object.entries(operations).map(([name, operation]): [string, Operation] => [`${id}:${name}`, operation]),
);

describe('every operation asks for the permission that AWS’s table names', () => {
  test('there are operations', () => {
    expect(operations.length).toBeGreaterThan(45);
  });

  test.each(operations)('%s', async (name, operation) => {
    const principal = bench.administrator();
    const requests = await operation.authorize(input, bench.call(principal));
    if (free.includes(name)) {
      expect(requests).toEqual([]);
      return;
    }
    expect(requests[0]!.action).toBe(name);
    for (const request of requests) expect(await permissionFaults(request)).toEqual([]);
    // A caller with nothing gets nothing.
    const poor = { ...principal, sessionPolicy: policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }) };
    const { decision } = bench.identity.authorizer.decide(poor, requests[0]!, bench.call(poor));
    expect(decision).toBe('implicit-deny');
  });
});
