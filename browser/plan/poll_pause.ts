/** Waits `ms`, or less if the person comes back to this page or the connection returns before that. */
export function pollPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const listeners = new AbortController();
    const end = () => {
      clearTimeout(timer);
      listeners.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    for (const event of ["visibilitychange", "focus", "online"]) addEventListener(event, end, listeners);
  });
}
