/** A local world with a project in it, as `start` makes both, and what tests of whole runs ask of them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeStackSetCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeModelPackageCommand,
  type DescribeModelPackageCommandOutput,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { reviewer } from '../../cli/github-environments.ts';
import { makeLocalProject } from '../../cli/local-project.ts';
import { type LocalWorld, startLocalWorld } from '../../cli/platform.ts';
import { commitAndPush } from '../../cli/project.ts';
import type { ProjectState } from '../../cli/state.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import type { CallLogEntry } from '../../local/aws/front/call-log.ts';
import type { JobRecord, ReviewDecision, RunRecord } from '../../local/github/types.ts';
import { ensurePythonEnvironment } from '../../local/python/index.ts';
import { arrange } from '../support/platform.ts';
import { root } from './support.ts';

export const staging = '444455556666';
export const production = ['777788889999', '888899990000'] as const;
export const region = 'eu-west-1';

export interface ProjectWorld {
  local: LocalWorld;
  project: ProjectState;
  /** The state folder. */
  state: string;
  /** Name of group, pipeline and bucket's end: NAME-ID. */
  group: string;
  admin(): ReturnType<LocalWorld['platform']['administrator']>;
  packageArn(version: number): string;
  describePackage(version: number): Promise<DescribeModelPackageCommandOutput>;
  /** How many versions the group has. */
  versions(): Promise<number>;
  artifactSha256(version: number): Promise<string>;
  /** What a stage's stack set has as its package. */
  deployedPackages(stage: string): Promise<string[]>;
  /** Pushes everything that changed and answers with the runs that it started, by workflow file, not yet ended. */
  begin(message: string, of?: ProjectState): Promise<Record<string, RunRecord>>;
  /** The same, ended. */
  push(message: string, of?: ProjectState): Promise<Record<string, RunRecord>>;
  /** Finished calls since a number whose operation fits. */
  operations(since: number, pattern: RegExp): CallLogEntry[];
  close(): Promise<void>;
}

export interface ProjectWorldOptions {
  /** Takes one decision for each job that waits; without it `local.github.decide` has to. */
  decisions?: ReviewDecision['state'][];
}

export async function startProject(options: ProjectWorldOptions = {}): Promise<ProjectWorld> {
  const state = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-project-'));
  const shared = join(root, '.sagemaker-mlops', 'python');
  const python = await ensurePythonEnvironment({ directory: shared, progress: () => {} });
  symlinkSync(shared, join(state, 'python'));
  const { decisions } = options;
  const local = await startLocalWorld({
    world: defaultWorld,
    port: 0,
    stateDirectory: state,
    python,
    warn: () => {},
    ...(decisions === undefined
      ? {}
      : {
          reviewer: async () => {
            const decision = decisions.shift();
            if (decision === undefined) throw new Error('A reviewer was asked although nobody expected it.');
            return { state: decision, user: reviewer, comment: `${decision} in a test` };
          },
        }),
  });
  const { project } = await arrange(local, () =>
    makeLocalProject(local, { stateDirectory: state, owner: 'acme', name: 'abalone' }),
  );
  const group = `${project.name}-${project.id}`;
  const admin = () => local.platform.administrator(project.adminAccount);
  const packageArn = (version: number) =>
    `arn:aws:sagemaker:${region}:${project.adminAccount}:model-package/${group}/${version}`;
  const describePackage = (version: number) =>
    admin().sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: packageArn(version) }));
  const begin = async (message: string, of = project) => {
    const { commit } = await commitAndPush(of.directory, message);
    const started = local.github.runs.list(of.repository).filter(({ sha }) => sha === commit);
    return Object.fromEntries(started.map((run) => [run.path.split('/').at(-1)!, run]));
  };
  return {
    local,
    project,
    state,
    group,
    admin,
    packageArn,
    describePackage,
    versions: async () =>
      (await admin().sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: group })))
        .ModelPackageSummaryList!.length,
    async artifactSha256(version) {
      const { InferenceSpecification } = await describePackage(version);
      const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(InferenceSpecification!.Containers![0]!.ModelDataUrl!)!;
      const { Body } = await admin().s3.send(new GetObjectCommand({ Bucket, Key }));
      return createHash('sha256')
        .update(await Body!.transformToByteArray())
        .digest('hex');
    },
    async deployedPackages(stage) {
      const StackSetName = `sagemaker-${group}-deploy-${stage}`;
      const { StackSet } = await admin().cloudformation.send(new DescribeStackSetCommand({ StackSetName }));
      return StackSet!
        .Parameters!.filter(({ ParameterKey }) => ParameterKey === 'ModelPackageName')
        .map(({ ParameterValue }) => ParameterValue!);
    },
    begin,
    async push(message, of) {
      const runs = await begin(message, of);
      await Promise.all(Object.values(runs).map(({ id }) => local.github.runs.wait(id)));
      return runs;
    },
    operations: (since, pattern) =>
      local.platform.calls.list({ since }).filter(({ operation }) => pattern.test(operation)),
    async close() {
      await local.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

/** Changes a file of a project; a change that changes nothing is a mistake of the test. */
export function edit(project: ProjectState, path: string, change: (text: string) => string): void {
  const file = join(project.directory, path);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`The edit of ${path} changed nothing.`);
  writeFileSync(file, after);
}

/** The job whose name starts so. */
export function job(run: RunRecord, name: string): JobRecord {
  const found = run.jobs.find((one) => one.name.startsWith(name));
  if (found === undefined) throw new Error(`No job ${name} among ${run.jobs.map((one) => one.name).join(', ')}.`);
  return found;
}

/** The error annotations of a job, a line each. */
export const errors = (one: JobRecord): string =>
  one.annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
