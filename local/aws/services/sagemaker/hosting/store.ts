import type {
  CreateEndpointConfigInput,
  CreateModelInput,
  DeploymentConfig,
  EndpointStatus,
  ProductionVariant,
} from '@aws-sdk/client-sagemaker';
import type { Credentials, ModelContainer, RunningModelServer } from '../../../core/context.ts';
import type { Scope } from '../scope.ts';
import { type Scoped, scoped } from '../scoped.ts';

export interface ModelRecord {
  name: string;
  arn: string;
  request: CreateModelInput;
  createdAt: Date;
  /** What really runs: the container of the request, or the one of the package that it names. */
  container: ModelContainer;
  executionRoleArn: string;
}

export interface EndpointConfigRecord {
  name: string;
  arn: string;
  request: CreateEndpointConfigInput;
  createdAt: Date;
}

/** One variant of a fleet, with the server that stands for its instances. */
export interface FleetVariant {
  variant: ProductionVariant;
  weight: number;
  instanceCount: number;
  /** The image as the model names it, and pinned by its digest. */
  specifiedImage: string;
  resolvedImage: string;
  resolvedAt: Date;
  server: RunningModelServer;
  /** Of the model's role. */
  credentials: () => Promise<Credentials>;
  /** Starts another server like it. */
  start: () => Promise<RunningModelServer>;
}

/** The servers behind one endpoint configuration. */
export interface Fleet {
  config: EndpointConfigRecord;
  variants: FleetVariant[];
}

export interface EndpointRecord {
  name: string;
  arn: string;
  scope: Scope;
  status: EndpointStatus;
  failureReason?: string;
  createdAt: Date;
  modifiedAt: Date;
  /** The configuration that the endpoint answers with; during creation the one it is made from. */
  config: EndpointConfigRecord;
  fleet?: Fleet;
  /** While an update runs: where it goes, and what is already there of it. */
  pending?: {
    config: EndpointConfigRecord;
    startedAt: Date;
    fleet?: Fleet;
    phase: 'Creating' | 'Baking' | 'ActivatingTraffic';
    /** Part of the traffic that the new fleet already gets, 0 to 1. */
    share: number;
  };
  lastDeployment?: DeploymentConfig;
  /** Aborted when the endpoint is deleted: nothing may come up afterwards. */
  removed: AbortController;
}

export interface Hosting {
  models: Map<string, ModelRecord>;
  configs: Map<string, EndpointConfigRecord>;
  endpoints: Map<string, EndpointRecord>;
}

export type Hostings = Scoped<Hosting>;

export function createHostings(): Hostings {
  return scoped(() => ({ models: new Map(), configs: new Map(), endpoints: new Map() }));
}
