/** Monitoring schedules of the project's endpoints in their own accounts: planned, waited for, removed before the endpoint. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateRoleCommand, DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateEndpointConfigCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pythonEnvironment } from '../../local/python/index.ts';
import type { ActionResult } from '../actions/support/action.ts';
import { image } from '../deploy/support/fixture.ts';
import { until } from '../deploy/support/stage.ts';
import { accounts, region, testPython } from '../support/platform.ts';
import { type Approvals, plan, remove, startApprovals } from './support/cleanup.ts';
import { mine, other, type Projects, seed, startProjects, tagsOf } from './support/projects.ts';
import { linesOf, staying, sweep } from './support/sweep.ts';

const account = accounts.staging;
const EndpointName = `${mine.base}-staging`;
const data = 'monitored-data';
const role = `arn:aws:iam::${account}:role/monitor`;
const hourly = { ScheduleExpression: 'cron(0 * ? * * *)' };
const once = { ScheduleExpression: 'NOW', DataAnalysisStartTime: '-PT1H', DataAnalysisEndTime: 'PT0H' };

let projects: Projects;
let approvals: Approvals;
let folder: string;
let runs = 93000;

interface Wish {
  name: string;
  when: object;
  owner: typeof mine;
}
interface Seen {
  schedules: Record<string, string>;
  executions: Record<string, string>;
}

/** boto3 with administrator rights in the staging account. */
async function boto(order: { create?: Wish[]; stop?: string[]; delete?: string[] } = {}): Promise<Seen> {
  const result = join(folder, 'schedules.json');
  const create = (order.create ?? []).map(({ owner, ...wish }) => ({
    ...wish,
    endpoint: EndpointName,
    bucket: data,
    image,
    role,
    tags: Object.fromEntries(tagsOf(owner).map(({ Key, Value }) => [Key, Value])),
  }));
  const { world } = projects;
  await promisify(execFile)(
    await testPython(),
    [join(import.meta.dirname, 'support/schedules.py'), JSON.stringify({ ...order, create })],
    {
      env: {
        ...pythonEnvironment(),
        ...world.environment(await world.credentials(account)),
        RESULT: result,
        HOME: folder,
      },
    },
  );
  return JSON.parse(await readFile(result, 'utf8'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-schedules-'));
  approvals = await startApprovals();
  projects = await startProjects();
  const { iam, s3 } = projects.world.administrator(account);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
  });
  await iam.send(new CreateRoleCommand({ RoleName: 'monitor', AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'monitor', PolicyName: 'p', PolicyDocument }));
  await s3.send(new CreateBucketCommand({ Bucket: data, CreateBucketConfiguration: { LocationConstraint: region } }));
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The project with one stage, whose endpoint captures data. */
async function deployed(): Promise<string> {
  const { execution } = await seed(projects, mine, { stages: ['staging'] });
  const { sagemaker, s3 } = projects.world.administrator(account);
  const endpoint = () => sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
  const { EndpointConfigName } = await endpoint();
  const { ProductionVariants } = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
  const capturing = `${EndpointName}-capture`;
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: capturing,
      ProductionVariants,
      DataCaptureConfig: {
        InitialSamplingPercentage: 100,
        DestinationS3Uri: `s3://${data}/capture`,
        CaptureOptions: [{ CaptureMode: 'InputAndOutput' }],
      },
      Tags: tagsOf(mine),
    }),
  );
  await sagemaker.send(new UpdateEndpointCommand({ EndpointName, EndpointConfigName: capturing }));
  await until(endpoint, (one) => one.EndpointStatus === 'InService' && one.EndpointConfigName === capturing, 'capture');
  const hour = projects.world.platform.context.clock.now().toISOString().slice(0, 13).replace(/[-T]/g, '/');
  const Key = `capture/${EndpointName}/${ProductionVariants?.[0]?.VariantName}/${hour}/0.jsonl`;
  await s3.send(new PutObjectCommand({ Bucket: data, Key, Body: '{}' }));
  return execution;
}

/** What is left of the project; captured data lies in a bucket that is not its own. */
const left = async (execution: string) =>
  linesOf(await sweep(projects.world), mine, [execution]).filter(
    (line) => !staying.test(line) && !line.includes(` version ${data} `),
  );
const kinds = (result: ActionResult) => result.failures.map(({ logicalId, code }) => `${logicalId} ${code}`).sort();
const named = (result: ActionResult, output: 'plan' | 'removed' | 'kept'): string[] => {
  const told = JSON.parse(result.outputs[output]!);
  return (output === 'kept' ? told : told.items)
    .filter(({ kind }: { kind: string }) => kind === 'monitoring schedule')
    .map(({ name }: { name: string }) => name)
    .sort();
};
const removal = (run: Parameters<typeof remove>[2] = {}) => remove(projects, approvals, { runId: `${++runs}`, ...run });
/** What stays in the staging account with an endpoint that cannot go. */
const heldByEndpoint = [
  'endpoint Conflict',
  'endpoint configuration Conflict',
  'endpoint log group Conflict',
  'model Conflict',
  'stack instance InstanceFailed',
  'stack set Conflict',
];

test('own schedules go before the endpoint; one that is not ours, or that may not be deleted, is named and keeps it', async () => {
  const execution = await deployed();
  const { iam } = projects.world.administrator(account);
  await boto({
    create: [
      { name: 'hourly', when: hourly, owner: mine },
      { name: 'resting', when: hourly, owner: mine },
      { name: 'theirs', when: hourly, owner: other },
    ],
  });
  const all = { hourly: 'Scheduled', resting: 'Stopped', theirs: 'Scheduled' };
  await boto({ stop: ['resting'] });
  const since = projects.world.platform.calls.next;
  const planned = await plan(projects, approvals);
  expect(planned.failures).toEqual([]);
  expect(named(planned, 'plan')).toEqual(['hourly', 'resting']);
  expect(JSON.parse(planned.outputs['kept']!)).toContainEqual(
    expect.objectContaining({
      kind: 'monitoring schedule',
      name: 'theirs',
      account,
      region,
      because: expect.stringContaining(mine.id),
    }),
  );
  expect(
    projects.world.calls({ since, mutating: true }).filter(({ operation }) => !operation.startsWith('sts:')),
  ).toEqual([]);
  expect((await boto()).schedules).toEqual(all);

  const denied = { RoleName: `sagemaker-${mine.base}-cleanup`, PolicyName: 'no-deletion' };
  const statement = { Effect: 'Deny', Action: 'sagemaker:DeleteMonitoringSchedule', Resource: '*' };
  await iam.send(
    new PutRolePolicyCommand({
      ...denied,
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    }),
  );
  const refused = await removal();
  expect(refused.outputs['status']).toBe('partial');
  for (const name of ['hourly', 'resting']) {
    expect(refused.failures).toContainEqual(
      expect.objectContaining({
        code: 'AccessDenied',
        resource: name,
        account,
        region,
        logicalId: 'monitoring schedule',
        cause: expect.stringContaining('sagemaker:DeleteMonitoringSchedule'),
        hint: expect.stringContaining('run cleanup again'),
      }),
    );
  }
  expect(kinds(refused)).toEqual(
    ['monitoring schedule AccessDenied', 'monitoring schedule AccessDenied', ...heldByEndpoint].sort(),
  );
  const instance = refused.failures.find(({ logicalId }) => logicalId === 'stack instance');
  expect(instance?.cause).toContain('has monitoring schedules: hourly, resting, theirs');
  expect((await boto()).schedules).toEqual(all);

  await iam.send(new DeleteRolePolicyCommand(denied));
  await projects.world.control('POST', 'faults', {
    operation: 'sagemaker:DeleteMonitoringSchedule',
    match: { MonitoringScheduleName: 'resting' },
    effect: { kind: 'resource-failure', reason: 'InternalServerError: try again' },
  });
  const kept = await removal();
  expect(named(kept, 'removed')).toEqual(['hourly']);
  expect(named(kept, 'kept')).toEqual(['theirs']);
  expect(kinds(kept)).toEqual([...heldByEndpoint, 'monitoring schedule ServiceError'].sort());
  expect(kept.failures.find(({ resource }) => resource === 'resting')?.cause).toContain(
    'InternalServerError: try again',
  );
  expect(kept.failures.find(({ logicalId }) => logicalId === 'stack instance')?.cause).toContain(
    'has monitoring schedules: resting, theirs',
  );
  expect((await boto()).schedules).toEqual({ resting: 'Failed', theirs: 'Scheduled' });

  expect((await boto({ delete: ['theirs'] })).schedules).toEqual({ resting: 'Failed' });
  const rest = await removal();
  expect(rest.failures).toEqual([]);
  expect(named(rest, 'removed')).toEqual(['resting']);
  expect(await left(execution)).toEqual([]);
}, 120_000);

test('an execution that runs, a schedule that is being made and one that takes its time to go are waited for', async () => {
  const execution = await deployed();
  const { world, jobs } = projects;
  jobs.hold = true;
  // Time stands to the wall as long as somebody holds it: seconds are seconds.
  const release = world.platform.context.clock.hold();
  try {
    await boto({ create: [{ name: 'running', when: once, owner: mine }] });
    await until(
      () => jobs.held,
      (held) => held === 1,
      'the job of the execution',
    );
    await world.control('POST', 'durations', { operation: 'sagemaker:CreateMonitoringSchedule', seconds: 2 });
    await world.control('POST', 'durations', { operation: 'sagemaker:DeleteMonitoringSchedule', seconds: 1 });
    const seen = await boto({ create: [{ name: 'young', when: hourly, owner: mine }] });
    expect(seen).toEqual({
      schedules: { running: 'Scheduled', young: 'Pending' },
      executions: { running: 'InProgress' },
    });
    const since = world.platform.calls.next;
    const result = await removal({
      onLine: (line) => {
        if (line.includes('running') && line.includes('is InProgress; waiting')) setTimeout(jobs.release, 200);
        if (line.includes('removed monitoring schedule young')) release();
      },
    });
    expect(result.failures).toEqual([]);
    expect(result.stdout).toContain('monitoring schedule running');
    expect(named(result, 'removed')).toEqual(['running', 'young']);
    expect(await boto()).toEqual({ schedules: {}, executions: { running: 'Completed' } });
    expect(await left(execution)).toEqual([]);
    const order = world
      .calls({ since, mutating: true })
      .filter(({ operation }) => /:Delete(MonitoringSchedule|StackInstances|Endpoint)$/.test(operation))
      .map(({ operation, error }) => `${operation.split(':')[1]}${error === null ? '' : ' refused'}`);
    expect(order).toEqual([
      'DeleteMonitoringSchedule',
      'DeleteMonitoringSchedule',
      'DeleteStackInstances',
      'DeleteEndpoint',
    ]);
  } finally {
    jobs.release();
    jobs.hold = false;
    release();
    await world.control('DELETE', 'durations');
  }
}, 60_000);
