import { NotImplementedError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import { resourceSchema, typeIsKnownToAws } from '../resources/schema.ts';
import { type Json, readTemplateBody } from './read.ts';
import { collectReferences, type References } from './references.ts';

export interface ParameterDeclaration {
  Type: string;
  Default?: string | number | boolean | string[];
  AllowedValues?: (string | number)[];
  AllowedPattern?: string;
  ConstraintDescription?: string;
  Description?: string;
  MaxLength?: number;
  MinLength?: number;
  MaxValue?: number;
  MinValue?: number;
  NoEcho?: boolean;
}

export interface ResourceDeclaration {
  type: string;
  properties: Json;
  condition?: string;
  dependsOn: string[];
  deletionPolicy: Json | undefined;
  updateReplacePolicy: Json | undefined;
  metadata: Json | undefined;
}

export interface OutputDeclaration {
  value: Json;
  description?: string;
  exportName?: Json;
  condition?: string;
}

export interface Template {
  body: string;
  source: Record<string, Json>;
  description: string | undefined;
  metadata: Json | undefined;
  parameters: Record<string, ParameterDeclaration>;
  mappings: Record<string, Record<string, Record<string, Json>>>;
  conditions: Record<string, Json>;
  resources: Record<string, ResourceDeclaration>;
  outputs: Record<string, OutputDeclaration>;
}

/** Quotas of templates: "Understand CloudFormation quotas" of the user guide. */
export const limits = {
  bodyBytes: 51_200,
  urlBytes: 1_048_576,
  resources: 500,
  parameters: 200,
  mappings: 200,
  outputs: 200,
  descriptionBytes: 1_024,
  tags: 50,
};

const sections = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Conditions',
  'Transform',
  'Rules',
  'Hooks',
  'Resources',
  'Outputs',
]);

const resourceMembers = new Set([
  'Type',
  'Properties',
  'Condition',
  'DependsOn',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'Metadata',
]);

const unsupportedResourceMembers = new Set(['CreationPolicy', 'UpdatePolicy']);

export const pseudoParameters = new Set([
  'AWS::AccountId',
  'AWS::NotificationARNs',
  'AWS::NoValue',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
]);

function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function section(source: Record<string, Json>, name: string): Record<string, Json> {
  const value = source[name];
  if (value === undefined) return {};
  if (!isObject(value)) throw validationError(`Template format error: [/${name}] must be a map.`);
  return value;
}

function checkNames(names: string[], where: string): void {
  for (const name of names) {
    if (!/^[A-Za-z0-9]{1,255}$/.test(name)) {
      throw validationError(
        `Template format error: ${where} name ${name} is non alphanumeric; names in ${where} may hold letters and digits only.`,
      );
    }
  }
}

const parameterMembers = new Set([
  'Type',
  'Default',
  'AllowedValues',
  'AllowedPattern',
  'ConstraintDescription',
  'Description',
  'MaxLength',
  'MinLength',
  'MaxValue',
  'MinValue',
  'NoEcho',
]);

export const parameterTypePattern =
  /^(String|Number|List<(Number|String)>|CommaDelimitedList|AWS::SSM::Parameter::(Name|Value<(String|List<String>|CommaDelimitedList|AWS::[A-Za-z0-9:]+|List<AWS::[A-Za-z0-9:]+>)>)|(List<)?AWS::(EC2|Route53)::[A-Za-z0-9:.]+>?)$/;

function readParameters(source: Record<string, Json>): Record<string, ParameterDeclaration> {
  const declared = section(source, 'Parameters');
  checkNames(Object.keys(declared), 'Parameters');
  if (Object.keys(declared).length > limits.parameters) {
    throw validationError(
      `Template format error: Number of parameters, ${Object.keys(declared).length}, is greater than maximum allowed, ${limits.parameters}`,
    );
  }
  const parameters: Record<string, ParameterDeclaration> = {};
  for (const [name, value] of Object.entries(declared)) {
    if (!isObject(value)) {
      throw validationError(`Template format error: Every Parameters member must be a map; ${name} is not.`);
    }
    if (typeof value['Type'] !== 'string') {
      throw validationError(
        `Template format error: Every Parameters object must contain a Type member; ${name} has none.`,
      );
    }
    const unknown = Object.keys(value).filter((member) => !parameterMembers.has(member));
    if (unknown.length > 0) {
      throw validationError(
        `Invalid template parameter property '${unknown[0]}'${unknown.length > 1 ? ` (and ${unknown.slice(1).join(', ')})` : ''} of parameter ${name}`,
      );
    }
    if (!parameterTypePattern.test(value['Type'])) {
      throw validationError(`Template format error: Unrecognized parameter type: ${value['Type']} (parameter ${name})`);
    }
    const number = (member: string): number | undefined => {
      if (value[member] === undefined) return undefined;
      const parsed = Number(value[member]);
      if (Number.isNaN(parsed)) {
        throw validationError(`Template format error: ${member} of parameter ${name} must be a number.`);
      }
      return parsed;
    };
    const declaration = {
      ...value,
      NoEcho: value['NoEcho'] === true || value['NoEcho'] === 'true',
    } as unknown as ParameterDeclaration & Record<string, unknown>;
    for (const member of ['MinLength', 'MaxLength', 'MinValue', 'MaxValue']) {
      const parsed = number(member);
      if (parsed !== undefined) declaration[member] = parsed;
    }
    parameters[name] = declaration;
  }
  return parameters;
}

function readMappings(source: Record<string, Json>): Template['mappings'] {
  const mappings = section(source, 'Mappings');
  checkNames(Object.keys(mappings), 'Mappings');
  if (Object.keys(mappings).length > limits.mappings) {
    throw validationError(`Template format error: more than ${limits.mappings} mappings.`);
  }
  for (const [name, mapping] of Object.entries(mappings)) {
    if (!isObject(mapping) || Object.values(mapping).some((inner) => !isObject(inner))) {
      throw validationError(`Template format error: Every Mappings attribute must be a map of maps; ${name} is not.`);
    }
    for (const [top, inner] of Object.entries(mapping as Record<string, Record<string, Json>>)) {
      for (const [key, value] of Object.entries(inner)) {
        const items = Array.isArray(value) ? value : [value];
        if (items.some((item) => typeof item === 'object')) {
          throw validationError(
            `Template format error: Every Mappings attribute must be a String or a List; ${name}.${top}.${key} is not.`,
          );
        }
      }
    }
  }
  return mappings as unknown as Template['mappings'];
}

function strings(value: Json | undefined, where: string): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  if (list.some((item) => typeof item !== 'string')) {
    throw validationError(`Template format error: ${where} must be a string or a list of strings.`);
  }
  return list as string[];
}

function readResources(source: Record<string, Json>): Record<string, ResourceDeclaration> {
  const declared = section(source, 'Resources');
  const names = Object.keys(declared);
  if (names.length === 0) {
    throw validationError('Template format error: At least one Resources member must be defined.');
  }
  if (names.some((name) => name.startsWith('Fn::ForEach'))) throw new NotImplementedError('Fn::ForEach in templates');
  checkNames(names, 'Resources');
  if (names.length > limits.resources) {
    throw validationError(
      `Template format error: Number of resources, ${names.length}, is greater than maximum allowed, ${limits.resources}`,
    );
  }
  const resources: Record<string, ResourceDeclaration> = {};
  const unrecognized: string[] = [];
  for (const [name, value] of Object.entries(declared)) {
    if (!isObject(value)) {
      throw validationError(`Template format error: [/Resources/${name}] resource definition is malformed`);
    }
    const type = value['Type'];
    if (typeof type !== 'string') {
      throw validationError(
        `Template format error: [/Resources/${name}] Every Resources object must contain a Type member.`,
      );
    }
    if (!typeIsKnownToAws(type)) unrecognized.push(type);
    for (const member of Object.keys(value)) {
      if (unsupportedResourceMembers.has(member)) {
        throw new NotImplementedError(`the attribute ${member} of the resource ${name}`);
      }
      if (!resourceMembers.has(member)) {
        throw validationError(`Invalid template resource property '${member}' in resource ${name}`);
      }
    }
    const properties = value['Properties'] ?? {};
    if (!isObject(properties)) {
      throw validationError(`Template format error: [/Resources/${name}/Properties] must be a map.`);
    }
    if (value['Condition'] !== undefined && typeof value['Condition'] !== 'string') {
      throw validationError(`Template format error: [/Resources/${name}/Condition] must be a string.`);
    }
    resources[name] = {
      type,
      properties,
      ...(value['Condition'] === undefined ? {} : { condition: value['Condition'] as string }),
      dependsOn: strings(value['DependsOn'], `DependsOn of ${name}`),
      deletionPolicy: policy(value['DeletionPolicy'], name, 'DeletionPolicy', deletionPolicies),
      updateReplacePolicy: policy(value['UpdateReplacePolicy'], name, 'UpdateReplacePolicy', updateReplacePolicies),
      metadata: value['Metadata'],
    };
  }
  if (unrecognized.length > 0) {
    throw validationError(`Template format error: Unrecognized resource types: [${unrecognized.join(', ')}]`);
  }
  return resources;
}

const deletionPolicies = ['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot'];
const updateReplacePolicies = ['Delete', 'Retain', 'Snapshot'];

function policy(value: Json | undefined, resource: string, member: string, allowed: string[]): Json | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw new NotImplementedError(
      `a function in ${member} of the resource ${resource} (on AWS it needs AWS::LanguageExtensions)`,
    );
  }
  if (!allowed.includes(value)) {
    throw validationError(`Template format error: Unrecognized ${member} ${value} for resource ${resource}`);
  }
  if (value === 'Snapshot') {
    throw validationError(`Template error: resource type of ${resource} does not support ${member} Snapshot`);
  }
  return value;
}

function readOutputs(source: Record<string, Json>): Record<string, OutputDeclaration> {
  const declared = section(source, 'Outputs');
  checkNames(Object.keys(declared), 'Outputs');
  if (Object.keys(declared).length > limits.outputs) {
    throw validationError(
      `Template format error: Number of outputs is greater than maximum allowed, ${limits.outputs}`,
    );
  }
  const outputs: Record<string, OutputDeclaration> = {};
  for (const [name, value] of Object.entries(declared)) {
    if (!isObject(value) || value['Value'] === undefined) {
      throw validationError(
        `Template format error: Every Outputs member must contain a Value object; ${name} has none.`,
      );
    }
    const unknown = Object.keys(value).find(
      (member) => !['Value', 'Description', 'Export', 'Condition'].includes(member),
    );
    if (unknown !== undefined) throw validationError(`Invalid template output property '${unknown}' in output ${name}`);
    const exported = value['Export'];
    if (exported !== undefined && (!isObject(exported) || exported['Name'] === undefined)) {
      throw validationError(`Template format error: Output ${name} is malformed: Export needs a Name.`);
    }
    outputs[name] = {
      value: value['Value'],
      ...(value['Description'] === undefined ? {} : { description: String(value['Description']) }),
      ...(exported === undefined ? {} : { exportName: (exported as Record<string, Json>)['Name'] as Json }),
      ...(value['Condition'] === undefined ? {} : { condition: String(value['Condition']) }),
    };
  }
  return outputs;
}

/** Thousands of stacks of a stack set have one template: they share it, and it is read once. */
const recent = new Map<string, Template>();
const recentLimit = 32;

/** Reads and checks a template as far as that is possible without parameter values. Throws ValidationError or NotImplemented. */
export function readTemplate(body: string): Template {
  const known = recent.get(body);
  const template = known ?? parseTemplate(body);
  recent.delete(body);
  recent.set(body, template);
  const [oldest] = recent.keys();
  if (recent.size > recentLimit && oldest !== undefined) recent.delete(oldest);
  return template;
}

function parseTemplate(body: string): Template {
  const source = readTemplateBody(body);
  const unknown = Object.keys(source).filter((name) => !sections.has(name));
  if (unknown.length > 0) {
    throw validationError(`Template format error: Invalid template property or properties [${unknown.join(', ')}]`);
  }
  const version = source['AWSTemplateFormatVersion'];
  if (version !== undefined && version !== '2010-09-09') {
    throw validationError(
      `Template format error: unsupported value for AWSTemplateFormatVersion: ${String(version)}; the only one is "2010-09-09".`,
    );
  }
  if (source['Transform'] !== undefined) {
    throw new NotImplementedError(`macros (Transform: ${JSON.stringify(source['Transform'])})`);
  }
  for (const name of ['Rules', 'Hooks']) {
    if (source[name] !== undefined) throw new NotImplementedError(`the template section ${name}`);
  }
  const description = source['Description'];
  if (description !== undefined && typeof description !== 'string') {
    throw validationError('Template format error: [/Description] must be a string.');
  }
  if (description !== undefined && Buffer.byteLength(description) > limits.descriptionBytes) {
    throw validationError(`Template format error: 'Description' length is greater than ${limits.descriptionBytes}.`);
  }
  const template: Template = {
    body,
    source,
    description,
    metadata: source['Metadata'],
    parameters: readParameters(source),
    mappings: readMappings(source),
    conditions: section(source, 'Conditions'),
    resources: readResources(source),
    outputs: readOutputs(source),
  };
  checkReferences(template);
  return template;
}

function checkReferences(template: Template): void {
  const dangling: Record<string, Set<string>> = { Resources: new Set(), Outputs: new Set(), Conditions: new Set() };
  const check = (references: References, where: 'Resources' | 'Outputs' | 'Conditions'): void => {
    for (const name of references.names) {
      if (pseudoParameters.has(name) || name in template.parameters) continue;
      if (name in template.resources && where !== 'Conditions') continue;
      dangling[where]!.add(name);
    }
    for (const name of references.conditions) {
      if (!(name in template.conditions)) {
        throw validationError(
          `Template format error: Unresolved condition ${name}: it is not in the Conditions block of the template`,
        );
      }
    }
    for (const name of references.mappings) {
      if (!(name in template.mappings)) {
        throw validationError(
          `Template error: Mapping named '${name}' is not present in the 'Mappings' section of template.`,
        );
      }
    }
    for (const { resource, attribute } of references.attributes) {
      const target = template.resources[resource];
      if (target === undefined || where === 'Conditions') {
        throw validationError(`Template error: instance of Fn::GetAtt references undefined resource ${resource}`);
      }
      const schema = resourceSchema(target.type);
      if (schema === undefined || attribute === undefined) continue;
      const known =
        schema.attributes.includes(attribute) ||
        (target.type === 'AWS::CloudFormation::Stack' && attribute.startsWith('Outputs.'));
      if (!known) {
        throw validationError(
          `Template error: resource ${resource} does not support attribute type ${attribute} in Fn::GetAtt`,
        );
      }
    }
  };
  for (const condition of Object.values(template.conditions)) check(collectReferences(condition), 'Conditions');
  for (const [name, resource] of Object.entries(template.resources)) {
    const references = collectReferences(resource.properties);
    for (const dependency of resource.dependsOn) {
      if (!(dependency in template.resources)) dangling['Resources']!.add(dependency);
    }
    if (resource.condition !== undefined) references.conditions.add(resource.condition);
    check(references, 'Resources');
    if (references.names.has(name) || resource.dependsOn.includes(name)) {
      throw validationError(`Circular dependency between resources: [${name}]`);
    }
  }
  for (const output of Object.values(template.outputs)) {
    const references = collectReferences(output.value);
    if (output.condition !== undefined) references.conditions.add(output.condition);
    check(references, 'Outputs');
    if (output.exportName !== undefined) check(collectReferences(output.exportName), 'Outputs');
  }
  for (const [where, names] of Object.entries(dangling)) {
    if (names.size > 0) {
      throw validationError(
        `Template format error: Unresolved resource dependencies [${[...names].join(', ')}] in the ${where} block of the template`,
      );
    }
  }
  checkConditionCycles(template);
  checkCycles(template);
}

function checkConditionCycles(template: Template): void {
  const visiting = new Set<string>();
  const done = new Set<string>();
  const visit = (name: string): void => {
    if (done.has(name)) return;
    if (visiting.has(name))
      throw validationError(`Template format error: Found circular condition dependency with ${name}`);
    visiting.add(name);
    for (const next of collectReferences(template.conditions[name] as Json).conditions) visit(next);
    visiting.delete(name);
    done.add(name);
  };
  for (const name of Object.keys(template.conditions)) visit(name);
}

/** Logical ids that a resource needs before itself, from references and DependsOn. */
export function dependenciesOf(template: Template, logicalId: string): Set<string> {
  const resource = template.resources[logicalId];
  if (resource === undefined) return new Set();
  const references = collectReferences(resource.properties);
  const all = new Set([
    ...references.names,
    ...references.attributes.map((reference) => reference.resource),
    ...resource.dependsOn,
  ]);
  return new Set([...all].filter((name) => name in template.resources && name !== logicalId));
}

function checkCycles(template: Template): void {
  const remaining = new Map(
    Object.keys(template.resources).map((name) => [name, dependenciesOf(template, name)] as const),
  );
  let removed = true;
  while (removed) {
    removed = false;
    for (const [name, dependencies] of remaining) {
      if ([...dependencies].some((dependency) => remaining.has(dependency))) continue;
      remaining.delete(name);
      removed = true;
    }
  }
  if (remaining.size > 0) {
    throw validationError(`Circular dependency between resources: [${[...remaining.keys()].join(', ')}]`);
  }
}
