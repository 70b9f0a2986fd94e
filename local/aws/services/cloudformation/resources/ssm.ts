import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  type ParameterTier,
  type ParameterType,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-ssm';
import { arnOf, type Properties, type ResourceHandler, type Tag, tagChanges, unlessGone } from './handler.ts';
import { randomText } from './names.ts';

function tagList(tags: Record<string, string> | undefined): Tag[] | undefined {
  return tags === undefined ? undefined : Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function input(Name: string, properties: Properties) {
  return {
    Name,
    Type: properties['Type'] as ParameterType,
    Value: properties['Value'],
    Description: properties['Description'],
    AllowedPattern: properties['AllowedPattern'],
    Tier: properties['Tier'] as ParameterTier | undefined,
    Policies: properties['Policies'],
    DataType: properties['DataType'],
  };
}

export const parameter: ResourceHandler = {
  nameProperty: 'Name',
  async create(request) {
    const { properties, clients } = request;
    const Name: string = properties['Name'] ?? `CFN-${request.logicalId}-${randomText(12)}`;
    await clients.ssm.send(new PutParameterCommand({ ...input(Name, properties), Tags: tagList(properties['Tags']) }));
    const state = {
      physicalId: Name,
      attributes: {
        Type: properties['Type'],
        Value: properties['Value'],
        Arn: arnOf(request, 'ssm', `parameter/${Name.replace(/^\//, '')}`),
      },
    };
    request.initiated(state);
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    if ([...changed].some((name) => name !== 'Tags')) {
      await clients.ssm.send(new PutParameterCommand({ ...input(physicalId, properties), Overwrite: true }));
    }
    const { set, remove } = tagChanges(tagList(previous['Tags']), tagList(properties['Tags']));
    const target = { ResourceType: 'Parameter' as const, ResourceId: physicalId };
    if (set.length > 0) await clients.ssm.send(new AddTagsToResourceCommand({ ...target, Tags: set }));
    if (remove.length > 0) await clients.ssm.send(new RemoveTagsFromResourceCommand({ ...target, TagKeys: remove }));
    return { physicalId, attributes: { ...attributes, Type: properties['Type'], Value: properties['Value'] } };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(['ParameterNotFound'], () => clients.ssm.send(new DeleteParameterCommand({ Name: physicalId })));
  },
};
