import { EvaluationError } from './evaluate.ts';
import { formatScalar } from './parameters.ts';

type Primitive = string | number | boolean;
export const comparisons = ['Equals', 'GreaterThan', 'GreaterThanOrEqualTo', 'LessThan', 'LessThanOrEqualTo'] as const;
type Comparison = (typeof comparisons)[number];

/** A condition whose expressions are already replaced by values. */
export type Condition =
  | { Type: Comparison; LeftValue: unknown; RightValue: unknown }
  | { Type: 'In'; QueryValue: unknown; Values: unknown[] }
  | { Type: 'Not'; Condition: Condition }
  | { Type: 'Or'; Conditions: Condition[] };

function primitive(value: unknown, where: string): Primitive {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new EvaluationError(`${where} of the condition is ${JSON.stringify(value)}, not a text, number or boolean`);
}

function compare(type: Comparison, left: Primitive, right: Primitive): boolean {
  if (typeof left !== typeof right) {
    throw new EvaluationError(
      `${type} cannot compare ${typeof left} ${formatScalar(left)} with ${typeof right} ${formatScalar(right)}`,
    );
  }
  switch (type) {
    case 'Equals':
      return left === right;
    case 'GreaterThan':
      return left > right;
    case 'GreaterThanOrEqualTo':
      return left >= right;
    case 'LessThan':
      return left < right;
    case 'LessThanOrEqualTo':
      return left <= right;
  }
}

/** Strings compare lexicographically, numbers by value. Throws EvaluationError for mixed types and for what is no primitive. */
export function holds(condition: Condition): boolean {
  switch (condition.Type) {
    case 'In': {
      const query = primitive(condition.QueryValue, 'QueryValue');
      return condition.Values.some((value) => compare('Equals', query, primitive(value, 'Values')));
    }
    case 'Not':
      return !holds(condition.Condition);
    case 'Or':
      return condition.Conditions.some(holds);
    default:
      return compare(
        condition.Type,
        primitive(condition.LeftValue, 'LeftValue'),
        primitive(condition.RightValue, 'RightValue'),
      );
  }
}
