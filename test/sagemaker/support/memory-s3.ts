/** The little of S3 that SageMaker itself uses, in memory: jobs and packages read it, data capture writes it. */
import { createHash } from 'node:crypto';
import { AwsError, NotImplementedError } from '../../../local/aws/core/errors.ts';
import type { PolicyDocument } from '../../../local/aws/core/policy.ts';
import type { HttpService, RecognisedRequest } from '../../../local/aws/front/http-service.ts';
import { readBody } from '../../../local/aws/front/message.ts';

export interface MemoryS3 {
  service: HttpService;
  createBucket(name: string, account: string, policy?: PolicyDocument): void;
  put(uri: string, text: string): void;
  remove(uri: string): void;
  get(uri: string): string | undefined;
  /** Keys of a bucket below a prefix. */
  keys(bucket: string, prefix?: string): string[];
  /** Headers that the object was written with over the API. */
  headers(uri: string): Record<string, string> | undefined;
}

interface Request extends RecognisedRequest {
  bucket: string;
  key: string;
}

export function createMemoryS3(): MemoryS3 {
  const buckets = new Map<
    string,
    { account: string; policy: PolicyDocument | undefined; objects: Map<string, string> }
  >();
  const split = (uri: string) => {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
    return { bucket, key };
  };
  const written = new Map<string, Record<string, string>>();
  const objects = (name: string) => {
    const found = buckets.get(name);
    if (found === undefined) throw new AwsError('NoSuchBucket', `The bucket ${name} does not exist`, 404);
    return found.objects;
  };
  return {
    createBucket(name, account, policy) {
      buckets.set(name, { account, policy, objects: new Map() });
    },
    put(uri, text) {
      const { bucket, key } = split(uri);
      objects(bucket).set(key, text);
    },
    remove(uri) {
      const { bucket, key } = split(uri);
      objects(bucket).delete(key);
    },
    get(uri) {
      const { bucket, key } = split(uri);
      return objects(bucket).get(key);
    },
    keys: (bucket, prefix = '') => [...objects(bucket).keys()].filter((key) => key.startsWith(prefix)),
    headers: (uri) => written.get(uri),
    service: {
      id: 's3',
      recognise({ method, path, query }): Request {
        const [bucket = '', ...rest] = path.slice(1).split('/').map(decodeURIComponent);
        const key = rest.join('/');
        const operation =
          key === '' && query.includes('list-type=2')
            ? 'ListObjectsV2'
            : ({ GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject' } as Record<string, string>)[method];
        if (operation === undefined) throw new NotImplementedError(`${method} ${path}`);
        const mutating = operation === 'PutObject';
        return { operation, mutating, bucket, key, fields: { Bucket: bucket, Key: key } };
      },
      async authorize(recognised) {
        const { operation, bucket, key } = recognised as Request;
        const owner = buckets.get(bucket);
        if (owner === undefined) throw new AwsError('NoSuchBucket', `The bucket ${bucket} does not exist`, 404);
        const list = operation === 'ListObjectsV2';
        return [
          {
            action: list ? 's3:ListBucket' : operation === 'PutObject' ? 's3:PutObject' : 's3:GetObject',
            resources: [`arn:aws:s3:::${bucket}${list ? '' : `/${key}`}`],
            resourceAccount: owner.account,
            ...(owner.policy === undefined ? {} : { resourcePolicy: owner.policy }),
          },
        ];
      },
      async handle(recognised, request) {
        const { operation, bucket, key } = recognised as Request;
        if (operation === 'PutObject') {
          const body = Buffer.from(await readBody(request.body, 1_000_000)).toString('utf8');
          objects(bucket).set(key, body);
          written.set(`s3://${bucket}/${key}`, request.headers);
          return { status: 200, headers: { etag: '"written"' }, body: '' };
        }
        if (operation === 'ListObjectsV2') {
          const query = new URLSearchParams(request.query);
          const prefix = query.get('prefix') ?? '';
          const all = [...objects(bucket).keys()].filter((each) => each.startsWith(prefix)).sort();
          const keys = all
            .slice(0, Number(query.get('max-keys') ?? 1000))
            .map((each) => `<Contents><Key>${each}</Key></Contents>`);
          return { status: 200, headers: {}, body: `<ListBucketResult>${keys.join('')}</ListBucketResult>` };
        }
        const found = objects(bucket).get(key);
        if (found === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
        const etag = createHash('md5').update(found).digest('hex');
        const headers = { etag: `"${etag}"`, 'content-length': String(Buffer.byteLength(found)) };
        return { status: 200, headers, body: operation === 'HeadObject' ? '' : found };
      },
    },
  };
}
