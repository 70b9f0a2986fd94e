import type { InvokeEndpointInput } from '@aws-sdk/client-sagemaker-runtime';
import type { PlatformContext } from '../../../core/context.ts';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { definedOnly, operation, permission, scopeOf } from '../operation.ts';
import { reasonOf } from '../problems.ts';
import { sagemakerArn } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import { createCapture } from './capture.ts';
import { lookUpEndpoint } from './endpoints.ts';
import type { EndpointRecord, Fleet, FleetVariant, Hostings } from './store.ts';

const timeoutMilliseconds = 60_000;
const attributesHeader = 'X-Amzn-SageMaker-Custom-Attributes';

function runtimeValidation(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

/** By weight, as the service spreads requests; `dice` is a number from 0 to 1. */
export function chooseVariant(fleet: Fleet, dice: number): FleetVariant | undefined {
  const total = fleet.variants.reduce((sum, variant) => sum + variant.weight, 0);
  let left = dice * total;
  for (const variant of fleet.variants) {
    left -= variant.weight;
    if (left < 0) return variant;
  }
  return fleet.variants.find((variant) => variant.weight > 0);
}

interface Chosen {
  endpoint: EndpointRecord;
  fleet: Fleet;
  chosen: FleetVariant;
}

function fleetFor(endpoint: EndpointRecord): Fleet | undefined {
  const { pending } = endpoint;
  if (pending?.fleet !== undefined && Math.random() < pending.share) return pending.fleet;
  return endpoint.fleet;
}

export function runtimeOperations(
  context: PlatformContext,
  tags: TagStore,
  hostings: Hostings,
): Record<string, Operation> {
  const capture = createCapture(context);

  function refuseUnsupported(input: InvokeEndpointInput): void {
    const members = [
      'TargetModel',
      'TargetContainerHostname',
      'InferenceComponentName',
      'EnableExplanations',
      'SessionId',
    ] as const;
    const found = members.filter((member) => input[member] !== undefined);
    if (found.length > 0) throw new NotImplementedError(`${found.join(', ')} of InvokeEndpoint`);
  }

  function choose(input: InvokeEndpointInput, call: Call): Chosen {
    const name = input.EndpointName ?? '';
    const endpoint = lookUpEndpoint(hostings, scopeOf(call), name);
    if (endpoint === undefined || endpoint.status === 'Deleting') {
      throw runtimeValidation(`Endpoint ${name} of account ${call.account} not found.`);
    }
    if (endpoint.status === 'Failed') {
      throw runtimeValidation(
        `Endpoint ${name} of account ${call.account} is in status Failed: ${endpoint.failureReason}`,
      );
    }
    const fleet = fleetFor(endpoint);
    if (fleet === undefined) {
      throw new AwsError('ModelNotReadyException', `Endpoint ${name} is still in status ${endpoint.status}.`, 429);
    }
    const chosen =
      input.TargetVariant === undefined
        ? chooseVariant(fleet, Math.random())
        : fleet.variants.find((each) => each.variant.VariantName === input.TargetVariant);
    if (chosen === undefined) {
      throw runtimeValidation(`Variant ${input.TargetVariant ?? ''} of endpoint ${name} was not found.`);
    }
    return { endpoint, fleet, chosen };
  }

  function modelError(
    input: InvokeEndpointInput,
    call: Call,
    variant: string,
    status: number,
    message: string,
  ): AwsError {
    const name = input.EndpointName ?? '';
    const kind = status >= 500 ? 'server' : 'client';
    return new AwsError(
      'ModelError',
      `Received ${kind} error (${status}) from primary with message "${message}". See the log group /aws/sagemaker/Endpoints/${name} in account ${call.account} for more information.`,
      424,
      {
        OriginalStatusCode: status,
        OriginalMessage: message,
        LogStreamArn: `arn:${call.partition}:logs:${call.region}:${call.account}:log-group:/aws/sagemaker/Endpoints/${name}:log-stream:${variant}`,
      },
    );
  }

  return {
    InvokeEndpoint: operation<InvokeEndpointInput, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(
          tags,
          'InvokeEndpoint',
          sagemakerArn(scopeOf(call), `endpoint/${input.EndpointName}`),
          definedOnly({ 'sagemaker:TargetModel': input.TargetModel }),
        ),
      ],
      async handle(input, call) {
        refuseUnsupported(input);
        const body = Buffer.from(input.Body ?? new Uint8Array());
        const { endpoint, fleet, chosen } = choose(input, call);
        const { server, variant } = chosen;
        const variantName = variant.VariantName ?? '';
        let response: Response;
        let answer: Uint8Array;
        try {
          response = await fetch(`${server.url}/invocations`, {
            method: 'POST',
            body,
            headers: {
              ...(input.ContentType === undefined ? {} : { 'Content-Type': input.ContentType }),
              ...(input.Accept === undefined ? {} : { Accept: input.Accept }),
              ...(input.CustomAttributes === undefined ? {} : { [attributesHeader]: input.CustomAttributes }),
              ...(input.InferenceId === undefined ? {} : { 'X-Amzn-SageMaker-Inference-Id': input.InferenceId }),
            },
            signal: AbortSignal.timeout(timeoutMilliseconds),
          });
          answer = new Uint8Array(await response.arrayBuffer());
        } catch (error) {
          throw modelError(input, call, variantName, 500, `The container did not answer: ${reasonOf(error)}`);
        }
        if (!response.ok) {
          throw modelError(input, call, variantName, response.status, Buffer.from(answer).toString('utf8'));
        }
        const attributes = response.headers.get(attributesHeader);
        const contentType = response.headers.get('content-type') ?? undefined;
        capture({
          endpoint,
          config: fleet.config,
          variant: chosen,
          inferenceId: input.InferenceId,
          input: { contentType: input.ContentType, body },
          output: { contentType, body: answer },
        });
        return {
          Body: answer,
          ContentType: contentType,
          InvokedProductionVariant: variantName,
          ...(attributes === null ? {} : { CustomAttributes: attributes }),
        };
      },
    }),
  };
}
