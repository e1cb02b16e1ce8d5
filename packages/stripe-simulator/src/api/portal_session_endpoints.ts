import { z } from "zod";
import type { Account } from "../account/account.ts";
import { canCancel, defaultPortalConfiguration, offeredPrices } from "../behaviour/portal_actions.ts";
import { updateRefusal } from "../behaviour/portal_plan_rules.ts";
import { newPortalSession, type PortalConfiguration, type PortalFlow } from "../objects/billing_portal.ts";
import { randomText } from "../objects/ids.ts";
import { hasEnded, type Subscription } from "../objects/subscription.ts";
import { invalidRequest, missingParameter, noSuch } from "../wire/errors.ts";
import { integer, list, oneOf, text, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const afterCompletion = z.strictObject({
  hosted_confirmation: z.strictObject({ custom_message: text(500).optional() }).optional(),
  redirect: z.strictObject({ return_url: url() }).optional(),
  type: oneOf("hosted_confirmation", "portal_homepage", "redirect"),
});

const ofSubscription = z.strictObject({ subscription: text() });

const flowData = z.strictObject({
  after_completion: afterCompletion.optional(),
  subscription_cancel: z.strictObject({
    retention: z.strictObject({
      coupon_offer: z.strictObject({ coupon: text() }).optional(),
      type: oneOf("coupon_offer"),
    }).optional(),
    subscription: text(),
  }).optional(),
  subscription_update: ofSubscription.optional(),
  subscription_update_confirm: z.strictObject({
    items: list(
      z.strictObject({ id: text(), price: text().optional(), quantity: integer({ min: 1 }).optional() }),
    ),
    discounts: list(z.strictObject({ coupon: text().optional(), promotion_code: text().optional() }))
      .optional(),
    subscription: text(),
  }).optional(),
  type: oneOf(
    "customer_update",
    "payment_method_update",
    "subscription_cancel",
    "subscription_update",
    "subscription_update_confirm",
  ),
});
type FlowData = z.output<typeof flowData>;

export const portalSessionEndpoints = [
  endpoint("POST /v1/billing_portal/sessions", {
    configuration: text().optional(),
    customer: text(),
    flow_data: flowData.optional(),
    locale: text(20).optional(),
    return_url: url().optional(),
  }, ({ account, change, params }) => {
    account.customers.getReferenced(params.customer, "customer");
    const configuration = params.configuration
      ? account.portalConfigurations.getReferenced(params.configuration, "configuration")
      : defaultPortalConfiguration(change);
    if (!configuration.active) {
      throw invalidRequest("The configuration is not active.", { param: "configuration" });
    }
    const visitor = { account, configuration, customer: params.customer };
    const session = account.portalSessions.put(newPortalSession(change.now, {
      configuration: configuration.id,
      customer: params.customer,
      flow: params.flow_data ? flowOf(visitor, params.flow_data) : null,
      locale: params.locale ?? null,
      returnUrl: params.return_url ?? configuration.default_return_url,
      url: `${account.origin}/p/session/test_${randomText(40)}`,
    }));
    change.emit("billing_portal.session.created", session);
    return session;
  }),
];

interface Visitor {
  account: Account;
  configuration: PortalConfiguration;
  customer: string;
}

/** Reads the flow of a session. Throws a 400 when the configuration or the subscription does not allow it. */
function flowOf(visitor: Visitor, data: FlowData): PortalFlow {
  checkFeature(visitor.configuration, data.type);
  const flow: PortalFlow = { ...noFlow, after_completion: afterCompletionOf(data), type: data.type };
  switch (data.type) {
    case "subscription_cancel": {
      const { id } = subscriptionFor(visitor, data.subscription_cancel, data.type);
      const coupon = data.subscription_cancel?.retention?.coupon_offer?.coupon;
      if (data.subscription_cancel?.retention && coupon === undefined) {
        throw missingParameter("flow_data[subscription_cancel][retention][coupon_offer]");
      }
      const param = "flow_data[subscription_cancel][retention][coupon_offer][coupon]";
      if (coupon !== undefined) visitor.account.coupons.getReferenced(coupon, param);
      const retention = coupon === undefined
        ? null
        : { coupon_offer: { coupon }, type: "coupon_offer" as const };
      return { ...flow, subscription_cancel: { retention, subscription: id } };
    }
    case "subscription_update": {
      const { id } = subscriptionFor(visitor, data.subscription_update, data.type);
      return { ...flow, subscription_update: { subscription: id } };
    }
    case "subscription_update_confirm":
      return { ...flow, subscription_update_confirm: confirmationOf(visitor, data) };
    default:
      return flow;
  }
}

const noFlow: Omit<PortalFlow, "after_completion" | "type"> = {
  customer_update: null,
  subscription_cancel: null,
  subscription_pause: null,
  subscription_update: null,
  subscription_update_confirm: null,
};

function afterCompletionOf({ after_completion: after }: FlowData): PortalFlow["after_completion"] {
  if (after?.type === "redirect" && !after.redirect) {
    throw missingParameter("flow_data[after_completion][redirect]");
  }
  const message = after?.hosted_confirmation?.custom_message ?? null;
  return {
    hosted_confirmation: after?.type === "hosted_confirmation" ? { custom_message: message } : null,
    redirect: after?.type === "redirect" ? after.redirect ?? null : null,
    type: after?.type ?? "portal_homepage",
  };
}

function checkFeature({ features }: PortalConfiguration, type: FlowData["type"]) {
  const feature = type === "subscription_update_confirm" ? "subscription_update" : type;
  if (features[feature].enabled) return;
  const message =
    `The \`${feature}\` feature in the portal configuration is disabled, so that this flow cannot be used.`;
  throw invalidRequest(message, { param: "flow_data[type]" });
}

function subscriptionFor(
  { account, configuration, customer }: Visitor,
  data: { subscription: string } | undefined,
  type: "subscription_cancel" | "subscription_update" | "subscription_update_confirm",
): Subscription {
  if (!data) throw missingParameter(`flow_data[${type}]`);
  const param = `flow_data[${type}][subscription]`;
  const subscription = account.subscriptions.getReferenced(data.subscription, param);
  if (subscription.customer !== customer) throw noSuch("subscription", data.subscription, { param });
  if (type !== "subscription_cancel") {
    const why = updateRefusal(account, configuration, subscription);
    if (why === null) return subscription;
    throw invalidRequest(`This subscription cannot be updated because ${why}.`, { param });
  }
  if (canCancel(configuration, subscription)) return subscription;
  const why = hasEnded(subscription) ? `it is ${subscription.status}` : "it is already set to cancel";
  throw invalidRequest(`This subscription cannot be canceled because ${why}.`, { param });
}

function confirmationOf(visitor: Visitor, data: FlowData): PortalFlow["subscription_update_confirm"] {
  const wanted = data.subscription_update_confirm;
  const subscription = subscriptionFor(visitor, wanted, "subscription_update_confirm");
  const param = "flow_data[subscription_update_confirm][items]";
  const [item, ...others] = wanted?.items ?? [];
  if (!item || others.length > 0) throw invalidRequest("Exactly one item must be given.", { param });
  if (item.id !== subscription.items.data[0].id) throw noSuch("subscription item", item.id, { param });
  const price = item.price ?? subscription.items.data[0].price.id;
  if (!offeredPrices(visitor.account, visitor.configuration, subscription).some(({ id }) => id === price)) {
    throw invalidRequest(`The price ${price} is not among the portal configuration's products.`, { param });
  }
  return {
    discounts:
      wanted?.discounts?.map(({ coupon = null, promotion_code = null }) => ({ coupon, promotion_code })) ??
        null,
    items: [{ id: item.id, price, ...(item.quantity === undefined ? {} : { quantity: item.quantity }) }],
    subscription: subscription.id,
  };
}
