import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentSettings } from '../local/github/types.ts';
import { Control } from './control.ts';
import { deployEnvironment, stageAccounts, stages } from './environment.ts';
import { defaultEnvironments } from './github-environments.ts';
import type { LocalWorld } from './platform.ts';
import { initializeRepository, productVersion, projectIdOf, writeProject } from './project.ts';
import { type ProjectState, productDirectory } from './state.ts';

/** What the callers' placeholder OWNER/REPO becomes on this machine: mapped to this checkout. */
const productRepository = 'sagemaker-mlops/sagemaker-mlops';

export interface LocalProjectOptions {
  /** The state folder; the working clone goes to its `project` folder (or `folder`). */
  stateDirectory: string;
  owner: string;
  name: string;
  /** Keep the working files of the last start. */
  keep?: boolean;
  environments?: readonly EnvironmentSettings[];
  folder?: string;
}

/** Repository, environments and AWS side of a project: what a platform engineer sets up once. Nothing is pushed yet. */
export async function makeLocalProject(
  local: LocalWorld,
  options: LocalProjectOptions,
): Promise<{ project: ProjectState; stacks: number }> {
  const { github, platform } = local;
  const { world } = platform.context;
  const { owner, name } = options;
  const admin = world.accounts.find(({ admin }) => admin === true)!;
  const directory = join(options.stateDirectory, options.folder ?? 'project');
  if (options.keep !== true) await rm(directory, { recursive: true, force: true });

  github.mapRepository(productRepository, productDirectory);
  const repository = await github.createRepository({ owner, name, defaultBranch: 'main' });
  for (const settings of options.environments ?? defaultEnvironments) {
    github.createEnvironment(repository.fullName, settings);
  }
  const project: ProjectState = {
    name,
    id: projectIdOf(repository.id),
    repository: repository.fullName,
    repositoryId: repository.id,
    directory,
    region: world.region,
    adminAccount: admin.id,
  };
  const stacks = await deployEnvironment(new Control(platform), {
    templates: join(productDirectory, 'templates'),
    region: world.region,
    project,
    repository: { owner, ownerId: repository.ownerId, name, id: repository.id, defaultBranch: 'main' },
    productRepository,
    accounts: world.accounts,
  });
  if (options.keep !== true) {
    const version = await productVersion(productDirectory);
    await writeProject(productDirectory, directory, {
      projectName: project.name,
      projectId: project.id,
      region: world.region,
      adminAccount: admin.id,
      stagingAccounts: stageAccounts(world.accounts, stages[0].name),
      productionAccounts: stageAccounts(world.accounts, stages[1].name),
      productRepository,
      productCommit: version.commit,
      productVersion: version.version,
    });
  }
  await initializeRepository(directory, repository.gitDirectory, 'main');
  await local.setProject(project);
  return { project, stacks };
}
