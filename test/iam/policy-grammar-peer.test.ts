import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { parsePolicy } from '../../local/aws/iam/evaluator/document.ts';
import { pythonEnvironment } from '../../local/python/index.ts';
import { testPython } from '../support/platform.ts';

/** moto's validator, whose sentences its authors collected from AWS. */
const script = `
import json, sys
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from moto.iam.exceptions import MalformedPolicyDocument
answers = []
for text in json.load(sys.stdin):
    try:
        IAMPolicyDocumentValidator(text).validate()
        answers.append(None)
    except MalformedPolicyDocument as error:
        answers.append(error.message)
json.dump(answers, sys.stdout)
`;

const statement = { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::bucket' };
const document = (more: object) => JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, ...more } });
const top = (more: object) => JSON.stringify({ Version: '2012-10-17', Statement: statement, ...more });

/** One fault each, and some with two to see which comes first. */
const documents = [
  document({}),
  'no document',
  '[]',
  top({ Version: undefined }),
  top({ Version: '2008-10-17' }),
  top({ Version: '2013-10-17' }),
  top({ Id: [] }),
  top({ Extra: 1 }),
  top({ Statement: undefined }),
  top({ Statement: [] }),
  top({ Statement: ['x'] }),
  top({
    Statement: [
      { ...statement, Sid: 'A' },
      { ...statement, Sid: 'A' },
    ],
  }),
  top({
    Statement: [
      { ...statement, Sid: '' },
      { ...statement, Sid: '' },
    ],
  }),
  top({ Statement: [{ Effect: 'Deny' }, statement] }),
  document({ Effect: undefined }),
  document({ Effect: 'invalid' }),
  document({ Extra: 'x' }),
  document({ Sid: {} }),
  ...['invalid', 'a a:ListBucket', 's3:List:Bucket', 's3s:ListBucket', '*', 's3:*', [], {}, [[]], ''].map((Action) =>
    document({ Action }),
  ),
  document({ NotAction: 's3:Get*' }),
  document({ Action: undefined, NotAction: 's3:Get*' }),
  ...[
    '',
    'invalid resource',
    [],
    ['adf'],
    {},
    'a:bsdfdsafsad',
    'a:b:cadfsdf',
    'a:b:c:d:e:f:g:h',
    'aws:s3:::example_bucket',
    ['arn:error:s3:::example_bucket', 'arn:error:s3::example_bucket'],
    'arn:aws',
    'arn:aws:s3::example_bucket',
    'arn:aws:s3:eu-west-1::bucket',
    'arn:aws:s3:eu-west-1:111122223333:accesspoint/x',
    'arn:aws:iam:::bucket',
    'arn:aws:iam::111122223333:role/x',
    'arn:aws:iam:eu-west-1:111122223333:role/x',
    'arn:aws-cn:s3:::bucket',
    '*',
  ].map((Resource) => document({ Resource })),
  document({ Resource: undefined }),
  document({ Resource: undefined, NotResource: 'arn:aws:s3:::bucket' }),
  document({ NotResource: 'arn:aws:s3:::bucket' }),
  ...[
    [],
    'a',
    { a: 'b' },
    { DateGreaterThan: 'b' },
    { StringEquals: { 'aws:a': 'b' } },
    { StringEqualsIfExists: { 'aws:a': ['b'] } },
    { 'ForAllValues:StringLike': { 'aws:a': ['b'] } },
    { 'ForSomeValues:StringLike': { 'aws:a': ['b'] } },
    { DateGreaterThan: { 'aws:CurrentTime': 'sdfdsf' } },
    { DateGreaterThan: { 'aws:CurrentTime': '2017-07-01T00:00:00Z' } },
    { DateLessThan: { 'aws:CurrentTime': '1498867200' } },
    { Bool: { 'aws:SecureTransport': true } },
  ].map((Condition) => document({ Condition })),
  // Two faults.
  document({ Action: 'invalid', Resource: 'x' }),
  document({ Action: [], Resource: 'x' }),
  document({ Action: 'invalid', Resource: undefined }),
  top({ Version: undefined, Statement: { ...statement, Action: 'invalid' } }),
];

test('policies are refused in the sentences that AWS uses', async () => {
  const child = promisify(execFile)(await testPython(), ['-c', script], { env: pythonEnvironment() as any });
  child.child.stdin!.end(JSON.stringify(documents));
  const theirs: (string | null)[] = JSON.parse((await child).stdout);
  const ours = documents.map((text) => {
    try {
      parsePolicy(text, 'managed');
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  });
  const differences = documents.flatMap((text, index) =>
    ours[index] === theirs[index] ? [] : [{ text, ours: ours[index], theirs: theirs[index] }],
  );
  expect(differences).toEqual([]);
  expect(new Set(theirs).size).toBeGreaterThan(12);
});
