export interface MetricDefinition {
  Name: string;
  Regex: string;
}

export interface MetricReader {
  /** Looks at one line of the job's log. */
  read(line: string, at: Date): void;
  /** The last value of each metric, in the order of their first appearance. */
  final(): { name: string; value: number; at: Date }[];
}

// The images' own lines: [49]#011train-rmse:1.58#011validation-rmse:2.23
const algorithmValue = /#011(train|validation)-([^\s#:]+(?::[^\s#:]+)*?):(-?[\d.]+(?:e[-+]?\d+)?|-?nan|-?inf)/gi;

/**
 * Reads metrics from log lines as SageMaker does: the first group of each regular expression is the value. `algorithm`
 * adds the metrics that the built-in XGBoost defines for itself (train:rmse, validation:rmse, ...).
 */
export function createMetricReader(definitions: readonly MetricDefinition[], algorithm: boolean): MetricReader {
  const expressions = definitions.map(({ Name, Regex }) => ({ name: Name, expression: new RegExp(Regex) }));
  const values = new Map<string, { value: number; at: Date }>();
  const take = (name: string, text: string | undefined, at: Date): void => {
    const value = Number(text);
    if (text !== undefined && Number.isFinite(value)) values.set(name, { value, at });
  };
  return {
    read(line, at) {
      for (const { name, expression } of expressions) take(name, expression.exec(line)?.[1], at);
      if (algorithm)
        for (const [, data, metric, value] of line.matchAll(algorithmValue)) take(`${data}:${metric}`, value, at);
    },
    final: () => [...values].map(([name, { value, at }]) => ({ name, value, at })),
  };
}
