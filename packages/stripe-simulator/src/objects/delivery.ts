/** The delivery of one event to one recipient: a webhook endpoint or an event destination. */
export interface Delivery {
  /** Made of event and recipient: there is one delivery for each pair. */
  id: string;
  event: string;
  endpoint: string;
  /** `lost`: dropped by a fault. `failed`: all attempts failed. */
  status: "pending" | "delivered" | "failed" | "lost";
  attempts: Attempt[];
}

/** One request to the recipient: the status of the response, or the error when there was no response. */
export interface Attempt {
  at: number;
  status: number | null;
  error: string | null;
}

export function deliveryId(event: string, endpoint: string): string {
  return `${event}:${endpoint}`;
}

export function newDelivery(event: string, endpoint: string): Delivery {
  return { id: deliveryId(event, endpoint), event, endpoint, status: "pending", attempts: [] };
}
