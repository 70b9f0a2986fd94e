import {
  type CloudFormationClient,
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackInstancesCommand,
  DeleteStackSetCommand,
  DescribeStackInstanceCommand,
  DescribeStackSetCommand,
  DescribeStackSetOperationCommand,
  GetTemplateSummaryCommand,
  ListStackInstancesCommand,
  ListStackSetOperationResultsCommand,
  ListStackSetOperationsCommand,
  ListStackSetsCommand,
  StopStackSetOperationCommand,
  UpdateStackInstancesCommand,
  UpdateStackSetCommand,
} from '@aws-sdk/client-cloudformation';
import { DeleteRolePolicyCommand, GetRoleCommand } from '@aws-sdk/client-iam';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { createStack, describeStack, events, operationEnd, parameterList, refusal, role } from './support.ts';

const { development, staging, production1, production2 } = accounts;
const administrationArn = `arn:aws:iam::${development}:role/set-administration`;

/** The template of the sets: one named role per account, which a policy of the account may forbid to be made. */
const template = {
  Parameters: {
    Name: { Type: 'String', Default: 'by-set' },
    Duration: { Type: 'Number', Default: 3600, AllowedValues: [3600, 7200] },
  },
  Resources: { R: role({ RoleName: { Ref: 'Name' }, MaxSessionDuration: { Ref: 'Duration' } }) },
  Outputs: { Arn: { Value: { 'Fn::GetAtt': ['R', 'Arn'] } } },
};
const TemplateBody = JSON.stringify(template);

async function prepare(platform: TestPlatform, targets: string[]): Promise<CloudFormationClient> {
  const admin = platform.administrator(development, region).cloudformation;
  await createStack(admin, 'administration', {
    Resources: {
      Role: role({
        RoleName: 'set-administration',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'cloudformation.amazonaws.com' },
              Action: 'sts:AssumeRole',
              Condition: {
                StringEquals: { 'aws:SourceAccount': development },
                ArnLike: { 'aws:SourceArn': `arn:aws:cloudformation:*:${development}:stackset/*` },
              },
            },
          ],
        },
        Policies: [
          {
            PolicyName: 'hop',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::*:role/set-execution' }],
            },
          },
        ],
      }),
    },
  });
  for (const target of targets) {
    const stack = await createStack(platform.administrator(target, region).cloudformation, 'execution', {
      Resources: {
        Role: role({
          RoleName: 'set-execution',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { AWS: administrationArn }, Action: 'sts:AssumeRole' }],
          },
          Policies: [
            {
              PolicyName: 'deploy',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  {
                    Effect: 'Allow',
                    Action: 'cloudformation:*',
                    Resource: `arn:aws:cloudformation:*:${target}:stack/StackSet-*`,
                  },
                  { Effect: 'Allow', Action: 'iam:*', Resource: '*' },
                ],
              },
            },
          ],
        }),
      },
    });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
  }
  return admin;
}

const roles = { AdministrationRoleARN: administrationArn, ExecutionRoleName: 'set-execution' };

async function createSet(client: CloudFormationClient, StackSetName: string, Parameters: Record<string, string> = {}) {
  return client.send(
    new CreateStackSetCommand({
      StackSetName,
      TemplateBody,
      Parameters: parameterList(Parameters),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      ...roles,
    }),
  );
}

async function resultsOf(client: CloudFormationClient, StackSetName: string, OperationId: string) {
  const { Summaries } = await client.send(new ListStackSetOperationResultsCommand({ StackSetName, OperationId }));
  return Object.fromEntries(Summaries!.map((item) => [`${item.Account}/${item.Region}`, item]));
}

async function instancesOf(client: CloudFormationClient, StackSetName: string) {
  const { Summaries } = await client.send(new ListStackInstancesCommand({ StackSetName }));
  return Object.fromEntries(Summaries!.map((item) => [`${item.Account}/${item.Region}`, item]));
}

describe('at once', () => {
  let platform: TestPlatform;
  let client: CloudFormationClient;
  beforeAll(async () => {
    platform = await startTestPlatform();
    client = await prepare(platform, [staging, production1]);
  });
  afterAll(() => platform.close());

  test('instances are real stacks in the target accounts, made by the execution role', async () => {
    const { StackSetId } = await createSet(client, 'life', { Name: 'life-role' });
    expect(StackSetId).toMatch(/^life:[0-9a-f-]{36}$/);
    await client.send(
      new CreateStackInstancesCommand({
        StackSetName: 'life',
        Accounts: [staging, production1],
        Regions: [region],
        OperationId: 'create-1',
      }),
    );
    const operation = await operationEnd(client, 'life', 'create-1');
    expect(operation).toMatchObject({
      Action: 'CREATE',
      Status: 'SUCCEEDED',
      StackSetId,
      AdministrationRoleARN: administrationArn,
      ExecutionRoleName: 'set-execution',
      StatusDetails: { FailedStackInstancesCount: 0 },
    });
    const instances = await instancesOf(client, 'life');
    const instance = instances[`${staging}/${region}`]!;
    expect(instance).toMatchObject({
      Status: 'CURRENT',
      StackInstanceStatus: { DetailedStatus: 'SUCCEEDED' },
      LastOperationId: 'create-1',
      DriftStatus: 'NOT_CHECKED',
    });
    expect(instance.StackId).toMatch(
      new RegExp(`^arn:aws:cloudformation:${region}:${staging}:stack/StackSet-life-[0-9a-f-]{36}/`),
    );
    const target = platform.administrator(staging, region);
    expect(await describeStack(target.cloudformation, instance.StackId!)).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      Outputs: [{ OutputKey: 'Arn', OutputValue: `arn:aws:iam::${staging}:role/life-role` }],
    });
    const made = platform
      .calls()
      .find(
        (call) =>
          call.operation === 'iam:CreateRole' && call.account === staging && call.principal.includes('set-execution'),
      );
    expect(made?.decision).toBe('allow');

    // The whole set: a changed parameter reaches every stack.
    await client.send(
      new UpdateStackSetCommand({
        StackSetName: 'life',
        UsePreviousTemplate: true,
        Parameters: [
          { ParameterKey: 'Name', UsePreviousValue: true },
          { ParameterKey: 'Duration', ParameterValue: '7200' },
        ],
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        OperationId: 'update-1',
        AdministrationRoleARN: administrationArn,
      }),
    );
    expect((await operationEnd(client, 'life', 'update-1')).Status).toBe('SUCCEEDED');
    const found = await target.iam.send(new GetRoleCommand({ RoleName: 'life-role' }));
    expect(found.Role?.MaxSessionDuration).toBe(7200);

    const full = await refusal(client.send(new DeleteStackSetCommand({ StackSetName: 'life' })));
    expect(full).toMatchObject({ name: 'StackSetNotEmptyException', status: 409 });
    await client.send(
      new DeleteStackInstancesCommand({
        StackSetName: 'life',
        Accounts: [staging, production1],
        Regions: [region],
        RetainStacks: false,
        OperationId: 'delete-1',
      }),
    );
    expect((await operationEnd(client, 'life', 'delete-1')).Status).toBe('SUCCEEDED');
    expect(await instancesOf(client, 'life')).toEqual({});
    expect((await describeStack(target.cloudformation, instance.StackId!)).StackStatus).toBe('DELETE_COMPLETE');
    await client.send(new DeleteStackSetCommand({ StackSetName: 'life' }));
    await client.send(new DeleteStackSetCommand({ StackSetName: 'life' }));
    const gone = await refusal(client.send(new DescribeStackSetCommand({ StackSetName: 'life' })));
    expect(gone).toMatchObject({ name: 'StackSetNotFoundException', status: 404 });
    const { Summaries } = await client.send(new ListStackSetsCommand({ Status: 'DELETED' }));
    expect(Summaries?.map((item) => item.StackSetName)).toContain('life');
  });

  test('a missing execution role: that account fails with its reason, the other one is right', async () => {
    await createSet(client, 'no-role', { Name: 'no-role-role' });
    await client.send(
      new CreateStackInstancesCommand({
        StackSetName: 'no-role',
        Accounts: [production2, staging],
        Regions: [region],
        OperationId: 'op',
        OperationPreferences: { FailureToleranceCount: 1, MaxConcurrentCount: 2 },
      }),
    );
    // Within the tolerance the operation succeeds and hides the failure.
    expect(await operationEnd(client, 'no-role', 'op')).toMatchObject({
      Status: 'SUCCEEDED',
      StatusDetails: { FailedStackInstancesCount: 1 },
    });
    const results = await resultsOf(client, 'no-role', 'op');
    expect(results[`${production2}/${region}`]).toMatchObject({
      Status: 'FAILED',
      StatusReason: `Account ${production2} should have 'set-execution' role with trust relationship to Role 'set-administration'.`,
    });
    expect(results[`${staging}/${region}`]?.Status).toBe('SUCCEEDED');
    expect((await instancesOf(client, 'no-role'))[`${production2}/${region}`]).toMatchObject({
      Status: 'OUTDATED',
      StackInstanceStatus: { DetailedStatus: 'FAILED' },
    });
  });

  test('a failing resource is named, its stack is gone but readable, and the rest is cancelled', async () => {
    await createSet(client, 'fails', { Name: 'fails-role' });
    await platform.control('POST', 'faults', {
      operation: 'cloudformation:CreateResource',
      account: staging,
      match: { LogicalResourceId: 'R' },
      effect: { kind: 'resource-failure', reason: 'No capacity.' },
    });
    await client.send(
      new CreateStackInstancesCommand({
        StackSetName: 'fails',
        Accounts: [staging, production1],
        Regions: [region, 'us-east-1'],
        OperationId: 'op',
        OperationPreferences: { RegionOrder: [region] },
      }),
    );
    expect(await operationEnd(client, 'fails', 'op')).toMatchObject({
      Status: 'FAILED',
      StatusDetails: { FailedStackInstancesCount: 1 },
    });
    const results = await resultsOf(client, 'fails', 'op');
    expect(results[`${staging}/${region}`]).toMatchObject({
      Status: 'FAILED',
      StatusReason: 'ResourceLogicalId:R, ResourceType:AWS::IAM::Role, ResourceStatusReason:No capacity.',
    });
    for (const key of [`${production1}/${region}`, `${staging}/us-east-1`, `${production1}/us-east-1`]) {
      expect(results[key]).toMatchObject({
        Status: 'CANCELLED',
        StatusReason: 'Cancelled since failure tolerance has exceeded',
      });
    }
    const { StackId } = (await instancesOf(client, 'fails'))[`${staging}/${region}`]!;
    const target = platform.administrator(staging, region).cloudformation;
    expect((await describeStack(target, StackId!)).StackStatus).toBe('DELETE_COMPLETE');
    const causes = (await events(target, StackId!)).filter((event) => event.ResourceStatus === 'CREATE_FAILED');
    expect(causes.map((event) => event.ResourceStatusReason)).toEqual(['No capacity.']);
    // Create again: what failed is made anew.
    await client.send(
      new CreateStackInstancesCommand({
        StackSetName: 'fails',
        Accounts: [staging],
        Regions: [region],
        OperationId: 'again',
      }),
    );
    expect((await operationEnd(client, 'fails', 'again')).Status).toBe('SUCCEEDED');
    const filtered = await client.send(
      new ListStackInstancesCommand({
        StackSetName: 'fails',
        Filters: [{ Name: 'LAST_OPERATION_ID', Values: 'again' }],
      }),
    );
    expect(filtered.Summaries?.map((item) => item.Account)).toEqual([staging]);
    const cancelled = await client.send(
      new ListStackInstancesCommand({
        StackSetName: 'fails',
        Filters: [{ Name: 'DETAILED_STATUS', Values: 'CANCELLED' }],
      }),
    );
    expect(cancelled.Summaries).toHaveLength(3);
  });

  test('an update that fails keeps the new definition and leaves the others outdated', async () => {
    await createSet(client, 'keeps', { Name: 'keeps-role' });
    const Accounts = [staging, production1];
    await client.send(
      new CreateStackInstancesCommand({ StackSetName: 'keeps', Accounts, Regions: [region], OperationId: 'c' }),
    );
    await operationEnd(client, 'keeps', 'c');
    await platform.control('POST', 'faults', {
      operation: 'cloudformation:UpdateResource',
      account: staging,
      effect: { kind: 'resource-failure', reason: 'Not now.' },
    });
    const update = {
      StackSetName: 'keeps',
      UsePreviousTemplate: true,
      Parameters: parameterList({ Name: 'keeps-role', Duration: '7200' }),
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
      ...roles,
    };
    await client.send(
      new UpdateStackSetCommand({ ...update, Accounts: [staging], Regions: [region], OperationId: 'u' }),
    );
    expect((await operationEnd(client, 'keeps', 'u')).Status).toBe('FAILED');
    const { StackSet } = await client.send(new DescribeStackSetCommand({ StackSetName: 'keeps' }));
    expect(StackSet?.Parameters).toContainEqual({ ParameterKey: 'Duration', ParameterValue: '7200' });
    const instances = await instancesOf(client, 'keeps');
    expect(instances[`${staging}/${region}`]).toMatchObject({
      Status: 'OUTDATED',
      StackInstanceStatus: { DetailedStatus: 'FAILED' },
    });
    expect(instances[`${production1}/${region}`]).toMatchObject({ Status: 'OUTDATED', LastOperationId: 'c' });
    // An update without any change starts an operation too, and mends what is outdated.
    await client.send(new UpdateStackSetCommand({ ...update, OperationId: 'u2' }));
    expect((await operationEnd(client, 'keeps', 'u2')).Status).toBe('SUCCEEDED');
    expect(Object.values(await instancesOf(client, 'keeps')).map((item) => item.Status)).toEqual([
      'CURRENT',
      'CURRENT',
    ]);
    // The custom administration role has to be named each time.
    const { AdministrationRoleARN: _, ...without } = update;
    expect((await refusal(client.send(new UpdateStackSetCommand(without)))).message).toContain(
      'AdministrationRoleARN must be specified',
    );
    const half = client.send(new UpdateStackSetCommand({ ...update, Accounts: [staging] }));
    expect((await refusal(half)).message).toBe('Accounts and Regions must be given both or not at all.');
  });

  test('overrides survive an update of the set and go with a list without them', async () => {
    await createSet(client, 'overrides', { Name: 'overrides-role' });
    const one = { StackSetName: 'overrides', Accounts: [staging], Regions: [region] };
    const bad = client.send(
      new CreateStackInstancesCommand({ ...one, ParameterOverrides: parameterList({ Duration: '5' }) }),
    );
    expect((await refusal(bad)).message).toContain("Parameter 'Duration' must be one of AllowedValues");
    await client.send(
      new CreateStackInstancesCommand({
        ...one,
        OperationId: 'a',
        ParameterOverrides: parameterList({ Duration: '7200' }),
      }),
    );
    await operationEnd(client, 'overrides', 'a');
    const duration = async () => {
      const { iam } = platform.administrator(staging, region);
      return (await iam.send(new GetRoleCommand({ RoleName: 'overrides-role' }))).Role?.MaxSessionDuration;
    };
    expect(await duration()).toBe(7200);
    await client.send(
      new UpdateStackSetCommand({
        StackSetName: 'overrides',
        UsePreviousTemplate: true,
        Parameters: parameterList({ Name: 'overrides-role', Duration: '3600' }),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        OperationId: 'b',
        ...roles,
      }),
    );
    await operationEnd(client, 'overrides', 'b');
    expect(await duration()).toBe(7200);
    await client.send(new UpdateStackInstancesCommand({ ...one, OperationId: 'c', ParameterOverrides: [] }));
    await operationEnd(client, 'overrides', 'c');
    expect(await duration()).toBe(3600);
    const { StackInstance } = await client.send(
      new DescribeStackInstanceCommand({
        StackSetName: 'overrides',
        StackInstanceAccount: staging,
        StackInstanceRegion: region,
      }),
    );
    expect(StackInstance).toMatchObject({ ParameterOverrides: [], Status: 'CURRENT' });
  });

  test('a deletion that fails leaves INOPERABLE; RetainStacks is the cure', async () => {
    await createSet(client, 'inoperable', { Name: 'inoperable-role' });
    const one = { StackSetName: 'inoperable', Accounts: [staging], Regions: [region] };
    await client.send(new CreateStackInstancesCommand({ ...one, OperationId: 'c' }));
    await operationEnd(client, 'inoperable', 'c');
    await platform.control('POST', 'faults', {
      operation: 'cloudformation:DeleteResource',
      account: staging,
      effect: { kind: 'resource-failure', reason: 'In use.' },
    });
    await client.send(new DeleteStackInstancesCommand({ ...one, OperationId: 'd', RetainStacks: false }));
    expect((await operationEnd(client, 'inoperable', 'd')).Status).toBe('FAILED');
    const key = `${staging}/${region}`;
    const instance = (await instancesOf(client, 'inoperable'))[key]!;
    expect(instance).toMatchObject({ Status: 'INOPERABLE', StackInstanceStatus: { DetailedStatus: 'INOPERABLE' } });
    await client.send(
      new UpdateStackSetCommand({
        StackSetName: 'inoperable',
        TemplateBody,
        Parameters: parameterList({ Name: 'inoperable-role' }),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        OperationId: 'u',
        ...roles,
      }),
    );
    await operationEnd(client, 'inoperable', 'u');
    expect(await resultsOf(client, 'inoperable', 'u')).toEqual({});
    await client.send(new DeleteStackInstancesCommand({ ...one, OperationId: 'r', RetainStacks: true }));
    await operationEnd(client, 'inoperable', 'r');
    expect(await instancesOf(client, 'inoperable')).toEqual({});
    const target = platform.administrator(staging, region).cloudformation;
    expect((await describeStack(target, instance.StackId!)).StackStatus).toBe('DELETE_FAILED');
    // Deleting what is not there succeeds.
    await client.send(new DeleteStackInstancesCommand({ ...one, OperationId: 'none', RetainStacks: false }));
    expect((await operationEnd(client, 'inoperable', 'none')).Status).toBe('SUCCEEDED');
  });

  test('the administration role must be allowed to hop', async () => {
    const fresh = await startTestPlatform();
    try {
      const own = await prepare(fresh, [staging]);
      await createSet(own, 'hop', { Name: 'hop-role' });
      await fresh
        .administrator(development, region)
        .iam.send(new DeleteRolePolicyCommand({ RoleName: 'set-administration', PolicyName: 'hop' }));
      await own.send(
        new CreateStackInstancesCommand({
          StackSetName: 'hop',
          Accounts: [staging],
          Regions: [region],
          OperationId: 'o',
        }),
      );
      expect((await operationEnd(own, 'hop', 'o')).Status).toBe('FAILED');
      expect((await resultsOf(own, 'hop', 'o'))[`${staging}/${region}`]?.StatusReason).toContain(
        `Account ${staging} should have`,
      );
    } finally {
      await fresh.close();
    }
  });

  test('names, tokens, ids, targets and preferences are checked', async () => {
    const base = { StackSetName: 'checks', TemplateBody, Capabilities: ['CAPABILITY_NAMED_IAM' as const] };
    const create = { ...base, ClientRequestToken: 'token' };
    const first = await client.send(new CreateStackSetCommand(create));
    expect((await client.send(new CreateStackSetCommand(create))).StackSetId).toBe(first.StackSetId);
    expect(await refusal(client.send(new CreateStackSetCommand(base)))).toMatchObject({
      name: 'NameAlreadyExistsException',
      status: 409,
    });
    const modified = client.send(new CreateStackSetCommand({ ...create, Description: 'other' }));
    expect((await refusal(modified)).name).toBe('CreatedButModifiedException');
    const capabilities = client.send(new CreateStackSetCommand({ StackSetName: 'x', TemplateBody }));
    expect((await refusal(capabilities)).name).toBe('InsufficientCapabilitiesException');
    const unknown = client.send(
      new CreateStackSetCommand({ ...base, StackSetName: 'x', Parameters: parameterList({ Nope: '1' }) }),
    );
    expect((await refusal(unknown)).message).toBe('Parameters: [Nope] do not exist in the template');
    const managed = client.send(
      new CreateStackSetCommand({ ...base, StackSetName: 'x', PermissionModel: 'SERVICE_MANAGED' }),
    );
    expect(await refusal(managed)).toMatchObject({ name: 'NotImplemented', status: 501 });

    const instances = { StackSetName: 'checks', Accounts: [staging], Regions: [region] };
    const both = client.send(
      new CreateStackInstancesCommand({
        ...instances,
        OperationPreferences: { FailureToleranceCount: 1, FailureTolerancePercentage: 1 },
      }),
    );
    expect((await refusal(both)).message).toContain('either FailureToleranceCount or FailureTolerancePercentage');
    const none = client.send(new CreateStackInstancesCommand({ ...instances, Accounts: [] }));
    expect((await refusal(none)).message).toBe('Accounts must not be empty.');
    const units = client.send(
      new CreateStackInstancesCommand({
        StackSetName: 'checks',
        DeploymentTargets: { OrganizationalUnitIds: ['ou-abcd-12345678'] },
        Regions: [region],
      }),
    );
    expect((await refusal(units)).name).toBe('ValidationError');
    const missing = client.send(new UpdateStackInstancesCommand(instances));
    expect(await refusal(missing)).toMatchObject({ name: 'StackInstanceNotFoundException', status: 404 });
    const nobody = client.send(new CreateStackInstancesCommand({ ...instances, StackSetName: 'nobody' }));
    expect((await refusal(nobody)).name).toBe('StackSetNotFoundException');
    const nothing = client.send(new DescribeStackSetOperationCommand({ StackSetName: 'checks', OperationId: 'no' }));
    expect(await refusal(nothing)).toMatchObject({ name: 'OperationNotFoundException', status: 404 });
    const summary = await client.send(new GetTemplateSummaryCommand({ StackSetName: 'checks' }));
    expect(summary).toMatchObject({
      ResourceTypes: ['AWS::IAM::Role'],
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      CapabilitiesReason: 'The following resource(s) require capabilities: [AWS::IAM::Role]',
    });
    expect(summary.Parameters?.map((item) => item.ParameterKey)).toEqual(['Name', 'Duration']);
  });
});

describe('by hand', () => {
  let platform: TestPlatform | undefined;
  afterEach(async () => {
    await platform?.close();
    platform = undefined;
  });
  const advance = (milliseconds: number) => platform!.platform.context.clock.advance(milliseconds);

  /** Roles are set up at once; then time stands still. */
  async function standing(targets: string[], set: { ManagedExecution?: boolean } = {}): Promise<CloudFormationClient> {
    platform = await startTestPlatform();
    const client = await prepare(platform, targets);
    await createSet(client, 'hand', { Name: 'hand-role' });
    if (set.ManagedExecution === true) {
      await client.send(
        new UpdateStackSetCommand({
          StackSetName: 'hand',
          UsePreviousTemplate: true,
          Parameters: parameterList({ Name: 'hand-role' }),
          Capabilities: ['CAPABILITY_NAMED_IAM'],
          ManagedExecution: { Active: true },
          OperationId: 'managed',
          ...roles,
        }),
      );
      await operationEnd(client, 'hand', 'managed');
    }
    await platform.control('POST', 'clock', { mode: 'by-hand' });
    return client;
  }
  const statuses = async (client: CloudFormationClient, OperationId: string) =>
    Object.values(await instancesOf(client, 'hand'))
      .filter((item) => item.LastOperationId === OperationId)
      .map((item) => item.StackInstanceStatus?.DetailedStatus);
  const status = async (client: CloudFormationClient, OperationId: string) =>
    (await client.send(new DescribeStackSetOperationCommand({ StackSetName: 'hand', OperationId }))).StackSetOperation
      ?.Status;
  const create = (client: CloudFormationClient, OperationId: string, Accounts: string[]) =>
    client.send(new CreateStackInstancesCommand({ StackSetName: 'hand', Accounts, Regions: [region], OperationId }));

  test('an operation in mid-flight, busy for others, and seen late by its lists', async () => {
    const client = await standing([staging, production1, production2]);
    await create(client, 'op', [staging, production1, production2]);
    expect(await status(client, 'op')).toBe('RUNNING');
    expect(await statuses(client, 'op')).toEqual(['PENDING', 'PENDING', 'PENDING']);
    const listed = await client.send(new ListStackSetOperationsCommand({ StackSetName: 'hand' }));
    expect(listed.Summaries).toEqual([]);

    await advance(1_500);
    expect(await statuses(client, 'op')).toEqual(['RUNNING', 'PENDING', 'PENDING']);
    const busy = await refusal(create(client, 'other', [staging]));
    expect(busy).toMatchObject({ name: 'OperationInProgressException', status: 409 });
    const same = await refusal(create(client, 'op', [staging]));
    expect(same).toMatchObject({ name: 'OperationIdAlreadyExistsException', status: 409 });
    expect((await refusal(client.send(new DeleteStackSetCommand({ StackSetName: 'hand' })))).name).toBe(
      'OperationInProgressException',
    );

    await advance(3_000);
    expect(await statuses(client, 'op')).toEqual(['SUCCEEDED', 'RUNNING', 'PENDING']);
    const late = await resultsOf(client, 'hand', 'op');
    expect(late[`${staging}/${region}`]?.Status).not.toBe('SUCCEEDED');

    await advance(60_000);
    expect(await status(client, 'op')).toBe('SUCCEEDED');
    expect(Object.values(await resultsOf(client, 'hand', 'op')).map((item) => item.Status)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'SUCCEEDED',
    ]);
    const { Summaries } = await client.send(new ListStackSetOperationsCommand({ StackSetName: 'hand' }));
    expect(Summaries).toMatchObject([{ OperationId: 'op', Status: 'SUCCEEDED' }]);
  });

  test('stop: what runs finishes, the rest is cancelled', async () => {
    const client = await standing([staging, production1]);
    await create(client, 'op', [staging, production1]);
    await advance(1_500);
    await client.send(new StopStackSetOperationCommand({ StackSetName: 'hand', OperationId: 'op' }));
    expect(await status(client, 'op')).toBe('STOPPING');
    await advance(60_000);
    expect(await status(client, 'op')).toBe('STOPPED');
    expect(await statuses(client, 'op')).toEqual(['SUCCEEDED', 'CANCELLED']);
    const again = client.send(new StopStackSetOperationCommand({ StackSetName: 'hand', OperationId: 'op' }));
    expect(await refusal(again)).toMatchObject({ name: 'InvalidOperationException', status: 400 });
  });

  test('managed execution queues instead of refusing', async () => {
    const client = await standing([staging, production1], { ManagedExecution: true });
    await create(client, 'first', [staging]);
    await create(client, 'second', [production1]);
    expect(await status(client, 'first')).toBe('RUNNING');
    expect(await status(client, 'second')).toBe('QUEUED');
    await advance(60_000);
    expect(await status(client, 'first')).toBe('SUCCEEDED');
    expect(await status(client, 'second')).toBe('SUCCEEDED');
  });
});
