import Stripe from "stripe";
import type { Account } from "../../account/account.ts";
import type { Meter, ReceivedMeterEvent } from "../../objects/meter.ts";
import type { Period } from "../../objects/subscription.ts";

const { Decimal } = Stripe;

/** A customer's usage of a meter in a period, as a decimal string. */
export function usageIn(account: Account, meter: Meter, customer: string, period: Period): string {
  const events = account.meterEvents.of(`${meter.id}:${customer}`).filter(({ event, status }) =>
    status === "counted" && event.timestamp >= period.start && event.timestamp < period.end
  );
  return aggregate(meter, events);
}

/** Aggregates events by the meter's formula. Returns a decimal string. */
export function aggregate(meter: Meter, events: ReceivedMeterEvent[]): string {
  const counting = lastOfEachWindow(meter, events.toSorted((a, b) => a.event.timestamp - b.event.timestamp));
  switch (meter.default_aggregation.formula) {
    case "count":
      return String(counting.length);
    case "last":
      return counting.length === 0 ? "0" : valueOf(meter, counting[counting.length - 1]);
    default:
      return counting.reduce((sum, event) => sum.add(Decimal.from(valueOf(meter, event))), Decimal.zero)
        .toString();
  }
}

const windowSeconds: Record<string, number> = { hour: 3600, day: 86_400 };

/** In a meter with a time window only the last event of each window counts. */
function lastOfEachWindow(meter: Meter, inOrder: ReceivedMeterEvent[]): ReceivedMeterEvent[] {
  if (meter.event_time_window === null) return inOrder;
  const length = windowSeconds[meter.event_time_window];
  const last = new Map(inOrder.map((event) => [Math.floor(event.event.timestamp / length), event]));
  return [...last.values()];
}

function valueOf(meter: Meter, { event }: ReceivedMeterEvent): string {
  return event.payload[meter.value_settings.event_payload_key];
}
