import { parseArn } from '../core/arn.ts';
import type { PolicyDocument } from '../core/policy.ts';
import { awsManagedPolicy } from './aws-managed-policies.ts';
import type { IdentityPolicies, NamedPolicy } from './evaluator/decide.ts';
import type { IamStore, ManagedPolicy, Role } from './store.ts';

/** A managed policy by ARN: the account's own, or one of AWS's that this platform knows. */
export function managedPolicy(store: IamStore, arn: string): ManagedPolicy | undefined {
  const parts = parseArn(arn);
  if (parts?.service !== 'iam' || !parts.resource.startsWith('policy/')) return undefined;
  if (parts.account === 'aws') return awsManagedPolicy(parts.partition, parts.resource.slice('policy/'.length));
  return store.account(parts.account)?.policies.get(arn);
}

export function defaultDocument(policy: ManagedPolicy): PolicyDocument {
  return policy.versions.get(policy.defaultVersion)!.document;
}

function named(store: IamStore, arn: string): NamedPolicy[] {
  const policy = managedPolicy(store, arn);
  return policy === undefined ? [] : [{ name: policy.name, document: defaultDocument(policy) }];
}

/** Everything attached to a role; nothing for a role that is gone. */
export function policiesOfRole(store: IamStore, role: Role | undefined): IdentityPolicies {
  if (role === undefined) return { owner: '', policies: [] };
  const inline = [...role.inline].map(([name, { document }]) => ({ name, document }));
  const boundary = role.boundary === undefined ? undefined : named(store, role.boundary)[0];
  return {
    owner: role.name,
    policies: [...inline, ...[...role.attached].flatMap((arn) => named(store, arn))],
    ...(boundary === undefined ? {} : { boundary }),
  };
}
