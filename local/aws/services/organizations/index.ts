import type { Clock } from '../../core/clock.ts';
import type { AuthorizationRequest, Call, Operation, Service } from '../../core/service.ts';
import { Delegation } from './delegation.ts';
import { noSuchAccount, noSuchChild, noSuchParent, noSuchUnit, notYours } from './errors.ts';
import { page } from './paging.ts';
import type { Member, OrganizationTree, Unit } from './tree.ts';

interface OrganizationsOptions {
  tree: OrganizationTree;
  clock: Clock;
}

/**
 * AWS Organizations as the world file lays it out: everything that reads, and the delegation of reading. The tree itself
 * does not change by calls; what would change it is not served, and so refused by name.
 *
 * Who may ask what: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html
 * Resources and keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
 */
export function createOrganizations({ tree, clock }: OrganizationsOptions): Service {
  const delegation = new Delegation(tree);

  const ask = (
    call: Call,
    resource: string | undefined,
    context: AuthorizationRequest['context'] = {},
  ): AuthorizationRequest[] => [
    {
      action: `organizations:${call.operation}`,
      resources: [resource === undefined ? '*' : tree.arn(resource)],
      context,
      // The ARNs carry the management account; which accounts may ask is decided below, not by a resource's policy.
      resourceAccount: call.account,
    },
  ];
  const byManagement = (call: Call) => {
    if (call.account !== tree.managementId) throw notYours();
  };
  const byAdministrator = (call: Call) => {
    if (!delegation.isAdministrator(call.account)) byManagement(call);
  };

  /** `on`: the id that the permission is asked for, none where the action knows no resource. */
  const read = (answer: (input: any, call: Call) => unknown, on?: (input: any) => string): Operation => ({
    mutating: false,
    authorize: (input, call) => ask(call, on?.(input)),
    handle: (input, call) => {
      byAdministrator(call);
      return answer(input, call);
    },
  });
  /** Of the management account alone; about a service, and (with `on`) an account. */
  const change = (act: (input: any) => void, on?: (input: any) => string): Operation => ({
    mutating: true,
    authorize: (input, call) =>
      ask(call, on?.(input), { 'organizations:ServicePrincipal': input.ServicePrincipal as string }),
    handle: (input, call) => {
      byManagement(call);
      act(input);
    },
  });

  const accountView = ({ id, name, joined }: Member) => ({
    Id: id,
    Arn: tree.arn(id),
    Email: emailOf(id),
    Name: name,
    Status: 'ACTIVE',
    State: 'ACTIVE',
    JoinedMethod: id === tree.managementId ? 'INVITED' : 'CREATED',
    JoinedTimestamp: joined,
  });
  const accountWithPaths = (member: Member) => ({
    ...accountView(member),
    Paths: [`${tree.path(member.id)}${member.id}/`],
  });
  const unitView = ({ id, name, path }: Unit) => ({ Id: id, Arn: tree.arn(id), Name: name, Path: path });
  const parent = ({ ParentId }: { ParentId: string }): string => {
    if (!tree.isParent(ParentId)) throw noSuchParent();
    return ParentId;
  };
  const parentAsked = (input: { ParentId: string }) => input.ParentId;
  const accountAsked = (input: { AccountId: string }) => input.AccountId;

  return {
    id: 'organizations',
    operations: {
      DescribeOrganization: {
        mutating: false,
        authorize: (_input, call) => ask(call, undefined),
        // Any account of the organization may ask; an account outside does not exist here.
        handle: () => ({
          Organization: {
            Id: tree.id,
            Arn: tree.arn(tree.id),
            FeatureSet: 'ALL',
            MasterAccountArn: tree.arn(tree.managementId),
            MasterAccountId: tree.managementId,
            MasterAccountEmail: emailOf(tree.managementId),
            // No kind of policy is served: none may seem to be at work.
            AvailablePolicyTypes: [],
          },
        }),
      },
      ListRoots: read((input) => {
        const root = { Id: tree.rootId, Arn: tree.arn(tree.rootId), Name: 'Root', PolicyTypes: [] };
        const { items: Roots, ...next } = page('ListRoots', [root], input);
        return { Roots, ...next };
      }),
      ListAccounts: read((input) => {
        const { items, ...next } = page('ListAccounts', tree.members, input);
        return { Accounts: items.map(accountWithPaths), ...next };
      }),
      DescribeAccount: read(({ AccountId }) => {
        const member = tree.member(AccountId);
        if (member === undefined) throw noSuchAccount();
        return { Account: accountWithPaths(member) };
      }, accountAsked),
      DescribeOrganizationalUnit: read(
        ({ OrganizationalUnitId }) => {
          const unit = tree.unit(OrganizationalUnitId);
          if (unit === undefined) throw noSuchUnit();
          return { OrganizationalUnit: unitView(unit) };
        },
        (input) => input.OrganizationalUnitId,
      ),
      ListOrganizationalUnitsForParent: read((input) => {
        const id = parent(input);
        const { items, ...next } = page(`ListOrganizationalUnitsForParent ${id}`, tree.unitsIn(id), input);
        return { OrganizationalUnits: items.map(unitView), ...next };
      }, parentAsked),
      ListAccountsForParent: read((input) => {
        const id = parent(input);
        const { items, ...next } = page(`ListAccountsForParent ${id}`, tree.membersIn(id), input);
        return { Accounts: items.map(accountWithPaths), ...next };
      }, parentAsked),
      ListChildren: read((input) => {
        const id = parent(input);
        const Type = input.ChildType as 'ACCOUNT' | 'ORGANIZATIONAL_UNIT';
        const children: readonly { id: string }[] = Type === 'ACCOUNT' ? tree.membersIn(id) : tree.unitsIn(id);
        const { items, ...next } = page(`ListChildren ${Type} ${id}`, children, input);
        return { Children: items.map((child) => ({ Id: child.id, Type })), ...next };
      }, parentAsked),
      ListParents: read(
        (input) => {
          const id = (tree.member(input.ChildId) ?? tree.unit(input.ChildId))?.parent;
          if (id === undefined) throw noSuchChild();
          const above = { Id: id, Type: id === tree.rootId ? 'ROOT' : 'ORGANIZATIONAL_UNIT' };
          const { items: Parents, ...next } = page(`ListParents ${input.ChildId}`, [above], input);
          return { Parents, ...next };
        },
        (input) => input.ChildId,
      ),
      EnableAWSServiceAccess: change(({ ServicePrincipal }) => delegation.enable(ServicePrincipal, clock.now())),
      ListAWSServiceAccessForOrganization: read((input) => {
        const { items, ...next } = page('ListAWSServiceAccessForOrganization', delegation.enabled(), input);
        return {
          EnabledServicePrincipals: items.map(([ServicePrincipal, DateEnabled]) => ({ ServicePrincipal, DateEnabled })),
          ...next,
        };
      }),
      RegisterDelegatedAdministrator: change(
        ({ AccountId, ServicePrincipal }) => delegation.register(AccountId, ServicePrincipal, clock.now()),
        accountAsked,
      ),
      DeregisterDelegatedAdministrator: change(
        ({ AccountId, ServicePrincipal }) => delegation.deregister(AccountId, ServicePrincipal),
        accountAsked,
      ),
      ListDelegatedAdministrators: {
        ...read((input) => {
          const service = input.ServicePrincipal as string | undefined;
          const list = `ListDelegatedAdministrators ${service ?? ''}`;
          const { items, ...next } = page(list, delegation.administrators(service), input);
          return {
            DelegatedAdministrators: items.map(([id, DelegationEnabledDate]) => ({
              ...accountView(tree.member(id)!),
              DelegationEnabledDate,
            })),
            ...next,
          };
        }),
        authorize: (input, call) =>
          ask(
            call,
            undefined,
            input.ServicePrincipal === undefined ? {} : { 'organizations:ServicePrincipal': input.ServicePrincipal },
          ),
      },
      ListDelegatedServicesForAccount: read((input) => {
        const services = [...delegation.servicesOf(input.AccountId)];
        const { items, ...next } = page(`ListDelegatedServicesForAccount ${input.AccountId}`, services, input);
        return {
          DelegatedServices: items.map(([ServicePrincipal, DelegationEnabledDate]) => ({
            ServicePrincipal,
            DelegationEnabledDate,
          })),
          ...next,
        };
      }, accountAsked),
    },
  };
}

/** Addresses below example.com reach nobody (RFC 2606). */
const emailOf = (account: string): string => `aws-${account}@example.com`;
