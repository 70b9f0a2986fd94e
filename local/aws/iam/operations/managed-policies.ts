import { AwsError } from '../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../core/service.ts';
import { awsManagedPolicy, awsManagedPolicyNames } from '../aws-managed-policies.ts';
import { parsePolicy, policySize } from '../evaluator/document.ts';
import { managedPolicy } from '../policies-of-role.ts';
import { type ManagedPolicy, type Role, uniqueId } from '../store.ts';
import {
  accountOf,
  addTags,
  encodePolicy,
  type IamState,
  limitExceeded,
  noSuchEntity,
  onRole,
  ownPolicyOrThrow,
  page,
  policyOrThrow,
  removeTags,
  roleOrThrow,
  type Tag,
  tagList,
  tagOnCreate,
  tagsOf,
} from './common.ts';
import { checkName, checkPath, refuseLinked } from './roles.ts';

interface OnPolicy {
  PolicyArn: string;
}
interface OnVersion extends OnPolicy {
  VersionId: string;
}
interface Attachment extends OnPolicy {
  RoleName: string;
}
interface Paging {
  Marker?: string;
  MaxItems?: number;
}

const sizeLimit = 6144;
const versionLimit = 5;
const attachmentLimit = 10;

function parseManaged(text: string) {
  const document = parsePolicy(text, 'managed');
  if (policySize(text) > sizeLimit) throw limitExceeded(`Cannot exceed quota for PolicySize: ${sizeLimit}`);
  return { text, document };
}

/** Managed policies and their attachment to roles. */
export function managedPolicyOperations(state: IamState): Record<string, Operation> {
  const rolesOf = (call: Call): Role[] => [...accountOf(state, call).roles.values()];
  const attachments = (call: Call, arn: string) => rolesOf(call).filter(({ attached }) => attached.has(arn));
  const boundaries = (call: Call, arn: string) => rolesOf(call).filter(({ boundary }) => boundary === arn);

  const describe = (policy: ManagedPolicy, call: Call, detailed = true) => ({
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: attachments(call, policy.arn).length,
    PermissionsBoundaryUsageCount: boundaries(call, policy.arn).length,
    IsAttachable: true,
    ...(detailed && policy.description !== undefined ? { Description: policy.description } : {}),
    CreateDate: policy.createDate,
    UpdateDate: policy.updateDate,
    ...(detailed && policy.tags.size > 0 ? { Tags: tagList(policy.tags) } : {}),
  });

  const onPolicy =
    (operation: string) =>
    ({ PolicyArn }: OnPolicy, call: Call): AuthorizationRequest[] => {
      const policy = managedPolicy(state.store, PolicyArn);
      return [
        {
          action: `iam:${operation}`,
          resources: [PolicyArn],
          // AWS's own policies belong to every account.
          resourceAccount: call.account,
          ...(policy === undefined ? {} : { resourceTags: Object.fromEntries(policy.tags) }),
        },
      ];
    };
  const onAttachment =
    (operation: string) =>
    ({ RoleName, PolicyArn }: Attachment, call: Call): AuthorizationRequest[] =>
      onRole(state, call, operation, RoleName, { context: { 'iam:PolicyARN': PolicyArn } });

  const versionOrThrow = (policy: ManagedPolicy, id: string) => {
    const version = policy.versions.get(id);
    if (version === undefined) {
      throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
    }
    return version;
  };
  const describeVersion = (policy: ManagedPolicy, id: string, withDocument: boolean) => {
    const { text, createDate } = versionOrThrow(policy, id);
    return {
      ...(withDocument ? { Document: encodePolicy(text) } : {}),
      VersionId: id,
      IsDefaultVersion: policy.defaultVersion === id,
      CreateDate: createDate,
    };
  };

  return {
    CreatePolicy: {
      mutating: true,
      authorize: (input: { PolicyName: string; Path?: string; Tags?: Tag[] }, call) => [
        {
          action: 'iam:CreatePolicy',
          resources: [`arn:${call.partition}:iam::${call.account}:policy${input.Path ?? '/'}${input.PolicyName}`],
          ...(input.Tags === undefined ? {} : { requestTags: tagsOf(input.Tags) }),
        },
        ...tagOnCreate(
          'iam:TagPolicy',
          `arn:${call.partition}:iam::${call.account}:policy${input.Path ?? '/'}${input.PolicyName}`,
          input.Tags,
        ),
      ],
      handle(
        input: { PolicyName: string; Path?: string; PolicyDocument: string; Description?: string; Tags?: Tag[] },
        call,
      ) {
        const account = accountOf(state, call);
        const path = checkPath(input.Path ?? '/');
        checkName('policyName', input.PolicyName, 128);
        const taken = [...account.policies.values()].some(
          ({ name }) => name.toLowerCase() === input.PolicyName.toLowerCase(),
        );
        if (taken) {
          throw new AwsError(
            'EntityAlreadyExists',
            `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
            409,
          );
        }
        const tags = new Map<string, string>();
        addTags(tags, input.Tags ?? []);
        const now = state.now();
        const policy: ManagedPolicy = {
          name: input.PolicyName,
          path,
          id: uniqueId('ANPA'),
          arn: `arn:${call.partition}:iam::${account.id}:policy${path}${input.PolicyName}`,
          ...(input.Description === undefined ? {} : { description: input.Description }),
          createDate: now,
          updateDate: now,
          versions: new Map([['v1', { ...parseManaged(input.PolicyDocument), createDate: now }]]),
          defaultVersion: 'v1',
          nextVersion: 2,
          tags,
        };
        account.policies.set(policy.arn, policy);
        return { Policy: describe(policy, call) };
      },
    },
    GetPolicy: {
      mutating: false,
      authorize: onPolicy('GetPolicy'),
      handle: ({ PolicyArn }: OnPolicy, call) => ({ Policy: describe(policyOrThrow(state, call, PolicyArn), call) }),
    },
    DeletePolicy: {
      mutating: true,
      authorize: onPolicy('DeletePolicy'),
      handle({ PolicyArn }: OnPolicy, call) {
        const policy = ownPolicyOrThrow(state, call, PolicyArn);
        if (attachments(call, PolicyArn).length > 0 || boundaries(call, PolicyArn).length > 0) {
          throw new AwsError('DeleteConflict', 'Cannot delete a policy attached to entities.', 409);
        }
        if (policy.versions.size > 1) {
          throw new AwsError(
            'DeleteConflict',
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            409,
          );
        }
        accountOf(state, call).policies.delete(PolicyArn);
        return {};
      },
    },
    ListPolicies: {
      mutating: false,
      authorize: () => [{ action: 'iam:ListPolicies', resources: ['*'] }],
      handle(input: Paging & { Scope?: string; OnlyAttached?: boolean; PathPrefix?: string }, call) {
        const own = [...accountOf(state, call).policies.values()];
        const aws = awsManagedPolicyNames().map((name) => awsManagedPolicy(call.partition, name)!);
        const all = input.Scope === 'Local' ? own : input.Scope === 'AWS' ? aws : [...aws, ...own];
        const chosen = all
          .filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
          .filter(({ arn }) => input.OnlyAttached !== true || attachments(call, arn).length > 0);
        const { items, ...rest } = page(chosen, input);
        return { Policies: items.map((policy) => describe(policy, call, false)), ...rest };
      },
    },
    CreatePolicyVersion: {
      mutating: true,
      authorize: onPolicy('CreatePolicyVersion'),
      handle(input: OnPolicy & { PolicyDocument: string; SetAsDefault?: boolean }, call) {
        const policy = ownPolicyOrThrow(state, call, input.PolicyArn);
        if (policy.versions.size >= versionLimit) {
          throw limitExceeded(
            `A managed policy can have up to ${versionLimit} versions. Before you create a new version, you must delete an existing version.`,
          );
        }
        const stored = parseManaged(input.PolicyDocument);
        const id = `v${policy.nextVersion}`;
        policy.nextVersion += 1;
        policy.versions.set(id, { ...stored, createDate: state.now() });
        if (input.SetAsDefault === true) policy.defaultVersion = id;
        policy.updateDate = state.now();
        return { PolicyVersion: describeVersion(policy, id, false) };
      },
    },
    GetPolicyVersion: {
      mutating: false,
      authorize: onPolicy('GetPolicyVersion'),
      handle: ({ PolicyArn, VersionId }: OnVersion, call) => ({
        PolicyVersion: describeVersion(policyOrThrow(state, call, PolicyArn), VersionId, true),
      }),
    },
    DeletePolicyVersion: {
      mutating: true,
      authorize: onPolicy('DeletePolicyVersion'),
      handle({ PolicyArn, VersionId }: OnVersion, call) {
        const policy = ownPolicyOrThrow(state, call, PolicyArn);
        versionOrThrow(policy, VersionId);
        if (policy.defaultVersion === VersionId) {
          throw new AwsError('DeleteConflict', 'Cannot delete the default version of a policy.', 409);
        }
        policy.versions.delete(VersionId);
        return {};
      },
    },
    SetDefaultPolicyVersion: {
      mutating: true,
      authorize: onPolicy('SetDefaultPolicyVersion'),
      handle({ PolicyArn, VersionId }: OnVersion, call) {
        const policy = ownPolicyOrThrow(state, call, PolicyArn);
        versionOrThrow(policy, VersionId);
        policy.defaultVersion = VersionId;
        return {};
      },
    },
    ListPolicyVersions: {
      mutating: false,
      authorize: onPolicy('ListPolicyVersions'),
      handle(input: OnPolicy & Paging, call) {
        const policy = policyOrThrow(state, call, input.PolicyArn);
        // Newest first.
        const { items, ...rest } = page([...policy.versions.keys()].reverse(), input);
        return { Versions: items.map((id) => describeVersion(policy, id, false)), ...rest };
      },
    },
    ListEntitiesForPolicy: {
      mutating: false,
      authorize: onPolicy('ListEntitiesForPolicy'),
      handle(input: OnPolicy & Paging & { EntityFilter?: string; PolicyUsageFilter?: string }, call) {
        const { arn } = policyOrThrow(state, call, input.PolicyArn);
        const using = input.PolicyUsageFilter === 'PermissionsBoundary' ? boundaries : attachments;
        const wanted = [undefined, 'Role', 'LocalManagedPolicy', 'AWSManagedPolicy'].includes(input.EntityFilter);
        const { items, ...rest } = page(wanted ? using(call, arn) : [], input);
        return {
          PolicyGroups: [],
          PolicyUsers: [],
          PolicyRoles: items.map(({ name, id }) => ({ RoleName: name, RoleId: id })),
          ...rest,
        };
      },
    },
    AttachRolePolicy: {
      mutating: true,
      authorize: onAttachment('AttachRolePolicy'),
      handle({ RoleName, PolicyArn }: Attachment, call) {
        const role = roleOrThrow(state, call, RoleName);
        refuseLinked(role, 'AttachRolePolicy');
        policyOrThrow(state, call, PolicyArn);
        if (!role.attached.has(PolicyArn) && role.attached.size >= attachmentLimit) {
          throw limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${attachmentLimit}`);
        }
        role.attached.add(PolicyArn);
        return {};
      },
    },
    DetachRolePolicy: {
      mutating: true,
      authorize: onAttachment('DetachRolePolicy'),
      handle({ RoleName, PolicyArn }: Attachment, call) {
        const role = roleOrThrow(state, call, RoleName);
        refuseLinked(role, 'DetachRolePolicy');
        if (!role.attached.delete(PolicyArn)) throw noSuchEntity(`Policy ${PolicyArn} was not found.`);
        return {};
      },
    },
    ListAttachedRolePolicies: {
      mutating: false,
      authorize: ({ RoleName }: Attachment, call) => onRole(state, call, 'ListAttachedRolePolicies', RoleName),
      handle(input: Paging & { RoleName: string; PathPrefix?: string }, call) {
        const attached = [...roleOrThrow(state, call, input.RoleName).attached]
          .map((arn) => managedPolicy(state.store, arn)!)
          .filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'));
        const { items, ...rest } = page(attached, input);
        return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...rest };
      },
    },
    TagPolicy: {
      mutating: true,
      authorize: (input: OnPolicy & { Tags: Tag[] }, call) =>
        onPolicy('TagPolicy')(input, call).map((request) => ({ ...request, requestTags: tagsOf(input.Tags) })),
      handle(input: OnPolicy & { Tags: Tag[] }, call) {
        addTags(ownPolicyOrThrow(state, call, input.PolicyArn).tags, input.Tags);
        return {};
      },
    },
    UntagPolicy: {
      mutating: true,
      authorize: (input: OnPolicy & { TagKeys: string[] }, call) =>
        onPolicy('UntagPolicy')(input, call).map((request) => ({
          ...request,
          context: { 'aws:TagKeys': input.TagKeys },
        })),
      handle(input: OnPolicy & { TagKeys: string[] }, call) {
        removeTags(ownPolicyOrThrow(state, call, input.PolicyArn).tags, input.TagKeys);
        return {};
      },
    },
    ListPolicyTags: {
      mutating: false,
      authorize: onPolicy('ListPolicyTags'),
      handle(input: OnPolicy & Paging, call) {
        const { items, ...rest } = page(tagList(policyOrThrow(state, call, input.PolicyArn).tags), input);
        return { Tags: items, ...rest };
      },
    },
  };
}
