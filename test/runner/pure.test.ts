/** The runner's parts that need no process. */

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { filesBelow, packFolder } from '../../local/runner/archive.ts';
import { programFailure } from '../../local/runner/failure.ts';
import { imageDigest, knownImage, parseImageUri } from '../../local/runner/images.ts';
import { eachLine } from '../../local/runner/lines.ts';
import { createMetricReader } from '../../local/runner/metrics.ts';
import { rewriteText } from '../../local/runner/opt-ml.ts';
import { parseFilter } from '../../local/runner/record-filter.ts';
import { decodeHyperparameter } from '../../local/runner/training.ts';
import { below, parseS3Uri, relativeName } from '../../local/runner/transfer.ts';

const registry = '141502667606.dkr.ecr.eu-west-1.amazonaws.com';

describe('images', () => {
  test('the parts of a URI', () => {
    expect(parseImageUri(`${registry}/sagemaker-xgboost:3.2-0`)).toEqual({
      account: '141502667606',
      region: 'eu-west-1',
      repository: 'sagemaker-xgboost',
      tag: '3.2-0',
    });
    expect(parseImageUri('450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1')?.region).toBe(
      'cn-north-1',
    );
  });

  test.each(['sagemaker-xgboost:3.2-0', `${registry}/sagemaker-xgboost`, 'docker.io/library/python:3'])(
    '%s is no ECR image with a tag',
    (uri) => {
      expect(parseImageUri(uri)).toBeUndefined();
      expect(imageDigest(uri)).toBeUndefined();
    },
  );

  test('a digest is the same in every region, and differs by version', () => {
    const digest = imageDigest(`${registry}/sagemaker-xgboost:3.2-0`);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(imageDigest('746614075791.dkr.ecr.us-west-1.amazonaws.com/sagemaker-xgboost:3.2-0')).toBe(digest);
    expect(imageDigest(`${registry}/sagemaker-xgboost:3.0-5`)).not.toBe(digest);
    expect(imageDigest(`${registry}/sagemaker-xgboost:9.9-9`)).toBeUndefined();
  });

  test('an image may be named by its digest', () => {
    const digest = imageDigest(`${registry}/sagemaker-xgboost:1.7-1`)!;
    expect(knownImage(`${registry}/sagemaker-xgboost@${digest}`)?.version).toBe('1.7-1');
    expect(knownImage(`${registry}/sagemaker-xgboost@sha256:${'0'.repeat(64)}`)).toBeUndefined();
  });

  test("the image of another account, or of another region's registry, is not AWS's", () => {
    expect(knownImage(`111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0`)).toBeUndefined();
    expect(imageDigest(`141502667606.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0`)).toBeUndefined();
  });

  test('processor and Python version in a tag do not matter', () => {
    expect(knownImage(`${registry}/sagemaker-xgboost:1.5-1-cpu-py3`)?.version).toBe('1.5-1');
    // Before 1.3 models are pickles, which nothing here reads or writes.
    expect(knownImage(`${registry}/sagemaker-xgboost:1.2-2-cpu-py3`)).toBeUndefined();
  });
});

describe('S3 locations', () => {
  test.each([
    ['data/abalone.csv', 'data/abalone.csv', 'abalone.csv'],
    ['data', 'data/train/a.csv', 'train/a.csv'],
    ['data/', 'data/train/a.csv', 'train/a.csv'],
    ['', 'a.csv', 'a.csv'],
    ['data', 'data/', undefined],
  ])('below %j the key %s lands at %s', (prefix, key, name) => {
    expect(relativeName(prefix, key)).toBe(name);
  });

  test('URIs', () => {
    expect(parseS3Uri('s3://bucket/a/b c')).toEqual({ bucket: 'bucket', key: 'a/b c' });
    expect(parseS3Uri('s3://bucket')).toEqual({ bucket: 'bucket', key: '' });
    expect(() => parseS3Uri('https://bucket/a')).toThrow('https://bucket/a is not an S3 URI');
    expect(below('s3://bucket/a/', 'b')).toBe('s3://bucket/a/b');
  });
});

describe('metrics', () => {
  const at = new Date(0);

  test('the first group of the last matching line counts', () => {
    const reader = createMetricReader([{ Name: 'loss', Regex: 'loss=([0-9.]+)' }], false);
    for (const line of ['loss=3.5', 'nothing', 'loss=1.25', 'loss=']) reader.read(line, at);
    expect(reader.final()).toEqual([{ name: 'loss', value: 1.25, at }]);
  });

  test('the built-in algorithm has metrics of its own', () => {
    const reader = createMetricReader([], true);
    reader.read('[0]#011train-rmse:8.10028#011validation-rmse:8.05', at);
    reader.read('[1]#011train-rmse:6.5#011validation-rmse:6.75', at);
    reader.read('[1]#011train-error@0.7:0.25', at);
    expect(reader.final().map(({ name, value }) => [name, value])).toEqual([
      ['train:rmse', 6.5],
      ['validation:rmse', 6.75],
      ['train:error@0.7', 0.25],
    ]);
    const script = createMetricReader([], false);
    script.read('[0]#011train-rmse:8.1', at);
    expect(script.final()).toEqual([]);
  });
});

describe('rewriting /opt/ml', () => {
  test.each([
    ["open('/opt/ml/input/x')", "open('/jobs/1/input/x')"],
    ['--dir=/opt/ml', '--dir=/jobs/1'],
    ['/opt/mlflow and /data/opt/ml/x', '/opt/mlflow and /data/opt/ml/x'],
    ['/opt/ml:/opt/ml/code', '/jobs/1:/jobs/1/code'],
  ])('%s', (text, expected) => {
    expect(rewriteText(text, '/jobs/1')).toBe(expected);
  });
});

describe('filters of records', () => {
  const columns = ['a', 'b', 'c', 'd'];
  test.each([
    ['$', 'abcd'],
    ['$[1:]', 'bcd'],
    ['$[:-1]', 'abc'],
    ['$[1:3]', 'bc'],
    ['$[0,2]', 'ac'],
    ['$[-1]', 'd'],
  ])('%s', (filter, expected) => {
    expect(parseFilter(filter)!(columns).join('')).toBe(expected);
  });
  test.each(['$.name', '$[?(@.x)]', '$[-:]', '[1]', '$[a]'])('%s is not supported', (filter) => {
    expect(parseFilter(filter)).toBeUndefined();
  });
});

test.each([
  ['"abc"', 'abc'],
  ['5', 5],
  ['true', true],
  ['s3://b/k', 's3://b/k'],
  [undefined, undefined],
])('hyperparameter %s', (text, expected) => {
  expect(decodeHyperparameter(text)).toEqual(expected);
});

describe('lines', () => {
  const lines = async (...chunks: (string | Buffer)[]): Promise<string[]> => {
    const found: string[] = [];
    const stream = Readable.from(chunks, { objectMode: false });
    eachLine(stream, (line) => found.push(line));
    await new Promise((resolve) => stream.on('end', resolve));
    return found;
  };
  test('breaks, carriage returns and a last line without either', async () => {
    expect(await lines('a\nb', 'c\r\n', '\nd')).toEqual(['a', 'bc', '', 'd']);
  });
  test('a character that is cut by a chunk', async () => {
    const text = Buffer.from('é\n');
    expect(await lines(text.subarray(0, 1), text.subarray(1))).toEqual(['é']);
  });
  test('an endless line is cut', async () => {
    expect((await lines('x'.repeat(600_000))).map((line) => line.length)).toEqual([262_118, 262_118, 75_764]);
  });
});

test('a failure shows what the program wrote, cut, and its exit code', () => {
  expect(programFailure('out of cheese\n', 3).message).toBe('AlgorithmError: out of cheese, exit code: 3');
  expect(programFailure('x'.repeat(5000), 1).message).toHaveLength('AlgorithmError: , exit code: 1'.length + 1024);
  expect(programFailure(undefined, 137).message).toBe(
    'AlgorithmError: See job logs for more information, exit code: 137',
  );
});

describe('archives', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'archive-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('files in order, without links', async () => {
    await mkdir(path.join(folder, 'b/c'), { recursive: true });
    await writeFile(path.join(folder, 'b/c/x'), '1');
    await writeFile(path.join(folder, 'a'), '2');
    await symlink('/etc/passwd', path.join(folder, 'link'));
    expect((await filesBelow(folder)).map((file) => file.name)).toEqual(['a', 'b/c/x']);
    expect(await filesBelow(path.join(folder, 'missing'))).toEqual([]);
  });

  test('equal files make equal bytes at any time', async () => {
    await writeFile(path.join(folder, 'model'), 'content');
    const first = await packFolder(folder);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await writeFile(path.join(folder, 'model'), 'content');
    expect((await packFolder(folder)).equals(first)).toBe(true);
    expect(gunzipSync(first).subarray(0, 5).toString()).toBe('model');
  });
});
