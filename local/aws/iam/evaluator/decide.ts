import { parseArn } from '../../core/arn.ts';
import type { AuthorizationDecision } from '../../core/context.ts';
import type { PolicyDocument, PolicyStatement } from '../../core/policy.ts';
import { conditionHolds } from './conditions.ts';
import { hasVariables, list, statementsOf } from './document.ts';
import { matchAction, matchArn } from './patterns.ts';
import { type Grant, isSpared, principalGrant, type Subject } from './principals.ts';
import type { RequestContext } from './request-context.ts';

export interface NamedPolicy {
  name: string;
  document: PolicyDocument;
}

/** The policies on the caller's side. */
export interface IdentityPolicies {
  /** For grantedBy: the role's name. */
  owner: string;
  policies: NamedPolicy[];
  boundary?: NamedPolicy;
  session?: PolicyDocument;
}

/** One action on one resource. */
export interface Question {
  action: string;
  resource: string;
  subject: Subject;
  /** The caller's account; undefined for services and anonymous callers. */
  callerAccount: string | undefined;
  resourceAccount: string | undefined;
  context: RequestContext;
  identity: IdentityPolicies;
  resourcePolicy?: PolicyDocument;
  /** KMS keys and role trust: identity policies alone never suffice. */
  resourcePolicyRequired: boolean;
  /** What the sentence calls the resource's policy. */
  resourcePolicyName: 'resource-based policy' | 'role trust policy';
}

interface Match {
  statement: PolicyStatement;
  label: string;
  grant?: Grant;
}

function applies(
  statement: PolicyStatement,
  document: PolicyDocument,
  question: Question,
  withResource: boolean,
): boolean {
  const { action, resource, context } = question;
  const actionMatches =
    statement.Action !== undefined
      ? list(statement.Action).some((pattern) => matchAction(pattern, action))
      : !list(statement.NotAction).some((pattern) => matchAction(pattern, action));
  if (!actionMatches) return false;
  const variables = hasVariables(document) ? context : undefined;
  if (withResource && (statement.Resource !== undefined || statement.NotResource !== undefined)) {
    const matches = (pattern: string) => matchArn(pattern, resource, variables);
    const resourceMatches =
      statement.Resource !== undefined
        ? list(statement.Resource).some(matches)
        : !list(statement.NotResource).some(matches);
    if (!resourceMatches) return false;
  }
  return conditionHolds(statement.Condition, context, variables !== undefined);
}

const labelOf = (owner: string, policyName: string, statement: PolicyStatement, index: number) =>
  `${owner}#${statement.Sid || `${policyName}[${index}]`}`;

/** Statements of identity policies that apply to the question. */
function identityMatches(policies: NamedPolicy[], owner: string, question: Question): Match[] {
  return policies.flatMap(({ name, document }) =>
    statementsOf(document).flatMap((statement, index) =>
      applies(statement, document, question, true)
        ? [{ statement, label: labelOf(owner, name, statement, index) }]
        : [],
    ),
  );
}

function resourceMatches(question: Question): Match[] {
  const document = question.resourcePolicy;
  if (document === undefined) return [];
  const withResource = question.resourcePolicyName !== 'role trust policy';
  return statementsOf(document).flatMap((statement, index): Match[] => {
    if (!applies(statement, document, question, withResource)) return [];
    const label = labelOf('resource-policy', '', statement, index);
    if (statement.NotPrincipal !== undefined) {
      const spared = isSpared(statement.NotPrincipal, question.subject, question.identity.boundary !== undefined);
      return spared ? [] : [{ statement, label }];
    }
    const grant = principalGrant(statement.Principal, question.subject);
    return grant === undefined ? [] : [{ statement, label, grant }];
  });
}

const allows = (matches: Match[]) => matches.filter(({ statement }) => statement.Effect === 'Allow');
const denies = (matches: Match[]) => matches.some(({ statement }) => statement.Effect === 'Deny');

/**
 * Decides one action on one resource as AWS's enforcement code does: an explicit deny anywhere wins; inside one account
 * either side may grant; across accounts both must; boundary and session policy bound what identity policies grant, and
 * what the resource's policy grants to a role (but not what it grants to a session or to everyone).
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
export function decide(question: Question): Omit<AuthorizationDecision, 'message'> & { reason: string } {
  const { action, identity, resourcePolicyName } = question;
  const ofIdentity = identityMatches(identity.policies, identity.owner, question);
  const ofBoundary = identity.boundary && identityMatches([identity.boundary], 'boundary', question);
  const ofSession =
    identity.session && identityMatches([{ name: 'session', document: identity.session }], 'session', question);
  const ofResource = resourceMatches(question);

  const denied = (where: string) => ({
    decision: 'explicit-deny' as const,
    grantedBy: [],
    reason: `with an explicit deny in ${where}`,
  });
  if (denies(ofIdentity)) return denied('an identity-based policy');
  if (denies(ofResource))
    return denied(resourcePolicyName === 'role trust policy' ? 'the role trust policy' : 'a resource-based policy');
  if (ofBoundary && denies(ofBoundary)) return denied('a permissions boundary');
  if (ofSession && denies(ofSession)) return denied('a session policy');

  const missing = (what: string) => ({
    decision: 'implicit-deny' as const,
    grantedBy: [],
    reason: `because no ${what} allows the ${action} action`,
  });
  const allow = (matches: Match[]) => ({
    decision: 'allow' as const,
    grantedBy: [...new Set(matches.map(({ label }) => label))],
    reason: '',
  });

  const identityAllows = allows(ofIdentity);
  const resourceAllows = allows(ofResource);
  const outsideBoundary = ofBoundary !== undefined && allows(ofBoundary).length === 0;
  const outsideSession = ofSession !== undefined && allows(ofSession).length === 0;

  // Services, web identities and anonymous callers have no policies of their own.
  if (question.subject.kind !== 'role-session' && question.subject.kind !== 'account') {
    return resourceAllows.length > 0 ? allow(resourceAllows) : missing(resourcePolicyName);
  }

  const crossAccount = question.resourceAccount !== undefined && question.resourceAccount !== question.callerAccount;
  if (!crossAccount) {
    const direct = resourceAllows.filter(({ grant }) => grant === 'session' || grant === 'everyone');
    if (direct.length > 0) return allow(direct);
    const toRole = resourceAllows.filter(({ grant }) => grant === 'role');
    if (toRole.length > 0) {
      if (outsideBoundary) return missing('permissions boundary');
      if (outsideSession) return missing('session policy');
      return allow([...toRole, ...identityAllows]);
    }
  }
  if ((crossAccount || question.resourcePolicyRequired) && resourceAllows.length === 0)
    return missing(resourcePolicyName);
  if (identityAllows.length === 0) return missing('identity-based policy');
  if (outsideBoundary) return missing('permissions boundary');
  if (outsideSession) return missing('session policy');
  const both = crossAccount || question.resourcePolicyRequired;
  return allow(both ? [...identityAllows, ...resourceAllows] : identityAllows);
}

/** Owner of an ARN, where the ARN says so (S3 ARNs don't). */
export const accountOfArn = (arn: string): string | undefined => {
  const account = parseArn(arn)?.account;
  return account !== undefined && /^\d{12}$/.test(account) ? account : undefined;
};
