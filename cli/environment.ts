import { join } from 'node:path';
import { accountClients } from './accounts.ts';
import type { Control } from './control.ts';
import { createStack } from './stacks.ts';

export interface EnvironmentRequest {
  region: string;
  project: { name: string; id: string };
  repository: { owner: string; ownerId: number; name: string; id: number; defaultBranch: string };
  productRepository: string;
  accounts: { id: string; name: string; admin?: boolean }[];
  /** Pattern of the roles that may become data scientist, where the template's default does not fit. */
  dataScientistPrincipal?: string;
}

/** Stages in the order of promotion, with the lifecycle words that the registry uses. */
export const stages = [
  { name: 'staging', lifecycle: 'Staging' },
  { name: 'production', lifecycle: 'Production' },
] as const;

/** An account belongs to the stage whose name it starts with: production-1, production-2, ... */
export function stageAccounts(accounts: EnvironmentRequest['accounts'], stage: string): string[] {
  return accounts.filter(({ name }) => name === stage || name.startsWith(`${stage}-`)).map(({ id }) => id);
}

export interface PlannedStack {
  account: string;
  name: string;
  /** File name below templates/, without its ending. */
  template: string;
  parameters: Record<string, string>;
  tags: Record<string, string>;
  /** The account has one for all its projects (GitHub's OIDC provider): taken as it is when another project made it. */
  shared: boolean;
}

/** Stands for the output KeyArn of the project's stack, which is known once that is deployed. */
export const projectKey = '{KeyArn}';

export const projectStackName = ({ name, id }: EnvironmentRequest['project']) => `sagemaker-${name}-${id}-project`;

/**
 * What a platform engineer deploys on AWS, in three steps whose order matters: what the accounts have one of and the project; its
 * roles in the admin account; the roles of every target account (their trust names roles that must exist first). The local
 * platform and the script of `init` are made of this one list.
 */
export function planEnvironment(request: EnvironmentRequest): PlannedStack[][] {
  const { project, repository } = request;
  const admin = request.accounts.find(({ admin }) => admin === true)!.id;
  const targets = stages.flatMap((stage) =>
    stageAccounts(request.accounts, stage.name).map((account) => ({ account, stage })),
  );
  const accounts = [...new Set(targets.map(({ account }) => account))];
  const TargetAccounts = accounts.join(',');
  const identity = { SageMakerProjectName: project.name, SageMakerProjectId: project.id };
  const key = { KeyArn: projectKey };
  const github = {
    GitHubOwner: repository.owner,
    GitHubOwnerId: String(repository.ownerId),
    GitHubRepository: repository.name,
    GitHubRepositoryId: String(repository.id),
    DefaultBranch: repository.defaultBranch,
    ProductRepository: request.productRepository,
  };
  const scientists =
    request.dataScientistPrincipal === undefined ? {} : { DataScientistPrincipal: request.dataScientistPrincipal };
  const tags = { 'sagemaker:project-name': project.name, 'sagemaker:project-id': project.id };
  const shared = (account: string, template: string): PlannedStack => ({
    account,
    name: `sagemaker-mlops-${template}`,
    template,
    parameters: {},
    tags: {},
    shared: true,
  });
  const own = (account: string, template: string, parameters: Record<string, string>, suffix = ''): PlannedStack => ({
    account,
    name: `sagemaker-${project.name}-${project.id}-${template}${suffix}`,
    template,
    parameters: { ...identity, ...parameters },
    tags,
    shared: false,
  });
  return [
    [
      own(admin, 'project', { TargetAccounts }),
      shared(admin, 'oidc-provider'),
      ...[...new Set([admin, ...accounts])].map((account) => shared(account, 'removal-role')),
    ],
    [
      own(admin, 'project-roles', { ...key, ...github, ...scientists }),
      own(admin, 'stack-set-administration', { TargetAccounts }),
      own(admin, 'cleanup-role', { ...key, ...github, TargetAccounts }),
      ...stages
        .filter((stage) => targets.some((target) => target.stage === stage))
        .map(({ name: Stage, lifecycle: LifecycleStage }) => {
          const TargetAccounts = stageAccounts(request.accounts, Stage).join(',');
          return own(admin, 'deploy-role', { ...key, ...github, Stage, LifecycleStage, TargetAccounts }, `-${Stage}`);
        }),
    ],
    targets.map(({ account, stage }) =>
      own(account, 'target-roles', { ...key, EnvType: stage.name, AdminAccountId: admin }),
    ),
  ];
}

/** Deploys the plan on the local platform from the product's `templates` folder, a step at a time. Resolves to the number of stacks. */
export async function deployEnvironment(
  control: Control,
  { templates, ...request }: EnvironmentRequest & { templates: string },
): Promise<number> {
  const { region } = request;
  // The local accounts have no IAM Identity Center, whose roles the template lets in.
  const plan = planEnvironment({ dataScientistPrincipal: 'role/OrganizationAccountAccessRole', ...request });
  let keyArn = '';
  for (const step of plan) {
    const outputs = await Promise.all(
      step.map(({ account, template, ...stack }) =>
        createStack(
          accountClients(control, account, region).cloudformation,
          { account, region },
          {
            ...stack,
            template: join(templates, `${template}.yml`),
            parameters: Object.fromEntries(
              Object.entries(stack.parameters).map(([name, value]) => [name, value === projectKey ? keyArn : value]),
            ),
          },
        ),
      ),
    );
    keyArn ||= outputs[0]?.['KeyArn'] ?? '';
  }
  return plan.flat().length;
}
