import { AwsError } from '../../../core/errors.ts';
import type { StackSet } from './model.ts';

/** All stack sets, by administrator account and region. */
export class StackSetStore {
  readonly #active = new Map<string, StackSet>();
  readonly #deleted: StackSet[] = [];

  #key(account: string, region: string, name: string): string {
    return `${account}/${region}/${name}`;
  }

  add(set: StackSet): void {
    this.#active.set(this.#key(set.account, set.region, set.name), set);
  }

  retire(set: StackSet): void {
    this.#active.delete(this.#key(set.account, set.region, set.name));
    this.#deleted.push(set);
  }

  /** By name or by NAME:UUID. */
  find(account: string, region: string, nameOrId: string | undefined): StackSet | undefined {
    const [name] = (nameOrId ?? '').split(':');
    const set = this.#active.get(this.#key(account, region, name ?? ''));
    return nameOrId?.includes(':') && set?.id !== nameOrId ? undefined : set;
  }

  get(account: string, region: string, nameOrId: string | undefined): StackSet {
    const set = this.find(account, region, nameOrId);
    if (set === undefined) throw new AwsError('StackSetNotFoundException', `StackSet ${nameOrId} not found`, 404);
    return set;
  }

  all(account: string, region: string): StackSet[] {
    return [...this.#active.values(), ...this.#deleted].filter(
      (set) => set.account === account && set.region === region,
    );
  }
}
