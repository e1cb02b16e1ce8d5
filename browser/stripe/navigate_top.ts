/**
 * Navigates the top window to Stripe, whose pages must not be framed. Browsers allow an iframe to do this for a few
 * seconds after a click. If the browser or the parent's sandbox refuses, calls `askParent` instead, so exactly one of
 * the two happens.
 */
export function navigateTop(
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
