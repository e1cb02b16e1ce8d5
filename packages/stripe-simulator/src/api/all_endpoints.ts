import { checkoutSessionEndpoints } from "./checkout_session_endpoints.ts";
import { cliSessionEndpoints } from "./cli_session_endpoints.ts";
import { couponEndpoints } from "./coupon_endpoints.ts";
import { creditNoteEndpoints } from "./credit_note_endpoints.ts";
import { customerBalanceEndpoints } from "./customer_balance_endpoints.ts";
import { disputeEndpoints } from "./dispute_endpoints.ts";
import { refundEndpoints } from "./refund_endpoints.ts";
import { customerEndpoints } from "./customer_endpoints.ts";
import type { Endpoint } from "./endpoint.ts";
import { eventDestinationEndpoints } from "./event_destination_endpoints.ts";
import { eventEndpoints } from "./event_endpoints.ts";
import { invoiceActionEndpoints } from "./invoice_action_endpoints.ts";
import { invoiceEndpoints } from "./invoice_endpoints.ts";
import { invoiceItemEndpoints } from "./invoice_item_endpoints.ts";
import { manualInvoiceEndpoints } from "./manual_invoice_endpoints.ts";
import { meterEndpoints } from "./meter_endpoints.ts";
import { meterEventEndpoints } from "./meter_event_endpoints.ts";
import { paymentEndpoints } from "./payment_endpoints.ts";
import { paymentMethodEndpoints } from "./payment_method_endpoints.ts";
import { paymentPageEndpoints } from "./payment_page_endpoints.ts";
import { planEndpoints } from "./plan_endpoints.ts";
import { portalConfigurationEndpoints } from "./portal_configuration_endpoints.ts";
import { portalSessionEndpoints } from "./portal_session_endpoints.ts";
import { priceEndpoints } from "./price_endpoints.ts";
import { productEndpoints } from "./product_endpoints.ts";
import { searchEndpoints } from "./search_endpoints.ts";
import { promotionCodeEndpoints } from "./promotion_code_endpoints.ts";
import { setupIntentEndpoints } from "./setup_intent_endpoints.ts";
import { sourceEndpoints } from "./source_endpoints.ts";
import { subscriptionEndpoints } from "./subscription_endpoints.ts";
import { subscriptionItemEndpoints } from "./subscription_item_endpoints.ts";
import { subscriptionScheduleEndpoints } from "./subscription_schedule_endpoints.ts";
import { taxEndpoints } from "./tax_endpoints.ts";
import { testClockEndpoints } from "./test_clock_endpoints.ts";
import { thinEventEndpoints } from "./thin_event_endpoints.ts";
import { webhookEndpointEndpoints } from "./webhook_endpoint_endpoints.ts";

/** Every endpoint of the API. */
export const endpoints: Endpoint[] = [
  // Before the endpoints with an id in their path.
  ...searchEndpoints,
  ...productEndpoints,
  ...priceEndpoints,
  ...couponEndpoints,
  ...promotionCodeEndpoints,
  ...customerEndpoints,
  ...taxEndpoints,
  ...paymentMethodEndpoints,
  ...checkoutSessionEndpoints,
  ...sourceEndpoints,
  ...subscriptionEndpoints,
  ...subscriptionItemEndpoints,
  ...subscriptionScheduleEndpoints,
  ...invoiceActionEndpoints,
  ...invoiceEndpoints,
  ...manualInvoiceEndpoints,
  ...invoiceItemEndpoints,
  ...paymentEndpoints,
  ...refundEndpoints,
  ...creditNoteEndpoints,
  ...disputeEndpoints,
  ...customerBalanceEndpoints,
  ...setupIntentEndpoints,
  ...planEndpoints,
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
