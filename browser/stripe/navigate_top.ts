/**
 * Sends the whole window to Stripe, which must not be framed. The browser allows an iframe that for a few seconds
 * after a click; where it refuses, or the parent's sandbox does, the parent is asked to do it. Exactly one of the two
 * happens.
 */
export function leaveTo(
  url: string,
  askParent: (url: string) => void,
  top: Window = globalThis.top!,
): void {
  try {
    top.location.href = url;
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
    askParent(url);
  }
}
