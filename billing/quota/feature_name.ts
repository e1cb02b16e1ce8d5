/** Whether a caller's name for something (an idempotency key, a resource) is one the database can keep. */
export const isName = (name: string): boolean =>
  name.length >= 1 && name.length <= 255 && name.isWellFormed() && !name.includes("\0");
