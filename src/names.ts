import type { Partition } from './aws/partition.ts';
import { type Failure, FailureError } from './failure.ts';

/** Who a project is: name and id give the names of everything that belongs to it. */
export interface Project {
  name: string;
  /** `p-` and twelve characters. */
  id: string;
}

export interface ProjectNames {
  /** Group and pipeline. */
  base: string;
  bucket: string;
  keyAlias: string;
  /** ARN of one of the project's roles in an account. */
  role(account: string, suffix: string, partition: Partition): string;
}

/** Tags of everything that belongs to the project. */
export function projectTags(project: Project): Record<string, string> {
  return { 'sagemaker:project-name': project.name, 'sagemaker:project-id': project.id };
}

/**
 * The names of a project's resources. Throws InvalidInput when one would be longer than AWS allows (bucket 63, role 64): a name
 * cut off would be another's.
 */
export function namesOf(project: Project): ProjectNames {
  const base = `${project.name}-${project.id}`;
  const bucket = `sm-mlops-cp-${base}`.toLowerCase();
  const problems: Failure[] = [];
  const budget = (name: string, limit: number, what: string) => {
    if (name.length > limit) {
      problems.push({
        code: 'InvalidInput',
        resource: 'project-name',
        cause: `Input \`project-name\` is too long: ${what} ${name} has ${name.length} characters, at most ${limit} are allowed`,
      });
    }
  };
  budget(bucket, 63, 'the bucket');
  budget(`sagemaker-${base}-data-scientist`, 64, 'the role');
  if (problems.length > 0) throw new FailureError(problems);
  return {
    base,
    bucket,
    keyAlias: `alias/sagemaker-${base}`,
    role: (account, suffix, partition) => `arn:${partition}:iam::${account}:role/sagemaker-${base}-${suffix}`,
  };
}
