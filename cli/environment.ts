import { join } from 'node:path';
import { accountClients } from './accounts.ts';
import type { Control } from './control.ts';
import { createStack } from './stacks.ts';

export interface EnvironmentRequest {
  /** Folder with the product's templates. */
  templates: string;
  region: string;
  project: { name: string; id: string };
  repository: { owner: string; ownerId: number; name: string; id: number; defaultBranch: string };
  productRepository: string;
  accounts: { id: string; name: string; admin?: boolean }[];
  /** The account has GitHub's OIDC provider already, by another project. */
  providerExists?: boolean;
}

/** Stages in the order of promotion, with the lifecycle words that the registry uses. */
export const stages = [
  { name: 'staging', lifecycle: 'Staging' },
  { name: 'production', lifecycle: 'Production' },
] as const;

/** One stack in an account for all its projects. */
const sharedTemplates = ['oidc-provider', 'removal-role'];

/** An account belongs to the stage whose name it starts with: production-1, production-2, ... */
export function stageAccounts(accounts: EnvironmentRequest['accounts'], stage: string): string[] {
  return accounts.filter(({ name }) => name === stage || name.startsWith(`${stage}-`)).map(({ id }) => id);
}

/**
 * Deploys what a platform engineer deploys on AWS, by the same files and in the same order: what the accounts have one of, the project,
 * its roles and the stack-set administration in the admin account, then the roles of every target account (their trust names
 * roles that must exist first). Resolves to the number of stacks.
 */
export async function deployEnvironment(control: Control, request: EnvironmentRequest): Promise<number> {
  const { region, project, repository } = request;
  const admin = request.accounts.find(({ admin }) => admin === true)!;
  const targets = stages.flatMap((stage) =>
    stageAccounts(request.accounts, stage.name).map((account) => ({ account, stage })),
  );
  const targetAccounts = [...new Set(targets.map(({ account }) => account))];
  const identity = { SageMakerProjectName: project.name, SageMakerProjectId: project.id };
  const github = {
    GitHubOwner: repository.owner,
    GitHubOwnerId: String(repository.ownerId),
    GitHubRepository: repository.name,
    GitHubRepositoryId: String(repository.id),
    DefaultBranch: repository.defaultBranch,
    ProductRepository: request.productRepository,
  };
  const tags = { 'sagemaker:project-name': project.name, 'sagemaker:project-id': project.id };
  let stacks = 0;
  const create = async (account: string, template: string, parameters: Record<string, string>, suffix = '') => {
    const outputs = await createStack(
      accountClients(control, account, region).cloudformation,
      { account, region },
      {
        name: sharedTemplates.includes(template)
          ? `sagemaker-mlops-${template}`
          : `sagemaker-${project.name}-${project.id}-${template}${suffix}`,
        template: join(request.templates, `${template}.yml`),
        parameters,
        tags,
        shared: sharedTemplates.includes(template),
      },
    );
    stacks += 1;
    return outputs;
  };

  const [projectOutputs] = await Promise.all([
    create(admin.id, 'project', { ...identity, TargetAccounts: targetAccounts.join(',') }),
    ...(request.providerExists === true ? [] : [create(admin.id, 'oidc-provider', {})]),
    ...[...new Set([admin.id, ...targetAccounts])].map((account) => create(account, 'removal-role', {})),
  ]);
  const key = { KeyArn: projectOutputs['KeyArn']! };
  await Promise.all([
    create(admin.id, 'project-roles', {
      ...identity,
      ...key,
      ...github,
      DataScientistPrincipal: 'role/OrganizationAccountAccessRole',
    }),
    create(admin.id, 'stack-set-administration', { ...identity, TargetAccounts: targetAccounts.join(',') }),
    create(admin.id, 'cleanup-role', {
      ...identity,
      ...key,
      ...github,
      TargetAccounts: targetAccounts.join(','),
    }),
    ...stages
      .filter((stage) => targets.some((target) => target.stage === stage))
      .map((stage) =>
        create(
          admin.id,
          'deploy-role',
          {
            ...identity,
            ...key,
            ...github,
            Stage: stage.name,
            LifecycleStage: stage.lifecycle,
            TargetAccounts: stageAccounts(request.accounts, stage.name).join(','),
          },
          `-${stage.name}`,
        ),
      ),
  ]);
  await Promise.all(
    targets.map(({ account, stage }) =>
      create(account, 'target-roles', {
        ...identity,
        ...key,
        EnvType: stage.name,
        AdminAccountId: admin.id,
      }),
    ),
  );
  return stacks;
}
