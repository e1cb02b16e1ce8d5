import type { Endpoint } from "../protocol/endpoint.ts";
import { checkoutSessionEndpoints } from "./checkout_sessions.ts";
import { cliSessionEndpoints } from "./cli_sessions.ts";
import { customerEndpoints } from "./customers.ts";
import { eventDestinationEndpoints } from "./event_destinations.ts";
import { eventEndpoints } from "./events.ts";
import { invoiceItemEndpoints } from "./invoice_items.ts";
import { invoiceActionEndpoints } from "./invoice_actions.ts";
import { invoiceEndpoints } from "./invoices.ts";
import { paymentPageEndpoints } from "./payment_pages.ts";
import { manualInvoiceEndpoints } from "./manual_invoices.ts";
import { meterEventEndpoints } from "./meter_events.ts";
import { meterEndpoints } from "./meters.ts";
import { paymentMethodEndpoints } from "./payment_methods.ts";
import { paymentEndpoints } from "./payments.ts";
import { portalConfigurationEndpoints } from "./portal_configurations.ts";
import { portalSessionEndpoints } from "./portal_sessions.ts";
import { priceEndpoints } from "./prices.ts";
import { productEndpoints } from "./products.ts";
import { setupIntentEndpoints } from "./setup_intents.ts";
import { subscriptionItemEndpoints } from "./subscription_items.ts";
import { subscriptionEndpoints } from "./subscriptions.ts";
import { testClockEndpoints } from "./test_clocks.ts";
import { thinEventEndpoints } from "./thin_events.ts";
import { webhookEndpointEndpoints } from "./webhook_endpoints.ts";

/** Every method and path that the simulator knows. */
export const endpoints: Endpoint[] = [
  ...productEndpoints,
  ...priceEndpoints,
  ...customerEndpoints,
  ...paymentMethodEndpoints,
  ...checkoutSessionEndpoints,
  ...subscriptionEndpoints,
  ...subscriptionItemEndpoints,
  ...invoiceActionEndpoints,
  ...invoiceEndpoints,
  ...manualInvoiceEndpoints,
  ...invoiceItemEndpoints,
  ...paymentEndpoints,
  ...setupIntentEndpoints,
  ...portalConfigurationEndpoints,
  ...portalSessionEndpoints,
  ...meterEndpoints,
  ...meterEventEndpoints,
  ...testClockEndpoints,
  ...webhookEndpointEndpoints,
  ...eventEndpoints,
  ...eventDestinationEndpoints,
  ...thinEventEndpoints,
  ...paymentPageEndpoints,
  ...cliSessionEndpoints,
];
