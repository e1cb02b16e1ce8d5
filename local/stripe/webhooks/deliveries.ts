import type { Account } from "../account/account.ts";
import { type Delivery, deliveryId } from "../objects/delivery.ts";

/** How an event fared with the recipients that were to get it. */
export function deliveriesOf(account: Account, event: { id: string }): Delivery[] {
  const recipients = [...account.webhookEndpoints.oldestFirst(), ...account.eventDestinations.oldestFirst()];
  return recipients.flatMap((recipient) => account.deliveries.find(deliveryId(event.id, recipient.id)) ?? []);
}
