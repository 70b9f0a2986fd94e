import type { ClockMode } from './clock.ts';

export interface WorldAccount {
  /** Twelve digits, never 123456789012 (moto's default). */
  id: string;
  name: string;
  /** The account that holds registry, pipelines and the stack-set administration. */
  admin?: boolean;
}

export interface World {
  region: string;
  accounts: WorldAccount[];
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
