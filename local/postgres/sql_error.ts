/** `file.sql:12: what is wrong`, for an error that the database raised over the text of a file. */
export function describeSqlError(file: string, text: string, error: Error): string {
  // PostgreSQL tells where in the text it stumbled, as a 1-based count of characters.
  const line = "position" in error ? `:${text.slice(0, Number(error.position)).split("\n").length}` : "";
  return `${file}${line}: ${error.message}`;
}
