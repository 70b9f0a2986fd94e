import { createHash } from 'node:crypto';
import { partitionOf } from '../../core/arn.ts';
import { managementAccount, type OrganizationalUnit, type World, type WorldAccount } from '../../core/world.ts';

export interface Unit {
  /** ou-ROOT-... */
  id: string;
  name: string;
  /** The root or the unit above. */
  parent: string;
  /** o-.../r-.../ou-.../ */
  path: string;
}

export interface Member extends WorldAccount {
  /** The root or a unit. */
  parent: string;
  joined: Date;
}

/**
 * The organization that a world's accounts form: one root, the units of the world file, every account in one place. The
 * admin account manages it.
 *
 * Ids have the form of AWS's and come from what they stand for (management account, names on the way to a unit), so that
 * a policy that names one is still right after a restart.
 */
export class OrganizationTree {
  readonly id: string;
  readonly rootId: string;
  readonly managementId: string;
  readonly #arnPrefix: string;
  readonly #units = new Map<string, Unit>();
  readonly #unitOf = new Map<string, string>();
  readonly #members = new Map<string, Member>();

  constructor(world: World, now: Date) {
    this.managementId = managementAccount(world)?.id ?? '';
    this.#arnPrefix = `arn:${partitionOf(world.region)}:organizations::${this.managementId}`;
    this.id = `o-${characters(`organization ${this.managementId}`, 10)}`;
    this.rootId = `r-${characters(`root ${this.managementId}`, 4)}`;
    this.#add(world.organizationalUnits ?? [], { id: this.rootId, path: this.rootPath }, []);
    for (const account of world.accounts) this.join(account, now);
  }

  #add(units: readonly OrganizationalUnit[], above: { id: string; path: string }, names: readonly string[]): void {
    for (const { name, accounts = [], units: below = [] } of units) {
      const way = [...names, name];
      const id = `ou-${this.rootId.slice(2)}-${characters(`unit ${this.managementId} ${JSON.stringify(way)}`, 8)}`;
      const unit = { id, name, parent: above.id, path: `${above.path}${id}/` };
      this.#units.set(id, unit);
      for (const account of accounts) this.#unitOf.set(account, id);
      this.#add(below, unit, way);
    }
  }

  /** An account of the world, or one that joins it later. */
  join(account: WorldAccount, joined: Date): void {
    if (this.#members.has(account.id)) return;
    this.#members.set(account.id, { ...account, parent: this.#unitOf.get(account.id) ?? this.rootId, joined });
  }

  get rootPath(): string {
    return `${this.id}/${this.rootId}/`;
  }

  get members(): Member[] {
    return [...this.#members.values()];
  }

  member(account: string): Member | undefined {
    return this.#members.get(account);
  }

  unit(id: string): Unit | undefined {
    return this.#units.get(id);
  }

  /** Whether it is the root or a unit. */
  isParent(id: string): boolean {
    return id === this.rootId || this.#units.has(id);
  }

  unitsIn(parent: string): Unit[] {
    return [...this.#units.values()].filter((unit) => unit.parent === parent);
  }

  membersIn(parent: string): Member[] {
    return this.members.filter((member) => member.parent === parent);
  }

  /** Where an account stands, as aws:PrincipalOrgPaths has it (o-.../r-.../ou-.../); undefined for one outside. */
  path(account: string): string | undefined {
    const parent = this.#members.get(account)?.parent;
    return parent === undefined ? undefined : (this.#units.get(parent)?.path ?? this.rootPath);
  }

  /** The ARN of the organization, its root, a unit or an account, existing or not. */
  arn(id: string): string {
    if (id === this.id) return `${this.#arnPrefix}:organization/${id}`;
    const kind = id.startsWith('r-') ? 'root' : id.startsWith('ou-') ? 'ou' : 'account';
    return `${this.#arnPrefix}:${kind}/${this.id}/${id}`;
  }
}

/** So many lower-case letters and digits that stand for a text. */
function characters(text: string, count: number): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return BigInt(`0x${digest}`).toString(36).padStart(50, '0').slice(-count);
}
