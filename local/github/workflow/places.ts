/**
 * Which contexts and functions an expression may use, by the place it stands in: GitHub's own schema (workflow-v1.0), which
 * test/workflows/places.test.ts compares with this table. `secrets` is GitHub's too, but only `secrets.GITHUB_TOKEN` exists locally.
 */
export interface Place {
  contexts: readonly string[];
  /** success(), failure(), cancelled(), always() */
  status?: boolean;
  hashFiles?: boolean;
}

const call = ['github', 'inputs', 'vars', 'needs', 'strategy', 'matrix'] as const;
const step = [...call, 'secrets', 'steps', 'job', 'runner', 'env'] as const;
const withoutSecrets = step.filter((name) => name !== 'secrets');
const composite = ['github', 'inputs', 'strategy', 'matrix', 'steps', 'job', 'runner', 'env'] as const;

export const places = {
  none: { contexts: [] },
  runName: { contexts: ['github', 'inputs', 'vars'] },
  concurrency: { contexts: ['github', 'inputs', 'vars'] },
  workflowEnv: { contexts: ['github', 'inputs', 'vars', 'secrets'] },
  callInputDefault: { contexts: ['github', 'inputs', 'vars'] },
  callOutput: { contexts: ['github', 'inputs', 'vars', 'jobs'] },
  jobIf: { contexts: ['github', 'inputs', 'vars', 'needs'], status: true },
  strategy: { contexts: ['github', 'inputs', 'vars', 'needs'] },
  /** job name, runs-on, environment name, concurrency, timeout-minutes, continue-on-error, `with` of a call */
  job: { contexts: call },
  jobEnv: { contexts: [...call, 'secrets'] },
  environmentUrl: { contexts: withoutSecrets },
  jobOutput: { contexts: step },
  step: { contexts: step, hashFiles: true },
  stepIf: { contexts: withoutSecrets, status: true, hashFiles: true },
  compositeStep: { contexts: composite, hashFiles: true },
  compositeIf: { contexts: composite, status: true, hashFiles: true },
  compositeOutput: { contexts: composite },
  actionInputDefault: { contexts: ['github', 'strategy', 'matrix', 'job', 'runner'], hashFiles: true },
  /** pre-if and post-if of a JavaScript action */
  actionIf: {
    contexts: ['github', 'inputs', 'strategy', 'matrix', 'steps', 'job', 'runner', 'env'],
    status: true,
    hashFiles: true,
  },
} satisfies Record<string, Place>;
