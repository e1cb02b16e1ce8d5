/** Does the work for each item, for at most `atOnce` at the same time. Rejects with the first error, when all have ended. */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const next = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, next));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
