const KEY = "dues.redirectedAt";

/** A checkout session stays open for a day, but after an hour a returning person has most likely given up on it. */
const REMEMBERED_FOR_MS = 3_600_000;

/**
 * Remembers in this tab that the person was redirected to Stripe. Browsers keep this storage separate for each parent
 * site. Where storage is blocked, the page relies on the parent's `stripeCallback` alone.
 */
export function rememberRedirect(): void {
  try {
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch {
    // Storage is blocked for iframes of another site.
  }
}

/** Whether the person was redirected to Stripe within the last hour. Forgets it, so a second call returns false. */
export function takeRememberedRedirect(): boolean {
  try {
    const redirectedAt = Number(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    return Date.now() - redirectedAt < REMEMBERED_FOR_MS;
  } catch {
    return false;
  }
}
