import type { AuthorizationRequest, Call } from '../core/service.ts';
import type { FrontRequest, FrontResponse } from './message.ts';

/** What a request to S3 means, before anything is looked up. */
export interface RecognisedRequest {
  operation: string;
  mutating: boolean;
  /** For the match of faults and for the request hash: Bucket, Key, ... */
  fields: Record<string, string>;
}

/** A service whose bodies are streams and whose requests are not decoded by a schema: S3. */
export interface HttpService<Recognised extends RecognisedRequest = RecognisedRequest> {
  id: 's3';
  /** Throws NotImplementedError for what is not served. */
  recognise(request: FrontRequest): Recognised;
  authorize(recognised: Recognised, request: FrontRequest, call: Call): Promise<AuthorizationRequest[]>;
  handle(recognised: Recognised, request: FrontRequest, call: Call, tools: HttpCallTools): Promise<FrontResponse>;
}

export interface HttpCallTools {
  /** How the signature covers the body. */
  payload: PayloadSignature;
  /** Permissions that show only on the way (the key of what is read, each key of a delete). Logs them; throws AccessDenied. */
  permit(requests: AuthorizationRequest[]): void;
}

export interface PayloadSignature {
  /** The value of x-amz-content-sha256, or UNSIGNED-PAYLOAD for a presigned address. */
  declared: string;
  /** For chunk signatures; undefined for an anonymous request. */
  seed: { signature: string; key: Uint8Array; timestamp: string; scope: string } | undefined;
}
