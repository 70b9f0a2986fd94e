/** Reads the templates and evaluates their functions, so that tests judge the documents that AWS would get. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CollectionTag, parseDocument, type ScalarTag, YAMLMap, YAMLSeq } from 'yaml';

export const templatesFolder = fileURLToPath(new URL('../../templates/', import.meta.url));
export const templateFiles = readdirSync(templatesFolder)
  .filter((name) => name.endsWith('.yml'))
  .sort();

export interface Template {
  Parameters: Record<string, { Type: string; Default?: string; AllowedPattern?: string; MaxLength?: number }>;
  Conditions?: Record<string, unknown>;
  Resources: Record<
    string,
    { Type: string; Condition?: string; Properties: Record<string, unknown> } & Record<string, unknown>
  >;
  Outputs?: Record<string, { Value: unknown }>;
}

const names = ['Ref', 'Condition', 'Sub', 'GetAtt', 'If', 'Equals', 'Not', 'Or', 'And', 'Join', 'Split', 'Select'];
const key = (name: string) => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`);
const tags = names.flatMap((name): (ScalarTag | CollectionTag)[] => [
  { tag: `!${name}`, resolve: (text: string) => ({ [key(name)]: text }) },
  { tag: `!${name}`, collection: 'seq', resolve: (node) => wrap(name, node as YAMLSeq) },
  { tag: `!${name}`, collection: 'map', resolve: (node) => wrap(name, node as YAMLMap) },
]);

function wrap(name: string, node: YAMLSeq | YAMLMap): YAMLMap {
  const map = new YAMLMap();
  const plain = node instanceof YAMLSeq ? new YAMLSeq() : new YAMLMap();
  plain.items = node.items as never;
  map.set(key(name), plain);
  return map;
}

export function readTemplate(file: string): Template {
  const document = parseDocument(readFileSync(path.join(templatesFolder, file), 'utf8'), { customTags: tags });
  if (document.errors.length > 0) throw document.errors[0];
  return document.toJS() as Template;
}

const none = Symbol('AWS::NoValue');

/** The resources of a template with every function evaluated; attributes become ARNs of the type's shape. */
export function evaluate(
  template: Template,
  parameters: Record<string, string>,
  pseudo: Record<string, string> = {},
): Record<string, { Type: string; Properties: Record<string, any> }> {
  const values: Record<string, unknown> = {
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-west-1',
    'AWS::AccountId': '111122223333',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NoValue': none,
    ...pseudo,
  };
  for (const [name, declaration] of Object.entries(template.Parameters)) {
    const value = parameters[name] ?? declaration.Default;
    if (value === undefined) throw new Error(`no value for the parameter ${name}`);
    values[name] = declaration.Type === 'CommaDelimitedList' ? (value === '' ? [] : value.split(',')) : value;
  }

  function attribute(logicalId: string, name: string): string {
    const resource = template.Resources[logicalId];
    if (resource === undefined) throw new Error(`no resource ${logicalId}`);
    const roleName = resource.Properties.RoleName;
    if (resource.Type === 'AWS::IAM::Role')
      return `arn:${values['AWS::Partition']}:iam::${values['AWS::AccountId']}:role/${resolve(roleName)}`;
    if (resource.Type === 'AWS::KMS::Key')
      return `arn:${values['AWS::Partition']}:kms:${values['AWS::Region']}:${values['AWS::AccountId']}:key/${logicalId}`;
    if (resource.Type === 'AWS::S3::Bucket')
      return `arn:${values['AWS::Partition']}:s3:::${resolve(resource.Properties.BucketName)}`;
    return `arn:${values['AWS::Partition']}:${resource.Type.split('::')[1]?.toLowerCase()}:${values['AWS::Region']}:${values['AWS::AccountId']}:${logicalId}/${name}`;
  }

  function reference(name: string): unknown {
    if (name in values) return values[name];
    if (name in template.Resources) return `physical-id-of-${name}`;
    throw new Error(`nothing is called ${name}`);
  }

  function condition(name: string): boolean {
    if (template.Conditions?.[name] === undefined) throw new Error(`no condition ${name}`);
    return resolve(template.Conditions[name]) === true;
  }

  function resolve(node: unknown): unknown {
    if (Array.isArray(node)) return node.map(resolve).filter((item) => item !== none);
    if (node === null || typeof node !== 'object') return node;
    const entries = Object.entries(node);
    if (entries.length === 1) {
      const [name, argument] = entries[0] as [string, any];
      switch (name) {
        case 'Ref':
          return reference(argument);
        case 'Condition':
          if (typeof argument === 'string') return condition(argument);
          break;
        case 'Fn::Sub':
          return String(argument).replace(/\$\{([^}]+)\}/g, (_, inner: string) => {
            const [first, ...rest] = inner.split('.');
            return String(rest.length > 0 ? attribute(first as string, rest.join('.')) : reference(inner));
          });
        case 'Fn::GetAtt': {
          const [logicalId, ...rest] = Array.isArray(argument) ? argument : String(argument).split('.');
          return attribute(logicalId, rest.join('.'));
        }
        case 'Fn::If':
          return resolve(argument[condition(argument[0]) ? 1 : 2]);
        case 'Fn::Equals':
          return JSON.stringify(resolve(argument[0])) === JSON.stringify(resolve(argument[1]));
        case 'Fn::Not':
          return resolve(argument[0]) !== true;
        case 'Fn::Or':
          return argument.some((item: unknown) => resolve(item) === true);
        case 'Fn::And':
          return argument.every((item: unknown) => resolve(item) === true);
        case 'Fn::Join':
          return (resolve(argument[1]) as string[]).join(argument[0]);
        case 'Fn::Split':
          return String(resolve(argument[1])).split(argument[0]);
        case 'Fn::Select':
          return (resolve(argument[1]) as unknown[])[Number(argument[0])];
      }
    }
    return Object.fromEntries(
      entries.map(([name, value]) => [name, resolve(value)]).filter(([, value]) => value !== none),
    );
  }

  return Object.fromEntries(
    Object.entries(template.Resources)
      .filter(([, resource]) => resource.Condition === undefined || condition(resource.Condition))
      .map(([logicalId, resource]) => [
        logicalId,
        resolve(resource) as { Type: string; Properties: Record<string, any> },
      ]),
  );
}

/** Values as long as each parameter allows, for the limits of names and policies. */
export const longest: Record<string, string> = {
  SageMakerProjectName: 'abcdefghij-klmn',
  SageMakerProjectId: 'p-0123456789ab',
  EnvName: 'sm-mlops',
  EnvType: 'production-12',
  Stage: 'production-12',
  LifecycleStage: 'Production-12',
  KeyArn: 'arn:aws:kms:ap-southeast-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef',
  GitHubOwner: 'o'.repeat(39),
  GitHubOwnerId: '123456789012',
  GitHubRepository: 'r'.repeat(100),
  GitHubRepositoryId: '123456789012',
  TargetAccounts: Array.from({ length: 50 }, (_, index) => String(200000000000 + index)).join(','),
  AdminAccountId: '111122223333',
  SubnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  SecurityGroupIds: 'sg-0123456789abcdef0',
  ModelPackageName: 'arn:aws:sagemaker:eu-west-1:111122223333:model-package/abalone-p-0123456789ab/1',
  ExecutionRoleName: 'sagemaker-abalone-p-0123456789ab-model',
  SageMakerSubnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  SageMakerSecurityGroupIds: 'sg-0123456789abcdef0',
};

export interface Statement {
  where: string;
  kind: 'identity' | 'trust' | 'resource';
  Sid?: string;
  Effect: string;
  Principal?: any;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Every policy statement of a template, with where it stands. */
export function statements(file: string, pseudo: Record<string, string> = {}): Statement[] {
  const found: Statement[] = [];
  const add = (where: string, kind: Statement['kind'], document: any) => {
    for (const statement of list<any>(document?.Statement))
      found.push({ ...statement, where: `${file} ${where}`, kind });
  };
  for (const [logicalId, { Type, Properties }] of Object.entries(evaluate(readTemplate(file), longest, pseudo))) {
    if (Type === 'AWS::IAM::Role') {
      add(`${logicalId} trust`, 'trust', Properties.AssumeRolePolicyDocument);
      for (const policy of Properties.Policies ?? [])
        add(`${logicalId} ${policy.PolicyName}`, 'identity', policy.PolicyDocument);
    }
    if (Type === 'AWS::KMS::Key') add(logicalId, 'resource', Properties.KeyPolicy);
    if (Type === 'AWS::S3::BucketPolicy') add(logicalId, 'resource', Properties.PolicyDocument);
    if (Type === 'AWS::SageMaker::ModelPackageGroup') add(logicalId, 'resource', Properties.ModelPackageGroupPolicy);
  }
  return found;
}
