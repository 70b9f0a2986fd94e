/** Monitoring schedules, which the local platform does not have: found by endpoint, told apart by tag, removed first. */
import { expect, test } from '@jest/globals';
import type { Aws } from '../../src/aws/session.ts';
import { type CleanupContext, createRecorder } from '../../src/cleanup/part.ts';
import { findTarget, schedulePart } from '../../src/cleanup/targets.ts';
import { namesOf } from '../../src/names.ts';

const project = { name: 'abalone', id: 'p-0123456789ab' };
const quiet = {
  info() {},
  warn() {},
  notice() {},
  error() {},
  debug() {},
  foreign() {},
  group: (_: string, work: () => any) => work(),
} as any;

/** An account with nothing but schedules; two pages of them. */
function account(owners: Record<string, string>): { context: CleanupContext; deleted: string[] } {
  const deleted: string[] = [];
  const names = Object.keys(owners);
  const send = async ({ input, schema }: any): Promise<any> => {
    switch (schema[2]) {
      case 'ListMonitoringSchedules': {
        expect(input.EndpointName).toBe('abalone-p-0123456789ab-staging');
        const at = Number(input.NextToken ?? 0);
        const [name] = names.slice(at);
        return {
          MonitoringScheduleSummaries:
            name === undefined ? [] : [{ MonitoringScheduleName: name, MonitoringScheduleArn: `arn/${name}` }],
          NextToken: at + 1 < names.length ? String(at + 1) : undefined,
        };
      }
      case 'ListTags':
        return { Tags: [{ Key: 'sagemaker:project-id', Value: owners[input.ResourceArn.slice('arn/'.length)] }] };
      case 'DeleteMonitoringSchedule':
        deleted.push(input.MonitoringScheduleName);
        return {};
      case 'DescribeEndpoint':
      case 'DescribeLogStreams': {
        const { AwsCallError } = await import('../../src/aws/errors.ts');
        throw new AwsCallError(
          { code: 'NotFound', cause: 'none' },
          'ResourceNotFoundException',
          schema[2],
          400,
          undefined,
        );
      }
      default:
        return {};
    }
  };
  const aws = { region: 'eu-west-1', partition: 'aws', assume: () => aws, service: () => ({ send }) } as unknown as Aws;
  const context: CleanupContext = {
    aws,
    account: '111122223333',
    project,
    names: namesOf(project),
    runId: '1',
    clock: { now: () => 0, sleep: async () => undefined } as any,
    logger: quiet,
    signal: new AbortController().signal,
    deadline: 1,
    running: () => undefined,
    targetRole: 'cleanup',
  };
  return { context, deleted };
}

test('the schedules of the project’s endpoints are removed, another’s is named and stays', async () => {
  const { context, deleted } = account({ hourly: project.id, theirs: 'p-ba9876543210', daily: project.id });
  const target = { account: '444455556666', region: 'eu-west-1' };
  const { found, kept } = await findTarget(target, ['staging'], new Set(), context);
  expect(found.schedules.map(({ name }) => name)).toEqual(['hourly', 'daily']);
  expect(kept).toMatchObject([
    { kind: 'monitoring schedule', name: 'theirs', because: expect.stringContaining(project.id) },
  ]);
  const record = createRecorder(quiet, context.signal);
  await schedulePart([found], context).remove(record);
  expect(deleted).toEqual(['hourly', 'daily']);
  expect(record.failures).toEqual([]);
  expect(record.removed).toHaveLength(2);
});
