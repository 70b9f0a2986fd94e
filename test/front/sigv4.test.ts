/** Signatures made by the SDK's own signer, verified by ours; and every kind of tampering. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { describe, expect, test } from '@jest/globals';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { readSignature, type SignableRequest, sha256, verifySignature } from '../../local/aws/wire/sigv4.ts';

const secret = 'secret-of-the-test';
const body = 'Action=GetCallerIdentity&Version=2011-06-15';

async function signed(service: string, path = '/', query: Record<string, string | string[]> = {}) {
  const signer = new SignatureV4({
    service,
    region: 'eu-west-1',
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    credentials: { accessKeyId: 'ASIALOCALAAAAAAAAAAA', secretAccessKey: secret, sessionToken: 'token' },
  });
  const request = await signer.sign(
    new HttpRequest({
      method: 'POST',
      hostname: '127.0.0.1',
      path,
      query,
      headers: {
        host: '127.0.0.1:1234',
        'content-type': 'application/x-www-form-urlencoded',
        'x-amz-custom': ' a   b ',
      },
      body,
    }),
  );
  return toSignable(request as HttpRequest);
}

function toSignable(request: HttpRequest): SignableRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const query = Object.entries(request.query)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((item) => [name, item ?? '']))
    .map(([name, value]) => `${encodeURIComponent(name!)}=${encodeURIComponent(value!)}`)
    .join('&');
  return { method: request.method, path: request.path, query, headers };
}

const verify = (request: SignableRequest, hash = sha256(body), key = secret) => {
  const parts = readSignature(request);
  if (typeof parts !== 'object') return parts;
  return verifySignature(parts, request, hash, key);
};

describe('signed headers', () => {
  test.each([
    ['sts', '/', {}],
    ['sagemaker', '/endpoints/a%20b/invocations', {}],
    ['s3', '/bucket/a%20b/c%2Bd', { versionId: 'x y', tags: ['b', 'a'], flag: '' }],
    ['cloudformation', '/', { b: '2', a: '1', 'a b': '(*)' }],
  ] as const)('%s %s', async (service, path, query) => {
    expect(verify(await signed(service, path, query as Record<string, string | string[]>))).toBe(true);
  });

  test('everything that was signed matters', async () => {
    const request = await signed('sts');
    expect(verify(request)).toBe(true);
    expect(verify(request, sha256(`${body} `))).toBe(false);
    expect(verify(request, sha256(body), 'another secret')).toBe(false);
    expect(verify({ ...request, method: 'GET' })).toBe(false);
    expect(verify({ ...request, path: '/x' })).toBe(false);
    expect(verify({ ...request, query: 'a=b' })).toBe(false);
    for (const name of ['host', 'content-type', 'x-amz-custom', 'x-amz-date', 'x-amz-security-token']) {
      expect(
        verify({ ...request, headers: { ...request.headers, [name]: `${request.headers[name]!.slice(0, -1)}9` } }),
      ).not.toBe(true);
    }
    expect(verify({ ...request, headers: { ...request.headers, 'x-unsigned': 'may change' } })).toBe(true);
    const authorization = request.headers.authorization!;
    for (const changed of [
      authorization.replace('eu-west-1', 'eu-west-2'),
      authorization.replace('/sts/', '/iam/'),
      authorization.replace('host;', ''),
      authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    ]) {
      expect(verify({ ...request, headers: { ...request.headers, authorization: changed } })).toBe(false);
    }
  });
});

test('a presigned address verifies, and not when its expiry is stretched', async () => {
  const signer = new SignatureV4({
    service: 's3',
    region: 'eu-west-1',
    sha256: Sha256,
    uriEscapePath: false,
    credentials: { accessKeyId: 'ASIALOCALAAAAAAAAAAA', secretAccessKey: secret, sessionToken: 'a/b+c=' },
  });
  const request = toSignable(
    (await signer.presign(
      new HttpRequest({ method: 'GET', hostname: '127.0.0.1', path: '/b/k', headers: { host: '127.0.0.1' } }),
      { expiresIn: 60 },
    )) as HttpRequest,
  );
  const parts = readSignature(request);
  expect(parts).toMatchObject({ expires: 60, sessionToken: 'a/b+c=', signingName: 's3' });
  expect(verify(request, sha256(''))).toBe(true);
  expect(
    verify({ ...request, query: request.query.replace('X-Amz-Expires=60', 'X-Amz-Expires=600') }, sha256('')),
  ).toBe(false);
});

test('malformed signatures are told apart from missing ones', () => {
  const base = { method: 'GET', path: '/', query: '', headers: {} };
  expect(readSignature(base)).toBeUndefined();
  expect(readSignature({ ...base, headers: { authorization: 'Basic abc' } })).toContain('AWS4-HMAC-SHA256');
  expect(readSignature({ ...base, headers: { authorization: 'AWS4-HMAC-SHA256 Credential=a' } })).toContain(
    'SignedHeaders',
  );
  expect(readSignature({ ...base, query: 'AWSAccessKeyId=a&Signature=b&Expires=1' })).toContain('Version 2');
  expect(readSignature({ ...base, query: 'X-Amz-Signature=1' })).toContain('X-Amz-Algorithm');
});
