import type { EnvironmentSettings } from '../local/github/types.ts';

/** The reviewer of the local protected environments: who sits at the terminal. */
export const reviewer = 'local-reviewer';

/** As setup/github.sh makes them: production and cleanup protected, every environment for main only. */
export const defaultEnvironments: readonly EnvironmentSettings[] = [
  ...['build', 'model-approval', 'model-record', 'staging', 'cleanup-plan'].map((name) => ({
    name,
    branches: ['main'],
  })),
  ...['production', 'cleanup'].map((name) => ({ name, branches: ['main'], reviewers: [reviewer] })),
];
