/** What deployments left in target accounts is found and removed when stage files and stack sets are gone, and when CloudFormation stumbles. */
import {
  DeleteStackCommand,
  DeleteStackInstancesCommand,
  DeleteStackSetCommand,
  DescribeStackSetOperationCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActionResult } from '../actions/support/action.ts';
import { until } from '../deploy/support/stage.ts';
import { accounts, region } from '../support/platform.ts';
import { type Approvals, plan, remove, startApprovals } from './support/cleanup.ts';
import { mine, type Projects, seed, setName, startExecution, startProjects } from './support/projects.ts';
import { linesOf, staying, sweep } from './support/sweep.ts';

let projects: Projects;
let approvals: Approvals;

beforeAll(async () => {
  approvals = await startApprovals();
  projects = await startProjects();
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
});

const counts = (result: ActionResult, output: 'plan' | 'removed') => JSON.parse(result.outputs[output]!).counts;
async function left(execution: string): Promise<string[]> {
  return linesOf(await sweep(projects.world), mine, [execution]).filter((line) => !staying.test(line));
}

/** A stage is given up by hand: its stacks stay in the accounts, the set is gone. */
async function forget(stage: string, targets: string[]): Promise<void> {
  const { cloudformation } = projects.world.administrator(accounts.development);
  const StackSetName = setName(mine, stage);
  const { OperationId } = await cloudformation.send(
    new DeleteStackInstancesCommand({ StackSetName, Accounts: targets, Regions: [region], RetainStacks: true }),
  );
  await until(
    () => cloudformation.send(new DescribeStackSetOperationCommand({ StackSetName, OperationId })),
    ({ StackSetOperation }) => StackSetOperation?.Status === 'SUCCEEDED',
    'the operation',
  );
  await cloudformation.send(new DeleteStackSetCommand({ StackSetName }));
}

async function deleteStack(account: string, suffix: string): Promise<void> {
  const { cloudformation } = projects.world.administrator(account);
  const StackName = `sagemaker-${mine.base}-${suffix}`;
  await cloudformation.send(new DeleteStackCommand({ StackName }));
  await until(
    () => cloudformation.send(new DescribeStacksCommand({ StackName })).catch(() => undefined),
    (answer) => answer === undefined,
    `the end of ${StackName}`,
  );
}

describe('CloudFormation loses an answer and is refused what is gone', () => {
  test.each(['DeleteModel', 'DeleteEndpointConfig', 'DeleteEndpoint'])('sagemaker:%s', async (operation) => {
    const { execution } = await seed(projects, mine, { stages: ['staging'] });
    await projects.world.control('POST', 'faults', {
      operation: `sagemaker:${operation}`,
      account: accounts.staging,
      effect: { kind: 'lost-response' },
    });
    const result = await remove(projects, approvals, { runId: `980${operation.length}` });
    expect(result.failures).toEqual([]);
    expect(result.outputs['status']).toBe('');
    expect(counts(result, 'removed')).toMatchObject({ 'stack instance': 1, 'stack set': 1, endpoint: 1 });
    if (operation !== 'DeleteEndpoint') expect(counts(result, 'removed').stack).toBe(1);
    expect(await left(execution)).toEqual([]);
  });

  test('twice, and a kill in between: the run after it ends clean', async () => {
    const { execution } = await seed(projects, mine, { stages: ['staging'] });
    for (const operation of ['DeleteEndpointConfig', 'DeleteModel'])
      await projects.world.control('POST', 'faults', {
        operation: `sagemaker:${operation}`,
        account: accounts.staging,
        effect: { kind: 'lost-response' },
      });
    const since = projects.world.platform.calls.next;
    const killed = await remove(projects, approvals, {
      runId: '98100',
      onLine: (line, child) => {
        if (line.startsWith('Giving up 1 instances')) child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const again = await remove(projects, approvals, { runId: '98100', attempt: 2 });
    expect(again.failures).toEqual([]);
    expect(await left(execution)).toEqual([]);
    const deletions = projects.world.calls({ since, operation: 'cloudformation:DeleteStackInstances' });
    expect(deletions).toHaveLength(2);
  });
});

// Its wait takes a quarter of a minute of real time.
(process.env['TEST_FULL'] === undefined ? test.skip : test)(
  'at the deadline, what was removed and what failed before it is told',
  async () => {
    const { execution } = await seed(projects, mine, { stages: ['staging'] });
    const { iam } = projects.world.administrator(accounts.staging);
    const policy = { RoleName: `sagemaker-${mine.base}-cleanup`, PolicyName: 'no-deletion' };
    const statement = { Effect: 'Deny', Action: 'sagemaker:DeleteModel', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      }),
    );
    projects.jobs.hold = true;
    const running = await startExecution(projects.world, mine);
    await until(
      () => projects.jobs.held,
      (count) => count > 0,
      'its job',
    );
    try {
      const late = await remove(projects, approvals, {
        runId: '98400',
        inputs: { 'running-executions': 'wait', 'timeout-minutes': '5' },
      });
      expect(late.outputs['status']).toBe('still-running');
      expect(late.failures.map(({ code, logicalId }) => `${code} ${logicalId ?? ''}`)).toEqual([
        'DeadlineExceeded ',
        'AccessDenied model',
        'Conflict stack set',
      ]);
      expect(counts(late, 'removed')).toMatchObject({ 'stack instance': 1, 'endpoint log group': 1 });
      expect(late.summary).toContain('3 things are left');
    } finally {
      projects.jobs.release();
      projects.jobs.hold = false;
      await iam.send(new DeleteRolePolicyCommand(policy));
    }
    const again = await remove(projects, approvals, { runId: '98400', attempt: 2 });
    expect(again.failures).toEqual([]);
    expect(await left(execution)).toEqual([]);
    expect(linesOf(await sweep(projects.world), mine, [running]).filter((line) => !staying.test(line))).toEqual([]);
  },
);

describe('stage files and stack sets are gone', () => {
  let execution: string;
  beforeAll(async () => {
    ({ execution } = await seed(projects, mine));
    await forget('staging', [accounts.staging]);
    await forget('production', [accounts.production1, accounts.production2]);
    // Its stage is told by the roles in its accounts from now on.
    await deleteStack(accounts.development, 'deploy-role-production');
  }, 60_000);

  test('the accounts that the stacks name are looked at', async () => {
    const planned = await plan(projects, approvals);
    expect(planned.failures).toEqual([]);
    expect(counts(planned, 'plan')).toMatchObject({
      stack: 3,
      endpoint: 3,
      'endpoint configuration': 4,
      model: 4,
      'endpoint log group': 3,
    });
    expect(planned.stdout).not.toContain('::warning');
  });

  test('an account that deploys could reach and cleanup cannot is a failure, and the stacks that name it stay', async () => {
    const { iam } = projects.world.administrator(accounts.staging);
    const names = ['cleanup', 'cleanup-plan'].map((suffix) => `sagemaker-${mine.base}-${suffix}`);
    const trust = new Map<string, string>();
    for (const RoleName of names) {
      const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
      trust.set(RoleName, decodeURIComponent(Role!.AssumeRolePolicyDocument!));
      const nobody = trust.get(RoleName)!.replaceAll('"Allow"', '"Deny"');
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: nobody }));
    }
    const unreachable = {
      code: 'RoleNotAssumable',
      account: accounts.staging,
      region,
      cause: expect.stringContaining(`named by the stack sagemaker-${mine.base}-deploy-role-staging`),
      hint: expect.stringContaining('target-roles.yml'),
    };
    const planned = await plan(projects, approvals);
    expect(planned.outputs['status']).toBe('partial');
    expect(planned.failures).toMatchObject([unreachable]);
    const removed = await remove(projects, approvals, { runId: '98200', inputs: { 'delete-roles': 'true' } });
    expect(removed.outputs['status']).toBe('partial');
    expect(removed.failures.map(({ code, resource }) => `${code} ${resource?.split(`${mine.base}-`)[1]}`)).toEqual([
      'RoleNotAssumable cleanup',
      'Conflict deploy-role-staging',
      'Conflict project-roles',
      'Conflict stack-set-administration',
    ]);
    const rest = (await left(execution)).map((line) => line.split(' ').slice(0, 2).join(' '));
    expect([...new Set(rest)].sort()).toEqual(
      ['configuration', 'endpoint', 'log-group', 'model', 'stack', 'stream'].map(
        (kind) => `${accounts.staging} ${kind}`,
      ),
    );
    for (const [RoleName, PolicyDocument] of trust)
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
  });

  test('an endpoint that cannot be deleted keeps what it needs; mended, all of it goes', async () => {
    const { iam } = projects.world.administrator(accounts.staging);
    const policy = { RoleName: `sagemaker-${mine.base}-cleanup`, PolicyName: 'no-deletion' };
    const statement = { Effect: 'Deny', Action: 'sagemaker:DeleteEndpoint', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      }),
    );
    const result = await remove(projects, approvals, { runId: '98300' });
    expect(result.failures.map(({ logicalId, code }) => `${logicalId} ${code}`).sort()).toEqual([
      'endpoint AccessDenied',
      'endpoint configuration Conflict',
      'endpoint log group Conflict',
      'model Conflict',
      'stack OperationFailed',
    ]);
    expect(projects.servers.running).toBe(1);
    await iam.send(new DeleteRolePolicyCommand(policy));
    const again = await remove(projects, approvals, { runId: '98300', attempt: 2 });
    expect(again.failures).toEqual([]);
    expect(await left(execution)).toEqual([]);
  });

  test('with the roles gone, there is nothing to do and nothing to warn of', async () => {
    await Promise.all(
      ['deploy-role-staging', 'stack-set-administration'].map((suffix) => deleteStack(accounts.development, suffix)),
    );
    await Promise.all(
      [accounts.staging, accounts.production1, accounts.production2].map((account) =>
        deleteStack(account, 'target-roles'),
      ),
    );
    const planned = await plan(projects, approvals);
    expect(planned.failures).toEqual([]);
    expect(planned.outputs['status']).toBe('none');
    expect(planned.stdout).toContain('nothing to do');
    expect(planned.stdout).not.toContain('::warning');
    expect(planned.stdout).toContain(`The account ${accounts.staging} of the stack`);
  });
});
