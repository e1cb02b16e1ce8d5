/** Waits, but no longer than until the person turns to this page again or the connection is back. */
export function waitOrReturn(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const waiting = new AbortController();
    const end = () => {
      clearTimeout(timer);
      waiting.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    for (const event of ["visibilitychange", "focus", "online"]) addEventListener(event, end, waiting);
  });
}
