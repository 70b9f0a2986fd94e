import { NotImplementedError } from '../../core/errors.ts';
import type { PolicyDocument } from '../../core/policy.ts';
import type { AuthorizationRequest, Call, Operation } from '../../core/service.ts';
import { accountOfArn, decide } from '../evaluator/decide.ts';
import { parsePolicy } from '../evaluator/document.ts';
import { RequestContext } from '../evaluator/request-context.ts';
import { policiesOfRole } from '../policies-of-role.ts';
import { type IamState, invalidInput, noSuchEntity, page } from './common.ts';

interface SimulateInput {
  PolicySourceArn: string;
  PolicyInputList?: string[];
  PermissionsBoundaryPolicyInputList?: string[];
  ActionNames: string[];
  ResourceArns?: string[];
  ResourcePolicy?: string;
  ResourceOwner?: string;
  CallerArn?: string;
  ContextEntries?: { ContextKeyName?: string; ContextKeyValues?: string[]; ContextKeyType?: string }[];
  ResourceHandlingOption?: string;
  Marker?: string;
  MaxItems?: number;
}

const decisions = { allow: 'allowed', 'implicit-deny': 'implicitDeny', 'explicit-deny': 'explicitDeny' } as const;

/** The keys that AWS's simulator needs to be told: everything that the role alone does not say. */
function simulatedContext(input: SimulateInput, roleArn: string, account: string): RequestContext {
  const context = new RequestContext();
  context.set('aws:PrincipalArn', roleArn);
  context.set('aws:PrincipalAccount', account);
  context.set('aws:PrincipalType', 'AssumedRole');
  for (const {
    ContextKeyName: key,
    ContextKeyValues: values = [],
    ContextKeyType: type = 'string',
  } of input.ContextEntries ?? []) {
    if (key !== undefined) context.set(key, type.endsWith('List') ? values : values[0]);
  }
  return context;
}

/** Condition keys that the role's policies test and the request does not give. */
function missingKeys(documents: PolicyDocument[], context: RequestContext): string[] {
  const keys = new Set<string>();
  for (const document of documents) {
    for (const statement of [document.Statement].flat()) {
      for (const block of Object.values(statement.Condition ?? {})) for (const key of Object.keys(block)) keys.add(key);
    }
  }
  return [...keys].filter((key) => context.get(key) === undefined).sort();
}

/** SimulatePrincipalPolicy, answered by the evaluator that judges real calls. */
export function simulateOperations(state: IamState): Record<string, Operation> {
  return {
    SimulatePrincipalPolicy: {
      mutating: false,
      authorize: ({ PolicySourceArn }: SimulateInput, _call: Call): AuthorizationRequest[] => [
        { action: 'iam:SimulatePrincipalPolicy', resources: [PolicySourceArn] },
      ],
      handle(input: SimulateInput, call) {
        const role = state.store.roleByArn(input.PolicySourceArn);
        if (role === undefined || role.account !== call.account) {
          if (!/:role\//.test(input.PolicySourceArn)) {
            throw new NotImplementedError('simulating the policies of anything but a role');
          }
          throw noSuchEntity(`The entity ${input.PolicySourceArn} cannot be found.`);
        }
        if (input.ResourceHandlingOption !== undefined) {
          throw new NotImplementedError('ResourceHandlingOption of iam:SimulatePrincipalPolicy');
        }
        if (input.CallerArn !== undefined && input.CallerArn !== role.arn) {
          throw new NotImplementedError('another CallerArn than the simulated role in iam:SimulatePrincipalPolicy');
        }
        const identity = policiesOfRole(state.store, role);
        for (const [index, text] of (input.PolicyInputList ?? []).entries()) {
          identity.policies.push({ name: `PolicyInputList.${index + 1}`, document: parsePolicy(text, 'identity') });
        }
        const [boundary, ...more] = input.PermissionsBoundaryPolicyInputList ?? [];
        if (more.length > 0) throw invalidInput('Only one permissions boundary can be simulated.');
        if (boundary !== undefined)
          identity.boundary = { name: 'boundary', document: parsePolicy(boundary, 'identity') };
        const resourcePolicy =
          input.ResourcePolicy === undefined ? undefined : parsePolicy(input.ResourcePolicy, 'resource');

        const context = simulatedContext(input, role.arn, role.account);
        const missing = missingKeys([...identity.policies.map(({ document }) => document)], context);
        const results = input.ActionNames.flatMap((action) => {
          if (!/^[a-z0-9-]+:[A-Za-z0-9*]+$/i.test(action)) throw invalidInput(`Invalid Action Name: ${action}`);
          return (input.ResourceArns ?? ['*']).map((resource) => {
            const { decision, grantedBy } = decide({
              action,
              resource,
              subject: { kind: 'role-session', account: role.account, roleArn: role.arn, roleId: role.id },
              callerAccount: role.account,
              resourceAccount: input.ResourceOwner?.split(':')[4] ?? accountOfArn(resource) ?? role.account,
              context,
              identity,
              ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
              resourcePolicyRequired: false,
              resourcePolicyName: 'resource-based policy',
            });
            return {
              EvalActionName: action,
              EvalResourceName: resource,
              EvalDecision: decisions[decision],
              MatchedStatements: grantedBy.map((label) => ({ SourcePolicyId: label })),
              MissingContextValues: missing,
            };
          });
        });
        const { items, ...rest } = page(results, input);
        return { EvaluationResults: items, ...rest };
      },
    },
  };
}
