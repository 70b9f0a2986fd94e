import type { PolicyDocument } from '../core/policy.ts';
import { list, statementsOf } from './evaluator/document.ts';
import type { IamStore } from './store.ts';

/** AWS principals of a policy, "*" aside. */
function awsPrincipals(document: PolicyDocument): string[] {
  return statementsOf(document).flatMap(({ Principal: principal, NotPrincipal: notPrincipal }) => {
    const named = principal ?? notPrincipal;
    return named === undefined || named === '*' ? [] : list(named.AWS).filter((name) => name !== '*');
  });
}

function exists(store: IamStore, name: string): boolean {
  // A unique id is what is left of a role that is gone: it may stay.
  if (/^A(RO|ID)A/.test(name)) return true;
  const account = /^\d{12}$/.test(name) ? name : (name.split(':')[4] ?? '');
  if (store.account(account) === undefined) return false;
  if (/:iam::\d{12}:role\//.test(name)) return store.roleByArn(name) !== undefined;
  if (/:sts::\d{12}:assumed-role\//.test(name))
    return store.roleByName(account, name.split('/')[1] ?? '') !== undefined;
  // The world has no users.
  return !/:iam::\d{12}:user\//.test(name);
}

/**
 * The first principal of a policy that does not exist: AWS refuses to save the policy then.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function unknownPrincipal(store: IamStore, document: PolicyDocument): string | undefined {
  return awsPrincipals(document).find((name) => !exists(store, name));
}

/** Role ARNs that the policy names, with the ids of these roles. */
export function namedRoleIds(store: IamStore, document: PolicyDocument): Map<string, string> {
  const ids = new Map<string, string>();
  for (const name of awsPrincipals(document)) {
    const role = store.roleByArn(name);
    if (role !== undefined) ids.set(name, role.id);
  }
  return ids;
}
