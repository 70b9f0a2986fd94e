import { partitionOf } from '../../../core/arn.ts';
import type { Clock } from '../../../core/clock.ts';
import type { ClientSet } from '../../../core/context.ts';
import type { Value } from '../template/evaluate.ts';

export type Properties = Record<string, any>;

export interface ResourceState {
  /** What Ref gives, and what CloudFormation shows as the physical id. */
  physicalId: string;
  /** What Fn::GetAtt gives. */
  attributes: Record<string, Value>;
}

export interface ResourceRequest {
  /** Clients with the rights of whoever runs the stack operation. */
  clients: ClientSet;
  account: string;
  region: string;
  stackName: string;
  stackId: string;
  logicalId: string;
  /** Checked against the schema, stack tags merged in. */
  properties: Properties;
  clock: Clock;
  /** Aborted when the stack operation gives up; waits reject with its reason. */
  signal: AbortSignal;
  /** To be called as soon as the resource exists: whatever fails later, it must be deleted again. */
  initiated(state: ResourceState): void;
}

export interface UpdateRequest extends ResourceRequest {
  previous: Properties;
  physicalId: string;
  attributes: Record<string, Value>;
  /** Top-level properties that differ. */
  changed: Set<string>;
}

export interface DeleteRequest extends Omit<ResourceRequest, 'initiated'> {
  physicalId: string;
  attributes: Record<string, Value>;
}

export interface ResourceHandler {
  /** The property that gives the resource its name: with it a replacement cannot stand beside the old one. */
  nameProperty?: string;
  /** Properties of the type that the platform does not create; anything else in the schema is honoured. */
  unsupported?: readonly string[];
  /** Updated with every update of the stack, whether its properties changed or not (nested stacks). */
  alwaysUpdate?: boolean;
  /** Properties whose change CloudFormation refuses although the schema does not mark them as replacement. */
  fixed?: readonly string[];
  create(request: ResourceRequest): Promise<ResourceState>;
  /** Changes that the schema does not mark as replacement. */
  update(request: UpdateRequest): Promise<ResourceState>;
  /** A resource that is gone already is no error. */
  delete(request: DeleteRequest): Promise<void>;
}

/** A resource that the service made but that did not become usable (HandlerErrorCode NotStabilized). */
export class NotStabilizedError extends Error {
  override readonly name = 'NotStabilized';
}

/** Properties that fit the schema and yet make no sense (HandlerErrorCode InvalidRequest). */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequest';
}

export function arnOf(request: { account: string; region: string }, service: string, resource: string): string {
  return `arn:${partitionOf(request.region)}:${service}:${request.region}:${request.account}:${resource}`;
}

export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Runs a call whose target may be gone already. */
export async function unlessGone<T>(names: string[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (names.includes(errorName(error))) return undefined;
    throw error;
  }
}

export interface Tag {
  Key: string;
  Value: string;
}

/** What must be set and what removed to come from one tag list to the other. */
export function tagChanges(before: Tag[] | undefined, after: Tag[] | undefined): { set: Tag[]; remove: string[] } {
  const old = new Map((before ?? []).map((tag) => [tag.Key, tag.Value]));
  const wanted = new Map((after ?? []).map((tag) => [tag.Key, tag.Value]));
  return {
    set: [...wanted].filter(([key, value]) => old.get(key) !== value).map(([Key, Value]) => ({ Key, Value })),
    remove: [...old.keys()].filter((key) => !wanted.has(key)),
  };
}

/** A policy property may be an object or JSON text; the services take text. */
export function policyText(document: unknown): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}
