import { appendFile, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { parse, stringify } from 'yaml';
import { defaultWorld } from '../local/aws/core/world.ts';
import type { RunRecord } from '../local/github/types.ts';
import { plain } from '../src/github/summary.ts';
import { accountClients } from './accounts.ts';
import { Control } from './control.ts';
import { UserError } from './errors.ts';
import { makeLocalProject } from './local-project.ts';
import { describePackages, packageMetrics, packageOf } from './packages.ts';
import { type LocalWorld, startLocalWorld } from './platform.ts';
import { commitAndPush, fillPlaceholders, productVersion } from './project.ts';
import { type ProjectState, productDirectory } from './state.ts';
import { copyCommit, copyFolder, emptyProject } from './trial-files.ts';

export interface TrialOptions {
  /** The project to try: its files are copied, nothing in it changes. */
  folder: string;
  /** Build file and gate's rules, relative to the folder. */
  configuration: string;
  rules: string;
  region: string;
  /** Where the world of this trial lives; the caller removes it. */
  stateDirectory: string;
  python: { python: string };
  warn: (message: string) => void;
}

export interface Trial {
  local: LocalWorld;
  project: ProjectState;
  /** Builds and judges the model of the folder, or of a commit of its repository; resolves when its run has ended. */
  run(commit?: string): Promise<RunRecord>;
  /** Puts the model of a run where the one in production stands, so that the gate compares the next one with it. */
  promote(run: RunRecord): Promise<void>;
}

/** How a run of a trial ended: a model that could not be built is none that was judged. */
export type Outcome = 'passed' | 'missed' | 'no model';

export function outcomeOf(run: Pick<RunRecord, 'jobs' | 'conclusion'>): Outcome {
  if (packageOf(run) === undefined) return 'no model';
  return run.conclusion === 'success' ? 'passed' : 'missed';
}

/** Why a run registered no model, in one sentence: what its first failed job said first. */
export function whyNoModel({
  jobs,
  problems,
  conclusion,
}: Pick<RunRecord, 'jobs' | 'problems' | 'conclusion'>): string {
  const [problem] = problems;
  if (problem !== undefined) return `${problem.file}:${problem.line}: ${problem.message}`;
  const failed = jobs.find((job) => job.conclusion === 'failure');
  if (failed === undefined)
    return conclusion === 'success'
      ? 'no step of the pipeline that ran registers one'
      : `the run ended as ${conclusion}`;
  const said = failed.annotations.find(({ level }) => level === 'error')?.message.split('\n')[0];
  return said === undefined ? `the job ${failed.name} failed` : said;
}

/**
 * A world of its own in which the model of a project's folder is built and judged by the workflows and actions that run on
 * GitHub; nothing is deployed, and neither a real account nor a running local platform is touched.
 */
export async function startTrial(options: TrialOptions): Promise<Trial> {
  const { folder, stateDirectory } = options;
  for (const file of [options.configuration, options.rules]) {
    const found = await lstat(join(folder, file)).catch(() => undefined);
    if (found === undefined)
      throw new UserError(`${join(folder, file)} does not exist: give the folder of a project.`, 2);
  }
  const directory = join(stateDirectory, 'project');
  await mkdir(directory, { recursive: true });
  const local = await startLocalWorld({
    world: { ...defaultWorld, region: options.region },
    port: 0,
    stateDirectory,
    python: options.python,
    warn: options.warn,
  });
  try {
    const { project } = await makeLocalProject(local, { stateDirectory, owner: 'acme', name: 'trial', keep: true });
    const workflow = await trialWorkflow(project, options);
    return {
      local,
      project,
      async run(commit) {
        await emptyProject(directory);
        if (commit === undefined) await copyFolder(folder, directory);
        else await copyCommit(folder, commit, directory);
        const file = join(directory, '.github', 'workflows', 'model.yml');
        await mkdir(dirname(file), { recursive: true });
        // The comment makes a commit of the files that the one before had as well.
        await writeFile(file, `# ${commit ?? 'the folder'}\n${workflow}`);
        await commitAndPush(directory, `The model of ${commit ?? 'the folder'}`);
        const [run] = local.github.runs.list(project.repository);
        if (run === undefined) throw new Error('The push started no run of model.yml.');
        return local.github.runs.wait(run.id);
      },
      async promote(run) {
        const { sagemaker } = clientsOf(local, project);
        const model = packageOf(run);
        if (model === undefined) throw new Error('There is no model to promote.');
        await sagemaker.send(
          new UpdateModelPackageCommand({
            ModelPackageArn: model,
            ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' },
          }),
        );
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}

const clientsOf = (local: LocalWorld, { adminAccount, region }: ProjectState) =>
  accountClients(new Control(local.platform), adminAccount, region);

/** The model that this very run registered: the one that it is compared with lies in the same group. */
async function modelOf(local: LocalWorld, project: ProjectState, run: RunRecord) {
  const own = packageOf(run);
  if (own === undefined) return undefined;
  const group = `${project.name}-${project.id}`;
  const packages = await describePackages(clientsOf(local, project), group, 1, [own]);
  return packages.find(({ ModelPackageArn }) => ModelPackageArn === own);
}

/** The build and the gate of workflows/model.yml, as they are; what deploys is left out. */
async function trialWorkflow(project: ProjectState, { configuration, rules }: TrialOptions): Promise<string> {
  const version = await productVersion(productDirectory);
  const text = await readFile(join(productDirectory, 'workflows', 'model.yml'), 'utf8');
  const { jobs, ...rest } = parse(
    fillPlaceholders(text, {
      projectName: project.name,
      projectId: project.id,
      region: project.region,
      adminAccount: project.adminAccount,
      stagingAccounts: [],
      productionAccounts: [],
      productRepository: 'sagemaker-mlops/sagemaker-mlops',
      productCommit: version.commit,
      productVersion: version.version,
    }),
  ) as { jobs: Record<'build' | 'gate', { with: Record<string, unknown> }> };
  const { build, gate } = jobs;
  return stringify({
    ...rest,
    on: { push: { branches: ['main'] } },
    jobs: {
      build: { ...build, with: { ...build.with, configuration, rules, stages: 'none' } },
      gate: { ...gate, with: { ...gate.with, rules } },
    },
  });
}

/** What the registry says about the run's model: its metrics and the gate's verdict; why there is none when it registered none. */
export async function trialVerdict({ local, project }: Trial, run: RunRecord): Promise<string[]> {
  const clients = clientsOf(local, project);
  const model = await modelOf(local, project, run);
  if (model === undefined) return [`model     none was registered: ${whyNoModel(run)}`];
  const metrics = Object.entries(await packageMetrics(clients, model)).map(
    ([name, value]) =>
      `${name
        .split('.')
        .filter((part) => part !== 'value')
        .slice(1)
        .join(' ')} ${Number(value.toPrecision(5))}`,
  );
  return [
    `metrics   ${metrics.join(', ')}`,
    `gate      ${model.ModelApprovalStatus}: ${model.ApprovalDescription ?? ''}`,
  ];
}

/** The last lines that a failed job of SageMaker printed, as the failed job of the run repeats them. */
export async function failedLines({ local }: Trial, run: RunRecord): Promise<string[]> {
  const lines: string[] = [];
  for (const job of run.jobs.filter(({ conclusion }) => conclusion === 'failure')) {
    const text = await readFile(join(local.github.runs.directory(run.id), job.log), 'utf8').catch(() => '');
    lines.push(...[...text.matchAll(/^\S+Z \| (.*)$/gm)].map(([, line]) => line!));
  }
  return lines.slice(-20);
}

/**
 * Appends what the trial's jobs told to a file of Markdown, the gate first: GitHub's job summary, for one. `champion` says which
 * model stood for the one in production.
 */
export async function writeTrialSummary(
  file: string,
  { local }: Trial,
  run: RunRecord,
  champion: string,
): Promise<void> {
  const outcome = outcomeOf(run);
  const titles = {
    passed: 'the model passes its gate',
    missed: 'the model does not pass',
    'no model': 'no model was registered',
  };
  const parts = [
    `# Local run: ${titles[outcome]}`,
    ...(outcome === 'no model' ? [`Nothing could be judged: ${plain(whyNoModel(run))}`] : []),
    `Trained and judged on this machine by a local AWS: no account was used and nothing is deployed. ${champion}`,
  ];
  for (const job of [...run.jobs].reverse()) {
    const text = await readFile(join(local.github.runs.directory(run.id), job.summary), 'utf8').catch(() => '');
    // The console of the real AWS knows nothing of what ran here.
    parts.push(text.trim().replaceAll(/\[(?:(<code>.*?<\/code>)|console)\]\(https:[^)]*\)/g, '$1'));
  }
  for (const problem of run.problems) parts.push(`- ${problem.file}:${problem.line}: ${problem.message}`);
  await appendFile(file, `${parts.filter((part) => part !== '').join('\n\n')}\n\n`);
}
