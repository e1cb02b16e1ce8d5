import type { DeliveryRequest } from "./delivery_request.ts";
import { signatureHeader } from "./webhook_signature.ts";

/** The headers that Stripe sends with an event, signed now. */
export function webhookHeaders(body: string, secrets: string[]): Record<string, string> {
  return {
    "accept": "*/*; q=0.5, application/xml",
    "cache-control": "no-cache",
    "content-type": "application/json; charset=utf-8",
    "stripe-signature": signatureHeader(body, secrets, Math.floor(Date.now() / 1000)),
    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
  };
}

/**
 * Sends the request of a delivery once. Returns the status of the response, or the error when there is none.
 * Redirects are not followed.
 */
export async function sendDelivery(
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<{ status: number | null; error: string | null }> {
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: webhookHeaders(request.body, request.secrets),
      body: request.body,
      redirect: "manual",
      signal,
    });
    await response.body?.cancel();
    return { status: response.status, error: null };
  } catch (error) {
    return { status: null, error: error instanceof Error ? error.message : String(error) };
  }
}
