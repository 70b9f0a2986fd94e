import { compileCondition } from '../expressions.ts';
import type { Problem } from './location.ts';
import type { Action, CompositeRuns, JavaScriptRuns } from './model.ts';
import { parseSteps } from './parse-step.ts';
import { places } from './places.ts';
import { type Value, YamlFile } from './yaml.ts';

const metadata = ['name', 'author', 'description', 'inputs', 'outputs', 'runs', 'branding'] as const;

/** Reads an action.yml. Docker actions and old Node versions are refused by name. */
export function parseAction(name: string, text: string, problems: Problem[]): Action | undefined {
  const before = problems.length;
  const file = new YamlFile(name, text, problems);
  const { root } = file;
  if (root.isNull) {
    if (problems.length === before) root.problem('the action file is empty');
    return undefined;
  }
  const fields = root.fields('the action', metadata);
  for (const key of ['name', 'description', 'runs'] as const)
    if (!fields[key]) root.problem(`the action has no '${key}'`);
  const inputs = (fields.inputs?.entries('inputs') ?? []).map(([input, value]) => {
    const keys = value.fields(`input '${input}'`, ['description', 'required', 'default', 'deprecationMessage', 'type']);
    return {
      name: input,
      default: keys.default?.template('default', places.actionInputDefault),
      deprecationMessage: keys.deprecationMessage?.text('deprecationMessage'),
    };
  });
  const runs = fields.runs ? parseRuns(fields.runs, fields.outputs) : undefined;
  if (!runs) return undefined;
  return { name: fields.name?.text('name') ?? name, at: root.at, inputs, runs };
}

function parseRuns(value: Value, outputs: Value | undefined): JavaScriptRuns | CompositeRuns | undefined {
  const using = value.entries('runs').find(([key]) => key === 'using')?.[1];
  if (!using) {
    value.problem("runs has no 'using'");
    return undefined;
  }
  const kind = using.plainText('using');
  if (kind === 'composite') {
    const fields = value.fields('runs of a composite action', ['using', 'steps']);
    if (!fields.steps) value.problem("a composite action needs 'steps'");
    const results = new Map();
    for (const [name, output] of outputs?.entries('outputs') ?? []) {
      const keys = output.fields(`output '${name}'`, ['description', 'value']);
      if (keys.value) results.set(name, keys.value.template('value', places.compositeOutput));
      else output.problem(`output '${name}' of a composite action needs a value`);
    }
    return { kind: 'composite', steps: fields.steps ? parseSteps(fields.steps, 'composite') : [], outputs: results };
  }
  for (const [name, output] of outputs?.entries('outputs') ?? []) output.fields(`output '${name}'`, ['description']);
  if (kind === 'docker') {
    using.problem('Docker actions are not supported locally: jobs run as local processes');
    return undefined;
  }
  // node20 is run on Node 24, as GitHub's runners do since node20 went out of support.
  if (kind !== 'node24' && kind !== 'node20') {
    using.problem(`actions 'using: ${kind}' are not supported; use node24 or composite`);
    return undefined;
  }
  const fields = value.fields('runs of a JavaScript action', ['using', 'main', 'pre', 'pre-if', 'post', 'post-if']);
  if (!fields.main) value.problem("a JavaScript action needs 'main'");
  const always = (key: Value | undefined) =>
    key ? key.condition('if', places.actionIf) : compileCondition('always()', value.at, places.actionIf, []);
  return {
    kind: 'javascript',
    using: kind,
    main: fields.main?.plainText('main') ?? '',
    pre: fields.pre?.plainText('pre'),
    preIf: always(fields['pre-if']),
    post: fields.post?.plainText('post'),
    postIf: always(fields['post-if']),
  };
}
