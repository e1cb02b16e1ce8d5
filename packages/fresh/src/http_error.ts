/**
 * An error that carries an HTTP status. Thrown from a middleware, handler or page, it reaches the nearest error
 * page, or becomes a plain-text answer with this status when there is none.
 */
export class HttpError extends Error {
  /** HTTP status code of the answer. */
  readonly status: number;

  constructor(status: number, message = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "HttpError";
    this.status = status;
  }
}
