import { AwsError } from '../../core/errors.ts';
import { constraint, invalidInput, noSuchAccount } from './errors.ts';
import type { OrganizationTree } from './tree.ts';

/** Which services may work in the organization, and which accounts administer them in place of the management account. */
export class Delegation {
  readonly #tree: OrganizationTree;
  readonly #services = new Map<string, Date>();
  readonly #administrators = new Map<string, Map<string, Date>>();

  constructor(tree: OrganizationTree) {
    this.#tree = tree;
  }

  enable(service: string, at: Date): void {
    if (!/^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(service)) throw unrecognized();
    if (!this.#services.has(service)) this.#services.set(service, at);
  }

  enabled(): [string, Date][] {
    return [...this.#services];
  }

  /** Throws what AWS answers to the management account, an account outside, a service without access, and a second time. */
  register(account: string, service: string, at: Date): void {
    if (this.#tree.member(account) === undefined) throw noSuchAccount();
    if (account === this.#tree.managementId) {
      throw constraint(
        'CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR',
        'You cannot register master account/yourself as delegated administrator for your organization.',
      );
    }
    if (!this.#services.has(service)) {
      throw constraint(
        'SERVICE_ACCESS_NOT_ENABLED',
        `You must enable service access for ${service} before you register a delegated administrator for it.`,
      );
    }
    const services = this.#administrators.get(account) ?? new Map<string, Date>();
    if (services.has(service)) {
      throw new AwsError(
        'AccountAlreadyRegisteredException',
        'The provided account is already a delegated administrator for your organization.',
      );
    }
    this.#administrators.set(account, services.set(service, at));
  }

  deregister(account: string, service: string): void {
    const services = this.servicesOf(account);
    if (!services.delete(service)) throw notRegistered();
    if (services.size === 0) this.#administrators.delete(account);
  }

  isAdministrator(account: string): boolean {
    return this.#administrators.has(account);
  }

  /** Throws for an account outside the organization, and for one that administers nothing. */
  servicesOf(account: string): Map<string, Date> {
    if (this.#tree.member(account) === undefined) throw noSuchAccount();
    const services = this.#administrators.get(account);
    if (services === undefined) throw notRegistered();
    return services;
  }

  /** Accounts with the date from which they administer the service, or anything at all. */
  administrators(service: string | undefined): [string, Date][] {
    return [...this.#administrators].flatMap(([account, services]): [string, Date][] => {
      const since = service === undefined ? [...services.values()][0] : services.get(service);
      return since === undefined ? [] : [[account, since]];
    });
  }
}

const unrecognized = () =>
  invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', 'You specified an unrecognized service principal.');

const notRegistered = () =>
  new AwsError(
    'AccountNotRegisteredException',
    'The provided account is not a registered delegated administrator for your organization.',
  );
