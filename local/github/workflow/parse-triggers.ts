import type { PushFilters } from './filters.ts';
import { patternToRegExp } from './filters.ts';
import type { InputType, Triggers, WorkflowInput } from './model.ts';
import { places } from './places.ts';
import type { Value } from './yaml.ts';

/** Events of GitHub that the local one never raises: a workflow may name them, they just do not happen. */
const otherEvents = [
  'branch_protection_rule',
  'check_run',
  'check_suite',
  'create',
  'delete',
  'deployment',
  'deployment_status',
  'discussion',
  'discussion_comment',
  'fork',
  'gollum',
  'image_version',
  'issue_comment',
  'issues',
  'label',
  'merge_group',
  'milestone',
  'page_build',
  'project',
  'project_card',
  'project_column',
  'public',
  'pull_request',
  'pull_request_comment',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_target',
  'registry_package',
  'release',
  'schedule',
  'status',
  'watch',
  'workflow_run',
];

const inputTypes: Record<'workflow_dispatch' | 'workflow_call', readonly string[]> = {
  workflow_dispatch: ['string', 'number', 'boolean', 'choice', 'environment'],
  workflow_call: ['string', 'number', 'boolean'],
};

export function parseTriggers(value: Value): Triggers {
  const triggers: Triggers = { ignored: [] };
  const add = (name: string, options: Value | undefined, at: Value) => {
    if (name === 'push') triggers.push = options ? parsePush(options) : {};
    else if (name === 'workflow_dispatch')
      triggers.workflowDispatch = { inputs: options ? parseDispatch(options) : [] };
    else if (name === 'repository_dispatch') {
      const types = options?.fields('on.repository_dispatch', ['types']).types;
      triggers.repositoryDispatch = { types: types?.stringList('on.repository_dispatch.types') };
    } else if (name === 'workflow_call')
      triggers.workflowCall = options ? parseCall(options) : { inputs: [], outputs: new Map() };
    else if (otherEvents.includes(name)) triggers.ignored.push(name);
    else at.problem(`unknown event '${name}' in on`);
  };
  if (value.isMap) {
    for (const [name, options] of value.entries('on')) add(name, options.isNull ? undefined : options, options);
  } else if (value.isList) {
    for (const item of value.items('on')) add(item.text('on'), undefined, item);
  } else if (value.isNull) value.problem("'on' must name at least one event");
  else add(value.text('on'), undefined, value);
  return triggers;
}

function parsePush(value: Value): PushFilters {
  const fields = value.fields('on.push', [
    'branches',
    'branches-ignore',
    'tags',
    'tags-ignore',
    'paths',
    'paths-ignore',
  ]);
  const list = (key: keyof typeof fields): string[] | undefined => {
    const patterns = fields[key]?.stringList(`on.push.${key}`);
    for (const pattern of patterns ?? []) {
      try {
        patternToRegExp(pattern.replace(/^!/, ''));
      } catch (error) {
        fields[key]!.problem((error as Error).message);
      }
    }
    return patterns;
  };
  const filters: PushFilters = {};
  const assign = <Key extends keyof PushFilters>(key: Key, patterns: string[] | undefined) => {
    if (patterns) filters[key] = patterns;
  };
  assign('branches', list('branches'));
  assign('branchesIgnore', list('branches-ignore'));
  assign('tags', list('tags'));
  assign('tagsIgnore', list('tags-ignore'));
  assign('paths', list('paths'));
  assign('pathsIgnore', list('paths-ignore'));
  for (const [one, other] of [
    ['branches', 'branches-ignore'],
    ['tags', 'tags-ignore'],
    ['paths', 'paths-ignore'],
  ] as const) {
    if (fields[one] && fields[other]) fields[other].problem(`on.push cannot have both '${one}' and '${other}'`);
  }
  return filters;
}

function parseDispatch(value: Value): WorkflowInput[] {
  const fields = value.fields('on.workflow_dispatch', ['inputs']);
  const inputs = fields.inputs ? parseInputs(fields.inputs, 'workflow_dispatch') : [];
  if (inputs.length > 25) fields.inputs!.problem(`workflow_dispatch has ${inputs.length} inputs; GitHub allows 25`);
  return inputs;
}

function parseCall(value: Value): NonNullable<Triggers['workflowCall']> {
  const fields = value.fields('on.workflow_call', ['inputs', 'outputs'], {
    secrets: 'pass names and ARNs as inputs instead, no secret is needed',
  });
  const outputs = new Map();
  for (const [name, output] of fields.outputs?.entries('on.workflow_call.outputs') ?? []) {
    const output_ = output.fields(`output '${name}'`, ['description', 'value']);
    if (output_.value) outputs.set(name, output_.value.template('value', places.callOutput));
    else output.problem(`output '${name}' of workflow_call needs a value`);
  }
  return { inputs: fields.inputs ? parseInputs(fields.inputs, 'workflow_call') : [], outputs };
}

function parseInputs(value: Value, event: 'workflow_dispatch' | 'workflow_call'): WorkflowInput[] {
  return value.entries(`on.${event}.inputs`).map(([name, input]) => {
    const fields = input.fields(`input '${name}'`, [
      'description',
      'required',
      'default',
      'type',
      'deprecationMessage',
      ...(event === 'workflow_dispatch' ? (['options'] as const) : []),
    ]);
    let type: InputType = 'string';
    if (fields.type) {
      const text = fields.type.plainText('type');
      if (inputTypes[event].includes(text)) type = text as InputType;
      else
        fields.type.problem(
          `input '${name}': type '${text}' must be one of ${inputTypes[event].join(', ')} in ${event}`,
        );
    } else if (event === 'workflow_call') input.problem(`input '${name}' of workflow_call needs a type`);
    const options = fields.options ? fields.options.stringList('options') : [];
    if (type === 'choice' && options.length === 0) input.problem(`input '${name}' of type choice needs options`);
    const preset = fields.default;
    const expected = type === 'number' || type === 'boolean' ? type : undefined;
    if (preset && expected && typeof preset.scalar !== expected && !String(preset.scalar).includes('${{')) {
      preset.problem(`input '${name}': the default '${preset.scalar}' must be a ${expected}`);
    }
    return {
      name,
      type,
      required: fields.required?.boolean(`input '${name}' required`) ?? false,
      default: preset?.template('default', event === 'workflow_call' ? places.callInputDefault : places.none),
      options,
      description: fields.description?.text('description') ?? '',
    };
  });
}
