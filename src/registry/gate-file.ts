/** gate.yml: when a model is good enough. Its schema is schemas/gate.schema.json. */
export interface GateFile {
  rules: Rule[];
  require?: ('artifact-sha256' | 'image-digest')[];
  /** ISO 8601 duration. */
  'max-age'?: string;
}

export type Operator = '<' | '<=' | '>' | '>=' | '==';

export interface LimitRule {
  metric: string;
  operator: Operator;
  limit: number;
}

export interface ChampionRule {
  metric: string;
  'better-than': 'champion';
  /** Which is better; lower when left out. */
  direction?: 'lower' | 'higher';
  /** By how much at least; 0 also lets an equal value pass. */
  margin?: number;
  'without-champion'?: 'pass' | 'fail';
}

export type Rule = LimitRule | ChampionRule;

/** Milliseconds of the durations the schema allows: PnW, PnDTnHnMnS. */
export function durationOf(text: string): number {
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  const [weeks, days, hours, minutes, seconds] = (match?.slice(1) ?? []).map((part) => Number(part ?? 0));
  return (
    ((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 3_600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1_000
  );
}
