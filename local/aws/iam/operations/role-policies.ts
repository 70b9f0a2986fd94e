import type { Operation } from '../../core/service.ts';
import { parsePolicy, policySize } from '../evaluator/document.ts';
import { encodePolicy, type IamState, limitExceeded, noSuchEntity, onRole, page, roleOrThrow } from './common.ts';
import { checkName, refuseLinked } from './roles.ts';

interface RolePolicy {
  RoleName: string;
  PolicyName: string;
}

/** All inline policies of a role together, white space not counted. */
const inlineLimit = 10_240;

/** Inline policies of roles. */
export function rolePolicyOperations(state: IamState): Record<string, Operation> {
  const missing = (name: string) => noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return {
    PutRolePolicy: {
      mutating: true,
      authorize: ({ RoleName }: RolePolicy, call) => onRole(state, call, 'PutRolePolicy', RoleName),
      handle(input: RolePolicy & { PolicyDocument: string }, call) {
        const role = roleOrThrow(state, call, input.RoleName);
        refuseLinked(role, 'PutRolePolicy');
        checkName('policyName', input.PolicyName, 128);
        const stored = { text: input.PolicyDocument, document: parsePolicy(input.PolicyDocument, 'identity') };
        const others = [...role.inline].filter(([name]) => name !== input.PolicyName);
        const size = others.reduce((sum, [, { text }]) => sum + policySize(text), policySize(stored.text));
        if (size > inlineLimit) {
          throw limitExceeded(`Maximum policy size of ${inlineLimit} bytes exceeded for role ${role.name}`);
        }
        role.inline.set(input.PolicyName, stored);
        return {};
      },
    },
    GetRolePolicy: {
      mutating: false,
      authorize: ({ RoleName }: RolePolicy, call) => onRole(state, call, 'GetRolePolicy', RoleName),
      handle({ RoleName, PolicyName }: RolePolicy, call) {
        const policy = roleOrThrow(state, call, RoleName).inline.get(PolicyName);
        if (policy === undefined) throw missing(PolicyName);
        return { RoleName, PolicyName, PolicyDocument: encodePolicy(policy.text) };
      },
    },
    DeleteRolePolicy: {
      mutating: true,
      authorize: ({ RoleName }: RolePolicy, call) => onRole(state, call, 'DeleteRolePolicy', RoleName),
      handle({ RoleName, PolicyName }: RolePolicy, call) {
        const role = roleOrThrow(state, call, RoleName);
        refuseLinked(role, 'DeleteRolePolicy');
        if (!role.inline.delete(PolicyName)) throw missing(PolicyName);
        return {};
      },
    },
    ListRolePolicies: {
      mutating: false,
      authorize: ({ RoleName }: RolePolicy, call) => onRole(state, call, 'ListRolePolicies', RoleName),
      handle(input: { RoleName: string; Marker?: string; MaxItems?: number }, call) {
        const { items, ...rest } = page([...roleOrThrow(state, call, input.RoleName).inline.keys()].sort(), input);
        return { PolicyNames: items, ...rest };
      },
    },
  };
}
