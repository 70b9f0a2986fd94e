/** restJson1 bindings (labels, headers, query, payload) as SageMaker runtime uses them. */
import { AwsError } from '../core/errors.ts';
import { decodeJson, encodeJson } from './json.ts';
import type { OperationSchema, Shape } from './schemas.ts';

export interface RestRequest {
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Path segments of a template such as `/endpoints/{EndpointName}/invocations`; undefined when the path does not fit. */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('?')[0]!.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const label = /^\{(\w+)\}$/.exec(part)?.[1];
    if (label === undefined) {
      if (part !== given[index]) return undefined;
    } else {
      if (given[index] === '') return undefined;
      labels[label] = decodeURIComponent(given[index]!);
    }
  }
  return labels;
}

export function decodeRest(operation: OperationSchema, request: RestRequest): Record<string, any> {
  const labels = matchPath(operation.http![1], request.path) ?? {};
  const input: Record<string, any> = {};
  const bodyMembers: [string, Shape][] = [];
  for (const [name, shape] of operation.input.members) {
    const { traits } = shape;
    if (traits.httpLabel) input[name] = decodeText(shape, labels[name]);
    else if (traits.httpHeader)
      input[name] = decodeText(shape, request.headers[String(traits.httpHeader).toLowerCase()]);
    else if (traits.httpQuery) input[name] = decodeText(shape, request.query.get(traits.httpQuery) ?? undefined);
    else if (traits.httpPayload)
      input[name] = shape.kind === 'blob' ? request.body : Buffer.from(request.body).toString();
    else bodyMembers.push([name, shape]);
  }
  if (bodyMembers.length > 0 && request.body.length > 0) {
    const document = parseJson(request.body);
    for (const [name, shape] of bodyMembers) input[name] = decodeJson(shape, document[name], name);
  }
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

function decodeText(shape: Shape, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (shape.kind === 'boolean') return text === 'true';
  if (shape.kind === 'number') return Number(text);
  if (shape.kind === 'timestamp') return new Date(text);
  return text;
}

export function encodeRest(
  operation: OperationSchema,
  output: Record<string, any>,
  unknown: (name: string) => void,
): { status: number; headers: Record<string, string>; body: Uint8Array } {
  const headers: Record<string, string> = {};
  let body: Uint8Array | undefined;
  let status = operation.http![2];
  const document: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(output)) {
    if (value === undefined || value === null) continue;
    const shape = operation.output.members.get(name);
    if (shape === undefined) unknown(`${operation.output.name}.${name}`);
    else if (shape.traits.httpHeader) headers[String(shape.traits.httpHeader).toLowerCase()] = String(value);
    else if (shape.traits.httpResponseCode) status = Number(value);
    else if (shape.traits.httpPayload) body = typeof value === 'string' ? Buffer.from(value) : value;
    else document[name] = encodeJson(shape, value, unknown);
  }
  if (body === undefined) {
    body = Buffer.from(JSON.stringify(document));
    headers['content-type'] ??= 'application/json';
  }
  return { status, headers, body };
}

/** The JSON object of a request body. Throws SerializationException. */
export function parseJson(body: Uint8Array): Record<string, any> {
  try {
    const value = body.length === 0 ? {} : JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // falls through to the one error below
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object.');
}
