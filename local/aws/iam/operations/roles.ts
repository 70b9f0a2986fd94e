import { AwsError } from '../../core/errors.ts';
import type { Operation } from '../../core/service.ts';
import { parsePolicy, policySize } from '../evaluator/document.ts';
import { type IamStore, type Role, type StoredPolicy, uniqueId } from '../store.ts';
import { namedRoleIds, unknownPrincipal } from '../trusted-principals.ts';
import {
  accountOf,
  addTags,
  encodePolicy,
  type IamState,
  limitExceeded,
  onRole,
  page,
  policyOrThrow,
  removeTags,
  roleOrThrow,
  type Tag,
  tagList,
  tagOnCreate,
  tagsOf,
  validationError,
} from './common.ts';

export function describeRole(role: Role, withTags = true) {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.createDate,
    AssumeRolePolicyDocument: encodePolicy(role.trust.text),
    ...(role.description === undefined ? {} : { Description: role.description }),
    MaxSessionDuration: role.maxSessionDuration,
    ...(role.boundary === undefined
      ? {}
      : { PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: role.boundary } }),
    ...(withTags && role.tags.size > 0 ? { Tags: tagList(role.tags) } : {}),
    ...(withTags
      ? {
          RoleLastUsed:
            role.lastUsed === undefined ? {} : { LastUsedDate: role.lastUsed.at, Region: role.lastUsed.region },
        }
      : {}),
  };
}

/** Default quota of IAM for trust policies, white space not counted. */
const trustLimit = 2048;

export function parseTrust(store: IamStore, text: string): { trust: StoredPolicy; trustedIds: Map<string, string> } {
  const trust = { text, document: parsePolicy(text, 'trust') };
  if (policySize(text) > trustLimit) throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${trustLimit}`);
  const unknown = unknownPrincipal(store, trust.document);
  if (unknown !== undefined) {
    throw new AwsError('MalformedPolicyDocument', `Invalid principal in policy: "AWS":"${unknown}"`, 400);
  }
  return { trust, trustedIds: namedRoleIds(store, trust.document) };
}

export function checkDuration(seconds: number): number {
  if (seconds < 3600 || seconds > 43_200) {
    const [word, bound] = seconds < 3600 ? ['greater', 3600] : ['less', 43_200];
    throw validationError(
      `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value ${word} than or equal to ${bound}`,
    );
  }
  return seconds;
}

export function checkName(member: string, name: string, maximum: number): void {
  if (!/^[\w+=,.@-]+$/.test(name) || name.length > maximum) {
    throw validationError(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- and be at most ${maximum} characters long.`,
    );
  }
}

export function checkPath(path: string): string {
  if (!/^(\/|\/[!-~]+\/)$/.test(path) || path.length > 512) {
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
  return path;
}

interface CreateRoleInput {
  Path?: string;
  RoleName: string;
  AssumeRolePolicyDocument: string;
  Description?: string;
  MaxSessionDuration?: number;
  PermissionsBoundary?: string;
  Tags?: Tag[];
}

function createRole(state: IamState): Operation<CreateRoleInput> {
  return {
    mutating: true,
    authorize: (input, call) => [
      {
        action: 'iam:CreateRole',
        resources: [`arn:${call.partition}:iam::${call.account}:role${input.Path ?? '/'}${input.RoleName}`],
        ...(input.Tags === undefined ? {} : { requestTags: tagsOf(input.Tags) }),
        context:
          input.PermissionsBoundary === undefined ? {} : { 'iam:PermissionsBoundary': input.PermissionsBoundary },
      },
      ...tagOnCreate(
        'iam:TagRole',
        `arn:${call.partition}:iam::${call.account}:role${input.Path ?? '/'}${input.RoleName}`,
        input.Tags,
      ),
    ],
    handle(input, call) {
      const account = accountOf(state, call);
      const name = input.RoleName;
      const path = checkPath(input.Path ?? '/');
      checkName('roleName', name, 64);
      if (path.startsWith('/aws-service-role/')) {
        throw validationError('The path /aws-service-role/ is reserved for service-linked roles.');
      }
      if (account.roles.has(name.toLowerCase())) {
        throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
      }
      const { trust, trustedIds } = parseTrust(state.store, input.AssumeRolePolicyDocument);
      if (input.PermissionsBoundary !== undefined) policyOrThrow(state, call, input.PermissionsBoundary);
      const tags = new Map<string, string>();
      addTags(tags, input.Tags ?? []);
      if (account.roles.size >= 1000) throw limitExceeded('Cannot exceed quota for RolesPerAccount: 1000');
      const role: Role = {
        account: account.id,
        name,
        path,
        id: uniqueId('AROA'),
        arn: `arn:${call.partition}:iam::${account.id}:role${path}${name}`,
        createDate: state.now(),
        ...(input.Description === undefined ? {} : { description: input.Description }),
        maxSessionDuration: checkDuration(input.MaxSessionDuration ?? 3600),
        trust,
        trustedIds,
        inline: new Map(),
        attached: new Set(),
        ...(input.PermissionsBoundary === undefined ? {} : { boundary: input.PermissionsBoundary }),
        tags,
      };
      account.roles.set(name.toLowerCase(), role);
      return { Role: describeRole(role) };
    },
  };
}

interface NamedRole {
  RoleName: string;
}

/** A service-linked role is changed and deleted by its service alone. */
export function refuseLinked(role: Role, operation: string): void {
  if (role.linkedService === undefined) return;
  throw new AwsError(
    'UnmodifiableEntity',
    `Cannot perform the operation on the protected role '${role.name}' - this role is only modifiable by AWS (${operation})`,
    400,
  );
}

export function roleOperations(state: IamState): Record<string, Operation> {
  const find = roleOrThrow.bind(undefined, state);
  return {
    CreateRole: createRole(state),
    GetRole: {
      mutating: false,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'GetRole', RoleName),
      handle: ({ RoleName }: NamedRole, call) => ({ Role: describeRole(find(call, RoleName)) }),
    },
    UpdateRole: {
      mutating: true,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'UpdateRole', RoleName),
      handle(input: NamedRole & { Description?: string; MaxSessionDuration?: number }, call) {
        const role = find(call, input.RoleName);
        refuseLinked(role, 'UpdateRole');
        // Members that are left out are reset, as IAM's UpdateRole does for the duration; the description stays.
        role.maxSessionDuration = checkDuration(input.MaxSessionDuration ?? 3600);
        if (input.Description !== undefined) role.description = input.Description;
        return {};
      },
    },
    UpdateRoleDescription: {
      mutating: true,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'UpdateRoleDescription', RoleName),
      handle(input: NamedRole & { Description: string }, call) {
        const role = find(call, input.RoleName);
        role.description = input.Description;
        return { Role: describeRole(role) };
      },
    },
    DeleteRole: {
      mutating: true,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'DeleteRole', RoleName),
      handle({ RoleName }: NamedRole, call) {
        const role = find(call, RoleName);
        refuseLinked(role, 'DeleteRole');
        const conflict = (what: string) =>
          new AwsError('DeleteConflict', `Cannot delete entity, must ${what} first.`, 409);
        if (role.attached.size > 0) throw conflict('detach all policies');
        if (role.inline.size > 0) throw conflict('delete policies');
        accountOf(state, call).roles.delete(RoleName.toLowerCase());
        return {};
      },
    },
    ListRoles: {
      mutating: false,
      authorize: () => [{ action: 'iam:ListRoles', resources: ['*'] }],
      handle(input: { PathPrefix?: string; Marker?: string; MaxItems?: number }, call) {
        const roles = [...accountOf(state, call).roles.values()]
          .filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
          .sort((left, right) => (left.name < right.name ? -1 : 1));
        const { items, ...rest } = page(roles, input);
        // Lists leave out tags and last use.
        return { Roles: items.map((role) => describeRole(role, false)), ...rest };
      },
    },
    UpdateAssumeRolePolicy: {
      mutating: true,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'UpdateAssumeRolePolicy', RoleName),
      handle(input: NamedRole & { PolicyDocument: string }, call) {
        const role = find(call, input.RoleName);
        refuseLinked(role, 'UpdateAssumeRolePolicy');
        Object.assign(role, parseTrust(state.store, input.PolicyDocument));
        return {};
      },
    },
    PutRolePermissionsBoundary: {
      mutating: true,
      authorize: (input: NamedRole & { PermissionsBoundary: string }, call) =>
        onRole(state, call, 'PutRolePermissionsBoundary', input.RoleName, {
          context: { 'iam:PermissionsBoundary': input.PermissionsBoundary },
        }),
      handle(input: NamedRole & { PermissionsBoundary: string }, call) {
        const role = find(call, input.RoleName);
        refuseLinked(role, 'PutRolePermissionsBoundary');
        policyOrThrow(state, call, input.PermissionsBoundary);
        role.boundary = input.PermissionsBoundary;
        return {};
      },
    },
    DeleteRolePermissionsBoundary: {
      mutating: true,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'DeleteRolePermissionsBoundary', RoleName),
      handle({ RoleName }: NamedRole, call) {
        const role = find(call, RoleName);
        refuseLinked(role, 'DeleteRolePermissionsBoundary');
        delete role.boundary;
        return {};
      },
    },
    TagRole: {
      mutating: true,
      authorize: (input: NamedRole & { Tags: Tag[] }, call) =>
        onRole(state, call, 'TagRole', input.RoleName, { requestTags: tagsOf(input.Tags) }),
      handle(input: NamedRole & { Tags: Tag[] }, call) {
        addTags(find(call, input.RoleName).tags, input.Tags);
        return {};
      },
    },
    UntagRole: {
      mutating: true,
      authorize: (input: NamedRole & { TagKeys: string[] }, call) =>
        onRole(state, call, 'UntagRole', input.RoleName, { context: { 'aws:TagKeys': input.TagKeys } }),
      handle(input: NamedRole & { TagKeys: string[] }, call) {
        removeTags(find(call, input.RoleName).tags, input.TagKeys);
        return {};
      },
    },
    ListRoleTags: {
      mutating: false,
      authorize: ({ RoleName }: NamedRole, call) => onRole(state, call, 'ListRoleTags', RoleName),
      handle(input: NamedRole & { Marker?: string; MaxItems?: number }, call) {
        const { items, ...rest } = page(tagList(find(call, input.RoleName).tags), input);
        return { Tags: items, ...rest };
      },
    },
  };
}
