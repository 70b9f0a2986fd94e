import type { AddTagsInput, DeleteTagsInput, ListTagsInput, Tag } from '@aws-sdk/client-sagemaker';
import type { Operation } from '../../core/service.ts';
import { listPage } from './listing.ts';
import { operation, permission, requestTags } from './operation.ts';
import type { TagStore } from './tag-store.ts';

const pageSize = 50;

/** AddTags, ListTags and DeleteTags on every resource of this service. */
export function tagOperations(tags: TagStore): Record<string, Operation> {
  return {
    AddTags: operation<AddTagsInput, unknown>({
      mutating: true,
      authorize: (input) => [{ ...permission(tags, 'AddTags', input.ResourceArn ?? ''), ...requestTags(input.Tags) }],
      handle: (input) => ({ Tags: tags.add(input.ResourceArn ?? '', input.Tags ?? []) }),
    }),
    ListTags: operation<ListTagsInput, unknown>({
      mutating: false,
      authorize: (input) => [permission(tags, 'ListTags', input.ResourceArn ?? '')],
      handle(input) {
        const { items, NextToken } = listPage(tags.list(input.ResourceArn ?? ''), input, {
          sortBy: (tag: Tag) => tag.Key ?? '',
          id: (tag) => tag.Key ?? '',
          defaultOrder: 'Ascending',
          defaultSize: pageSize,
        });
        return { Tags: items, NextToken };
      },
    }),
    DeleteTags: operation<DeleteTagsInput, unknown>({
      mutating: true,
      authorize: (input) => [
        {
          ...permission(tags, 'DeleteTags', input.ResourceArn ?? '', { 'aws:TagKeys': input.TagKeys ?? [] }),
        },
      ],
      handle(input) {
        tags.drop(input.ResourceArn ?? '', input.TagKeys ?? []);
        return {};
      },
    }),
  };
}
