/** The organization over the wire: what each operation answers, to whom, with which rights, and its keys in policies. */
import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  ListStackInstancesCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import * as sdk from '@aws-sdk/client-organizations';
import { ListModelPackageGroupsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from '../../local/aws/core/context.ts';
import type { Call, Principal } from '../../local/aws/core/service.ts';
import { createOrganizations } from '../../local/aws/services/organizations/index.ts';
import { OrganizationTree } from '../../local/aws/services/organizations/tree.ts';
import { operationEnd } from '../cloudformation/support.ts';
import { permissionFaults } from '../iam/action-table.ts';
import { accounts, region, startTestPlatform, type TestPlatform, withPlatform } from '../support/platform.ts';
import { unitsWorld } from './world.ts';

let platform: TestPlatform;
let rootId: string;
let units: Record<string, string>;

const clientOf = (credentials: Credentials, more: Record<string, unknown> = {}) =>
  new sdk.OrganizationsClient({ region, endpoint: platform.url, credentials, maxAttempts: 1, ...more });
const of = async (account: string, role?: string) => clientOf(await platform.credentials(account, role));
const failure = (sending: Promise<unknown>): Promise<any> =>
  sending.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error) => error,
  );
/** Units below a parent by name. */
async function unitsBelow(client: sdk.OrganizationsClient, ParentId: string): Promise<Record<string, string>> {
  const { OrganizationalUnits = [] } = await client.send(new sdk.ListOrganizationalUnitsForParentCommand({ ParentId }));
  return Object.fromEntries(OrganizationalUnits.map(({ Name, Id }) => [Name, Id!]));
}

beforeAll(async () => {
  platform = await startTestPlatform({ world: unitsWorld });
  const management = await of(accounts.development);
  const { Roots = [] } = await management.send(new sdk.ListRootsCommand({}));
  rootId = Roots[0]!.Id!;
  units = await unitsBelow(management, rootId);
  Object.assign(units, await unitsBelow(management, units['workloads']!));
});
afterAll(() => platform.close());

describe('the tree', () => {
  test('has ids and ARNs of the form of AWS', async () => {
    const management = await of(accounts.development);
    const { Organization } = await management.send(new sdk.DescribeOrganizationCommand({}));
    expect(Organization).toEqual({
      Id: expect.stringMatching(/^o-[a-z0-9]{10,32}$/),
      Arn: `arn:aws:organizations::${accounts.development}:organization/${Organization!.Id}`,
      FeatureSet: 'ALL',
      MasterAccountArn: `arn:aws:organizations::${accounts.development}:account/${Organization!.Id}/${accounts.development}`,
      MasterAccountId: accounts.development,
      MasterAccountEmail: expect.stringContaining('@example.com'),
      AvailablePolicyTypes: [],
    });
    const { Roots } = await management.send(new sdk.ListRootsCommand({}));
    expect(Roots).toEqual([
      {
        Id: expect.stringMatching(/^r-[0-9a-z]{4,32}$/),
        Arn: `arn:aws:organizations::${accounts.development}:root/${Organization!.Id}/${rootId}`,
        Name: 'Root',
        PolicyTypes: [],
      },
    ]);
    for (const id of Object.values(units)) expect(id).toMatch(new RegExp(`^ou-${rootId.slice(2)}-[a-z0-9]{8,32}$`));
    expect(Object.keys(units)).toEqual(['workloads', 'suspended', 'production', 'sandbox']);
    const { OrganizationalUnit } = await management.send(
      new sdk.DescribeOrganizationalUnitCommand({ OrganizationalUnitId: units['production'] }),
    );
    expect(OrganizationalUnit).toEqual({
      Id: units['production'],
      Arn: `arn:aws:organizations::${accounts.development}:ou/${Organization!.Id}/${units['production']}`,
      Name: 'production',
      Path: `${Organization!.Id}/${rootId}/${units['workloads']}/${units['production']}/`,
    });
  });

  test('has every account in one place, not told twice by the units above', async () => {
    const management = await of(accounts.development);
    const inParent = async (ParentId: string) => {
      const { Accounts = [] } = await management.send(new sdk.ListAccountsForParentCommand({ ParentId }));
      const { Children = [] } = await management.send(new sdk.ListChildrenCommand({ ParentId, ChildType: 'ACCOUNT' }));
      expect(Children).toEqual(Accounts.map(({ Id }) => ({ Id, Type: 'ACCOUNT' })));
      return Accounts.map(({ Id }) => Id);
    };
    expect(await inParent(rootId)).toEqual([accounts.development]);
    expect(await inParent(units['workloads']!)).toEqual([accounts.staging]);
    expect(await inParent(units['production']!)).toEqual([accounts.production1, accounts.production2]);
    expect(await inParent(units['sandbox']!)).toEqual([]);
    const { Children } = await management.send(
      new sdk.ListChildrenCommand({ ParentId: units['workloads'], ChildType: 'ORGANIZATIONAL_UNIT' }),
    );
    expect(Children).toEqual(
      ['production', 'sandbox'].map((name) => ({ Id: units[name], Type: 'ORGANIZATIONAL_UNIT' })),
    );
    const parents = async (ChildId: string) => (await management.send(new sdk.ListParentsCommand({ ChildId }))).Parents;
    expect(await parents(accounts.development)).toEqual([{ Id: rootId, Type: 'ROOT' }]);
    expect(await parents(accounts.production2)).toEqual([{ Id: units['production'], Type: 'ORGANIZATIONAL_UNIT' }]);
    expect(await parents(units['production']!)).toEqual([{ Id: units['workloads'], Type: 'ORGANIZATIONAL_UNIT' }]);
    expect(await parents(units['workloads']!)).toEqual([{ Id: rootId, Type: 'ROOT' }]);
  });

  test('tells an account with its place; ids are the same after a reset', async () => {
    const describe = async () =>
      (await (await of(accounts.development)).send(new sdk.DescribeAccountCommand({ AccountId: accounts.production1 })))
        .Account!;
    const account = await describe();
    const [id] = account.Arn!.split('/').slice(1);
    expect(account).toMatchObject({
      Id: accounts.production1,
      Arn: `arn:aws:organizations::${accounts.development}:account/${id}/${accounts.production1}`,
      Name: 'production-1',
      Status: 'ACTIVE',
      State: 'ACTIVE',
      JoinedMethod: 'CREATED',
      JoinedTimestamp: expect.any(Date),
      Paths: [`${id}/${rootId}/${units['workloads']}/${units['production']}/${accounts.production1}/`],
    });
    await platform.control('POST', 'reset');
    expect((await describe()).Paths).toEqual(account.Paths);
  });

  test.each<[string, Promise<unknown> | ((client: sdk.OrganizationsClient) => Promise<unknown>), string]>([
    [
      'account',
      (c) => c.send(new sdk.DescribeAccountCommand({ AccountId: '999999999999' })),
      'AccountNotFoundException',
    ],
    [
      'unit',
      (c) => c.send(new sdk.DescribeOrganizationalUnitCommand({ OrganizationalUnitId: 'ou-abcd-12345678' })),
      'OrganizationalUnitNotFoundException',
    ],
    [
      'parent of accounts',
      (c) => c.send(new sdk.ListAccountsForParentCommand({ ParentId: 'r-zzzz' })),
      'ParentNotFoundException',
    ],
    [
      'parent of units',
      (c) => c.send(new sdk.ListOrganizationalUnitsForParentCommand({ ParentId: 'ou-abcd-12345678' })),
      'ParentNotFoundException',
    ],
    ['child', (c) => c.send(new sdk.ListParentsCommand({ ChildId: '999999999999' })), 'ChildNotFoundException'],
    ['form', (c) => c.send(new sdk.ListParentsCommand({ ChildId: 'nonsense' })), 'InvalidInputException'],
    ['page size', (c) => c.send(new sdk.ListAccountsCommand({ MaxResults: 21 })), 'InvalidInputException'],
  ])('an unknown %s is its typed error', async (_what, send, name) => {
    const error = await failure(
      (send as (client: sdk.OrganizationsClient) => Promise<unknown>)(await of(accounts.development)),
    );
    expect(error).toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    expect(error).toBeInstanceOf((sdk as any)[name]);
  });

  test.each(['CreateOrganizationalUnit', 'MoveAccount', 'ListPolicies', 'CloseAccount', 'LeaveOrganization'])(
    '%s is refused by its name',
    async (name) => {
      const inputs: Record<string, object> = {
        CreateOrganizationalUnit: { ParentId: rootId, Name: 'x' },
        MoveAccount: { AccountId: accounts.staging, SourceParentId: rootId, DestinationParentId: units['sandbox'] },
        ListPolicies: { Filter: 'SERVICE_CONTROL_POLICY' },
        CloseAccount: { AccountId: accounts.staging },
      };
      const command = new (sdk as any)[`${name}Command`](inputs[name] ?? {});
      const error = await failure((await of(accounts.development)).send(command));
      expect(error.$metadata.httpStatusCode).toBe(501);
      expect(error.message).toContain(`${name} of organizations`);
    },
  );
});

describe('pages', () => {
  test('hold twenty at most; a token is good for its own list only', async () => {
    const many = Array.from({ length: 45 }, (_, index) => ({ id: String(200_000_000_000 + index), name: `a${index}` }));
    await withPlatform({ world: { ...unitsWorld, accounts: [...unitsWorld.accounts, ...many] } }, async (large) => {
      const client = new sdk.OrganizationsClient({
        region,
        endpoint: large.url,
        credentials: await large.credentials(accounts.development),
      });
      const sizes: number[] = [];
      const seen = new Set<string>();
      for await (const { Accounts = [] } of sdk.paginateListAccounts({ client }, {})) {
        sizes.push(Accounts.length);
        for (const { Id } of Accounts) seen.add(Id!);
      }
      expect(sizes).toEqual([20, 20, 9]);
      expect(seen.size).toBe(49);
      const first = await client.send(new sdk.ListAccountsForParentCommand({ ParentId: rootId, MaxResults: 7 }));
      expect(first.Accounts).toHaveLength(7);
      for (const command of [
        new sdk.ListAccountsForParentCommand({ ParentId: units['production'], NextToken: first.NextToken }),
        new sdk.ListAccountsCommand({ NextToken: first.NextToken }),
        new sdk.ListAccountsCommand({ NextToken: 'nonsense' }),
      ]) {
        expect(await failure(client.send(command as sdk.ListAccountsCommand))).toMatchObject({
          name: 'InvalidInputException',
          Reason: 'INVALID_NEXT_TOKEN',
        });
      }
    });
  });
});

describe('who may ask', () => {
  test('a member may describe the organization and nothing else', async () => {
    const member = await of(accounts.staging);
    const { Organization } = await member.send(new sdk.DescribeOrganizationCommand({}));
    expect(Organization!.MasterAccountId).toBe(accounts.development);
    for (const command of [
      new sdk.ListRootsCommand({}),
      new sdk.ListAccountsCommand({}),
      new sdk.DescribeAccountCommand({ AccountId: accounts.staging }),
      new sdk.ListParentsCommand({ ChildId: accounts.staging }),
      new sdk.EnableAWSServiceAccessCommand({ ServicePrincipal: 'x.amazonaws.com' }),
    ]) {
      expect(await failure(member.send(command as sdk.ListRootsCommand))).toMatchObject({
        name: 'AccessDeniedException',
        message: "You don't have permissions to access this resource.",
      });
    }
  });

  test('a delegated administrator may read until it is no longer one, and change nothing', async () => {
    const [management, member] = await Promise.all([of(accounts.development), of(accounts.staging)]);
    const ServicePrincipal = 'member.org.stacksets.cloudformation.amazonaws.com';
    const register = (AccountId: string, service = ServicePrincipal) =>
      management.send(new sdk.RegisterDelegatedAdministratorCommand({ AccountId, ServicePrincipal: service }));
    expect(await failure(register(accounts.staging))).toMatchObject({ Reason: 'SERVICE_ACCESS_NOT_ENABLED' });
    const enable = (service: string) =>
      management.send(new sdk.EnableAWSServiceAccessCommand({ ServicePrincipal: service }));
    expect(await failure(enable('nonsense'))).toMatchObject({ Reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL' });
    await enable(ServicePrincipal);
    const access = await management.send(new sdk.ListAWSServiceAccessForOrganizationCommand({}));
    expect(access.EnabledServicePrincipals).toEqual([{ ServicePrincipal, DateEnabled: expect.any(Date) }]);
    expect(await failure(register(accounts.development))).toMatchObject({
      Reason: 'CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR',
    });
    expect((await failure(register('999999999999'))).name).toBe('AccountNotFoundException');
    await register(accounts.staging);
    expect((await failure(register(accounts.staging))).name).toBe('AccountAlreadyRegisteredException');

    expect((await member.send(new sdk.ListAccountsCommand({}))).Accounts).toHaveLength(4);
    const listed = await member.send(new sdk.ListDelegatedAdministratorsCommand({ ServicePrincipal }));
    expect(listed.DelegatedAdministrators).toMatchObject([
      { Id: accounts.staging, Name: 'staging', DelegationEnabledDate: expect.any(Date) },
    ]);
    const other = { ServicePrincipal: 'config.amazonaws.com' };
    expect((await member.send(new sdk.ListDelegatedAdministratorsCommand(other))).DelegatedAdministrators).toEqual([]);
    const services = await member.send(new sdk.ListDelegatedServicesForAccountCommand({ AccountId: accounts.staging }));
    expect(services.DelegatedServices).toMatchObject([{ ServicePrincipal }]);
    expect((await failure(member.send(new sdk.EnableAWSServiceAccessCommand(other)))).name).toBe(
      'AccessDeniedException',
    );

    const deregister = new sdk.DeregisterDelegatedAdministratorCommand({
      AccountId: accounts.staging,
      ServicePrincipal,
    });
    await management.send(deregister);
    expect((await failure(management.send(deregister))).name).toBe('AccountNotRegisteredException');
    expect((await failure(member.send(new sdk.ListAccountsCommand({})))).name).toBe('AccessDeniedException');
  });

  test('IAM decides on units and accounts, and the log tells what and why', async () => {
    const iam = new IAMClient({
      region,
      endpoint: platform.url,
      credentials: await platform.credentials(accounts.development),
    });
    const management = await of(accounts.development);
    const { OrganizationalUnit } = await management.send(
      new sdk.DescribeOrganizationalUnitCommand({ OrganizationalUnitId: units['production'] }),
    );
    await makeRole(iam, 'reader', { Principal: { AWS: accounts.development } }, [
      { Sid: 'Unit', Effect: 'Allow', Action: 'organizations:List*ForParent', Resource: OrganizationalUnit!.Arn },
    ]);
    const reader = await of(accounts.development, 'reader');
    const since = platform.platform.calls.next;
    await reader.send(new sdk.ListAccountsForParentCommand({ ParentId: units['production'] }));
    const denied = await failure(reader.send(new sdk.ListAccountsForParentCommand({ ParentId: units['workloads'] })));
    expect(denied.name).toBe('AccessDeniedException');
    expect(denied.message).toMatch(
      new RegExp(
        `is not authorized to perform: organizations:ListAccountsForParent on resource: .*/${units['workloads']}`,
      ),
    );
    const [allowed, refused] = platform.calls({ since, operation: 'organizations:ListAccountsForParent' });
    expect(allowed).toMatchObject({
      account: accounts.development,
      mutating: false,
      resources: [OrganizationalUnit!.Arn],
      decision: 'allow',
      grantedBy: ['reader#Unit'],
      status: 200,
    });
    expect(refused).toMatchObject({ decision: 'implicit-deny', status: 400, error: 'AccessDeniedException' });
  });

  test("every permission asked is one of AWS's table", async () => {
    const tree = new OrganizationTree(unitsWorld, new Date(0));
    const { operations } = createOrganizations({ tree, clock: platform.platform.context.clock });
    const principal = { kind: 'assumed-role', account: accounts.development, arn: 'a', userId: 'u' } as Principal;
    const input = {
      ParentId: tree.rootId,
      ChildId: accounts.staging,
      AccountId: accounts.staging,
      OrganizationalUnitId: units['workloads'],
      ServicePrincipal: 'x.amazonaws.com',
    };
    for (const [operation, { authorize }] of Object.entries(operations)) {
      const call = { account: accounts.development, service: 'organizations', operation, principal } as Call;
      const requests = await authorize(input, call);
      expect(requests.map(({ action }) => action)).toEqual([`organizations:${operation}`]);
      expect({ operation, faults: (await Promise.all(requests.map(permissionFaults))).flat() }).toEqual({
        operation,
        faults: [],
      });
    }
  });
});

/** A role with one inline policy; its trust policy's one statement is completed. */
async function makeRole(iam: IAMClient, RoleName: string, trust: object, statements: object[]): Promise<void> {
  const text = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const AssumeRolePolicyDocument = text({ Effect: 'Allow', Action: 'sts:AssumeRole', ...trust });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  if (statements.length === 0) return;
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'inline', PolicyDocument: text(...statements) }));
}

describe('condition keys of the organization', () => {
  test('a trust policy by PrincipalOrgPaths lets in the accounts below the unit, wherever they stand', async () => {
    const iam = new IAMClient({
      region,
      endpoint: platform.url,
      credentials: await platform.credentials(accounts.development),
    });
    const { Organization } = await (await of(accounts.development)).send(new sdk.DescribeOrganizationCommand({}));
    const below = `${Organization!.Id}/${rootId}/${units['workloads']}/`;
    const condition = (patterns: string[]) => ({
      Principal: { AWS: '*' },
      Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': patterns } },
    });
    await makeRole(iam, 'workloads', condition([`${below}*`]), []);
    await makeRole(iam, 'production', condition([`${below}${units['production']}/*`]), []);
    await makeRole(iam, 'directly', condition([below]), []);
    await makeRole(
      iam,
      'organization',
      { Principal: { AWS: '*' }, Condition: { StringEquals: { 'aws:PrincipalOrgID': Organization!.Id } } },
      [],
    );
    await makeRole(
      iam,
      'strangers',
      { Principal: { AWS: '*' }, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-0000000000' } } },
      [],
    );
    const table: Record<string, string[]> = {};
    for (const account of Object.values(accounts)) {
      const sts = new STSClient({
        region,
        endpoint: platform.url,
        credentials: await platform.credentials(account),
        maxAttempts: 1,
      });
      for (const role of ['workloads', 'production', 'directly', 'organization', 'strangers']) {
        const RoleArn = `arn:aws:iam::${accounts.development}:role/${role}`;
        const taken = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' })).then(
          () => true,
          (error) => {
            expect(error.name).toBe('AccessDenied');
            return false;
          },
        );
        if (taken) table[role] = [...(table[role] ?? []), account];
      }
    }
    const { development, staging, production1, production2 } = accounts;
    expect(table).toEqual({
      workloads: [staging, production1, production2],
      production: [production1, production2],
      directly: [staging],
      organization: [development, staging, production1, production2],
    });
  });

  test('an identity policy by ResourceOrgID and ResourceOrgPaths', async () => {
    const credentials = await platform.credentials(accounts.production1);
    const iam = new IAMClient({ region, endpoint: platform.url, credentials });
    const { Organization } = await (await of(accounts.production1)).send(new sdk.DescribeOrganizationCommand({}));
    const trust = { Principal: { AWS: accounts.production1 } };
    const allow = (Condition: object) => [
      { Effect: 'Allow', Action: 'sagemaker:ListModelPackageGroups', Resource: '*', Condition },
    ];
    await makeRole(iam, 'within', trust, allow({ StringEquals: { 'aws:ResourceOrgID': Organization!.Id } }));
    await makeRole(iam, 'outside', trust, allow({ StringNotEquals: { 'aws:ResourceOrgID': Organization!.Id } }));
    const path = `${Organization!.Id}/*/${units['production']}/*`;
    await makeRole(iam, 'by-path', trust, allow({ 'ForAnyValue:StringLike': { 'aws:ResourceOrgPaths': [path] } }));
    const path2 = `${Organization!.Id}/*/${units['sandbox']}/*`;
    await makeRole(iam, 'elsewhere', trust, allow({ 'ForAnyValue:StringLike': { 'aws:ResourceOrgPaths': [path2] } }));
    const may = async (role: string) => {
      const sagemaker = new SageMakerClient({
        region,
        endpoint: platform.url,
        credentials: await platform.credentials(accounts.production1, role),
      });
      return sagemaker.send(new ListModelPackageGroupsCommand({})).then(
        () => true,
        (error) => error.name,
      );
    };
    expect([await may('within'), await may('by-path')]).toEqual([true, true]);
    expect([await may('outside'), await may('elsewhere')]).toEqual(['AccessDeniedException', 'AccessDeniedException']);
  });
});

test('an account that joins by the control route is in the root, with its keys', async () => {
  await platform.control('POST', 'accounts', { id: '121212121212', name: 'later' });
  const management = await of(accounts.development);
  expect((await management.send(new sdk.ListParentsCommand({ ChildId: '121212121212' }))).Parents).toEqual([
    { Id: rootId, Type: 'ROOT' },
  ]);
  const { Organization } = await (await of('121212121212')).send(new sdk.DescribeOrganizationCommand({}));
  expect(Organization!.MasterAccountId).toBe(accounts.development);
});

test('without units all accounts are in the root', async () => {
  await withPlatform({}, async (plain) => {
    const client = new sdk.OrganizationsClient({
      region,
      endpoint: plain.url,
      credentials: await plain.credentials(accounts.development),
    });
    const { Accounts = [] } = await client.send(new sdk.ListAccountsForParentCommand({ ParentId: rootId }));
    expect(Accounts.map(({ Id }) => Id)).toEqual(Object.values(accounts));
    expect(await unitsBelow(client, rootId)).toEqual({});
  });
});

describe('regions', () => {
  test('that are not enabled know no credentials; services without a region answer', async () => {
    const world = { ...unitsWorld, regions: [region, 'eu-central-1'] };
    await withPlatform({ world }, async (two) => {
      const credentials = await two.credentials(accounts.development);
      const at = (where: string) => ({ region: where, endpoint: two.url, credentials, maxAttempts: 1 });
      const list = (where: string) => new SageMakerClient(at(where)).send(new ListModelPackageGroupsCommand({}));
      const identity = (where: string) => new STSClient(at(where)).send(new GetCallerIdentityCommand({}));
      await Promise.all([list(region), list('eu-central-1'), identity('eu-central-1'), identity('us-east-1')]);
      await new sdk.OrganizationsClient(at('us-east-1')).send(new sdk.ListRootsCommand({}));
      const reason =
        'the region us-west-2 is not enabled for the accounts of this world, which answer in eu-west-1, eu-central-1.';
      expect(await failure(list('us-west-2'))).toMatchObject({
        name: 'UnrecognizedClientException',
        message: `The security token included in the request is invalid: ${reason}`,
        $metadata: { httpStatusCode: 400 },
      });
      expect(await failure(identity('us-west-2'))).toMatchObject({
        name: 'InvalidClientTokenId',
        message: expect.stringContaining(reason),
        $metadata: { httpStatusCode: 403 },
      });
      expect((await failure(list('us-east-1'))).name).toBe('UnrecognizedClientException');
      expect(two.calls().at(-1)).toMatchObject({
        region: 'us-east-1',
        error: 'UnrecognizedClientException',
        decision: null,
      });
    });
  });

  test('fail their instance of a stack set alone', async () => {
    await withPlatform({ world: { ...unitsWorld, regions: [region, 'eu-central-1'] } }, async (two) => {
      const { cloudformation, iam } = two.administrator(accounts.development);
      const AdministrationRoleARN = `arn:aws:iam::${accounts.development}:role/administration`;
      const trust = { Principal: { Service: 'cloudformation.amazonaws.com' } };
      await makeRole(iam, 'administration', trust, [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }]);
      const target = two.administrator(accounts.staging).iam;
      await makeRole(target, 'execution', { Principal: { AWS: AdministrationRoleARN } }, [
        { Effect: 'Allow', Action: 'cloudformation:*', Resource: '*' },
      ]);
      const StackSetName = 'regions';
      await cloudformation.send(
        new CreateStackSetCommand({
          StackSetName,
          TemplateBody: JSON.stringify({ Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' } } }),
          AdministrationRoleARN,
          ExecutionRoleName: 'execution',
        }),
      );
      await cloudformation.send(
        new CreateStackInstancesCommand({
          StackSetName,
          Accounts: [accounts.staging],
          Regions: ['eu-central-1', 'us-west-2'],
          OperationId: 'create',
        }),
      );
      expect((await operationEnd(cloudformation, StackSetName, 'create', 20_000)).Status).toBe('FAILED');
      const { Summaries = [] } = await cloudformation.send(new ListStackInstancesCommand({ StackSetName }));
      const byRegion = Object.fromEntries(Summaries.map((instance) => [instance.Region, instance]));
      expect(byRegion['eu-central-1']).toMatchObject({ Status: 'CURRENT' });
      expect(byRegion['us-west-2']!.Status).not.toBe('CURRENT');
      expect(byRegion['us-west-2']!.StatusReason).toContain('us-west-2 is not enabled');
    });
  });
});
