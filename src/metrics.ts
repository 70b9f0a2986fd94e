/** Every number of a metrics document by its dotted path, `regression_metrics.mse.value`. Texts such as "NaN" are no numbers. */
export function flattenMetrics(value: unknown, path = ''): Record<string, number> {
  if (typeof value === 'number') return Number.isFinite(value) ? { [path]: value } : {};
  if (value === null || typeof value !== 'object') return {};
  // Curves are long lists of points, not metrics.
  if (Array.isArray(value)) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, entry]) => flattenMetrics(entry, path === '' ? key : `${path}.${key}`)),
  );
}
