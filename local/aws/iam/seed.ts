import { partitionOf } from '../core/arn.ts';
import { managementAccount, type World } from '../core/world.ts';
import { parseTrust } from './operations/roles.ts';
import { type IamStore, uniqueId } from './store.ts';

/** The role that AWS Organizations puts into every account it makes. */
export const accountAccessRole = 'OrganizationAccountAccessRole';

/**
 * Makes OrganizationAccountAccessRole in every account: AdministratorAccess, trusted by the root of the account that
 * made it, here the admin account (or the first one, in a world without).
 *
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
 */
export function seedAccounts(store: IamStore, world: World, now: Date): void {
  const partition = partitionOf(world.region);
  const manager = managementAccount(world)?.id;
  for (const { id } of world.accounts) {
    const account = store.account(id)!;
    if (account.roles.has(accountAccessRole.toLowerCase())) continue;
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:${partition}:iam::${manager}:root` }, Action: 'sts:AssumeRole' },
      ],
    });
    account.roles.set(accountAccessRole.toLowerCase(), {
      account: id,
      name: accountAccessRole,
      path: '/',
      id: uniqueId('AROA'),
      arn: `arn:${partition}:iam::${id}:role/${accountAccessRole}`,
      createDate: now,
      maxSessionDuration: 43_200,
      ...parseTrust(store, trust),
      inline: new Map(),
      attached: new Set([`arn:${partition}:iam::aws:policy/AdministratorAccess`]),
      tags: new Map(),
    });
  }
}
