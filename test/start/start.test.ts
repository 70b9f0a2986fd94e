import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeModelPackageCommand,
  DescribePipelineCommand,
  DescribePipelineExecutionCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { testPython } from '../support/platform.ts';
import {
  alive,
  listeners,
  processTree,
  root,
  runCli,
  type Started,
  startCli,
  survivors,
  temporaryState,
} from './support.ts';

const execute = promisify(execFile);

let tools: string;
beforeAll(async () => {
  const { directory } = await ensureTools({ directory: join(root, '.sagemaker-mlops', 'python'), progress: () => {} });
  tools = join(directory, 'bin');
}, 120_000);

/** What a user's own shell would have: an AWS CLI, and nothing that this test process knows. */
const toolsEnvironment = (home: string) => ({ PATH: `${tools}:${process.env.PATH}`, HOME: home });

const loopback = '0100007F';

async function describedByCli(arn: string, env: NodeJS.ProcessEnv): Promise<Record<string, any>> {
  const kind = arn.split(':')[5]!;
  const args = kind.startsWith('stack/')
    ? ['cloudformation', 'describe-stacks', '--stack-name', arn, '--query', 'Stacks[0]']
    : kind.includes('/execution/')
      ? ['sagemaker', 'describe-pipeline-execution', '--pipeline-execution-arn', arn]
      : kind.startsWith('pipeline/')
        ? ['sagemaker', 'describe-pipeline', '--pipeline-name', arn]
        : ['sagemaker', 'describe-model-package', '--model-package-name', arn];
  const { stdout } = await execute('aws', [...args, '--output', 'json'], { env });
  return JSON.parse(stdout);
}

async function describedBySdk(arn: string, env: NodeJS.ProcessEnv): Promise<Record<string, any>> {
  const settings = {
    region: env['AWS_REGION']!,
    endpoint: env['AWS_ENDPOINT_URL']!,
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY']!,
      sessionToken: env['AWS_SESSION_TOKEN']!,
    },
  };
  const kind = arn.split(':')[5]!;
  if (kind.startsWith('stack/'))
    return (await new CloudFormationClient(settings).send(new DescribeStacksCommand({ StackName: arn }))).Stacks![0]!;
  const sagemaker = new SageMakerClient(settings);
  if (kind.includes('/execution/'))
    return sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }));
  if (kind.startsWith('pipeline/')) return sagemaker.send(new DescribePipelineCommand({ PipelineName: arn }));
  return sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
}

describe('npm start, left running', () => {
  let started: Started;
  const foreign: { pid: number; address: string }[] = [];
  const onLoopback = new Set<number>();
  let sampling = true;

  beforeAll(async () => {
    started = startCli(['start', '--yes', '--port', '0']);
    const sampler = (async () => {
      while (sampling) {
        for (const listener of listeners(processTree(started.child.pid!))) {
          if (listener.address === loopback) onLoopback.add(listener.pid);
          else foreign.push(listener);
        }
        await wait(100);
      }
    })();
    await started.printed('Ctrl-C ends it');
    sampling = false;
    await sampler;
  }, 180_000);

  afterAll(async () => {
    if (started.child.exitCode === null) started.child.kill('SIGKILL');
    await started.ended;
    started.remove();
  });

  const variables = async (account: string, ...args: string[]) =>
    JSON.parse((await runCli(['env', account, '--json', ...args], started.state)).output) as Record<string, string>;

  test('tells package, approval, metrics, commit, steps', () => {
    expect(started.output()).toMatch(
      /package\s+arn:aws:sagemaker:eu-west-1:111122223333:model-package\/abalone-p-[0-9a-f]{12}\/1/,
    );
    expect(started.output()).toMatch(/approval\s+Approved/);
    expect(started.output()).toMatch(/metrics\s+mse 4\.720/);
    expect(started.output()).toMatch(/commit\s+[0-9a-f]{40}/);
    expect(started.output()).toMatch(/steps\s+.*Preprocess.*Train.*Evaluate.*Register/);
  });

  test('fits a screen', () => {
    const lines = started.output().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    // The package's ARN is to be copied whole; everything else keeps to a hundred columns.
    expect(lines.filter((line) => line.length > 100 && !line.includes('arn:') && !line.includes('/'))).toEqual([]);
  });

  test('is what README.md shows as a recorded run, up to ids, times and folders', () => {
    /** Without what differs from run to run, and without the ends of lines, which a longer folder moves. */
    const constant = (text: string) =>
      text
        .replaceAll(started.state, '.sagemaker-mlops')
        .replace(/[0-9a-f]{7,40}/g, 'ID')
        .replace(/\d+(\.\d+)?/g, 'N')
        .replace(/\s+/g, ' ')
        .trim();
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, recorded] = /\$ npm start -- --once --yes\n([\s\S]*?)\n```/.exec(readme)!;
    // Staying up it adds how to ask an endpoint.
    const [shown] = started.output().split('\n  Ask ');
    expect(constant(shown!)).toBe(constant(recorded!));
  });

  test('nothing in the process tree listened on anything but 127.0.0.1', () => {
    expect(foreign).toEqual([]);
    // The platform, moto and a model server for each account were seen: the sample was no empty one.
    expect(onLoopback.size).toBeGreaterThanOrEqual(5);
  });

  test('boto3, the AWS CLI and SDK v3 describe every ARN that was told, with fields equal to those in the summaries', async () => {
    const runs = join(started.state, 'github/runs');
    const summaries = readdirSync(runs, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(join(runs, name), 'utf8'));
    const told = [started.output(), ...summaries].join('\n');
    const arns = [...new Set(told.match(/arn:aws:(?:sagemaker|cloudformation):[\w:./-]+/g))].sort();
    const kinds = arns.map((arn) => (arn.includes('/execution/') ? 'execution' : arn.split(/[:/]/)[5]!));
    expect(kinds.sort()).toEqual(['execution', 'model-package', 'pipeline', 'stack', 'stack', 'stack']);
    const text = summaries.join('\n');
    for (const account of new Set(arns.map((arn) => arn.split(':')[4]!))) {
      const own = arns.filter((arn) => arn.includes(`:${account}:`));
      const env = { ...pythonEnvironment(), ...toolsEnvironment(started.state), ...(await variables(account)) };
      const { stdout } = await execute(await testPython(), [join(import.meta.dirname, 'describe.py'), ...own], { env });
      const boto = JSON.parse(stdout) as Record<string, any>[];
      for (const [index, arn] of own.entries()) {
        const answers = [boto[index]!, await describedByCli(arn, env), await describedBySdk(arn, env)];
        for (const answer of answers) {
          // Whatever it is, it is the thing of that name, and what the summary says about it.
          expect(Object.values(answer)).toContain(arn);
          for (const field of ['ModelApprovalStatus', 'PipelineExecutionStatus', 'StackStatus'])
            expect(answer[field]).toEqual(answers[0]![field]);
          if (answer['PipelineExecutionStatus'] !== undefined)
            expect(text).toContain(`(started, ${answer['PipelineExecutionStatus']})`);
          if (answer['ModelApprovalStatus'] !== undefined) {
            expect(text).toContain(`Model gate: ${answer['ModelApprovalStatus']}`);
            const { commit, 'gate-artifact-sha256': sha256 } = answer['CustomerMetadataProperties'];
            for (const value of [commit, sha256]) expect(text).toContain(value);
            expect(text).toContain(answer['InferenceSpecification'].Containers[0].ModelDataUrl);
            expect(started.output()).toContain(answer['ApprovalDescription'].slice(0, 60));
          }
          if (answer['StackStatus'] !== undefined) expect(answer['StackStatus']).toBe('CREATE_COMPLETE');
        }
      }
    }
  }, 90_000);

  test('the printed command invokes the endpoint with the user’s own AWS CLI', async () => {
    const printed = /echo [\d.,]+ \|\n[\s\S]*?; echo\n/.exec(started.output())![0];
    // Node's own pipes are sockets, which cannot be opened as /dev/stderr; a shell's can.
    const { stdout } = await execute('bash', ['-c', `{ ${printed}} 2>&1 | cat`], {
      cwd: started.state,
      env: { ...toolsEnvironment(started.state), ...(await variables('production-2')) },
    });
    // The answer and nothing else, in a line of its own.
    expect(stdout).toMatch(/^\d+\.\d+\n$/);
  }, 60_000);

  test('status shows package and run', async () => {
    const { code, output } = await runCli(['status'], started.state);
    expect(code).toBe(0);
    expect(output).toMatch(/1\s+Approved/);
    expect(output).toMatch(/Model\s+push\s+success/);
  }, 30_000);

  test('a push without changes is told so, and a mistyped command gets its name suggested', async () => {
    const nothing = await runCli(['push'], started.state);
    expect(nothing.code).toBe(1);
    expect(nothing.output).toMatch(/Nothing has changed in .*project/);
    const mistyped = await runCli(['stauts'], started.state);
    expect(mistyped.code).toBe(2);
    expect(mistyped.output).toContain('Did you mean "status"?');
  }, 30_000);

  test('a push of another configuration is followed to its end', async () => {
    const file = join(started.state, 'project/model-deploy/stages/production.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('instance-count: 2', 'instance-count: 3'));
    const { code, output } = await runCli(['push', '-m', 'A third instance'], started.state);
    expect(output).toMatch(/Pushed [0-9a-f]{7} "A third instance" to acme\/abalone/);
    expect(output).toMatch(/production \/ Deploy to production[\s\S]*Succeeded\./);
    expect(output).not.toMatch(/Preprocess|Train/);
    expect(code).toBe(0);
  }, 60_000);

  test('a second start in the same state folder is refused in one sentence', async () => {
    const { code, output } = await runCli(['local', '--port', '0'], started.state);
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain('runs already');
  }, 30_000);

  test('SIGTERM ends everything that was started', async () => {
    const tree = processTree(started.child.pid!);
    expect(tree.length).toBeGreaterThan(1);
    started.child.kill('SIGTERM');
    await started.ended;
    expect(await survivors(tree, 5000)).toEqual([]);
    expect(existsSync(join(started.state, 'platform.json'))).toBe(false);
  }, 30_000);
});

test('SIGKILL of the parent leaves no process behind', async () => {
  const state = temporaryState();
  const started = startCli(['local', '--port', '0'], { state });
  await started.printed('answers at');
  // moto is there before it is killed: an S3 call needs it.
  const { output } = await runCli(['env', 'development', '--json'], state);
  await execute('aws', ['s3api', 'list-buckets'], {
    env: { ...toolsEnvironment(state), ...JSON.parse(output) },
  });
  const tree = processTree(started.child.pid!);
  expect(tree.length).toBeGreaterThan(1);
  started.child.kill('SIGKILL');
  await started.ended;
  expect(await survivors(tree, 10_000)).toEqual([]);
  started.remove();
}, 90_000);

test('SIGKILL of npm leaves no process behind', async () => {
  const state = temporaryState();
  const npm = spawn('npm', ['start', '--', '--once', '--yes', '--port', '0'], {
    cwd: root,
    env: { ...process.env, SAGEMAKER_MLOPS_STATE: state, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => {
    // The endpoint of staging is in service then.
    npm.stdout.on('data', (chunk: Buffer) => chunk.toString().includes('staging / Deploy to staging') && resolve());
  });
  const tree = processTree(npm.pid!);
  // npm, the command, moto, a model server.
  expect(tree.length).toBeGreaterThan(3);
  npm.kill('SIGKILL');
  expect(await survivors(tree, 15_000)).toEqual([]);
  rmSync(state, { recursive: true, force: true });
}, 90_000);

test('a busy port is one sentence that says what to do', async () => {
  const first = startCli(['local', '--port', '0']);
  await first.printed('answers at');
  const { port } = JSON.parse(readFileSync(join(first.state, 'platform.json'), 'utf8')) as { port: number };
  const second = startCli(['local', '--port', String(port)]);
  expect((await second.ended).code).toBe(1);
  expect(second.output().trim().split('\n')).toHaveLength(1);
  expect(second.output()).toMatch(new RegExp(`${port}.*--port`));
  first.child.kill('SIGINT');
  await first.ended;
  expect(alive(first.child.pid!)).toBe(false);
  first.remove();
  second.remove();
}, 90_000);

test('every file that docs/architecture.md names exists', () => {
  const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const names = [
    ...text.matchAll(
      /`((?:actions|src|local|cli|workflows|\.github|templates|seed-code|schemas|scripts|dist|test|bench)\/[\w./-]*[\w/-])`/g,
    ),
  ].map((match) => match[1]!);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});
