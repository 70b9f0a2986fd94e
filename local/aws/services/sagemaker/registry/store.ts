import type {
  CreateModelPackageInput,
  InferenceSpecification,
  ModelPackageStatus,
  UserContext,
} from '@aws-sdk/client-sagemaker';
import type { PolicyDocument } from '../../../core/policy.ts';
import type { Call } from '../../../core/service.ts';
import { scopeOf } from '../operation.ts';
import { validationError } from '../problems.ts';
import { keyOf, resolveNameOrArn, type Scope, sagemakerArn } from '../scope.ts';
import { type Scoped, scoped } from '../scoped.ts';

export interface GroupRecord {
  name: string;
  arn: string;
  description?: string;
  createdAt: Date;
  createdBy: UserContext;
  policy?: { text: string; document: PolicyDocument };
  /** Versions are never used twice, also after the newest was deleted. */
  highestVersion: number;
}

/** What a package keeps of its creation and of later updates, under the API's own names. */
export type PackageFields = Omit<
  CreateModelPackageInput,
  'ModelPackageName' | 'ModelPackageGroupName' | 'ClientToken' | 'Tags' | 'InferenceSpecification'
> & { ApprovalDescription?: string; InferenceSpecification?: InferenceSpecification };

export interface PackageRecord {
  /** The group's name for a versioned package, its own otherwise. */
  name: string;
  arn: string;
  group?: GroupRecord;
  version?: number;
  status: ModelPackageStatus;
  createdAt: Date;
  createdBy: UserContext;
  modifiedAt?: Date;
  modifiedBy?: UserContext;
  fields: PackageFields;
}

export interface Registry {
  groups: Map<string, GroupRecord>;
  /** By lower-case ARN, oldest first. */
  packages: Map<string, PackageRecord>;
  /** ClientToken of CreateModelPackage to what it created. */
  tokens: Map<string, PackageRecord>;
}

export type Registries = Scoped<Registry>;

export function createRegistries(): Registries {
  return scoped(() => ({ groups: new Map(), packages: new Map(), tokens: new Map() }));
}

export function groupArn(scope: Scope, name: string): string {
  return sagemakerArn(scope, `model-package-group/${name}`);
}

/** The group that a name or ARN means in this call; undefined when there is none. */
export function lookUpGroup(registries: Registries, call: Call, nameOrArn: string): GroupRecord | undefined {
  const { scope, name } = resolveNameOrArn('model-package-group', nameOrArn, scopeOf(call));
  return scope.region === call.region ? registries.of(scope).groups.get(keyOf(name)) : undefined;
}

export function findGroup(registries: Registries, call: Call, nameOrArn: string): GroupRecord {
  const group = lookUpGroup(registries, call, nameOrArn);
  if (group === undefined) throw validationError(`Model Package Group ${nameOrArn} does not exist.`);
  return group;
}

export function packageArn(call: Call, nameOrArn: string): string {
  const { scope, name } = resolveNameOrArn('model-package', nameOrArn, scopeOf(call));
  return sagemakerArn(scope, `model-package/${name}`);
}

export function lookUpPackage(registries: Registries, call: Call, nameOrArn: string): PackageRecord | undefined {
  const { scope } = resolveNameOrArn('model-package', nameOrArn, scopeOf(call));
  if (scope.region !== call.region) return undefined;
  return registries.of(scope).packages.get(keyOf(packageArn(call, nameOrArn)));
}

export function findPackage(registries: Registries, call: Call, nameOrArn: string): PackageRecord {
  const found = lookUpPackage(registries, call, nameOrArn);
  if (found === undefined) throw validationError(`ModelPackage ${packageArn(call, nameOrArn)} does not exist.`);
  return found;
}
