/** The error table: one clear sentence each, no mutating call, and the fields by which a later job decides. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionResult, type ActionRun, runAction } from './support/action.ts';
import { base, bucket, project, root, startWorld, type World } from './support/world.ts';

let world: World;
const folders: string[] = [];

beforeAll(async () => {
  world = await startWorld();
  await world.administrator(accounts.production1).s3.send(
    new CreateBucketCommand({
      Bucket: 'somebody-elses-bucket',
      CreateBucketConfiguration: { LocationConstraint: region },
    }),
  );
});
afterAll(async () => {
  await world?.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function checkout(change: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-checkout-'));
  folders.push(folder);
  cpSync(join(root, 'seed-code'), folder, { recursive: true });
  change(folder);
  return folder;
}

function editJson(file: string, change: (value: any) => void): void {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  change(value);
  writeFileSync(file, JSON.stringify(value, null, 2));
}

interface Expected {
  code: string;
  resource: string | RegExp;
  cause: RegExp;
  logicalId?: string;
}

interface Case {
  name: string;
  action: 'run-pipeline' | 'gate-model';
  run: () => ActionRun;
  expected: Expected[];
}

const buildInputs = () => ({
  'aws-region': region,
  'project-name': project.name,
  'project-id': project.id,
  'role-to-assume': world.role('ci-build'),
});
const gateInputs = () => ({
  'aws-region': region,
  'role-to-assume': world.role('ci-gate'),
  'model-package-arn': `arn:aws:sagemaker:${region}:${accounts.development}:model-package/${base}/99`,
});

const cases: Case[] = [
  {
    name: 'a role that does not trust this job',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'role-to-assume': world.role('ci-gate') } }),
    expected: [{ code: 'RoleNotAssumable', resource: /:role\/sagemaker-.*-ci-gate$/, cause: /cannot be assumed/ }],
  },
  {
    name: 'a role that does not exist',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: { ...buildInputs(), 'role-to-assume': `arn:aws:iam::${accounts.development}:role/nobody` },
    }),
    expected: [{ code: 'RoleNotAssumable', resource: /:role\/nobody$/, cause: /cannot be assumed/ }],
  },
  {
    name: 'a role of another partition',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'aws-region': 'cn-north-1' } }),
    expected: [{ code: 'InvalidInput', resource: 'role-to-assume', cause: /partition aws, .* belongs to aws-cn/ }],
  },
  {
    name: 'a job without an OIDC token',
    action: 'run-pipeline',
    run: () => ({ inputs: buildInputs() }),
    expected: [{ code: 'CredentialsMissing', resource: 'role-to-assume', cause: /no OIDC token/ }],
  },
  {
    name: 'no credentials at all',
    action: 'gate-model',
    run: () => {
      const { 'role-to-assume': _, ...inputs } = gateInputs();
      return { inputs };
    },
    expected: [{ code: 'CredentialsMissing', resource: /.*/, cause: /No AWS credentials/ }],
  },
  {
    name: 'a region in which the project is not',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'aws-region': 'us-east-1' } }),
    expected: [
      { code: 'WrongRegion', resource: new RegExp(`^s3://${bucket}/`), cause: /lies in eu-west-1, not in us-east-1/ },
    ],
  },
  {
    name: 'a package of another region',
    action: 'gate-model',
    run: () => ({ environment: 'model-approval', inputs: { ...gateInputs(), 'aws-region': 'us-east-1' } }),
    expected: [{ code: 'WrongRegion', resource: /model-package/, cause: /eu-west-1/ }],
  },
  {
    name: 'a definition with three mistakes',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: buildInputs(),
      workspace: checkout((folder) =>
        editJson(join(folder, 'model-build/pipeline.json'), (definition) => {
          definition.Steps[0].Arguments.AppSpecification.ImageUri = { Get: 'Parameters.ImagUri' };
          definition.Steps[1].Type = 'Trainin';
          definition.Steps[2].DependsOn = ['Prepare'];
        }),
      ),
    }),
    expected: [
      {
        code: 'InvalidDefinition',
        resource: 'model-build/pipeline.json',
        logicalId: 'Steps[Train].Type',
        cause: /did you mean Training/,
      },
      {
        code: 'InvalidDefinition',
        resource: 'model-build/pipeline.json',
        logicalId: 'Steps[Preprocess].Arguments.AppSpecification.ImageUri',
        cause: /no parameter ImagUri \(did you mean ImageUri\?\)/,
      },
      {
        code: 'InvalidDefinition',
        resource: 'model-build/pipeline.json',
        logicalId: 'Steps[Evaluate].DependsOn',
        cause: /no step Prepare/,
      },
    ],
  },
  {
    name: 'a definition that is no JSON',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: buildInputs(),
      workspace: checkout((folder) =>
        writeFileSync(join(folder, 'model-build/pipeline.json'), '{"Version": "2020-12-01",\n  oops'),
      ),
    }),
    expected: [{ code: 'InvalidDefinition', resource: 'model-build/pipeline.json', cause: /line 2/ }],
  },
  {
    name: 'unknown values of inputs, all at once',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: { ...buildInputs(), 'on-cancel': 'stopp', 'timeout-minutes': '2h', 'aws-region': 'europe' },
    }),
    expected: [
      { code: 'InvalidInput', resource: 'aws-region', cause: /"europe"/ },
      { code: 'InvalidInput', resource: 'timeout-minutes', cause: /"2h".*whole number/ },
      { code: 'InvalidInput', resource: 'on-cancel', cause: /"stopp".*did you mean stop\?/ },
    ],
  },
  {
    name: 'a misspelt input',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'selected-step': 'Train' } }),
    expected: [{ code: 'InvalidInput', resource: 'selected-step', cause: /did you mean selected-steps\?/ }],
  },
  {
    name: 'a build file with unknown keys and a missing upload',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: buildInputs(),
      workspace: checkout((folder) =>
        writeFileSync(
          join(folder, 'model-build/build.yml'),
          'definition: pipeline.json\nupload: {CodeUri: scripts/}\nparameters: [1]\n',
        ),
      ),
    }),
    expected: [
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/build.yml',
        cause: /unknown key upload \(did you mean uploads\?\)/,
      },
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/build.yml',
        cause: /parameters is \[1\], but must be a mapping/,
      },
    ],
  },
  {
    name: 'parameters that do not fit',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), parameters: 'NumRounds: 5\nSanityLimit: high' } }),
    expected: [
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/build.yml',
        logicalId: 'NumRounds',
        cause: /did you mean NumRound\?/,
      },
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/build.yml',
        logicalId: 'SanityLimit',
        cause: /"high".*Float/,
      },
    ],
  },
  {
    name: 'a checkout that was forgotten',
    action: 'run-pipeline',
    run: () => ({
      environment: 'build',
      inputs: buildInputs(),
      workspace: checkout((folder) => rmSync(join(folder, 'model-build'), { recursive: true })),
    }),
    expected: [{ code: 'InvalidConfiguration', resource: 'model-build/build.yml', cause: /does not exist/ }],
  },
  {
    name: 'a bucket that cannot be read',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), bucket: 'somebody-elses-bucket' } }),
    expected: [
      { code: 'AccessDenied', resource: /^s3:\/\/somebody-elses-bucket\//, cause: /not authorized|Access ?Denied/i },
    ],
  },
  {
    name: 'a project that does not exist',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'project-name': 'other' } }),
    expected: [{ code: 'NotFound', resource: /^s3:\/\/sm-mlops-cp-other-/, cause: /bucket does not exist/ }],
  },
  {
    name: 'a key that does not exist',
    action: 'run-pipeline',
    run: () => ({ environment: 'build', inputs: { ...buildInputs(), 'kms-key': 'alias/nothing' } }),
    expected: [{ code: 'NotFound', resource: 'alias/nothing', cause: /alias\/nothing/ }],
  },
  {
    name: 'a package that does not exist',
    action: 'gate-model',
    run: () => ({ environment: 'model-approval', inputs: gateInputs() }),
    expected: [{ code: 'NotFound', resource: /model-package\/.*\/99$/, cause: /not exist|not found/i }],
  },
  {
    name: 'rules that nobody can hold',
    action: 'gate-model',
    run: () => ({
      environment: 'model-approval',
      inputs: gateInputs(),
      workspace: checkout((folder) =>
        writeFileSync(
          join(folder, 'model-build/gate.yml'),
          'rules:\n  - {metric: mse, operater: "<=", limit: 3}\nmax-age: a month\n',
        ),
      ),
    }),
    expected: [
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/gate.yml',
        cause: /unknown key operater \(did you mean operator\?\)/,
      },
      {
        code: 'InvalidConfiguration',
        resource: 'model-build/gate.yml',
        cause: /max-age is "a month", but must be an ISO 8601 duration/,
      },
    ],
  },
  {
    name: 'keys of a real account with a local endpoint',
    action: 'gate-model',
    run: () => {
      const { 'role-to-assume': _, ...inputs } = gateInputs();
      return { inputs, env: { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) } };
    },
    expected: [{ code: 'WrongCredentials', resource: 'AWS_ENDPOINT_URL', cause: /real AWS account/ }],
  },
  {
    name: 'local keys without a local endpoint',
    action: 'gate-model',
    run: () => {
      const { 'role-to-assume': _, ...inputs } = gateInputs();
      return {
        inputs,
        env: {
          AWS_ENDPOINT_URL: '',
          AWS_ACCESS_KEY_ID: 'ASIALOCALIOSFODNN7EX',
          AWS_SECRET_ACCESS_KEY: 'x'.repeat(40),
          AWS_SESSION_TOKEN: 't',
        },
      };
    },
    expected: [{ code: 'WrongCredentials', resource: 'AWS_ACCESS_KEY_ID', cause: /local platform/ }],
  },
];

function check(result: ActionResult, expected: Expected[]): void {
  expect(result.code).toBe(1);
  expect(result.outputs['status']).toBe('failed');
  expect(result.stderr).toBe('');
  // No stack trace anywhere, and nothing of JavaScript's own.
  expect(result.stdout).not.toMatch(/\n\s+at |TypeError|undefined|\[object/);
  expect(result.failures.map(({ code }) => code)).toEqual(expected.map(({ code }) => code));
  expected.forEach(({ resource, cause, logicalId }, index) => {
    const failure = result.failures[index]!;
    if (typeof resource === 'string') expect(failure.resource).toBe(resource);
    else expect(failure.resource ?? '').toMatch(resource);
    expect(failure.cause).toMatch(cause);
    if (logicalId !== undefined) expect(failure.logicalId).toBe(logicalId);
  });
  // An annotation for each line of a file that has a mistake; one with a line per mistake for all others.
  const placed = result.failures.filter(({ line }) => line !== undefined).length;
  expect(result.errors).toHaveLength(placed + (placed < expected.length ? 1 : 0));
  expect(result.errors.flatMap((error) => error.split('\n'))).toHaveLength(expected.length);
  for (const failure of result.failures) expect(result.summary).toContain(failure.code);
}

describe('told in one sentence, with nothing changed', () => {
  test.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (_, { action, run, expected }) => {
    const since = world.calls().at(-1)?.seq ?? 0;
    const result = await runAction(action, world, run());
    check(result, expected);
    const mutating = world.calls({ since, mutating: true }).filter(({ operation }) => !operation.startsWith('sts:'));
    expect(mutating.map(({ operation }) => operation)).toEqual([]);
  });
});

test('what only the service finds wrong with a definition is told as a mistake in it', async () => {
  const workspace = checkout((folder) =>
    editJson(join(folder, 'model-build/pipeline.json'), (definition) => {
      definition.Steps[0].Arguments.ProcessingInputs[0].S3Input.S3InputMode = 'FastFile';
    }),
  );
  const result = await runAction('run-pipeline', world, { environment: 'build', inputs: buildInputs(), workspace });
  expect(result.failures).toHaveLength(1);
  expect(result.failures[0]).toMatchObject({ code: 'InvalidDefinition', account: accounts.development, region });
  expect(result.failures[0]!.cause).toContain('FastFile');
});

test('an unreachable address is told as such', async () => {
  const result = await runAction('gate-model', undefined, {
    inputs: {
      'aws-region': region,
      'model-package-arn': `arn:aws:sagemaker:${region}:${accounts.development}:model-package/${base}/1`,
    },
    env: {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'ASIALOCALIOSFODNN7EX',
      AWS_SECRET_ACCESS_KEY: 'x'.repeat(40),
      AWS_SESSION_TOKEN: 't',
    },
  });
  expect(result.failures.map(({ code }) => code)).toEqual(['NetworkError']);
  expect(bucket).toContain(base);
});
