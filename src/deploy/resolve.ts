import type { ModelPackageSummary } from '@aws-sdk/client-sagemaker';
import type { Service } from '../aws/session.ts';
import { describePackage, listPackages, type ModelPackage } from '../registry/package.ts';
import { recordOf } from '../registry/record.ts';

export type Selection = 'exact' | 'newest-approved' | 'production';

function inProduction({ ModelLifeCycle: cycle }: ModelPackageSummary): boolean {
  return cycle?.Stage === 'Production' && cycle.StageStatus === 'Approved';
}

/** ARN of the newest package that runs in production; '' when there is none. */
export function productionArn(packages: readonly ModelPackageSummary[]): string {
  return packages.find(inProduction)?.ModelPackageArn ?? '';
}

/** The newest package that the gate approved; what was approved by hand carries no gate record and is passed over, as is what a stage went back from. */
export async function newestApproved(
  sagemaker: Service,
  packages: readonly ModelPackageSummary[],
): Promise<ModelPackage | undefined> {
  for (const { ModelPackageArn, ModelApprovalStatus, ModelPackageStatus, ModelLifeCycle } of packages) {
    if (ModelApprovalStatus !== 'Approved' || ModelPackageStatus !== 'Completed' || ModelPackageArn === undefined)
      continue;
    if (ModelLifeCycle?.StageStatus === 'RolledBack') continue;
    const found = await describePackage(sagemaker, ModelPackageArn);
    if (recordOf(found) !== undefined) return found;
  }
  return undefined;
}

export async function resolve(
  sagemaker: Service,
  request: { select: Selection; arn: string | undefined; group: string },
): Promise<{ found: ModelPackage | undefined; production: string }> {
  const packages = await listPackages(sagemaker, request.group);
  const production = productionArn(packages);
  switch (request.select) {
    case 'exact':
      return { found: await describePackage(sagemaker, request.arn ?? ''), production };
    case 'production':
      return { found: production === '' ? undefined : await describePackage(sagemaker, production), production };
    case 'newest-approved':
      return { found: await newestApproved(sagemaker, packages), production };
  }
}
