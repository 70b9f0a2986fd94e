/** Which service speaks which protocol, and the answer to an error in each. */
import type { AwsError } from '../core/errors.ts';
import { encodeJson } from './json.ts';
import { element, encodeXml, escapeXml } from './query.ts';
import { serviceModel } from './schemas.ts';

export type Protocol = 'json-1.0' | 'json-1.1' | 'query' | 'rest-json' | 'rest-xml';

export interface ServiceProtocol {
  /** The SDK's name of the service; the package is @aws-sdk/client-ID. */
  id: string;
  protocol: Protocol;
  /** What the credential scope of a signature calls the service. */
  signingName: string;
  /** IAM's prefix of its actions; also the prefix in the call log. */
  actionPrefix: string;
  /** X-Amz-Target before the dot. */
  target?: string;
  namespace?: string;
}

/** The id of a service that only gets a refusal; there is no model of its errors. */
export const unknownService = 'unknown';

export const protocols: readonly ServiceProtocol[] = [
  { id: 'sagemaker', protocol: 'json-1.1', signingName: 'sagemaker', actionPrefix: 'sagemaker', target: 'SageMaker' },
  { id: 'sagemaker-runtime', protocol: 'rest-json', signingName: 'sagemaker', actionPrefix: 'sagemaker' },
  {
    id: 'organizations',
    protocol: 'json-1.1',
    signingName: 'organizations',
    actionPrefix: 'organizations',
    target: 'AWSOrganizationsV20161128',
  },
  { id: 'kms', protocol: 'json-1.1', signingName: 'kms', actionPrefix: 'kms', target: 'TrentService' },
  { id: 'ssm', protocol: 'json-1.1', signingName: 'ssm', actionPrefix: 'ssm', target: 'AmazonSSM' },
  { id: 'cloudwatch-logs', protocol: 'json-1.1', signingName: 'logs', actionPrefix: 'logs', target: 'Logs_20140328' },
  {
    id: 'ecr',
    protocol: 'json-1.1',
    signingName: 'ecr',
    actionPrefix: 'ecr',
    target: 'AmazonEC2ContainerRegistry_V20150921',
  },
  {
    id: 'sts',
    protocol: 'query',
    signingName: 'sts',
    actionPrefix: 'sts',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  },
  {
    id: 'iam',
    protocol: 'query',
    signingName: 'iam',
    actionPrefix: 'iam',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  },
  {
    id: 'cloudformation',
    protocol: 'query',
    signingName: 'cloudformation',
    actionPrefix: 'cloudformation',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
  },
  { id: 's3', protocol: 'rest-xml', signingName: 's3', actionPrefix: 's3' },
];

export interface WireError {
  /** What a client reads as the code. */
  code: string;
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** An error in the form of the protocol; `asked` tells that an old awsQuery client asked for its codes in JSON. */
export function encodeError(
  service: ServiceProtocol,
  error: AwsError,
  requestId: string,
  asked = { queryMode: false },
): WireError {
  const hasModel = service.protocol !== 'rest-xml' && service.id !== unknownService;
  const modelled = hasModel ? serviceModel(service.id).error(error.code) : undefined;
  switch (service.protocol) {
    case 'rest-xml':
      return {
        code: error.code,
        status: error.status,
        headers: { 'content-type': 'application/xml' },
        body: `<?xml version="1.0" encoding="UTF-8"?>\n${element(
          'Error',
          element('Code', escapeXml(error.code)) +
            element('Message', escapeXml(error.message)) +
            Object.entries(error.fields)
              .map(([name, value]) => element(name, escapeXml(String(value))))
              .join('') +
            element('RequestId', requestId),
        )}`,
      };
    case 'query': {
      const members = modelled === undefined ? '' : encodeXml(modelled.shape, error.fields, () => {});
      return {
        code: modelled?.queryCode ?? error.code,
        // The query services use the model's statuses (NoSuchEntity 404); a service need not repeat them.
        status: error.status === 400 ? (modelled?.status ?? 400) : error.status,
        headers: { 'content-type': 'text/xml' },
        body: `<ErrorResponse xmlns="${service.namespace}">${element(
          'Error',
          element('Type', error.status >= 500 ? 'Receiver' : 'Sender') +
            element('Code', escapeXml(modelled?.queryCode ?? error.code)) +
            element('Message', escapeXml(error.message)) +
            members,
        )}${element('RequestId', requestId)}</ErrorResponse>`,
      };
    }
    default: {
      const code = modelled?.name ?? error.code;
      const messageMember = modelled?.shape.members.has('Message') ? 'Message' : 'message';
      const fields = modelled === undefined ? {} : encodeJson(modelled.shape, error.fields, () => {});
      const headers: Record<string, string> = {
        'content-type': service.protocol === 'rest-json' ? 'application/json' : contentType(service.protocol),
        'x-amzn-errortype': code,
      };
      if (asked.queryMode) {
        headers['x-amzn-query-error'] = `${modelled?.queryCode ?? code};${error.status >= 500 ? 'Receiver' : 'Sender'}`;
      }
      return {
        code,
        status: error.status,
        headers,
        body: JSON.stringify({ __type: code, [messageMember]: error.message, ...fields }),
      };
    }
  }
}

export function contentType(protocol: 'json-1.0' | 'json-1.1'): string {
  return `application/x-amz-json-${protocol.slice(5)}`;
}
