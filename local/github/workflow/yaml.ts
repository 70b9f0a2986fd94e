import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, Scalar } from 'yaml';
import {
  type Condition,
  compileCondition,
  compileTemplate,
  type Data,
  type Evaluation,
  listData,
  mapData,
  Template,
  toData,
} from '../expressions.ts';
import type { Location, Problem } from './location.ts';
import type { Place } from './places.ts';

/**
 * A value of a YAML file that knows where it stands and reports what is wrong with it.
 * Readers never throw: they add a problem and return something of the right type, so that one pass finds everything.
 */
export class Value {
  readonly file: YamlFile;
  readonly node: Node | null;
  readonly at: Location;

  constructor(file: YamlFile, node: Node | null, at: Location) {
    this.file = file;
    this.node = node;
    this.at = at;
  }

  problem(message: string): void {
    this.file.problems.push({ ...this.at, message });
  }

  get isNull(): boolean {
    return this.node === null || (isScalar(this.node) && this.node.value === null);
  }

  get isMap(): boolean {
    return isMap(this.node);
  }

  get isList(): boolean {
    return isSeq(this.node);
  }

  /** The plain value of a scalar; undefined for maps and lists. */
  get scalar(): string | number | boolean | null | undefined {
    if (this.node === null) return null;
    return isScalar(this.node) ? (this.node.value as string | number | boolean | null) : undefined;
  }

  entries(what: string): [string, Value][] {
    if (this.isNull) return [];
    if (!isMap(this.node)) {
      this.problem(`${what} must be a mapping`);
      return [];
    }
    return this.node.items.map((pair) => this.file.pair(pair as Pair, this.at));
  }

  items(what: string): Value[] {
    if (!isSeq(this.node)) {
      this.problem(`${what} must be a list`);
      return [];
    }
    return this.node.items.map((item) => this.file.value(item as Node, this.at));
  }

  /** A map whose keys are known: every other key is a problem. `refused` names constructs of GitHub that do not exist here. */
  fields<Key extends string>(
    what: string,
    known: readonly Key[],
    refused: Record<string, string> = {},
  ): Partial<Record<Key, Value>> {
    const result: Partial<Record<Key, Value>> = {};
    for (const [key, value] of this.entries(what)) {
      if (key in refused) value.problem(`'${key}' in ${what} is not supported locally: ${refused[key]}`);
      else if ((known as readonly string[]).includes(key)) result[key as Key] = value;
      else if (key !== '<<') value.problem(`unknown key '${key}' in ${what}`);
    }
    return result;
  }

  /** Text without expressions; numbers and booleans are turned into text as GitHub does. */
  text(what: string): string {
    const scalar = this.scalar;
    if (scalar === undefined || scalar === null) {
      this.problem(`${what} must be text`);
      return '';
    }
    return toData(scalar).coerceString();
  }

  plainText(what: string): string {
    const text = this.text(what);
    if (text.includes('${{')) this.problem(`${what} may not contain an expression`);
    return text;
  }

  boolean(what: string): boolean {
    if (typeof this.scalar !== 'boolean') this.problem(`${what} must be true or false`);
    return this.scalar === true;
  }

  stringList(what: string): string[] {
    if (this.isList) return this.items(what).map((item) => item.text(what));
    return [this.text(what)];
  }

  template(what: string, place: Place): Template {
    const scalar = this.scalar;
    if (scalar === undefined) {
      this.problem(`${what} must be a single value`);
      return new Template('', this.at, [''], toData(''));
    }
    if (typeof scalar !== 'string') return new Template(String(scalar ?? ''), this.at, [], toData(scalar));
    return compileTemplate(scalar, this.at, place, this.file.problems, this.firstLine);
  }

  condition(what: string, place: Place): Condition {
    const scalar = this.scalar;
    if (scalar === undefined) this.problem(`${what} must be a single value`);
    return compileCondition(toData(scalar ?? '').coerceString(), this.at, place, this.file.problems, this.firstLine);
  }

  tree(what: string, place: Place): TemplateTree {
    if (this.isMap) return { map: this.entries(what).map(([key, value]) => [key, value.tree(what, place)] as const) };
    if (this.isList) return { list: this.items(what).map((item) => item.tree(what, place)) };
    return { template: this.template(what, place) };
  }

  /** A mapping of names to values, each possibly with expressions (env, with, outputs). */
  templates(what: string, place: Place): Map<string, Template> {
    return new Map(this.entries(what).map(([key, value]) => [key, value.template(`${what}.${key}`, place)]));
  }

  private get firstLine(): number {
    const block =
      isScalar(this.node) && (this.node.type === Scalar.BLOCK_LITERAL || this.node.type === Scalar.BLOCK_FOLDED);
    return this.at.line + (block ? 1 : 0);
  }
}

/** Nested values with expressions at the leaves (strategy.matrix, runs-on). */
export type TemplateTree =
  | { template: Template }
  | { list: TemplateTree[] }
  | { map: (readonly [string, TemplateTree])[] };

export function evaluateTree(tree: TemplateTree, evaluation: Evaluation): Data {
  if ('template' in tree) return tree.template.evaluate(evaluation);
  if ('list' in tree) return listData(tree.list.map((item) => evaluateTree(item, evaluation)));
  return mapData(tree.map.map(([key, value]) => [key, evaluateTree(value, evaluation)]));
}

export class YamlFile {
  readonly name: string;
  readonly problems: Problem[];
  readonly root: Value;
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(name: string, text: string, problems: Problem[]) {
    this.name = name;
    this.problems = problems;
    // GitHub reads YAML 1.2 with anchors and without merge keys.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: false,
      uniqueKeys: true,
      prettyErrors: false,
    });
    const start = { file: name, line: 1, column: 1 };
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      problems.push({ ...this.#position(error.pos[0]), message: error.message });
    }
    this.root = this.value(this.#document.errors.length > 0 ? null : (this.#document.contents as Node | null), start);
  }

  value(node: Node | null, parent: Location): Value {
    const at = node?.range ? this.#position(node.range[0]) : parent;
    if (isAlias(node)) return new Value(this, node.resolve(this.#document) ?? null, at);
    return new Value(this, node, at);
  }

  pair(pair: Pair, parent: Location): [string, Value] {
    const keyNode = pair.key as Scalar;
    const at = keyNode.range ? this.#position(keyNode.range[0]) : parent;
    const key = toData(keyNode.value as string).coerceString();
    if (key === '<<') this.problems.push({ ...at, message: "merge keys ('<<') are not supported by GitHub" });
    const value = this.value(pair.value as Node | null, at);
    // An empty value, a map or a list is named by its key's line; a scalar by its own.
    return [key, value.isMap || value.isList || value.isNull ? new Value(this, value.node, at) : value];
  }

  #position(offset: number): Location {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.name, line, column: col };
  }
}
