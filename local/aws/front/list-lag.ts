/** Injected fault list-lag: AWS lists run behind Describe, so what is younger than the lag is left out. */

const creationTimes = ['CreationTime', 'CreationTimestamp', 'CreateDate', 'StartTime', 'CreatedTime', 'creationTime'];

/** A copy of a list operation's output without the young elements of its lists. */
export function withoutYoung(output: Record<string, any>, youngerThan: Date): Record<string, any> {
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.filter((item) => !isYoung(item, youngerThan)) : value,
    ]),
  );
}

function isYoung(item: unknown, youngerThan: Date): boolean {
  if (typeof item !== 'object' || item === null) return false;
  for (const name of creationTimes) {
    const time = (item as Record<string, unknown>)[name];
    if (time !== undefined && time !== null) return new Date(time as Date).getTime() > youngerThan.getTime();
  }
  return false;
}
