/** Describes an error in the text of a file as `file.sql:12: message`. */
export function describeSqlError(file: string, text: string, error: Error): string {
  // The position is a 1-based count of characters.
  const line = "position" in error ? `:${text.slice(0, Number(error.position)).split("\n").length}` : "";
  return `${file}${line}: ${error.message}`;
}
