import {
  CancelUpdateStackCommand,
  type CloudFormationClient,
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  ListChangeSetsCommand,
  RollbackStackCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { GetRoleCommand, type IAMClient } from '@aws-sdk/client-iam';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { createStack, describeStack, events, refusal, role, settled, story, updateStack } from './support.ts';

const capable = { Capabilities: ['CAPABILITY_NAMED_IAM' as const] };

describe('at once', () => {
  let platform: TestPlatform;
  let cloudformation: CloudFormationClient;
  let iam: IAMClient;
  beforeAll(async () => {
    platform = await startTestPlatform();
    ({ cloudformation, iam } = platform.administrator(accounts.development, region));
  });
  afterAll(() => platform.close());
  const roleOf = async (RoleName: string) => (await iam.send(new GetRoleCommand({ RoleName }))).Role;
  const fail = (operation: string, LogicalResourceId: string, times = 1) =>
    platform.control('POST', 'faults', {
      operation: `cloudformation:${operation}`,
      match: { LogicalResourceId },
      times,
      effect: { kind: 'resource-failure', reason: `${operation} fails` },
    });
  const finishedChangeSet = async (StackName: string, ChangeSetName: string) => {
    for (let look = 0; ; look++) {
      if (look > 2_000) throw new Error(`Change set ${ChangeSetName} did not end`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const found = await cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName }));
      if (found.Status !== 'CREATE_PENDING' && found.Status !== 'CREATE_IN_PROGRESS') return found;
    }
  };

  test('a change set says what would happen, and then it happens', async () => {
    const before = {
      Resources: {
        Same: role(),
        InPlace: role({ MaxSessionDuration: 3600 }),
        Replaced: role({ Path: '/a/' }),
        Follower: role({ Description: { 'Fn::GetAtt': ['Replaced', 'Arn'] } }),
        Removed: role(),
      },
    };
    await createStack(cloudformation, 'changes', before);
    const { Removed: _, ...rest } = before.Resources;
    const after = {
      Resources: {
        ...rest,
        InPlace: role({ MaxSessionDuration: 7200 }),
        Replaced: role({ Path: '/b/' }),
        Added: role(),
      },
    };
    await cloudformation.send(
      new CreateChangeSetCommand({
        StackName: 'changes',
        ChangeSetName: 'one',
        TemplateBody: JSON.stringify(after),
        ...capable,
      }),
    );
    const changeSet = await finishedChangeSet('changes', 'one');
    expect(changeSet).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE', StackName: 'changes' });
    const changes = Object.fromEntries(
      changeSet.Changes!.map(({ ResourceChange: change }) => [
        change!.LogicalResourceId,
        [
          change!.Action,
          change!.Replacement,
          change!.Details?.map(
            (detail) => `${detail.Target?.Name} ${detail.Evaluation} ${detail.Target?.RequiresRecreation}`,
          ),
        ],
      ]),
    );
    expect(changes).toEqual({
      InPlace: ['Modify', 'False', ['MaxSessionDuration Static Never']],
      Replaced: ['Modify', 'True', ['Path Static Always']],
      Follower: ['Modify', 'False', ['Description Dynamic Never']],
      Added: ['Add', undefined, []],
      Removed: ['Remove', undefined, []],
    });
    expect(story(await events(cloudformation, 'changes')).at(-1)).toBe('changes CREATE_COMPLETE');
    await cloudformation.send(new ExecuteChangeSetCommand({ StackName: 'changes', ChangeSetName: 'one' }));
    expect((await settled(cloudformation, 'changes')).StackStatus).toBe('UPDATE_COMPLETE');
    const again = cloudformation.send(new ExecuteChangeSetCommand({ StackName: 'changes', ChangeSetName: 'one' }));
    expect((await refusal(again)).name).toBe('InvalidChangeSetStatusException');

    // The same template once more: there is nothing to change.
    await cloudformation.send(
      new CreateChangeSetCommand({ StackName: 'changes', ChangeSetName: 'two', UsePreviousTemplate: true, ...capable }),
    );
    expect(await finishedChangeSet('changes', 'two')).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    const { Summaries } = await cloudformation.send(new ListChangeSetsCommand({ StackName: 'changes' }));
    expect(Summaries?.map((item) => item.ChangeSetName)).toEqual(['two']);
    await cloudformation.send(new DeleteChangeSetCommand({ StackName: 'changes', ChangeSetName: 'two' }));
    const gone = cloudformation.send(new DescribeChangeSetCommand({ StackName: 'changes', ChangeSetName: 'two' }));
    expect(await refusal(gone)).toMatchObject({ name: 'ChangeSetNotFoundException', status: 404 });
  });

  test('a change set can create a stack', async () => {
    const input = {
      StackName: 'reviewed',
      ChangeSetName: 'first',
      ChangeSetType: 'CREATE' as const,
      TemplateBody: JSON.stringify({ Resources: { R: role() } }),
      ...capable,
    };
    await cloudformation.send(new CreateChangeSetCommand(input));
    expect((await describeStack(cloudformation, 'reviewed')).StackStatus).toBe('REVIEW_IN_PROGRESS');
    expect((await finishedChangeSet('reviewed', 'first')).Changes).toHaveLength(1);
    await cloudformation.send(new ExecuteChangeSetCommand({ StackName: 'reviewed', ChangeSetName: 'first' }));
    expect((await settled(cloudformation, 'reviewed')).StackStatus).toBe('CREATE_COMPLETE');
    expect((await refusal(cloudformation.send(new CreateChangeSetCommand(input)))).name).toBe('ValidationError');
  });

  test('a rollback that fails can be continued, and resources skipped', async () => {
    const template = (duration: number, path: string) => ({
      Resources: {
        A: role({ MaxSessionDuration: duration }),
        B: role({ MaxSessionDuration: duration }),
        Bad: role({ Path: path }, { DependsOn: ['A', 'B'] }),
      },
    });
    await createStack(cloudformation, 'continue', template(3600, '/'));
    await fail('RollbackResource', 'A', 2);
    const stack = await updateStack(cloudformation, 'continue', template(7200, 'no-slash'));
    expect(stack).toMatchObject({
      StackStatus: 'UPDATE_ROLLBACK_FAILED',
      StackStatusReason: 'The following resource(s) failed to update: [A]. ',
    });
    const refused = await refusal(updateStack(cloudformation, 'continue', template(3600, '/x/')));
    expect(refused.message).toContain('is in UPDATE_ROLLBACK_FAILED state and can not be updated.');
    await cloudformation.send(new ContinueUpdateRollbackCommand({ StackName: 'continue' }));
    expect((await settled(cloudformation, 'continue')).StackStatus).toBe('UPDATE_ROLLBACK_FAILED');
    await cloudformation.send(new ContinueUpdateRollbackCommand({ StackName: 'continue', ResourcesToSkip: ['A'] }));
    expect((await settled(cloudformation, 'continue')).StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
  });

  test('DisableRollback leaves the failed update; RollbackStack takes it back', async () => {
    const template = (duration: number, path: string) => ({
      Resources: {
        A: role({ RoleName: 'no-rollback', MaxSessionDuration: duration }),
        Bad: role({ Path: path }, { DependsOn: 'A' }),
      },
    });
    await createStack(cloudformation, 'no-rollback', template(3600, '/'));
    await cloudformation.send(
      new UpdateStackCommand({
        StackName: 'no-rollback',
        TemplateBody: JSON.stringify(template(7200, 'bad')),
        DisableRollback: true,
        ...capable,
      }),
    );
    expect((await settled(cloudformation, 'no-rollback')).StackStatus).toBe('UPDATE_FAILED');
    expect((await roleOf('no-rollback'))?.MaxSessionDuration).toBe(7200);
    await cloudformation.send(new RollbackStackCommand({ StackName: 'no-rollback' }));
    expect((await settled(cloudformation, 'no-rollback')).StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await roleOf('no-rollback'))?.MaxSessionDuration).toBe(3600);
  });

  test('an update mends what a failed creation or update left behind', async () => {
    const template = (path: string, duration = 3600) => ({
      Resources: {
        A: role({ MaxSessionDuration: duration }),
        B: role({ RoleName: 'mended', Path: path, MaxSessionDuration: duration }, { DependsOn: 'A' }),
      },
    });
    const left = await createStack(cloudformation, 'mended', template('no-slash'), {}, { OnFailure: 'DO_NOTHING' });
    expect(left.StackStatus).toBe('CREATE_FAILED');
    expect((await updateStack(cloudformation, 'mended', template('/ok/'))).StackStatus).toBe('UPDATE_COMPLETE');
    expect((await roleOf('mended'))?.Path).toBe('/ok/');

    await fail('UpdateResource', 'B');
    const TemplateBody = JSON.stringify(template('/ok/', 7200));
    await cloudformation.send(
      new UpdateStackCommand({ StackName: 'mended', TemplateBody, DisableRollback: true, ...capable }),
    );
    expect((await settled(cloudformation, 'mended')).StackStatus).toBe('UPDATE_FAILED');
    expect((await roleOf('mended'))?.MaxSessionDuration).toBe(3600);
    expect((await updateStack(cloudformation, 'mended', template('/ok/', 7200))).StackStatus).toBe('UPDATE_COMPLETE');
    expect((await roleOf('mended'))?.MaxSessionDuration).toBe(7200);
  });

  test('what resists cleanup after an update is left behind after three attempts', async () => {
    const template = (names: string[]) => ({
      Resources: Object.fromEntries(names.map((name) => [name, role({ RoleName: `cleanup-${name}` })])),
    });
    await createStack(cloudformation, 'cleanup', template(['A', 'B']));
    await fail('DeleteResource', 'B', 3);
    const stack = await updateStack(cloudformation, 'cleanup', template(['A']));
    expect(stack).toMatchObject({
      StackStatus: 'UPDATE_COMPLETE',
      StackStatusReason: 'Update successful. One or more resources could not be deleted.',
    });
    expect(story(await events(cloudformation, 'cleanup')).filter((line) => line === 'B DELETE_FAILED')).toHaveLength(3);
    expect((await roleOf('cleanup-B'))?.RoleName).toBe('cleanup-B');
  });

  test('conditions decide which resources others may refer to', async () => {
    const template = {
      Parameters: { With: { Type: 'String', Default: 'no' } },
      Conditions: { Yes: { 'Fn::Equals': [{ Ref: 'With' }, 'yes'] } },
      Resources: { Maybe: role({}, { Condition: 'Yes' }), User: role({ Description: { Ref: 'Maybe' } }) },
    };
    const refused = await refusal(createStack(cloudformation, 'conditions', template));
    expect(refused.message).toBe('Unresolved resource dependencies [Maybe] in the Resources block of the template');
    const stack = await createStack(cloudformation, 'conditions', template, { With: 'yes' });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const { User: _, ...Resources } = template.Resources;
    const outputs = { ...template, Resources, Outputs: { O: { Value: { Ref: 'Maybe' } } } };
    expect((await refusal(createStack(cloudformation, 'conditions-2', outputs))).message).toBe(
      'Unresolved resource dependencies [Maybe] in the Outputs block of the template',
    );
    // A stack of which nothing remains is a stack all the same.
    const empty = await createStack(cloudformation, 'conditions-2', { ...template, Resources });
    expect(empty.StackStatus).toBe('CREATE_COMPLETE');
    expect(empty.Outputs).toBeUndefined();
  });
});

describe('by hand', () => {
  let platform: TestPlatform | undefined;
  afterEach(async () => {
    await platform?.close();
    platform = undefined;
  });
  async function standing(): Promise<CloudFormationClient> {
    platform = await startTestPlatform({ clock: { mode: 'by-hand' } });
    return platform.administrator(accounts.development, region).cloudformation;
  }
  const advance = (milliseconds: number) => platform!.platform.context.clock.advance(milliseconds);
  const template = (duration: number) => ({
    Resources: {
      A: role({ MaxSessionDuration: duration }),
      B: role({ Description: { Ref: 'A' }, MaxSessionDuration: duration }),
    },
  });
  const create = (client: CloudFormationClient, more: object = {}) =>
    client.send(
      new CreateStackCommand({ StackName: 's', TemplateBody: JSON.stringify(template(3600)), ...capable, ...more }),
    );
  const status = async (client: CloudFormationClient, id = 's') => (await describeStack(client, id)).StackStatus;

  test('a stack is made step by step', async () => {
    const client = await standing();
    await create(client);
    expect(await status(client)).toBe('CREATE_IN_PROGRESS');
    expect(story(await events(client, 's'))).toEqual(['s CREATE_IN_PROGRESS', 'A CREATE_IN_PROGRESS']);
    await advance(600);
    expect(story(await events(client, 's')).at(-1)).toBe('A CREATE_IN_PROGRESS');
    await advance(500);
    expect(story(await events(client, 's')).at(-1)).toBe('B CREATE_IN_PROGRESS');
    const busy = client.send(
      new UpdateStackCommand({ StackName: 's', TemplateBody: JSON.stringify(template(7200)), ...capable }),
    );
    expect((await refusal(busy)).message).toContain('is in CREATE_IN_PROGRESS state and can not be updated.');
    await advance(2_000);
    expect(await status(client)).toBe('CREATE_COMPLETE');
  });

  test('deleting a stack while it is created ends the creation and leaves nothing', async () => {
    const client = await standing();
    const { StackId } = await create(client);
    await advance(600);
    await client.send(new DeleteStackCommand({ StackName: 's' }));
    expect(await status(client)).toBe('DELETE_IN_PROGRESS');
    await advance(10_000);
    expect(await status(client, StackId!)).toBe('DELETE_COMPLETE');
    const lines = story(await events(client, StackId!));
    expect(lines).toContain('A CREATE_FAILED');
    expect(lines).toContain('A DELETE_COMPLETE');
  });

  test('a creation that takes too long is rolled back', async () => {
    const client = await standing();
    const Resources = Object.fromEntries(
      Array.from({ length: 70 }, (_, index) => [
        `R${index}`,
        { Type: 'AWS::CloudFormation::WaitConditionHandle', ...(index === 0 ? {} : { DependsOn: `R${index - 1}` }) },
      ]),
    );
    await create(client, { TemplateBody: JSON.stringify({ Resources }), TimeoutInMinutes: 1 });
    await advance(180_000);
    expect(await describeStack(client, 's')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });
    const begin = (await events(client, 's')).find((event) => event.ResourceStatus === 'ROLLBACK_IN_PROGRESS');
    expect(begin?.ResourceStatusReason).toBe(
      'Stack creation time exceeded the specified timeout. Rollback requested by user.',
    );
  });

  test('an update can be cancelled', async () => {
    const client = await standing();
    await create(client);
    await advance(5_000);
    await client.send(
      new UpdateStackCommand({ StackName: 's', TemplateBody: JSON.stringify(template(7200)), ...capable }),
    );
    await advance(1_100);
    const early = client.send(new DeleteStackCommand({ StackName: 's' }));
    expect((await refusal(early)).message).toContain('cannot be deleted while in status UPDATE_IN_PROGRESS');
    await client.send(new CancelUpdateStackCommand({ StackName: 's' }));
    await advance(10_000);
    expect(await status(client)).toBe('UPDATE_ROLLBACK_COMPLETE');
    const begin = (await events(client, 's')).find((event) => event.ResourceStatus === 'UPDATE_ROLLBACK_IN_PROGRESS');
    expect(begin?.ResourceStatusReason).toBe('Update cancelled by user.');
  });
});
