import { parseArn } from '../../../core/arn.ts';
import type { PlatformContext } from '../../../core/context.ts';
import { AwsError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call } from '../../../core/service.ts';
import { messageOf, validationError } from '../errors.ts';
import { limits, type Template } from '../template/template.ts';
import type { Tag } from './model.ts';
import { serviceName } from './rights.ts';

export const stackNamePattern = /^[a-zA-Z][-a-zA-Z0-9]{0,127}$/;

/** ARN of a stack for permissions: the real one when it exists, else with a wildcard for the unknown id, as AWS shows it. */
export function stackResource(call: Call, nameOrId: string | undefined, existing: string | undefined): string {
  if (existing !== undefined) return existing;
  if (nameOrId?.startsWith('arn:')) return nameOrId;
  return `arn:${call.partition}:cloudformation:${call.region}:${call.account}:stack/${nameOrId ?? '*'}/*`;
}

/** The condition key that every action with a role for CloudFormation knows (service authorization reference). */
export function roleContext(roleArn: string | undefined): Record<string, string> {
  return roleArn === undefined ? {} : { 'cloudformation:RoleArn': roleArn };
}

/** PassRole for a role that CloudFormation is to assume. */
export function passRole(roleArn: string | undefined): AuthorizationRequest[] {
  if (roleArn === undefined) return [];
  return [{ action: 'iam:PassRole', resources: [roleArn], context: { 'iam:PassedToService': serviceName } }];
}

export function tagRecord(tags: Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** Checks tags of a request. Throws ValidationError. */
export function readTags(tags: { Key?: string | undefined; Value?: string | undefined }[] | undefined): Tag[] {
  const list = (tags ?? []).map(({ Key, Value }) => ({ Key: Key ?? '', Value: Value ?? '' }));
  if (list.length > limits.tags)
    throw validationError(`Tags: ${list.length} tags are more than the ${limits.tags} allowed`);
  const seen = new Set<string>();
  for (const { Key, Value } of list) {
    if (Key === '' || Key.length > 128) throw validationError(`Tag key "${Key}" must have 1 to 128 characters`);
    if (Key.toLowerCase().startsWith('aws:'))
      throw validationError(`Tag key ${Key} is reserved: keys may not begin with aws:`);
    if (Value.length > 256) throw validationError(`Value of tag ${Key} is longer than 256 characters`);
    if (seen.has(Key)) throw validationError(`Duplicate tag keys found: ${Key}`);
    seen.add(Key);
  }
  return list;
}

/** The S3 bucket and key that a template URL names: virtual-hosted, path style, or the local endpoint. */
export function parseTemplateUrl(text: string): { bucket: string; key: string; version?: string } {
  const refuse = (): never => {
    throw validationError(`TemplateURL must be a supported URL: ${text} names no S3 object.`);
  };
  if (!URL.canParse(text)) refuse();
  const url = new URL(text);
  const path = decodeURIComponent(url.pathname.slice(1));
  const version = url.searchParams.get('versionId');
  const suffix = version === null ? {} : { version };
  const hosted = /^(.+)\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?$/.exec(url.hostname);
  if (hosted !== null) return { bucket: hosted[1]!, key: path, ...suffix };
  const pathStyle =
    /^s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?$/.test(url.hostname) || url.hostname === '127.0.0.1';
  const slash = path.indexOf('/');
  if (!pathStyle || slash < 1 || slash === path.length - 1) refuse();
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), ...suffix };
}

export interface TemplateSource {
  TemplateBody?: string | undefined;
  TemplateURL?: string | undefined;
}

/**
 * The template's text: from the request, or read from S3 with the caller's own rights. Bodies that `isDistributed`
 * knows may be longer than a request's: stack sets hand on templates that they once read from a URL.
 */
export async function templateText(
  context: PlatformContext,
  source: TemplateSource,
  call: Call,
  isDistributed: (body: string) => boolean = () => false,
): Promise<string | undefined> {
  const { TemplateBody, TemplateURL } = source;
  if (TemplateBody !== undefined && TemplateURL !== undefined) {
    throw validationError('Specify either TemplateBody or TemplateURL, not both.');
  }
  if (TemplateBody !== undefined) {
    if (TemplateBody.length === 0) throw validationError('Template body must not be empty.');
    if (Buffer.byteLength(TemplateBody) > limits.bodyBytes && !isDistributed(TemplateBody)) {
      throw validationError(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${limits.bodyBytes}`,
      );
    }
    return TemplateBody;
  }
  if (TemplateURL === undefined) return undefined;
  const { bucket, key, version } = parseTemplateUrl(TemplateURL);
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { issuedAt: _, ...principal } = call.principal;
  const session = context.sessions.issue({ ...principal, viaService: serviceName }, 900);
  let text: string;
  try {
    const { s3 } = context.clients(session.credentials, call.region);
    const object = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(version === undefined ? {} : { VersionId: version }) }),
    );
    text = (await object.Body?.transformToString()) ?? '';
  } catch (error) {
    throw validationError(`S3 error: ${messageOf(error)} (template s3://${bucket}/${key})`);
  }
  if (Buffer.byteLength(text) > limits.urlBytes) {
    throw validationError(`Template may not exceed ${limits.urlBytes} bytes in size.`);
  }
  return text;
}

const namedProperties: Record<string, string> = {
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Role': 'RoleName',
};

/** What a template needs to be acknowledged, with the reason, as GetTemplateSummary tells. */
export function requiredCapabilities(template: Template): { capabilities: string[]; reason: string | undefined } {
  const iam = Object.values(template.resources).filter(({ type }) =>
    ['AWS::IAM::ManagedPolicy', 'AWS::IAM::Policy', 'AWS::IAM::Role', 'AWS::IAM::RolePolicy'].includes(type),
  );
  const nested = Object.values(template.resources).filter(({ type }) => type === 'AWS::CloudFormation::Stack');
  if (iam.length === 0 && nested.length === 0) return { capabilities: [], reason: undefined };
  const types = [...new Set([...iam, ...nested].map(({ type }) => type))].join(', ');
  const named = iam.some(({ type, properties }) => {
    const property = namedProperties[type];
    return property !== undefined && (properties as Record<string, unknown>)[property] !== undefined;
  });
  const capabilities = iam.length === 0 ? ['CAPABILITY_IAM'] : [named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'];
  return { capabilities, reason: `The following resource(s) require capabilities: [${types}]` };
}

/** Throws InsufficientCapabilitiesException when the request acknowledges too little. */
export function checkCapabilities(template: Template, given: readonly string[] | undefined): void {
  for (const capability of given ?? []) {
    if (!['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'].includes(capability)) {
      throw validationError(`Unknown capability ${capability}`);
    }
  }
  const missing = requiredCapabilities(template).capabilities.filter(
    (capability) =>
      !(given ?? []).includes(capability) &&
      !(capability === 'CAPABILITY_IAM' && (given ?? []).includes('CAPABILITY_NAMED_IAM')),
  );
  if (missing.length > 0) {
    throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${missing.join(', ')}]`);
  }
}

export function requireRoleArn(roleArn: string | undefined): void {
  if (roleArn !== undefined && parseArn(roleArn)?.service !== 'iam') {
    throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  }
}
