/** A project whose stack set has instances in two regions: found, removed and swept in both. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackCommand,
  DescribeStackSetOperationCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateModelCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createStack } from '../../cli/stacks.ts';
import { root } from '../actions/support/world.ts';
import { image } from '../deploy/support/fixture.ts';
import { until } from '../deploy/support/stage.ts';
import { accounts, region } from '../support/platform.ts';
import { type Approvals, plan, remove, startApprovals } from './support/cleanup.ts';
import { mine, other, type Projects, roleOf, seed, setName, startProjects, tagsOf } from './support/projects.ts';
import { linesOf, staying, sweep } from './support/sweep.ts';

const far = 'us-east-1';
let projects: Projects;
let approvals: Approvals;
let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'regions-'));
  approvals = await startApprovals();
  projects = await startProjects();
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
  await rm(workspace, { recursive: true, force: true });
});

/** The roles of an account are made once, in the region that its stage is deployed to. */
async function moveRoles(account: string): Promise<void> {
  const { cloudformation } = projects.world.administrator(account);
  const name = `sagemaker-${mine.base}-target-roles`;
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: name }));
  const parameters = Object.fromEntries(
    (Stacks?.[0]?.Parameters ?? []).map(({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue!]),
  );
  await cloudformation.send(new DeleteStackCommand({ StackName: name }));
  await until(
    () => cloudformation.send(new DescribeStacksCommand({ StackName: name })).catch(() => undefined),
    (answer) => answer === undefined,
    'the end of the roles',
  );
  await createStack(
    projects.world.administrator(account, far).cloudformation,
    { account, region: far },
    {
      name,
      template: join(root, 'templates/target-roles.yml'),
      parameters,
      tags: Object.fromEntries(tagsOf(mine).map(({ Key, Value }) => [Key, Value])),
    },
  );
}

async function deployModels(): Promise<void> {
  const { cloudformation } = projects.world.administrator(accounts.development);
  const StackSetName = setName(mine, 'production');
  const Properties = {
    ExecutionRoleArn: { 'Fn::Sub': `arn:aws:iam::\${AWS::AccountId}:role/sagemaker-${mine.base}-model` },
    EnableNetworkIsolation: true,
    Containers: [{ Image: image }],
    Tags: tagsOf(mine),
  };
  await cloudformation.send(
    new CreateStackSetCommand({
      StackSetName,
      TemplateBody: JSON.stringify({ Resources: { Model: { Type: 'AWS::SageMaker::Model', Properties } } }),
      Tags: tagsOf(mine),
      AdministrationRoleARN: roleOf(mine, accounts.development, 'stackset-administration'),
      ExecutionRoleName: `sagemaker-${mine.base}-execution`,
    }),
  );
  for (const [account, where] of [
    [accounts.production1, region],
    [accounts.production2, far],
  ] as const) {
    const { OperationId } = await cloudformation.send(
      new CreateStackInstancesCommand({ StackSetName, Accounts: [account], Regions: [where] }),
    );
    const { StackSetOperation } = await until(
      () => cloudformation.send(new DescribeStackSetOperationCommand({ StackSetName, OperationId })),
      (answer) => !['QUEUED', 'RUNNING'].includes(answer.StackSetOperation!.Status!),
      'the operation',
    );
    expect(StackSetOperation?.Status).toBe('SUCCEEDED');
  }
}

test('instances, leftovers and their set go in both regions; what is another’s stays', async () => {
  await moveRoles(accounts.production2);
  const { execution } = await seed(projects, mine, { stages: [] });
  await deployModels();
  const { sagemaker } = projects.world.administrator(accounts.production2, far);
  for (const owner of [mine, other])
    await sagemaker.send(
      new CreateModelCommand({
        ModelName: `left-of-${owner.name}`,
        ExecutionRoleArn: roleOf(owner, accounts.production2, 'model'),
        Containers: [{ Image: image }],
        Tags: tagsOf(owner),
      }),
    );
  const regions = [region, far];
  const place = `${accounts.production2}/${far}`;
  const before = await sweep(projects.world, regions);
  const planned = await plan(projects, approvals);
  expect(planned.failures).toEqual([]);
  expect(planned.stdout).not.toContain('::warning');
  const { counts, items } = JSON.parse(planned.outputs['plan']!);
  expect(counts).toMatchObject({ 'stack instance': 2, 'stack set': 1, model: 3 });
  expect(items).toContainEqual(
    expect.objectContaining({ kind: 'model', account: accounts.production2, region: far, name: 'left-of-abalone' }),
  );
  const result = await remove(projects, approvals);
  expect(result.failures).toEqual([]);
  const after = await sweep(projects.world, regions);
  expect(linesOf(after, mine, [execution]).filter((line) => !staying.test(line))).toEqual([]);
  const theirs = (lines: string[]) => lines.filter((line) => linesOf([line], mine, [execution]).length === 0);
  expect(theirs(after)).toEqual(theirs(before));
  expect(after).toContain(`${place} model ${other.id} left-of-abalone-2`);

  // Without set and stage file nobody knows of the other region: no "nothing to do", and roles and project stay.
  const inputs = { 'delete-roles': 'true', 'delete-project': 'true' };
  const unknown = await plan(projects, approvals, { inputs });
  expect(unknown.failures).toMatchObject([
    { code: 'AccessDenied', account: accounts.production2, region, hint: expect.stringContaining('stage file') },
  ]);
  const stages = join(workspace, 'model-deploy/stages');
  await mkdir(stages, { recursive: true });
  await writeFile(
    join(stages, 'production.yml'),
    `environment: production\nregion: ${far}\naccounts: ["${accounts.production2}"]\nendpoint: {instance-type: ml.m5.large, instance-count: 1}\n`,
  );
  const all = await remove(projects, approvals, { runId: '98600', inputs, workspace });
  expect(all.failures).toEqual([]);
  const end = linesOf(await sweep(projects.world, regions), mine, [execution]);
  expect(end.filter((line) => !/ key .* PendingDeletion$/.test(line))).toEqual([]);
}, 60_000);
