import { randomInt } from 'node:crypto';
import { parseArn } from '../core/arn.ts';
import type { PolicyDocument } from '../core/policy.ts';
import type { World } from '../core/world.ts';

export interface StoredPolicy {
  text: string;
  document: PolicyDocument;
}

export interface Role {
  account: string;
  name: string;
  path: string;
  /** AROA... */
  id: string;
  arn: string;
  createDate: Date;
  description?: string;
  maxSessionDuration: number;
  trust: StoredPolicy;
  /** Role ids that the trust policy's role ARNs meant when it was saved: a role made again under the name is another one. */
  trustedIds: ReadonlyMap<string, string>;
  inline: Map<string, StoredPolicy>;
  /** ARNs of managed policies, in the order they were attached. */
  attached: Set<string>;
  boundary?: string;
  tags: Map<string, string>;
  /** The service of a service-linked role. */
  linkedService?: string;
  lastUsed?: { at: Date; region: string };
}

export interface ManagedPolicy {
  name: string;
  path: string;
  /** ANPA... */
  id: string;
  arn: string;
  description?: string;
  createDate: Date;
  updateDate: Date;
  versions: Map<string, StoredPolicy & { createDate: Date }>;
  defaultVersion: string;
  nextVersion: number;
  tags: Map<string, string>;
}

export interface OidcProvider {
  arn: string;
  /** Without https://, as IAM keeps it. */
  url: string;
  clientIds: Set<string>;
  thumbprints: string[];
  createDate: Date;
  tags: Map<string, string>;
}

export interface AccountState {
  id: string;
  /** By name in lower case: IAM compares names without case. */
  roles: Map<string, Role>;
  policies: Map<string, ManagedPolicy>;
  providers: Map<string, OidcProvider>;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const randomCharacters = (count: number): string =>
  Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');

/** A unique id with IAM's prefix: AROA for roles, ANPA for managed policies. */
export const uniqueId = (prefix: 'AROA' | 'ANPA'): string => prefix + randomCharacters(17);

/** State of IAM: one set per account of the world. */
export class IamStore {
  readonly #world: Pick<World, 'accounts'>;
  readonly #accounts = new Map<string, AccountState>();

  constructor(world: Pick<World, 'accounts'>) {
    this.#world = world;
  }

  /** undefined for an account that the world does not have. Accounts may join the world later. */
  account(id: string): AccountState | undefined {
    const known = this.#accounts.get(id);
    if (known !== undefined || !this.#world.accounts.some((account) => account.id === id)) return known;
    const made: AccountState = { id, roles: new Map(), policies: new Map(), providers: new Map() };
    this.#accounts.set(id, made);
    return made;
  }

  roleByArn(arn: string): Role | undefined {
    const parts = parseArn(arn);
    if (parts?.service !== 'iam' || !parts.resource.startsWith('role/')) return undefined;
    const name = parts.resource.slice(parts.resource.lastIndexOf('/') + 1);
    const role = this.account(parts.account)?.roles.get(name.toLowerCase());
    return role?.arn === arn ? role : undefined;
  }

  roleByName(account: string, name: string): Role | undefined {
    return this.account(account)?.roles.get(name.toLowerCase());
  }

  provider(account: string, url: string): OidcProvider | undefined {
    return this.account(account)?.providers.get(url.toLowerCase());
  }
}
