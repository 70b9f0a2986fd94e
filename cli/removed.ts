import { GetRoleCommand } from '@aws-sdk/client-iam';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { accountClients } from './accounts.ts';
import type { Control } from './control.ts';
import { UserError } from './errors.ts';
import type { ProjectState } from './state.ts';

export interface Removed {
  /** model-cleanup with delete-roles: no job can assume a role any more. */
  roles: boolean;
  /** model-cleanup with delete-project: bucket, key and group are gone. */
  project: boolean;
}

/** What model-cleanup has taken of the project itself, asked of its account. */
export async function removedParts(
  control: Control,
  { name, id, adminAccount, region }: ProjectState,
): Promise<Removed> {
  const { iam, s3 } = accountClients(control, adminAccount, region);
  const gone = async (call: Promise<unknown>, ...codes: string[]): Promise<boolean> => {
    try {
      await call;
      return false;
    } catch (error) {
      // Any other trouble is for the run to tell; it must not keep a push from starting.
      return codes.includes((error as Error).name);
    }
  };
  const [roles, project] = await Promise.all([
    gone(iam.send(new GetRoleCommand({ RoleName: `sagemaker-${name}-${id}-ci-build` })), 'NoSuchEntityException'),
    gone(s3.send(new HeadBucketCommand({ Bucket: `sm-mlops-cp-${name}-${id}` })), 'NotFound', 'NoSuchBucket'),
  ]);
  return { roles, project };
}

export const beginAnew = 'Ctrl-C in the terminal of "npm start", then "npm start" makes a new one';

/** Throws a UserError when the project's workflows have nothing left to work with. */
export async function refuseRemoved(control: Control, project: ProjectState): Promise<void> {
  const { roles, project: whole } = await removedParts(control, project);
  if (!roles && !whole) return;
  throw new UserError(
    `model-cleanup has removed ${whole ? 'the project' : "the project's roles"} ${project.repository} from its accounts, so no workflow can do anything: ${beginAnew}.`,
  );
}
