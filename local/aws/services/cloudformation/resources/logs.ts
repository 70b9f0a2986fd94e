import {
  AssociateKmsKeyCommand,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DisassociateKmsKeyCommand,
  type LogGroupClass,
  PutRetentionPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { arnOf, type ResourceHandler, type Tag, tagChanges, unlessGone } from './handler.ts';
import { generatedName } from './names.ts';

function tagMap(tags: Tag[] | undefined): Record<string, string> | undefined {
  return tags === undefined ? undefined : Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

export const logGroup: ResourceHandler = {
  nameProperty: 'LogGroupName',
  fixed: ['LogGroupClass'],
  unsupported: [
    'DataProtectionPolicy',
    'FieldIndexPolicies',
    'ResourcePolicyDocument',
    'DeletionProtectionEnabled',
    'BearerTokenAuthenticationEnabled',
  ],
  async create(request) {
    const { properties, clients } = request;
    const logGroupName: string = properties['LogGroupName'] ?? generatedName(request, 512);
    await clients.logs.send(
      new CreateLogGroupCommand({
        logGroupName,
        kmsKeyId: properties['KmsKeyId'],
        logGroupClass: properties['LogGroupClass'] as LogGroupClass | undefined,
        tags: tagMap(properties['Tags']),
      }),
    );
    const state = {
      physicalId: logGroupName,
      attributes: { Arn: arnOf(request, 'logs', `log-group:${logGroupName}:*`) },
    };
    request.initiated(state);
    const retentionInDays = properties['RetentionInDays'];
    if (retentionInDays !== undefined) {
      await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
    }
    return state;
  },
  async update(request) {
    const { properties, previous, clients, physicalId, attributes, changed } = request;
    const logGroupName = physicalId;
    if (changed.has('RetentionInDays')) {
      const retentionInDays = properties['RetentionInDays'];
      await (retentionInDays === undefined
        ? clients.logs.send(new DeleteRetentionPolicyCommand({ logGroupName }))
        : clients.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays })));
    }
    if (changed.has('KmsKeyId')) {
      const kmsKeyId = properties['KmsKeyId'];
      await (kmsKeyId === undefined
        ? clients.logs.send(new DisassociateKmsKeyCommand({ logGroupName }))
        : clients.logs.send(new AssociateKmsKeyCommand({ logGroupName, kmsKeyId })));
    }
    const resourceArn = arnOf(request, 'logs', `log-group:${logGroupName}`);
    const { set, remove } = tagChanges(previous['Tags'], properties['Tags']);
    if (set.length > 0) await clients.logs.send(new TagResourceCommand({ resourceArn, tags: tagMap(set) }));
    if (remove.length > 0) await clients.logs.send(new UntagResourceCommand({ resourceArn, tagKeys: remove }));
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(['ResourceNotFoundException'], () =>
      clients.logs.send(new DeleteLogGroupCommand({ logGroupName: physicalId })),
    );
  },
};
