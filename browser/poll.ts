/** Delays between tries, in milliseconds: quick at first, since webhooks mostly arrive within a second or two. */
export const BACK_OFF_MS = [
  0,
  400,
  600,
  1_000,
  1_500,
  2_000,
  3_000,
  4_000,
  6_000,
  8_000,
  10_000,
  10_000,
  10_000,
];

/**
 * Tries until `isSettled`, waiting longer each time, and stops by itself after the last delay. Tells whether it came
 * to be settled.
 */
export async function pollUntilSettled(
  attempt: () => Promise<boolean>,
  delays: number[] = BACK_OFF_MS,
  wait: (ms: number) => Promise<void> = waitOrReturn,
): Promise<boolean> {
  for (const delay of delays) {
    await wait(delay);
    if (await attempt()) return true;
  }
  return false;
}

/** Waits, but no longer than until the person turns to this page again or the connection is back. */
function waitOrReturn(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const end = () => {
      clearTimeout(timer);
      listening.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const onVisible = () => document.visibilityState === "visible" && end();
    document.addEventListener("visibilitychange", onVisible, listening);
    for (const event of ["focus", "online"]) addEventListener(event, end, listening);
  });
}
