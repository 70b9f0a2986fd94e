import { parseArn } from '../../core/arn.ts';
import { AwsError } from '../../core/errors.ts';
import type { Operation } from '../../core/service.ts';
import { checkText, lifetimeOf, principalOf, sessionNamePattern } from './role-session.ts';
import { packedSize, sessionPolicyOf } from './session-policy.ts';
import type { StsState } from './state.ts';
import { trustsToken } from './trust.ts';
import { issuerOf, verifyToken } from './web-identity.ts';

export interface WebIdentityInput {
  RoleArn: string;
  RoleSessionName: string;
  WebIdentityToken: string;
  ProviderId?: string;
  PolicyArns?: { arn?: string }[];
  Policy?: string;
  DurationSeconds?: number;
}

/** Claims by which a token would set session tags or a source identity; GitHub's tokens have none. */
const sessionClaims = ['https://aws.amazon.com/tags', 'https://aws.amazon.com/source_identity'];

/**
 * AssumeRoleWithWebIdentity: unsigned, decided by token and trust policy alone. Order: members, token, provider and
 * audience, signature, lifetime, trust, duration.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function assumeRoleWithWebIdentity(state: StsState): Operation<WebIdentityInput> {
  return {
    mutating: false,
    authorize: () => [],
    async handle(input, call) {
      const arn = parseArn(input.RoleArn);
      if (arn === undefined || arn.service !== 'iam' || !arn.resource.startsWith('role/')) {
        throw new AwsError('ValidationError', 'Request ARN is invalid');
      }
      checkText('roleSessionName', input.RoleSessionName, sessionNamePattern, 2, 64);
      checkText('webIdentityToken', input.WebIdentityToken, /^.*$/s, 4, 20_000);
      state.refuse('AssumeRoleWithWebIdentity', 'ProviderId', input.ProviderId);

      const issuer = issuerOf(input.WebIdentityToken);
      const provider = state.store.provider(arn.account, issuer.replace(/^https:\/\//, ''));
      const token = await verifyToken(input.WebIdentityToken, provider, state.keys, state.clock);
      for (const claim of sessionClaims) {
        state.refuse('AssumeRoleWithWebIdentity', `the claim ${claim} in the token`, token.claims[claim]);
      }

      const role = state.store.roleByArn(input.RoleArn);
      const sessionName = input.RoleSessionName;
      if (role === undefined || !trustsToken(state.store, role, provider!, token, { sessionName, call })) {
        throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403);
      }
      const lifetime = lifetimeOf(input.DurationSeconds, role, false);
      const sessionPolicy = sessionPolicyOf(state.store, role.account, input);
      const session = state.sessions.issue(
        principalOf(role, sessionName, {
          ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
          federatedProvider: provider!.arn,
        }),
        lifetime,
      );
      role.lastUsed = { at: call.at, region: call.region };
      return {
        Credentials: state.answer(session),
        SubjectFromWebIdentityToken: token.claims.sub,
        AssumedRoleUser: { AssumedRoleId: session.principal.userId, Arn: session.principal.arn },
        Provider: provider!.arn,
        Audience: token.audience,
        ...(input.Policy === undefined ? {} : { PackedPolicySize: packedSize(input.Policy.length) }),
      };
    },
  };
}
