import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackInstancesCommand,
  ListStackInstancesCommand,
  paginateListStackInstances,
} from '@aws-sdk/client-cloudformation';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { expect, test } from '@jest/globals';
import { defaultWorld } from '../../local/aws/core/world.ts';
import { accounts, region, withPlatform } from '../support/platform.ts';
import { operationEnd } from './support.ts';

const full = process.env['TEST_FULL'] !== undefined;
const ids = Array.from({ length: full ? 1_000 : 30 }, (_, index) => String(200_000_000_000 + index));
const regions = ['eu-west-1', 'eu-central-1', 'us-east-1', 'us-west-2'];
const policy = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });

test(
  'a stack set over many accounts and regions',
  async () => {
    const world = {
      ...defaultWorld,
      accounts: [...defaultWorld.accounts, ...ids.map((id) => ({ id, name: `a${id}` }))],
    };
    await withPlatform({ world }, async (platform) => {
      const { cloudformation, iam } = platform.administrator(accounts.development, region);
      const AdministrationRoleARN = `arn:aws:iam::${accounts.development}:role/many`;
      const trust = policy({ Principal: { Service: 'cloudformation.amazonaws.com' }, Action: 'sts:AssumeRole' });
      await iam.send(new CreateRoleCommand({ RoleName: 'many', AssumeRolePolicyDocument: trust }));
      const hop = policy({ Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::*:role/each' });
      await iam.send(new PutRolePolicyCommand({ RoleName: 'many', PolicyName: 'hop', PolicyDocument: hop }));
      for (const id of ids) {
        const target = platform.administrator(id, region).iam;
        const trusted = policy({ Principal: { AWS: AdministrationRoleARN }, Action: 'sts:AssumeRole' });
        await target.send(new CreateRoleCommand({ RoleName: 'each', AssumeRolePolicyDocument: trusted }));
        const all = policy({ Action: 'cloudformation:*', Resource: '*' });
        await target.send(new PutRolePolicyCommand({ RoleName: 'each', PolicyName: 'all', PolicyDocument: all }));
      }
      const StackSetName = 'many';
      await cloudformation.send(
        new CreateStackSetCommand({
          StackSetName,
          TemplateBody: JSON.stringify({ Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' } } }),
          AdministrationRoleARN,
          ExecutionRoleName: 'each',
        }),
      );
      const targets = { StackSetName, Accounts: ids, Regions: regions };
      const OperationPreferences = {
        MaxConcurrentCount: 100,
        ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE' as const,
        RegionConcurrencyType: 'PARALLEL' as const,
      };
      await cloudformation.send(
        new CreateStackInstancesCommand({ ...targets, OperationId: 'create', OperationPreferences }),
      );
      // The submission is answered before the work begins.
      const early = await cloudformation.send(new ListStackInstancesCommand({ StackSetName, MaxResults: 100 }));
      expect(early.Summaries).toHaveLength(100);
      expect((await operationEnd(cloudformation, StackSetName, 'create', 200_000)).Status).toBe('SUCCEEDED');
      const seen = new Set<string>();
      for await (const { Summaries } of paginateListStackInstances({ client: cloudformation }, { StackSetName })) {
        for (const { StackId, Status } of Summaries ?? []) if (Status === 'CURRENT') seen.add(StackId!);
      }
      expect(seen.size).toBe(ids.length * regions.length);
      const Regions = regions.slice(0, 1);
      await cloudformation.send(
        new DeleteStackInstancesCommand({
          ...targets,
          Regions,
          RetainStacks: false,
          OperationId: 'delete',
          OperationPreferences,
        }),
      );
      expect((await operationEnd(cloudformation, StackSetName, 'delete', 200_000)).Status).toBe('SUCCEEDED');
      const gone = new ListStackInstancesCommand({ StackSetName, StackInstanceRegion: Regions[0] });
      expect((await cloudformation.send(gone)).Summaries).toEqual([]);
    });
  },
  full ? 600_000 : 60_000,
);
