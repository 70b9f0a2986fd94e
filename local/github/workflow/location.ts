/** Where something stands: the file as people name it (repository-relative path, with `OWNER/REPO/` and `@REF` when it is another repository's). */
export interface Location {
  file: string;
  line: number;
  column: number;
}

/** One reason why a workflow cannot run here. */
export interface Problem extends Location {
  message: string;
}

export function formatProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}

/** All problems of a workflow and of everything it calls, found before any job starts. */
export class WorkflowProblems extends Error {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'WorkflowProblems';
    this.problems = problems;
  }
}
