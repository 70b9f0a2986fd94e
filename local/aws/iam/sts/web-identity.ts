import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import type { Clock } from '../../core/clock.ts';
import { AwsError } from '../../core/errors.ts';
import type { OidcProvider } from '../store.ts';

/** Keys of issuers, as the world's issuers publish them: IAM fetches `<issuer>/.well-known/jwks`, nothing here leaves the machine. */
export class OidcKeys {
  readonly #keys = new Map<string, JSONWebKeySet>();

  set(issuerUrl: string, jwks: JSONWebKeySet): void {
    this.#keys.set(issuerUrl, jwks);
  }

  get(issuerUrl: string): JSONWebKeySet | undefined {
    return this.#keys.get(issuerUrl);
  }
}

const invalid = (message: string) => new AwsError('InvalidIdentityToken', message, 400);

export interface VerifiedToken {
  claims: JWTPayload & { iss: string; sub: string };
  audience: string;
}

/** Reads a token without trusting it: only to find the provider of its issuer. Throws InvalidIdentityToken. */
export function issuerOf(token: string): string {
  let claims: JWTPayload;
  try {
    decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
  }
  if (typeof claims.iss !== 'string') throw invalid('Missing a required claim: iss');
  if (typeof claims.sub !== 'string') throw invalid('Missing a required claim: sub');
  if (claims.aud === undefined) throw invalid('Missing a required claim: aud');
  if (typeof claims.exp !== 'number') throw invalid('Missing a required claim: exp');
  if (typeof claims.iat !== 'number') throw invalid('Missing a required claim: iat');
  return claims.iss;
}

/**
 * Checks a token as STS does: a provider for its issuer in the role's account, its audience in the provider's list, a
 * signature by one of the issuer's keys, and its lifetime, by the platform's clock.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function verifyToken(
  token: string,
  provider: OidcProvider | undefined,
  keys: OidcKeys,
  clock: Clock,
): Promise<VerifiedToken> {
  const issuer = issuerOf(token);
  if (provider === undefined) {
    throw invalid(`No OpenIDConnect provider found in your account for ${issuer}`);
  }
  const claims = decodeJwt(token);
  const audiences = [claims.aud ?? []].flat();
  const audience = audiences.find((candidate) => provider.clientIds.has(candidate));
  if (audience === undefined) throw invalid('Incorrect token audience');
  const jwks = keys.get(issuer);
  if (jwks === undefined) {
    throw new AwsError('IDPCommunicationError', `Could not get the keys of the identity provider ${issuer}`, 400);
  }
  try {
    await jwtVerify(token, createLocalJWKSet(jwks), {
      algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
      currentDate: clock.now(),
      issuer,
    });
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === 'ERR_JWT_EXPIRED') {
      throw new AwsError('ExpiredTokenException', 'Token must be expired in the future', 400);
    }
    if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') throw invalid('The ID Token is not valid yet');
    throw invalid(
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  return { claims: claims as VerifiedToken['claims'], audience };
}

/** Claims that AWS lets a trust policy test for any provider. */
const commonClaims = ['sub', 'amr', 'oaud'];

/**
 * Further claims by issuer. For GitHub the list since January 2026; other claims of GitHub's tokens are not condition
 * keys and stay absent here, as they do on AWS.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
const claimsByIssuer: Record<string, string[]> = {
  'token.actions.githubusercontent.com': [
    'actor',
    'actor_id',
    'environment',
    'enterprise_id',
    'job_workflow_ref',
    'ref',
    'repository',
    'repository_id',
    'workflow',
  ],
};

/** Condition keys `<provider>:<claim>` of a verified token. */
export function claimKeys(
  provider: OidcProvider,
  { claims, audience }: VerifiedToken,
): Record<string, string | string[]> {
  const keys: Record<string, string | string[]> = {};
  const azp = typeof claims.azp === 'string' ? claims.azp : undefined;
  // AWS fills :aud from azp when a token has one, and the token's own audience is :oaud then.
  keys[`${provider.url}:aud`] = azp ?? audience;
  if (azp !== undefined) keys[`${provider.url}:oaud`] = audience;
  for (const name of [...commonClaims, ...(claimsByIssuer[provider.url] ?? [])]) {
    const value = claims[name];
    if (Array.isArray(value)) keys[`${provider.url}:${name}`] = value.map(String);
    else if (typeof value === 'string' || typeof value === 'number') keys[`${provider.url}:${name}`] = String(value);
  }
  return keys;
}
