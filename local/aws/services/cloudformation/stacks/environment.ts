import type { PlatformContext } from '../../../core/context.ts';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { Call } from '../../../core/service.ts';
import { validationError } from '../errors.ts';
import type { HandlerRegistry } from '../resources/index.ts';
import { type ParameterInput, resolveParameters } from '../template/parameters.ts';
import { readTemplate } from '../template/template.ts';
import type { StackEngine } from './engine.ts';
import type { StackLog } from './events.ts';
import type { Stack, StackDefinition } from './model.ts';
import { digest } from './plan.ts';
import { checkCapabilities, readTags, requireRoleArn, type TemplateSource, templateText } from './requests.ts';
import { operationRights, type Rights, readSsmParameter } from './rights.ts';
import type { StackStore } from './store.ts';

/** What every operation of stacks works with. */
export interface StackEnvironment {
  context: PlatformContext;
  store: StackStore;
  engine: StackEngine;
  log: StackLog;
  handlers: HandlerRegistry;
}

export interface DefinitionInput extends TemplateSource {
  UsePreviousTemplate?: boolean | undefined;
  Parameters?: ParameterInput[] | undefined;
  Tags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined;
  Capabilities?: string[] | undefined;
  NotificationARNs?: string[] | undefined;
  RoleARN?: string | undefined;
  RollbackConfiguration?:
    | { RollbackTriggers?: unknown[] | undefined; MonitoringTimeInMinutes?: number | undefined }
    | undefined;
  ResourceTypes?: string[] | undefined;
  StackPolicyBody?: string | undefined;
  StackPolicyURL?: string | undefined;
  StackPolicyDuringUpdateBody?: string | undefined;
  StackPolicyDuringUpdateURL?: string | undefined;
}

/** Refuses by name what CreateStack, UpdateStack and CreateChangeSet know and this platform does not do. */
function refuseUnsupported(input: DefinitionInput): void {
  if ((input.RollbackConfiguration?.RollbackTriggers?.length ?? 0) > 0) {
    throw new NotImplementedError('RollbackConfiguration with rollback triggers');
  }
  for (const name of [
    'StackPolicyBody',
    'StackPolicyURL',
    'StackPolicyDuringUpdateBody',
    'StackPolicyDuringUpdateURL',
  ] as const) {
    if (input[name] !== undefined) throw new NotImplementedError(`stack policies (${name})`);
  }
  if ((input.ResourceTypes?.length ?? 0) > 0) throw new NotImplementedError('ResourceTypes of a stack operation');
  if ((input.NotificationARNs?.length ?? 0) > 0) throw new NotImplementedError('NotificationARNs of a stack operation');
}

/** Reads what a request wants a stack to be; what an update leaves out stays as it is. */
export async function readDefinition(
  { context, store }: Pick<StackEnvironment, 'context' | 'store'>,
  input: DefinitionInput,
  call: Call,
  current: Stack | undefined,
  rights: Rights,
): Promise<StackDefinition> {
  refuseUnsupported(input);
  const text = await templateText(context, input, call, (body) => store.distributedBodies.has(body));
  if (input.UsePreviousTemplate === true && text !== undefined) {
    throw validationError('You cannot specify both usePreviousTemplate and Template Body/Template URL.');
  }
  if (input.UsePreviousTemplate === true && current === undefined) {
    throw validationError('UsePreviousTemplate cannot be true for a stack that does not exist yet.');
  }
  if (text === undefined && input.UsePreviousTemplate !== true) {
    throw validationError('Either Template URL or Template Body must be specified.');
  }
  const template = text === undefined ? current!.definition.template : readTemplate(text);
  checkCapabilities(template, input.Capabilities);
  const parameters = await resolveParameters(template, input.Parameters ?? [], current?.definition.parameters, (name) =>
    readSsmParameter(rights.clients, name),
  );
  return {
    template,
    parameters,
    tags: input.Tags === undefined && current !== undefined ? current.definition.tags : readTags(input.Tags),
    capabilities: input.Capabilities ?? [],
    notificationArns: [],
  };
}

/** Rights of an operation, with the role of the request, else the one that the stack already has. */
export function rightsFor(
  environment: Pick<StackEnvironment, 'context'>,
  call: Call,
  stack: { id: string; roleArn?: string },
  roleArn: string | undefined,
): Rights {
  requireRoleArn(roleArn);
  return operationRights(environment.context, {
    principal: call.principal,
    roleArn: roleArn ?? stack.roleArn,
    region: call.region,
    stackId: stack.id,
    account: call.account,
  });
}

/**
 * Remembers client request tokens. True when the very request was made before, so that nothing is to be done;
 * TokenAlreadyExistsException when the token was used for something else.
 */
export function seenBefore(stack: Stack, token: string | undefined, request: unknown): boolean {
  if (token === undefined) return false;
  const fingerprint = digest(request);
  const known = stack.usedTokens.get(token);
  if (known === undefined) {
    stack.usedTokens.set(token, fingerprint);
    return false;
  }
  if (known !== fingerprint) {
    throw new AwsError('TokenAlreadyExistsException', `A client request token already exists for ${token}`);
  }
  return true;
}
