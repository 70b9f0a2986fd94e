import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import {
  Binary,
  ContextAccess,
  type Expr,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Unary,
} from '@actions/expressions/ast';
import type { FunctionDefinition, FunctionInfo } from '@actions/expressions/funcs/info';
import type { Location, Problem } from './workflow/location.ts';
import type { Place } from './workflow/places.ts';

export type Data = data.ExpressionData;

const statusFunctions = ['success', 'failure', 'cancelled', 'always'] as const;
type StatusFunction = (typeof statusFunctions)[number];

/** What an expression is evaluated against. Names that are missing here are null. */
export interface Evaluation {
  contexts: Record<string, Data>;
  status?: Record<StatusFunction, () => boolean>;
  hashFiles?: (patterns: string[]) => string;
}

const everyContext = [
  'github',
  'inputs',
  'vars',
  'needs',
  'strategy',
  'matrix',
  'secrets',
  'steps',
  'job',
  'jobs',
  'runner',
  'env',
];
const statusInfo: FunctionInfo[] = statusFunctions.map((name) => ({ name, minArgs: 0, maxArgs: 0 }));
const hashFilesInfo: FunctionInfo = { name: 'hashFiles', minArgs: 1, maxArgs: 255 };

export function toData(value: unknown): Data {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === 'string') return new data.StringData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  return new data.Dictionary(...Object.entries(value as object).map(([key, item]) => ({ key, value: toData(item) })));
}

export function listData(items: readonly Data[]): Data {
  return new data.Array(...items);
}

export function mapData(entries: Iterable<readonly [string, Data]>): Data {
  return new data.Dictionary(...[...entries].map(([key, value]) => ({ key, value })));
}

export function fromData(value: Data): unknown {
  if (value instanceof data.Dictionary) {
    return Object.fromEntries(value.pairs().map((pair) => [pair.key, fromData(pair.value)]));
  }
  if (value instanceof data.Array) return value.values().map(fromData);
  if (value instanceof data.Null) return null;
  return (value as data.StringData | data.NumberData | data.BooleanData).value;
}

/** GitHub's truthiness: false, 0, -0, "", null are false; everything else, objects too, is true. */
export function isTruthy(value: Data): boolean {
  if (value instanceof data.Null) return false;
  if (value instanceof data.BooleanData) return value.value;
  if (value instanceof data.NumberData) return value.value !== 0 && !Number.isNaN(value.value);
  if (value instanceof data.StringData) return value.value !== '';
  return true;
}

/** A scalar of a workflow file: plain, one expression, or text with expressions in it. */
export class Template {
  readonly text: string;
  readonly at: Location;
  readonly literal: Data | undefined;
  readonly #parts: readonly (string | Expr)[];

  constructor(text: string, at: Location, parts: readonly (string | Expr)[], literal?: Data) {
    this.text = text;
    this.at = at;
    this.#parts = parts;
    this.literal = literal;
  }

  get expressions(): Expr[] {
    return this.#parts.filter((part) => typeof part !== 'string');
  }

  /** Throws an Error that names file and line when GitHub would fail the step or job here (e.g. fromJSON of no JSON). */
  evaluate(evaluation: Evaluation): Data {
    if (this.literal) return this.literal;
    try {
      const [only] = this.#parts;
      if (this.#parts.length === 1 && only !== undefined && typeof only !== 'string')
        return evaluateExpression(only, evaluation);
      return new data.StringData(
        this.#parts
          .map((part) => (typeof part === 'string' ? part : evaluateExpression(part, evaluation).coerceString()))
          .join(''),
      );
    } catch (error) {
      throw new Error(`${this.at.file} (Line: ${this.at.line}, Col: ${this.at.column}): ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  evaluateString(evaluation: Evaluation): string {
    return this.evaluate(evaluation).coerceString();
  }
}

function literalTemplate(text: string, at: Location): Template {
  return new Template(text, at, [text], new data.StringData(text));
}

function evaluateExpression(expression: Expr, evaluation: Evaluation): Data {
  const functions = new Map<string, FunctionDefinition>();
  for (const info of statusInfo) {
    const status = evaluation.status?.[info.name as StatusFunction];
    functions.set(info.name, {
      ...info,
      call: () => {
        if (!status) throw new Error(`${info.name}() is not available here.`);
        return new data.BooleanData(status());
      },
    });
  }
  functions.set('hashfiles', {
    ...hashFilesInfo,
    call: (...patterns) => {
      if (!evaluation.hashFiles) throw new Error('hashFiles() is not available here.');
      return new data.StringData(evaluation.hashFiles(patterns.map((pattern) => pattern.coerceString())));
    },
  });
  const contexts = new data.Dictionary();
  for (const name of everyContext) contexts.add(name, evaluation.contexts[name] ?? new data.Null());
  return new Evaluator(expression, contexts, functions).evaluate();
}

/** Parses what stands between `${{` and `}}`. Throws with GitHub's message. */
function parseExpression(text: string, place: Place): Expr {
  const functions = [...(place.status ? statusInfo : []), ...(place.hashFiles ? [hashFilesInfo] : [])];
  const expression = new Parser(new Lexer(text).lex().tokens, [...place.contexts], functions).parse();
  if (!expression) throw new Error('An expression was expected.');
  return expression;
}

/** Splits text at its expressions. Quotes inside an expression hide `}}`. */
function split(text: string): { text: string; expression: boolean; offset: number }[] | { unclosed: number } {
  const parts: { text: string; expression: boolean; offset: number }[] = [];
  let position = 0;
  while (position < text.length) {
    const start = text.indexOf('${{', position);
    if (start < 0) break;
    if (start > position) parts.push({ text: text.slice(position, start), expression: false, offset: position });
    let end = start + 3;
    let quoted = false;
    for (; end < text.length; end++) {
      if (text[end] === "'") quoted = !quoted;
      else if (!quoted && text.startsWith('}}', end)) break;
    }
    if (end >= text.length) return { unclosed: start };
    parts.push({ text: text.slice(start + 3, end), expression: true, offset: start });
    position = end + 2;
  }
  if (position < text.length) parts.push({ text: text.slice(position), expression: false, offset: position });
  return parts;
}

/**
 * Compiles a scalar for a place. `firstLine` is the line on which the text's first character stands (block scalars: the next).
 * Problems are added, and then the template is the bare text: nothing runs once there is a problem.
 */
export function compileTemplate(
  text: string,
  at: Location,
  place: Place,
  problems: Problem[],
  firstLine = at.line,
): Template {
  if (!text.includes('${{')) return literalTemplate(text, at);
  const lineOf = (offset: number): Location => ({
    ...at,
    line: firstLine + text.slice(0, offset).split('\n').length - 1,
  });
  const parts = split(text);
  if (!Array.isArray(parts)) {
    problems.push({ ...lineOf(parts.unclosed), message: 'the expression that starts with ${{ is not closed with }}' });
    return literalTemplate(text, at);
  }
  const compiled: (string | Expr)[] = [];
  for (const part of parts) {
    if (!part.expression) {
      compiled.push(part.text);
      continue;
    }
    if (part.text.trim() === 'insert') {
      problems.push({ ...lineOf(part.offset), message: '${{ insert }} is not supported locally; write the keys out' });
      continue;
    }
    try {
      const expression = parseExpression(part.text, place);
      checkSecrets(expression, lineOf(part.offset), problems);
      compiled.push(expression);
    } catch (error) {
      problems.push({ ...lineOf(part.offset), message: `${(error as Error).message} (in \${{${part.text}}})` });
    }
  }
  return new Template(text, at, compiled);
}

/** An `if`: the braces may be left out, and without a status function GitHub adds `success() &&`. */
export interface Condition {
  text: string;
  evaluate(evaluation: Evaluation): boolean;
}

export function compileCondition(
  text: string,
  at: Location,
  place: Place,
  problems: Problem[],
  firstLine = at.line,
): Condition {
  const source = text.trim() === '' ? '${{ success() }}' : text.includes('${{') ? text.trim() : `\${{ ${text} }}`;
  const template = compileTemplate(source, at, place, problems, firstLine);
  const hasStatus = template.expressions.some((expression) => callsAny(expression, statusFunctions));
  return {
    text,
    evaluate(evaluation) {
      if (!hasStatus && !evaluation.status?.success()) return false;
      return isTruthy(template.evaluate(evaluation));
    },
  };
}

function children(expression: Expr): Expr[] {
  if (expression instanceof FunctionCall) return expression.args;
  if (expression instanceof Binary) return [expression.left, expression.right];
  if (expression instanceof Logical) return expression.args;
  if (expression instanceof Unary) return [expression.expr];
  if (expression instanceof Grouping) return [expression.group];
  if (expression instanceof IndexAccess) return [expression.expr, expression.index];
  return [];
}

function callsAny(expression: Expr, names: readonly string[]): boolean {
  if (expression instanceof FunctionCall && names.includes(expression.functionName.lexeme.toLowerCase())) return true;
  return children(expression).some((child) => callsAny(child, names));
}

function isContext(expression: Expr, name: string): boolean {
  return expression instanceof ContextAccess && expression.name.lexeme.toLowerCase() === name;
}

function checkSecrets(expression: Expr, at: Location, problems: Problem[]): void {
  if (expression instanceof IndexAccess && isContext(expression.expr, 'secrets')) {
    const name = expression.index instanceof Literal ? expression.index.literal.coerceString() : '*';
    if (name.toUpperCase() === 'GITHUB_TOKEN') return;
    problems.push({
      ...at,
      message: `secrets.${name}: secrets are not supported locally; only secrets.GITHUB_TOKEN exists`,
    });
    return;
  }
  if (isContext(expression, 'secrets')) {
    problems.push({ ...at, message: 'the secrets context is not supported locally; only secrets.GITHUB_TOKEN exists' });
    return;
  }
  for (const child of children(expression)) checkSecrets(child, at, problems);
}
