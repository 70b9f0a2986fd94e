import type { AuthorizationDecision, Authorizer } from '../core/context.ts';
import type { PolicyDocument } from '../core/policy.ts';
import type { AuthorizationRequest, Call, Principal } from '../core/service.ts';
import { accountOfArn, decide, type IdentityPolicies } from './evaluator/decide.ts';
import { parsePolicy } from './evaluator/document.ts';
import type { Subject } from './evaluator/principals.ts';
import { policiesOfRole } from './policies-of-role.ts';
import { type Organization, requestContext } from './request-keys.ts';
import type { IamStore, Role } from './store.ts';
import { unknownPrincipal } from './trusted-principals.ts';

/** The role behind a session, unless it was deleted or made anew since the session began. */
export function roleOf(store: IamStore, principal: Principal): Role | undefined {
  if (principal.roleArn === undefined) return undefined;
  const role = store.roleByArn(principal.roleArn);
  return role !== undefined && principal.userId.startsWith(`${role.id}:`) ? role : undefined;
}

export function subjectOf(principal: Principal, role: Role | undefined): Subject {
  if (principal.kind === 'anonymous') return { kind: 'anonymous' };
  if (principal.kind === 'service') return { kind: 'service', service: principal.arn };
  return {
    kind: 'role-session',
    account: principal.account,
    sessionArn: principal.arn,
    // A session outlives its role, but is then no longer a session of the role that policies name.
    ...(role === undefined ? {} : { roleArn: role.arn, roleId: role.id }),
  };
}

/**
 * Role ARNs in a trust policy mean the role that had the name when the policy was saved. This puts the id in place of
 * the ARN of a role that was deleted since, as IAM does, so that a role made again under the name is not trusted.
 */
export function resolvedTrust(store: IamStore, role: Role): PolicyDocument {
  const dead = [...role.trustedIds].filter(([arn, id]) => store.roleByArn(arn)?.id !== id);
  if (dead.length === 0) return role.trust.document;
  const replaced = new Map(dead);
  return JSON.parse(role.trust.text, (_key, value) =>
    typeof value === 'string' ? (replaced.get(value) ?? value) : value,
  );
}

export interface AuthorizerOptions {
  store: IamStore;
  organization?: Organization;
}

const isTrust = (request: AuthorizationRequest) => /^sts:/i.test(request.action) && request.resourcePolicyRequired;

/** The evaluator over the state of IAM. */
export function createAuthorizer({ store, organization }: AuthorizerOptions): Authorizer {
  return {
    decide(principal: Principal, request: AuthorizationRequest, call: Call): AuthorizationDecision {
      const role = roleOf(store, principal);
      const identity: IdentityPolicies = {
        ...policiesOfRole(store, role),
        ...(principal.sessionPolicy === undefined ? {} : { session: principal.sessionPolicy }),
      };
      const grantedBy = new Set<string>();
      const resources = request.resources.length === 0 ? ['*'] : request.resources;
      for (const resource of resources) {
        const callerAccount = principal.kind === 'assumed-role' ? principal.account : undefined;
        const resourceAccount = request.resourceAccount ?? accountOfArn(resource) ?? callerAccount ?? call.account;
        const result = decide({
          action: request.action,
          resource,
          subject: subjectOf(principal, role),
          callerAccount,
          resourceAccount,
          context: requestContext({ principal, request, call, role, resourceAccount, organization }),
          identity,
          ...(request.resourcePolicy === undefined ? {} : { resourcePolicy: request.resourcePolicy }),
          resourcePolicyRequired: request.resourcePolicyRequired ?? false,
          resourcePolicyName: isTrust(request) ? 'role trust policy' : 'resource-based policy',
        });
        if (result.decision !== 'allow') {
          const who = principal.kind === 'anonymous' ? 'anonymous' : principal.arn;
          const on = resource === '*' ? '' : ` on resource: ${resource}`;
          return {
            decision: result.decision,
            grantedBy: [],
            message: `User: ${who} is not authorized to perform: ${request.action}${on} ${result.reason}`,
          };
        }
        for (const label of result.grantedBy) grantedBy.add(label);
      }
      return { decision: 'allow', grantedBy: [...grantedBy], message: '' };
    },
    parse(text: string): PolicyDocument {
      return parsePolicy(text, 'any');
    },
    unknownPrincipal: (document) => unknownPrincipal(store, document),
  };
}
