import {
  AddClientIDToOpenIDConnectProviderCommand,
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  TagRoleCommand,
  UntagOpenIDConnectProviderCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam';
import { partitionOf } from '../../../core/arn.ts';
import { policyText, type ResourceHandler, tagChanges, unlessGone } from './handler.ts';
import { generatedName } from './names.ts';

const gone = ['NoSuchEntityException', 'NoSuchEntity'];

interface InlinePolicy {
  PolicyName: string;
  PolicyDocument: unknown;
}

async function putInline(iam: IAMClient, RoleName: string, policies: InlinePolicy[] | undefined): Promise<void> {
  for (const { PolicyName, PolicyDocument } of policies ?? []) {
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: policyText(PolicyDocument) }));
  }
}

export const role: ResourceHandler = {
  nameProperty: 'RoleName',
  async create(request) {
    const { properties, clients } = request;
    const RoleName: string = properties['RoleName'] ?? generatedName(request, 64);
    const { Role } = await clients.iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: policyText(properties['AssumeRolePolicyDocument']),
        Path: properties['Path'],
        Description: properties['Description'],
        MaxSessionDuration: properties['MaxSessionDuration'],
        PermissionsBoundary: properties['PermissionsBoundary'],
        Tags: properties['Tags'],
      }),
    );
    const state = { physicalId: RoleName, attributes: { Arn: Role!.Arn!, RoleId: Role!.RoleId! } };
    request.initiated(state);
    await putInline(clients.iam, RoleName, properties['Policies']);
    for (const PolicyArn of properties['ManagedPolicyArns'] ?? []) {
      await clients.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    }
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    const { iam } = clients;
    const RoleName = physicalId;
    if (changed.has('AssumeRolePolicyDocument')) {
      const PolicyDocument = policyText(properties['AssumeRolePolicyDocument']);
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
    }
    if (changed.has('Description') || changed.has('MaxSessionDuration')) {
      await iam.send(
        new UpdateRoleCommand({
          RoleName,
          Description: properties['Description'] ?? '',
          MaxSessionDuration: properties['MaxSessionDuration'] ?? 3600,
        }),
      );
    }
    if (changed.has('PermissionsBoundary')) {
      const PermissionsBoundary = properties['PermissionsBoundary'];
      if (PermissionsBoundary === undefined) await iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
      else await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary }));
    }
    if (changed.has('Policies')) {
      const wanted: InlinePolicy[] = properties['Policies'] ?? [];
      const before: InlinePolicy[] = previous['Policies'] ?? [];
      await putInline(
        iam,
        RoleName,
        wanted.filter(
          (policy) =>
            policyText(before.find((old) => old.PolicyName === policy.PolicyName)?.PolicyDocument ?? '') !==
            policyText(policy.PolicyDocument),
        ),
      );
      for (const { PolicyName } of before) {
        if (wanted.some((policy) => policy.PolicyName === PolicyName)) continue;
        await unlessGone(gone, () => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
      }
    }
    if (changed.has('ManagedPolicyArns')) {
      const wanted: string[] = properties['ManagedPolicyArns'] ?? [];
      const before: string[] = previous['ManagedPolicyArns'] ?? [];
      for (const PolicyArn of wanted.filter((arn) => !before.includes(arn))) {
        await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
      }
      for (const PolicyArn of before.filter((arn) => !wanted.includes(arn))) {
        await unlessGone(gone, () => iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })));
      }
    }
    const { set, remove } = tagChanges(previous['Tags'], properties['Tags']);
    if (set.length > 0) await iam.send(new TagRoleCommand({ RoleName, Tags: set }));
    if (remove.length > 0) await iam.send(new UntagRoleCommand({ RoleName, TagKeys: remove }));
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    const { iam } = clients;
    const RoleName = physicalId;
    await unlessGone(gone, async () => {
      const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
      for (const { PolicyArn } of AttachedPolicies ?? []) {
        await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
      }
      const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
      for (const PolicyName of PolicyNames ?? []) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
      await iam.send(new DeleteRoleCommand({ RoleName }));
    });
  },
};

const roleOnly = ['Groups', 'Users'];

/** AWS::IAM::Policy: one inline policy in several roles. Its Ref is a made-up name, as on AWS. */
export const policy: ResourceHandler = {
  unsupported: roleOnly,
  async create(request) {
    const { properties, clients } = request;
    const physicalId = generatedName(
      { stackName: request.stackName.slice(0, 5), logicalId: request.logicalId.slice(0, 4) },
      64,
    );
    const state = { physicalId, attributes: { Id: physicalId } };
    request.initiated(state);
    for (const RoleName of (properties['Roles'] ?? []) as string[]) {
      await putInline(clients.iam, RoleName, [properties as unknown as InlinePolicy]);
    }
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes }) {
    const roles: string[] = properties['Roles'] ?? [];
    const renamed = properties['PolicyName'] !== previous['PolicyName'];
    for (const RoleName of roles) await putInline(clients.iam, RoleName, [properties as unknown as InlinePolicy]);
    for (const RoleName of (previous['Roles'] ?? []) as string[]) {
      if (roles.includes(RoleName) && !renamed) continue;
      await unlessGone(gone, () =>
        clients.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: previous['PolicyName'] })),
      );
    }
    return { physicalId, attributes };
  },
  async delete({ properties, clients }) {
    for (const RoleName of (properties['Roles'] ?? []) as string[]) {
      await unlessGone(gone, () =>
        clients.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: properties['PolicyName'] })),
      );
    }
  },
};

export const rolePolicy: ResourceHandler = {
  async create({ properties, clients, initiated }) {
    await putInline(clients.iam, properties['RoleName'], [properties as unknown as InlinePolicy]);
    const state = { physicalId: `${properties['PolicyName']}|${properties['RoleName']}`, attributes: {} };
    initiated(state);
    return state;
  },
  async update({ properties, clients, physicalId, attributes }) {
    await putInline(clients.iam, properties['RoleName'], [properties as unknown as InlinePolicy]);
    return { physicalId, attributes };
  },
  async delete({ properties, clients }) {
    await unlessGone(gone, () =>
      clients.iam.send(
        new DeleteRolePolicyCommand({ RoleName: properties['RoleName'], PolicyName: properties['PolicyName'] }),
      ),
    );
  },
};

/** Managed policies keep five versions at most; CloudFormation drops the oldest before it writes the next. */
export const managedPolicy: ResourceHandler = {
  nameProperty: 'ManagedPolicyName',
  unsupported: roleOnly,
  async create(request) {
    const { properties, clients } = request;
    const { Policy } = await clients.iam.send(
      new CreatePolicyCommand({
        PolicyName: properties['ManagedPolicyName'] ?? generatedName(request, 128),
        Path: properties['Path'],
        Description: properties['Description'],
        PolicyDocument: policyText(properties['PolicyDocument']),
      }),
    );
    const state = {
      physicalId: Policy!.Arn!,
      attributes: {
        PolicyArn: Policy!.Arn!,
        PolicyId: Policy!.PolicyId!,
        DefaultVersionId: Policy!.DefaultVersionId ?? 'v1',
      },
    };
    request.initiated(state);
    for (const RoleName of (properties['Roles'] ?? []) as string[]) {
      await clients.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: state.physicalId }));
    }
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    let updated = attributes;
    if (changed.has('PolicyDocument')) {
      const { Versions } = await clients.iam.send(new ListPolicyVersionsCommand({ PolicyArn: physicalId }));
      const spare = (Versions ?? []).filter((version) => version.IsDefaultVersion !== true);
      if ((Versions ?? []).length >= 5) {
        const oldest = spare.sort((a, b) => Number(a.VersionId?.slice(1)) - Number(b.VersionId?.slice(1)))[0];
        await clients.iam.send(new DeletePolicyVersionCommand({ PolicyArn: physicalId, VersionId: oldest?.VersionId }));
      }
      const { PolicyVersion } = await clients.iam.send(
        new CreatePolicyVersionCommand({
          PolicyArn: physicalId,
          PolicyDocument: policyText(properties['PolicyDocument']),
          SetAsDefault: true,
        }),
      );
      updated = { ...attributes, DefaultVersionId: PolicyVersion?.VersionId ?? '' };
    }
    const roles: string[] = properties['Roles'] ?? [];
    const before: string[] = previous['Roles'] ?? [];
    for (const RoleName of roles.filter((name) => !before.includes(name))) {
      await clients.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: physicalId }));
    }
    for (const RoleName of before.filter((name) => !roles.includes(name))) {
      await unlessGone(gone, () => clients.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: physicalId })));
    }
    return { physicalId, attributes: updated };
  },
  async delete({ properties, clients, physicalId }) {
    for (const RoleName of (properties['Roles'] ?? []) as string[]) {
      await unlessGone(gone, () => clients.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: physicalId })));
    }
    await unlessGone(gone, async () => {
      const { Versions } = await clients.iam.send(new ListPolicyVersionsCommand({ PolicyArn: physicalId }));
      for (const { VersionId, IsDefaultVersion } of Versions ?? []) {
        if (IsDefaultVersion === true) continue;
        await clients.iam.send(new DeletePolicyVersionCommand({ PolicyArn: physicalId, VersionId }));
      }
      await clients.iam.send(new DeletePolicyCommand({ PolicyArn: physicalId }));
    });
  },
};

export const oidcProvider: ResourceHandler = {
  nameProperty: 'Url',
  async create({ properties, clients, initiated, account, region }) {
    const { OpenIDConnectProviderArn } = await clients.iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: properties['Url'],
        ClientIDList: properties['ClientIdList'],
        ThumbprintList: properties['ThumbprintList'],
        Tags: properties['Tags'],
      }),
    );
    const host = String(properties['Url'] ?? '').replace(/^https:\/\//, '');
    const arn = OpenIDConnectProviderArn ?? `arn:${partitionOf(region)}:iam::${account}:oidc-provider/${host}`;
    const state = { physicalId: arn, attributes: { Arn: arn } };
    initiated(state);
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    const OpenIDConnectProviderArn = physicalId;
    if (changed.has('ClientIdList')) {
      const wanted: string[] = properties['ClientIdList'] ?? [];
      const before: string[] = previous['ClientIdList'] ?? [];
      for (const ClientID of wanted.filter((id) => !before.includes(id))) {
        await clients.iam.send(new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID }));
      }
      for (const ClientID of before.filter((id) => !wanted.includes(id))) {
        await clients.iam.send(
          new RemoveClientIDFromOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID }),
        );
      }
    }
    if (changed.has('ThumbprintList') && properties['ThumbprintList'] !== undefined) {
      const ThumbprintList = properties['ThumbprintList'];
      await clients.iam.send(
        new UpdateOpenIDConnectProviderThumbprintCommand({ OpenIDConnectProviderArn, ThumbprintList }),
      );
    }
    const { set, remove } = tagChanges(previous['Tags'], properties['Tags']);
    if (set.length > 0)
      await clients.iam.send(new TagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, Tags: set }));
    if (remove.length > 0) {
      await clients.iam.send(new UntagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, TagKeys: remove }));
    }
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(gone, () =>
      clients.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: physicalId })),
    );
  },
};
