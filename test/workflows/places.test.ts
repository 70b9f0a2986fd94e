import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { scopes } from '../../local/github/workflow/permissions.ts';
import { type Place, places } from '../../local/github/workflow/places.ts';

/** GitHub's own schema, from the package of its language service (a development dependency): the judge of our table. */
const schema = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json', import.meta.url)),
    'utf8',
  ),
) as { definitions: Record<string, any> };

function contextsOf(name: string): { names: string[]; status: boolean; hashFiles: boolean } {
  const context: string[] = schema.definitions[name].context;
  const names = context.filter((one) => !one.includes('('));
  return {
    names,
    status: context.some((one) => one.startsWith('always(')),
    hashFiles: context.some((one) => one.startsWith('hashFiles(')),
  };
}

describe('contexts by place, against the schema of GitHub', () => {
  test.each<[keyof typeof places, string]>([
    ['runName', 'run-name'],
    ['concurrency', 'workflow-concurrency'],
    ['workflowEnv', 'workflow-env'],
    ['callOutput', 'workflow-output-context'],
    ['jobIf', 'job-if'],
    ['strategy', 'strategy'],
    ['job', 'runs-on'],
    ['jobEnv', 'job-env'],
    ['environmentUrl', 'string-runner-context-no-secrets'],
    ['jobOutput', 'string-runner-context'],
    ['step', 'step-with'],
    ['stepIf', 'step-if'],
  ])('%s', (name, definition) => {
    const place: Place = places[name];
    const official = contextsOf(definition);
    expect([...place.contexts].sort()).toEqual(official.names.sort());
    expect(place.status ?? false).toBe(official.status);
    expect(place.hashFiles ?? false).toBe(official.hashFiles);
  });

  test('the scopes of permissions are those that the schema knows, or newer ones', () => {
    const official = Object.keys(schema.definitions['permissions-mapping'].mapping.properties);
    expect(official.filter((scope) => !(scopes as readonly string[]).includes(scope))).toEqual([]);
  });
});
