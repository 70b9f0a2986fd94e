/** The committed cleanup bundle against a world with two projects: one is removed, the other must not notice. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteStackCommand,
  DeleteStackInstancesCommand,
  DescribeStackSetOperationCommand,
  ListStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  DeleteObjectsCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AddTagsCommand, DescribeEndpointCommand, UpdateEndpointCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createStack } from '../../cli/stacks.ts';
import type { ModelServers } from '../../local/aws/core/context.ts';
import type { ActionResult } from '../actions/support/action.ts';
import { root } from '../actions/support/world.ts';
import { until } from '../deploy/support/stage.ts';
import {
  type DeployedRole,
  deployedRoles,
  describeGrant,
  grantedActions,
  type LoggedCall,
  leastPrivilege,
} from '../iam/least-privilege.ts';
import { accounts, region } from '../support/platform.ts';
import { type Approvals, approved, plan, remove, startApprovals } from './support/cleanup.ts';
import {
  answers,
  executionStatus,
  mine,
  other,
  type Projects,
  type Seeded,
  seed,
  setName,
  startExecution,
  startProjects,
  tagsOf,
} from './support/projects.ts';
import { linesOf, staying, sweep } from './support/sweep.ts';

let projects: Projects;
let approvals: Approvals;
let others: Seeded;
/** What the other project owns; every test ends with exactly this. */
let othersLines: string[];
const roles: DeployedRole[] = [];

beforeAll(async () => {
  approvals = await startApprovals();
  projects = await startProjects();
  others = await seed(projects, other);
  for (const account of Object.values(accounts))
    roles.push(
      ...(await deployedRoles(
        projects.world.administrator(account).iam,
        account,
        (name) =>
          (name.startsWith(`sagemaker-${mine.base}-`) && name.includes('cleanup')) ||
          name === 'sagemaker-mlops-removal',
      )),
    );
  othersLines = linesOf(await sweep(projects.world), other, [others.execution]);
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
});

async function expectOtherUntouched(): Promise<void> {
  expect(linesOf(await sweep(projects.world), other, [others.execution])).toEqual(othersLines);
}

/** The project as the tests before anything is removed left it. */
let ready: Seeded | undefined;
/** Fills the project anew; every test leaves it empty but for its bucket and group. */
async function again(stages?: string[]): Promise<Seeded> {
  const seeded = ready ?? (await seed(projects, mine, stages === undefined ? {} : { stages }));
  ready = undefined;
  return seeded;
}

/** What is left of our project, without what stays by design: stacks of roles, keys, bucket and group. */
async function left(executions: readonly string[]): Promise<string[]> {
  return linesOf(await sweep(projects.world), mine, executions).filter((line) => !staying.test(line));
}

const counts = (result: ActionResult, output: 'plan' | 'removed') => JSON.parse(result.outputs[output]!).counts;
const everything = {
  'stack instance': 3,
  endpoint: 3,
  'endpoint configuration': 4,
  model: 4,
  'endpoint log group': 3,
  'stack set': 2,
  'job log streams': 4,
  pipeline: 1,
  'model package': 3,
  objects: 8,
};
/** The number of the call from which on cleanup's roles remove themselves. */
let rolesGo = Number.POSITIVE_INFINITY;
/** Calls that changed something, made by cleanup's roles. */
const changes = (since: number) =>
  projects.world.calls({ since, mutating: true }).filter(({ operation }) => !operation.startsWith('sts:'));
const lastCall = () => projects.world.platform.calls.next;

describe('before anything is removed', () => {
  let seeded: Seeded;
  let before: string[];
  beforeAll(async () => {
    seeded = await seed(projects, mine);
    ready = seeded;
    before = await sweep(projects.world);
  });
  afterAll(async () => {
    expect(await sweep(projects.world)).toEqual(before);
  });

  test('the plan names everything in all accounts, and changes nothing', async () => {
    const since = lastCall();
    const planned = await plan(projects, approvals);
    expect(planned.failures).toEqual([]);
    expect(planned.outputs).toMatchObject({ status: '', failure: '', removed: '' });
    expect(counts(planned, 'plan')).toEqual(everything);
    const { total, items } = JSON.parse(planned.outputs['plan']!);
    expect(items).toHaveLength(total);
    expect(new Set(items.map(({ account }: { account: string }) => account))).toEqual(new Set(Object.values(accounts)));
    expect(planned.outputs['plan']).not.toContain(other.id);
    expect(planned.outputs['plan']).toContain(seeded.retained);
    expect(JSON.parse(planned.outputs['kept']!).map(({ kind }: { kind: string }) => kind)).toEqual([
      'stack',
      'model package group',
      'bucket',
      'key',
    ]);
    expect(planned.summary).toContain('Nothing has been removed');
    expect(changes(since)).toEqual([]);
  });

  test('the plan says what each wish adds', async () => {
    const planned = await plan(projects, approvals, {
      inputs: { 'job-records': 'true', 'delete-roles': 'true', 'delete-project': 'true' },
    });
    expect(counts(planned, 'plan')).toEqual({
      ...everything,
      'job records': 1,
      stack: 9,
      'model package group': 1,
      key: 1,
      bucket: 1,
    });
  });

  test('the plan of a folder of stage files looks at their accounts, whether deployed to or not', async () => {
    const planned = await plan(projects, approvals, { workspace: join(root, 'test/cleanup/fixture') });
    expect(counts(planned, 'plan')).toEqual(everything);
    expect(planned.stdout).toContain('The account 999999999999 of a stage file was not looked at');
  });

  test('a wrong name, contradicting wishes: refused before the first call', async () => {
    const since = lastCall();
    const refusal = async (resource: string, inputs: Record<string, string>) => {
      const result = await remove(projects, approvals, { inputs });
      expect(result.code).toBe(1);
      expect(result.failures).toMatchObject([{ code: 'InvalidInput', resource }]);
    };
    await Promise.all([
      refusal('confirm', { confirm: 'abalone-2' }),
      refusal('confirm', { confirm: 'Abalone' }),
      refusal('keep-last', { 'keep-last': '1', 'delete-project': 'true' }),
    ]);
    expect(projects.world.calls({ since })).toEqual([]);
  });

  test('nobody, another environment, a refusal: refused before the first call', async () => {
    const since = lastCall();
    const refusal = async (list: Approvals['list'], code: string, status: string) => {
      const own = await startApprovals();
      own.list = list;
      const result = await remove(projects, own);
      await own.close();
      expect(result.code).toBe(1);
      expect(result.failures).toMatchObject([{ code, resource: 'cleanup' }]);
      expect(result.outputs['status']).toBe(status);
    };
    await Promise.all([
      refusal([], 'NotProtected', 'failed'),
      refusal([{ ...approved, environments: [{ name: 'production' }] }], 'NotProtected', 'failed'),
      refusal([{ ...approved, state: 'rejected' }], 'ApprovalRefused', 'rejected'),
    ]);
    expect(projects.world.calls({ since })).toEqual([]);
  });

  test('the role of the plan cannot remove, even with the name and an approval', async () => {
    const result = await remove(projects, approvals, {
      environment: 'cleanup-plan',
      inputs: { 'role-to-assume': `arn:aws:iam::${accounts.development}:role/sagemaker-${mine.base}-ci-cleanup-plan` },
    });
    expect(result.code).toBe(1);
    expect(result.failures.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['AccessDenied', 'RoleNotAssumable']),
    );
  });

  test('what lacks the tag of the project is told and stays', async () => {
    const { s3, sagemaker } = projects.world.administrator(accounts.development);
    const group = `arn:aws:sagemaker:${region}:${accounts.development}:model-package-group/${mine.base}`;
    const tag = (TagSet: { Key: string; Value: string }[]) =>
      s3.send(new PutBucketTaggingCommand({ Bucket: mine.bucket, Tagging: { TagSet } }));
    const foreign = [{ Key: 'sagemaker:project-id', Value: other.id }];
    await tag(foreign);
    await sagemaker.send(new AddTagsCommand({ ResourceArn: group, Tags: foreign }));
    try {
      const planned = await plan(projects, approvals, { inputs: { 'delete-project': 'true' } });
      expect(counts(planned, 'plan')).toEqual({
        ...Object.fromEntries(
          Object.entries(everything).filter(([kind]) => !['model package', 'objects'].includes(kind)),
        ),
        stack: 1,
        key: 1,
      });
      const kept = JSON.parse(planned.outputs['kept']!);
      expect(kept.map(({ kind }: { kind: string }) => kind)).toEqual(['model package group', 'bucket']);
      for (const { because } of kept) expect(because).toContain(mine.id);
    } finally {
      await tag(tagsOf(mine));
      await sagemaker.send(new AddTagsCommand({ ResourceArn: group, Tags: tagsOf(mine) }));
    }
  });

  test('keep-last plans to keep the newest approved packages and what they need', async () => {
    const planned = await plan(projects, approvals, { inputs: { 'keep-last': '1' } });
    expect(counts(planned, 'plan')).toEqual({ ...everything, 'model package': 2, objects: 5 });
    const kept = JSON.parse(planned.outputs['kept']!);
    expect(kept).toContainEqual(
      expect.objectContaining({ kind: 'model package', name: seeded.packages[2], because: 'keep-last is 1' }),
    );
    expect(kept).toContainEqual(expect.objectContaining({ kind: 'objects', count: 3 }));
  });
});

describe('removal', () => {
  afterEach(expectOtherUntouched);

  test('keep-last: everything but the newest approved package goes; the next run goes on from there', async () => {
    const { packages, execution } = await again();
    const inputs = { 'keep-last': '1' };
    const result = await remove(projects, approvals, { inputs });
    expect(result.failures).toEqual([]);
    expect(counts(result, 'removed')).toEqual({ ...everything, 'model package': 2, objects: 5 });
    const rest = await left([execution]);
    expect(rest.filter((line) => line.includes(' package '))).toEqual([expect.stringContaining(packages[2]!)]);
    expect(rest.filter((line) => line.includes(' version ')).map((line) => line.split(' ')[3])).toEqual([
      'evaluation/run-1/evaluation.json',
      'evaluation/run-1/held-out.csv',
      'models/run-1/model.tar.gz',
    ]);
    expect(rest).toHaveLength(4);
    expect((await plan(projects, approvals, { inputs })).outputs['status']).toBe('none');
  });

  test('everything, from every account; a second run has nothing to do and changes nothing', async () => {
    const { execution } = await again();
    const result = await remove(projects, approvals, { inputs: { 'job-records': 'true' } });
    expect(result.failures).toEqual([]);
    expect(result.outputs['status']).toBe('');
    expect(counts(result, 'removed')).toMatchObject({
      ...everything,
      'model package': expect.any(Number),
      objects: expect.any(Number),
      'job records': 1,
    });
    expect(await left([execution])).toEqual([]);
    expect(projects.servers.running).toBe(3); // those of the other project

    const since = lastCall();
    for (const act of [plan, remove]) {
      const second = await act(projects, approvals);
      expect(second.code).toBe(0);
      expect(second.outputs['status']).toBe('none');
      expect(second.stdout).toContain('nothing to do');
      expect(second.summary).toContain('nothing to do');
    }
    expect(changes(since)).toEqual([]);
    expect(await answers(projects, accounts.staging, `${other.base}-staging`)).toBe('6');
  });

  test('an endpoint that is Updating is waited for', async () => {
    const { execution, retained } = await again(['staging']);
    const { sagemaker } = projects.world.administrator(accounts.staging);
    const EndpointName = `${mine.base}-staging`;
    const context = projects.world.platform.context as { modelServers: ModelServers };
    const real = context.modelServers;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    context.modelServers = { check: real.check, start: (options) => held.then(() => real.start(options)) };
    try {
      await sagemaker.send(new UpdateEndpointCommand({ EndpointName, EndpointConfigName: retained }));
      const status = async () => (await sagemaker.send(new DescribeEndpointCommand({ EndpointName }))).EndpointStatus;
      await until(status, (one) => one === 'Updating', 'the update');
      const result = await remove(projects, approvals, {
        onLine: (line) => {
          if (line.includes('is Updating; waiting')) setTimeout(release, 200);
        },
      });
      expect(result.failures).toEqual([]);
      expect(result.stdout).toContain(`The endpoint ${EndpointName} in ${accounts.staging}/${region} is Updating`);
      expect(await left([execution])).toEqual([]);
    } finally {
      release();
      context.modelServers = real;
    }
  });

  test.each(['stop', 'wait'])('an execution that runs: %s', async (choice) => {
    const { execution } = await again([]);
    projects.jobs.hold = true;
    const running = await startExecution(projects.world, mine);
    await until(
      () => executionStatus(projects.world, running),
      (status) => status === 'Executing',
      'the execution',
    );
    await until(
      () => projects.jobs.held,
      (held) => held > 0,
      'its job',
    );
    const since = lastCall();
    try {
      const result = await remove(projects, approvals, {
        inputs: { 'running-executions': choice },
        onLine: (line) => {
          if (choice === 'wait' && line.includes('Waiting for the end of')) setTimeout(projects.jobs.release, 200);
        },
      });
      expect(result.failures).toEqual([]);
      expect(result.stdout).toContain(choice === 'stop' ? 'ended (Stopped)' : 'ended (Succeeded)');
      const stops = changes(since).filter(({ operation }) => operation === 'sagemaker:StopPipelineExecution');
      expect(stops).toHaveLength(choice === 'stop' ? 1 : 0);
      expect(await left([execution, running])).toEqual([]);
    } finally {
      projects.jobs.release();
      projects.jobs.hold = false;
    }
  });

  test('an instance whose stack cannot be deleted is named with cause and cure, the rest goes; mended, it goes as well', async () => {
    const { execution } = await again(['production']);
    const { iam } = projects.world.administrator(accounts.production1);
    const policy = { RoleName: `sagemaker-${mine.base}-execution`, PolicyName: 'no-deletion' };
    const statement = { Effect: 'Deny', Action: 'sagemaker:DeleteEndpoint', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      }),
    );
    for (const runId of ['92001', '92002']) {
      // The second run meets the instance as INOPERABLE.
      const result = await remove(projects, approvals, { runId });
      expect(result.code).toBe(1);
      expect(result.outputs['status']).toBe('partial');
      const [instance, ...rest] = result.failures;
      expect(instance).toMatchObject({
        code: 'InstanceFailed',
        account: accounts.production1,
        region,
        logicalId: 'stack instance',
      });
      expect(instance?.cause).toContain('sagemaker:DeleteEndpoint');
      expect(instance?.hint).toContain('retain-stacks');
      expect(rest.map(({ logicalId, code }) => `${logicalId} ${code}`).sort()).toEqual([
        'endpoint Conflict',
        'endpoint configuration Conflict',
        'endpoint log group Conflict',
        'model Conflict',
        'stack set Conflict',
      ]);
      expect((await left([execution])).map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
        `${accounts.development} instance`,
        `${accounts.development} set`,
        `${accounts.production1} configuration`,
        `${accounts.production1} endpoint`,
        `${accounts.production1} log-group`,
        `${accounts.production1} model`,
        `${accounts.production1} stack`,
        `${accounts.production1} stream`,
      ]);
    }
    expect((await plan(projects, approvals)).stdout).toContain('INOPERABLE');
    await iam.send(new DeleteRolePolicyCommand(policy));
    expect((await remove(projects, approvals, { runId: '92002', attempt: 2 })).failures).toEqual([]);
    expect(await left([execution])).toEqual([]);
  });

  test('a stack that was retained when its instance was given up goes as well, with all that is in it', async () => {
    const { execution } = await again(['staging']);
    const { cloudformation } = projects.world.administrator(accounts.development);
    const StackSetName = setName(mine, 'staging');
    const { OperationId } = await cloudformation.send(
      new DeleteStackInstancesCommand({
        StackSetName,
        Accounts: [accounts.staging],
        Regions: [region],
        RetainStacks: true,
      }),
    );
    await until(
      () => cloudformation.send(new DescribeStackSetOperationCommand({ StackSetName, OperationId })),
      ({ StackSetOperation }) => StackSetOperation?.Status === 'SUCCEEDED',
      'the operation',
    );
    expect(counts(await plan(projects, approvals), 'plan')).toMatchObject({ stack: 1, endpoint: 1 });
    const result = await remove(projects, approvals);
    expect(result.failures).toEqual([]);
    expect(result.stdout).toContain('retained when its instance was given up');
    expect(counts(result, 'removed')).toMatchObject({ stack: 1, endpoint: 1, 'stack set': 1 });
    expect(await left([execution])).toEqual([]);
  });

  test('deletions that a policy denies are named, one by one, with the cure; the rest goes', async () => {
    const { packages, execution } = await again(['staging']);
    const { iam, s3 } = projects.world.administrator(accounts.development);
    const role = { RoleName: `sagemaker-${mine.base}-ci-cleanup`, PolicyName: 'no-deletion' };
    const deny = (Action: string, Resource: string) => ({ Effect: 'Deny', Action, Resource });
    await iam.send(
      new PutRolePolicyCommand({
        ...role,
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            deny('sagemaker:DeleteModelPackage', packages[1]!),
            deny('logs:DeleteLogStream', `arn:aws:logs:*:*:log-group:/aws/sagemaker/TrainingJobs:log-stream:*x2*`),
          ],
        }),
      }),
    );
    const Policy = (await s3.send(new GetBucketPolicyCommand({ Bucket: mine.bucket }))).Policy!;
    const document = JSON.parse(Policy);
    document.Statement.push({
      ...deny('s3:DeleteObjectVersion', `arn:aws:s3:::${mine.bucket}/data/*`),
      Sid: 'Hold',
      Principal: '*',
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: mine.bucket, Policy: JSON.stringify(document) }));
    const result = await remove(projects, approvals);
    expect(result.code).toBe(1);
    expect(result.outputs['status']).toBe('partial');
    expect(result.failures.map(({ code, logicalId }) => `${code} ${logicalId}`).sort()).toEqual([
      'AccessDenied job log streams',
      'AccessDenied model package',
      'AccessDenied objects',
      'Conflict pipeline', // whose executions lead to the streams
    ]);
    expect(result.failures.find(({ logicalId }) => logicalId === 'model package')?.resource).toBe(packages[1]);
    for (const { hint } of result.failures) expect(hint).toMatch(/run cleanup again/);
    const rest = await left([execution]);
    expect(rest.filter((line) => line.includes(' package '))).toEqual([expect.stringContaining(packages[1]!)]);
    expect(rest.filter((line) => / (version|marker) /.test(line))).toHaveLength(4);
    expect(rest.filter((line) => line.includes(' stream '))).toHaveLength(1);
    expect(rest).toHaveLength(8);
    await iam.send(new DeleteRolePolicyCommand(role));
    await s3.send(new PutBucketPolicyCommand({ Bucket: mine.bucket, Policy }));
    expect((await remove(projects, approvals, { attempt: 2 })).failures).toEqual([]);
    expect(await left([execution])).toEqual([]);
  });

  (process.env['TEST_FULL'] === undefined ? test.skip : test)(
    'a bucket with 10,000 versions and delete markers',
    async () => {
      const { execution } = await again([]);
      const { s3 } = projects.world.administrator(accounts.development);
      const keys = Array.from({ length: 5_000 }, (_, index) => `models/${index}/model.tar.gz`);
      for (let start = 0; start < keys.length; start += 50)
        await Promise.all(
          keys
            .slice(start, start + 50)
            .map((Key) => s3.send(new PutObjectCommand({ Bucket: mine.bucket, Key, Body: 'x' }))),
        );
      for (let start = 0; start < keys.length; start += 1_000) {
        const Objects = keys.slice(start, start + 1_000).map((Key) => ({ Key }));
        await s3.send(new DeleteObjectsCommand({ Bucket: mine.bucket, Delete: { Objects } }));
      }
      const since = lastCall();
      const result = await remove(projects, approvals);
      expect(result.failures).toEqual([]);
      expect(counts(result, 'removed').objects).toBeGreaterThanOrEqual(10_000);
      expect(await left([execution])).toEqual([]);
      const deletions = changes(since).filter(({ operation }) => operation === 's3:DeleteObjects');
      expect(deletions.length).toBeLessThan(30);
    },
    300_000,
  );

  const allOfIt = { 'delete-roles': 'true', 'delete-project': 'true' };

  test('its own roles stay as long as something is left, and where CloudFormation has no role to remove them with', async () => {
    const { execution } = await again();
    const { iam } = projects.world.administrator(accounts.development);
    const policy = { RoleName: `sagemaker-${mine.base}-ci-cleanup`, PolicyName: 'no-deletion' };
    const deny = { Effect: 'Deny', Action: 'sagemaker:DeleteModelPackageGroup', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }),
      }),
    );
    const { cloudformation } = projects.world.administrator(accounts.staging);
    const StackName = 'sagemaker-mlops-removal-role';
    await cloudformation.send(new DeleteStackCommand({ StackName }));
    await until(
      () => cloudformation.send(new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'] })),
      ({ StackSummaries }) => StackSummaries?.some((stack) => stack.StackName === StackName) === true,
      'the deletion of the removal role',
    );
    const result = await remove(projects, approvals, { inputs: allOfIt });
    expect(result.outputs['status']).toBe('partial');
    expect(result.failures.map(({ code, account, resource }) => `${code} ${account} ${resource}`)).toEqual([
      `AccessDenied ${accounts.development} ${mine.base}`,
      ...[accounts.production1, accounts.production2].map(
        (account) => `Conflict ${account} sagemaker-${mine.base}-target-roles`,
      ),
      `Conflict ${accounts.development} sagemaker-${mine.base}-cleanup-role`,
    ]);
    expect(JSON.parse(result.outputs['kept']!)).toMatchObject([
      {
        account: accounts.staging,
        name: `sagemaker-${mine.base}-target-roles`,
        because: expect.stringMatching(
          /no role sagemaker-mlops-removal .*aws cloudformation delete-stack --stack-name/,
        ),
      },
    ]);
    expect(await left([execution])).toEqual([]);
    await iam.send(new DeleteRolePolicyCommand(policy));
    await createStack(
      cloudformation,
      { account: accounts.staging, region },
      {
        name: StackName,
        template: join(root, 'templates/removal-role.yml'),
        parameters: {},
        tags: {},
      },
    );
  });

  test('what CloudFormation cannot remove of the last stacks is told with its cause', async () => {
    rolesGo = lastCall();
    const { iam } = projects.world.administrator(accounts.production2);
    const policy = { RoleName: 'sagemaker-mlops-removal', PolicyName: 'no-deletion' };
    const deny = { Effect: 'Deny', Action: 'kms:ScheduleKeyDeletion', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }),
      }),
    );
    const result = await remove(projects, approvals, {
      inputs: allOfIt,
      workspace: join(root, 'test/cleanup/fixture'),
    });
    expect(result.failures).toMatchObject([
      {
        code: 'OperationFailed',
        account: accounts.production2,
        region,
        resource: `sagemaker-${mine.base}-target-roles`,
        cause: expect.stringMatching(/StageKey.*kms:ScheduleKeyDeletion/),
      },
      { code: 'Conflict', account: accounts.development, resource: `sagemaker-${mine.base}-cleanup-role` },
    ]);
    await iam.send(new DeleteRolePolicyCommand(policy));
  });

  test('with its roles and the project itself: no stack is left in any account, and the keys wait for their deletion', async () => {
    const result = await remove(projects, approvals, {
      inputs: allOfIt,
      workspace: join(root, 'test/cleanup/fixture'),
    });
    expect(result.failures).toEqual([]);
    expect(counts(result, 'removed')).toEqual({ stack: 2 });
    const rest = linesOf(await sweep(projects.world), mine, []);
    expect(rest.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      `key Models and data of the project ${mine.name} PendingDeletion`,
      ...['staging', 'production', 'production'].map(
        (stage) => `key Disks of the ${stage} endpoints of the project ${mine.name} PendingDeletion`,
      ),
    ]);
    // Nobody is left who could look a second time: GitHub's job gets no role.
    const second = await remove(projects, approvals, { inputs: allOfIt, runId: '93001' });
    expect(second.failures).toMatchObject([
      { code: 'RoleNotAssumable', hint: expect.stringContaining('nothing is left to do') },
    ]);
    expect(await answers(projects, accounts.production2, `${other.base}-production`)).toBe('6');
  });
});

describe('the roles of cleanup', () => {
  /** Rights that nothing above needed, each with its reason. */
  const unexercised: Record<string, string> = {
    'ci-cleanup#ReadStacks cloudformation:DescribeStackEvents':
      'Tells why a stack with roles or the project could not be deleted.',
    'ci-cleanup#RemoveStackSets cloudformation:StopStackSetOperation':
      'A cancelled job with on-cancel: stop ends its operation.',
    'ci-cleanup#RemoveRoles iam:DetachRolePolicy':
      'CloudFormation detaches what a person attached before it deletes a role.',
    'ci-cleanup#RemoveRoles iam:GetRole':
      "CloudFormation's handler of AWS::IAM::Role reads before it deletes (handlers.delete in its schema).",
    'ci-cleanup#RemoveBucket s3:GetBucketPolicy':
      "CloudFormation's handler of AWS::S3::BucketPolicy reads before it deletes.",
    'ci-cleanup#ReadBucket s3:GetEncryptionConfiguration':
      'Leads to the key when the alias went with the stack and the bucket is still there.',
    'ci-cleanup-plan#ReadBucket s3:GetEncryptionConfiguration': 'As for ci-cleanup.',
    'ci-cleanup#RemoveJobRecords sagemaker:DeleteTrainingJob':
      'As DeleteProcessingJob; the pipeline of this test has no training step.',
    'sagemaker-mlops-removal#Keys kms:DescribeKey':
      "CloudFormation's handler of AWS::KMS::Key reads before it deletes (handlers.delete in its schema).",
    'sagemaker-mlops-removal#Roles iam:DetachRolePolicy': 'As ci-cleanup#RemoveRoles.',
    'sagemaker-mlops-removal#Roles iam:GetRole': 'As ci-cleanup#RemoveRoles.',
    'cleanup#ReadSchedules sagemaker:ListTags': 'As RemoveSchedules.',
    'cleanup-plan#ReadSchedules sagemaker:ListTags': 'As RemoveSchedules.',
    'cleanup#RemoveSchedules sagemaker:DeleteMonitoringSchedule': 'schedules.test.ts removes schedules.',
    'cleanup#ReadSchedules sagemaker:DescribeMonitoringSchedule': 'schedules.test.ts waits for one that is busy.',
  };

  test('grant what was used above, and what is listed here with its reason', () => {
    const report = leastPrivilege(projects.world.calls() as LoggedCall[], roles);
    const place = ({ role, statement, action }: { role: string; statement: string; action: string }) =>
      `${role.replace(`sagemaker-${mine.base}-`, '')}#${statement} ${action}`;
    const granted = grantedActions(roles);
    // A right that is used in one of the target accounts is used.
    const unused = new Set(report.unused.map(place));
    for (const one of granted)
      if (!report.unused.some((each) => each.account === one.account && place(each) === place(one)))
        unused.delete(place(one));
    expect([...unused].sort()).toEqual(Object.keys(unexercised).sort());
    expect(report.redundant.map(describeGrant)).toEqual([]);
  });

  test('were refused nothing but what the tests above forbade, until they had removed themselves', () => {
    const refused = (calls: LoggedCall[]) =>
      leastPrivilege(calls, roles)
        .ungranted.filter(
          ({ principal, decision }) => decision === 'implicit-deny' && !principal.includes('-ci-cleanup-plan/'),
        )
        .map(({ principal, action }) => `${principal.split('/')[1]!.replace(mine.base, 'N')} ${action}`);
    const calls = projects.world.calls() as (LoggedCall & { seq: number })[];
    expect(refused(calls.filter(({ seq }) => seq < rolesGo))).toEqual([]);
    const afterwards = new Set(refused(calls.filter(({ seq }) => seq >= rolesGo)));
    expect([...afterwards].sort()).toEqual([
      'sagemaker-N-ci-cleanup cloudformation:DescribeStacks', // is its stack gone?
      'sagemaker-N-ci-cleanup sts:AssumeRole', // into accounts whose roles are gone
      'sagemaker-N-cleanup cloudformation:DescribeStacks',
    ]);
  });
});

test('the workflow hands every input on', () => {
  const inputs = Object.keys(parse(readFileSync(join(root, 'actions/cleanup/action.yml'), 'utf8')).inputs);
  const { jobs } = parse(readFileSync(join(root, '.github/workflows/model-cleanup.yml'), 'utf8'));
  const given = (job: string) => jobs[job].steps.find(({ uses = '' }) => uses === '$/actions/cleanup').with;
  const common = ['github-token', 'role-chain', 'role-duration-seconds', 'timeout-minutes', 'on-cancel'];
  expect(Object.keys(given('remove')).sort()).toEqual(inputs.filter((name) => !common.includes(name)).sort());
  expect(Object.keys(given('remove')).filter((name) => !(name in given('plan')))).toEqual(['confirm', 'environment']);
  expect(setName(mine, 'x')).toContain(mine.base);
});
