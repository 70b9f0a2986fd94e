import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  type OriginType,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms';
import { type Properties, policyText, type ResourceHandler, type Tag, tagChanges, unlessGone } from './handler.ts';

function kmsTags(tags: Tag[] | undefined): { TagKey: string; TagValue: string }[] | undefined {
  return tags?.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));
}

async function setRotation(kms: KMSClient, KeyId: string, properties: Properties): Promise<void> {
  if (properties['EnableKeyRotation'] === true) {
    const RotationPeriodInDays = properties['RotationPeriodInDays'];
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }));
  } else {
    await kms.send(new DisableKeyRotationCommand({ KeyId }));
  }
}

export const key: ResourceHandler = {
  // "If you change the value of ... the update request fails" (AWS::KMS::Key in the template reference).
  fixed: ['KeySpec', 'KeyUsage', 'Origin', 'MultiRegion'],
  async create({ properties, clients, initiated }) {
    const { KeyMetadata } = await clients.kms.send(
      new CreateKeyCommand({
        ...(properties['KeyPolicy'] === undefined ? {} : { Policy: policyText(properties['KeyPolicy']) }),
        Description: properties['Description'] ?? '',
        KeySpec: properties['KeySpec'] as KeySpec | undefined,
        KeyUsage: properties['KeyUsage'] as KeyUsageType | undefined,
        Origin: properties['Origin'] as OriginType | undefined,
        MultiRegion: properties['MultiRegion'],
        BypassPolicyLockoutSafetyCheck: properties['BypassPolicyLockoutSafetyCheck'],
        Tags: kmsTags(properties['Tags']),
      }),
    );
    const physicalId = KeyMetadata!.KeyId!;
    const state = { physicalId, attributes: { Arn: KeyMetadata!.Arn!, KeyId: physicalId } };
    initiated(state);
    if (properties['EnableKeyRotation'] === true) await setRotation(clients.kms, physicalId, properties);
    if (properties['Enabled'] === false) await clients.kms.send(new DisableKeyCommand({ KeyId: physicalId }));
    return state;
  },
  async update({ properties, previous, clients, physicalId, attributes, changed }) {
    const KeyId = physicalId;
    const { kms } = clients;
    if (changed.has('KeyPolicy') && properties['KeyPolicy'] !== undefined) {
      const Policy = policyText(properties['KeyPolicy']);
      const BypassPolicyLockoutSafetyCheck = properties['BypassPolicyLockoutSafetyCheck'];
      await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy, BypassPolicyLockoutSafetyCheck }));
    }
    if (changed.has('Description')) {
      await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: properties['Description'] ?? '' }));
    }
    if (changed.has('Enabled')) {
      await (properties['Enabled'] === false
        ? kms.send(new DisableKeyCommand({ KeyId }))
        : kms.send(new EnableKeyCommand({ KeyId })));
    }
    if (changed.has('EnableKeyRotation') || changed.has('RotationPeriodInDays'))
      await setRotation(kms, KeyId, properties);
    const { set, remove } = tagChanges(previous['Tags'], properties['Tags']);
    if (set.length > 0) await kms.send(new TagResourceCommand({ KeyId, Tags: kmsTags(set) }));
    if (remove.length > 0) await kms.send(new UntagResourceCommand({ KeyId, TagKeys: remove }));
    return { physicalId, attributes };
  },
  async delete({ properties, clients, physicalId }) {
    // KMSInvalidStateException: the key waits for its deletion already.
    await unlessGone(['NotFoundException', 'KMSInvalidStateException'], () =>
      clients.kms.send(
        new ScheduleKeyDeletionCommand({
          KeyId: physicalId,
          PendingWindowInDays: properties['PendingWindowInDays'] ?? 30,
        }),
      ),
    );
  },
};

export const alias: ResourceHandler = {
  nameProperty: 'AliasName',
  async create({ properties, clients, initiated }) {
    const AliasName: string = properties['AliasName'];
    await clients.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: properties['TargetKeyId'] }));
    const state = { physicalId: AliasName, attributes: {} };
    initiated(state);
    return state;
  },
  async update({ properties, clients, physicalId, attributes }) {
    await clients.kms.send(new UpdateAliasCommand({ AliasName: physicalId, TargetKeyId: properties['TargetKeyId'] }));
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    await unlessGone(['NotFoundException'], () => clients.kms.send(new DeleteAliasCommand({ AliasName: physicalId })));
  },
};
