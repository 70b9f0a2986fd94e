import type { OneOrMany, PolicyStatement } from '../../core/policy.ts';

/** Who asks, as far as Principal elements can name it. */
export interface Subject {
  kind: 'role-session' | 'service' | 'web-identity' | 'account' | 'anonymous';
  account?: string;
  roleArn?: string;
  /** AROA... of the role: what a Principal becomes when its role is deleted. */
  roleId?: string;
  sessionArn?: string;
  /** e.g. sagemaker.amazonaws.com */
  service?: string;
  /** ARN of the OIDC provider. */
  federated?: string;
}

/**
 * How a Principal element names the subject. `account` delegates to the account, whose identity policies must then
 * allow as well; `role` grants within boundary and session policy; `session` and `everyone` grant directly.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export type Grant = 'account' | 'role' | 'session' | 'everyone' | 'service' | 'federated';

const strength: Grant[] = ['account', 'role', 'session', 'everyone', 'service', 'federated'];

const list = <T>(value: OneOrMany<T> | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Role ARNs carry paths; a role session's own ARN does not. */
function awsGrant(text: string, subject: Subject): Grant | undefined {
  if (text === '*') return 'everyone';
  if (subject.account !== undefined) {
    if (text === subject.account) return 'account';
    if (/^arn:[^:]+:iam::\d{12}:root$/.test(text) && text.split(':')[4] === subject.account) return 'account';
  }
  if (subject.kind !== 'role-session') return undefined;
  if (text === subject.sessionArn) return 'session';
  if (text === subject.roleArn || (subject.roleId !== undefined && text === subject.roleId)) return 'role';
  return undefined;
}

/** Every way in which the element names the subject. */
export function grantsOf(element: NonNullable<PolicyStatement['Principal']>, subject: Subject): Set<Grant> {
  const grants = new Set<Grant>();
  if (element === '*') return grants.add('everyone');
  for (const [type, values] of Object.entries(element)) {
    for (const value of list(values)) {
      if (type === 'AWS') {
        const grant = awsGrant(value, subject);
        if (grant !== undefined) grants.add(grant);
      } else if (type === 'Service' && value === subject.service) grants.add('service');
      else if (type === 'Federated' && value === subject.federated) grants.add('federated');
    }
  }
  return grants;
}

/** The strongest way in which a statement's Principal names the subject; undefined when it does not. */
export function principalGrant(element: PolicyStatement['Principal'], subject: Subject): Grant | undefined {
  if (element === undefined) return undefined;
  const grants = grantsOf(element, subject);
  return strength.findLast((grant) => grants.has(grant));
}

/**
 * Whether a Deny with NotPrincipal spares the subject. AWS checks account, role and session one after the other, so
 * account and role must both be listed; a role with a permissions boundary is never spared.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function isSpared(
  element: NonNullable<PolicyStatement['NotPrincipal']>,
  subject: Subject,
  hasBoundary: boolean,
): boolean {
  if (hasBoundary) return false;
  const grants = grantsOf(element, subject);
  if (grants.has('everyone') || grants.has('service') || grants.has('federated')) return true;
  if (subject.kind === 'account') return grants.has('account');
  return grants.has('account') && (grants.has('role') || grants.has('session'));
}
