import type { PullFilters, PushFilters } from './filters.ts';
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

/** Activity types of pull_request that happen here. */
const pullTypes = ['opened', 'synchronize', 'reopened'];
/** And those that GitHub has besides. */
const otherPullTypes = [
  'assigned',
  'auto_merge_disabled',
  'auto_merge_enabled',
  'closed',
  'converted_to_draft',
  'demilestoned',
  'dequeued',
  'edited',
  'enqueued',
  'labeled',
  'locked',
  'milestoned',
  'ready_for_review',
  'review_request_removed',
  'review_requested',
  'unassigned',
  'unlabeled',
  'unlocked',
];

const inputTypes: Record<'workflow_dispatch' | 'workflow_call', readonly string[]> = {
  workflow_dispatch: ['string', 'number', 'boolean', 'choice', 'environment'],
  workflow_call: ['string', 'number', 'boolean'],
};

export function parseTriggers(value: Value): Triggers {
  const triggers: Triggers = { ignored: [] };
  const add = (name: string, options: Value | undefined, at: Value) => {
    if (name === 'push') triggers.push = options ? parsePush(options) : {};
    else if (name === 'pull_request') triggers.pullRequest = parsePull(options, triggers.ignored);
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
  return parseFilters('push', value, ['branches', 'branches-ignore', 'tags', 'tags-ignore', 'paths', 'paths-ignore'])
    .filters;
}

/** Types that never happen here are added to `ignored`. */
function parsePull(value: Value | undefined, ignored: string[]): PullFilters {
  if (value === undefined) return { types: pullTypes };
  const keys = ['types', 'branches', 'branches-ignore', 'paths', 'paths-ignore'];
  const { filters, fields } = parseFilters('pull_request', value, keys);
  const types = fields['types']?.stringList('on.pull_request.types') ?? pullTypes;
  for (const type of types) {
    if (otherPullTypes.includes(type)) ignored.push(`pull_request (${type})`);
    else if (!pullTypes.includes(type)) fields['types']!.problem(`unknown type '${type}' of pull_request`);
  }
  return { ...filters, types };
}

const filterKeys = {
  branches: 'branches',
  'branches-ignore': 'branchesIgnore',
  tags: 'tags',
  'tags-ignore': 'tagsIgnore',
  paths: 'paths',
  'paths-ignore': 'pathsIgnore',
} as const;

function parseFilters(event: string, value: Value, keys: readonly string[]) {
  const fields: Record<string, Value | undefined> = value.fields(`on.${event}`, keys);
  const filters: PushFilters = {};
  for (const [key, name] of Object.entries(filterKeys)) {
    const patterns = fields[key]?.stringList(`on.${event}.${key}`);
    if (patterns === undefined) continue;
    for (const pattern of patterns) {
      try {
        patternToRegExp(pattern.replace(/^!/, ''));
      } catch (error) {
        fields[key]!.problem((error as Error).message);
      }
    }
    filters[name] = patterns;
  }
  for (const [one, other] of [
    ['branches', 'branches-ignore'],
    ['tags', 'tags-ignore'],
    ['paths', 'paths-ignore'],
  ] as const) {
    if (fields[one] && fields[other]) fields[other].problem(`on.${event} cannot have both '${one}' and '${other}'`);
  }
  return { filters, fields };
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
