import type { Partition } from '../aws/partition.ts';
import { FailureError } from '../failure.ts';
import { didYouMean } from '../github/suggest.ts';
import type { Definition } from '../stacksets/model.ts';
import { summarizeTemplate } from '../stacksets/template.ts';
import { type Project, roleArn, roleName, stackSetName } from './names.ts';
import type { Stage } from './stage-file.ts';

export interface DefinitionInput {
  project: Project;
  stage: Stage;
  stageFile: string;
  packageArn: string;
  templateFile: string;
  templateBody: string;
  adminAccount: string;
  partition: Partition;
}

/** The parameter by which a template takes the model; without it the stack set could not tell which model a stage runs. */
export const packageParameter = 'ModelPackageName';

/** Tags by which our own stack sets are told from everybody else's. */
export function ownershipTags(project: Project, stage: string): Record<string, string> {
  return {
    'sagemaker:project-name': project.name,
    'sagemaker:project-id': project.id,
    'sagemaker:deployment-stage': stage,
  };
}

/** What the stack set of a stage should be. Throws InvalidTemplate, InvalidConfiguration. */
export function buildDefinition(input: DefinitionInput): Definition {
  const { project, stage, templateFile } = input;
  const summary = summarizeTemplate(templateFile, input.templateBody);
  const declared = Object.keys(summary.parameters);
  if (!declared.includes(packageParameter)) {
    throw new FailureError({
      code: 'InvalidTemplate',
      resource: templateFile,
      cause: `The template has no parameter ${packageParameter}, so it could not get the model`,
      hint: `Declare ${packageParameter} and use it as ModelPackageName of the model's container`,
    });
  }
  const unknown = Object.keys(stage.parameters).filter((name) => !declared.includes(name));
  if (unknown.length > 0) {
    throw new FailureError(
      unknown.map((name) => ({
        code: 'InvalidConfiguration' as const,
        resource: input.stageFile,
        logicalId: name,
        cause: `${input.stageFile}: parameters.${name} is no parameter of the template ${templateFile}${didYouMean(name, declared)}`,
      })),
    );
  }
  const contract = `sagemaker-${project.name}-${project.id}-${stage.name}`;
  const known: Record<string, string> = {
    SageMakerProjectName: project.name,
    SageMakerProjectId: project.id,
    EnvType: stage.name,
    ExecutionRoleName: roleName(project, 'model'),
    EndpointInstanceType: stage.instanceType,
    EndpointInstanceCount: String(stage.instanceCount),
    SageMakerSubnetIds: `${contract}-subnet-ids`,
    SageMakerSecurityGroupIds: `${contract}-security-group-ids`,
    ...stage.parameters,
    [packageParameter]: input.packageArn,
  };
  const missing = declared.filter((name) => known[name] === undefined && summary.parameters[name] === undefined);
  if (missing.length > 0) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: input.stageFile,
      cause: `The template ${templateFile} needs the parameters ${missing.join(', ')}, which have neither a default nor a value`,
      hint: `Give them under parameters: in ${input.stageFile}`,
    });
  }
  return {
    name: stackSetName(project, stage.name),
    description: `Endpoints of the project ${project.name}, stage ${stage.name}`,
    templateBody: input.templateBody,
    parameters: Object.fromEntries(declared.map((name) => [name, known[name] ?? summary.parameters[name] ?? ''])),
    tags: { ...stage.tags, ...ownershipTags(project, stage.name) },
    administrationRoleArn: roleArn(input.partition, input.adminAccount, project, 'stackset-administration'),
    executionRoleName: roleName(project, 'execution'),
    capabilities: summary.capabilities,
  };
}
