import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DeleteStackInstancesCommand,
  DeleteStackSetCommand,
  DescribeStackSetOperationCommand,
  UpdateStackInstancesCommand,
  UpdateStackSetCommand,
} from '@aws-sdk/client-cloudformation';
import {
  InvalidRequestError,
  NotStabilizedError,
  type Properties,
  type ResourceHandler,
  type ResourceRequest,
  unlessGone,
} from './handler.ts';

/** Virtual time between two looks at a stack set operation. */
const pollMilliseconds = 5_000;

interface Group {
  Accounts: string[];
  Regions: string[];
  ParameterOverrides?: { ParameterKey: string; ParameterValue: string }[];
}

type Waiting = Pick<ResourceRequest, 'clients' | 'clock' | 'signal'>;

function groupsOf(properties: Properties): Group[] {
  return ((properties['StackInstancesGroup'] ?? []) as Properties[]).map((group) => {
    const targets: Properties = group['DeploymentTargets'];
    if (targets['OrganizationalUnitIds'] !== undefined || targets['AccountsUrl'] !== undefined) {
      throw new InvalidRequestError('StackInstancesGroup of a SELF_MANAGED stack set takes Accounts only.');
    }
    return {
      Accounts: targets['Accounts'] ?? [],
      Regions: group['Regions'],
      ...(group['ParameterOverrides'] === undefined ? {} : { ParameterOverrides: group['ParameterOverrides'] }),
    };
  });
}

function setInput(properties: Properties): Properties {
  const { StackInstancesGroup: _, OperationPreferences: __, CallAs: ___, ...input } = properties;
  return input;
}

async function finished(request: Waiting, StackSetName: string, OperationId: string | undefined): Promise<void> {
  for (;;) {
    const { StackSetOperation } = await request.clients.cloudformation.send(
      new DescribeStackSetOperationCommand({ StackSetName, OperationId }),
    );
    const status = StackSetOperation?.Status;
    if (status === 'SUCCEEDED') return;
    if (status === 'FAILED' || status === 'STOPPED') {
      throw new NotStabilizedError(
        `Stack set operation ${OperationId} was unexpectedly stopped or failed: ${StackSetOperation?.StatusReason ?? status}`,
      );
    }
    await request.clock.sleep(pollMilliseconds, request.signal);
  }
}

async function addGroups(
  request: Waiting,
  StackSetName: string,
  groups: Group[],
  OperationPreferences: object | undefined,
) {
  for (const group of groups) {
    const { OperationId } = await request.clients.cloudformation.send(
      new CreateStackInstancesCommand({ StackSetName, ...group, OperationPreferences }),
    );
    await finished(request, StackSetName, OperationId);
  }
}

async function removeGroups(request: Waiting, StackSetName: string, groups: Group[]) {
  for (const { Accounts, Regions } of groups) {
    const { OperationId } = await request.clients.cloudformation.send(
      new DeleteStackInstancesCommand({ StackSetName, Accounts, Regions, RetainStacks: false }),
    );
    await finished(request, StackSetName, OperationId);
  }
}

function pairs(groups: Group[]): Set<string> {
  return new Set(
    groups.flatMap(({ Accounts, Regions }) =>
      Accounts.flatMap((account) => Regions.map((region) => `${account}/${region}`)),
    ),
  );
}

/** The parts of `groups` that `others` do not cover, one group per region. */
function without(groups: Group[], others: Group[]): Group[] {
  const covered = pairs(others);
  return groups.flatMap((group) =>
    group.Regions.map((region) => ({
      ...group,
      Regions: [region],
      Accounts: group.Accounts.filter((account) => !covered.has(`${account}/${region}`)),
    })).filter(({ Accounts }) => Accounts.length > 0),
  );
}

/** AWS::CloudFormation::StackSet with SELF_MANAGED permissions. */
export const stackSet: ResourceHandler = {
  nameProperty: 'StackSetName',
  unsupported: ['AutoDeployment'],
  async create(request) {
    const { properties, clients } = request;
    const StackSetName: string = properties['StackSetName'];
    const { StackSetId } = await clients.cloudformation.send(
      new CreateStackSetCommand({ ...setInput(properties), StackSetName }),
    );
    const state = { physicalId: StackSetId!, attributes: { StackSetId: StackSetId! } };
    request.initiated(state);
    await addGroups(request, StackSetName, groupsOf(properties), properties['OperationPreferences']);
    return state;
  },
  async update(request) {
    const { properties, previous, clients, physicalId, attributes, changed } = request;
    const StackSetName: string = properties['StackSetName'];
    const { OperationPreferences } = properties;
    const before = groupsOf(previous);
    const after = groupsOf(properties);
    await removeGroups(request, StackSetName, without(before, after));
    const definition = [...changed].some((name) => name !== 'StackInstancesGroup' && name !== 'OperationPreferences');
    if (definition) {
      const { OperationId } = await clients.cloudformation.send(
        new UpdateStackSetCommand({ ...setInput(properties), StackSetName, OperationPreferences }),
      );
      await finished(request, StackSetName, OperationId);
    }
    await addGroups(request, StackSetName, without(after, before), OperationPreferences);
    if (changed.has('StackInstancesGroup')) {
      for (const group of after) {
        const { OperationId } = await clients.cloudformation.send(
          new UpdateStackInstancesCommand({
            StackSetName,
            ...group,
            ParameterOverrides: group.ParameterOverrides ?? [],
            OperationPreferences,
          }),
        );
        await finished(request, StackSetName, OperationId);
      }
    }
    return { physicalId, attributes };
  },
  async delete(request) {
    const { properties, clients } = request;
    const StackSetName: string = properties['StackSetName'];
    await unlessGone(['StackSetNotFoundException'], async () => {
      await removeGroups(request, StackSetName, groupsOf(properties));
      await clients.cloudformation.send(new DeleteStackSetCommand({ StackSetName }));
    });
  },
};
