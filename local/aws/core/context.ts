import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { Clock } from './clock.ts';
import type { PolicyDocument } from './policy.ts';
import type { AuthorizationRequest, Call, Principal } from './service.ts';
import type { World } from './world.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}

/** A session that this platform issued; key ids start with ASIALOCAL so that they can never be mistaken for real ones. */
export interface Session {
  credentials: Credentials;
  principal: Principal;
}

/** Issues and finds sessions (state of STS). */
export interface Sessions {
  issue(principal: Principal, lifetimeSeconds: number): Session;
  /** The session of a key id, expired ones included (the front answers ExpiredToken); undefined when never issued. */
  find(accessKeyId: string): Session | undefined;
  /** Fault injection: every session of the role expires now. */
  expire(roleArn: string): void;
}

/** What STS and IAM offer to the other services of this process. */
export interface RoleAssumer {
  /**
   * A service (e.g. sagemaker.amazonaws.com) assumes a role, as AWS services do for RoleArn parameters.
   * Throws AwsError AccessDenied when the role is missing or its trust policy does not name the service
   * (aws:SourceAccount and aws:SourceArn are set from the arguments).
   */
  assumeAsService(request: {
    roleArn: string;
    service: string;
    sessionName: string;
    sourceAccount?: string;
    sourceArn?: string;
    lifetimeSeconds?: number;
  }): Session;
  roleExists(roleArn: string): boolean;
}

export interface AuthorizationDecision {
  decision: 'allow' | 'implicit-deny' | 'explicit-deny';
  /** "ROLE#SID" of identity statements, "resource-policy#SID" of resource statements; for the call log. */
  grantedBy: string[];
  /** The sentence AWS would answer: "User: ARN is not authorized to perform: ACTION on resource: ARN because no identity-based policy allows the ACTION action". */
  message: string;
}

export interface Authorizer {
  decide(principal: Principal, request: AuthorizationRequest, call: Call): AuthorizationDecision;
  /** Parses and checks a policy document; throws AwsError MalformedPolicyDocument. */
  parse(text: string): PolicyDocument;
  /** The first AWS principal of a resource's policy that does not exist in the world; AWS refuses to save such a policy. */
  unknownPrincipal(document: PolicyDocument): string | undefined;
}

/** SDK clients whose requests go straight into the front of this process (signed, authorised, logged; no socket). */
export interface ClientSet {
  sagemaker: SageMakerClient;
  s3: S3Client;
  kms: KMSClient;
  ssm: SSMClient;
  logs: CloudWatchLogsClient;
  ecr: ECRClient;
  iam: IAMClient;
  sts: STSClient;
  cloudformation: CloudFormationClient;
}

export type CredentialSource = Credentials | (() => Promise<Credentials>);

export interface PlatformEvent {
  at: Date;
  account: string;
  region: string;
  /** e.g. "aws.sagemaker" */
  source: string;
  /** e.g. "SageMaker Model Package State Change" */
  detailType: string;
  resources: string[];
  detail: unknown;
}

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** One request to run a job as a local process. The request is the evaluated Create*Job request. */
export interface JobSpecification {
  kind: 'ProcessingJob' | 'TrainingJob' | 'TransformJob';
  account: string;
  region: string;
  name: string;
  arn: string;
  request: Record<string, any>;
  /** Credentials of the job's RoleArn; asked again when they are about to expire. */
  credentials: () => Promise<Credentials>;
  /** The model of a transform job, with the credentials of the model's execution role above. */
  model?: ModelContainer;
  /** Injected by a fault: the job fails with this reason after its start, without running anything. */
  injectedFailure?: string;
}

export interface JobResult {
  status: 'Completed' | 'Failed' | 'Stopped';
  /** e.g. "AlgorithmError: ..., exit code: 1" */
  failureReason?: string;
  exitMessage?: string;
  /** s3://.../output/model.tar.gz of a training job */
  modelArtifacts?: string;
  metrics?: { name: string; value: number; at: Date }[];
  /** "namespace" or "rewrite": how /opt/ml was provided. */
  optMl?: 'namespace' | 'rewrite';
}

export interface RunningJob {
  finished: Promise<JobResult>;
  /** SIGTERM to the process group, SIGKILL after 120 s. */
  stop(): void;
}

export interface JobRunner {
  /** Every reason why this request cannot run on this machine, with the way out; empty when it can. Expressions may still stand in place of values. */
  check(kind: JobSpecification['kind'], request: Record<string, any>): string[];
  start(job: JobSpecification): RunningJob;
}

export interface ModelContainer {
  image: string;
  modelDataUrl?: string;
  environment: Record<string, string>;
}

export interface RunningModelServer {
  /** http://127.0.0.1:PORT, answering /ping and /invocations; it listens nowhere else. */
  url: string;
  /** Resolves with a reason when the process ends by itself. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

export interface ModelServers {
  check(container: ModelContainer): string[];
  /** Downloads the archive with the model role's credentials, starts the server, resolves when /ping answers; rejects with the FailureReason. */
  start(options: {
    account: string;
    region: string;
    endpointName: string;
    variantName: string;
    container: ModelContainer;
    credentials: () => Promise<Credentials>;
  }): Promise<RunningModelServer>;
}

/** Everything a local service gets. One object for the whole process, filled by local/platform.ts. */
export interface PlatformContext {
  world: World;
  clock: Clock;
  logger: Logger;
  /** Aborted when the platform closes. */
  signal: AbortSignal;
  sessions: Sessions;
  roles: RoleAssumer;
  authorizer: Authorizer;
  /** Clients that act with the given credentials in one region. Cheap: cached per key id and region. */
  clients(credentials: CredentialSource, region: string): ClientSet;
  emit(event: PlatformEvent): void;
  /** Image digest ("sha256:...") of an image URI, undefined for an image nobody knows. */
  imageDigest(imageUri: string): string | undefined;
  jobs: JobRunner;
  modelServers: ModelServers;
  /** Injected faults of kind job-failure and resource-failure that match; consumes one. `after` = ISO 8601 time from a job's start to its failure. */
  takeFault(
    kind: 'job-failure' | 'resource-failure',
    call: { account: string; region: string; operation: string; fields: Record<string, string> },
  ): { reason: string; after?: string } | undefined;
  /** Virtual seconds that a job or an endpoint's fleet takes at least, as set by the control route; 0 (or absent) unless set. */
  virtualDuration?(call: {
    account: string;
    region: string;
    operation: string;
    fields: Record<string, string>;
  }): number;
}
