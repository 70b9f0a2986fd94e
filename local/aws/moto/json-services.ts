/** KMS, SSM, CloudWatch Logs and ECR: authorised here, kept by moto. */
import { AwsError } from '../core/errors.ts';
import type { Call } from '../core/service.ts';
import { decodeJson, encodeJson } from '../wire/json.ts';
import { contentType, protocols } from '../wire/protocols.ts';
import { serviceModel } from '../wire/schemas.ts';
import type { Moto } from './process.ts';

/** Calls one operation of moto in an account and region; errors of moto become AwsErrors. */
export async function callMoto(
  moto: Moto,
  serviceId: string,
  operation: string,
  input: Record<string, any>,
  place: Pick<Call, 'account' | 'region'>,
): Promise<Record<string, any>> {
  const service = protocols.find((protocol) => protocol.id === serviceId)!;
  const schema = serviceModel(serviceId).operation(operation)!;
  const response = await moto.send({
    service: service.signingName,
    account: place.account,
    region: place.region,
    method: 'POST',
    path: '/',
    query: '',
    headers: { 'content-type': contentType('json-1.1'), 'x-amz-target': `${service.target}.${operation}` },
    body: Buffer.from(JSON.stringify(encodeJson(schema.input, input, () => {}) ?? {})),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (response.status >= 400) throw errorOf(text, response.status, serviceId, operation);
  return decodeJson(schema.output, text === '' ? {} : dropUnknown(JSON.parse(text), schema.output), '') ?? {};
}

/** moto answers a few members beyond the model; they would be refused as unknown. */
function dropUnknown(value: any, shape: import('../wire/schemas.ts').Shape): any {
  if (value === null || value === undefined) return value;
  if (shape.kind === 'structure' || shape.kind === 'union') {
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, item]) => {
        const member = shape.members.get(name);
        return member === undefined ? [] : [[name, dropUnknown(item, member)]];
      }),
    );
  }
  if (shape.kind === 'list' && Array.isArray(value)) return value.map((item) => dropUnknown(item, shape.element));
  if (shape.kind === 'map') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, dropUnknown(item, shape.element)]));
  }
  return value;
}

function errorOf(text: string, status: number, serviceId: string, operation: string): AwsError {
  try {
    const body = JSON.parse(text);
    const code = String(body.__type ?? body.code ?? '').replace(/^.*#/, '');
    if (code !== '') return new AwsError(code, String(body.message ?? body.Message ?? ''), status);
  } catch {
    // not JSON: one of moto's own failures, told as such
  }
  return new AwsError('InternalFailure', `moto failed in ${operation} of ${serviceId}: ${text.slice(0, 300)}`, 500);
}
