/** boto3's paginators and the AWS CLI walk the organization; a bucket opens to a unit; the page's control routes work. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { root } from '../start/support.ts';
import { accounts, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { unitsWorld } from './world.ts';

const run = promisify(execFile);
let platform: TestPlatform;
let tools: { python: string; directory: string };
/** Variables of an account's administrator. */
const environmentOf = async (account: string): Promise<NodeJS.ProcessEnv> => ({
  ...pythonEnvironment(),
  ...platform.environment(await platform.credentials(account)),
  HOME: platform.stateDirectory,
});

/** More accounts than a page of Organizations holds. */
const many = Array.from({ length: 30 }, (_, index) => ({ id: String(200_000_000_000 + index), name: `a${index}` }));

beforeAll(async () => {
  tools = await ensureTools({ directory: join(root, '.sagemaker-mlops/python'), progress: () => {} });
  platform = await startTestPlatform({
    python: true,
    world: { ...unitsWorld, accounts: [...unitsWorld.accounts, ...many] },
  });
}, 240_000);
afterAll(() => platform.close());

/** Prints the tree of names by paginators, and who reads an object that a unit may read. */
const script = `
import boto3, botocore, json, os
org = boto3.client("organizations")
def pages(name, key, **more):
    return [item for page in org.get_paginator(name).paginate(**more) for item in page[key]]
def tree(parent):
    accounts = [a["Name"] for a in pages("list_accounts_for_parent", "Accounts", ParentId=parent, PaginationConfig={"PageSize": 7})]
    children = pages("list_children", "Children", ParentId=parent, ChildType="ORGANIZATIONAL_UNIT")
    units = pages("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
    assert [u["Id"] for u in units] == [c["Id"] for c in children]
    for child in children:
        assert pages("list_parents", "Parents", ChildId=child["Id"])[0]["Id"] == parent
    return {"accounts": accounts, "units": {u["Name"]: tree(u["Id"]) for u in units}}
organization = org.describe_organization()["Organization"]
root, = pages("list_roots", "Roots")
out = {"tree": tree(root["Id"]), "all": len(pages("list_accounts", "Accounts")), "errors": {}}
def code(label, call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        out["errors"][label] = [type(error).__name__, error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
code("account", lambda: org.describe_account(AccountId="999999999999"))
code("parent", lambda: org.list_accounts_for_parent(ParentId="r-zzzz"))
code("token", lambda: org.list_accounts(NextToken="x"))
code("policies", lambda: org.list_policies(Filter="SERVICE_CONTROL_POLICY"))
def of(account, name):
    sts = boto3.client("sts")
    role = "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"
    c = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(name, aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
code("member", lambda: of("${accounts.staging}", "organizations").list_roots())
workloads = [u for u in pages("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"]) if u["Name"] == "workloads"][0]
production = [u for u in pages("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=workloads["Id"]) if u["Name"] == "production"][0]
s3 = boto3.client("s3")
s3.create_bucket(Bucket="of-a-unit", CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]})
s3.put_object(Bucket="of-a-unit", Key="model", Body=b"content")
s3.put_bucket_policy(Bucket="of-a-unit", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::of-a-unit/*",
    "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [production["Path"] + "*"]},
                  "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/OrganizationAccountAccessRole"}}}]}))
code("bucket of staging", lambda: of("${accounts.staging}", "s3").get_object(Bucket="of-a-unit", Key="model"))
out["read"] = of("${accounts.production2}", "s3").get_object(Bucket="of-a-unit", Key="model")["Body"].read().decode()
import re
def form(value):
    if isinstance(value, dict): return {key: form(item) for key, item in value.items()}
    if isinstance(value, list): return form(value[0]) if value else None
    return re.sub(r"\\bo-\\w+|\\br-\\w+|\\bou-\\w+-\\w+|\\b\\d{12}\\b", lambda m: m[0].split("-")[0] if "-" in m[0] else "N", str(value))
def compare(where, theirs, ours):
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            if key in ("PolicyTypes", "AvailablePolicyTypes"): continue
            if key not in ours: out["differences"].append(where + "." + key)
            else: compare(where + "." + key, value, ours[key])
    elif where.endswith(("Arn", "Id", "Type", "FeatureSet", "Status")) and theirs != ours:
        out["differences"].append([where, theirs, ours])
examples = boto3.session.Session()._session.get_component("data_loader").load_service_model("organizations", "examples-1")["examples"]
out["compared"], out["differences"] = [], []
ours = {"AccountId": "${accounts.production1}", "OrganizationalUnitId": production["Id"], "ChildId": "${accounts.production1}"}
for name, cases in examples.items():
    method = botocore.xform_name(name)
    if not name.startswith(("List", "Describe")): continue
    given = {key: ours.get(key, value) for key, value in (cases[0].get("input") or {}).items()}
    if "ParentId" in given: given["ParentId"] = root["Id"] if given["ParentId"].startswith("r-") else workloads["Id"]
    try:
        answer = getattr(org, method)(**given)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NotImplemented", (name, error)
        continue
    out["compared"].append(name)
    compare(name, form(cases[0]["output"]), form(answer))
print(json.dumps(out))
`;

test('boto3: the tree by its paginators, typed errors, a bucket that is open to a unit', async () => {
  const { stdout } = await run(tools.python, ['-c', script], { env: await environmentOf(accounts.development) });
  const none = { accounts: [], units: {} };
  expect(JSON.parse(stdout)).toEqual({
    all: 34,
    tree: {
      accounts: ['development', ...many.map(({ name }) => name)],
      units: {
        workloads: {
          accounts: ['staging'],
          units: { production: { accounts: ['production-1', 'production-2'], units: {} }, sandbox: none },
        },
        suspended: none,
      },
    },
    errors: {
      account: ['AccountNotFoundException', 'AccountNotFoundException', 400],
      parent: ['ParentNotFoundException', 'ParentNotFoundException', 400],
      token: ['InvalidInputException', 'InvalidInputException', 400],
      policies: ['ClientError', 'NotImplemented', 501],
      member: ['AccessDeniedException', 'AccessDeniedException', 400],
      'bucket of staging': ['AccessDenied', 'AccessDenied', 403],
    },
    read: 'content',
    // Answers that AWS gives as examples in botocore: every member is there, ARNs and ids have the same form.
    compared: [
      'DescribeAccount',
      'DescribeOrganization',
      'DescribeOrganizationalUnit',
      'ListAccounts',
      'ListAccountsForParent',
      'ListChildren',
      'ListOrganizationalUnitsForParent',
      'ListParents',
      'ListRoots',
    ],
    differences: [],
  });
});

test('the AWS CLI: all accounts over several pages, and what a member hears', async () => {
  const aws = async (account: string, ...parameters: string[]) =>
    run(join(tools.directory, 'bin/aws'), ['organizations', ...parameters, '--output', 'json'], {
      env: await environmentOf(account),
    });
  const [listed, described, refused] = await Promise.all([
    aws(accounts.development, 'list-accounts', '--page-size', '5', '--query', 'Accounts[].Id'),
    aws(accounts.production1, 'describe-organization', '--query', 'Organization.MasterAccountId'),
    aws(accounts.production1, 'list-accounts').catch((error) => error),
  ]);
  expect(JSON.parse(listed.stdout)).toHaveLength(34);
  expect(JSON.parse(described.stdout)).toBe(accounts.development);
  expect(refused.stderr).toMatch(/\(AccessDeniedException\).*You don't have permissions to access this resource/);
});

test('the control routes of docs/local-world.md, word for word', async () => {
  const page = readFileSync(join(root, 'docs/local-world.md'), 'utf8');
  const [, commands] = /```console\n([\s\S]*?)```/.exec(page)!;
  const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-routes-'));
  try {
    symlinkSync(platform.stateDirectory, join(folder, '.sagemaker-mlops'));
    const { stdout } = await run('bash', ['-ec', commands!.replaceAll('\ncontrol ', '\necho; control ')], {
      cwd: folder,
    });
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toHaveLength(commands!.split('\ncontrol ').length - 1);
    expect(answers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ mode: 'by-hand' }),
        { faults: [expect.objectContaining({ times: 2 }), expect.objectContaining({ account: accounts.development })] },
        {
          calls: expect.arrayContaining([expect.objectContaining({ operation: 'organizations:ListRoots' })]),
          next: expect.any(Number),
        },
        { accounts: expect.arrayContaining([{ id: '121212121212', name: 'joins-later' }]) },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
