/** Whether the database can store a caller's name for something (an idempotency key, a resource): 1 to 255 characters. */
export const isName = (name: string): boolean =>
  name.length >= 1 && name.length <= 255 && name.isWellFormed() && !name.includes("\0");
