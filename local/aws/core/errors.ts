/**
 * An error that AWS itself would answer. The wire layer turns it into the protocol's own form.
 *
 * `code` is the code a client sees (`ValidationException`, `EntityAlreadyExists`, ...), `status` the HTTP status;
 * `fields` are further members of the modelled error structure.
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Further headers of the answer, e.g. where a bucket really is. */
  readonly headers: Readonly<Record<string, string>> = {};

  constructor(code: string, message: string, status = 400, fields: Record<string, unknown> = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** What the platform does not support is refused by name, never silently accepted. Clients do not retry a 501. */
export class NotImplementedError extends AwsError {
  constructor(what: string) {
    super('NotImplemented', `The local platform does not support ${what}.`, 501);
    this.name = 'NotImplementedError';
  }
}
