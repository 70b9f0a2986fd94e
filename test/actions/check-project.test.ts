/** check-project as GitHub starts it: no network, no credential, a checkout of a pull request's merge commit. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProject } from '../../cli/project.ts';
import { type ActionResult, runAction } from './support/action.ts';
import { root } from './support/world.ts';

let seed: string;
const folders: string[] = [];

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
}

beforeAll(async () => {
  seed = mkdtempSync(join(tmpdir(), 'check-project-seed-'));
  folders.push(seed);
  await writeProject(root, seed, {
    projectName: 'abalone',
    projectId: 'p-0123456789ab',
    region: 'eu-west-1',
    adminAccount: '111122223333',
    stagingAccounts: ['444455556666'],
    productionAccounts: ['777788889999', '888899990000'],
    productRepository: 'sagemaker-mlops/sagemaker-mlops',
    productCommit: 'a'.repeat(40),
    productVersion: '0.1.0',
  });
  git(seed, 'init', '--quiet', '--initial-branch', 'main');
  git(seed, 'add', '--all');
  git(seed, 'commit', '--quiet', '-m', 'Project');
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Edit = (text: string) => string;

/** A checkout of the merge commit of a pull request that makes these edits ('' removes a file), as actions/checkout leaves it. */
function pullRequest(edits: Record<string, string | Edit>, depth = 2): string {
  const folder = mkdtempSync(join(tmpdir(), 'check-project-'));
  folders.push(folder);
  cpSync(seed, folder, { recursive: true });
  git(folder, 'switch', '--quiet', '-c', 'change');
  for (const [path, edit] of Object.entries(edits)) {
    const file = join(folder, path);
    const text = typeof edit === 'string' ? edit : edit(readFileSync(file, 'utf8'));
    if (text === '') rmSync(file);
    else writeFileSync(file, text);
  }
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'Change');
  git(folder, 'switch', '--quiet', 'main');
  git(folder, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'change');
  const checkout = mkdtempSync(join(tmpdir(), 'check-project-'));
  folders.push(checkout);
  execFileSync('git', ['clone', '--quiet', `--depth=${depth}`, `file://${folder}`, checkout]);
  return checkout;
}

const check = (workspace: string, inputs: Record<string, string> = {}, event = 'pull_request'): Promise<ActionResult> =>
  runAction('check-project', undefined, {
    workspace,
    inputs: { 'aws-region': 'eu-west-1', ...inputs },
    env: { GITHUB_EVENT_NAME: event },
  });

describe('a valid project', () => {
  test('that nobody changed is unchanged, and says so', async () => {
    const result = await check(pullRequest({ 'NOTES.md': 'words\n' }));
    expect(result.failures).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.outputs).toMatchObject({
      status: 'unchanged',
      'build-changed': 'false',
      'deployment-changed': 'false',
    });
    expect(result.summary).toContain('Neither pipeline, uploads, rules nor stages change.');
    for (const file of ['build/build.yml', 'build/pipeline.json', 'build/gate.yml', 'deploy/stages/production.yml'])
      expect(result.stdout).toMatch(new RegExp(`  valid +model-${file}`));
  });

  test('shows what a merge changes: parameters, code, rules, accounts, instances, steps', async () => {
    const result = await check(
      pullRequest({
        'model-build/build.yml': (text) => text.replace('NumRound: 50', 'NumRound: 80'),
        'model-build/scripts/columns.py': (text) => `${text}# one more line\n`,
        'model-build/gate.yml': (text) => text.replace('limit: 6.0', 'limit: 5.5').replace('P30D', 'P7D'),
        'model-deploy/stages/production.yml': (text) =>
          text
            .replace('["777788889999","888899990000"]', '["777788889999","999900001111"]')
            .replace('ml.m5.large', 'ml.c5.xlarge'),
        'model-build/pipeline.json': (text) => {
          const definition = JSON.parse(text);
          definition.Steps.push({ ...definition.Steps[0], Name: 'Profile' });
          definition.Steps[1].Arguments.StoppingCondition.MaxRuntimeInSeconds = 60;
          return JSON.stringify(definition, null, 2);
        },
      }),
    );
    expect(result.failures).toEqual([]);
    expect(result.outputs).toMatchObject({ status: '', 'build-changed': 'true', 'deployment-changed': 'true' });
    const { summary } = result;
    expect(summary).toContain('! parameters.NumRound: 50 -> 80');
    expect(summary).toMatch(/<code>CodeUri<\/code> \| <code>model-build\/scripts\/columns.py<\/code>/);
    expect(summary).toContain('+ regression_metrics.mse.value <= 5.5\n- regression_metrics.mse.value <= 6\n');
    expect(summary).toContain('! max-age: "P30D" -> "P7D"');
    expect(summary).toContain('+ account 999900001111\n- account 888899990000\n');
    expect(summary).toContain('! endpoint.instance-type: "ml.m5.large" -> "ml.c5.xlarge"');
    expect(summary).toMatch(/### ⚠️ Removed\n\n- \*\*production\*\* loses an account.*888899990000/);
    expect(summary).toMatch(/### Steps\n\n```diff\n! \w+ \(\w+\)\n\+ Profile \(Processing\)\n```/);
  });

  test('a stage that comes and one that goes', async () => {
    const stages = 'model-deploy/stages';
    const production = readFileSync(join(seed, stages, 'production.yml'), 'utf8');
    const result = await check(
      pullRequest({
        [`${stages}/production.yml`]: '',
        [`${stages}/preview.yml`]: production.replace('environment: production', 'environment: preview'),
      }),
    );
    expect(result.failures).toEqual([]);
    expect(result.outputs).toMatchObject({ 'build-changed': 'false', 'deployment-changed': 'true' });
    expect(result.summary).toContain('+ stage preview\n+ account 777788889999');
    expect(result.summary).toMatch(/\*\*production\*\* has no file any more/);
  });

  test('outside of a pull request nothing is compared, and every part counts as changed', async () => {
    const result = await check(pullRequest({}), {}, 'push');
    expect(result.failures).toEqual([]);
    expect(result.outputs).toMatchObject({ status: '', 'build-changed': 'true', 'deployment-changed': 'true' });
    expect(result.summary).toContain('Compared with nothing');
  });

  test('as the first step of a job that does something else it only tells what is wrong', async () => {
    const inputs = {
      report: 'problems',
      configuration: 'none',
      rules: 'none',
      stages: 'model-deploy/stages/staging.yml',
    };
    const valid = await check(pullRequest({ 'model-build/gate.yml': 'rules: 1\n' }), inputs, 'push');
    expect(valid.failures).toEqual([]);
    expect(valid.summary).toBe('');
    expect(valid.stdout).toContain('Read model-deploy/stages/production.yml, model-deploy/stages/staging.yml.');
    const wrong = await check(pullRequest({ 'model-deploy/stages/production.yml': 'x: 1\n' }), inputs, 'push');
    expect(new Set(wrong.failures.map(({ resource }) => resource))).toEqual(
      new Set(['model-deploy/stages/production.yml']),
    );
    expect(wrong.summary).toContain('check-project failed');
  });

  test('a base that was not valid is said, not compared', async () => {
    const folder = pullRequest({ 'model-build/gate.yml': 'rules: 1\n' });
    git(folder, 'checkout', '--quiet', 'HEAD^1', '--', 'model-build/gate.yml');
    git(folder, 'commit', '--quiet', '-m', 'Mend');
    const result = await check(folder, { base: 'HEAD^' });
    expect(result.failures).toEqual([]);
    expect(result.summary).toContain('gate.yml is not valid at the base');
  });

  test('a stage that could not be read at the base is no new one', async () => {
    const file = 'model-deploy/stages/production.yml';
    const folder = pullRequest({ [file]: (text) => text.replace('endpoint:', 'endpiont:') });
    writeFileSync(join(folder, file), readFileSync(join(seed, file)));
    git(folder, 'commit', '--quiet', '--all', '-m', 'Mend');
    const result = await check(folder, { base: 'HEAD^' });
    expect(result.failures).toEqual([]);
    expect(result.summary).toContain('production.yml is not valid at the base');
    expect(result.summary).not.toContain('+ stage production');
    expect(result.summary).not.toContain('+ account');
  });
});

describe('what is wrong stands at its file and line', () => {
  const build = 'model-build/build.yml';
  const line = (folder: string, file: string, text: string) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .findIndex((one) => one.includes(text)) + 1;
  const cases: [string, Record<string, string | Edit>, string, string, RegExp, number?][] = [
    [
      'a key that nobody knows',
      { [build]: (text) => text.replace('uploads:', 'upload:') },
      build,
      'upload:',
      /unknown key upload.*uploads/,
    ],
    [
      'no YAML',
      { [build]: (text) => text.replace('  NumRound', '    NumRound') },
      build,
      'TrainingInstanceType',
      /no valid YAML/,
    ],
    [
      'a parameter that nobody declares',
      { [build]: (text) => text.replace('NumRound', 'NumRonud') },
      build,
      'NumRonud',
      /NumRonud.*NumRound/,
    ],
    [
      'an upload that is not there',
      { [build]: (text) => text.replace('scripts/', 'skripts/') },
      build,
      'skripts/',
      /skripts\/? does not exist/,
    ],
    [
      'an operator that is none',
      { 'model-build/gate.yml': (text) => text.replace('"<="', '"=<"') },
      'model-build/gate.yml',
      '"=<"',
      /operator/,
    ],
    [
      'an account without quotation marks',
      { 'model-deploy/stages/staging.yml': (text) => text.replace('"444455556666"', '444455556666') },
      'model-deploy/stages/staging.yml',
      '444455556666',
      /accounts/,
    ],
    [
      'another region than the registry',
      { 'model-deploy/stages/staging.yml': (text) => text.replace('eu-west-1', 'us-east-1') },
      'model-deploy/stages/staging.yml',
      'us-east-1',
      /us-east-1.*eu-west-1/,
    ],
    [
      'two files of one stage',
      { 'model-deploy/stages/staging.yml': (text) => text.replace('environment: staging', 'environment: production') },
      'model-deploy/stages/staging.yml',
      'environment: production',
      /production.yml already/,
    ],
    [
      'a definition with a reference to nothing',
      { 'model-build/pipeline.json': (text) => text.replace('"Parameters.KmsKeyArn"', '"Parameters.KmsKey"') },
      'model-build/pipeline.json',
      '"Parameters.KmsKey"',
      /no parameter KmsKey/,
      // The value that is the reference begins with its brace.
      -1,
    ],
    [
      'a definition that is no JSON',
      { 'model-build/pipeline.json': (text) => text.replace('"Metadata": {},', '"Metadata": {},,') },
      'model-build/pipeline.json',
      '{},,',
      /no JSON/,
    ],
  ];
  test.each(cases)('%s', async (_, edits, file, text, cause, offset = 0) => {
    const folder = pullRequest(edits);
    const expected = line(folder, file, text) + offset;
    const result = await check(folder);
    expect(result.code).toBe(1);
    expect(result.outputs['status']).toBe('failed');
    expect(result.failures[0]).toMatchObject({
      resource: file,
      line: expected,
      cause: expect.stringMatching(cause),
    });
    expect(result.stdout).toContain(
      `::error title=check-project%3A ${result.failures[0]!.code},file=${file},line=${expected}::`,
    );
    expect(result.summary).toMatch(
      new RegExp(`1 of [45] files is not valid[\\s\\S]*<code>${file}</code> \\| [^|]+ \\| ❌ 1 problem`),
    );
  });

  test.each(['model-build/gate.yml', build, 'model-build/pipeline.json', 'model-deploy/stages/staging.yml'])(
    'a change of %s that cannot be read is not told as no change',
    async (file) => {
      const { failures, summary } = await check(pullRequest({ [file]: (text) => `${text}\n}}\n` }));
      expect(failures.map(({ resource }) => resource)).toEqual([file]);
      expect(summary).toContain(`${file} differs, but is not valid: what a merge changes there cannot be told.`);
      expect(summary).not.toContain('Neither pipeline');
    },
  );

  test('rules that were not there before are new, not no change', async () => {
    const folder = pullRequest({ 'model-build/gate.yml': '' });
    writeFileSync(join(folder, 'model-build/gate.yml'), readFileSync(join(seed, 'model-build/gate.yml')));
    git(folder, 'add', '--all');
    git(folder, 'commit', '--quiet', '-m', 'Rules');
    const { failures, summary } = await check(folder, { base: 'HEAD^' });
    expect(failures).toEqual([]);
    expect(summary).toContain('model-build/gate.yml is new, so there is nothing to compare it with.');
    expect(summary).not.toContain('Neither pipeline');
  });

  test('a file that is missing', async () => {
    const result = await check(pullRequest({ 'model-build/gate.yml': '' }));
    expect(result.failures).toMatchObject([
      { code: 'InvalidConfiguration', resource: 'model-build/gate.yml', cause: /does not exist/ },
    ]);
  });

  test('all files are judged, whatever is wrong with the first', async () => {
    const broken = pullRequest({
      [build]: 'definition: 1\n',
      'model-build/gate.yml': 'rules: []\n',
      'model-deploy/stages/staging.yml': 'region: x\n',
    });
    const { failures } = await check(broken);
    expect(new Set(failures.map(({ resource }) => resource))).toEqual(
      new Set([build, 'model-build/gate.yml', 'model-deploy/stages/staging.yml']),
    );
  });

  test('a definition of one account only is advice at its line', async () => {
    const folder = pullRequest({
      'model-build/pipeline.json': (text) =>
        text.replace(
          /"Name": "Commit",\s+"Type": "String",\s+"DefaultValue": "unknown"/,
          '"Name": "Commit", "Type": "String", "DefaultValue": "s3://my-bucket/x"',
        ),
    });
    const result = await check(folder);
    expect(result.failures).toEqual([]);
    expect(result.stdout).toContain(
      `::warning title=check-project%3A advice,file=model-build/pipeline.json,line=${line(folder, 'model-build/pipeline.json', 's3://my-bucket')}::`,
    );
    expect(result.summary).toMatch(/Advice \(1\)/);
  });

  test('a checkout without the base says how to check out', async () => {
    const result = await check(pullRequest({}, 1));
    expect(result.failures).toMatchObject([{ code: 'InvalidInput', resource: 'base', hint: /fetch-depth: 2/ }]);
  });
});

test('text of a pull request is no markup, no mention and no command', async () => {
  const result = await check(
    pullRequest({
      'model-build/build.yml': (text) =>
        text.replace('parameters:', 'description: "``` ::set-output name=status::x <b>@acme</b>"\nparameters:'),
    }),
  );
  expect(result.failures).toEqual([]);
  expect(result.stdout).not.toMatch(/^::set-output/m);
  expect(result.outputs['status']).toBe('');
  expect(result.summary).toMatch(/````+diff/);
});
