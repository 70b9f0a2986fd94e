/** What the front itself keeps about KMS keys: to which account a key belongs, its policy, its aliases, whether it can be used. */
import { createHash } from 'node:crypto';
import { formatArn, parseArn } from '../core/arn.ts';
import { AwsError } from '../core/errors.ts';
import type { PolicyDocument } from '../core/policy.ts';

export interface Key {
  id: string;
  arn: string;
  account: string;
  region: string;
  policyText: string;
  policy: PolicyDocument;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  tags: Record<string, string>;
  /** aws/s3: used through S3 by its own account only, administered by nobody. */
  managedBy: string | undefined;
}

interface Place {
  account: string;
  region: string;
}

export class KeyStore {
  readonly #keys = new Map<string, Key>();
  /** "ACCOUNT REGION alias/NAME" -> key id */
  readonly #aliases = new Map<string, string>();

  add(key: Key): void {
    this.#keys.set(key.id, key);
  }

  byId(id: string): Key | undefined {
    return this.#keys.get(id);
  }

  setAlias(place: Place, name: string, keyId: string): void {
    this.#aliases.set(`${place.account} ${place.region} ${name}`, keyId);
  }

  removeAlias(place: Place, name: string): void {
    this.#aliases.delete(`${place.account} ${place.region} ${name}`);
  }

  alias(place: Place, name: string): string | undefined {
    return this.#aliases.get(`${place.account} ${place.region} ${name}`);
  }

  aliasesOf(key: Key): string[] {
    const prefix = `${key.account} ${key.region} `;
    return [...this.#aliases].flatMap(([name, id]) =>
      id === key.id && name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
    );
  }

  /**
   * A key by id, ARN, alias or alias ARN, seen from an account and region. Throws NotFoundException; a key of another
   * account is found by ARN only, as on AWS.
   */
  resolve(reference: string, place: Place): Key {
    const key = this.find(reference, place);
    if (key !== undefined) return key;
    const kind = reference.includes('alias/') ? 'Alias' : 'Key';
    const text = reference.startsWith('arn:')
      ? reference
      : formatArn('kms', place.region, place.account, kind === 'Key' ? `key/${reference}` : reference);
    throw new AwsError(
      'NotFoundException',
      kind === 'Key' ? `Key '${text}' does not exist` : `Alias ${text} is not found.`,
    );
  }

  find(reference: string, place: Place): Key | undefined {
    let { account, region } = place;
    let name = reference;
    if (reference.startsWith('arn:')) {
      const arn = parseArn(reference);
      if (arn === undefined || arn.service !== 'kms')
        throw new AwsError('InvalidArnException', `Invalid arn ${reference}`);
      if (arn.region !== region)
        throw new AwsError('NotFoundException', `Invalid keyId '${reference}': it is not in ${region}`);
      account = arn.account;
      region = arn.region;
      name = arn.resource.replace(/^key\//, '');
    }
    if (name === 'alias/aws/s3') return this.managed('s3', { account, region });
    const id = name.startsWith('alias/') ? this.alias({ account, region }, name) : name;
    const key = id === undefined ? undefined : this.#keys.get(id);
    return key?.account === account && key.region === region ? key : undefined;
  }

  /** The key that AWS keeps for a service in every account, such as aws/s3. */
  managed(service: string, { account, region }: Place): Key {
    const digest = createHash('sha256').update(`${account} ${region} aws/${service}`).digest('hex');
    const id = [8, 4, 4, 4, 12].reduce(
      ({ parts, at }, length) => ({ parts: [...parts, digest.slice(at, at + length)], at: at + length }),
      { parts: [] as string[], at: 0 },
    );
    const keyId = id.parts.join('-');
    let key = this.#keys.get(keyId);
    if (key === undefined) {
      const policy: PolicyDocument = {
        Version: '2012-10-17',
        Id: `auto-${service}-2`,
        Statement: [
          {
            Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
            Resource: '*',
            Condition: {
              StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com`, 'kms:CallerAccount': account },
            },
          },
          {
            Sid: 'Allow direct access to key metadata to the account',
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${account}:root` },
            Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
            Resource: '*',
          },
        ],
      };
      key = {
        id: keyId,
        arn: formatArn('kms', region, account, `key/${keyId}`),
        account,
        region,
        policyText: JSON.stringify(policy),
        policy,
        state: 'Enabled',
        tags: {},
        managedBy: `aws/${service}`,
      };
      this.#keys.set(keyId, key);
      this.setAlias({ account, region }, `alias/aws/${service}`, keyId);
    }
    return key;
  }
}

/** What KMS gives a key without a policy of its own: the account may hand out rights by IAM. */
export function defaultKeyPolicy(partition: string, account: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  };
}

/** A key that is disabled or about to be deleted refuses to encrypt and decrypt. */
export function requireUsable(key: Key): void {
  if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  if (key.state === 'PendingDeletion')
    throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
}
