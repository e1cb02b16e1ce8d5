const KEY = "dues.departed";

/** A checkout is open for a day, but nobody expects news of it after an hour. */
const REMEMBERED_FOR_MS = 3_600_000;

/**
 * Notes that the person leaves for Stripe, for the page that they come back to in this tab. Browsers keep such notes
 * for this plugin in this parent page alone, and some keep none: then only the parent's news tells.
 */
export function rememberDeparture(): void {
  try {
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch {
    // Storage is switched off for frames of another site.
  }
}

/** Whether the person left a while ago and is back now. Tells it once. */
export function takeDeparture(): boolean {
  try {
    const departedAt = Number(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    return Date.now() - departedAt < REMEMBERED_FOR_MS;
  } catch {
    return false;
  }
}
