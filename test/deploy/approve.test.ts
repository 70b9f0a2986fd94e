/** approve-model and resolve-model as GitHub runs them, with an approvals API that each test fills. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeModelPackageCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ActionResult, runAction } from '../actions/support/action.ts';
import { base, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region } from '../support/platform.ts';
import { approve, gatedPackage, registerPackage } from './support/fixture.ts';
import { changes, lastCall } from './support/stage.ts';

interface Reviewed {
  environments: { name: string }[];
  state: string;
  user: { login: string };
  comment: string;
}

let world: World;
let github: Server;
let apiUrl: string;
let approvals: Reviewed[] | number = [];
let asked: { url: string; authorization: string }[] = [];

beforeAll(async () => {
  world = await startWorld();
  github = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '' });
    if (typeof approvals === 'number')
      response.writeHead(approvals, { 'content-type': 'application/json' }).end('{"message":"Not Found"}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(approvals));
  });
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
  apiUrl = `http://127.0.0.1:${(github.address() as AddressInfo).port}/api`;
}, 120_000);
afterAll(async () => {
  github?.close();
  await world?.close();
});
beforeEach(() => {
  asked = [];
});

const review = (state: string, environment = 'production', login = 'grace', comment = ''): Reviewed => ({
  environments: [{ name: environment }],
  state,
  user: { login },
  comment,
});

interface Asked {
  inputs?: Record<string, string>;
  /** GitHub environment and role of the job. */
  job?: 'production' | 'model-record';
}

function approveModel(arn: string, { inputs = {}, job = 'production' }: Asked = {}): Promise<ActionResult> {
  return runAction('approve-model', world, {
    inputs: {
      'aws-region': region,
      'role-to-assume': world.role(job === 'production' ? 'ci-deploy-production' : 'ci-record'),
      'model-package-arn': arn,
      environment: 'production',
      'github-token': 'ghs_token-of-the-job',
      ...inputs,
    },
    environment: job,
    env: { GITHUB_API_URL: apiUrl },
    runId: '4711',
  });
}

async function describePackage(arn: string) {
  return world
    .administrator(accounts.development)
    .sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
}
const lifecycle = async (arn: string) => {
  const { ModelLifeCycle: cycle } = await describePackage(arn);
  return cycle === undefined ? '' : `${cycle.Stage}/${cycle.StageStatus}`;
};

describe('approve-model', () => {
  let arn: string;
  beforeEach(async () => {
    arn = await gatedPackage(world);
  });

  test.each([
    ['nobody approved', [], 'NotProtected', 'failed'],
    ['somebody approved another environment', [review('approved', 'staging')], 'NotProtected', 'failed'],
    ['somebody refused', [review('rejected', 'production', 'grace', 'not now')], 'ApprovalRefused', 'rejected'],
  ] as const)('%s: refused, and AWS is not even asked', async (_, given, code, status) => {
    approvals = [...given];
    const since = lastCall(world);
    const result = await approveModel(arn);
    expect([result.code, result.outputs['status'], result.outputs['protected']]).toEqual([1, status, 'false']);
    expect(result.failures.map((failure) => [failure.code, failure.resource])).toEqual([[code, 'production']]);
    expect(world.calls({ since })).toEqual([]);
    expect(await lifecycle(arn)).toBe('');
    if (code === 'NotProtected') expect(result.failures[0]?.hint).toMatch(/settings\/environments.*allow-unprotected/);
    else expect(result.failures[0]?.cause).toBe('grace refused the environment production: not now');
  });

  test('approved: reviewer, run and commit are on the package', async () => {
    approvals = [review('approved', 'production', 'grace', 'looks good'), review('approved', 'staging', 'eve')];
    const result = await approveModel(arn);
    expect(result.failures).toEqual([]);
    expect(result.outputs).toMatchObject({
      status: '',
      reviewer: 'grace',
      comment: 'looks good',
      protected: 'true',
      'model-package-arn': arn,
    });
    expect(asked).toEqual([
      { url: '/api/repos/acme/abalone/actions/runs/4711/approvals', authorization: 'token ghs_token-of-the-job' },
    ]);
    const found = await describePackage(arn);
    // Whether it gets there is what the deployment says.
    expect(found.ModelLifeCycle).toBeUndefined();
    expect(found.CustomerMetadataProperties).toMatchObject({
      'production-reviewer': 'grace',
      'production-comment': 'looks good',
      'production-run': 'https://github.com/acme/abalone/actions/runs/4711',
      'production-commit': expect.stringMatching(/^c0ffee/),
    });
    // The gate's own words stay.
    expect(found.ModelApprovalStatus).toBe('Approved');
    expect(found.CustomerMetadataProperties?.['gate-commit']).toBe('c0ffee');
    expect(result.summary).toContain('Approved by grace');
    const since = lastCall(world);
    expect((await approveModel(arn)).outputs['status']).toBe('');
    expect(changes(world, since)).toEqual([]);
  });

  test('allow-unprotected passes, visibly', async () => {
    approvals = [];
    const result = await approveModel(arn, { inputs: { 'allow-unprotected': 'true' } });
    expect([result.code, result.outputs['protected'], result.outputs['reviewer']]).toEqual([0, 'false', '']);
    expect(result.summary).toContain('Not approved by anybody');
    expect(result.stdout).toMatch(/^::warning.*allow-unprotected/m);
    expect((await describePackage(arn)).CustomerMetadataProperties?.['production-reviewer']).toMatch(/nobody/);
  });

  test('what runs in production already stays Approved', async () => {
    approvals = [review('approved')];
    await world.administrator(accounts.development).sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: arn,
        ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' },
      }),
    );
    const since = lastCall(world);
    expect((await approveModel(arn)).outputs['status']).toBe('unchanged');
    expect(changes(world, since)).toEqual([]);
  });

  test('a package approved by hand gets no approval for production', async () => {
    approvals = [review('approved')];
    const model = { weights: [1] };
    const byHand = await registerPackage(world, model);
    await approve(world, byHand, model, false);
    const result = await approveModel(byHand);
    expect(result.failures.map(({ code }) => code)).toEqual(['NotGated']);
    expect(await lifecycle(byHand)).toBe('');
  });

  test.each([404, 403, 401])(
    'the approvals cannot be read (%i): refused with the permission that is missing',
    async (status) => {
      approvals = status;
      const result = await approveModel(arn);
      expect(result.failures).toEqual([
        expect.objectContaining({ code: 'AccessDenied', hint: expect.stringContaining('actions: read') }),
      ]);
      expect(await lifecycle(arn)).toBe('');
      expect(result.stdout.replace(/^::add-mask::.*$/gm, '')).not.toContain('ghs_token-of-the-job');
    },
  );

  test('without a token', async () => {
    const result = await approveModel(arn, { inputs: { 'github-token': '' } });
    expect(result.failures.map(({ code, resource }) => [code, resource])).toEqual([['InvalidInput', 'github-token']]);
    expect(asked).toEqual([]);
  });

  describe('record-refusal', () => {
    const record = (packageArn: string) =>
      approveModel(packageArn, { inputs: { mode: 'record-refusal' }, job: 'model-record' });

    test('a refusal is written with the role ci-record, once', async () => {
      approvals = [review('rejected', 'production', 'grace', 'too slow')];
      const result = await record(arn);
      expect([result.code, result.outputs['status'], result.outputs['reviewer']]).toEqual([0, 'rejected', 'grace']);
      const found = await describePackage(arn);
      expect(found.ModelLifeCycle).toMatchObject({
        Stage: 'Production',
        StageStatus: 'Rejected',
        StageDescription: expect.stringContaining('Refused by grace (too slow)'),
      });
      expect(found.ModelApprovalStatus).toBe('Approved');
      const since = lastCall(world);
      await record(arn);
      expect(changes(world, since)).toEqual([]);
    });

    test('what runs in production stays Approved: its redeployment was refused, which is noted, once', async () => {
      approvals = [review('rejected', 'production', 'grace', 'not on a Friday')];
      await world.administrator(accounts.development).sagemaker.send(
        new UpdateModelPackageCommand({
          ModelPackageArn: arn,
          ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved', StageDescription: 'Deployed' },
        }),
      );
      const since = lastCall(world);
      const result = await record(arn);
      expect([result.code, result.outputs['status'], result.outputs['reviewer']]).toEqual([0, 'rejected', 'grace']);
      expect(result.summary).toMatch(/Refused by grace[\s\S]*keeps .* as it is/);
      const found = await describePackage(arn);
      expect(found.ModelLifeCycle).toEqual({
        Stage: 'Production',
        StageStatus: 'Approved',
        StageDescription: 'Deployed',
      });
      expect(found.CustomerMetadataProperties).toMatchObject({
        'refused-reviewer': 'grace',
        'refused-run': 'https://github.com/acme/abalone/actions/runs/4711',
        'refused-comment': 'not on a Friday',
      });
      await record(arn);
      expect(changes(world, since)).toEqual(['sagemaker:UpdateModelPackage']);
    });

    test.each([
      ['nobody decided', []],
      ['it was approved', [review('approved')]],
      ['another environment was refused', [review('rejected', 'staging')]],
    ])('%s: nothing to record', async (_, given) => {
      approvals = given;
      const result = await record(arn);
      expect([result.code, result.outputs['status']]).toEqual([0, 'none']);
      expect(await lifecycle(arn)).toBe('');
    });
  });
});

describe('resolve-model', () => {
  const resolve = (inputs: Record<string, string>) =>
    runAction('resolve-model', world, {
      inputs: { 'aws-region': region, 'role-to-assume': world.role('ci-deploy-production'), ...inputs },
      environment: 'production',
    });

  test('exact, newest approved with a gate record, production', async () => {
    const { sagemaker } = world.administrator(accounts.development);
    const model = { weights: [1, 5] };
    const first = await gatedPackage(world, model);
    await sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: first,
        ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' },
      }),
    );
    const second = await gatedPackage(world, model);
    const byHand = await registerPackage(world, model);
    await approve(world, byHand, model, false);
    const pending = await registerPackage(world, model);
    const group = { 'model-package-group': base };
    expect((await resolve({ 'model-package-arn': pending })).outputs).toMatchObject({
      status: '',
      'model-package-arn': pending,
      'approval-status': 'PendingManualApproval',
      'artifact-sha256': '',
      'production-arn': first,
    });
    expect((await resolve({ select: 'newest-approved', ...group })).outputs).toMatchObject({
      'model-package-arn': second,
      'approval-status': 'Approved',
      'artifact-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
      'image-digest': expect.stringMatching(/^sha256:/),
      version: second.split('/').at(-1),
    });
    expect((await resolve({ select: 'production', ...group })).outputs['model-package-arn']).toBe(first);
  });

  test.each([
    [{ select: 'production' }, 'InvalidInput', 'model-package-group'],
    [{ select: 'exact' }, 'InvalidInput', 'model-package-arn'],
    [{ select: 'newest' }, 'InvalidInput', 'select'],
    [
      { 'model-package-arn': `arn:aws:sagemaker:eu-west-1:111122223333:model-package/${base}/999` },
      'NotFound',
      undefined,
    ],
    [
      { 'model-package-arn': 'arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/x' },
      'InvalidInput',
      'model-package-arn',
    ],
  ])('%j is %s', async (inputs, code, resource) => {
    const result = await resolve(inputs);
    expect(result.code).toBe(1);
    expect(result.failures[0]?.code).toBe(code);
    if (resource !== undefined) expect(result.failures[0]?.resource).toBe(resource);
  });
});
