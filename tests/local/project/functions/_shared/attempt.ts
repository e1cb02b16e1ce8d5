/** What comes of trying something: its result, or the name of the error. */
export async function attempt(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
