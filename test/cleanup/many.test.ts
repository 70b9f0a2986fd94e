/** A stack set with 1,200 accounts in two regions: parts of a bounded size, every instance told, one failing account among them. */
import { expect, test } from '@jest/globals';
import { AwsCallError } from '../../src/aws/errors.ts';
import type { Aws } from '../../src/aws/session.ts';
import { accountsPerOperation } from '../../src/cleanup/instances.ts';
import { type CleanupContext, createRecorder } from '../../src/cleanup/part.ts';
import { type FoundSet, stackSetParts } from '../../src/cleanup/stack-sets.ts';
import { namesOf } from '../../src/names.ts';
import type { Instance } from '../../src/stacksets/model.ts';

const project = { name: 'abalone', id: 'p-0123456789ab' };
const name = 'sagemaker-abalone-p-0123456789ab-deploy-production';
const regions = ['eu-west-1', 'us-east-1'];
const accounts = Array.from({ length: 1_200 }, (_, index) => String(100_000_000_000 + index));
/** Its stack stays, however often it is deleted. */
const stubborn = { account: accounts[700]!, region: 'us-east-1' };

interface Deletion {
  Accounts: string[];
  Regions: string[];
  OperationId: string;
  OperationPreferences: { FailureToleranceCount: number; MaxConcurrentCount: number };
}

/** CloudFormation as far as removing instances goes; every operation ends at once. */
function world() {
  const key = (account: string, region: string) => `${account}/${region}`;
  const present = new Set(regions.flatMap((region) => accounts.map((account) => key(account, region))));
  const operations = new Map<string, { account: string; region: string; status: string }[]>();
  const deletions: Deletion[] = [];
  const lines: string[] = [];
  const page = <T>(all: T[], token: string | undefined) => {
    const at = Number(token ?? 0);
    return { Summaries: all.slice(at, at + 100), NextToken: at + 100 < all.length ? String(at + 100) : undefined };
  };
  const send = async ({ input, schema }: any): Promise<any> => {
    switch (schema[2]) {
      case 'DescribeStackSet':
        return { StackSet: { StackSetName: name, Status: 'ACTIVE', TemplateBody: '{}' } };
      case 'ListStackInstances':
        return page(
          [...present].map((each) => ({ Account: each.split('/')[0], Region: each.split('/')[1], Status: 'CURRENT' })),
          input.NextToken,
        );
      case 'ListStackSetOperations':
        return { Summaries: [] };
      case 'DescribeStackSetOperation': {
        if (operations.has(input.OperationId)) return { StackSetOperation: { Status: 'SUCCEEDED', Action: 'DELETE' } };
        const code = 'OperationNotFoundException';
        throw new AwsCallError({ code: 'NotFound', cause: 'none' }, code, schema[2], 404, undefined);
      }
      case 'ListStackSetOperationResults':
        return page(
          operations.get(input.OperationId)!.map(({ account, region, status }) => ({
            Account: account,
            Region: region,
            Status: status,
            ...(status === 'FAILED' ? { StatusReason: 'Stack is protected' } : {}),
          })),
          input.NextToken,
        );
      case 'DeleteStackInstances': {
        deletions.push(input);
        const [region = ''] = input.Regions;
        operations.set(
          input.OperationId,
          input.Accounts.map((account: string) => {
            const stays = account === stubborn.account && region === stubborn.region;
            if (!stays) present.delete(key(account, region));
            return { account, region, status: stays ? 'FAILED' : 'SUCCEEDED' };
          }),
        );
        return {};
      }
      case 'DeleteStackSet':
        throw new Error('must not be called');
      default:
        throw new Error(schema[2]);
    }
  };
  const aws = { region: 'eu-west-1', partition: 'aws', assume: () => aws, service: () => ({ send }) } as unknown as Aws;
  const logger = new Proxy({}, { get: () => (line: string) => lines.push(line) }) as any;
  const context: CleanupContext = {
    aws,
    account: '111122223333',
    project,
    names: namesOf(project),
    runId: '1',
    clock: { now: () => 0, sleep: async () => undefined } as any,
    logger,
    signal: new AbortController().signal,
    deadline: 1,
    running: () => undefined,
    targetRole: 'cleanup',
  };
  return { context, present, deletions, lines };
}

test('operations of bounded size, one region each; a failure is named, keeps the set, and keeps nothing else', async () => {
  const { context, present, deletions, lines } = world();
  const instances = [...present].map((each): Instance => {
    const [account = '', region = ''] = each.split('/');
    const nothing = {
      detailedStatus: undefined,
      statusReason: undefined,
      stackId: undefined,
      lastOperationId: undefined,
    };
    return { account, region, status: 'CURRENT', ...nothing };
  });
  const definition = {
    name,
    description: '',
    templateBody: '{}',
    parameters: {},
    tags: { 'sagemaker:project-id': project.id },
    administrationRoleArn: '',
    executionRoleName: '',
    capabilities: [],
  };
  const state = { definition, arn: undefined, instances };
  const found: FoundSet = { name, stage: 'production', state, earlier: [] };
  let settled = 0;
  const settle = async () => {
    settled += 1;
  };
  const parts = stackSetParts([found], settle, context);
  const record = createRecorder(context.logger, context.signal);
  await parts.instances.remove(record);
  await parts.sets.remove(record);

  expect(deletions.map(({ Accounts, Regions }) => `${Accounts.length} ${Regions}`)).toEqual(
    regions.flatMap((region) => [500, 500, 200].map((count) => `${count} ${region}`)),
  );
  expect(new Set(deletions.map(({ OperationId }) => OperationId)).size).toBe(6);
  for (const { Accounts, OperationPreferences } of deletions) {
    expect(OperationPreferences).toMatchObject({ FailureToleranceCount: Accounts.length, MaxConcurrentCount: 50 });
    const form = Accounts.map((account, index) => `Accounts.member.${index + 1}=${account}`).join('&');
    expect(Buffer.byteLength(form)).toBeLessThan(51_200);
  }
  expect(settled).toBe(2_400);
  expect([...present]).toEqual([`${stubborn.account}/${stubborn.region}`]);
  expect(record.removed).toHaveLength(2_399);
  expect(record.failures.map(({ item, failure }) => ({ kind: item.kind, ...failure }))).toMatchObject([
    { kind: 'stack instance', ...stubborn, cause: expect.stringContaining('Stack is protected') },
    { kind: 'stack set', code: 'Conflict', cause: expect.stringContaining(`${stubborn.account}/${stubborn.region}`) },
  ]);
  expect(lines.filter((line) => /^ {2}\d+ of 2400 instances/.test(line))).toHaveLength(6);
  expect(accountsPerOperation).toBe(500);
});
