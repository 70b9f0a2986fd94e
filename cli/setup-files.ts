/** The two scripts with which a platform engineer sets a project up, once: the AWS side by accounts, the GitHub environments. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EnvironmentRequest,
  type PlannedStack,
  planEnvironment,
  projectKey,
  projectStackName,
} from './environment.ts';
import { defaultEnvironments } from './github-environments.ts';

/** Everything in these scripts comes from checked options; quoting keeps lists and patterns from the shell. */
const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function deployment({ name, template, parameters, shared }: PlannedStack, request: EnvironmentRequest): string {
  if (shared) return `  shared ${template}`;
  const prefix = projectStackName(request.project).slice(0, -'project'.length);
  const words = Object.entries(parameters)
    // What every stack of the project has, the script's function adds.
    .filter(([key]) => !key.startsWith('SageMakerProject'))
    .map(([key, value]) => (value === projectKey ? `${key}="$key"` : quoted(`${key}=${value}`)));
  return [`  deploy ${name.slice(prefix.length)} ${template}`, ...words].join(' \\\n    ');
}

/** setup/aws.sh: deploys what belongs into the account whose credentials it is run with. */
function awsScript(request: EnvironmentRequest, madeBy: string): string {
  const plan = planEnvironment(request);
  const admin = request.accounts.find(({ admin }) => admin === true)!.id;
  const accounts = [...new Set(plan.flat().map(({ account }) => account))];
  const { name, id } = request.project;
  const blocks = accounts.map((account) => {
    const lines = plan.flatMap((step, index) => [
      ...(index === 0 && account !== admin ? ['  key=$(known_key)'] : []),
      ...step.filter((stack) => stack.account === account).map((stack) => deployment(stack, request)),
      ...(index === 0 && account === admin ? [`  key=$(key_of_project)`, '  echo "$key" > key-arn'] : []),
    ]);
    return `${account})\n${lines.join('\n')}\n  ;;`;
  });
  return `#!/usr/bin/env bash
# Sets up the AWS side of the project ${request.project.name} (${request.project.id}). Run it with administrator credentials of each account in turn, the account
# with the registry (${admin}) first; it deploys only what belongs into the account it finds itself in:
#   AWS_PROFILE=... bash setup/aws.sh
# It can be run again at any time: stacks that are up to date stay as they are; those that the account shares between projects are only
# updated with UPDATE_SHARED=true. Commit the file key-arn that it writes: the other accounts need it. Made by ${madeBy}.
set -euo pipefail
cd "$(dirname "$0")"
project=${name}
id=${id}
region=${request.region}
export AWS_REGION=$region AWS_DEFAULT_REGION=$region

# status_of STACK: its status, nothing when there is no such stack; when that cannot be asked, the reason, and the script ends.
status_of() {
  local answer
  if answer=$(aws cloudformation describe-stacks --stack-name "$1" \\
    --query 'Stacks[0].StackStatus' --output text 2>&1); then
    echo "$answer"
  elif [[ $answer != *"does not exist"* ]]; then
    echo "$answer" >&2
    return 1
  fi
}

# update STACK TEMPLATE ...: creates it or brings it up to date, unless it is in a state that has to be looked at first.
update() {
  local status
  status=$(status_of "$1")
  case "$status" in
  "" | REVIEW_IN_PROGRESS | CREATE_COMPLETE | UPDATE_COMPLETE | UPDATE_ROLLBACK_COMPLETE | IMPORT_COMPLETE) ;;
  *_IN_PROGRESS)
    echo "The stack $1 is $status: wait for its end, then run this script again." >&2
    exit 1
    ;;
  UPDATE*)
    echo "The stack $1 is $status: see its events for the cause, then run this script again:" >&2
    echo "  aws cloudformation continue-update-rollback --region $region --stack-name $1" >&2
    exit 1
    ;;
  *)
    echo "The stack $1 is $status: see its events for the cause, delete it, then run this script again:" >&2
    echo "  aws cloudformation delete-stack --region $region --stack-name $1" >&2
    exit 1
    ;;
  esac
  echo "$1"
  aws cloudformation deploy --stack-name "$1" --template-file "templates/$2.yml" \\
    --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset "\${@:3}"
}

# deploy NAME TEMPLATE PARAMETER=VALUE ...: one of the project's own stacks. Its tags are those of everything in it; by them
# cleanup knows what it may remove.
deploy() {
  update "sagemaker-$project-$id-$1" "$2" --tags "sagemaker:project-name=$project" "sagemaker:project-id=$id" \\
    --parameter-overrides "SageMakerProjectName=$project" "SageMakerProjectId=$id" "\${@:3}"
}

# What a shared stack makes has one name in the account, so a stack of another region or somebody's own may have made it.
made_elsewhere() {
  case "$1" in
  oidc-provider)
    aws iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' --output text |
      grep -q token.actions.githubusercontent.com
    ;;
  removal-role) aws iam get-role --role-name sagemaker-mlops-removal > /dev/null 2>&1 ;;
  esac
}

# shared TEMPLATE: the account has one for all its projects, so what is there stays as it is.
shared() {
  local status
  status=$(status_of "sagemaker-mlops-$1")
  case "$status" in
  CREATE_COMPLETE | UPDATE_COMPLETE | UPDATE_ROLLBACK_COMPLETE)
    if [ "\${UPDATE_SHARED:-}" != true ]; then
      echo "sagemaker-mlops-$1 is there already"
      return
    fi
    ;;
  "")
    if made_elsewhere "$1"; then
      echo "sagemaker-mlops-$1 is not needed: the account has what it makes already"
      return
    fi
    ;;
  esac
  update "sagemaker-mlops-$1" "$1"
}

key_of_project() {
  aws cloudformation describe-stacks --stack-name "sagemaker-$project-$id-project" \\
    --query "Stacks[0].Outputs[?OutputKey=='KeyArn'].OutputValue" --output text
}

known_key() {
  cat key-arn 2> /dev/null || {
    echo "setup/key-arn is missing: run this script in the account ${admin} first; it writes the file." >&2
    return 1
  }
}

account=$(aws sts get-caller-identity --query Account --output text)
echo "Account $account, $region"
case "$account" in
${blocks.join('\n')}
*)
  echo "The account $account is none of this project: it has ${accounts.join(', ')}. Use the credentials of one of them." >&2
  exit 1
  ;;
esac
echo "Account $account is set up."
`;
}

/** setup/github.sh: the environments of the repository, for its default branch only, with reviewers where nothing may pass alone. */
function githubScript({ repository, project }: EnvironmentRequest, madeBy: string): string {
  const names = (isProtected: boolean) =>
    defaultEnvironments
      .filter(({ reviewers }) => (reviewers !== undefined) === isProtected)
      .map(({ name }) => name)
      .join(' ');
  return `#!/usr/bin/env bash
# Makes the GitHub environments of the project ${project.name}, limited to the branch ${repository.defaultBranch}: ${names(false)},
# and with required reviewers: ${names(true)}. Needs the GitHub CLI, logged in as an administrator of the repository:
#   bash setup/github.sh USER [ORGANISATION/TEAM ...]
# It can be run again, with other reviewers for instance; FOUR_EYES=true lets nobody approve a run of their own. Made by ${madeBy}.
set -euo pipefail
repository=${repository.owner}/${repository.name}
if [ $# -eq 0 ]; then
  echo "Who approves? Give at least one user, or a team as ORGANISATION/TEAM: bash setup/github.sh USER" >&2
  exit 2
fi

reviewers=
for name in "$@"; do
  case "$name" in
  */*) reviewer="{\\"type\\":\\"Team\\",\\"id\\":$(gh api "orgs/\${name%%/*}/teams/\${name#*/}" --jq .id)}" ;;
  *) reviewer="{\\"type\\":\\"User\\",\\"id\\":$(gh api "users/$name" --jq .id)}" ;;
  esac
  reviewers="\${reviewers:+$reviewers,}$reviewer"
done

# setting NAME JQ: what the environment has now; nothing when there is none yet.
setting() {
  gh api "repos/$repository/environments/$1" --jq "$2" 2> /dev/null || true
}

# environment NAME REVIEWERS: what somebody has set by hand besides (wait timer, self-review) stays.
environment() {
  local wait self others
  wait=$(setting "$1" '[.protection_rules[]? | select(.type == "wait_timer").wait_timer][0] // 0')
  self=$(setting "$1" '[.protection_rules[]? | select(.type == "required_reviewers").prevent_self_review][0] // false')
  if [ -n "$2" ] && [ "\${FOUR_EYES:-}" = true ]; then self=true; fi
  gh api --silent --method PUT "repos/$repository/environments/$1" --input - <<< \\
    "{\\"wait_timer\\":\${wait:-0},\\"prevent_self_review\\":\${self:-false},\\"reviewers\\":[$2],\\"deployment_branch_policy\\":{\\"protected_branches\\":false,\\"custom_branch_policies\\":true}}"
  others=$(gh api "repos/$repository/environments/$1/deployment-branch-policies" --jq '.branch_policies[].name')
  if ! grep -qx ${repository.defaultBranch} <<< "$others"; then
    gh api --silent --method POST "repos/$repository/environments/$1/deployment-branch-policies" -f name=${repository.defaultBranch}
  fi
  echo "environment $1\${2:+, with reviewers}"
  others=$(grep -vx -e ${repository.defaultBranch} -e '' <<< "$others" || true)
  if [ -n "$others" ]; then echo "  it also lets these branches in, remove them if that is not meant: \${others//$'\\n'/ }"; fi
}

for name in ${names(false)}; do environment "$name" ""; done
for name in ${names(true)}; do environment "$name" "$reviewers"; done
`;
}

/** What `init` writes beside the project's own files, by path: the scripts, and the templates they deploy, for the review of both. */
export async function setupFiles(
  product: string,
  request: EnvironmentRequest,
  madeBy: string,
): Promise<Map<string, string>> {
  const files = new Map([
    ['setup/aws.sh', awsScript(request, madeBy)],
    ['setup/github.sh', githubScript(request, madeBy)],
  ]);
  const templates = new Set(planEnvironment(request).flatMap((step) => step.map(({ template }) => template)));
  for (const name of [...templates].sort())
    files.set(`setup/templates/${name}.yml`, await readFile(join(product, 'templates', `${name}.yml`), 'utf8'));
  return files;
}
