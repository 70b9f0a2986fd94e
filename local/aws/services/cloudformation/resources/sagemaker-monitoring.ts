import {
  CreateDataQualityJobDefinitionCommand,
  type CreateDataQualityJobDefinitionCommandInput,
  CreateMonitoringScheduleCommand,
  DeleteDataQualityJobDefinitionCommand,
  DeleteMonitoringScheduleCommand,
  DescribeDataQualityJobDefinitionCommand,
  DescribeMonitoringScheduleCommand,
  type DescribeMonitoringScheduleResponse,
  UpdateMonitoringScheduleCommand,
} from '@aws-sdk/client-sagemaker';
import type { DeleteRequest, ResourceHandler } from './handler.ts';
import { NotStabilizedError } from './handler.ts';
import { shortGeneratedName } from './names.ts';
import { unlessMissing, updateTags } from './sagemaker.ts';

/** Names of job definitions (SageMaker API reference). */
const nameLength = 63;
/** Virtual time between two looks: soon at first, then every half minute. */
const pollMilliseconds = (look: number) => Math.min(30_000, 1_000 * 2 ** look);

type Waiting = Pick<DeleteRequest, 'clients' | 'clock' | 'signal'>;

const nameOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);

/** Looks again and again until `done`; resolves to the schedule, or to undefined when it is gone. */
async function until(
  { clients, clock, signal }: Waiting,
  MonitoringScheduleName: string,
  done: (schedule: DescribeMonitoringScheduleResponse) => boolean,
): Promise<DescribeMonitoringScheduleResponse | undefined> {
  for (let look = 0; ; look++) {
    const found = await unlessMissing(() =>
      clients.sagemaker.send(new DescribeMonitoringScheduleCommand({ MonitoringScheduleName })),
    );
    if (found === undefined || done(found)) return found;
    await clock.sleep(pollMilliseconds(look), signal);
  }
}

async function untilMade(request: Waiting, name: string): Promise<DescribeMonitoringScheduleResponse | undefined> {
  const made = await until(request, name, ({ MonitoringScheduleStatus: status }) => status !== 'Pending');
  if (made?.MonitoringScheduleStatus === 'Failed') {
    throw new NotStabilizedError(`Monitoring schedule ${name} is Failed: ${made.FailureReason ?? 'no reason given'}`);
  }
  return made;
}

export const monitoringSchedule: ResourceHandler = {
  nameProperty: 'MonitoringScheduleName',
  // What the service tells about a schedule, which the schema does not mark as read-only.
  unsupported: ['EndpointName', 'FailureReason', 'LastMonitoringExecutionSummary', 'MonitoringScheduleStatus'],
  async create(request) {
    const { properties, clients } = request;
    const MonitoringScheduleName: string = properties['MonitoringScheduleName'];
    const { MonitoringScheduleArn } = await clients.sagemaker.send(
      new CreateMonitoringScheduleCommand({
        MonitoringScheduleName,
        MonitoringScheduleConfig: properties['MonitoringScheduleConfig'],
        Tags: properties['Tags'],
      }),
    );
    const arn = MonitoringScheduleArn!;
    request.initiated({ physicalId: arn, attributes: { MonitoringScheduleArn: arn } });
    const made = await untilMade(request, MonitoringScheduleName);
    return {
      physicalId: arn,
      attributes: {
        MonitoringScheduleArn: arn,
        CreationTime: made?.CreationTime?.toISOString() ?? '',
        LastModifiedTime: made?.LastModifiedTime?.toISOString() ?? '',
      },
    };
  },
  async update(request) {
    const { properties, previous, clients, physicalId, attributes, changed } = request;
    const MonitoringScheduleName = nameOf(physicalId);
    if (changed.has('MonitoringScheduleConfig')) {
      await clients.sagemaker.send(
        new UpdateMonitoringScheduleCommand({
          MonitoringScheduleName,
          MonitoringScheduleConfig: properties['MonitoringScheduleConfig'],
        }),
      );
      await untilMade(request, MonitoringScheduleName);
    }
    await updateTags(clients.sagemaker, physicalId, previous['Tags'], properties['Tags']);
    return { physicalId, attributes };
  },
  // An execution that is under way holds the deletion: SageMaker refuses it, and CloudFormation is not known to wait
  // (unconfirmed).
  async delete(request) {
    const MonitoringScheduleName = nameOf(request.physicalId);
    await unlessMissing(() =>
      request.clients.sagemaker.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName })),
    );
    await until(request, MonitoringScheduleName, () => false);
  },
};

export const dataQualityJobDefinition: ResourceHandler = {
  nameProperty: 'JobDefinitionName',
  // The endpoint is named by the input; no documentation says what this one would do.
  unsupported: ['EndpointName'],
  async create({ properties, clients, initiated, logicalId }) {
    const JobDefinitionName: string = properties['JobDefinitionName'] ?? shortGeneratedName(logicalId, nameLength);
    const { JobDefinitionArn } = await clients.sagemaker.send(
      new CreateDataQualityJobDefinitionCommand({
        ...(properties as CreateDataQualityJobDefinitionCommandInput),
        JobDefinitionName,
      }),
    );
    const arn = JobDefinitionArn!;
    initiated({ physicalId: arn, attributes: { JobDefinitionArn: arn } });
    const made = await clients.sagemaker.send(new DescribeDataQualityJobDefinitionCommand({ JobDefinitionName }));
    return {
      physicalId: arn,
      attributes: { JobDefinitionArn: arn, CreationTime: made.CreationTime?.toISOString() ?? '' },
    };
  },
  /** Every property is replaced (AWS's schema); nothing is left to update. */
  async update({ physicalId, attributes }) {
    return { physicalId, attributes };
  },
  async delete({ clients, physicalId }) {
    const JobDefinitionName = nameOf(physicalId);
    await unlessMissing(() => clients.sagemaker.send(new DeleteDataQualityJobDefinitionCommand({ JobDefinitionName })));
  },
};
