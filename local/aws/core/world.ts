import type { ClockMode } from './clock.ts';

export interface WorldAccount {
  /** Twelve digits, never 123456789012 (moto's default). */
  id: string;
  name: string;
  /** The account that holds registry, pipelines and the stack-set administration. */
  admin?: boolean;
}

/** A unit of the organization of the world's accounts. */
export interface OrganizationalUnit {
  name: string;
  /** Numbers of the accounts directly in it. */
  accounts?: string[];
  units?: OrganizationalUnit[];
}

export interface World {
  /** The region that is meant where none is said. */
  region: string;
  /** The regions in which the accounts answer, `region` among them; absent: every region of AWS. */
  regions?: string[];
  accounts: WorldAccount[];
  /** What stands below the root of the organization; an account that no unit names is in the root itself. */
  organizationalUnits?: OrganizationalUnit[];
  clock: ClockMode;
}

export const defaultWorld: World = {
  region: 'eu-west-1',
  accounts: [
    { id: '111122223333', name: 'development', admin: true },
    { id: '444455556666', name: 'staging' },
    { id: '777788889999', name: 'production-1' },
    { id: '888899990000', name: 'production-2' },
  ],
  clock: { mode: 'at-once' },
};

/** The account that made the others, whose root their OrganizationAccountAccessRole trusts: the admin account, else the first. */
export function managementAccount({ accounts }: Pick<World, 'accounts'>): WorldAccount | undefined {
  return accounts.find(({ admin }) => admin === true) ?? accounts[0];
}
