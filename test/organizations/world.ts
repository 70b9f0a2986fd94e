import { defaultWorld, type World } from '../../local/aws/core/world.ts';

/** The four accounts in units: one in the root, one in a unit, two in a unit below it; and an empty unit. */
export const unitsWorld: World = {
  ...defaultWorld,
  organizationalUnits: [
    {
      name: 'workloads',
      accounts: ['444455556666'],
      units: [
        { name: 'production', accounts: ['777788889999', '888899990000'] },
        { name: 'sandbox', accounts: [] },
      ],
    },
    { name: 'suspended' },
  ],
};
