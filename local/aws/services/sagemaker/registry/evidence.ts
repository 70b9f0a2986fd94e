import type { S3Client } from '@aws-sdk/client-s3';
import type { InferenceSpecification, ModelPackageContainerDefinition } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { type AccessCheck, checkReadable, objectETag } from '../artifacts.ts';

const modelData: AccessCheck = { what: 'model data', who: 'the caller' };
const metrics: AccessCheck = { what: 'the metrics of the model package', who: 'the caller' };

/** Fills in what SageMaker records about each container: the image's digest and the artefact's ETag. */
export async function pinContainers(
  context: Pick<PlatformContext, 'imageDigest'>,
  s3: S3Client,
  specification: InferenceSpecification,
): Promise<InferenceSpecification> {
  const containers: ModelPackageContainerDefinition[] = [];
  for (const container of specification.Containers ?? []) {
    const digest =
      container.ImageDigest ?? (container.Image === undefined ? undefined : context.imageDigest(container.Image));
    containers.push({
      ...container,
      ...(digest === undefined ? {} : { ImageDigest: digest }),
      ...(await pinModelData(s3, container)),
    });
  }
  return { ...specification, Containers: containers };
}

async function pinModelData(
  s3: S3Client,
  container: ModelPackageContainerDefinition,
): Promise<Partial<ModelPackageContainerDefinition>> {
  const source = container.ModelDataSource?.S3DataSource;
  if (source?.S3Uri !== undefined) {
    if (source.S3DataType === 'S3Prefix') {
      await checkReadable(s3, source.S3Uri, true, modelData);
      return {};
    }
    const ETag = await objectETag(s3, source.S3Uri, modelData);
    return { ModelDataSource: { S3DataSource: { ...source, ...(ETag === undefined ? {} : { ETag }) } } };
  }
  if (container.ModelDataUrl === undefined) return {};
  const ModelDataETag = await objectETag(s3, container.ModelDataUrl, modelData);
  return ModelDataETag === undefined ? {} : { ModelDataETag };
}

function s3UrisIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'S3Uri' && typeof item === 'string' ? [item] : s3UrisIn(item),
  );
}

/** Every metrics file that the package names must be there: a gate that finds none could not judge. */
export async function checkMetrics(s3: S3Client, ...documents: unknown[]): Promise<void> {
  for (const uri of new Set(documents.flatMap(s3UrisIn))) await objectETag(s3, uri, metrics);
}
