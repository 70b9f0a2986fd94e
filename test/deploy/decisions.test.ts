/** Decisions of the deploy actions that need nothing but values. */
import { describe, expect, test } from '@jest/globals';
import { judgeApprovals } from '../../src/deploy/approval.ts';
import { buildDefinition } from '../../src/deploy/definition.ts';
import { deployableProblems } from '../../src/deploy/deployable.ts';
import { checkOwnership, checkRemovals, newerPackage } from '../../src/deploy/judge.ts';
import { metadataValue, neededChange } from '../../src/deploy/lifecycle.ts';
import { checkPlace, parseStage, type Stage } from '../../src/deploy/stage-file.ts';
import { FailureError } from '../../src/failure.ts';
import type { Approval } from '../../src/github/approvals.ts';
import type { Instance, StackSetState } from '../../src/stacksets/model.ts';
import { plan } from '../../src/stacksets/plan.ts';
import { summarizeTemplate } from '../../src/stacksets/template.ts';

const project = { name: 'abalone', id: 'p-0123456789ab' };
const packageArn = (version: number, group = 'abalone-p-0123456789ab') =>
  `arn:aws:sagemaker:eu-west-1:111122223333:model-package/${group}/${version}`;

/** Code, resource and logical id of each failure that the work throws. */
function failures(work: () => unknown): [string, string | undefined, string][] {
  try {
    work();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return error.failures.map(({ code, resource, cause }) => [code, resource, cause]);
  }
  return [];
}

const stageText = (more = '', accounts = '["777788889999", "888899990000"]') =>
  `environment: production\nregion: eu-west-1\naccounts: ${accounts}\nendpoint: {instance-type: ml.m5.large, instance-count: 2}\n${more}`;
const stageOf = (more = '', accounts?: string): Stage => parseStage('p.yml', stageText(more, accounts));

describe('stage file', () => {
  test('its defaults', () => {
    expect(stageOf()).toEqual({
      name: 'production',
      lifecycleStage: 'Production',
      region: 'eu-west-1',
      accounts: ['777788889999', '888899990000'],
      waves: [['777788889999', '888899990000']],
      instanceType: 'ml.m5.large',
      instanceCount: 2,
      preferences: { maxConcurrentCount: 10, failureToleranceCount: 0, concurrencyMode: 'soft' },
      parameters: {},
      tags: {},
      test: { rows: 25, tolerance: 1e-6, maxLatencyMs: undefined },
    });
  });

  test('waves take every account once', () => {
    expect(stageOf('waves: [{accounts: ["888899990000"]}, {rest: true}]').waves).toEqual([
      ['888899990000'],
      ['777788889999'],
    ]);
    expect(stageOf('waves: [{accounts: ["888899990000", "777788889999"]}, {rest: true}]').waves).toHaveLength(1);
  });

  test.each([
    ['', '[]', 'NoTargets', /lists no accounts; an empty list never removes/],
    [
      '',
      '[777788889999]',
      'InvalidConfiguration',
      /accounts\[0\] is 777788889999, but must be text: put it in quotation marks/,
    ],
    ['', '["7777"]', 'InvalidConfiguration', /accounts\[0\] is "7777", but must be an account number/],
    [
      'waves: [{accounts: ["111111111111"]}, {rest: true}]',
      undefined,
      'InvalidConfiguration',
      /waves names 111111111111, which accounts does not list/,
    ],
    ['waves: [{accounts: ["777788889999"]}]', undefined, 'InvalidConfiguration', /no wave takes 888899990000/],
    [
      'waves: [{accounts: ["777788889999"]}, {accounts: ["777788889999"]}, {rest: true}]',
      undefined,
      'InvalidConfiguration',
      /twice/,
    ],
    ['waves: [{rest: true}, {rest: true}]', undefined, 'InvalidConfiguration', /twice/],
    ['organizational-units: [ou-1]', undefined, 'InvalidConfiguration', /unknown key organizational-units/],
    ['preference: {}', undefined, 'InvalidConfiguration', /did you mean preferences/],
    [': [', undefined, 'InvalidConfiguration', /no valid YAML/],
  ])('%j with accounts %s is %s', (more, accounts, code, cause) => {
    const [found] = failures(() => stageOf(more, accounts));
    expect(found?.[0]).toBe(code);
    expect(found?.[1]).toBe('p.yml');
    expect(found?.[2]).toMatch(cause);
  });

  test("region and group have to be the package's", () => {
    const check = (region: string, arn: string) => {
      const [, where = '', , group = ''] = /sagemaker:([^:]+):(\d+):model-package\/([^/]+)/.exec(arn) ?? [];
      return failures(() => checkPlace(stageOf(), 'p.yml', region, project, { arn, region: where, group }));
    };
    expect(check('eu-west-1', packageArn(1))).toEqual([]);
    expect(check('eu-west-2', packageArn(1))[0]?.slice(0, 2)).toEqual(['InvalidConfiguration', 'p.yml']);
    expect(check('eu-west-1', packageArn(1).replace('eu-west-1', 'eu-west-2'))[0]?.slice(0, 2)).toEqual([
      'InvalidInput',
      'model-package-arn',
    ]);
    expect(check('eu-west-1', packageArn(1, 'other'))[0]?.slice(0, 2)).toEqual(['InvalidInput', 'model-package-arn']);
  });
});

describe('definition of the stack set', () => {
  const template =
    'Parameters: {ModelPackageName: {Type: String}, EnvName: {Type: String, Default: sm-mlops}}\nResources: {M: {Type: "AWS::SageMaker::Model", Properties: {ModelPackageName: !Ref ModelPackageName}}}';
  const build = (templateBody: string, more = '') =>
    buildDefinition({
      project,
      stage: stageOf(more),
      stageFile: 'p.yml',
      packageArn: packageArn(3),
      templateFile: 't.yml',
      templateBody,
      adminAccount: '111122223333',
      partition: 'aws',
    });

  test('takes every declared parameter by value, names, roles and ownership tags', () => {
    expect(build(template, 'parameters: {EnvName: other}\ntags: {team: a}')).toMatchObject({
      name: 'sagemaker-abalone-p-0123456789ab-deploy-production',
      parameters: { ModelPackageName: packageArn(3), EnvName: 'other' },
      tags: { team: 'a', 'sagemaker:project-id': project.id, 'sagemaker:deployment-stage': 'production' },
      administrationRoleArn: 'arn:aws:iam::111122223333:role/sagemaker-abalone-p-0123456789ab-stackset-administration',
      executionRoleName: 'sagemaker-abalone-p-0123456789ab-execution',
      capabilities: [],
    });
  });

  test('a template with IAM resources asks for the capability', () => {
    expect(build(`${template.slice(0, -1)}, R: {Type: "AWS::IAM::Role"}}`).capabilities).toEqual([
      'CAPABILITY_NAMED_IAM',
    ]);
  });

  test.each([
    ['Resources: {}', '', 'InvalidTemplate', /no parameter ModelPackageName/],
    ['{', '', 'InvalidTemplate', /no valid YAML/],
    ['[]', '', 'InvalidTemplate', /no mapping/],
    ['Parameters: {}', '', 'InvalidTemplate', /no section Resources/],
    [template, 'parameters: {EnvNam: x}', 'InvalidConfiguration', /did you mean EnvName/],
    [
      template.replace('Parameters: {', 'Parameters: {Needed: {Type: String}, '),
      '',
      'InvalidConfiguration',
      /needs the parameters Needed/,
    ],
  ])('%j with %j is %s', (body, more, code, cause) => {
    const [found] = failures(() => build(body, more));
    expect(found?.[0]).toBe(code);
    expect(found?.[2]).toMatch(cause);
  });

  test('a template that CloudFormation would not take is refused with its size', () => {
    expect(failures(() => summarizeTemplate('t', `Resources: {}\n#${'x'.repeat(51_200)}`))[0]?.[2]).toMatch(
      /51215 bytes/,
    );
  });
});

describe('what is deployable', () => {
  const good = {
    arn: packageArn(1),
    status: 'Completed',
    approval: 'Approved',
    gate: { artifactSha256: 'a', imageDigest: 'sha256:b' },
    artifactSha256: 'a',
    imageDigest: 'sha256:b',
  };
  test.each([
    [{}, []],
    [{ status: 'Failed' }, ['PackageNotReady']],
    [{ approval: 'PendingManualApproval' }, ['NotApproved']],
    [{ approval: 'Rejected' }, ['NotApproved']],
    [{ gate: undefined }, ['NotGated']],
    [{ artifactSha256: 'z' }, ['ArtifactChanged']],
    [{ imageDigest: 'sha256:z' }, ['ArtifactChanged']],
    [{ artifactSha256: 'z', imageDigest: undefined }, ['ArtifactChanged', 'ArtifactChanged']],
  ])('%j: %j', (more, codes) => {
    expect(deployableProblems({ ...good, ...more }).map(({ code }) => code)).toEqual(codes);
  });
});

describe('approvals of a run', () => {
  const approval = (state: Approval['state'], environment = 'production', user = 'grace'): Approval => ({
    environments: [environment],
    state,
    user,
    comment: 'fine',
  });
  test.each([
    [[], 'nobody', 'nobody'],
    [[approval('approved', 'staging')], 'nobody', 'nobody'],
    [[approval('approved', 'production-2')], 'nobody', 'nobody'],
    [[approval('approved')], 'approved', 'approved'],
    [[approval('approved', 'Production')], 'approved', 'approved'],
    [[approval('rejected')], 'rejected', 'rejected'],
    // A refused first attempt and an approved second one.
    [[approval('rejected'), approval('approved')], 'approved', 'rejected'],
  ])('%j: a check sees %s, a record sees %s', (approvals, check, refusal) => {
    expect(judgeApprovals(approvals, 'production', 'check').kind).toBe(check);
    expect(judgeApprovals(approvals, 'production', 'refusal').kind).toBe(refusal);
  });

  test('names everybody once', () => {
    const verdict = judgeApprovals(
      [
        approval('approved', 'production', 'a'),
        approval('approved', 'production', 'a'),
        approval('approved', 'production', 'b'),
      ],
      'production',
      'check',
    );
    expect(verdict).toEqual({ kind: 'approved', by: ['a', 'b'], comment: 'fine; fine; fine' });
  });
});

describe('what is said on the package', () => {
  const none = { stage: undefined, status: undefined, description: undefined };
  const change = (stage: string, status: 'InProgress' | 'Approved' | 'Rejected') => ({
    stage,
    status,
    description: 'd',
  });
  test.each([
    [none, change('Staging', 'InProgress'), true],
    [{ ...none, stage: 'Staging', status: 'InProgress' }, change('Staging', 'InProgress'), false],
    [{ ...none, stage: 'Staging', status: 'InProgress' }, change('Staging', 'Approved'), true],
    [{ ...none, stage: 'Staging', status: 'Approved' }, change('Production', 'InProgress'), true],
    [{ ...none, stage: 'Production', status: 'Approved' }, change('Staging', 'InProgress'), false],
    [{ ...none, stage: 'Production', status: 'Approved' }, change('Staging', 'Rejected'), false],
    [{ ...none, stage: 'Production', status: 'Rejected' }, change('Staging', 'InProgress'), true],
    [{ ...none, stage: 'Production', status: 'Approved' }, change('Production', 'Approved'), false],
    [{ ...none, stage: 'Production', status: 'RolledBack' }, change('Production', 'InProgress'), false],
    [{ ...none, stage: 'Production', status: 'RolledBack' }, change('Production', 'Rejected'), false],
    [{ ...none, stage: 'Production', status: 'RolledBack' }, change('Staging', 'InProgress'), false],
    [{ ...none, stage: 'Staging', status: 'RolledBack' }, change('Staging', 'Approved'), false],
    [{ ...none, stage: 'Staging', status: 'RolledBack' }, change('Production', 'InProgress'), true],
  ])('%j then %j: written %j', (current, next, written) => {
    expect(neededChange(current, next, 'Production') !== undefined).toBe(written);
  });

  test('a rollback speaks over what was said, once, and never over a stage after its own', () => {
    const back = (stage: string) => ({
      ...change(stage, 'Approved'),
      description: ' Returned\nby a run',
      rollback: { reason: 'r' },
    });
    const says = (stage: string, status: string, description: string) => ({ stage, status, description });
    const written = (current: ReturnType<typeof says>, stage: string) =>
      neededChange(current, back(stage), 'Production') !== undefined;
    expect(written(says('Production', 'RolledBack', 'x'), 'Production')).toBe(true);
    expect(written(says('Production', 'Approved', 'Deployed by another run'), 'Production')).toBe(true);
    expect(written(says('Production', 'Approved', 'Returned by a run'), 'Production')).toBe(false);
    for (const status of ['Approved', 'InProgress', 'RolledBack'])
      expect(written(says('Production', status, 'x'), 'Staging')).toBe(false);
    expect(written(says('Staging', 'RolledBack', 'x'), 'Staging')).toBe(true);
  });

  test('metadata holds what SageMaker takes', () => {
    expect(metadataValue('https://github.com/a/b/actions/runs/1?x=<"é')).toBe(
      'https://github.com/a/b/actions/runs/1-x=--é',
    );
    expect(metadataValue('x'.repeat(300))).toHaveLength(256);
  });
});

describe('what is refused before anything changes', () => {
  const state = (
    accounts: string[],
    parameters: Record<string, string>,
    tags: Record<string, string> = { 'sagemaker:project-id': project.id },
  ): StackSetState => ({
    arn: 'arn:set',
    definition: {
      name: 's',
      description: '',
      templateBody: '',
      parameters,
      tags,
      administrationRoleArn: '',
      executionRoleName: '',
      capabilities: [],
    },
    instances: accounts.map(
      (account): Instance => ({
        account,
        region: 'eu-west-1',
        status: 'CURRENT',
        detailedStatus: undefined,
        statusReason: undefined,
        stackId: undefined,
        lastOperationId: undefined,
      }),
    ),
  });
  const ten = Array.from({ length: 10 }, (_, index) => String(100000000000 + index));

  test('a stack set of somebody else', () => {
    expect(failures(() => checkOwnership(state([], {}), project))).toEqual([]);
    expect(failures(() => checkOwnership(state([], {}, {}), project))[0]?.[0]).toBe('NotOwned');
    expect(failures(() => checkOwnership(state([], {}, { 'sagemaker:project-id': 'p-x' }), project))[0]?.[0]).toBe(
      'NotOwned',
    );
  });

  test.each([
    [8, 20, []],
    [7, 20, ['RemovalNotConfirmed']],
    [7, 30, []],
    [1, 89, ['RemovalNotConfirmed']],
    [1, 90, []],
  ])('%i of 10 accounts stay, %i %% may go: %j', (stay, maxRemovals, codes) => {
    const now = state(ten, {});
    const wanted = {
      definition: now.definition!,
      region: 'eu-west-1',
      waves: [ten.slice(0, stay)],
      preferences: stageOf().preferences,
    };
    expect(failures(() => checkRemovals(plan(now, wanted), now, maxRemovals, 'p.yml')).map(([code]) => code)).toEqual(
      codes,
    );
  });

  test.each([
    [4, 3, true],
    [3, 3, false],
    [2, 3, false],
    [10, 9, true],
  ])('the stage runs version %i, ours is %i: newer %j', (theirs, ours, newer) => {
    const now = state(['777788889999'], { ModelPackageName: packageArn(theirs) });
    expect(newerPackage(now, packageArn(ours)) !== undefined).toBe(newer);
  });

  test('a newer version of another group, or one without instances, is no newer package', () => {
    expect(
      newerPackage(state(['777788889999'], { ModelPackageName: packageArn(9, 'other') }), packageArn(1)),
    ).toBeUndefined();
    expect(newerPackage(state([], { ModelPackageName: packageArn(9) }), packageArn(1))).toBeUndefined();
  });
});
