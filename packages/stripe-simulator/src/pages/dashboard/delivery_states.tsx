import type { Account } from "../../account/account.ts";
import type { Delivery } from "../../objects/delivery.ts";

/** The URL of a delivery's recipient, or its id when it was deleted. */
export function addressOf(account: Account, { endpoint: id }: Delivery): string {
  return account.webhookEndpoints.find(id)?.url ?? account.eventDestinations.find(id)?.webhook_endpoint.url ??
    id;
}

/** The states of an event's deliveries. */
export function DeliveryStates({ deliveries }: { deliveries: Delivery[] }) {
  if (deliveries.length === 0) return <>no recipients</>;
  return (
    <>
      {deliveries.map((delivery) => (
        <span key={delivery.id} class={`badge ${delivery.status}`}>{describeDelivery(delivery)}</span>
      ))}
    </>
  );
}

/** `delivered`, or `pending (503, 2 attempts)`. */
function describeDelivery({ status, attempts }: Delivery): string {
  const last = attempts.at(-1);
  if (status === "delivered" || !last) return status;
  const count = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
  return `${status} (${last.status ?? last.error}, ${count})`;
}
