/** deploy-stack-set and test-endpoint as GitHub runs them: the committed bundles against the platform with our templates. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateStackSetCommand, DescribeStackSetCommand } from '@aws-sdk/client-cloudformation';
import {
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ActionResult, quick, runAction } from '../actions/support/action.ts';
import { base, bucket, project, root, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region } from '../support/platform.ts';
import {
  approve,
  gatedPackage,
  type LinearServers,
  linearServers,
  registerPackage,
  setName,
  stageInputs,
  stageWorkspace,
} from './support/fixture.ts';
import { administration, changes, instancesOf, lastCall, operationsOf, resetStage } from './support/stage.ts';

let world: World;
let servers: LinearServers;
let workspace: string;
let run = 88_000;

beforeAll(async () => {
  world = await startWorld();
  servers = linearServers(world);
  workspace = stageWorkspace();
}, 120_000);
afterAll(async () => {
  await servers?.closeAll();
  await world?.close();
});
beforeEach(() => {
  run += 1;
});

interface Options {
  stage?: string;
  runId?: string;
  inputs?: Record<string, string>;
  in?: string;
}

const act =
  (action: string) =>
  (
    arn: string,
    { stage = 'production', runId = String(run), inputs = {}, in: folder = workspace }: Options = {},
  ): Promise<ActionResult> =>
    runAction(action, world, {
      ...quick,
      inputs: stageInputs(world, stage, arn, inputs),
      environment: stage,
      workspace: folder,
      runId,
    });
const deploy = act('deploy-stack-set');
const check = act('test-endpoint');

async function lifecycle(arn: string): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const { ModelLifeCycle: cycle } = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  return `${cycle?.Stage}/${cycle?.StageStatus}`;
}

/** Annotation (which the runner prints into the log), summary and the output `failure` say the same: account, region, resource and cause. */
function toldEverywhere(result: ActionResult): void {
  const annotation = result.errors.join('\n');
  const summary = plain(result.summary);
  for (const { cause, account, region: where, resource, logicalId } of result.failures) {
    const told = [cause.slice(0, 60), account, where, logicalId ?? resource].filter((one) => one !== undefined);
    for (const words of told) {
      expect(annotation).toContain(words);
      expect(summary).toContain(words);
    }
  }
  expect(result.stdout + result.stderr).not.toMatch(/^\s+at .+\(.+:\d+:\d+\)$/m);
}

/** A summary as its reader sees it. */
const plain = (markdown: string) =>
  markdown
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('\\', '');

describe('a package through both stages', () => {
  let arn: string;
  beforeAll(async () => {
    arn = await gatedPackage(world, { weights: [3, 2, 1] });
  });
  afterAll(async () => {
    await resetStage(world, 'staging');
    await resetStage(world, 'production');
  });

  test('staging: deployed, tested, said on the package', async () => {
    const deployed = await deploy(arn, { stage: 'staging' });
    expect(deployed.failures).toEqual([]);
    expect(deployed.outputs).toMatchObject({
      status: '',
      failure: '',
      'stack-set-name': setName('staging'),
      'endpoint-name': `${base}-staging`,
      'model-package-arn': arn,
    });
    expect(await lifecycle(arn)).toBe('Staging/InProgress');
    const tested = await check(arn, { stage: 'staging' });
    expect(tested.failures).toEqual([]);
    expect(JSON.parse(tested.outputs['endpoints']!)).toEqual([
      {
        account: accounts.staging,
        region,
        endpoint: `${base}-staging`,
        status: 'passed',
        rows: 25,
        'max-difference': 0,
        'latency-ms': expect.any(Number),
      },
    ]);
    expect(await lifecycle(arn)).toBe('Staging/Approved');
  });

  test('production: both accounts, with the reviewer on the package', async () => {
    const deployed = await deploy(arn, { inputs: { reviewer: 'grace' } });
    expect(deployed.failures).toEqual([]);
    const { created } = JSON.parse(deployed.outputs['plan']!);
    expect(created.map(({ account }: { account: string }) => account)).toEqual([
      accounts.production1,
      accounts.production2,
    ]);
    const ids = JSON.parse(deployed.outputs['operation-ids']!);
    expect(await operationsOf(world, 'production')).toEqual(ids.map((id: string) => ({ id, status: 'SUCCEEDED' })));
    expect(await instancesOf(world, 'production')).toEqual({
      [accounts.production1]: 'CURRENT SUCCEEDED',
      [accounts.production2]: 'CURRENT SUCCEEDED',
    });
    expect((await check(arn, { inputs: { reviewer: 'grace' } })).failures).toEqual([]);
    expect(await lifecycle(arn)).toBe('Production/Approved');
    const { sagemaker } = world.administrator(accounts.development);
    const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
    expect(found.ModelLifeCycle?.StageDescription).toContain('grace');
    expect(found.CustomerMetadataProperties).toMatchObject({
      'production-reviewer': 'grace',
      'production-run': expect.stringContaining('/actions/runs/'),
    });
  });

  test('the same package again changes nothing, from an empty workspace and another run', async () => {
    const since = lastCall(world);
    const deployed = await deploy(arn, { in: stageWorkspace() });
    const tested = await check(arn);
    expect([deployed.outputs['status'], tested.outputs['status']]).toEqual(['unchanged', '']);
    expect(changes(world, since)).toEqual([]);
  });

  test('a change of the configuration alone updates both accounts and leaves the life cycle', async () => {
    const folder = stageWorkspace((_, text) => text.replace('ml.m5.large', 'ml.m5.xlarge'));
    const deployed = await deploy(arn, { in: folder });
    expect(deployed.failures).toEqual([]);
    expect(JSON.parse(deployed.outputs['plan']!)).toMatchObject({
      differences: ['parameter EndpointInstanceType'],
      updated: [{}, {}],
    });
    expect(await lifecycle(arn)).toBe('Production/Approved');
    // The test is told by the stage file what to expect.
    const [failure] = (await check(arn)).failures;
    expect(failure).toMatchObject({
      code: 'VerificationFailed',
      logicalId: 'InstanceType',
      account: accounts.production1,
      region,
    });
    // It is what runs there, whatever the test says about its new configuration.
    expect(await lifecycle(arn)).toBe('Production/Approved');
    expect((await check(arn, { in: folder })).failures).toEqual([]);
  });

  test('an older package is superseded, a rollback is not', async () => {
    const newer = await gatedPackage(world, { weights: [9, 9, 9] });
    expect((await deploy(newer)).outputs['status']).toBe('');
    await check(newer);
    const since = lastCall(world);
    const older = await deploy(arn);
    expect([older.code, older.outputs['status']]).toEqual([0, 'superseded']);
    expect(changes(world, since)).toEqual([]);
    expect((await deploy(arn, { inputs: { 'rollback-from': newer } })).outputs['status']).toBe('');
    expect([await lifecycle(newer), await lifecycle(arn)]).toEqual(['Production/RolledBack', 'Production/Approved']);
    // What the stage went back from holds nobody up.
    expect((await deploy(arn)).outputs['status']).toBe('unchanged');
    expect(JSON.parse((await check(arn)).outputs['endpoints']!).map((one: any) => one.status)).toEqual([
      'passed',
      'passed',
    ]);
  });

  test('a newer package that production refused does not hold an older one up, in staging either', async () => {
    const refused = await gatedPackage(world, { weights: [8, 8, 8] });
    await deploy(refused);
    await deploy(refused, { stage: 'staging' });
    const { sagemaker } = world.administrator(accounts.development);
    await sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: refused,
        ModelLifeCycle: { Stage: 'Production', StageStatus: 'Rejected' },
      }),
    );
    expect((await deploy(arn)).outputs['status']).toBe('');
    expect((await deploy(arn, { stage: 'staging' })).outputs['status']).toBe('');
  });
});

describe('what is not deployed', () => {
  test('a package that nobody gated, one approved by hand, one rejected: nothing is called that changes', async () => {
    const model = { weights: [1, 1, 1] };
    const pending = await registerPackage(world, model);
    const byHand = await registerPackage(world, model);
    await approve(world, byHand, model, false);
    const since = lastCall(world);
    const codes = async (arn: string) => (await deploy(arn, { stage: 'staging' })).failures.map(({ code }) => code);
    expect(await codes(pending)).toEqual(['NotApproved', 'NotGated']);
    expect(await codes(byHand)).toEqual(['NotGated']);
    expect(await codes(`${pending.slice(0, pending.lastIndexOf('/'))}/999`)).toEqual(['NotFound']);
    expect(changes(world, since)).toEqual([]);
  });

  test('an archive that was swapped after the gate: expected and found are named, before and after a deployment', async () => {
    const model = { weights: [4, 4, 4] };
    const arn = await gatedPackage(world, model);
    expect((await deploy(arn, { stage: 'staging' })).failures).toEqual([]);
    const { s3, sagemaker } = world.administrator(accounts.development);
    const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
    const [, key = ''] =
      /^s3:\/\/[^/]+\/(.+)$/.exec(found.InferenceSpecification?.Containers?.[0]?.ModelDataUrl ?? '') ?? [];
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify({ weights: [5, 5, 5] }) }));
    for (const result of [await check(arn, { stage: 'staging' }), await deploy(arn, { stage: 'staging' })]) {
      expect(result.failures[0]?.code).toBe('ArtifactChanged');
      expect(result.failures[0]?.cause).toMatch(/[0-9a-f]{32}.* found|[0-9a-f]{32} was recorded, \S+ was found/);
      toldEverywhere(result);
    }
    await resetStage(world, 'staging');
  });

  test.each([
    [
      'an empty list of accounts',
      (text: string) => text.replace(/accounts: .*/, 'accounts: []'),
      {},
      'NoTargets',
      'model-deploy/stages/production.yml',
    ],
    [
      'a wrong key',
      (text: string) => `${text}wave: []\n`,
      {},
      'InvalidConfiguration',
      'model-deploy/stages/production.yml',
    ],
    [
      'another region',
      (text: string) => text.replace('eu-west-1', 'eu-west-2'),
      {},
      'InvalidConfiguration',
      'model-deploy/stages/production.yml',
    ],
    ['no such stage file', undefined, { 'stage-file': 'nowhere.yml' }, 'InvalidConfiguration', 'nowhere.yml'],
    ['no such template', undefined, { template: 'nowhere.yml' }, 'InvalidTemplate', 'nowhere.yml'],
    [
      'no version',
      undefined,
      { 'model-package-arn': 'arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/g' },
      'InvalidInput',
      'model-package-arn',
    ],
    [
      'the package of another project',
      undefined,
      { 'model-package-arn': 'arn:aws:sagemaker:eu-west-1:111122223333:model-package/other/1' },
      'InvalidInput',
      'model-package-arn',
    ],
  ])('%s: one clear failure, nothing called', async (_, change, inputs, code, resource) => {
    const folder = change === undefined ? workspace : stageWorkspace((_stage, text) => change(text));
    const since = lastCall(world);
    const result = await deploy(`arn:aws:sagemaker:eu-west-1:111122223333:model-package/${base}/1`, {
      in: folder,
      inputs,
    });
    expect(result.code).toBe(1);
    expect(result.failures.map((failure) => [failure.code, failure.resource])).toEqual([[code, resource]]);
    expect(world.calls({ since })).toEqual([]);
    toldEverywhere(result);
  });
});

describe('failures of single accounts', () => {
  let arn: string;
  beforeAll(async () => {
    arn = await gatedPackage(world, { weights: [2, 2, 2] });
  });
  afterEach(() => resetStage(world, 'production'));
  const bad = accounts.production2;
  const good = accounts.production1;

  /** Deploys with one account broken; the other one has to be right all the same. */
  async function deployBroken(options: Options = {}): Promise<ActionResult> {
    const folder = stageWorkspace((_, text) =>
      text.replace('failure-tolerance-count: 0', 'failure-tolerance-count: 1'),
    );
    const result = await deploy(arn, { in: folder, ...options });
    expect(result.code).toBe(1);
    toldEverywhere(result);
    return result;
  }

  test('the execution role is missing', async () => {
    const { iam } = world.administrator(bad);
    const RoleName = `sagemaker-${base}-execution`;
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    const policy = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'deploy' }));
    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'deploy' }));
    await iam.send(new DeleteRoleCommand({ RoleName }));
    try {
      const result = await deployBroken();
      expect(result.outputs['status']).toBe('partial');
      expect(result.failures).toEqual([
        expect.objectContaining({
          code: 'InstanceFailed',
          account: bad,
          region,
          resource: `arn:aws:iam::${bad}:role/${RoleName}`,
          cause: expect.stringContaining(`Account ${bad} should have '${RoleName}' role`),
          hint: expect.stringContaining('target-roles.yml'),
        }),
      ]);
      expect(await instancesOf(world, 'production')).toMatchObject({ [good]: 'CURRENT SUCCEEDED' });
      expect(JSON.parse(result.outputs['instances']!)).toEqual([
        expect.objectContaining({ account: good, status: 'CURRENT' }),
        expect.objectContaining({ account: bad, status: 'FAILED' }),
      ]);
      expect(await lifecycle(arn)).toBe('Production/Rejected');
    } finally {
      const { CreateRoleCommand } = await import('@aws-sdk/client-iam');
      await iam.send(
        new CreateRoleCommand({
          RoleName,
          AssumeRolePolicyDocument: decodeURIComponent(Role!.AssumeRolePolicyDocument!),
        }),
      );
      await iam.send(
        new PutRolePolicyCommand({
          RoleName,
          PolicyName: 'deploy',
          PolicyDocument: decodeURIComponent(policy.PolicyDocument!),
        }),
      );
    }
    // What the same run could not do, its re-run does: the next generation.
    const again = await deploy(arn, {
      in: stageWorkspace((_, text) => text.replace('failure-tolerance-count: 0', 'failure-tolerance-count: 1')),
    });
    expect(again.failures).toEqual([]);
    expect(await instancesOf(world, 'production')).toEqual({ [good]: 'CURRENT SUCCEEDED', [bad]: 'CURRENT SUCCEEDED' });
  });

  test('the model role may not read the archive', async () => {
    const { iam } = world.administrator(bad);
    const role = { RoleName: `sagemaker-${base}-model`, PolicyName: 'serve' };
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand(role));
    const document = JSON.parse(decodeURIComponent(PolicyDocument!));
    document.Statement = document.Statement.filter(({ Sid }: { Sid: string }) => Sid !== 'ReadModels');
    await iam.send(new PutRolePolicyCommand({ ...role, PolicyDocument: JSON.stringify(document) }));
    try {
      const [failure, ...more] = (await deployBroken()).failures;
      expect(more).toEqual([]);
      expect(failure).toMatchObject({
        code: 'InstanceFailed',
        account: bad,
        region,
        logicalId: expect.stringMatching(/^(Model|Endpoint)$/),
      });
      expect(failure?.cause).toMatch(/model data|s3:GetObject/);
      expect(failure?.hint).toContain(`sagemaker-${base}-model`);
      expect(await instancesOf(world, 'production')).toMatchObject({ [good]: 'CURRENT SUCCEEDED' });
    } finally {
      await iam.send(new PutRolePolicyCommand({ ...role, PolicyDocument: decodeURIComponent(PolicyDocument!) }));
    }
  });

  test('the key policy does not know the account', async () => {
    const { kms } = world.administrator(accounts.development);
    const { DescribeKeyCommand } = await import('@aws-sdk/client-kms');
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: `alias/sagemaker-${base}` }));
    const key = { KeyId: KeyMetadata!.KeyId!, PolicyName: 'default' };
    const { Policy } = await kms.send(new GetKeyPolicyCommand(key));
    const document = JSON.parse(Policy!);
    for (const statement of document.Statement) {
      const principals = statement.Principal.AWS;
      if (Array.isArray(principals))
        statement.Principal.AWS = principals.filter((principal: string) => !principal.includes(bad));
    }
    await kms.send(new PutKeyPolicyCommand({ ...key, Policy: JSON.stringify(document) }));
    try {
      const [failure, ...more] = (await deployBroken()).failures;
      expect(more).toEqual([]);
      expect(failure).toMatchObject({ code: 'InstanceFailed', account: bad, region });
      expect(failure?.cause).toMatch(/kms:Decrypt|KMS/);
      expect(failure?.hint).toMatch(/key policy/i);
      expect(await instancesOf(world, 'production')).toMatchObject({ [good]: 'CURRENT SUCCEEDED' });
    } finally {
      await kms.send(new PutKeyPolicyCommand({ ...key, Policy: Policy! }));
    }
  });

  test('a template with an impossible property', async () => {
    const folder = stageWorkspace((_, text) =>
      text.replace('failure-tolerance-count: 0', 'failure-tolerance-count: 1'),
    );
    const text = readFileSync(join(root, 'templates/endpoint.yml'), 'utf8');
    writeFileSync(join(folder, 'own.yml'), text.replace('InitialVariantWeight: 1.0', 'InitialVariantWeigth: 1.0'));
    const result = await deploy(arn, { in: folder, inputs: { template: 'own.yml' } });
    expect(result.code).toBe(1);
    toldEverywhere(result);
    expect(result.failures.map(({ code, account }) => [code, account])).toEqual([
      ['InstanceFailed', good],
      ['InstanceFailed', bad],
    ]);
    for (const { cause, logicalId, region: where } of result.failures) {
      expect(cause).toContain('InitialVariantWeigth');
      expect([logicalId, where]).toEqual(['EndpointConfig', region]);
    }
  });

  test('an injected failure of the endpoint: its reason is told', async () => {
    await world.control('POST', 'faults', {
      operation: 'sagemaker:CreateEndpoint',
      account: bad,
      effect: {
        kind: 'error',
        code: 'ResourceLimitExceeded',
        message: 'The account-level service limit is 0 Instances',
      },
      times: 5,
    });
    try {
      const [failure] = (await deployBroken()).failures;
      expect(failure).toMatchObject({
        account: bad,
        region,
        logicalId: 'Endpoint',
        hint: expect.stringContaining('quota'),
      });
      expect(failure?.cause).toContain('0 Instances');
    } finally {
      await world.control('DELETE', 'faults');
    }
  });
});

describe('removals and foreign sets', () => {
  let arn: string;
  beforeAll(async () => {
    arn = await gatedPackage(world, { weights: [7, 7, 7] });
  });
  afterEach(() => resetStage(world, 'production'));

  test('an account that is not listed any more goes only when that was confirmed', async () => {
    expect((await deploy(arn)).failures).toEqual([]);
    const folder = stageWorkspace((_, text) => text.replace(/accounts: .*/, `accounts: ["${accounts.production1}"]`));
    const since = lastCall(world);
    const [failure] = (await deploy(arn, { in: folder })).failures;
    expect(failure).toMatchObject({ code: 'RemovalNotConfirmed', hint: expect.stringContaining('max-removals: 50') });
    expect(changes(world, since)).toEqual([]);
    const confirmed = await deploy(arn, { in: folder, inputs: { 'max-removals': '50' } });
    expect(confirmed.failures).toEqual([]);
    expect(await instancesOf(world, 'production')).toEqual({ [accounts.production1]: 'CURRENT SUCCEEDED' });
  });

  test('a stack set without our tag is not touched', async () => {
    await administration(world).send(
      new CreateStackSetCommand({
        StackSetName: setName('production'),
        TemplateBody: '{"Resources":{"P":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":"x"}}}}',
        PermissionModel: 'SELF_MANAGED',
        AdministrationRoleARN: world.role('stackset-administration'),
        ExecutionRoleName: `sagemaker-${base}-execution`,
        Tags: [{ Key: 'sagemaker:project-id', Value: 'p-another00000' }],
      }),
    );
    const since = lastCall(world);
    const result = await deploy(arn);
    expect(result.failures.map(({ code }) => code)).toEqual(['NotOwned']);
    expect(result.failures[0]?.cause).toContain('p-another00000');
    expect(changes(world, since)).toEqual([]);
    const { StackSet } = await administration(world).send(
      new DescribeStackSetCommand({ StackSetName: setName('production') }),
    );
    expect(StackSet?.Tags).toEqual([{ Key: 'sagemaker:project-id', Value: 'p-another00000' }]);
  });

  test('waves: the second account begins after the first has ended', async () => {
    const folder = stageWorkspace(
      (_, text) => `${text}waves: [{accounts: ["${accounts.production2}"]}, {rest: true}]\n`,
    );
    const since = lastCall(world);
    expect((await deploy(arn, { in: folder })).failures).toEqual([]);
    const order = world
      .calls({ since, operation: 'cloudformation:Create*' })
      .filter(({ operation }) => operation === 'cloudformation:CreateStack')
      .map(({ account }) => account);
    expect(order).toEqual([accounts.production2, accounts.production1]);
    expect(await operationsOf(world, 'production')).toHaveLength(2);
  });

  test('project names keep to the tags of the set', async () => {
    await deploy(arn);
    const { StackSet } = await administration(world).send(
      new DescribeStackSetCommand({ StackSetName: setName('production') }),
    );
    expect(Object.fromEntries((StackSet?.Tags ?? []).map(({ Key, Value }) => [Key, Value]))).toEqual({
      'sagemaker:project-name': project.name,
      'sagemaker:project-id': project.id,
      'sagemaker:deployment-stage': 'production',
    });
  });
});
