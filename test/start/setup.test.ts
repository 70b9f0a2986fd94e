/**
 * The scripts that `init` writes for a platform engineer, run as written: aws.sh by the AWS CLI against the local platform, account
 * by account; github.sh with a `gh` that notes what it is asked.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CreateStackCommand, DeleteStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateRoleCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { planEnvironment, projectKey } from '../../cli/environment.ts';
import { productOrigin, projectIdOf } from '../../cli/project.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { root } from './support.ts';

const id = projectIdOf(2002);
const request = {
  region,
  project: { name: 'abalone', id },
  repository: { owner: 'acme', ownerId: 1001, name: 'abalone', id: 2002, defaultBranch: 'main' },
  productRepository: 'sagemaker-mlops/sagemaker-mlops',
  accounts: [
    { id: accounts.development, name: 'admin', admin: true },
    { id: accounts.staging, name: 'staging-1' },
    { id: accounts.production1, name: 'production-2' },
    { id: accounts.production2, name: 'production-3' },
  ],
};
const scratch = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-setup-'));
const project = join(scratch, 'project');
let platform: TestPlatform;
let tools: { python: string; directory: string };

const init = (folder: string, ...more: string[]) =>
  execFileSync(
    join(root, 'node_modules/.bin/node'),
    [
      ...[join(root, 'cli/bin.mjs'), 'init', folder, '--name', 'abalone', '--repository', 'acme/abalone'],
      ...['--repository-id', '2002', '--owner-id', '1001', '--region', region],
      ...['--admin-account', accounts.development, '--staging', accounts.staging],
      ...['--production', `${accounts.production1},${accounts.production2}`, ...more],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}
const bash = (script: string, parameters: string[], env: NodeJS.ProcessEnv): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile('bash', [join(project, 'setup', script), ...parameters], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

beforeAll(async () => {
  init(project);
  tools = await ensureTools({ directory: join(root, '.sagemaker-mlops/python'), progress: () => {} });
  platform = await startTestPlatform({ python: true });
  // The AWS CLI looks at a stack every thirty seconds; here stacks take milliseconds.
  mkdirSync(join(scratch, 'hurry'));
  writeFileSync(
    join(scratch, 'hurry/sitecustomize.py'),
    'import time\n_sleep = time.sleep\ntime.sleep = lambda seconds: _sleep(min(seconds, 0.05))\n',
  );
}, 240_000);
afterAll(async () => {
  await platform?.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function runIn(account: string): Promise<Outcome> {
  const credentials = await platform.credentials(account);
  return bash('aws.sh', [], {
    ...pythonEnvironment(),
    ...platform.environment(credentials),
    HOME: scratch,
    PYTHONPATH: join(scratch, 'hurry'),
    PATH: `${join(tools.directory, 'bin')}${delimiter}${process.env['PATH']}`,
  });
}

async function stacksOf(account: string) {
  const { Stacks = [] } = await platform.administrator(account).cloudformation.send(new DescribeStacksCommand({}));
  return Stacks.map(({ StackName, StackStatus, Parameters = [], Tags = [] }) => ({
    name: StackName,
    status: StackStatus,
    parameters: Object.fromEntries(
      Parameters.map(({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue!]),
    ),
    tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key!, Value!])),
  })).sort((one, other) => (one.name! < other.name! ? -1 : 1));
}

describe('setup/aws.sh', () => {
  const keyFile = () => readFileSync(join(project, 'setup/key-arn'), 'utf8').trim();
  const expected = (account: string) =>
    planEnvironment(request)
      .flat()
      .filter((stack) => stack.account === account)
      .map(({ name, parameters, tags }) => ({
        name,
        status: 'CREATE_COMPLETE',
        parameters: expect.objectContaining(
          Object.fromEntries(
            Object.entries(parameters).map(([key, value]) => [key, value === projectKey ? keyFile() : value]),
          ),
        ),
        tags,
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));

  test('in a target account before the account with the registry: says where to begin and does nothing', async () => {
    const { code, stderr } = await runIn(accounts.production1);
    expect(code).toBe(1);
    expect(stderr).toContain(`run this script in the account ${accounts.development} first`);
    expect(await stacksOf(accounts.production1)).toEqual([]);
  });

  const order =
    process.env['TEST_FULL'] === undefined
      ? [accounts.development, accounts.production1]
      : [accounts.development, accounts.production1, accounts.production2];
  test.each(order)(
    'in %s: the very stacks that `start` deploys',
    async (account) => {
      const { code, stdout, stderr } = await runIn(account);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Account ${account} is set up.`);
      expect(await stacksOf(account)).toEqual(expected(account));
    },
    120_000,
  );

  test('a second time: nothing changes', async () => {
    const before = await stacksOf(accounts.production1);
    const since = platform.platform.calls.next;
    const { code, stdout } = await runIn(accounts.production1);
    expect(code).toBe(0);
    expect(stdout).toContain('sagemaker-mlops-removal-role is there already');
    expect(stdout).toContain('No changes to deploy');
    expect(await stacksOf(accounts.production1)).toEqual(before);
    expect(platform.calls({ since, operation: 'cloudformation:ExecuteChangeSet' })).toEqual([]);
  });

  test('a stack whose creation failed is told with what to do; what another region made is not made again', async () => {
    const { cloudformation, iam } = platform.administrator(accounts.staging);
    const StackName = 'sagemaker-mlops-removal-role';
    await cloudformation.send(
      new CreateStackCommand({
        StackName,
        TemplateBody: JSON.stringify({ Resources: { A: { Type: 'AWS::IAM::Role' } } }),
        Capabilities: ['CAPABILITY_IAM'],
      }),
    );
    for (let status = ''; status !== 'ROLLBACK_COMPLETE'; await new Promise((resolve) => setTimeout(resolve, 20)))
      status = (await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!.StackStatus!;
    const failed = await runIn(accounts.staging);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(`The stack ${StackName} is ROLLBACK_COMPLETE`);
    expect(failed.stderr).toContain(`aws cloudformation delete-stack --region ${region} --stack-name ${StackName}`);
    expect(failed.stdout).not.toContain('is set up');

    await cloudformation.send(new DeleteStackCommand({ StackName }));
    await iam.send(
      new CreateRoleCommand({
        RoleName: 'sagemaker-mlops-removal',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'cloudformation.amazonaws.com' }, Action: 'sts:AssumeRole' },
          ],
        }),
      }),
    );
    const second = await runIn(accounts.staging);
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' });
    expect(second.stdout).toContain(`${StackName} is not needed`);
  }, 60_000);

  test('in an account that is none of the project: names it and does nothing', async () => {
    const known = readFileSync(join(project, 'setup/aws.sh'), 'utf8');
    writeFileSync(join(project, 'setup/aws.sh'), known.replaceAll(accounts.staging, '555566667777'));
    const { code, stderr } = await runIn(accounts.staging);
    writeFileSync(join(project, 'setup/aws.sh'), known);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`account ${accounts.staging} is none of this project: it has .*555566667777`));
  });

  test('every template is small enough to be deployed from a file', () => {
    // TemplateBody takes 51,200 bytes (CloudFormation quotas); more would need a bucket.
    for (const { template } of planEnvironment(request).flat())
      expect(statSync(join(project, `setup/templates/${template}.yml`)).size).toBeLessThanOrEqual(51_200);
  });
});

describe('setup/github.sh', () => {
  const log = join(scratch, 'gh.log');
  const bin = join(scratch, 'bin');
  /** Answers as api.github.com does for what the script reads; everything asked goes to the log, with its body. */
  beforeAll(() => {
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'gh'),
      `#!/usr/bin/env bash
body=; case " $* " in *" --input - "*) body=$(cat) ;; esac
echo "$* $body" >> "${log}"
case "$*" in
*users/ada*) echo 11 ;;
*orgs/acme/teams/ml*) echo 22 ;;
*users/*) echo "gh: Not Found (HTTP 404)" >&2; exit 1 ;;
*environments/staging/deployment-branch-policies\\ --jq*) printf 'main\\nrelease/*\\n' ;;
*environments/production\\ --jq*wait_timer*) echo 30 ;;
*environments/production\\ --jq*self_review*) echo true ;;
*environments/build\\ --jq*) echo "gh: Not Found (HTTP 404)" >&2; exit 1 ;;
esac
`,
    );
    chmodSync(join(bin, 'gh'), 0o755);
  });
  const github = (...parameters: string[]) => {
    rmSync(log, { force: true });
    return bash('github.sh', parameters, { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` });
  };
  const asked = () => readFileSync(log, 'utf8').trimEnd().split('\n');

  test('makes every environment for the default branch only, protected ones with the reviewers', async () => {
    const { code, stdout } = await github('ada', 'acme/ml');
    expect(code).toBe(0);
    const puts = asked().flatMap((line) => {
      const match = /--method PUT repos\/acme\/abalone\/environments\/(\S+) --input - (.*)$/.exec(line);
      return match === null ? [] : [[match[1], JSON.parse(match[2]!)]];
    });
    const onlyBranches = { protected_branches: false, custom_branch_policies: true };
    const both = [
      { type: 'User', id: 11 },
      { type: 'Team', id: 22 },
    ];
    expect(Object.fromEntries(puts)).toEqual(
      Object.fromEntries(
        ['build', 'model-approval', 'model-record', 'staging', 'cleanup-plan', 'production', 'cleanup'].map((name) => [
          name,
          {
            wait_timer: name === 'production' ? 30 : 0,
            prevent_self_review: name === 'production',
            reviewers: ['production', 'cleanup'].includes(name) ? both : [],
            deployment_branch_policy: onlyBranches,
          },
        ]),
      ),
    );
    const posted = asked().filter((line) => line.includes('--method POST'));
    // Staging has its branch already.
    expect(
      posted.map((line) => /environments\/([^/]+)\/deployment-branch-policies -f name=main/.exec(line)?.[1]),
    ).toEqual(['build', 'model-approval', 'model-record', 'cleanup-plan', 'production', 'cleanup']);
    expect(stdout).toContain('environment production, with reviewers');
    expect(stdout).toContain('also lets these branches in, remove them if that is not meant: release/*');
  });

  test('with FOUR_EYES=true nobody approves a run of their own', async () => {
    rmSync(log, { force: true });
    const { code } = await bash('github.sh', ['ada'], {
      ...process.env,
      FOUR_EYES: 'true',
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
    });
    expect(code).toBe(0);
    const strict = asked().flatMap((line) =>
      line.includes('--method PUT') && line.includes('"prevent_self_review":true')
        ? [/environments\/(\S+)/.exec(line)![1]]
        : [],
    );
    expect(strict).toEqual(['production', 'cleanup']);
  });

  test('without a reviewer, or with one that GitHub does not know: nothing is made', async () => {
    const none = await github();
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('Who approves?') });
    expect(existsSync(log)).toBe(false);
    const unknown = await github('ada', 'nobody');
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('404') });
    expect(asked().filter((line) => line.includes('--method'))).toEqual([]);
  });
});

test('both scripts please shellcheck', () => {
  const scripts = ['aws.sh', 'github.sh'].map((name) => join(project, 'setup', name));
  expect(() => execFileSync(join(tools.directory, 'bin/shellcheck'), scripts, { encoding: 'utf8' })).not.toThrow();
});

test('init refuses numbers that it could not keep, and names that GitHub does not have', () => {
  const folder = join(scratch, 'refused');
  const attempt =
    (...more: string[]) =>
    () =>
      init(folder, ...more);
  expect(attempt('--repository-id', '99999999999999999999999')).toThrow(/--repository-id is "9{23}"/);
  expect(attempt('--owner-id', '007')).toThrow(/--owner-id is "007"/);
  expect(attempt('--repository', 'acme/..')).toThrow(/--repository is "acme\/\.\."/);
  expect(existsSync(folder)).toBe(false);
});

test('init refuses accounts that two stages would share, before anything is written', () => {
  const folder = join(scratch, 'shared');
  const attempt = () => init(folder, '--staging', accounts.production1);
  expect(attempt).toThrow(new RegExp(`--production names ${accounts.production1}, as --staging does`));
  expect(existsSync(folder)).toBe(false);
});

describe('where the product is', () => {
  const clone = join(scratch, 'product');
  const git = (...parameters: string[]) =>
    execFileSync('git', ['-C', clone, ...parameters], { encoding: 'utf8' }).trim();
  let commit: string;
  beforeAll(() => {
    mkdirSync(clone);
    git('init', '--quiet');
    git('-c', 'user.name=a', '-c', 'user.email=a@b.example', 'commit', '--quiet', '--allow-empty', '-m', 'one');
    commit = git('rev-parse', 'HEAD');
    git('remote', 'add', 'origin', 'x');
  });

  test.each([
    ['https://github.com/ml/fork.git', 'ml/fork'],
    ['git@github.com:ml/fork.git', 'ml/fork'],
    ['ssh://git@github.com/ml/fork', 'ml/fork'],
    ['https://example.com/ml/fork.git', undefined],
    ['https://example.com/github.com/ml/fork', undefined],
    ['/srv/github.com/ml/fork', undefined],
  ])('origin %s: %s', async (url, repository) => {
    git('remote', 'set-url', 'origin', url);
    expect((await productOrigin(clone, commit))?.repository).toBe(repository);
  });

  test('a commit that no branch of the origin has is told', async () => {
    git('remote', 'set-url', 'origin', 'https://github.com/ml/fork.git');
    expect(await productOrigin(clone, commit)).toEqual({ repository: 'ml/fork', hasCommit: false });
    git('update-ref', 'refs/remotes/origin/main', commit);
    expect(await productOrigin(clone, commit)).toEqual({ repository: 'ml/fork', hasCommit: true });
  });
});
