import { describe, expect, test } from '@jest/globals';
import { rules } from './cases.ts';
import { decideScenario, withMember } from './support.ts';

describe('rules of the documentation, each as a denial and an allow that differs in one member', () => {
  test('the table is as long as it claims to be', () => {
    expect(rules.length * 2).toBeGreaterThanOrEqual(60);
    expect(new Set(rules.map(({ rule }) => rule)).size).toBe(rules.length);
    for (const { url } of rules) expect(url).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
  });

  for (const { rule, url, scenario, path, denied, allowed, how = 'implicit-deny', says } of rules) {
    test(`denied: ${rule} (${url})`, async () => {
      const answer = await decideScenario(withMember(scenario, path, denied));
      expect(answer.decision).toBe(how);
      expect(answer.grantedBy).toEqual([]);
      expect(answer.message).toContain(`is not authorized to perform: ${scenario.action}`);
      if (says !== undefined) expect(answer.message).toContain(says);
    });

    test(`allowed: ${rule} (${url})`, async () => {
      const answer = await decideScenario(withMember(scenario, path, allowed));
      expect(answer).toMatchObject({ decision: 'allow', message: '' });
      expect(answer.grantedBy.length).toBeGreaterThan(0);
    });
  }
});
