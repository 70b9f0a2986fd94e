import type { PolicyDocument } from '../core/policy.ts';
import type { ManagedPolicy } from './store.ts';

/**
 * The AWS-managed policies that this platform knows. AdministratorAccess is word for word AWS's; a policy that is not
 * listed is answered as AWS answers a name it does not have (NoSuchEntity), never by an invented text.
 */
const documents: Record<string, { id: string; description: string; document: PolicyDocument }> = {
  AdministratorAccess: {
    id: 'ANPAIWMBCKSKIEE64ZLYK',
    description: 'Provides full access to AWS services and resources.',
    document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  },
};

const created = new Date('2015-02-06T18:39:46Z');

/** By name, in the given partition; undefined for a policy that is not kept here. */
export function awsManagedPolicy(partition: string, name: string): ManagedPolicy | undefined {
  const known = Object.hasOwn(documents, name) ? documents[name] : undefined;
  if (known === undefined) return undefined;
  const { id, description, document } = known;
  return {
    name,
    path: '/',
    id,
    arn: `arn:${partition}:iam::aws:policy/${name}`,
    description,
    createDate: created,
    updateDate: created,
    versions: new Map([['v1', { text: JSON.stringify(document), document, createDate: created }]]),
    defaultVersion: 'v1',
    nextVersion: 2,
    tags: new Map(),
  };
}

export const awsManagedPolicyNames = (): string[] => Object.keys(documents);
