import type { ConcurrencyGroups } from './run/concurrency.ts';
import type { Environments } from './run/environments.ts';
import type { PullRecord, Repository } from './types.ts';

export interface IssueRecord {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  labels: string[];
  author: string;
  comments: { id: number; body: string; user: Record<string, unknown>; created_at: string; updated_at: string }[];
  createdAt: string;
  updatedAt: string;
}

/** What one repository brings into its runs. */
export interface RepositoryState {
  repository: Repository;
  variables: Record<string, string>;
  environments: Environments;
  concurrency: ConcurrencyGroups;
  immutableSubject: boolean;
  /** Number of the last run of each workflow file. */
  runNumbers: Map<string, number>;
  issues: IssueRecord[];
  pulls: PullRecord[];
}

/** Issues and pull requests of a repository share one sequence of numbers. */
export function nextNumber({ issues, pulls }: RepositoryState): number {
  return issues.length + pulls.length + 1;
}
