/** The way of one event to one endpoint. */
export interface Delivery {
  /** Event and endpoint: there is one delivery for each pair. */
  id: string;
  event: string;
  endpoint: string;
  /** `lost` is a delivery that a fault swallowed; `failed` one that was given up. */
  status: "pending" | "delivered" | "failed" | "lost";
  attempts: Attempt[];
}

/** One request to an endpoint: the status it answered, or why there was no answer. */
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
