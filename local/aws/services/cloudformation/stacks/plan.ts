import { createHash } from 'node:crypto';
import { AwsError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import type { HandlerRegistry } from '../resources/index.ts';
import { checkProperties, resourceSchema } from '../resources/schema.ts';
import { evaluate, evaluateConditions, type Value } from '../template/evaluate.ts';
import { dependenciesOf, type Template } from '../template/template.ts';
import type { ResourceChange, Stack, StackDefinition, Tag } from './model.ts';
import { evaluationScope } from './scope.ts';
import type { StackStore } from './store.ts';

/** Stands for a value that is known only after another resource exists. */
const unknownMark = '{{known after';

class ConditionalResourceError extends AwsError {
  constructor(logicalId: string, block: 'Resources' | 'Outputs') {
    super('ValidationError', `Unresolved resource dependencies [${logicalId}] in the ${block} block of the template`);
  }
}

export interface Plan {
  /** Resources that the conditions let in. */
  included: Set<string>;
  changes: ResourceChange[];
  outputsChanged: boolean;
}

/** Logical ids that a definition's conditions let in. */
export function includedResources(template: Template, conditions: Record<string, boolean>): Set<string> {
  return new Set(
    Object.entries(template.resources)
      .filter(([, resource]) => resource.condition === undefined || conditions[resource.condition] === true)
      .map(([name]) => name),
  );
}

/** Merges the tags of a stack into the tag property of a resource; the resource's own tags win. */
export function withStackTags(type: string, properties: Record<string, Value>, tags: Tag[]): Record<string, Value> {
  const information = resourceSchema(type)?.tags;
  if (information === undefined || tags.length === 0) return properties;
  const name = information.tagPropertyName;
  const own = properties[name];
  if (information.variant === 'map') {
    return {
      ...properties,
      [name]: { ...Object.fromEntries(tags.map((tag) => [tag.Key, tag.Value])), ...(own as object) },
    };
  }
  const list = (Array.isArray(own) ? own : []) as { Key?: Value }[];
  const inherited = tags.filter((tag) => !list.some((item) => item.Key === tag.Key));
  return { ...properties, [name]: [...list, ...inherited] as unknown as Value[] };
}

/** Equality of evaluated values, whatever the order of members. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32);
}

/** Resources in an order in which each comes after those it needs. */
export function topological(template: Template, included: Set<string>): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const dependency of dependenciesOf(template, name)) if (included.has(dependency)) visit(dependency);
    order.push(name);
  };
  for (const name of included) visit(name);
  return order;
}

/** A resource that a failed creation left unfinished: the next update makes it anew. */
export function isUnmade(resource: { status: string }): boolean {
  return resource.status === 'CREATE_FAILED' || resource.status === 'DELETE_COMPLETE';
}

/** Top-level properties that differ, and whether the difference replaces the resource. */
export function compareProperties(
  type: string,
  before: Record<string, any>,
  after: Record<string, any>,
): { changed: Set<string>; replacement: boolean } {
  const schema = resourceSchema(type);
  const changed = new Set(
    [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (name) => canonical(before[name]) !== canonical(after[name]),
    ),
  );
  // "maybe" in the specification means: depends on the change. Updating in place is left to the handler.
  const replacement = [...changed].some((name) => schema?.properties[name]?.replacement === 'yes');
  return { changed, replacement };
}

/**
 * What creating or updating `stack` to `definition` would do, as far as it can be known beforehand.
 * Throws ValidationError for everything that CloudFormation checks before it starts.
 */
export function planChanges(
  stack: Pick<Stack, 'id' | 'name' | 'account' | 'region' | 'resources' | 'outputs'> & { definition?: StackDefinition },
  definition: StackDefinition,
  store: StackStore,
  handlers: HandlerRegistry,
): Plan {
  const { template } = definition;
  const unknown = new Set<string>();
  let touchedUnknown = false;
  let included = new Set(Object.keys(template.resources));
  let block: 'Resources' | 'Outputs' = 'Resources';
  const check = (logicalId: string): void => {
    if (!included.has(logicalId)) throw new ConditionalResourceError(logicalId, block);
  };
  const mark = (logicalId: string, what: string): Value => {
    touchedUnknown = true;
    return `${unknownMark} ${logicalId}.${what}}}`;
  };
  const scope = evaluationScope(stack, definition, store, {
    refOf(logicalId) {
      check(logicalId);
      const current = stack.resources.get(logicalId);
      return unknown.has(logicalId) || current === undefined ? mark(logicalId, 'Ref') : current.physicalId;
    },
    attributeOf(logicalId, attribute) {
      check(logicalId);
      const current = stack.resources.get(logicalId)?.attributes[attribute];
      return unknown.has(logicalId) || current === undefined ? mark(logicalId, attribute) : current;
    },
  });
  const conditions = evaluateConditions(scope);
  included = includedResources(template, conditions);

  const evaluated = (logicalId: string): Record<string, Value> | undefined => {
    touchedUnknown = false;
    try {
      const value = evaluate(template.resources[logicalId]!.properties, scope, conditions) ?? {};
      return value as Record<string, Value>;
    } catch (error) {
      // A function over something unknown (Fn::Select of a future list) can only be evaluated later.
      if (touchedUnknown && !(error instanceof ConditionalResourceError)) return undefined;
      throw error;
    }
  };

  const changes: ResourceChange[] = [];
  for (const logicalId of topological(template, included)) {
    const declaration = template.resources[logicalId]!;
    for (const dependency of declaration.dependsOn) check(dependency);
    const current = stack.resources.get(logicalId);
    const raw = evaluated(logicalId);
    if (current === undefined || isUnmade(current)) {
      unknown.add(logicalId);
      changes.push({ action: 'Add', logicalId, type: declaration.type, scope: [], details: [] });
      continue;
    }
    if (current.type !== declaration.type) {
      throw validationError(
        `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${logicalId}]`,
      );
    }
    const change = compareResource(logicalId, raw, current, definition, conditions, scope, handlers);
    if (change !== undefined) {
      if (change.replacement !== 'False') unknown.add(logicalId);
      changes.push(change);
    }
  }
  for (const [logicalId, current] of stack.resources) {
    if (included.has(logicalId) || current.status === 'DELETE_COMPLETE') continue;
    changes.push({
      action: 'Remove',
      logicalId,
      physicalId: current.physicalId,
      type: current.type,
      scope: [],
      details: [],
    });
  }

  block = 'Outputs';
  const outputs: string[] = [];
  for (const [key, output] of Object.entries(template.outputs)) {
    if (output.condition !== undefined && conditions[output.condition] !== true) continue;
    touchedUnknown = false;
    try {
      const value = evaluate(output.value, scope, conditions);
      const exportName = output.exportName === undefined ? undefined : evaluate(output.exportName, scope, conditions);
      outputs.push(canonical([key, String(value), output.description, exportName]));
    } catch (error) {
      if (!touchedUnknown || error instanceof ConditionalResourceError) throw error;
      outputs.push(key);
    }
  }
  const before = stack.outputs.map(({ key, value, description, exportName }) =>
    canonical([key, value, description, exportName]),
  );
  return { included, changes, outputsChanged: outputs.sort().join() !== before.sort().join() };
}

function compareResource(
  logicalId: string,
  raw: Record<string, Value> | undefined,
  current: Stack['resources'] extends Map<string, infer R> ? R : never,
  definition: StackDefinition,
  conditions: Record<string, boolean>,
  scope: ReturnType<typeof evaluationScope>,
  handlers: HandlerRegistry,
): ResourceChange | undefined {
  const declaration = definition.template.resources[logicalId]!;
  const base = { action: 'Modify' as const, logicalId, physicalId: current.physicalId, type: declaration.type };
  if (raw === undefined) {
    return { ...base, replacement: 'Conditional', scope: ['Properties'], details: [] };
  }
  const schema = resourceSchema(declaration.type);
  const tagged = withStackTags(declaration.type, raw, definition.tags);
  const wanted = schema === undefined ? tagged : checkProperties(schema, tagged).properties;
  const { changed } = compareProperties(declaration.type, current.declared, wanted);
  const scopes = new Set<string>();
  const details: ResourceChange['details'] = [];
  let replacement = 'False' as 'True' | 'False' | 'Conditional';
  for (const name of changed) {
    const text = canonical(wanted[name]);
    const attribute = name === schema?.tags?.tagPropertyName ? 'Tags' : 'Properties';
    const rule = schema?.properties[name]?.replacement;
    const uncertain = text.includes(unknownMark);
    scopes.add(attribute);
    details.push({
      attribute,
      name,
      requiresRecreation: rule === 'yes' ? 'Always' : rule === 'maybe' ? 'Conditionally' : 'Never',
      evaluation: uncertain ? 'Dynamic' : 'Static',
    });
    if (rule === 'yes') replacement = uncertain && replacement !== 'True' ? 'Conditional' : 'True';
    else if (rule === 'maybe' && replacement === 'False') replacement = 'Conditional';
  }
  const attributes: [string, unknown, unknown][] = [
    ['DeletionPolicy', current.deletionPolicy, declaration.deletionPolicy ?? 'Delete'],
    ['UpdateReplacePolicy', current.updateReplacePolicy, declaration.updateReplacePolicy ?? 'Delete'],
    ['Metadata', current.metadata, metadataOf(declaration.metadata, scope, conditions)],
  ];
  for (const [attribute, before, after] of attributes) {
    if (canonical(before) === canonical(after)) continue;
    scopes.add(attribute);
    details.push({ attribute, requiresRecreation: 'Never', evaluation: 'Static' });
  }
  if (scopes.size === 0 && handlers[declaration.type]?.alwaysUpdate === true) {
    // What the nested template holds is known only when the nested stack is updated.
    scopes.add('Properties');
    details.push({ attribute: 'Properties', requiresRecreation: 'Never', evaluation: 'Dynamic' });
  }
  if (scopes.size === 0) return undefined;
  if (handlers[declaration.type] === undefined) replacement = 'Conditional';
  return { ...base, replacement, scope: [...scopes], details };
}

/** Metadata may hold functions; what cannot be evaluated yet is compared as written. */
export function metadataOf(
  metadata: unknown,
  scope: ReturnType<typeof evaluationScope>,
  conditions: Record<string, boolean>,
): Value | undefined {
  if (metadata === undefined) return undefined;
  try {
    return evaluate(metadata as Value, scope, conditions);
  } catch {
    return metadata as Value;
  }
}
