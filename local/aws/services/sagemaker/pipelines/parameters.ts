export const parameterTypes = ['String', 'Integer', 'Float', 'Boolean'] as const;
export type ParameterType = (typeof parameterTypes)[number];
export type ParameterValue = string | number | boolean;

export interface ParameterDefinition {
  name: string;
  type: ParameterType;
  defaultValue?: ParameterValue;
  enumValues?: ParameterValue[];
}

/** A value as the service writes it: integers as digits, floats with a point, booleans in lower case. */
export function formatScalar(value: ParameterValue, type?: ParameterType): string {
  if (typeof value === 'number' && type === 'Float' && Number.isInteger(value)) return value.toFixed(1);
  return String(value);
}

/** Reads the text that StartPipelineExecution brings; undefined when it is none of the type. */
export function readParameter(text: string, type: ParameterType): ParameterValue | undefined {
  switch (type) {
    case 'String':
      return text;
    case 'Integer':
      return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : undefined;
    case 'Float': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      return Number.isFinite(value) ? value : undefined;
    }
    case 'Boolean':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined;
  }
}

/** Whether a JSON value of the definition is of the type; a whole number is a Float as well. */
export function isOfType(value: unknown, type: ParameterType): value is ParameterValue {
  switch (type) {
    case 'String':
      return typeof value === 'string';
    case 'Integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'Float':
      return typeof value === 'number';
    case 'Boolean':
      return typeof value === 'boolean';
  }
}

/** Values for every parameter of a definition, or every reason why there are none. */
export function bindParameters(
  definitions: readonly ParameterDefinition[],
  given: readonly { Name?: string | undefined; Value?: string | undefined }[],
): { values: Map<string, ParameterValue>; problems: string[] } {
  const problems: string[] = [];
  const values = new Map<string, ParameterValue>();
  const texts = new Map<string, string>();
  for (const { Name: name = '', Value: value = '' } of given) {
    if (!definitions.some((definition) => definition.name === name)) problems.push(`Unknown parameter '${name}'`);
    else if (texts.has(name)) problems.push(`Parameter '${name}' is given twice`);
    texts.set(name, value);
  }
  for (const definition of definitions) {
    const { name, type, defaultValue, enumValues } = definition;
    const text = texts.get(name);
    const value = text === undefined ? defaultValue : readParameter(text, type);
    if (value === undefined) {
      problems.push(
        text === undefined ? `Parameter '${name}' is undefined.` : `Unexpected type for parameter '${name}'`,
      );
      continue;
    }
    if (enumValues !== undefined && !enumValues.includes(value)) {
      const allowed = enumValues.map((each) => formatScalar(each, type)).join(', ');
      problems.push(`Parameter '${name}' is ${formatScalar(value, type)}, but must be one of: ${allowed}`);
      continue;
    }
    values.set(name, value);
  }
  return { values, problems };
}
