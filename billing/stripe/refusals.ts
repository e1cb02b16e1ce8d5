import Stripe from "stripe";
import { BillingError, type StripeErrorCode } from "../errors.ts";

/** What an error of Stripe's is told by. All that is given has to match; a message is matched where Stripe has no code. */
interface Sign {
  /** The SDK's class, which it chooses by HTTP status: `StripePermissionError`. */
  type?: RegExp;
  status?: number;
  /** https://docs.stripe.com/error-codes */
  code?: RegExp;
  /** The parameter that Stripe names: `line_items[0][price]`. */
  param?: RegExp;
  message?: RegExp;
}

/** An error of Stripe's and what we answer; `billing/http/problem.ts` has the status of each code. */
interface Row {
  signs: Sign[];
  code: StripeErrorCode;
  /** For the person who reads the answer: what to do, and who can. */
  detail: string;
  /** Who can do something about it. */
  actor: "anyone" | "admin" | "operator";
  /** Whether the same request may succeed later by itself. */
  isRetryable: boolean;
  /** The kind of anomaly that is opened for the operator. */
  anomaly: "stripe_refused" | "price_archived" | null;
  /** Whom it concerns: everybody who buys at a price, one community, or everybody. */
  scope: "price" | "community" | "account";
}

const ofOperator = { actor: "operator", isRetryable: false, anomaly: "stripe_refused" } as const;
const ofAdmin = { actor: "admin", isRetryable: false, scope: "community" } as const;
const passing = { actor: "anyone", isRetryable: true, anomaly: null, scope: "account" } as const;

/** The first row with a matching sign counts, so what is special comes before what is general. */
export const refusals: Row[] = [
  {
    signs: [
      { type: /^StripeRateLimitError$/ },
      { status: 409 },
      { code: /^(rate_limit|lock_timeout|idempotency_key_in_use)$/ },
      { type: /^StripeIdempotencyError$/ },
    ],
    code: "stripe_busy",
    detail: "Stripe takes no more requests at the moment. Try again.",
    ...passing,
  },
  {
    signs: [
      { type: /^Stripe(Connection|API)Error$/ },
      { code: /^(taxes_calculation_failed|api_error)$/ },
    ],
    code: "stripe_unavailable",
    detail: "Stripe cannot be reached. Try again in a moment.",
    ...passing,
  },
  {
    signs: [
      { code: /^livemode_mismatch$/ },
      { code: /^resource_missing$/, message: /similar object exists in (test|live) mode/i },
    ],
    code: "stripe_mode_mismatch",
    detail: "The Stripe key and what it was asked for belong to different modes, live and test. " +
      "The operator has to run the Stripe set-up with the key that is used here.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [
      { code: /^testmode_charges_only$/ },
      {
        message:
          /account (has not been|is not|must be) (fully )?(activated|enabled)|activate your account|cannot currently make (live )?charges/i,
      },
      { message: /must set an account or business name/i },
    ],
    code: "stripe_account_not_activated",
    detail:
      "The Stripe account cannot take payments yet. The operator has to complete it in Stripe's dashboard.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [{ status: 401 }, { code: /^((platform_)?api_key_expired|secret_key_required)$/ }],
    code: "stripe_key_refused",
    detail: "Stripe does not accept the secret key: it is wrong, expired or deleted. " +
      "The operator has to set another one.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [{ status: 403 }],
    code: "stripe_permission_missing",
    detail: "The restricted Stripe key lacks a permission. The operator has to add it in Stripe's dashboard.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [
      { message: /(default )?configuration has not been (created|set)|customer portal settings/i },
      { param: /^configuration$/ },
    ],
    code: "portal_not_configured",
    detail: "The billing portal is not set up. The operator has to run the Stripe set-up, " +
      "or save the portal's settings in Stripe's dashboard.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [
      { code: /^product_inactive$/ },
      { message: /(price|plan|product)\b.*\b(inactive|not active|archived|deleted)\b/i },
      { message: /only accepts active prices/i },
    ],
    code: "price_archived",
    detail: "The plan's price or product is archived in Stripe, so the plan cannot be bought. " +
      "The operator has to unarchive it or run the Stripe set-up, which makes another price.",
    ...ofOperator,
    anomaly: "price_archived",
    scope: "price",
  },
  {
    signs: [
      { code: /^resource_missing$/, param: /price|plan|line_items/ },
      { code: /^resource_missing$/, message: /no such (price|plan|product)/i },
    ],
    code: "price_missing",
    detail: "Stripe does not have the plan's price. The operator has to run the Stripe set-up with the key " +
      "that is used here.",
    ...ofOperator,
    scope: "price",
  },
  {
    signs: [
      { code: /^resource_missing$/, param: /^customer$/ },
      { code: /^resource_missing$/, message: /no such customer/i },
    ],
    code: "customer_missing",
    detail:
      "Stripe does not have the community's customer. The operator has to check that the Stripe key is of the " +
      "account that the community pays in, and whether something deletes its customers.",
    ...ofOperator,
    scope: "community",
  },
  {
    signs: [
      { message: /combine currencies|currencies on a single customer/i },
      { message: /doesn.t match the expected currency|(same|different|another) currency|currency mismatch/i },
    ],
    code: "currency_conflict",
    detail: "The community has something in another currency in Stripe: a subscription, an invoice item, a " +
      "discount or a quote. An admin has to end it in the billing portal first, or ask the operator to.",
    ...ofAdmin,
    anomaly: "stripe_refused",
  },
  {
    signs: [
      { code: /^customer_max_subscriptions$/ },
      { message: /(maximum|max|limit)\b.*\bsubscriptions|subscriptions\b.*\b(maximum|limit)\b/i },
    ],
    code: "subscription_limit",
    detail:
      "The community has as many subscriptions as Stripe allows. An admin has to end one in the billing " +
      "portal first, or ask the operator to.",
    ...ofAdmin,
    anomaly: "stripe_refused",
  },
  {
    signs: [
      { code: /^stripe_tax_inactive$/ },
      { message: /head office|origin address|stripe tax (is|has) not|enable (automatic|stripe) tax/i },
    ],
    code: "tax_not_configured",
    detail: "Stripe Tax is not set up. The operator has to complete it in Stripe's dashboard.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [
      { code: /^(customer_tax_location_invalid|invalid_tax_location|postal_code_invalid)$/ },
      { message: /customer.*(location|address)/i },
    ],
    code: "address_required",
    detail:
      "Stripe needs the community's address to calculate tax. An admin has to enter it in the billing portal.",
    ...ofAdmin,
    anomaly: null,
  },
  {
    signs: [
      { code: /^payment_method_unactivated$/ },
      { param: /^payment_method_(types|configuration|options)/ },
      { message: /no (valid )?payment method types?|payment method (type|configuration)/i },
    ],
    code: "payment_methods_not_configured",
    detail: "No payment method fits this plan. The operator has to switch one on in Stripe's dashboard.",
    ...ofOperator,
    scope: "account",
  },
  {
    signs: [{ code: /^amount_too_(small|large)$/ }, { message: /total amount must/i }],
    code: "price_amount_refused",
    detail: "Stripe does not accept the plan's amount. The operator has to change the plan's price.",
    ...ofOperator,
    scope: "price",
  },
  {
    signs: [
      { code: /^url_invalid$/ },
      { param: /^(success_url|cancel_url|return_url)$/ },
      { message: /not a valid url|redirected via https/i },
    ],
    code: "return_address_refused",
    detail:
      "Stripe does not accept the address to return to. The operator has to correct PARENT_APP_URL, which " +
      "has to be https in live mode.",
    ...ofOperator,
    scope: "account",
  },
];

const unknown: Omit<Row, "signs"> = {
  code: "stripe_refused",
  detail: "Stripe refused the request. The operator finds it in Stripe's dashboard by its id.",
  ...ofOperator,
  scope: "account",
};

const RETRY_AFTER_SECONDS = 5;

/** Stripe refused a request, or did not answer it. */
export class StripeRefusedError extends BillingError {
  /** What Stripe said, for the operator. */
  readonly said: string;

  constructor(readonly row: Omit<Row, "signs">, cause: Stripe.errors.StripeError) {
    const { requestId } = cause;
    super(row.code, row.detail, {
      cause,
      members: { actor: row.actor, retryable: row.isRetryable, ...(requestId ? { requestId } : {}) },
      ...(row.isRetryable ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {}),
    });
    const where = [cause.code, cause.param, requestId].filter(Boolean).join(", ");
    this.said = where ? `${cause.message} (${where})` : cause.message;
  }
}

/**
 * What an error of Stripe's means, as an error with a code of ours. Undefined for anything else. The answer names who can act
 * and Stripe's request id (https://docs.stripe.com/api/request_ids). What Stripe wrote is for the log and the anomaly only,
 * because it may contain ids.
 */
export function refusedByStripe(error: unknown): StripeRefusedError | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  const row = refusals.find(({ signs }) => signs.some((sign) => fits(sign, error))) ?? unknown;
  return new StripeRefusedError(row, error);
}

const fits = ({ type, status, code, param, message }: Sign, error: Stripe.errors.StripeError): boolean =>
  (type === undefined || type.test(error.type)) &&
  (status === undefined || status === error.statusCode) &&
  (code === undefined || code.test(error.code ?? "")) &&
  (param === undefined || param.test(error.param ?? "")) &&
  (message === undefined || message.test(error.message));
