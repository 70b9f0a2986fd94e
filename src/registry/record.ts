import type { ModelPackage } from './package.ts';

/** The gate's metadata on a package; its presence is what tells a judged package from one approved by hand. */
export interface GateRecord {
  run: string;
  commit: string;
  rulesSha256: string;
  artifactSha256: string;
  artifactEtag: string;
  imageDigest: string;
}

const keys: Readonly<Record<keyof GateRecord, string>> = {
  run: 'gate-run',
  commit: 'gate-commit',
  rulesSha256: 'gate-rules-sha256',
  artifactSha256: 'gate-artifact-sha256',
  artifactEtag: 'gate-artifact-etag',
  imageDigest: 'gate-image-digest',
};

/** The properties as SageMaker takes them: letters, digits, space and _.:/=+-@ only, values of at most 256 characters. */
export function toProperties(record: GateRecord): Record<string, string> {
  return Object.fromEntries(
    (Object.entries(keys) as [keyof GateRecord, string][])
      .map(([field, key]) => [key, record[field].replace(/[^A-Za-z0-9 _.:/=+@-]/g, '-').slice(0, 256)] as const)
      .filter(([, value]) => value !== ''),
  );
}

/** The gate record of a package; undefined when the gate never judged it. */
export function recordOf(found: ModelPackage): GateRecord | undefined {
  const properties = found.CustomerMetadataProperties ?? {};
  if (properties[keys.rulesSha256] === undefined || properties[keys.artifactSha256] === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(keys).map(([field, key]) => [field, properties[key] ?? '']),
  ) as unknown as GateRecord;
}

/** Equal judgement of an equal model by equal rules; by which run is no difference. */
export function sameJudgement(a: GateRecord | undefined, b: GateRecord): boolean {
  const of = (record: GateRecord) => toProperties({ ...record, run: '', commit: '' });
  return a !== undefined && JSON.stringify(of(a)) === JSON.stringify(of(b));
}
