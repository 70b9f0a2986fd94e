import {
  type CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { GetRoleCommand, type IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { createStack, describeStack, events, refusal, role, settled, story, updateStack } from './support.ts';

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let iam: IAMClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  ({ cloudformation, iam } = platform.administrator(accounts.development, region));
});
afterAll(() => platform.close());

const roleOf = async (RoleName: string) => (await iam.send(new GetRoleCommand({ RoleName }))).Role;
const physicalIds = async (StackName: string): Promise<Record<string, string>> => {
  const { StackResources } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
  return Object.fromEntries(StackResources!.map((item) => [item.LogicalResourceId, item.PhysicalResourceId ?? '']));
};

describe('create', () => {
  test('makes resources in order of their dependencies, with events and outputs', async () => {
    const stack = await createStack(cloudformation, 'create-order', {
      Description: 'two roles',
      Parameters: { Suffix: { Type: 'String', Default: 'x' } },
      Resources: {
        Second: role({ Description: { 'Fn::Sub': '${First.Arn} ${Suffix}' } }),
        First: role(),
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['First', 'Arn'] }, Description: 'first' } },
    });
    expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE', Description: 'two roles' });
    const names = await physicalIds('create-order');
    expect(names['First']).toMatch(/^create-order-First-[A-Za-z0-9]{12}$/);
    const arn = `arn:aws:iam::${accounts.development}:role/${names['First']}`;
    expect(stack.Outputs).toEqual([{ OutputKey: 'Arn', OutputValue: arn, Description: 'first' }]);
    expect((await roleOf(names['Second']!))?.Description).toBe(`${arn} x`);
    expect(story(await events(cloudformation, 'create-order'))).toEqual([
      'create-order CREATE_IN_PROGRESS',
      'First CREATE_IN_PROGRESS',
      'First CREATE_IN_PROGRESS',
      'First CREATE_COMPLETE',
      'Second CREATE_IN_PROGRESS',
      'Second CREATE_IN_PROGRESS',
      'Second CREATE_COMPLETE',
      'create-order CREATE_COMPLETE',
    ]);
    const initiated = (await events(cloudformation, 'create-order')).filter(
      (event) => event.LogicalResourceId === 'First',
    );
    expect(initiated.map((event) => event.PhysicalResourceId)).toEqual(['', names['First'], names['First']]);
    expect(initiated[1]?.ResourceStatusReason).toBe('Resource creation Initiated');
  });

  test('the first failure cancels what runs and everything is rolled back', async () => {
    const stack = await createStack(cloudformation, 'create-fails', {
      Resources: {
        Good: role({ RoleName: 'create-fails-good' }),
        Bad: role({ RoleName: 'create-fails-bad', ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/missing'] }),
        Later: role({ Description: { Ref: 'Bad' } }),
      },
    });
    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    const all = await events(cloudformation, stack.StackId!);
    const bad = all.find((event) => event.LogicalResourceId === 'Bad' && event.ResourceStatus === 'CREATE_FAILED');
    expect(bad?.ResourceStatusReason).toContain('HandlerErrorCode: NotFound');
    expect(
      all.find((event) => event.LogicalResourceId === 'Good' && event.ResourceStatus === 'CREATE_FAILED')
        ?.ResourceStatusReason,
    ).toBe('Resource creation cancelled');
    expect(all.some((event) => event.LogicalResourceId === 'Later')).toBe(false);
    const begin = all.find((event) => event.ResourceStatus === 'ROLLBACK_IN_PROGRESS');
    expect(begin?.ResourceStatusReason).toMatch(
      /^The following resource\(s\) failed to create: \[.*Bad.*\]\. Rollback requested by user\.$/,
    );
    for (const name of ['create-fails-good', 'create-fails-bad']) {
      expect((await refusal(roleOf(name))).name).toBe('NoSuchEntityException');
    }
    const update = cloudformation.send(
      new UpdateStackCommand({ StackName: 'create-fails', UsePreviousTemplate: true }),
    );
    expect((await refusal(update)).message).toContain('is in ROLLBACK_COMPLETE state and can not be updated.');
    await cloudformation.send(new DeleteStackCommand({ StackName: 'create-fails' }));
    expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
  });

  test('OnFailure DO_NOTHING leaves what there is, DELETE leaves nothing', async () => {
    const template = { Resources: { Good: role(), Bad: role({ Path: 'no-slash' }, { DependsOn: 'Good' }) } };
    const kept = await createStack(cloudformation, 'on-failure-nothing', template, {}, { OnFailure: 'DO_NOTHING' });
    expect(kept.StackStatus).toBe('CREATE_FAILED');
    expect((await physicalIds('on-failure-nothing'))['Good']).not.toBe('');
    const gone = await createStack(cloudformation, 'on-failure-delete', template, {}, { OnFailure: 'DELETE' });
    expect(gone.StackStatus).toBe('DELETE_COMPLETE');
  });

  test('a property that the type does not have, and one that it needs, fail the resource by name', async () => {
    const stack = await createStack(cloudformation, 'bad-properties', {
      Resources: { R: { Type: 'AWS::IAM::Role', Properties: { Colour: 'red', MaxSessionDuration: 'long' } } },
    });
    const failed = (await events(cloudformation, stack.StackId!)).find(
      (event) => event.ResourceStatus === 'CREATE_FAILED',
    );
    expect(failed?.ResourceStatusReason).toContain('#: extraneous key [Colour] is not permitted');
    expect(failed?.ResourceStatusReason).toContain('#: required key [AssumeRolePolicyDocument] not found');
    expect(failed?.ResourceStatusReason).toContain('#/MaxSessionDuration: expected type: Integer, found: String');
  });

  test('a type that the platform does not support fails the stack by name; one that nobody knows is refused', async () => {
    const stack = await createStack(cloudformation, 'unsupported-type', {
      Resources: { Q: { Type: 'AWS::SQS::Queue' } },
    });
    const failed = (await events(cloudformation, stack.StackId!)).find(
      (event) => event.ResourceStatus === 'CREATE_FAILED',
    );
    expect(failed?.ResourceStatusReason).toBe('The local platform does not support resources of type AWS::SQS::Queue.');
    const unknown = createStack(cloudformation, 'unknown-type', { Resources: { Q: { Type: 'AWS::SQS::Quark' } } });
    expect(await refusal(unknown)).toMatchObject({
      name: 'ValidationError',
      message: 'Template format error: Unrecognized resource types: [AWS::SQS::Quark]',
    });
  });

  test('names, tokens and capabilities', async () => {
    const template = { Resources: { R: role() } };
    const input = { StackName: 'twice', TemplateBody: JSON.stringify(template), ClientRequestToken: 'once' };
    expect((await refusal(cloudformation.send(new CreateStackCommand(input)))).name).toBe(
      'InsufficientCapabilitiesException',
    );
    const named = { Resources: { R: role({ RoleName: 'named' }) } };
    const weak = createStack(cloudformation, 'weak', named, {}, { Capabilities: ['CAPABILITY_IAM'] });
    expect((await refusal(weak)).message).toBe('Requires capabilities : [CAPABILITY_NAMED_IAM]');
    const capable = { ...input, Capabilities: ['CAPABILITY_IAM' as const] };
    const first = await cloudformation.send(new CreateStackCommand(capable));
    const again = await cloudformation.send(new CreateStackCommand(capable));
    expect(again.StackId).toBe(first.StackId);
    const other = cloudformation.send(new CreateStackCommand({ ...capable, Tags: [{ Key: 'a', Value: 'b' }] }));
    expect((await refusal(other)).name).toBe('TokenAlreadyExistsException');
    await settled(cloudformation, first.StackId!);
    expect(await refusal(createStack(cloudformation, 'twice', template))).toMatchObject({
      name: 'AlreadyExistsException',
      message: 'Stack [twice] already exists',
    });
    expect((await refusal(createStack(cloudformation, '1bad', template))).name).toMatch(
      /ValidationError|ValidationException/,
    );
  });

  test('an injected fault fails one resource with its reason', async () => {
    await platform.control('POST', 'faults', {
      operation: 'cloudformation:CreateResource',
      account: accounts.development,
      match: { LogicalResourceId: 'Chosen' },
      effect: { kind: 'resource-failure', reason: 'Insufficient capacity.' },
    });
    const stack = await createStack(cloudformation, 'fault', { Resources: { Chosen: role(), Other: role() } });
    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    const failed = (await events(cloudformation, stack.StackId!)).find(
      (event) => event.LogicalResourceId === 'Chosen' && event.ResourceStatus === 'CREATE_FAILED',
    );
    expect(failed?.ResourceStatusReason).toBe('Insufficient capacity.');
  });
});

describe('update', () => {
  test('in place: the same physical id, another setting', async () => {
    await createStack(cloudformation, 'in-place', { Resources: { R: role({ MaxSessionDuration: 3600 }) } });
    const before = await physicalIds('in-place');
    const stack = await updateStack(cloudformation, 'in-place', {
      Resources: { R: role({ MaxSessionDuration: '7200' }) },
    });
    expect(stack.StackStatus).toBe('UPDATE_COMPLETE');
    expect(await physicalIds('in-place')).toEqual(before);
    expect((await roleOf(before['R']!))?.MaxSessionDuration).toBe(7200);
  });

  test('nothing to do is an error, whatever the notation', async () => {
    await createStack(cloudformation, 'no-change', { Resources: { R: role({ MaxSessionDuration: 3600 }) } });
    const same = updateStack(cloudformation, 'no-change', { Resources: { R: role({ MaxSessionDuration: '3600' }) } });
    expect(await refusal(same)).toMatchObject({ name: 'ValidationError', message: 'No updates are to be performed.' });
  });

  test('replacement: a new resource, dependants follow, the old one is cleaned up', async () => {
    const template = (path: string) => ({
      Resources: { Base: role({ Path: path }), User: role({ Description: { 'Fn::GetAtt': ['Base', 'Arn'] } }) },
    });
    await createStack(cloudformation, 'replacement', template('/a/'));
    const before = await physicalIds('replacement');
    const stack = await updateStack(cloudformation, 'replacement', template('/b/'));
    expect(stack.StackStatus).toBe('UPDATE_COMPLETE');
    const after = await physicalIds('replacement');
    expect(after['Base']).not.toBe(before['Base']);
    expect(after['User']).toBe(before['User']);
    expect((await roleOf(after['User']!))?.Description).toContain(`role/b/${after['Base']}`);
    expect((await refusal(roleOf(before['Base']!))).name).toBe('NoSuchEntityException');
    expect(story(await events(cloudformation, 'replacement')).slice(-10)).toEqual([
      'replacement UPDATE_IN_PROGRESS',
      'Base UPDATE_IN_PROGRESS',
      'Base UPDATE_IN_PROGRESS',
      'Base UPDATE_COMPLETE',
      'User UPDATE_IN_PROGRESS',
      'User UPDATE_COMPLETE',
      'replacement UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'Base DELETE_IN_PROGRESS',
      'Base DELETE_COMPLETE',
      'replacement UPDATE_COMPLETE',
    ]);
  });

  test('a named resource that would have to be replaced fails, and the update rolls back', async () => {
    const template = (path: string, duration: number) => ({
      Resources: {
        Named: role({ RoleName: 'custom-name', Path: path }, { DependsOn: 'Other' }),
        Other: role({ MaxSessionDuration: duration }),
      },
    });
    await createStack(cloudformation, 'named', template('/a/', 3600));
    const stack = await updateStack(cloudformation, 'named', template('/b/', 7200));
    expect(stack.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    const failed = (await events(cloudformation, 'named')).find((event) => event.ResourceStatus === 'UPDATE_FAILED');
    expect(failed?.ResourceStatusReason).toBe(
      'CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename custom-name and update the stack again.',
    );
    expect((await roleOf((await physicalIds('named'))['Other']!))?.MaxSessionDuration).toBe(3600);
    // The stack can be updated again after the rollback.
    expect((await updateStack(cloudformation, 'named', template('/a/', 10800))).StackStatus).toBe('UPDATE_COMPLETE');
  });

  test('a failed update undoes additions, changes and replacements', async () => {
    const before = {
      Resources: { Changed: role({ MaxSessionDuration: 3600 }), Replaced: role({ Path: '/a/' }), Removed: role() },
    };
    await createStack(cloudformation, 'undo', before);
    const ids = await physicalIds('undo');
    const stack = await updateStack(cloudformation, 'undo', {
      Resources: {
        Changed: role({ MaxSessionDuration: 7200 }),
        Replaced: role({ Path: '/b/' }),
        Added: role({ RoleName: 'undo-added' }),
        Bad: role({ Path: 'no-slash' }, { DependsOn: ['Changed', 'Replaced', 'Added'] }),
      },
    });
    expect(stack.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await physicalIds('undo')).toEqual(ids);
    expect((await roleOf(ids['Changed']!))?.MaxSessionDuration).toBe(3600);
    expect((await roleOf(ids['Replaced']!))?.Path).toBe('/a/');
    expect((await refusal(roleOf('undo-added'))).name).toBe('NoSuchEntityException');
    const { TemplateBody } = await cloudformation.send(new GetTemplateCommand({ StackName: 'undo' }));
    expect(JSON.parse(TemplateBody!)).toEqual(before);
  });

  test('tags of the stack reach its resources and change in place', async () => {
    const template = { Resources: { R: role({ Tags: [{ Key: 'own', Value: '1' }] }) } };
    const TemplateBody = JSON.stringify(template);
    await createStack(cloudformation, 'tags', template, {}, { Tags: [{ Key: 'team', Value: 'a' }] });
    const name = (await physicalIds('tags'))['R']!;
    const tagsOf = async () => Object.fromEntries((await roleOf(name))!.Tags!.map((tag) => [tag.Key, tag.Value]));
    expect(await tagsOf()).toEqual({ own: '1', team: 'a' });
    await cloudformation.send(
      new UpdateStackCommand({
        StackName: 'tags',
        TemplateBody,
        Capabilities: ['CAPABILITY_IAM'],
        Tags: [{ Key: 'team', Value: 'b' }],
      }),
    );
    expect((await settled(cloudformation, 'tags')).StackStatus).toBe('UPDATE_COMPLETE');
    expect(await tagsOf()).toEqual({ own: '1', team: 'b' });
  });

  test('resources that a condition takes away are deleted, retained ones stay', async () => {
    const template = {
      Parameters: { With: { Type: 'String' } },
      Conditions: { Yes: { 'Fn::Equals': [{ Ref: 'With' }, 'yes'] } },
      Resources: {
        Base: role(),
        Gone: role({ RoleName: 'conditional-gone' }, { Condition: 'Yes' }),
        Kept: role({ RoleName: 'conditional-kept' }, { Condition: 'Yes', DeletionPolicy: 'Retain' }),
      },
    };
    await createStack(cloudformation, 'conditional', template, { With: 'yes' });
    expect((await updateStack(cloudformation, 'conditional', template, { With: 'no' })).StackStatus).toBe(
      'UPDATE_COMPLETE',
    );
    expect((await refusal(roleOf('conditional-gone'))).name).toBe('NoSuchEntityException');
    expect((await roleOf('conditional-kept'))?.RoleName).toBe('conditional-kept');
    expect(story(await events(cloudformation, 'conditional'))).toContain('Kept DELETE_SKIPPED');
  });
});

describe('delete', () => {
  test('dependants first; readable by ARN afterwards, unknown by name', async () => {
    const stack = await createStack(cloudformation, 'deleted', {
      Resources: { Base: role(), User: role({ Description: { Ref: 'Base' } }) },
    });
    await cloudformation.send(new DeleteStackCommand({ StackName: 'deleted' }));
    expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
    expect(story(await events(cloudformation, stack.StackId!)).slice(-6)).toEqual([
      'deleted DELETE_IN_PROGRESS',
      'User DELETE_IN_PROGRESS',
      'User DELETE_COMPLETE',
      'Base DELETE_IN_PROGRESS',
      'Base DELETE_COMPLETE',
      'deleted DELETE_COMPLETE',
    ]);
    expect(await refusal(describeStack(cloudformation, 'deleted'))).toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id deleted does not exist',
    });
    await cloudformation.send(new DeleteStackCommand({ StackName: 'deleted' }));
    const { StackSummaries } = await cloudformation.send(
      new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'] }),
    );
    expect(StackSummaries?.map((item) => item.StackName)).toContain('deleted');
  });

  test('a resource that resists: DELETE_FAILED, then retained', async () => {
    const stack = await createStack(cloudformation, 'resists', {
      Resources: { R: role({ RoleName: 'resists' }), S: role() },
    });
    await platform.control('POST', 'faults', {
      operation: 'cloudformation:DeleteResource',
      match: { LogicalResourceId: 'R' },
      effect: { kind: 'resource-failure', reason: 'Cannot delete entity.' },
    });
    const early = cloudformation.send(new DeleteStackCommand({ StackName: 'resists', RetainResources: ['R'] }));
    expect((await refusal(early)).message).toContain('DELETE_FAILED state');
    await cloudformation.send(new DeleteStackCommand({ StackName: 'resists' }));
    const failed = await settled(cloudformation, stack.StackId!);
    expect(failed).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'The following resource(s) failed to delete: [R]. ',
    });
    await cloudformation.send(new DeleteStackCommand({ StackName: 'resists', RetainResources: ['R'] }));
    expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
    expect((await roleOf('resists'))?.RoleName).toBe('resists');
  });

  test('termination protection', async () => {
    await createStack(
      cloudformation,
      'protected',
      { Resources: { R: role() } },
      {},
      { EnableTerminationProtection: true },
    );
    const refused = await refusal(cloudformation.send(new DeleteStackCommand({ StackName: 'protected' })));
    expect(refused.message).toBe('Stack [protected] cannot be deleted while TerminationProtection is enabled');
    await cloudformation.send(
      new UpdateTerminationProtectionCommand({ StackName: 'protected', EnableTerminationProtection: false }),
    );
    await cloudformation.send(new DeleteStackCommand({ StackName: 'protected' }));
  });

  test('RetainExceptOnCreate: deleted by a failed creation, kept by a deletion', async () => {
    const template = (path: string) => ({
      Resources: {
        Kept: role({ RoleName: 'retain-except' }, { DeletionPolicy: 'RetainExceptOnCreate' }),
        Bad: role({ Path: path }, { DependsOn: 'Kept' }),
      },
    });
    expect((await createStack(cloudformation, 'retain-a', template('no-slash'))).StackStatus).toBe('ROLLBACK_COMPLETE');
    expect((await refusal(roleOf('retain-except'))).name).toBe('NoSuchEntityException');
    const stack = await createStack(cloudformation, 'retain-b', template('/ok/'));
    await cloudformation.send(new DeleteStackCommand({ StackName: 'retain-b' }));
    expect((await settled(cloudformation, stack.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
    expect((await roleOf('retain-except'))?.RoleName).toBe('retain-except');
  });
});

describe('rights', () => {
  test('resources are made with the rights of the caller, or of the role that the stack is given', async () => {
    await createStack(cloudformation, 'rights-roles', {
      Resources: {
        Weak: role({
          RoleName: 'weak-deployer',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { AWS: accounts.development }, Action: 'sts:AssumeRole' }],
          },
        }),
        Service: role({
          RoleName: 'stack-role',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Principal: { Service: 'cloudformation.amazonaws.com' }, Action: 'sts:AssumeRole' },
            ],
          },
          Policies: [
            {
              PolicyName: 'roles',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [{ Effect: 'Allow', Action: 'iam:*', Resource: '*' }],
              },
            },
          ],
        }),
      },
    });
    const allow = (Statement: object[]) =>
      iam.send(
        new PutRolePolicyCommand({
          RoleName: 'weak-deployer',
          PolicyName: 'p',
          PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
        }),
      );
    const credentials = await platform.credentials(accounts.development, 'weak-deployer');
    const weak = platform.platform.context.clients(credentials, region).cloudformation;
    const template = { Resources: { R: role() } };
    const stackActions = { Effect: 'Allow', Action: 'cloudformation:*', Resource: '*' };

    expect((await refusal(createStack(weak, 'rights-a', template))).name).toMatch(/AccessDenied/);
    await allow([stackActions]);
    const own = await createStack(weak, 'rights-b', template);
    expect(own.StackStatus).toBe('ROLLBACK_COMPLETE');
    const failed = (await events(weak, own.StackId!)).find((event) => event.ResourceStatus === 'CREATE_FAILED');
    expect(failed?.ResourceStatusReason).toContain('HandlerErrorCode: AccessDenied');

    const RoleARN = `arn:aws:iam::${accounts.development}:role/stack-role`;
    const passed = createStack(weak, 'rights-c', template, {}, { RoleARN });
    expect((await refusal(passed)).message).toContain('iam:PassRole');
    await allow([
      stackActions,
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: RoleARN,
        Condition: { StringEquals: { 'iam:PassedToService': 'cloudformation.amazonaws.com' } },
      },
    ]);
    expect((await createStack(weak, 'rights-d', template, {}, { RoleARN })).StackStatus).toBe('CREATE_COMPLETE');
    const calls = platform.calls().filter((call) => call.operation === 'iam:CreateRole');
    expect(calls.at(-1)?.principal).toContain('assumed-role/stack-role/AWSCloudFormation');
  });
});

test('exports, imports and the order in which they may go', async () => {
  const exporting = {
    Resources: { R: role() },
    Outputs: { Name: { Value: { Ref: 'R' }, Export: { Name: 'shared-role' } } },
  };
  const owner = await createStack(cloudformation, 'exporting', exporting);
  const taken = await createStack(cloudformation, 'exporting-too', exporting);
  expect(taken.StackStatus).toBe('ROLLBACK_COMPLETE');
  const importing = { Resources: { R: role({ Description: { 'Fn::ImportValue': 'shared-role' } }) } };
  const user = await createStack(cloudformation, 'importing', importing);
  expect(user.StackStatus).toBe('CREATE_COMPLETE');
  await cloudformation.send(new DeleteStackCommand({ StackName: 'exporting' }));
  expect(await settled(cloudformation, owner.StackId!)).toMatchObject({
    StackStatus: 'DELETE_FAILED',
    StackStatusReason: 'Export shared-role cannot be deleted as it is in use by importing',
  });
  await cloudformation.send(new DeleteStackCommand({ StackName: 'importing' }));
  await settled(cloudformation, user.StackId!);
  await cloudformation.send(new DeleteStackCommand({ StackName: 'exporting' }));
  expect((await settled(cloudformation, owner.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
  const missing = createStack(cloudformation, 'importing-2', importing);
  expect((await refusal(missing)).message).toBe('No export named shared-role found.');
});

test('lists page', async () => {
  const Resources = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`H${index}`, { Type: 'AWS::CloudFormation::WaitConditionHandle' }]),
  );
  await createStack(cloudformation, 'many', { Resources });
  const first = await cloudformation.send(new ListStackResourcesCommand({ StackName: 'many' }));
  expect(first.StackResourceSummaries).toHaveLength(100);
  const second = await cloudformation.send(
    new ListStackResourcesCommand({ StackName: 'many', NextToken: first.NextToken }),
  );
  expect(second.StackResourceSummaries).toHaveLength(20);
  expect(second.NextToken).toBeUndefined();
  expect(await events(cloudformation, 'many')).toHaveLength(120 * 3 + 2);
});
