/**
 * Holds the policies of deployed roles against a call log: what is granted but never used, what is granted twice, and
 * which calls no statement of these roles grants.
 */
import { GetRolePolicyCommand, type IAMClient, paginateListRolePolicies, paginateListRoles } from '@aws-sdk/client-iam';
import type { OneOrMany, PolicyDocument, PolicyStatement } from '../../local/aws/core/policy.ts';
import { matchAction, matchArn } from '../../local/aws/iam/evaluator/patterns.ts';

/** The members of a call log entry (`GET /_local/calls`) that matter here. */
export interface LoggedCall {
  seq: number;
  account: string;
  principal: string;
  operation: string;
  permissions: {
    action: string;
    resources: string[];
    decision: 'allow' | 'implicit-deny' | 'explicit-deny';
    grantedBy: string[];
  }[];
}

export interface DeployedRole {
  account: string;
  name: string;
  policies: { name: string; document: PolicyDocument }[];
}

/** One action of one Allow statement. */
export interface GrantedAction {
  account: string;
  role: string;
  /** The Sid, or POLICY[INDEX] where there is none: what the log's grantedBy says after the role's name. */
  statement: string;
  action: string;
  resources: string[];
}

const list = <T>(value: OneOrMany<T> | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Roles of the client's account with their inline policies, as they are deployed. */
export async function deployedRoles(
  client: IAMClient,
  account: string,
  wanted: (name: string) => boolean,
): Promise<DeployedRole[]> {
  const roles: DeployedRole[] = [];
  for await (const { Roles } of paginateListRoles({ client }, {})) {
    for (const { RoleName } of Roles ?? []) {
      if (!wanted(RoleName!)) continue;
      const policies: DeployedRole['policies'] = [];
      for await (const { PolicyNames } of paginateListRolePolicies({ client }, { RoleName })) {
        for (const PolicyName of PolicyNames ?? []) {
          const { PolicyDocument: text } = await client.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
          policies.push({ name: PolicyName, document: JSON.parse(decodeURIComponent(text!)) });
        }
      }
      roles.push({ account, name: RoleName!, policies });
    }
  }
  return roles;
}

const statementName = (statement: PolicyStatement, policy: string, index: number) =>
  statement.Sid || `${policy}[${index}]`;

/** Every action that the roles' Allow statements grant. */
export function grantedActions(roles: readonly DeployedRole[]): GrantedAction[] {
  return roles.flatMap(({ account, name: role, policies }) =>
    policies.flatMap(({ name, document }) =>
      list(document.Statement).flatMap((statement, index) =>
        statement.Effect !== 'Allow'
          ? []
          : list(statement.Action).map((action) => ({
              account,
              role,
              statement: statementName(statement, name, index),
              action,
              resources: list(statement.Resource),
            })),
      ),
    ),
  );
}

/** Account and role name of a session's ARN; undefined for other principals. */
export function roleOfSession(principal: string): { account: string; role: string } | undefined {
  const match = /^arn:[^:]+:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(principal);
  return match === null ? undefined : { account: match[1]!, role: match[2]! };
}

export interface LeastPrivilegeReport {
  /** Granted, but by no call of the log used. */
  unused: GrantedAction[];
  /** Used, but every call that used it would have been granted without it: by another statement or action as well. */
  redundant: GrantedAction[];
  /** Resources of a statement that no call of the log touched. */
  untouched: { account: string; role: string; statement: string; resource: string }[];
  /** Permissions that sessions of these roles asked for and did not get, or got from elsewhere than these roles. */
  ungranted: {
    seq: number;
    principal: string;
    action: string;
    resources: string[];
    decision: string;
    grantedBy: string[];
  }[];
}

/** The report of one log about one set of roles. */
export function leastPrivilege(calls: readonly LoggedCall[], roles: readonly DeployedRole[]): LeastPrivilegeReport {
  const granted = grantedActions(roles);
  const idOf = ({ account, role, statement }: Pick<GrantedAction, 'account' | 'role' | 'statement'>) =>
    `${account}/${role}#${statement}`;
  const byStatement = Map.groupBy(granted, idOf);
  const used = new Set<GrantedAction>();
  const needed = new Set<GrantedAction>();
  const touched = new Set<string>();
  const ungranted: LeastPrivilegeReport['ungranted'] = [];

  for (const { seq, principal, permissions } of calls) {
    const session = roleOfSession(principal);
    const known = session && roles.some(({ account, name }) => account === session.account && name === session.role);
    if (session === undefined || !known) continue;
    for (const { action, resources, decision, grantedBy } of permissions) {
      // The statements of the role that granted it, and in them the actions that cover it.
      const own = grantedBy.filter((label) => label.startsWith(`${session.role}#`));
      const covering = own.flatMap((label) => {
        const statement = label.slice(session.role.length + 1);
        const actions = byStatement.get(idOf({ ...session, statement })) ?? [];
        return actions.filter((entry) => matchAction(entry.action, action));
      });
      if (decision !== 'allow' || covering.length === 0) {
        ungranted.push({ seq, principal, action, resources, decision, grantedBy });
        continue;
      }
      for (const entry of covering) {
        used.add(entry);
        for (const pattern of entry.resources) {
          // Variables were filled in when the call was judged; here they count as wildcards.
          const plain = pattern.replace(/\$\{[^}]*\}/g, '*');
          if (resources.some((resource) => matchArn(plain, resource, undefined)))
            touched.add(`${idOf(entry)} ${pattern}`);
        }
      }
      // A call on several resources may need one statement for each of them, so each counts as needed.
      if (covering.length === 1 || resources.length > 1) for (const entry of covering) needed.add(entry);
    }
  }

  const statements = [...byStatement].map(([id, entries]) => ({ id, ...entries[0]! }));
  return {
    unused: granted.filter((entry) => !used.has(entry)),
    redundant: granted.filter((entry) => used.has(entry) && !needed.has(entry)),
    untouched: statements.flatMap(({ id, account, role, statement, resources }) =>
      resources
        .filter((resource) => resource !== '*' && !touched.has(`${id} ${resource}`))
        .map((resource) => ({ account, role, statement, resource })),
    ),
    ungranted,
  };
}

/** A policy without one of its actions; a statement that is left without any goes too. For tests that delete each right. */
export function withoutAction(
  document: PolicyDocument,
  statement: string,
  action: string,
  policy: string,
): PolicyDocument {
  const left = list(document.Statement).flatMap((entry, index) => {
    if (statementName(entry, policy, index) !== statement) return [entry];
    const actions = list(entry.Action).filter((name) => name !== action);
    return actions.length === 0 ? [] : [{ ...entry, Action: actions }];
  });
  return { ...document, Statement: left };
}

/** One line per finding, for the message of a failing test. */
export const describeGrant = ({ account, role, statement, action }: GrantedAction): string =>
  `${account} ${role}#${statement} ${action}`;
