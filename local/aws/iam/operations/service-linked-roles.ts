import { AwsError } from '../../core/errors.ts';
import type { Operation } from '../../core/service.ts';
import { type Role, uniqueId } from '../store.ts';
import { accountOf, type IamState, invalidInput } from './common.ts';
import { describeRole } from './roles.ts';

/** Names of service-linked roles, by service; other services' are not known here and are refused. */
const roleNames: Record<string, string> = {
  'sagemaker.application-autoscaling.amazonaws.com': 'AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint',
  'member.org.stacksets.cloudformation.amazonaws.com': 'AWSServiceRoleForCloudFormationStackSetsOrgMember',
  'stacksets.cloudformation.amazonaws.com': 'AWSServiceRoleForCloudFormationStackSetsOrgAdmin',
  'organizations.amazonaws.com': 'AWSServiceRoleForOrganizations',
};

const pathOf = (service: string) => `/aws-service-role/${service}/`;

/** Roles that only their service may assume, change and delete. */
export function serviceLinkedRoleOperations(state: IamState): Record<string, Operation> {
  return {
    CreateServiceLinkedRole: {
      mutating: true,
      authorize: ({ AWSServiceName: service }: { AWSServiceName: string }, call) => [
        {
          action: 'iam:CreateServiceLinkedRole',
          resources: [`arn:${call.partition}:iam::${call.account}:role${pathOf(service)}${roleNames[service] ?? '*'}`],
          context: { 'iam:AWSServiceName': service },
        },
      ],
      handle(input: { AWSServiceName: string; Description?: string; CustomSuffix?: string }, call) {
        const account = accountOf(state, call);
        const service = input.AWSServiceName;
        const name = Object.hasOwn(roleNames, service) ? roleNames[service] : undefined;
        if (name === undefined) {
          throw invalidInput(
            `Service name ${service} is not known to the local platform as one with a service-linked role. Known: ${Object.keys(roleNames).join(', ')}.`,
          );
        }
        if (input.CustomSuffix !== undefined) throw invalidInput('Custom suffix is not allowed for this service.');
        if (account.roles.has(name.toLowerCase())) {
          throw invalidInput(
            `Service role name ${name} has been taken in this account, please try a different suffix.`,
          );
        }
        const document = {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow' as const, Principal: { Service: service }, Action: 'sts:AssumeRole' }],
        };
        const role: Role = {
          account: account.id,
          name,
          path: pathOf(service),
          id: uniqueId('AROA'),
          arn: `arn:${call.partition}:iam::${account.id}:role${pathOf(service)}${name}`,
          createDate: state.now(),
          ...(input.Description === undefined ? {} : { description: input.Description }),
          maxSessionDuration: 3600,
          trust: { text: JSON.stringify(document), document },
          trustedIds: new Map(),
          inline: new Map(),
          attached: new Set(),
          tags: new Map(),
          linkedService: service,
        };
        account.roles.set(name.toLowerCase(), role);
        return { Role: describeRole(role) };
      },
    },
    DeleteServiceLinkedRole: {
      mutating: true,
      authorize: ({ RoleName }: { RoleName: string }, call) => {
        const role = state.store.roleByName(call.account, RoleName);
        return [
          {
            action: 'iam:DeleteServiceLinkedRole',
            resources: [role?.arn ?? `arn:${call.partition}:iam::${call.account}:role/aws-service-role/*/${RoleName}`],
          },
        ];
      },
      handle({ RoleName }: { RoleName: string }, call) {
        const account = accountOf(state, call);
        const role = account.roles.get(RoleName.toLowerCase());
        if (role?.linkedService === undefined) {
          throw new AwsError('NoSuchEntity', `The service-linked role with name ${RoleName} cannot be found.`, 404);
        }
        account.roles.delete(RoleName.toLowerCase());
        return { DeletionTaskId: `task${role.path}${role.name}/${role.id.toLowerCase()}` };
      },
    },
    GetServiceLinkedRoleDeletionStatus: {
      mutating: false,
      authorize: ({ DeletionTaskId }: { DeletionTaskId: string }, call) => [
        {
          action: 'iam:GetServiceLinkedRoleDeletionStatus',
          resources: [
            `arn:${call.partition}:iam::${call.account}:role/${DeletionTaskId.split('/').slice(1, 4).join('/')}`,
          ],
        },
      ],
      // Nothing of the service can hold the role here, so that a deletion is done when it is asked for.
      handle: () => ({ Status: 'SUCCEEDED' }),
    },
  };
}
