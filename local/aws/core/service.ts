import type { PolicyDocument } from './policy.ts';

/** Who makes a call, as the front established it from the signature. */
export interface Principal {
  kind: 'assumed-role' | 'service' | 'anonymous';
  account: string;
  /** What GetCallerIdentity answers, e.g. arn:aws:sts::111122223333:assumed-role/NAME/SESSION. */
  arn: string;
  /** The IAM role behind a session (arn:aws:iam::ACCOUNT:role/NAME), absent for services and anonymous callers. */
  roleArn?: string;
  roleName?: string;
  sessionName?: string;
  /** AROA...:SESSION */
  userId: string;
  sessionTags?: Record<string, string>;
  transitiveTagKeys?: string[];
  sourceIdentity?: string;
  /** Inline session policy: the session may do no more than this. */
  sessionPolicy?: PolicyDocument;
  /** True when the credentials of this session were themselves used to assume a role (role chaining: one hour at most). */
  chained?: boolean;
  /** When the session began (aws:TokenIssueTime). */
  issuedAt?: Date;
  /** ARN of the OIDC provider whose token started this session (aws:FederatedProvider). */
  federatedProvider?: string;
  /** Set when a service acts for this principal with its credentials (aws:ViaAWSService, aws:CalledVia). */
  viaService?: string;
}

export interface Call {
  seq: number;
  at: Date;
  account: string;
  region: string;
  partition: string;
  service: string;
  operation: string;
  principal: Principal;
  userAgent: string;
}

/** One permission that a call needs. All of a call's requests must be allowed. */
export interface AuthorizationRequest {
  /** e.g. "sagemaker:CreateModelPackage", "iam:PassRole". */
  action: string;
  /** ARNs, or ["*"] where the action knows no resource types. */
  resources: string[];
  /** Condition keys of this request beyond the global ones (which the evaluator fills itself). */
  context?: Record<string, string | string[] | boolean | number | Date>;
  /** Tags of the resource, for aws:ResourceTag/KEY. */
  resourceTags?: Record<string, string>;
  /** Tags in the request, for aws:RequestTag/KEY and aws:TagKeys. */
  requestTags?: Record<string, string>;
  /** The resource's own policy and the account that owns it (default: the account in the ARN, else the caller's). */
  resourcePolicy?: PolicyDocument;
  resourceAccount?: string;
  /** KMS keys and role trust: identity policies alone are not enough, the resource policy must allow. */
  resourcePolicyRequired?: boolean;
}

export interface Operation<Input = any, Output = any> {
  /** Changes state. Judged by the call log: "unchanged = zero mutating calls". */
  mutating: boolean;
  /** Empty array: no permission needed (GetCallerIdentity) or decided inside (AssumeRoleWithWebIdentity). May throw AwsError for a missing resource. */
  authorize(input: Input, call: Call): AuthorizationRequest[] | Promise<AuthorizationRequest[]>;
  handle(input: Input, call: Call): Output | Promise<Output>;
}

export interface Service {
  /** The SDK's name: sagemaker, sagemaker-runtime, sts, iam, cloudformation, organizations. */
  id: string;
  operations: Readonly<Record<string, Operation>>;
}
