import { admin, allowAll, callerRole, production, type Scenario, staging } from './support.ts';

/**
 * Rules of AWS's documentation as pairs: the scenario is denied with `denied` at `path` and allowed with `allowed`
 * there, everything else equal. A member that is undefined is left out.
 */
export interface Rule {
  rule: string;
  url: string;
  scenario: Scenario;
  /** Keys joined by slashes. */
  path: string;
  denied: unknown;
  allowed: unknown;
  /** How the denial reads; default implicit-deny. */
  how?: 'implicit-deny' | 'explicit-deny';
  /** What the sentence must say beyond who, what and where. */
  says?: string;
}

const guide = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/';
const evaluation = `${guide}reference_policies_evaluation-logic.html`;
const enforcement = `${guide}reference_policies_evaluation-logic_policy-eval-denyallow.html`;
const crossAccount = `${guide}reference_policies_evaluation-logic-cross-account.html`;
const boundaries = `${guide}access_policies_boundaries.html`;
const sessionPolicies = `${guide}access_policies.html#policies_session`;
const operators = `${guide}reference_policies_elements_condition_operators.html`;
const sets = `${guide}reference_policies_condition-single-vs-multi-valued-context-keys.html`;
const principals = `${guide}reference_policies_elements_principal.html`;
const notPrincipal = `${guide}reference_policies_elements_notprincipal.html`;
const variables = `${guide}reference_policies_variables.html`;
const resources = `${guide}reference_policies_elements_resource.html`;
const actions = `${guide}reference_policies_elements_action.html`;
const globalKeys = `${guide}reference_policies_condition-keys.html`;
const keyPolicies = 'https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html';

const group = `arn:aws:sagemaker:eu-west-1:${admin}:model-package-group/abalone`;
const object = 'arn:aws:s3:::models/abalone/model.tar.gz';
const key = `arn:aws:kms:eu-west-1:${admin}:key/1111`;
const roleArn = (account = admin) => `arn:aws:iam::${account}:role/${callerRole}`;

/** A describe of the group with one Allow of the role. */
const describe: Scenario = {
  action: 'sagemaker:DescribeModelPackageGroup',
  resource: group,
  identity: [{ Sid: 'Read', Effect: 'Allow', Action: 'sagemaker:DescribeModelPackageGroup', Resource: group }],
};
const conditioned = (condition: Record<string, Record<string, any>>, more: Partial<Scenario> = {}): Scenario => ({
  ...describe,
  identity: [{ ...describe.identity![0]!, Condition: condition }],
  ...more,
});
/** The Allow holds for everything; a Deny under test comes second. */
const guarded = (deny: Record<string, unknown>, more: Partial<Scenario> = {}): Scenario => ({
  ...describe,
  identity: [allowAll, { Sid: 'Guard', Effect: 'Deny', Action: '*', Resource: '*', ...deny } as any],
  ...more,
});
const readObject: Scenario = { action: 's3:GetObject', resource: object, resourceAccount: admin };
const fromStaging: Scenario = {
  caller: { account: staging },
  action: 's3:GetObject',
  resource: object,
  resourceAccount: admin,
  identity: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::models/*' }],
  resourcePolicy: [
    { Sid: 'Targets', Effect: 'Allow', Principal: { AWS: staging }, Action: 's3:GetObject', Resource: `${object}` },
  ],
};
const decrypt: Scenario = {
  action: 'kms:Decrypt',
  resource: key,
  resourcePolicyRequired: true,
  identity: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: key }],
  resourcePolicy: [
    { Sid: 'Root', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${admin}:root` }, Action: 'kms:*', Resource: '*' },
  ],
};

export const rules: Rule[] = [
  // Allow, Deny, and what nobody said.
  {
    rule: 'Everything is denied by default',
    url: evaluation,
    scenario: describe,
    path: 'identity',
    denied: undefined,
    allowed: describe.identity,
    says: 'no identity-based policy allows',
  },
  {
    rule: 'An explicit Deny overrides any Allow',
    url: enforcement,
    scenario: guarded({}),
    path: 'identity/1/Effect',
    denied: 'Deny',
    allowed: 'Allow',
    how: 'explicit-deny',
    says: 'with an explicit deny in an identity-based policy',
  },
  {
    rule: 'A Deny of another action denies nothing else',
    url: enforcement,
    scenario: guarded({}),
    path: 'identity/1/Action',
    denied: 'sagemaker:Describe*',
    allowed: 'sagemaker:Delete*',
    how: 'explicit-deny',
  },
  {
    rule: 'A Deny in the resource-based policy overrides the identity',
    url: enforcement,
    scenario: {
      ...readObject,
      identity: [allowAll],
      resourcePolicy: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::models/*' }],
    },
    path: 'resourcePolicy/0/Action',
    denied: 's3:*',
    allowed: 's3:PutObject',
    how: 'explicit-deny',
    says: 'with an explicit deny in a resource-based policy',
  },
  // Action, NotAction.
  {
    rule: 'Actions match without regard to case',
    url: actions,
    scenario: describe,
    path: 'identity/0/Action',
    denied: 'sagemaker:describemodelpackagegroups',
    allowed: 'SageMaker:describemodelpackagegroup',
  },
  {
    rule: 'A wildcard in an action stands for any characters',
    url: actions,
    scenario: describe,
    path: 'identity/0/Action',
    denied: 'sagemaker:List*',
    allowed: 'sagemaker:*Group',
  },
  {
    rule: 'NotAction allows everything but what it lists',
    url: `${guide}reference_policies_elements_notaction.html`,
    scenario: { ...describe, identity: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }] },
    path: 'identity/0/NotAction',
    denied: ['iam:*', 'sagemaker:Describe*'],
    allowed: ['iam:*'],
  },
  // Resource, NotResource.
  {
    rule: 'The resource must match',
    url: resources,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: `${group}-two`,
    allowed: group,
  },
  {
    rule: 'A question mark stands for exactly one character',
    url: resources,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: group.replace('abalone', 'abalon??'),
    allowed: group.replace('abalone', 'abalon?'),
  },
  {
    rule: 'A wildcard does not reach over the colons of an ARN',
    url: resources,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: 'arn:aws:sagemaker:*:model-package-group/abalone',
    allowed: 'arn:aws:sagemaker:*:*:model-package-group/abalone',
  },
  {
    rule: 'Resource names are case-sensitive',
    url: resources,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: group.replace('abalone', 'Abalone'),
    allowed: group.replace('abalone', 'aba*'),
  },
  {
    rule: 'NotResource covers everything but what it lists',
    url: `${guide}reference_policies_elements_notresource.html`,
    scenario: { ...describe, identity: [{ Effect: 'Allow', Action: '*', NotResource: 'x' }] },
    path: 'identity/0/NotResource',
    denied: [group],
    allowed: [`${group}-two`],
  },
  // One account: either side grants.
  {
    rule: 'In one account the resource-based policy alone suffices when it names the role',
    url: enforcement,
    scenario: {
      ...readObject,
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: `arn:aws:iam::${admin}:role/another`,
    allowed: roleArn(),
  },
  {
    rule: 'Naming the own account in a resource-based policy only delegates: identity policies must allow',
    url: principals,
    scenario: {
      ...readObject,
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'identity',
    denied: undefined,
    allowed: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: object }],
  },
  {
    rule: 'A principal "*" in an Allow is everybody, in the account too',
    url: principals,
    scenario: {
      ...readObject,
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal',
    denied: { AWS: admin },
    allowed: '*',
  },
  {
    rule: 'A session ARN names that session alone',
    url: principals,
    scenario: {
      ...readObject,
      caller: { sessionName: 'gha-1' },
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: `arn:aws:sts::${admin}:assumed-role/${callerRole}/gha-2`,
    allowed: `arn:aws:sts::${admin}:assumed-role/${callerRole}/gha-1`,
  },
  {
    rule: 'Principals are no patterns: a wildcard inside an ARN matches nobody',
    url: principals,
    scenario: {
      ...readObject,
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: `arn:aws:iam::${admin}:role/*`,
    allowed: roleArn(),
  },
  {
    rule: 'A service principal names the service alone',
    url: `${principals}#principal-services`,
    scenario: {
      ...readObject,
      caller: { kind: 'service', service: 'sagemaker.amazonaws.com' },
      resourcePolicy: [{ Effect: 'Allow', Principal: { Service: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/Service',
    denied: 'lambda.amazonaws.com',
    allowed: 'sagemaker.amazonaws.com',
  },
  {
    rule: 'Anonymous callers are let in by "*" only',
    url: `${principals}#principal-anonymous`,
    scenario: {
      ...readObject,
      caller: { kind: 'anonymous' },
      resourcePolicy: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal',
    denied: { AWS: admin },
    allowed: { AWS: '*' },
  },
  // NotPrincipal.
  {
    rule: 'Deny with NotPrincipal spares a role only together with its account',
    url: notPrincipal,
    scenario: {
      ...readObject,
      identity: [allowAll],
      resourcePolicy: [{ Effect: 'Deny', NotPrincipal: { AWS: [] }, Action: 's3:*', Resource: '*' }],
    },
    path: 'resourcePolicy/0/NotPrincipal/AWS',
    denied: [roleArn()],
    allowed: [roleArn(), `arn:aws:iam::${admin}:root`],
    how: 'explicit-deny',
  },
  {
    rule: 'Deny with NotPrincipal always hits a role with a permissions boundary',
    url: notPrincipal,
    scenario: {
      ...readObject,
      identity: [allowAll],
      resourcePolicy: [{ Effect: 'Deny', NotPrincipal: { AWS: [roleArn(), admin] }, Action: 's3:*', Resource: '*' }],
    },
    path: 'boundary',
    denied: [allowAll],
    allowed: undefined,
    how: 'explicit-deny',
  },
  // Across accounts both sides must allow.
  {
    rule: 'Across accounts the identity policy must allow',
    url: crossAccount,
    scenario: fromStaging,
    path: 'identity',
    denied: undefined,
    allowed: fromStaging.identity,
    says: 'no identity-based policy allows',
  },
  {
    rule: 'Across accounts the resource-based policy must allow',
    url: crossAccount,
    scenario: fromStaging,
    path: 'resourcePolicy',
    denied: undefined,
    allowed: fromStaging.resourcePolicy,
    says: 'no resource-based policy allows',
  },
  {
    rule: 'Across accounts the resource-based policy must name the caller’s account',
    url: crossAccount,
    scenario: fromStaging,
    path: 'resourcePolicy/0/Principal/AWS',
    denied: production,
    allowed: `arn:aws:iam::${staging}:root`,
  },
  {
    rule: 'Across accounts naming the role does not replace its identity policy',
    url: crossAccount,
    scenario: {
      ...fromStaging,
      resourcePolicy: [{ ...fromStaging.resourcePolicy![0]!, Principal: { AWS: roleArn(staging) } }],
    },
    path: 'identity/0/Action',
    denied: 's3:PutObject',
    allowed: 's3:GetObject',
  },
  {
    rule: 'An ARN of another account is cross-account without further word',
    url: crossAccount,
    scenario: { ...describe, identity: [allowAll] },
    path: 'caller/account',
    denied: staging,
    allowed: admin,
    says: 'no resource-based policy allows',
  },
  // Boundaries.
  {
    rule: 'A permissions boundary bounds what identity policies grant',
    url: boundaries,
    scenario: { ...describe, boundary: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] },
    path: 'boundary/0/Action',
    denied: 's3:*',
    allowed: 'sagemaker:*',
    says: 'no permissions boundary allows',
  },
  {
    rule: 'A permissions boundary grants nothing by itself',
    url: boundaries,
    scenario: { ...describe, boundary: [allowAll] },
    path: 'identity',
    denied: undefined,
    allowed: describe.identity,
  },
  {
    rule: 'A Deny in a permissions boundary counts',
    url: boundaries,
    scenario: { ...describe, boundary: [allowAll, { Effect: 'Deny', Action: 'sagemaker:*', Resource: '*' }] },
    path: 'boundary/1/Action',
    denied: 'sagemaker:*',
    allowed: 'sagemaker:Delete*',
    how: 'explicit-deny',
    says: 'with an explicit deny in a permissions boundary',
  },
  {
    rule: 'A boundary bounds what a resource-based policy grants to the role, but not what it grants to the session',
    url: boundaries,
    scenario: {
      ...readObject,
      boundary: [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }],
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: roleArn(),
    allowed: `arn:aws:sts::${admin}:assumed-role/${callerRole}/session`,
    says: 'no permissions boundary allows',
  },
  // Session policies.
  {
    rule: 'A session policy bounds the session',
    url: sessionPolicies,
    scenario: { ...describe, session: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] },
    path: 'session/0/Action',
    denied: 's3:*',
    allowed: 'sagemaker:*',
    says: 'no session policy allows',
  },
  {
    rule: 'A session policy grants nothing by itself',
    url: sessionPolicies,
    scenario: { ...describe, session: [allowAll] },
    path: 'identity/0/Action',
    denied: 's3:*',
    allowed: 'sagemaker:*',
  },
  {
    rule: 'A session policy bounds what a resource-based policy grants to the role, but not what it grants to the session',
    url: sessionPolicies,
    scenario: {
      ...readObject,
      session: [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }],
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 's3:GetObject', Resource: object }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: roleArn(),
    allowed: `arn:aws:sts::${admin}:assumed-role/${callerRole}/session`,
    says: 'no session policy allows',
  },
  // KMS keys.
  {
    rule: 'Nobody may use a key that its key policy does not open, whatever identity policies say',
    url: keyPolicies,
    scenario: decrypt,
    path: 'resourcePolicy',
    denied: [{ Effect: 'Allow', Principal: { AWS: staging }, Action: 'kms:*', Resource: '*' }],
    allowed: decrypt.resourcePolicy,
    says: 'no resource-based policy allows',
  },
  {
    rule: 'A key policy that opens the key to the account leaves the rest to identity policies',
    url: keyPolicies,
    scenario: decrypt,
    path: 'identity',
    denied: undefined,
    allowed: decrypt.identity,
  },
  {
    rule: 'A key policy that names the role needs no identity policy',
    url: keyPolicies,
    scenario: {
      ...decrypt,
      identity: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: '' }, Action: 'kms:Decrypt', Resource: '*' }],
    },
    path: 'resourcePolicy/0/Principal/AWS',
    denied: `arn:aws:iam::${admin}:root`,
    allowed: roleArn(),
  },
  {
    rule: 'kms:ViaService limits a key to requests that a service makes',
    url: 'https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service',
    scenario: {
      ...decrypt,
      identity: [
        {
          Effect: 'Allow',
          Action: 'kms:Decrypt',
          Resource: key,
          Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
        },
      ],
    },
    path: 'context',
    denied: undefined,
    allowed: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' },
  },
  {
    rule: 'kms:GrantIsForAWSResource lets only services make grants',
    url: 'https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource',
    scenario: {
      ...decrypt,
      action: 'kms:CreateGrant',
      identity: [
        {
          Effect: 'Allow',
          Action: 'kms:CreateGrant',
          Resource: key,
          Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
        },
      ],
      context: { 'kms:GrantIsForAWSResource': true },
    },
    path: 'context/kms:GrantIsForAWSResource',
    denied: false,
    allowed: true,
  },
  // Condition operators.
  {
    rule: 'StringEquals compares exactly, with case',
    url: operators,
    scenario: conditioned({ StringEquals: { 'sagemaker:ModelApprovalStatus': 'PendingManualApproval' } }),
    path: 'context',
    denied: { 'sagemaker:ModelApprovalStatus': 'pendingmanualapproval' },
    allowed: { 'sagemaker:ModelApprovalStatus': 'PendingManualApproval' },
  },
  {
    rule: 'StringEqualsIgnoreCase ignores case',
    url: operators,
    scenario: conditioned({ StringEqualsIgnoreCase: { 'x:y': 'One' } }),
    path: 'context',
    denied: { 'x:y': 'Two' },
    allowed: { 'x:y': 'oNE' },
  },
  {
    rule: 'StringEquals knows no wildcards, StringLike does',
    url: operators,
    scenario: conditioned({ StringLike: { 'x:y': 'repo:acme/*' } }, { context: { 'x:y': 'repo:acme/abalone' } }),
    path: 'identity/0/Condition',
    denied: { StringEquals: { 'x:y': 'repo:acme/*' } },
    allowed: { StringLike: { 'x:y': 'repo:acme/*' } },
  },
  {
    rule: 'Several values of a key are alternatives',
    url: `${guide}reference_policies_condition-logic-multiple-context-keys-or-values.html`,
    scenario: conditioned({ StringEquals: { 'x:y': ['one', 'two'] } }, { context: { 'x:y': 'two' } }),
    path: 'identity/0/Condition/StringEquals/x:y',
    denied: ['one', 'three'],
    allowed: ['one', 'two'],
  },
  {
    rule: 'Several values of a negated operator must all differ',
    url: `${guide}reference_policies_condition-logic-multiple-context-keys-or-values.html`,
    scenario: conditioned({ StringNotEquals: { 'x:y': ['one', 'two'] } }, { context: { 'x:y': 'two' } }),
    path: 'identity/0/Condition/StringNotEquals/x:y',
    denied: ['one', 'two'],
    allowed: ['one', 'three'],
  },
  {
    rule: 'Several keys must all hold',
    url: `${guide}reference_policies_condition-logic-multiple-context-keys-or-values.html`,
    scenario: conditioned({ StringEquals: { 'x:a': '1', 'x:b': '2' } }, { context: { 'x:a': '1', 'x:b': '2' } }),
    path: 'context/x:b',
    denied: '3',
    allowed: '2',
  },
  {
    rule: 'Condition keys are not case-sensitive',
    url: `${guide}reference_policies_elements_condition.html`,
    scenario: conditioned({ StringEquals: { 'X:KEY': 'v' } }),
    path: 'context',
    denied: { 'x:keys': 'v' },
    allowed: { 'x:Key': 'v' },
  },
  {
    rule: 'A positive operator is false on an absent key, ...IfExists is true',
    url: `${operators}#Conditions_IfExists`,
    scenario: conditioned({}),
    path: 'identity/0/Condition',
    denied: { StringEquals: { 'x:y': 'one' } },
    allowed: { StringEqualsIfExists: { 'x:y': 'one' } },
  },
  {
    rule: '...IfExists is judged when the key is there',
    url: `${operators}#Conditions_IfExists`,
    scenario: conditioned({ StringEqualsIfExists: { 'x:y': 'one' } }),
    path: 'context',
    denied: { 'x:y': 'two' },
    allowed: {},
  },
  {
    rule: 'A negated operator is true on an absent key: a Deny by it hits requests without the key',
    url: operators,
    scenario: guarded({ Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } } }),
    path: 'context',
    denied: undefined,
    allowed: { 'aws:SourceVpce': 'vpce-1' },
    how: 'explicit-deny',
  },
  {
    rule: 'A negated operator with IfExists in a Deny is true on an absent key all the same',
    url: `${operators}#Conditions_IfExists`,
    scenario: guarded({ Condition: { StringNotEqualsIfExists: { 'aws:VpceOrgID': 'o-1' } } }),
    path: 'context',
    denied: {},
    allowed: { 'aws:VpceOrgID': 'o-1' },
    how: 'explicit-deny',
  },
  {
    rule: 'Null true: the key must be absent',
    url: `${operators}#Conditions_Null`,
    scenario: conditioned({ Null: { 'sagemaker:CustomerMetadataProperties/gate-run': 'true' } }),
    path: 'context',
    denied: { 'sagemaker:CustomerMetadataProperties/gate-run': '1' },
    allowed: { 'sagemaker:CustomerMetadataProperties/other': '1' },
  },
  {
    rule: 'Null false: the key must be present',
    url: `${operators}#Conditions_Null`,
    scenario: conditioned({ Null: { 'sagemaker:VpcSubnets': 'false' } }),
    path: 'context',
    denied: {},
    allowed: { 'sagemaker:VpcSubnets': ['subnet-1'] },
  },
  {
    rule: 'Two keys in one Deny deny only requests that fail both; requiring both takes two statements',
    url: `${guide}reference_policies_condition-logic-multiple-context-keys-or-values.html`,
    scenario: guarded({
      Condition: { Null: { 'sagemaker:VpcSubnets': 'true', 'sagemaker:VpcSecurityGroupIds': 'true' } },
    }),
    path: 'context',
    denied: {},
    allowed: { 'sagemaker:VpcSubnets': ['subnet-1'] },
    how: 'explicit-deny',
  },
  {
    rule: 'Bool compares true and false',
    url: `${operators}#Conditions_Boolean`,
    scenario: conditioned({ Bool: { 'x:flag': 'true' } }),
    path: 'context',
    denied: { 'x:flag': false },
    allowed: { 'x:flag': true },
  },
  {
    rule: 'Numeric operators compare numbers, not text',
    url: `${operators}#Conditions_Numeric`,
    scenario: conditioned({ NumericLessThanEquals: { 's3:max-keys': '10' } }),
    path: 'context/s3:max-keys',
    denied: 11,
    allowed: 9,
  },
  {
    rule: 'A value that is no number matches no numeric operator',
    url: `${operators}#Conditions_Numeric`,
    scenario: conditioned({ NumericGreaterThan: { 'x:n': '1' } }),
    path: 'context/x:n',
    denied: 'many',
    allowed: 2,
  },
  {
    rule: 'Date operators compare moments: this clock stands at noon of 24 November 2026',
    url: `${operators}#Conditions_Date`,
    scenario: conditioned({ DateLessThan: { 'aws:CurrentTime': '2026-11-24T13:00:00+02:00' } }),
    path: 'identity/0/Condition/DateLessThan/aws:CurrentTime',
    denied: '2026-11-24T13:00:00+02:00',
    allowed: '2026-11-24T13:00:00Z',
  },
  {
    rule: 'aws:EpochTime can be compared as a date in seconds',
    url: `${operators}#Conditions_Date`,
    scenario: conditioned({ DateGreaterThan: { 'aws:EpochTime': '0' } }),
    path: 'identity/0/Condition/DateGreaterThan/aws:EpochTime',
    denied: String(Date.parse('2026-11-24T12:00:00Z') / 1000),
    allowed: String(Date.parse('2026-11-24T11:59:59Z') / 1000),
  },
  {
    rule: 'IpAddress tests a network',
    url: `${operators}#Conditions_IPAddress`,
    scenario: conditioned({ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }),
    path: 'identity/0/Condition/IpAddress/aws:SourceIp',
    denied: ['203.0.113.0/24', '2001:db8::/32'],
    allowed: ['203.0.113.0/24', '127.0.0.0/8'],
  },
  {
    rule: 'NotIpAddress tests that an address is outside',
    url: `${operators}#Conditions_IPAddress`,
    scenario: conditioned({ NotIpAddress: { 'x:ip': '2001:db8::/32' } }),
    path: 'context',
    denied: { 'x:ip': '2001:db8::7' },
    allowed: { 'x:ip': '2001:db9::7' },
  },
  {
    rule: 'ArnLike compares each part of the ARN by itself',
    url: `${operators}#Conditions_ARN`,
    scenario: conditioned({ ArnLike: { 'aws:SourceArn': '' } }, { context: { 'aws:SourceArn': group } }),
    path: 'identity/0/Condition/ArnLike/aws:SourceArn',
    denied: 'arn:aws:sagemaker:*:model-package-group/*',
    allowed: 'arn:aws:sagemaker:*:*:model-package-group/*',
  },
  {
    rule: 'ArnEquals behaves as ArnLike',
    url: `${operators}#Conditions_ARN`,
    scenario: conditioned({ ArnEquals: { 'aws:PrincipalArn': '' } }),
    path: 'identity/0/Condition/ArnEquals/aws:PrincipalArn',
    denied: `arn:aws:iam::${staging}:role/*`,
    allowed: 'arn:aws:iam::*:role/call*',
  },
  {
    rule: 'ArnNotLike in a Deny spares what it lists',
    url: `${operators}#Conditions_ARN`,
    scenario: guarded({ Condition: { ArnNotLike: { 'aws:PrincipalArn': [] } } }),
    path: 'identity/1/Condition/ArnNotLike/aws:PrincipalArn',
    denied: [`arn:aws:iam::${admin}:role/other`],
    allowed: [`arn:aws:iam::${admin}:role/other`, `arn:aws:iam::${admin}:role/c*`],
    how: 'explicit-deny',
  },
  // Keys with several values.
  {
    rule: 'ForAllValues: every value of the request must be listed',
    url: sets,
    scenario: conditioned({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }),
    path: 'requestTags',
    denied: { a: '1', c: '2' },
    allowed: { a: '1', b: '2' },
  },
  {
    rule: 'ForAllValues is true on an absent key; with Null false the key must be there as well',
    url: sets,
    scenario: conditioned({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }),
    path: 'identity/0/Condition/Null',
    denied: { 'aws:TagKeys': 'false' },
    allowed: undefined,
  },
  {
    rule: 'ForAnyValue: one value of the request must be listed',
    url: sets,
    scenario: conditioned({ 'ForAnyValue:StringLike': { 'x:paths': 'o-1/r-1/*' } }),
    path: 'context/x:paths',
    denied: ['o-1/r-2/', 'o-2/r-1/'],
    allowed: ['o-1/r-2/', 'o-1/r-1/ou-1/'],
  },
  {
    rule: 'ForAnyValue is false on an absent key, negated operators included',
    url: sets,
    scenario: conditioned({}),
    path: 'identity/0/Condition',
    denied: { 'ForAnyValue:StringNotEquals': { 'x:list': 'a' } },
    allowed: { StringNotEquals: { 'x:list': 'a' } },
  },
  // Policy variables.
  {
    rule: 'A policy variable is replaced by the request’s value',
    url: variables,
    scenario: {
      ...describe,
      identity: [
        { ...describe.identity![0]!, Resource: group.replace('abalone', '${aws:PrincipalTag/sagemaker:project-name}') },
      ],
    },
    path: 'caller',
    denied: { roleTags: { 'sagemaker:project-name': 'wine' } },
    allowed: { roleTags: { 'sagemaker:project-name': 'abalone' } },
  },
  {
    rule: 'A variable without value matches nothing, unless it has a default',
    url: `${variables}#policy-vars-default-values`,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: group.replace('abalone', '${aws:PrincipalTag/team}'),
    allowed: group.replace('abalone', "${aws:PrincipalTag/team, 'abalone'}"),
  },
  {
    rule: 'aws:username has no value for roles',
    url: `${variables}#policy-vars-infotouse`,
    scenario: describe,
    path: 'identity/0/Resource',
    denied: group.replace('abalone', '${aws:username}'),
    allowed: group.replace(admin, '${aws:PrincipalAccount}'),
  },
  {
    rule: 'Policy variables exist in version 2012-10-17 only',
    url: `${guide}reference_policies_elements_version.html`,
    scenario: {
      ...describe,
      identity: [{ ...describe.identity![0]!, Resource: group.replace(admin, '${aws:PrincipalAccount}') }],
    },
    path: 'version',
    denied: '2008-10-17',
    allowed: '2012-10-17',
  },
  {
    rule: '${*} is the character itself',
    url: `${variables}#policy-vars-specialchars`,
    scenario: conditioned({ StringLike: { 'x:y': 'a${*}b' } }),
    path: 'context/x:y',
    denied: 'a-b',
    allowed: 'a*b',
  },
  {
    rule: 'A wildcard inside a tag’s value stays a plain character',
    url: variables,
    scenario: conditioned(
      { StringLike: { 'x:y': '${aws:PrincipalTag/path}' } },
      { caller: { sessionTags: { path: 'a@*' } } },
    ),
    path: 'context',
    denied: { 'x:y': 'a@b' },
    allowed: { 'x:y': 'a@*' },
  },
  {
    rule: 'Variables work in condition values',
    url: `${variables}#policy-vars-wheretouse`,
    scenario: conditioned(
      { StringEquals: { 'aws:ResourceTag/EnvironmentName': '${aws:PrincipalTag/EnvironmentName}' } },
      {
        caller: { sessionTags: { EnvironmentName: 'mlops' } },
      },
    ),
    path: 'resourceTags',
    denied: { EnvironmentName: 'other' },
    allowed: { EnvironmentName: 'mlops' },
  },
  // Global keys.
  {
    rule: 'aws:PrincipalArn of a session is the ARN of its role',
    url: `${globalKeys}#condition-keys-principalarn`,
    scenario: conditioned({ ArnLike: { 'aws:PrincipalArn': '' } }),
    path: 'identity/0/Condition/ArnLike/aws:PrincipalArn',
    denied: `arn:aws:sts::${admin}:assumed-role/${callerRole}/session`,
    allowed: roleArn(),
  },
  {
    rule: 'aws:PrincipalOrgID admits the organization’s accounts only',
    url: `${globalKeys}#condition-keys-principalorgid`,
    scenario: {
      ...fromStaging,
      resourcePolicy: [
        {
          ...fromStaging.resourcePolicy![0]!,
          Principal: '*',
          Condition: { StringEquals: { 'aws:PrincipalOrgID': '' } },
        },
      ],
    },
    path: 'resourcePolicy/0/Condition/StringEquals/aws:PrincipalOrgID',
    denied: 'o-someoneelse',
    allowed: 'o-exampleorg1',
  },
  {
    rule: 'aws:PrincipalOrgPaths admits an organizational unit',
    url: `${globalKeys}#condition-keys-principalorgpaths`,
    scenario: {
      ...fromStaging,
      resourcePolicy: [
        {
          ...fromStaging.resourcePolicy![0]!,
          Principal: '*',
          Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': '' } },
        },
      ],
    },
    path: 'resourcePolicy/0/Condition/ForAnyValue:StringLike/aws:PrincipalOrgPaths',
    denied: 'o-exampleorg1/r-abcd/ou-abcd-tooling1/*',
    allowed: 'o-exampleorg1/r-abcd/ou-abcd-workload/*',
  },
  {
    rule: 'A session tag overrides the role’s tag of that name',
    url: `${guide}id_session-tags.html`,
    scenario: conditioned(
      { StringEquals: { 'aws:PrincipalTag/team': 'ml' } },
      { caller: { roleTags: { team: 'ml' } } },
    ),
    path: 'caller/sessionTags',
    denied: { team: 'ops' },
    allowed: undefined,
  },
  {
    rule: 'aws:ResourceTag compares a tag of the resource',
    url: `${globalKeys}#condition-keys-resourcetag`,
    scenario: conditioned({ StringEquals: { 'aws:ResourceTag/sagemaker:project-id': 'p-1' } }),
    path: 'resourceTags',
    denied: { 'sagemaker:project-id': 'p-2' },
    allowed: { 'sagemaker:project-id': 'p-1' },
  },
  {
    rule: 'aws:RequestTag compares a tag of the request',
    url: `${globalKeys}#condition-keys-requesttag`,
    scenario: conditioned({ StringEquals: { 'aws:RequestTag/sagemaker:project-id': 'p-1' } }),
    path: 'requestTags',
    denied: {},
    allowed: { 'sagemaker:project-id': 'p-1' },
  },
  {
    rule: 'aws:RequestedRegion limits Regions',
    url: `${globalKeys}#condition-keys-requestedregion`,
    scenario: conditioned({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }),
    path: 'region',
    denied: 'us-east-1',
    allowed: 'eu-west-1',
  },
  {
    rule: 'aws:SecureTransport: loopback connections count as secure here',
    url: `${globalKeys}#condition-keys-securetransport`,
    scenario: guarded({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    path: 'identity/1/Condition/Bool/aws:SecureTransport',
    denied: 'true',
    allowed: 'false',
    how: 'explicit-deny',
  },
  {
    rule: 'aws:ViaAWSService is true when a service calls with the caller’s rights',
    url: `${globalKeys}#condition-keys-viaawsservice`,
    scenario: guarded({ Condition: { Bool: { 'aws:ViaAWSService': 'false' } } }),
    path: 'caller',
    denied: {},
    allowed: { viaService: 'cloudformation.amazonaws.com' },
    how: 'explicit-deny',
  },
  {
    rule: 'aws:CalledVia lists the services in between',
    url: `${globalKeys}#condition-keys-calledvia`,
    scenario: conditioned({ 'ForAnyValue:StringEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' } }),
    path: 'caller',
    denied: { viaService: 'sagemaker.amazonaws.com' },
    allowed: { viaService: 'cloudformation.amazonaws.com' },
  },
  {
    rule: 'aws:PrincipalIsAWSService spares services from a Deny for everybody',
    url: `${globalKeys}#condition-keys-principalisawsservice`,
    scenario: {
      ...readObject,
      caller: { kind: 'service', service: 'logs.amazonaws.com' },
      resourcePolicy: [
        { Effect: 'Allow', Principal: { Service: 'logs.amazonaws.com' }, Action: 's3:GetObject', Resource: object },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Resource: '*',
          Condition: { Bool: { 'aws:PrincipalIsAWSService': '' } },
        },
      ],
    },
    path: 'resourcePolicy/1/Condition/Bool/aws:PrincipalIsAWSService',
    denied: 'true',
    allowed: 'false',
    how: 'explicit-deny',
  },
  {
    rule: 'aws:SourceAccount keeps a service from acting for somebody else',
    url: `${guide}confused-deputy.html`,
    scenario: {
      ...readObject,
      caller: { kind: 'service', service: 'sagemaker.amazonaws.com' },
      resourcePolicy: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sagemaker.amazonaws.com' },
          Action: 's3:GetObject',
          Resource: object,
          Condition: { StringEquals: { 'aws:SourceAccount': admin } },
        },
      ],
    },
    path: 'context',
    denied: { 'aws:SourceAccount': staging },
    allowed: { 'aws:SourceAccount': admin },
  },
  {
    rule: 'aws:ResourceAccount keeps a role within its accounts',
    url: `${globalKeys}#condition-keys-resourceaccount`,
    scenario: {
      ...readObject,
      identity: [
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: '*',
          Condition: { StringEquals: { 'aws:ResourceAccount': '${aws:PrincipalAccount}' } },
        },
      ],
      resourcePolicy: [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 's3:GetObject', Resource: '*' }],
    },
    path: 'resourceAccount',
    denied: staging,
    allowed: admin,
  },
  // PassRole.
  {
    rule: 'iam:PassedToService limits the service that a role is passed to',
    url: `${guide}reference_policies_iam-condition-keys.html#ck_PassedToService`,
    scenario: {
      action: 'iam:PassRole',
      resource: `arn:aws:iam::${admin}:role/job`,
      identity: [
        {
          Effect: 'Allow',
          Action: 'iam:PassRole',
          Resource: `arn:aws:iam::${admin}:role/job`,
          Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
        },
      ],
    },
    path: 'context',
    denied: { 'iam:PassedToService': 'ec2.amazonaws.com' },
    allowed: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
  },
];
