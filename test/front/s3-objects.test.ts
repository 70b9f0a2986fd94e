/** Objects through the front: framing, checksums, ranges, conditions, parts, versions, addresses. */
import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from '../../local/aws/core/context.ts';
import type { AwsError } from '../../local/aws/core/errors.ts';
import { checksum } from '../../local/aws/wire/checksums.ts';
import { readPayload } from '../../local/aws/wire/payload.ts';
import { escapeUri, sha256, signingKey } from '../../local/aws/wire/sigv4.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { outcome } from './support.ts';

const Bucket = 'objects-bucket';
let platform: TestPlatform;
let s3: S3Client;
let credentials: Credentials;
beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
  credentials = await platform.credentials(accounts.development);
  s3 = new S3Client({ region, endpoint: platform.url, credentials, forcePathStyle: true, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
});
afterAll(async () => {
  s3.destroy();
  await platform.close();
});
const text = async (Key: string, more = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToString();

describe('keys and bodies', () => {
  test.each(['plain', 'with space', 'a+b&c=d', 'ümläut/√', "quote'(1)*!", 'a//b', 'trailing/', 'per%25cent'])(
    'the key %j comes back as it went',
    async (Key) => {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      expect(await text(Key)).toBe(Key);
      const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
      expect(listed.Contents?.map((object) => object.Key)).toContain(Key);
    },
  );

  test('an empty body, and one of some megabytes as a stream with a trailing checksum', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '', ContentLength: 0 }));
    expect(await text('empty')).toBe('');
    const piece = Buffer.alloc(64 * 1024, 'x');
    const Body = Readable.from(Array.from({ length: 48 }, () => piece));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: 48 * piece.length }));
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
    const hash = createHash('sha256').update(await answer.Body!.transformToByteArray());
    const expected = createHash('sha256').update(Buffer.alloc(48 * piece.length, 'x'));
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(answer.ContentEncoding ?? '').not.toContain('aws-chunked');
  });

  test('metadata, content type, tags, and HEAD tells the length', async () => {
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'described',
        Body: '12345',
        ContentType: 'text/csv',
        Metadata: { commit: 'abc' },
        Tagging: 'stage=test',
      }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'described' }));
    expect(head).toMatchObject({ ContentLength: 5, ContentType: 'text/csv', Metadata: { commit: 'abc' } });
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'described' }));
    expect(TagSet).toEqual([{ Key: 'stage', Value: 'test' }]);
  });

  test('ranges and conditions', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'ranged', Body: '0123456789' }));
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: 'ranged', Range: 'bytes=2-4' }));
    expect(part).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentLength: 3 });
    expect(await part.Body!.transformToString()).toBe('234');
    const again = new PutObjectCommand({ Bucket, Key: 'ranged', Body: 'x', IfNoneMatch: '*' });
    expect(await outcome(s3.send(again))).toBe('PreconditionFailed');
    const fresh = new PutObjectCommand({ Bucket, Key: 'ranged-new', Body: 'x', IfNoneMatch: '*' });
    expect(await outcome(s3.send(fresh))).toBe('allow');
    const unchanged = await s3
      .send(new GetObjectCommand({ Bucket, Key: 'ranged', IfNoneMatch: ETag }))
      .catch((error) => error);
    expect(unchanged.$metadata.httpStatusCode).toBe(304);
  });
});

describe('a body that is not what was announced is refused and not stored', () => {
  const put = async (headers: Record<string, string>, body: string, Key = 'broken') => {
    // A presigned address with an unsigned payload: nothing but the checksums protects the body.
    const response = await fetch(presign('PUT', `/${Bucket}/${Key}`), { method: 'PUT', headers, body });
    const answer = await response.text();
    return response.ok ? 'allow' : (/<Code>(\w+)<\/Code>/.exec(answer)?.[1] ?? answer);
  };
  const bytes = (value: number) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(value >>> 0);
    return buffer.toString('base64');
  };

  test.each([
    ['x-amz-checksum-crc32', bytes(crc32('hello'))],
    ['x-amz-checksum-sha256', createHash('sha256').update('hello').digest('base64')],
    ['x-amz-checksum-sha1', createHash('sha1').update('hello').digest('base64')],
    ['content-md5', createHash('md5').update('hello').digest('base64')],
  ])('%s', async (name, value) => {
    expect(await put({ [name]: value }, 'jello')).toBe('BadDigest');
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: 'broken' })))).toBe('NotFound');
    expect(await put({ [name]: value }, 'hello', 'whole')).toBe('allow');
    expect(await text('whole')).toBe('hello');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'whole' }));
  });

  test('known values of the checksums that Node does not have', () => {
    const of = (name: string) => {
      const running = checksum(name);
      running.update(Buffer.from('1234'));
      running.update(Buffer.from('56789'));
      return Buffer.from(running.digest(), 'base64').toString('hex');
    };
    // The check values of the catalogue of parametrised CRC algorithms.
    expect(of('x-amz-checksum-crc32c')).toBe('e3069283');
    expect(of('x-amz-checksum-crc64nvme')).toBe('ae8b14860a799888');
    expect(of('x-amz-checksum-crc32')).toBe('cbf43926');
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    '%s goes with the body or after it, and comes back',
    async (ChecksumAlgorithm) => {
      const read = async () => {
        // The SDK compares the checksum of the answer with the body.
        const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'summed', ChecksumMode: 'ENABLED' }));
        expect(await answer.Body!.transformToString()).toBe('hello world');
        return answer[`Checksum${ChecksumAlgorithm}`];
      };
      const put = (Body: string | Readable) =>
        s3.send(new PutObjectCommand({ Bucket, Key: 'summed', Body, ContentLength: 11, ChecksumAlgorithm }));
      await put('hello world');
      const first = await read();
      await put(Readable.from([Buffer.from('hello '), Buffer.from('world')]));
      expect(await read()).toBe(first);
      expect(first).toBeDefined();
      const attributes = new GetObjectAttributesCommand({
        Bucket,
        Key: 'summed',
        ObjectAttributes: ['ETag', 'ObjectSize'],
      });
      expect(await s3.send(attributes)).toMatchObject({ ObjectSize: 11, ETag: expect.any(String) });
    },
  );

  test('a signed hash', async () => {
    const client = new S3Client({ region, endpoint: platform.url, credentials, forcePathStyle: true, maxAttempts: 1 });
    client.middlewareStack.add(
      (next: any) => (args: any) => {
        args.request.body = 'jello';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const sending = client.send(new PutObjectCommand({ Bucket, Key: 'broken', Body: 'hello' }));
    expect(['XAmzContentSHA256Mismatch', 'BadDigest']).toContain(await outcome(sending));
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: 'broken' })))).toBe('NotFound');
  });
});

describe('presigned addresses', () => {
  test('read, and not after their end or for another key', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'signed', Body: 'content' }));
    const good = presign('GET', `/${Bucket}/signed`);
    expect(await (await fetch(good)).text()).toBe('content');
    expect((await fetch(good.replace('/signed?', '/ranged?'))).status).toBe(403);
    expect((await fetch(good, { method: 'DELETE' })).status).toBe(403);
    const old = presign('GET', `/${Bucket}/signed`, 60, new Date(Date.now() - 120_000));
    const refused = await fetch(old);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('Request has expired');
  });
});

/** An address signed here by hand, independent of the code under test except for the key derivation. */
function presign(method: string, path: string, expires = 60, at = new Date()): string {
  const timestamp = `${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(expires)],
    ['X-Amz-Security-Token', credentials.sessionToken],
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map(([name, value]) => `${name}=${escapeUri(value!)}`)
    .join('&');
  const host = new URL(platform.url).host;
  const canonical = `${method}\n${path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`;
  const key = signingKey(credentials.secretAccessKey, timestamp.slice(0, 8), region, 's3');
  return `${platform.url}${path}?${query}&X-Amz-Signature=${hmac(key, text)}`;
}

function hmac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

describe('aws-chunked framing', () => {
  const seed = { signature: 'a'.repeat(64), key: Buffer.from('key'), timestamp: '20260101T000000Z', scope: 'scope' };
  const hello = 'x-amz-checksum-crc32:NhCmhg==\r\n';
  const read = async (
    raw: string,
    headers: Record<string, string> = {},
    declared = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  ) => {
    const { body } = readPayload(Readable.from([...raw].map((character) => Buffer.from(character))), {
      declared,
      headers: { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32', ...headers },
      seed,
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as Readable) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const code = (sending: Promise<unknown>) =>
    sending.then(
      () => 'allow',
      (error) => (error as AwsError).code,
    );

  test('byte by byte, in several chunks, with a trailer', async () => {
    expect(await read(`2\r\nhe\r\n3\r\nllo\r\n0\r\n${hello}\r\n`)).toBe('hello');
  });
  test.each([
    ['a wrong trailer', `5\r\njello\r\n0\r\n${hello}\r\n`, 'BadDigest'],
    ['no trailer', '5\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a missing end', '5\r\nhello\r\n', 'InvalidRequest'],
    ['a chunk that is too long', `4\r\nhello\r\n0\r\n${hello}\r\n`, 'InvalidRequest'],
    ['another length than announced', `4\r\nhell\r\n0\r\n${hello}\r\n`, 'IncompleteBody'],
    ['no number', `z\r\nhello\r\n0\r\n${hello}\r\n`, 'InvalidRequest'],
  ])('%s is refused', async (_name, raw, expected) => {
    expect(await code(read(raw))).toBe(expected);
  });
  test('signed chunks: a forged signature is refused', async () => {
    const raw = `5;chunk-signature=${'b'.repeat(64)}\r\nhello\r\n0;chunk-signature=${'c'.repeat(64)}\r\n\r\n`;
    expect(await code(read(raw, {}, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'))).toBe('SignatureDoesNotMatch');
  });
});

test("signed chunks: AWS's own example (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html)", async () => {
  const seed = {
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    key: signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', '20130524', 'us-east-1', 's3'),
    timestamp: '20130524T000000Z',
    scope: '20130524/us-east-1/s3/aws4_request',
  };
  const chunks = [
    ['a'.repeat(65_536), 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
    ['a'.repeat(1024), '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
    ['', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
  ] as const;
  const raw = chunks
    .map(([data, signature]) => `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`)
    .join('');
  const { body } = readPayload(Buffer.from(raw), {
    declared: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    headers: { 'x-amz-decoded-content-length': '66560' },
    seed,
  });
  let length = 0;
  for await (const chunk of body as Readable) length += chunk.length;
  expect(length).toBe(66_560);
});

describe('multipart uploads', () => {
  const start = async (Key: string) => (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId!;

  test('parts become one object', async () => {
    const Key = 'parts';
    const UploadId = await start(Key);
    const bodies = ['a'.repeat(5 * 1024 * 1024), 'tail'];
    const Parts = await Promise.all(
      bodies.map(async (Body, index) => {
        const PartNumber = index + 1;
        const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        return { PartNumber, ETag };
      }),
    );
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, bodies[0]!.length],
      [2, 4],
    ]);
    const running = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(running.Uploads?.map((upload) => upload.UploadId)).toEqual([UploadId]);
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    expect(done.ETag).toMatch(/-2"$/);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.ContentLength).toBe(bodies[0]!.length + 4);
    expect(await text(Key, { Range: `bytes=${bodies[0]!.length - 1}-` })).toBe('atail');
  });

  test('an aborted upload leaves nothing', async () => {
    const UploadId = await start('aborted');
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId }));
    const part = new UploadPartCommand({ Bucket, Key: 'aborted', UploadId, PartNumber: 1, Body: 'x' });
    expect(await outcome(s3.send(part))).toBe('NoSuchUpload');
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: 'aborted' })))).toBe('NotFound');
  });
});

describe('buckets', () => {
  test('settings go and come', async () => {
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe(region);
    expect((await s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe(region);
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain(Bucket);
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }));
    expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'a', Value: 'b' }]);
    const rule = { ID: 'old', Status: 'Enabled', Filter: { Prefix: 'x/' }, Expiration: { Days: 3 } } as const;
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [rule] } }));
    const lifecycle = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(lifecycle.Rules).toMatchObject([{ ID: 'old', Expiration: { Days: 3 } }]);
  });

  test('versions: delete markers, listing, delete of many', async () => {
    const name = 'versions-bucket';
    await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: region } }));
    await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }));
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket: name }))).Status).toBe('Enabled');
    const first = await s3.send(new PutObjectCommand({ Bucket: name, Key: 'k', Body: '1' }));
    const second = await s3.send(new PutObjectCommand({ Bucket: name, Key: 'k', Body: '2' }));
    await s3.send(new DeleteObjectCommand({ Bucket: name, Key: 'k' }));
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: name, Key: 'k' })))).toBe('NoSuchKey');
    const old = await s3.send(new GetObjectCommand({ Bucket: name, Key: 'k', VersionId: first.VersionId }));
    expect(await old.Body!.transformToString()).toBe('1');
    const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket: name }));
    expect(Versions?.map(({ VersionId }) => VersionId)).toEqual([second.VersionId, first.VersionId]);
    expect(DeleteMarkers).toHaveLength(1);
    const Objects = [...Versions!, ...DeleteMarkers!].map(({ Key, VersionId }) => ({ Key, VersionId }));
    const removed = await s3.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects } }));
    expect(removed.Deleted).toHaveLength(3);
    expect((await s3.send(new ListObjectVersionsCommand({ Bucket: name }))).Versions).toBeUndefined();
  });

  test('listings page', async () => {
    await Promise.all(['p/1', 'p/2', 'p/3'].map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
    const first = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'p/', MaxKeys: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, KeyCount: 2 });
    const { NextContinuationToken } = first;
    const rest = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'p/', MaxKeys: 2, ContinuationToken: NextContinuationToken }),
    );
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['p/3']);
  });

  test('what is not served is refused by name', async () => {
    const { GetBucketWebsiteCommand, PutObjectAclCommand } = await import('@aws-sdk/client-s3');
    for (const command of [
      new GetBucketWebsiteCommand({ Bucket }),
      new PutObjectAclCommand({ Bucket, Key: 'plain', ACL: 'public-read' }),
    ]) {
      const error = await s3.send(command as GetObjectCommand).catch((failure) => failure);
      expect(error.$metadata.httpStatusCode).toBe(501);
      expect(error.message).toMatch(/\?(website|acl) of s3/);
    }
    const grant = new PutObjectCommand({ Bucket, Key: 'granted', Body: 'x', GrantRead: 'id="someone"' });
    expect((await s3.send(grant).catch((failure) => failure)).message).toContain('x-amz-grant-read');
    const { front } = platform.platform.composition;
    const headers = { host: 'bucket.localhost:1234' };
    const virtual = await front.handle({ method: 'GET', path: '/key', query: '', headers, body: new Uint8Array() });
    expect(virtual.status).toBe(501);
    expect(virtual.body).toContain('path style');
  });
});
