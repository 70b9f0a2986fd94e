import { AwsError } from '../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation } from '../../core/service.ts';
import type { OidcProvider } from '../store.ts';
import {
  accountOf,
  addTags,
  type IamState,
  invalidInput,
  limitExceeded,
  noSuchEntity,
  page,
  removeTags,
  type Tag,
  tagList,
  tagOnCreate,
  tagsOf,
  validationError,
} from './common.ts';

interface OnProvider {
  OpenIDConnectProviderArn: string;
}

/**
 * The URL as IAM keeps it: without https:// and closing slash. It must be https, without port, query, fragment or user.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 */
export function providerUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw validationError('Invalid Open ID Connect Provider URL');
  }
  const plain = url.port === '' && url.search === '' && url.hash === '' && url.username === '' && text.length <= 255;
  if (url.protocol !== 'https:' || !plain) throw validationError('Invalid Open ID Connect Provider URL');
  return text.replace(/^https:\/\//i, '').replace(/\/$/, '');
}

function checkClientIds(ids: readonly string[]): void {
  for (const id of ids) {
    if (id.length < 1 || id.length > 255) throw validationError('Client ids must have 1 to 255 characters.');
  }
  if (new Set(ids).size > 100) throw limitExceeded('Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100');
}

function checkThumbprints(thumbprints: readonly string[]): void {
  if (thumbprints.length > 5) throw invalidInput('Thumbprint list must contain fewer than 5 entries.');
  for (const thumbprint of thumbprints) {
    if (!/^[0-9a-fA-F]{40}$/.test(thumbprint))
      throw validationError('Invalid thumbprint: it must be a 40-character hex-encoded SHA-1 hash.');
  }
}

/** OpenID Connect providers: one per URL and account; thumbprints are kept but, as for GitHub on AWS, not used. */
export function oidcProviderOperations(state: IamState): Record<string, Operation> {
  const byArn = (call: Call, arn: string) =>
    [...accountOf(state, call).providers.values()].find((provider) => provider.arn === arn);
  const find = (call: Call, arn: string): OidcProvider => {
    const provider = byArn(call, arn);
    if (provider === undefined) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
    return provider;
  };
  const on =
    (operation: string) =>
    ({ OpenIDConnectProviderArn: arn }: OnProvider, call: Call): AuthorizationRequest[] => {
      const provider = byArn(call, arn);
      return [
        {
          action: `iam:${operation}`,
          resources: [arn],
          ...(provider === undefined ? {} : { resourceTags: Object.fromEntries(provider.tags) }),
        },
      ];
    };
  const arnOf = (call: Call, url: string) =>
    `arn:${call.partition}:iam::${call.account}:oidc-provider/${url.replace(/^https:\/\//i, '').replace(/\/$/, '')}`;

  return {
    CreateOpenIDConnectProvider: {
      mutating: true,
      authorize: (input: { Url: string; Tags?: Tag[] }, call) => [
        {
          action: 'iam:CreateOpenIDConnectProvider',
          resources: [arnOf(call, input.Url)],
          ...(input.Tags === undefined ? {} : { requestTags: tagsOf(input.Tags) }),
        },
        ...tagOnCreate('iam:TagOpenIDConnectProvider', arnOf(call, input.Url), input.Tags),
      ],
      handle(input: { Url: string; ClientIDList?: string[]; ThumbprintList?: string[]; Tags?: Tag[] }, call) {
        const account = accountOf(state, call);
        const url = providerUrl(input.Url);
        if (account.providers.has(url.toLowerCase())) {
          throw new AwsError('EntityAlreadyExists', `Provider with url ${input.Url} already exists.`, 409);
        }
        const clientIds = input.ClientIDList ?? [];
        checkClientIds(clientIds);
        checkThumbprints(input.ThumbprintList ?? []);
        if (account.providers.size >= 100)
          throw limitExceeded('Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100');
        const tags = new Map<string, string>();
        addTags(tags, input.Tags ?? []);
        const provider: OidcProvider = {
          arn: arnOf(call, url),
          url,
          clientIds: new Set(clientIds),
          thumbprints: input.ThumbprintList ?? [],
          createDate: state.now(),
          tags,
        };
        account.providers.set(url.toLowerCase(), provider);
        return { OpenIDConnectProviderArn: provider.arn, ...(tags.size > 0 ? { Tags: tagList(tags) } : {}) };
      },
    },
    GetOpenIDConnectProvider: {
      mutating: false,
      authorize: on('GetOpenIDConnectProvider'),
      handle(input: OnProvider, call) {
        const provider = find(call, input.OpenIDConnectProviderArn);
        return {
          Url: provider.url,
          ClientIDList: [...provider.clientIds],
          ThumbprintList: provider.thumbprints,
          CreateDate: provider.createDate,
          ...(provider.tags.size > 0 ? { Tags: tagList(provider.tags) } : {}),
        };
      },
    },
    DeleteOpenIDConnectProvider: {
      mutating: true,
      authorize: on('DeleteOpenIDConnectProvider'),
      handle(input: OnProvider, call) {
        // Deleting what is not there succeeds.
        const provider = byArn(call, input.OpenIDConnectProviderArn);
        if (provider !== undefined) accountOf(state, call).providers.delete(provider.url.toLowerCase());
        return {};
      },
    },
    ListOpenIDConnectProviders: {
      mutating: false,
      authorize: () => [{ action: 'iam:ListOpenIDConnectProviders', resources: ['*'] }],
      handle: (_input, call) => ({
        OpenIDConnectProviderList: [...accountOf(state, call).providers.values()].map(({ arn }) => ({ Arn: arn })),
      }),
    },
    AddClientIDToOpenIDConnectProvider: {
      mutating: true,
      authorize: on('AddClientIDToOpenIDConnectProvider'),
      handle(input: OnProvider & { ClientID: string }, call) {
        const provider = find(call, input.OpenIDConnectProviderArn);
        checkClientIds([...provider.clientIds, input.ClientID]);
        provider.clientIds.add(input.ClientID);
        return {};
      },
    },
    RemoveClientIDFromOpenIDConnectProvider: {
      mutating: true,
      authorize: on('RemoveClientIDFromOpenIDConnectProvider'),
      handle(input: OnProvider & { ClientID: string }, call) {
        find(call, input.OpenIDConnectProviderArn).clientIds.delete(input.ClientID);
        return {};
      },
    },
    UpdateOpenIDConnectProviderThumbprint: {
      mutating: true,
      authorize: on('UpdateOpenIDConnectProviderThumbprint'),
      handle(input: OnProvider & { ThumbprintList: string[] }, call) {
        const provider = find(call, input.OpenIDConnectProviderArn);
        checkThumbprints(input.ThumbprintList);
        provider.thumbprints = input.ThumbprintList;
        return {};
      },
    },
    TagOpenIDConnectProvider: {
      mutating: true,
      authorize: (input: OnProvider & { Tags: Tag[] }, call) =>
        on('TagOpenIDConnectProvider')(input, call).map((request) => ({ ...request, requestTags: tagsOf(input.Tags) })),
      handle(input: OnProvider & { Tags: Tag[] }, call) {
        addTags(find(call, input.OpenIDConnectProviderArn).tags, input.Tags);
        return {};
      },
    },
    UntagOpenIDConnectProvider: {
      mutating: true,
      authorize: (input: OnProvider & { TagKeys: string[] }, call) =>
        on('UntagOpenIDConnectProvider')(input, call).map((request) => ({
          ...request,
          context: { 'aws:TagKeys': input.TagKeys },
        })),
      handle(input: OnProvider & { TagKeys: string[] }, call) {
        removeTags(find(call, input.OpenIDConnectProviderArn).tags, input.TagKeys);
        return {};
      },
    },
    ListOpenIDConnectProviderTags: {
      mutating: false,
      authorize: on('ListOpenIDConnectProviderTags'),
      handle(input: OnProvider & { Marker?: string; MaxItems?: number }, call) {
        const { items, ...rest } = page(tagList(find(call, input.OpenIDConnectProviderArn).tags), input);
        return { Tags: items, ...rest };
      },
    },
  };
}
