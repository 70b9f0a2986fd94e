/** A job that ends Failed; the message is the FailureReason that Describe*Job shows. */
export class JobFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JobFailure';
  }
}

/** The API shows this many characters of what a container wrote about its failure. */
const shownCharacters = 1024;

/** FailureReason for a program that ended with a code other than 0. `told` is what it wrote to /opt/ml/output/failure or message. */
export function programFailure(told: string | undefined, code: number): JobFailure {
  const text = told?.trim() ? told.trim().slice(0, shownCharacters) : 'See job logs for more information';
  return new JobFailure(`AlgorithmError: ${text}, exit code: ${code}`);
}
