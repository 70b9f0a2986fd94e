/**
 * The one place that touches the SDK clients' runtime Smithy schemas (`CreatePipeline$` and friends). Those exports are
 * young: everything else works on the `Shape` below, and test/front/wire-contract.test.ts walks every operation served.
 */
import { createRequire } from 'node:module';
import { NormalizedSchema } from '@smithy/core/schema';

export type ShapeKind =
  | 'structure'
  | 'union'
  | 'list'
  | 'map'
  | 'string'
  | 'boolean'
  | 'number'
  | 'big-number'
  | 'blob'
  | 'timestamp'
  | 'document'
  | 'unit';

export interface Shape {
  readonly kind: ShapeKind;
  /** The model's name of a structure, empty for simple shapes. */
  readonly name: string;
  readonly traits: Readonly<Record<string, any>>;
  /** Members of a structure or union, in the model's order. */
  readonly members: ReadonlyMap<string, Shape>;
  /** Element of a list, value of a map. */
  readonly element: Shape;
  /** Only for timestamps; undefined leaves the choice to the protocol. */
  readonly timestampFormat: 'date-time' | 'http-date' | 'epoch-seconds' | undefined;
}

export interface OperationSchema {
  name: string;
  input: Shape;
  output: Shape;
  /** Method, path template and status of a REST protocol. */
  http: [method: string, path: string, status: number] | undefined;
}

export interface ErrorSchema {
  /** The class name in the model, e.g. EntityAlreadyExistsException. */
  name: string;
  /** What a client sees in awsQuery, e.g. EntityAlreadyExists. */
  queryCode: string | undefined;
  status: number | undefined;
  shape: Shape;
}

export interface ServiceModel {
  operation(name: string): OperationSchema | undefined;
  /** By class name or by the code of awsQuery. */
  error(code: string): ErrorSchema | undefined;
  operationNames(): string[];
}

const timestampFormats = { 5: 'date-time', 6: 'http-date', 7: 'epoch-seconds' } as const;

class SchemaShape implements Shape {
  readonly kind: ShapeKind;
  readonly name: string;
  readonly traits: Readonly<Record<string, any>>;
  readonly #schema: NormalizedSchema;
  #members: Map<string, Shape> | undefined;
  #element: Shape | undefined;

  constructor(schema: NormalizedSchema) {
    this.#schema = schema;
    this.kind = kindOf(schema);
    this.traits = schema.getMergedTraits() as Record<string, any>;
    this.name = this.kind === 'structure' || this.kind === 'union' ? (schema.getName() ?? '') : '';
  }

  get members(): ReadonlyMap<string, Shape> {
    if (this.#members === undefined) {
      this.#members = new Map();
      if (this.kind === 'structure' || this.kind === 'union') {
        for (const [name, member] of this.#schema.structIterator()) this.#members.set(name, new SchemaShape(member));
      }
    }
    return this.#members;
  }

  get element(): Shape {
    this.#element ??= new SchemaShape(this.#schema.getValueSchema());
    return this.#element;
  }

  get timestampFormat(): Shape['timestampFormat'] {
    const code = this.#schema.getSchema();
    return timestampFormats[code as keyof typeof timestampFormats];
  }
}

function kindOf(schema: NormalizedSchema): ShapeKind {
  if (schema.isUnitSchema()) return 'unit';
  if (schema.isUnionSchema()) return 'union';
  if (schema.isStructSchema()) return 'structure';
  if (schema.isListSchema()) return 'list';
  if (schema.isMapSchema()) return 'map';
  if (schema.isBlobSchema()) return 'blob';
  if (schema.isTimestampSchema()) return 'timestamp';
  if (schema.isDocumentSchema()) return 'document';
  if (schema.isStringSchema()) return 'string';
  if (schema.isBooleanSchema()) return 'boolean';
  if (schema.isNumericSchema()) return 'number';
  if (schema.isBigIntegerSchema() || schema.isBigDecimalSchema()) return 'big-number';
  // A named simple shape ([0, namespace, name, traits, code]) was already resolved by getSchema.
  throw new Error(`The SDK's schema of ${schema.getName(true)} has a form this version does not know.`);
}

const require = createRequire(import.meta.url);
const models = new Map<string, ServiceModel>();

/** The model of a service by the SDK's name (`sagemaker`, `sts`, ...); loads its client package when first asked. */
export function serviceModel(serviceId: string): ServiceModel {
  let model = models.get(serviceId);
  if (model === undefined) {
    model = readModel(require(`@aws-sdk/client-${serviceId}`) as Record<string, unknown>);
    models.set(serviceId, model);
  }
  return model;
}

function readModel(client: Record<string, unknown>): ServiceModel {
  const operations = new Map<string, OperationSchema | null>();
  let errors: Map<string, ErrorSchema> | undefined;
  const schemaOf = (name: string): unknown[] | undefined => {
    const value = client[`${name}$`];
    return Array.isArray(value) ? value : undefined;
  };
  return {
    operation(name) {
      let operation = operations.get(name);
      if (operation === undefined) {
        const schema = schemaOf(name);
        operation = schema?.[0] === 9 ? readOperation(name, schema) : null;
        operations.set(name, operation);
      }
      return operation ?? undefined;
    },
    error(code) {
      if (errors === undefined) {
        errors = new Map();
        for (const value of Object.values(client)) {
          if (!Array.isArray(value) || value[0] !== -3) continue;
          const error = readError(value);
          errors.set(error.name, error);
          if (error.queryCode !== undefined) errors.set(error.queryCode, error);
        }
      }
      return errors.get(code);
    },
    operationNames() {
      return Object.entries(client)
        .filter(([name, value]) => name.endsWith('$') && Array.isArray(value) && value[0] === 9)
        .map(([name]) => name.slice(0, -1));
    },
  };
}

function readOperation(name: string, schema: unknown[]): OperationSchema {
  const traits = schema[3] as { http?: [string, string, number] } | 0;
  return {
    name,
    input: new SchemaShape(NormalizedSchema.of(schema[4] as any)),
    output: new SchemaShape(NormalizedSchema.of(schema[5] as any)),
    http: traits === 0 ? undefined : traits.http,
  };
}

function readError(schema: unknown[]): ErrorSchema {
  const traits = (schema[3] || {}) as { awsQueryError?: [string, number]; httpError?: number };
  return {
    name: schema[2] as string,
    queryCode: traits.awsQueryError?.[0],
    status: traits.awsQueryError?.[1] ?? traits.httpError,
    shape: new SchemaShape(NormalizedSchema.of(schema as any)),
  };
}
