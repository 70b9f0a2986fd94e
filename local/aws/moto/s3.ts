/** S3: rights, encryption and bucket settings are decided here; objects are moto's, their bodies pass through as streams. */
import { Readable } from 'node:stream';
import type { Authorizer } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { AuthorizationRequest, Call } from '../core/service.ts';
import type { HttpCallTools, HttpService } from '../front/http-service.ts';
import { type FrontRequest, type FrontResponse, readBody } from '../front/message.ts';
import { bucketSetting, tag, unescapeXml } from '../policies/bucket-settings.ts';
import type { Bucket, BucketStore, ObjectOwnership } from '../policies/bucket-store.ts';
import type { KeyStore } from '../policies/key-store.ts';
import { authorizeS3, s3Request } from '../policies/s3-authorization.ts';
import { encryptionHeaders, encryptionOf, keyUse, storedEncryption } from '../policies/s3-encryption.ts';
import { readCopySource, recogniseS3, type S3Request } from '../policies/s3-operations.ts';
import { readPayload } from '../wire/payload.ts';
import { element, escapeXml } from '../wire/query.ts';
import { escapeUri } from '../wire/sigv4.ts';
import type { Moto } from './process.ts';
import { documentLimit, errorOf, forward, readDocument } from './s3-forward.ts';

export interface S3Options {
  moto: Moto;
  buckets: BucketStore;
  keys: KeyStore;
  authorizer: Authorizer;
}

/** Operations that decide how an object is encrypted. */
const newObject = new Set(['PutObject', 'CopyObject', 'CreateMultipartUpload']);

export function createS3({ moto, buckets, keys, authorizer }: S3Options): HttpService<S3Request> {
  async function handle(
    recognised: S3Request,
    request: FrontRequest,
    call: Call,
    tools: HttpCallTools,
  ): Promise<FrontResponse> {
    const { operation } = recognised;
    const { payload: signed, permit } = tools;
    const payload = readPayload(request.body, {
      declared: signed.declared,
      headers: request.headers,
      seed: signed.seed,
    });
    const document = async () => Buffer.from(await readDocument(payload)).toString('utf8');
    if (operation === 'CreateBucket') return createBucket(recognised, request, call, await document());
    if (operation === 'ListBuckets') return forward(moto, recognised, request, call.account, call.region, payload, {});

    const bucket = buckets.get(recognised.bucket!);
    const own = await bucketSetting(operation, bucket, document, authorizer);
    if (own !== undefined) return own;
    if (operation === 'DeleteObjects')
      return deleteObjects(recognised, request, bucket, call, permit, await document());

    const uploadId = recognised.query.get('uploadId');
    if (uploadId !== null) requireUpload(uploadId, operation);
    const headers: Record<string, string> = {};
    const needed: AuthorizationRequest[] = [];
    if (newObject.has(operation)) {
      const encryption = encryptionOf(request.headers, bucket, keys, call);
      // Named SSE-S3 would make a copy onto itself a change, which it is not.
      const isAsked = request.headers['x-amz-server-side-encryption'] !== undefined;
      if (isAsked || encryption.key !== undefined || operation !== 'CopyObject') {
        Object.assign(headers, encryptionHeaders(encryption));
      }
      if (encryption.key !== undefined) {
        needed.push(
          keyUse('kms:GenerateDataKey', encryption.key, keys, bucket, recognised.key!, encryption.bucketKey, call),
        );
      }
    }
    if (operation.startsWith('UploadPart')) {
      const stored = buckets.uploads.get(uploadId ?? '');
      if (stored?.keyArn !== undefined) needed.push(decryption(stored, bucket, recognised.key!, call));
    }
    const source = request.headers['x-amz-copy-source'];
    if (source !== undefined) needed.push(...(await sourceKeyUse(source, call)));
    permit(needed);
    const response = await forward(moto, recognised, request, bucket.account, bucket.region, payload, headers);
    return afterwards(recognised, request, bucket, call, permit, response, headers);
  }

  /** Decryption of what is read, lasting effects of what was written, and what an answer must not give away. */
  async function afterwards(
    recognised: S3Request,
    request: FrontRequest,
    bucket: Bucket,
    call: Call,
    permit: HttpCallTools['permit'],
    response: FrontResponse,
    sent: Record<string, string>,
  ): Promise<FrontResponse> {
    const { operation, key, query } = recognised;
    const discard = () => (response.body instanceof Readable ? response.body.resume() : undefined);
    const readsObject = operation === 'GetObject' || operation === 'HeadObject' || operation === 'GetObjectAttributes';
    if (readsObject && response.status < 300) {
      const stored = storedEncryption(response.headers);
      const needsKey = operation === 'GetObject' || request.headers['x-amz-checksum-mode'] !== undefined;
      if (stored.keyArn !== undefined && needsKey) {
        try {
          permit([decryption(stored, bucket, key!, call)]);
        } catch (error) {
          discard();
          throw error;
        }
      }
    }
    if (response.status >= 400) {
      const error = await errorOf(response);
      // Who may not list a bucket is not told whether an object exists.
      if (readsObject && error.status === 404 && error.code !== 'NoSuchBucket') {
        const may = authorizer.decide(call.principal, s3Request('ListBucket', bucket, undefined, call), call);
        if (may.decision !== 'allow') throw new AwsError('AccessDenied', may.message, 403);
      }
      throw error;
    }
    if (operation === 'DeleteBucket') buckets.remove(bucket.name);
    if (operation === 'CreateMultipartUpload') return rememberUpload(response, sent);
    const upload = buckets.uploads.get(query.get('uploadId') ?? '');
    if (operation === 'CompleteMultipartUpload' && upload !== undefined) upload.completed = true;
    if (operation === 'AbortMultipartUpload') buckets.uploads.delete(query.get('uploadId') ?? '');
    if (operation === 'HeadBucket') response.headers['x-amz-bucket-region'] = bucket.region;
    return response;
  }

  async function createBucket(
    recognised: S3Request,
    request: FrontRequest,
    call: Call,
    text: string,
  ): Promise<FrontResponse> {
    const name = recognised.bucket!;
    // The last name would lead to moto's own control pages.
    if (!/^(?=.{3,63}$)[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(name) || name.includes('..') || name === 'moto-api') {
      throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: name });
    }
    const location = tag(text, 'LocationConstraint');
    const region = location === undefined ? 'us-east-1' : location === 'EU' ? 'eu-west-1' : location;
    // The endpoint of us-east-1 is the global one, which makes buckets anywhere.
    if (region !== call.region && call.region !== 'us-east-1') {
      throw new AwsError(
        'IllegalLocationConstraintException',
        `The ${location ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
        400,
      );
    }
    const existing = buckets.find(name);
    if (existing !== undefined && existing.account !== call.account) {
      throw new AwsError(
        'BucketAlreadyExists',
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
        409,
        { BucketName: name },
      );
    }
    if (existing !== undefined && call.region !== 'us-east-1') {
      throw new AwsError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        409,
        { BucketName: name },
      );
    }
    const body = Buffer.from(text);
    const response = await forward(
      moto,
      recognised,
      request,
      call.account,
      call.region,
      { body, length: body.length },
      {},
    );
    if (response.status >= 400) throw await errorOf(response);
    if (existing === undefined) {
      buckets.add(name, call.account, region, request.headers['x-amz-object-ownership'] as ObjectOwnership | undefined);
    }
    return response;
  }

  /** Each key is permitted on its own: S3 answers AccessDenied for some and deletes the others. */
  async function deleteObjects(
    recognised: S3Request,
    request: FrontRequest,
    bucket: Bucket,
    call: Call,
    permit: HttpCallTools['permit'],
    text: string,
  ): Promise<FrontResponse> {
    const objects = [...text.matchAll(/<Object>([\s\S]*?)<\/Object>/g)].map(([all, content]) => ({
      all,
      key: unescapeXml(/<Key>([\s\S]*?)<\/Key>/.exec(content!)?.[1] ?? ''),
      versionId: tag(content!, 'VersionId'),
    }));
    if (objects.length === 0 || objects.length > 1000) {
      throw new AwsError(
        'MalformedXML',
        'The XML you provided was not well-formed or did not validate against our published schema',
        400,
      );
    }
    const refused: { key: string; versionId: string | undefined; message: string }[] = [];
    let allowed = text;
    for (const { all, key, versionId } of objects) {
      const action = versionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion';
      const context = versionId === undefined ? {} : { 's3:VersionId': versionId };
      try {
        permit([s3Request(action, bucket, key, call, context)]);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        refused.push({ key, versionId, message: error.message });
        allowed = allowed.replace(all, '');
      }
    }
    const errors = refused.map(({ key, versionId, message }) =>
      element(
        'Error',
        element('Key', escapeXml(key)) +
          (versionId === undefined ? '' : element('VersionId', versionId)) +
          element('Code', 'AccessDenied') +
          element('Message', escapeXml(message)),
      ),
    );
    let answer = '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></DeleteResult>';
    if (refused.length < objects.length) {
      const body = Buffer.from(allowed);
      const response = await forward(
        moto,
        recognised,
        request,
        bucket.account,
        bucket.region,
        { body, length: body.length },
        {},
      );
      if (response.status >= 400) throw await errorOf(response);
      answer = Buffer.from(await readBody(response.body as Readable, documentLimit)).toString('utf8');
    }
    return {
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: answer.replace(/<\/DeleteResult>\s*$/, `${errors.join('')}</DeleteResult>`),
    };
  }

  /** A copy decrypts its source, so the key of the source is looked up first. */
  async function sourceKeyUse(header: string, call: Call): Promise<AuthorizationRequest[]> {
    const source = readCopySource(header);
    const bucket = buckets.get(source.bucket);
    const response = await moto.send({
      service: 's3',
      account: bucket.account,
      region: bucket.region,
      method: 'HEAD',
      path: `/${escapeUri(bucket.name)}/${source.key.split('/').map(escapeUri).join('/')}`,
      query: source.versionId === undefined ? '' : `versionId=${escapeUri(source.versionId)}`,
      headers: {},
      body: new Uint8Array(),
    });
    response.body.resume();
    const stored = storedEncryption(response.headers);
    return stored.keyArn === undefined ? [] : [decryption(stored, bucket, source.key, call)];
  }

  function decryption(
    { keyArn, bucketKey }: { keyArn: string | undefined; bucketKey: boolean },
    bucket: Bucket,
    objectKey: string,
    call: Call,
  ): AuthorizationRequest {
    return keyUse('kms:Decrypt', keys.resolve(keyArn!, bucket), keys, bucket, objectKey, bucketKey, call);
  }

  function requireUpload(uploadId: string, operation: string): void {
    const upload = buckets.uploads.get(uploadId);
    if (upload !== undefined && (!upload.completed || operation === 'CompleteMultipartUpload')) return;
    throw new AwsError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      404,
      { UploadId: uploadId },
    );
  }

  async function rememberUpload(response: FrontResponse, sent: Record<string, string>): Promise<FrontResponse> {
    const text = Buffer.from(await readBody(response.body as Readable, documentLimit)).toString('utf8');
    const uploadId = tag(text, 'UploadId');
    if (uploadId !== undefined) buckets.uploads.set(uploadId, { ...storedEncryption(sent), completed: false });
    return {
      ...response,
      headers: { ...response.headers, ...sent, 'content-length': String(Buffer.byteLength(text)) },
      body: text,
    };
  }

  return {
    id: 's3',
    recognise: recogniseS3,
    authorize: async (recognised, request, call) => authorizeS3(recognised, request, call, buckets),
    handle,
  };
}
