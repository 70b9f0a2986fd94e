import type { PolicyDocument, PolicyStatement } from '../core/policy.ts';

/**
 * Conditions that keep a statement for everybody from being public, when their values are fixed
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html, "The meaning of public").
 */
const narrowing = new Set(
  [
    'aws:PrincipalArn',
    'aws:PrincipalAccount',
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:SourceIp',
    'aws:SourceArn',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:SourceOwner',
    'aws:SourceAccount',
    'aws:VpceAccount',
    'aws:VpceOrgID',
    'aws:userid',
    's3:DataAccessPointArn',
    's3:DataAccessPointAccount',
  ].map((name) => name.toLowerCase()),
);

/** Whether S3 would call a bucket policy public. */
export function isPublic(document: PolicyDocument): boolean {
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  return statements.some(
    (statement) => statement.Effect === 'Allow' && isForEverybody(statement) && !isNarrowed(statement),
  );
}

function isForEverybody({ Principal, NotPrincipal }: PolicyStatement): boolean {
  if (NotPrincipal !== undefined) return true;
  if (Principal === '*') return true;
  return Object.values(Principal ?? {}).some((value) => (Array.isArray(value) ? value : [value]).includes('*'));
}

function isNarrowed({ Condition }: PolicyStatement): boolean {
  return Object.entries(Condition ?? {}).some(([operator, keys]) => {
    // A negated or "if it exists" operator also admits those who lack the key.
    if (/Not|IfExists|Null/i.test(operator)) return false;
    return Object.entries(keys).some(([key, value]) => {
      if (!narrowing.has(key.toLowerCase())) return false;
      const values = (Array.isArray(value) ? value : [value]).map(String);
      return values.every((text) => isFixed(key.toLowerCase(), text));
    });
  });
}

function isFixed(key: string, text: string): boolean {
  if (text.includes('${')) return false;
  if (key === 'aws:sourceip') return text !== '0.0.0.0/0' && text !== '::/0';
  // arn:aws:iam::*:role/x leaves the account open.
  if (key === 'aws:principalarn' || key === 'aws:sourcearn') return /^arn:[^:*]+:[^:*]+:[^:]*:\d{12}:/.test(text);
  // A path below a named organization is fixed, whatever follows.
  if (key === 'aws:principalorgpaths') return /^o-[a-z0-9]+\//.test(text);
  return !text.includes('*');
}
