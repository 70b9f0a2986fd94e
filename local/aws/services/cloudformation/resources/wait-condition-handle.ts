import { randomUUID } from 'node:crypto';
import type { ResourceHandler } from './handler.ts';

/** A handle is only a URL to signal to; nothing can wait for it here, because WaitCondition is not supported. */
export const waitConditionHandle: ResourceHandler = {
  async create({ initiated, region, stackId, logicalId }) {
    const url = `https://cloudformation-waitcondition-${region}.s3.${region}.amazonaws.com/${encodeURIComponent(`${stackId}/${logicalId}/${randomUUID()}`)}`;
    const state = { physicalId: url, attributes: { Id: url } };
    initiated(state);
    return state;
  },
  async update({ physicalId, attributes }) {
    return { physicalId, attributes };
  },
  async delete() {},
};
