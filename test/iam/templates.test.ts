import { describe, expect, test } from '@jest/globals';
import type { PolicyStatement } from '../../local/aws/core/policy.ts';
import { statements, templateFiles } from '../templates/templates.ts';
import { statementFaults } from './action-table.ts';

const all = templateFiles.flatMap((file) => statements(file));

/** The ARN of a key that the template itself makes is evaluated to LOGICALID/Arn; a real one says key/ID. */
const withKeyArns = (statement: object): PolicyStatement =>
  JSON.parse(JSON.stringify(statement).replace(/(:kms:[^":]*:\d{12}:)(\w+)\/Arn/g, '$1key/$2'));

describe('the templates’ statements, by AWS’s table of actions', () => {
  test('there are some', () => {
    expect(all.length).toBeGreaterThan(20);
  });

  test.each(all.map((statement) => [`${statement.where}#${statement.Sid}`, statement] as const))(
    '%s',
    async (_, statement) => {
      const { where: _where, kind: _kind, ...plain } = statement;
      expect(await statementFaults(withKeyArns(plain))).toEqual([]);
    },
  );
});
