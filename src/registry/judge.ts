import { didYouMean } from '../github/suggest.ts';
import { durationOf, type GateFile, type LimitRule, type Rule } from './gate-file.ts';

/** One rule, judged. */
export interface Verdict {
  /** Dotted name of the metric, or of the evidence that is required. */
  metric: string;
  /** Undefined when the package does not have it. */
  value: number | string | undefined;
  /** As people read it: "<= 6", "<= champion 4.8 - 0.1". */
  limit: string;
  champion: number | undefined;
  passed: boolean;
  /** One sentence without a period. */
  text: string;
  code: 'RuleMissed' | 'EvidenceMissing';
}

export interface Evidence {
  metrics: Readonly<Record<string, number>>;
  /** undefined: nothing is in production. */
  champion: { arn: string; metrics: Readonly<Record<string, number>> } | undefined;
  artifactSha256: string | undefined;
  imageDigest: string | undefined;
  /** Milliseconds since the package was registered. */
  age: number;
}

function compare(value: number, operator: LimitRule['operator'], limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
  }
}

/** The limit of a comparison before its champion is known. */
const withoutChampion = 'better than the champion';

/** "regression_metrics.mse.value" is called "mse" in the evidence text. */
export function shortName(metric: string): string {
  const parts = metric.split('.').filter((part) => part !== 'value');
  return parts.at(-1) ?? metric;
}

/** Six digits, more only when fewer would turn the comparison with the limit around. */
function show(value: number, limit?: number): string {
  for (let digits = 6; digits < 17; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (limit === undefined || Math.sign(rounded - limit) === Math.sign(value - limit)) return String(rounded);
  }
  return String(value);
}

function judgeRule(rule: Rule, evidence: Evidence): Verdict {
  const value = evidence.metrics[rule.metric];
  const base = { metric: rule.metric, value, champion: evidence.champion?.metrics[rule.metric] };
  const name = shortName(rule.metric);
  const wanted = 'limit' in rule ? `${rule.operator} ${rule.limit}` : withoutChampion;
  if (value === undefined) {
    const hint = didYouMean(rule.metric, Object.keys(evidence.metrics));
    return {
      ...base,
      limit: wanted,
      passed: false,
      code: 'EvidenceMissing',
      text: `${rule.metric} is not among the package's metrics${hint}`,
    };
  }
  if ('limit' in rule) {
    const passed = compare(value, rule.operator, rule.limit);
    return {
      ...base,
      limit: wanted,
      passed,
      code: 'RuleMissed',
      text: `${name} ${show(value, rule.limit)} is ${passed ? '' : 'not '}${rule.operator} ${rule.limit}`,
    };
  }
  const { direction = 'lower', margin = 0, 'without-champion': otherwise = 'pass' } = rule;
  if (evidence.champion === undefined) {
    const passed = otherwise === 'pass';
    return {
      ...base,
      limit: wanted,
      passed,
      code: 'RuleMissed',
      text: `${name} ${show(value)}, no champion in production`,
    };
  }
  const { champion } = base;
  if (champion === undefined) {
    return {
      ...base,
      limit: wanted,
      passed: false,
      code: 'EvidenceMissing',
      text: `the champion ${evidence.champion.arn} has no metric ${rule.metric}`,
    };
  }
  const passed = direction === 'lower' ? value <= champion - margin : value >= champion + margin;
  const limit = `${direction === 'lower' ? '<=' : '>='} champion ${show(champion)}${margin === 0 ? '' : ` ${direction === 'lower' ? '-' : '+'} ${margin}`}`;
  return {
    ...base,
    limit,
    passed,
    code: 'RuleMissed',
    text: `${name} ${show(value, champion)} is ${passed ? '' : 'not '}${limit}`,
  };
}

/** Judges a package by all rules of a file. Pure: the same evidence gives the same verdicts. */
export function judge(file: GateFile, evidence: Evidence): Verdict[] {
  const verdicts = file.rules.map((rule) => judgeRule(rule, evidence));
  for (const required of new Set(file.require ?? [])) {
    const value = required === 'artifact-sha256' ? evidence.artifactSha256 : evidence.imageDigest;
    verdicts.push({
      metric: required,
      value,
      limit: 'required',
      champion: undefined,
      passed: value !== undefined,
      code: 'EvidenceMissing',
      text: value === undefined ? `the registry recorded no ${required.replace('-', ' ')}` : `${required} ${value}`,
    });
  }
  const maximum = file['max-age'];
  if (maximum !== undefined) {
    const passed = evidence.age <= durationOf(maximum);
    const days = Math.floor(evidence.age / 86_400_000);
    verdicts.push({
      metric: 'max-age',
      value: `${days} days`,
      limit: `<= ${maximum}`,
      champion: undefined,
      passed,
      code: 'RuleMissed',
      text: `the package is ${days} days old, which is ${passed ? 'within' : 'more than'} ${maximum}`,
    });
  }
  return verdicts;
}

/** The evidence as the approval description holds it: "Gate passed: mse 4.72, limit 6; ...", at most 1,024 characters. */
export function evidenceText(verdicts: readonly Verdict[], passed: boolean): string {
  const parts = verdicts
    .filter(({ limit }) => limit !== 'required')
    .map(({ metric, value, limit, champion, passed: held, text }) => {
      const missed = held ? '' : ' (missed)';
      // Nothing to compare with: the sentence says so.
      if (limit === withoutChampion && champion === undefined) return `${text}${missed}`;
      const shown = typeof value === 'number' ? show(value) : (value ?? 'missing');
      return `${shortName(metric)} ${shown}, limit ${limit.replace(/^<= (?=[\d-]|P)/, '')}${missed}`;
    });
  return `Gate ${passed ? 'passed' : 'missed'}: ${parts.join('; ')}`.slice(0, 1_024);
}
