const units = { Y: 365 * 86_400, MO: 30 * 86_400, W: 7 * 86_400, D: 86_400, H: 3_600, M: 60, S: 1 } as const;

/**
 * Milliseconds of an `ExpireAfter`: an ISO 8601 duration whose leading P may be missing, in any case ("30d", "T16m",
 * "30dT5h", "PT1H"). A year counts 365 days, a month 30. Undefined when the text is no duration.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^P?(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    text.trim().toUpperCase(),
  );
  if (match === null) return undefined;
  const [, years, months, weeks, days, hours, minutes, seconds] = match;
  const parts = [years, months, weeks, days, hours, minutes, seconds];
  if (parts.every((part) => part === undefined)) return undefined;
  const sizes = [units.Y, units.MO, units.W, units.D, units.H, units.M, units.S];
  return 1000 * parts.reduce((sum, part, index) => sum + Number(part ?? 0) * (sizes[index] as number), 0);
}
