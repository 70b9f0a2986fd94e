/** SSM parameters, CloudWatch Logs and ECR: which right on which resource each operation needs; moto does the rest. */
import { formatArn } from '../core/arn.ts';
import { NotImplementedError } from '../core/errors.ts';
import type { AuthorizationRequest, Call, Operation, Service } from '../core/service.ts';
import { callMoto } from '../moto/json-services.ts';
import type { Moto } from '../moto/process.ts';

type Input = Record<string, any>;
type Resources = (input: Input, call: Call) => string[];

interface Rule {
  mutating: boolean;
  resources: Resources;
  requestTags?: (input: Input) => Record<string, string> | undefined;
  /** Members that would be ignored, so that they are refused. */
  refuse?: (input: Input) => string | undefined;
}

const everything: Resources = () => ['*'];

function service(moto: Moto, id: string, prefix: string, rules: Record<string, Rule>): Service {
  const operations = Object.entries(rules).map(([name, rule]): [string, Operation<Input>] => [
    name,
    {
      mutating: rule.mutating,
      authorize(input, call): AuthorizationRequest[] {
        const refused = rule.refuse?.(input);
        if (refused !== undefined) throw new NotImplementedError(`${refused} of ${prefix}:${name}`);
        const requestTags = rule.requestTags?.(input);
        const request = { action: `${prefix}:${name}`, resources: rule.resources(input, call) };
        return [requestTags === undefined ? request : { ...request, requestTags }];
      },
      handle: (input, call) => callMoto(moto, id, name, input, call),
    },
  ]);
  return { id, operations: Object.fromEntries(operations) };
}

const keyValueTags = (input: Input): Record<string, string> | undefined =>
  input.Tags === undefined && input.tags === undefined
    ? undefined
    : Object.fromEntries(
        ((input.Tags ?? input.tags) as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
      );

export function createSsm(moto: Moto): Service {
  const parameter = (name: string, call: Call) =>
    name.startsWith('arn:')
      ? name
      : formatArn('ssm', call.region, call.account, `parameter/${name.replace(/^\//, '').replace(/:[^:/]*$/, '')}`);
  const one: Resources = (input, call) => [parameter(input.Name, call)];
  const many: Resources = (input, call) => (input.Names as string[]).map((name) => parameter(name, call));
  const tagged: Resources = (input, call) => [parameter(input.ResourceId, call)];
  const secure = (input: Input) => (input.Type === 'SecureString' ? 'Type SecureString' : undefined);
  return service(moto, 'ssm', 'ssm', {
    GetParameter: { mutating: false, resources: one },
    GetParameters: { mutating: false, resources: many },
    GetParametersByPath: {
      mutating: false,
      resources: (input, call) => [parameter(String(input.Path).replace(/\/$/, ''), call)],
    },
    GetParameterHistory: { mutating: false, resources: one },
    DescribeParameters: { mutating: false, resources: everything },
    PutParameter: { mutating: true, resources: one, requestTags: keyValueTags, refuse: secure },
    DeleteParameter: { mutating: true, resources: one },
    DeleteParameters: { mutating: true, resources: many },
    AddTagsToResource: { mutating: true, resources: tagged, requestTags: keyValueTags, refuse: onlyParameters },
    RemoveTagsFromResource: { mutating: true, resources: tagged, refuse: onlyParameters },
    ListTagsForResource: { mutating: false, resources: tagged, refuse: onlyParameters },
  });
}

function onlyParameters(input: Input): string | undefined {
  return input.ResourceType === 'Parameter' ? undefined : `ResourceType ${input.ResourceType}`;
}

/**
 * CloudWatch Logs checks group actions on `log-group:NAME:log-stream:` (so AWS's own messages say): a policy needs
 * `log-group:NAME:*` (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
 */
export function createLogs(moto: Moto): Service {
  const stream = (group: string, name: string, call: Call) =>
    formatArn('logs', call.region, call.account, `log-group:${group}:log-stream:${name}`);
  const groupOf = (input: Input): string =>
    input.logGroupName ??
    String(input.logGroupIdentifier ?? '')
      .replace(/^arn:[^:]+:logs:[^:]*:[^:]*:log-group:/, '')
      .replace(/:\*$/, '');
  const group: Resources = (input, call) => [stream(groupOf(input), '', call)];
  const oneStream: Resources = (input, call) => [stream(groupOf(input), input.logStreamName ?? '', call)];
  const byArn: Resources = (input) => [input.resourceArn];
  const tags = (input: Input): Record<string, string> | undefined => input.tags;
  return service(moto, 'cloudwatch-logs', 'logs', {
    CreateLogGroup: {
      mutating: true,
      resources: group,
      requestTags: tags,
      refuse: (input) => (input.kmsKeyId === undefined ? undefined : 'kmsKeyId'),
    },
    DeleteLogGroup: { mutating: true, resources: group },
    DescribeLogGroups: { mutating: false, resources: everything },
    CreateLogStream: { mutating: true, resources: oneStream },
    DeleteLogStream: { mutating: true, resources: oneStream },
    DescribeLogStreams: { mutating: false, resources: group },
    PutLogEvents: { mutating: true, resources: oneStream },
    GetLogEvents: { mutating: false, resources: oneStream },
    FilterLogEvents: { mutating: false, resources: group },
    PutRetentionPolicy: { mutating: true, resources: group },
    DeleteRetentionPolicy: { mutating: true, resources: group },
    ListTagsForResource: { mutating: false, resources: byArn },
    TagResource: { mutating: true, resources: byArn, requestTags: tags },
    UntagResource: { mutating: true, resources: byArn },
  });
}

export function createEcr(moto: Moto): Service {
  const arn = (name: string, input: Input, call: Call) =>
    formatArn('ecr', call.region, input.registryId ?? call.account, `repository/${name}`);
  const repository: Resources = (input, call) => [arn(input.repositoryName, input, call)];
  return service(moto, 'ecr', 'ecr', {
    GetAuthorizationToken: { mutating: false, resources: everything },
    CreateRepository: { mutating: true, resources: repository, requestTags: keyValueTags },
    DeleteRepository: { mutating: true, resources: repository },
    DescribeRepositories: {
      mutating: false,
      resources: (input, call) =>
        ((input.repositoryNames as string[] | undefined) ?? ['*']).map((name) => arn(name, input, call)),
    },
    DescribeImages: { mutating: false, resources: repository },
    ListImages: { mutating: false, resources: repository },
    BatchGetImage: { mutating: false, resources: repository },
    BatchCheckLayerAvailability: { mutating: false, resources: repository },
    PutImage: { mutating: true, resources: repository },
    BatchDeleteImage: { mutating: true, resources: repository },
  });
}
