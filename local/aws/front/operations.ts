/** Decoding and encoding of one operation in the protocol of its service. */
import { AwsError, NotImplementedError } from '../core/errors.ts';
import { decodeJson, encodeJson } from '../wire/json.ts';
import { contentType, type ServiceProtocol } from '../wire/protocols.ts';
import { decodeQuery, encodeQueryResponse } from '../wire/query.ts';
import { decodeRest, encodeRest, matchPath, parseJson } from '../wire/rest-json.ts';
import { type OperationSchema, serviceModel } from '../wire/schemas.ts';
import type { FrontRequest, FrontResponse } from './message.ts';

/** The name of the operation alone, before the input is decoded, so that a broken input can be logged by name. */
export function operationName(
  service: ServiceProtocol,
  request: FrontRequest,
  body: Uint8Array,
  fromTarget: string | undefined,
): string {
  if (fromTarget !== undefined) return fromTarget;
  switch (service.protocol) {
    case 'query': {
      const action = formParameters(request, body).get('Action');
      if (action === null) throw new AwsError('MissingAction', 'The request must contain the parameter Action.', 400);
      return action;
    }
    case 'rest-json': {
      const model = serviceModel(service.id);
      for (const name of model.operationNames()) {
        const http = model.operation(name)?.http;
        if (http !== undefined && http[0] === request.method && matchPath(http[1], request.path) !== undefined)
          return name;
      }
      throw new NotImplementedError(`${request.method} ${request.path} of ${service.id}`);
    }
    default:
      throw new NotImplementedError(`${request.method} ${request.path} of ${service.id} without X-Amz-Target`);
  }
}

export function operationSchema(service: ServiceProtocol, name: string): OperationSchema {
  const operation = serviceModel(service.id).operation(name);
  if (operation !== undefined) return operation;
  if (service.protocol === 'query') {
    throw new AwsError('InvalidAction', `Could not find operation ${name} of ${service.id}`, 400);
  }
  throw new AwsError('UnknownOperationException', `${service.id} has no operation ${name}.`, 400);
}

export function decodeInput(
  service: ServiceProtocol,
  operation: OperationSchema,
  request: FrontRequest,
  body: Uint8Array,
): Record<string, any> {
  switch (service.protocol) {
    case 'query':
      return decodeQuery(operation.input, formParameters(request, body));
    case 'rest-json':
      return decodeRest(operation, {
        path: request.path,
        query: new URLSearchParams(request.query),
        headers: request.headers,
        body,
      });
    default:
      return decodeJson(operation.input, parseJson(body), '') ?? {};
  }
}

export function encodeOutput(
  service: ServiceProtocol,
  operation: OperationSchema,
  output: any,
  requestId: string,
  unknown: (name: string) => void,
): FrontResponse {
  switch (service.protocol) {
    case 'query':
      return {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: encodeQueryResponse(
          operation.output,
          output,
          { namespace: service.namespace!, operation: operation.name, requestId },
          unknown,
        ),
      };
    case 'rest-json':
      return encodeRest(operation, output ?? {}, unknown);
    case 'rest-xml':
      throw new Error('S3 encodes its own answers.');
    default: {
      const document = encodeJson(operation.output, output ?? {}, unknown) ?? {};
      return {
        status: 200,
        headers: { 'content-type': contentType(service.protocol) },
        body: operation.output.kind === 'unit' ? '' : JSON.stringify(document),
      };
    }
  }
}

function formParameters(request: FrontRequest, body: Uint8Array): URLSearchParams {
  const text = request.method === 'GET' ? request.query : Buffer.from(body).toString('utf8');
  const parameters = new URLSearchParams(text);
  for (const name of [...parameters.keys()]) if (name.startsWith('X-Amz-')) parameters.delete(name);
  return parameters;
}
