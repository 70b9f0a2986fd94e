/**
 * The stacks with the project's roles, removed on request. Those of the roles that cleanup itself works in go last: CloudFormation
 * removes them in the account's role `sagemaker-mlops-removal` (templates/removal-role.yml), because a role that removes its own
 * policy has no right left to remove itself.
 */
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { poll } from '../aws/poll.ts';
import type { Aws } from '../aws/session.ts';
import { FailureError } from '../failure.ts';
import type { Target } from '../stacksets/model.ts';
import { type CleanupContext, type Item, isOurs, type Kept, notOurs, type Part } from './part.ts';
import { deleteStack, failedDeletion, listStacks, readStack, startDeletion, stillDeleting } from './stack.ts';
import { inTarget } from './targets.ts';

/** Shared by all projects of an account, like GitHub's OIDC provider; stays when a project goes. */
export const removalRole = 'sagemaker-mlops-removal';

const stackItem = (target: Target, name: string): Item => ({ kind: 'stack', ...target, name });

/** The roles of the GitHub jobs, of SageMaker and of StackSets, all in the account of the registry. */
export async function findRoleStacks(context: CleanupContext): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project, signal } = context;
  const here = { account, region: aws.region };
  const prefix = `sagemaker-${names.base}-`;
  const items: Item[] = [];
  const kept: Kept[] = [];
  const all = (await listStacks(aws, prefix, signal)).map(({ name }) => name);
  for (const name of all.sort()) {
    if (!/^(project-roles|stack-set-administration|deploy-role-.+)$/.test(name.slice(prefix.length))) continue;
    const stack = await readStack(aws, name, signal);
    if (isOurs(project, stack?.Tags)) items.push(stackItem(here, name));
    else if (stack !== undefined) kept.push({ ...stackItem(here, name), because: notOurs(project) });
  }
  return {
    kept,
    part: {
      items,
      about: 'roles of jobs and deployments',
      async remove(record) {
        for (const each of items) await record.attempt(each, () => deleteStack(aws, each, context));
      },
    },
  };
}

/** Sessions of a role that has gone are refused, by AWS's choice with one or the other. */
const lostAccess = (error: unknown) =>
  error instanceof FailureError && ['AccessDenied', 'WrongCredentials'].includes(error.failures[0]?.code ?? '');

/** ARN of the account's removal role; undefined when there is none, or when this job may not know. */
async function findRemovalRole(aws: Aws, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await aws
      .service(IAMClient)
      .send(new GetRoleCommand({ RoleName: removalRole }), { resource: removalRole, signal });
    return answer.Role?.Arn;
  } catch (error) {
    if (error instanceof FailureError && ['AccessDenied', 'NotFound'].includes(error.failures[0]?.code ?? ''))
      return undefined;
    throw error;
  }
}

/**
 * Has CloudFormation delete the stack that holds the role of this very session, and watches for as long as the role lives: the
 * templates have it removed after everything else of its stack. Throws with the cause when the deletion fails.
 */
async function deleteOwnStack(
  aws: Aws,
  item: Item,
  roleArn: string,
  context: CleanupContext,
): Promise<string | undefined> {
  const { clock, signal, deadline } = context;
  const id = await startDeletion(aws, item, context, roleArn);
  if (id === undefined) return undefined;
  const last = await poll({
    async read() {
      try {
        return await readStack(aws, id, signal);
      } catch (error) {
        if (lostAccess(error)) return 'out of sight' as const;
        throw error;
      }
    },
    done: (stack) => stack === undefined || stack === 'out of sight' || stack.StackStatus === 'DELETE_FAILED',
    clock,
    signal,
    deadline,
    onDeadline: (stack) => stillDeleting(item, stack === 'out of sight' ? undefined : stack),
  });
  if (last === 'out of sight') return `removed as the last thing by CloudFormation, in the role ${removalRole}:`;
  if (last !== undefined) throw await failedDeletion(aws, item.name, last, signal);
  return undefined;
}

/**
 * The stacks with the roles that cleanup works in: `target-roles` in every target account, `cleanup-role` in the account of the
 * registry. They are removed only when nothing else is left, because without them nobody could go on. `left` tells of things
 * that could not be looked at.
 */
export async function findOwnRoleStacks(
  targets: readonly Target[],
  left: () => boolean,
  context: CleanupContext,
): Promise<{ part: Part; kept: Kept[] }> {
  const { aws, account, names, project, signal } = context;
  const found: { item: Item; session: Aws; roleArn: string }[] = [];
  const kept: Kept[] = [];
  const look = async (session: Aws, item: Item) => {
    const stack = await readStack(session, item.name, signal);
    if (stack === undefined) return;
    const roleArn = await findRemovalRole(session, signal);
    if (!isOurs(project, stack.Tags)) kept.push({ ...item, because: notOurs(project) });
    else if (roleArn !== undefined) found.push({ item, session, roleArn });
    else {
      const command = `aws cloudformation delete-stack --stack-name ${item.name}`;
      kept.push({
        ...item,
        because: `it holds the role of cleanup, and the account has no role ${removalRole} (removal-role.yml) to remove it with; do it there by hand: ${command}`,
      });
    }
  };
  for (const target of targets)
    await look(inTarget(target, context), {
      ...stackItem(target, `sagemaker-${names.base}-target-roles`),
      note: "with the key of its endpoints' disks, which is then pending deletion for 7 days",
    });
  await look(aws, stackItem({ account, region: aws.region }, `sagemaker-${names.base}-cleanup-role`));
  return {
    kept,
    part: {
      about: 'roles of cleanup, last of all',
      items: found.map(({ item }) => item),
      async remove(record) {
        for (const { item, session, roleArn } of found) {
          if (left() || record.failures.length > 0) {
            record.fail(item, {
              code: 'Conflict',
              cause: `The stack ${item.name} stays, because it holds the role that removes what is left`,
              hint: 'Mend what keeps the rest, then run cleanup again',
            });
            continue;
          }
          await record.attempt(item, () => deleteOwnStack(session, item, roleArn, context));
        }
      },
    },
  };
}
