/** KMS: keys live in moto; owners, policies, aliases and states that decide about rights are kept here. */
import { formatArn } from '../core/arn.ts';
import type { Authorizer } from '../core/context.ts';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import type { PolicyDocument } from '../core/policy.ts';
import type { AuthorizationRequest, Call, Operation, Service } from '../core/service.ts';
import { callMoto } from '../moto/json-services.ts';
import type { Moto } from '../moto/process.ts';
import { defaultKeyPolicy, type Key, type KeyStore, requireUsable } from './key-store.ts';

type Input = Record<string, any>;

export interface KmsOptions {
  keys: KeyStore;
  moto: Moto;
  authorizer: Authorizer;
}

/** One permission on one key; its policy must allow. */
export function keyRequest(
  action: string,
  key: Key,
  keys: KeyStore,
  call: Pick<Call, 'account' | 'principal' | 'region'>,
  context: AuthorizationRequest['context'] = {},
): AuthorizationRequest {
  // kms:ViaService is regional (sagemaker.eu-west-1.amazonaws.com), the principal's service is not.
  const via = call.principal.viaService?.replace(/^([\w-]+)\.amazonaws\.com/, `$1.${call.region}.amazonaws.com`);
  const aliases = keys.aliasesOf(key);
  return {
    action,
    resources: [key.arn],
    resourcePolicy: key.policy,
    resourceAccount: key.account,
    resourcePolicyRequired: true,
    resourceTags: key.tags,
    context: {
      'kms:CallerAccount': call.account,
      ...(aliases.length > 0 ? { 'kms:ResourceAliases': aliases } : {}),
      ...(via === undefined ? {} : { 'kms:ViaService': via }),
      ...context,
    },
  };
}

export function encryptionContext(context: Record<string, string> | undefined): Record<string, string | string[]> {
  const entries = Object.entries(context ?? {});
  if (entries.length === 0) return {};
  return {
    'kms:EncryptionContextKeys': entries.map(([name]) => name),
    ...Object.fromEntries(entries.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  };
}

const policySizeLimit = 32_768;

export function createKms({ keys, moto, authorizer }: KmsOptions): Service {
  const keyOf = (input: Input, call: Call): Key => keys.resolve(input.KeyId, call);
  const inPlace = (key: Key, operation: string, input: Input) =>
    callMoto(moto, 'kms', operation, { ...input, KeyId: key.id }, key);
  const requireOwn = (key: Key, call: Call) => {
    if (key.account !== call.account) {
      throw new AwsError('AccessDeniedException', `${call.operation} works only on keys of the caller's own account.`);
    }
  };
  const requireCustomer = (key: Key, call: Call) => {
    if (key.managedBy !== undefined) {
      throw new AwsError(
        'AccessDeniedException',
        `${call.operation} does not work on the AWS managed key ${key.managedBy}.`,
      );
    }
  };

  /** An operation on one key that moto carries out as it is. */
  const onKey = (
    mutating: boolean,
    options: { foreign?: boolean; usable?: boolean; after?: (key: Key, input: Input) => void } = {},
  ): Operation<Input> => ({
    mutating,
    authorize(input, call) {
      const key = keyOf(input, call);
      if (options.foreign !== true) requireOwn(key, call);
      const context = {
        ...encryptionContext(input.EncryptionContext),
        ...(String(input.KeyId).startsWith('alias/') ? { 'kms:RequestAlias': input.KeyId as string } : {}),
      };
      return [keyRequest(`kms:${call.operation}`, key, keys, call, context)];
    },
    async handle(input, call) {
      const key = keyOf(input, call);
      if (options.usable === true) requireUsable(key);
      if (mutating) requireCustomer(key, call);
      const output = await inPlace(key, call.operation, input);
      options.after?.(key, input);
      return output.KeyId === undefined ? output : { ...output, KeyId: key.arn };
    },
  });

  const parsePolicy = (text: string): PolicyDocument => {
    if (text.length > policySizeLimit) {
      throw new AwsError('LimitExceededException', `A key policy has at most ${policySizeLimit} bytes.`);
    }
    let policy: PolicyDocument;
    try {
      policy = authorizer.parse(text);
    } catch (error) {
      throw new AwsError('MalformedPolicyDocumentException', error instanceof Error ? error.message : String(error));
    }
    if (authorizer.unknownPrincipal(policy) === undefined) return policy;
    throw new AwsError(
      'MalformedPolicyDocumentException',
      'Policy contains a statement with one or more invalid principals.',
    );
  };
  /** KMS refuses a policy under which the caller could not mend it. */
  const checkLockOut = (key: Pick<Key, 'arn' | 'account'>, policy: PolicyDocument, input: Input, call: Call) => {
    if (input.BypassPolicyLockoutSafetyCheck === true) return;
    const { decision } = authorizer.decide(
      call.principal,
      {
        action: 'kms:PutKeyPolicy',
        resources: [key.arn],
        resourcePolicy: policy,
        resourceAccount: key.account,
        resourcePolicyRequired: true,
        context: { 'kms:CallerAccount': call.account },
      },
      call,
    );
    if (decision !== 'allow') {
      throw new AwsError(
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      );
    }
  };

  const aliasArn = (name: string, call: Call) => formatArn('kms', call.region, call.account, name);
  const decryptionKey = (input: Input): Key => {
    // moto's ciphertext starts with the key's id; AWS's carries it too, in a form of its own.
    const id = Buffer.from(input.CiphertextBlob ?? [])
      .subarray(0, 36)
      .toString('latin1');
    const key = keys.byId(id);
    if (key === undefined)
      throw new AwsError('InvalidCiphertextException', 'The ciphertext is not one of this platform.');
    return key;
  };

  const operations: Record<string, Operation<Input>> = {
    CreateKey: {
      mutating: true,
      authorize: (input, call) => [
        {
          action: 'kms:CreateKey',
          resources: ['*'],
          requestTags: tagsOf(input.Tags),
          context: {
            'kms:CallerAccount': call.account,
            'kms:BypassPolicyLockoutSafetyCheck': input.BypassPolicyLockoutSafetyCheck === true,
          },
        },
        ...(input.Tags?.length > 0
          ? [{ action: 'kms:TagResource', resources: ['*'], requestTags: tagsOf(input.Tags) }]
          : []),
      ],
      async handle({ Policy, ...input }, call) {
        for (const name of ['CustomKeyStoreId', 'XksKeyId', 'MultiRegion']) {
          if (input[name]) throw new NotImplementedError(`${name} of kms:CreateKey`);
        }
        const policy = Policy === undefined ? defaultKeyPolicy(call.partition, call.account) : parsePolicy(Policy);
        const pending = formatArn('kms', call.region, call.account, 'key/new');
        if (Policy !== undefined) checkLockOut({ arn: pending, account: call.account }, policy, input, call);
        const output = await callMoto(moto, 'kms', 'CreateKey', input, call);
        const id = output.KeyMetadata.KeyId as string;
        keys.add({
          id,
          arn: output.KeyMetadata.Arn,
          account: call.account,
          region: call.region,
          policyText: Policy ?? JSON.stringify(policy, null, 2),
          policy,
          state: 'Enabled',
          tags: tagsOf(input.Tags),
          managedBy: undefined,
        });
        return output;
      },
    },
    DescribeKey: {
      ...onKey(false, { foreign: true }),
      async handle(input, call) {
        const key = keyOf(input, call);
        if (key.managedBy === undefined) return inPlace(key, 'DescribeKey', input);
        return {
          KeyMetadata: {
            AWSAccountId: key.account,
            KeyId: key.id,
            Arn: key.arn,
            Enabled: true,
            Description: `Default key that protects my S3 objects when no other key is defined`,
            KeyUsage: 'ENCRYPT_DECRYPT',
            KeyState: 'Enabled',
            Origin: 'AWS_KMS',
            KeyManager: 'AWS',
            KeySpec: 'SYMMETRIC_DEFAULT',
            EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
            MultiRegion: false,
          },
        };
      },
    },
    GetKeyPolicy: {
      ...onKey(false),
      handle: (input, call) => ({ Policy: keyOf(input, call).policyText, PolicyName: 'default' }),
    },
    PutKeyPolicy: {
      ...onKey(true),
      handle(input, call) {
        const key = keyOf(input, call);
        requireCustomer(key, call);
        const policy = parsePolicy(input.Policy);
        checkLockOut(key, policy, input, call);
        key.policy = policy;
        key.policyText = input.Policy;
        return {};
      },
    },
    ListKeyPolicies: { ...onKey(false), handle: () => ({ PolicyNames: ['default'], Truncated: false }) },
    EnableKey: onKey(true, { after: (key) => setState(key, 'Enabled') }),
    DisableKey: onKey(true, { after: (key) => setState(key, 'Disabled') }),
    ScheduleKeyDeletion: onKey(true, { after: (key) => setState(key, 'PendingDeletion') }),
    CancelKeyDeletion: onKey(true, { after: (key) => setState(key, 'Disabled') }),
    EnableKeyRotation: onKey(true),
    DisableKeyRotation: onKey(true),
    GetKeyRotationStatus: onKey(false, { foreign: true }),
    UpdateKeyDescription: onKey(true),
    ListResourceTags: onKey(false),
    TagResource: onKey(true, { after: (key, input) => Object.assign(key.tags, tagsOf(input.Tags)) }),
    UntagResource: onKey(true, {
      after: (key, input) => {
        for (const name of input.TagKeys) delete key.tags[name];
      },
    }),
    Encrypt: onKey(true, { foreign: true, usable: true }),
    GenerateDataKey: onKey(true, { foreign: true, usable: true }),
    GenerateDataKeyWithoutPlaintext: onKey(true, { foreign: true, usable: true }),
    Decrypt: {
      mutating: false,
      authorize(input, call) {
        const key = decryptionKey(input);
        if (input.KeyId !== undefined && keyOf(input, call) !== key) {
          throw new AwsError(
            'IncorrectKeyException',
            'The key ID in the request does not identify the key that encrypted this.',
          );
        }
        return [keyRequest('kms:Decrypt', key, keys, call, encryptionContext(input.EncryptionContext))];
      },
      async handle(input) {
        const key = decryptionKey(input);
        requireUsable(key);
        return { ...(await inPlace(key, 'Decrypt', input)), KeyId: key.arn };
      },
    },
    ListKeys: listing(moto, 'ListKeys'),
    ListAliases: {
      ...listing(moto, 'ListAliases'),
      async handle(input, call) {
        const output = await callMoto(moto, 'kms', 'ListAliases', input, call);
        // moto lists aliases of AWS managed keys that no service of this account has used.
        const used = ({ AliasName }: { AliasName: string }) =>
          !AliasName.startsWith('alias/aws/') || keys.alias(call, AliasName) !== undefined;
        return { ...output, Aliases: (output.Aliases ?? []).filter(used) };
      },
    },
    CreateAlias: {
      mutating: true,
      authorize(input, call) {
        const key = keys.resolve(input.TargetKeyId, call);
        requireOwn(key, call);
        return [
          { action: 'kms:CreateAlias', resources: [aliasArn(input.AliasName, call)] },
          keyRequest('kms:CreateAlias', key, keys, call),
        ];
      },
      async handle(input, call) {
        const key = keys.resolve(input.TargetKeyId, call);
        const output = await callMoto(moto, 'kms', 'CreateAlias', { ...input, TargetKeyId: key.id }, call);
        keys.setAlias(call, input.AliasName, key.id);
        return output;
      },
    },
    UpdateAlias: {
      mutating: true,
      authorize(input, call) {
        const previous = keys.resolve(input.AliasName, call);
        const key = keys.resolve(input.TargetKeyId, call);
        requireOwn(key, call);
        return [
          { action: 'kms:UpdateAlias', resources: [aliasArn(input.AliasName, call)] },
          keyRequest('kms:UpdateAlias', previous, keys, call),
          keyRequest('kms:UpdateAlias', key, keys, call),
        ];
      },
      async handle(input, call) {
        const key = keys.resolve(input.TargetKeyId, call);
        const output = await callMoto(moto, 'kms', 'UpdateAlias', { ...input, TargetKeyId: key.id }, call);
        keys.setAlias(call, input.AliasName, key.id);
        return output;
      },
    },
    DeleteAlias: {
      mutating: true,
      authorize(input, call) {
        const key = keys.resolve(input.AliasName, call);
        return [
          { action: 'kms:DeleteAlias', resources: [aliasArn(input.AliasName, call)] },
          keyRequest('kms:DeleteAlias', key, keys, call),
        ];
      },
      async handle(input, call) {
        const output = await callMoto(moto, 'kms', 'DeleteAlias', input, call);
        keys.removeAlias(call, input.AliasName);
        return output;
      },
    },
  };
  return { id: 'kms', operations };
}

function listing(moto: Moto, operation: string): Operation<Input> {
  return {
    mutating: false,
    authorize: () => [{ action: `kms:${operation}`, resources: ['*'] }],
    handle: (input, call) => callMoto(moto, 'kms', operation, input, call),
  };
}

function setState(key: Key, state: Key['state']): void {
  key.state = state;
}

function tagsOf(tags: { TagKey: string; TagValue: string }[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}
