/**
 * Who may do what: every route, edge function, table, view and function that can be reached from outside, with the answer to
 * each kind of caller. A new one without a row here fails `matrix_test.ts`.
 */

/** Callers, by their credentials. Member and admin belong to the community of the rows, `other admin` does not. */
export const callers = [
  "nobody",
  "member",
  "admin",
  "other admin",
  "expired",
  "forged",
  "wrong audience",
  "service role",
  "schedule",
  "Stripe",
] as const;
export type Caller = (typeof callers)[number];

/** A status, with the code of the problem document where there is one. */
export type Answer = 200 | 404 | [status: number, code: string];

export interface RouteRow {
  /** The file of the route or edge function. */
  file: string;
  method: "GET" | "POST";
  path: string;
  json?: unknown;
  answers: Record<Caller, Answer>;
}

const everybody = (answer: Answer) =>
  Object.fromEntries(callers.map((caller) => [caller, answer])) as Record<Caller, Answer>;

/** For people with a session. Everybody else is answered 401. */
const people = (answers: Record<"member" | "admin" | "other admin", Answer>): Record<Caller, Answer> => ({
  ...everybody([401, "invalid_token"]),
  nobody: [401, "missing_token"],
  expired: [401, "expired_token"],
  schedule: [401, "missing_token"],
  Stripe: [401, "missing_token"],
  ...answers,
});

const only = (caller: Caller): Record<Caller, Answer> => ({
  ...everybody([400, "invalid_signature"]),
  [caller]: 200,
});

const allAnswered = { member: 200, admin: 200, "other admin": 200 } as const;

/** The member's and the admin's community has a subscription; the other admin's is new to Dues. */
export const routes: RouteRow[] = [
  { file: "routes/(pages)/index.tsx", method: "GET", path: "/", answers: everybody(200) },
  {
    file: "examples/assistant/AssistantPage.tsx",
    method: "GET",
    path: "/assistant",
    answers: everybody(200),
  },
  { file: "routes/(pages)/[...path].ts", method: "GET", path: "/nowhere", answers: everybody(404) },
  { file: "routes/api/health.ts", method: "GET", path: "/api/health", answers: everybody(200) },
  { file: "routes/api/ready.ts", method: "GET", path: "/api/ready", answers: everybody(200) },
  {
    file: "routes/api/[...path].ts",
    method: "GET",
    path: "/api/nothing",
    answers: everybody([404, "not_found"]),
  },
  {
    // Only the proof in the body counts.
    file: "routes/api/auth/session.ts",
    method: "POST",
    path: "/api/auth/session",
    json: { identityToken: "none" },
    answers: everybody([401, "invalid_identity_token"]),
  },
  {
    // Not found, because this parent app signs identity tokens.
    file: "routes/api/auth/common-ground.ts",
    method: "POST",
    path: "/api/auth/common-ground",
    json: {},
    answers: everybody([404, "not_found"]),
  },
  {
    file: "routes/api/community/billing-info.ts",
    method: "GET",
    path: "/api/community/billing-info",
    answers: people(allAnswered),
  },
  {
    file: "routes/api/stripe/create-checkout-session.ts",
    method: "POST",
    path: "/api/stripe/create-checkout-session",
    json: {},
    answers: people({ member: [403, "not_admin"], admin: [409, "already_subscribed"], "other admin": 200 }),
  },
  {
    file: "routes/api/stripe/create-portal-session.ts",
    method: "POST",
    path: "/api/stripe/create-portal-session",
    json: {},
    answers: people({ member: [403, "not_admin"], admin: 200, "other admin": [409, "no_customer"] }),
  },
  {
    file: "examples/assistant/messages.ts",
    method: "POST",
    path: "/api/assistant/messages",
    json: { message: "Hello" },
    answers: people(allAnswered),
  },
  {
    file: "routes/api/webhooks/stripe.ts",
    method: "POST",
    path: "/api/webhooks/stripe",
    answers: only("Stripe"),
  },
  {
    file: "supabase/functions/stripe-webhook/index.ts",
    method: "POST",
    path: "/functions/v1/stripe-webhook",
    answers: only("Stripe"),
  },
  {
    file: "supabase/functions/reconcile/index.ts",
    method: "POST",
    path: "/functions/v1/reconcile",
    answers: only("schedule"),
  },
  {
    file: "supabase/functions/report-usage/index.ts",
    method: "POST",
    path: "/functions/v1/report-usage",
    answers: only("schedule"),
  },
];

/** What a caller sees of a table or view: all rows, those of their community, no rows, or a refusal. */
export type Sight = "all" | "own" | "none" | "refused";

export interface TableRow {
  name: string;
  /** A column that every permitted reader may read; for rows of a community, the column with its id. */
  column: string;
  member: Sight;
  admin: Sight;
  operator: Sight;
  /** A column that the operator may edit, with a value, if there is one. No other caller may edit anything. */
  edited: [column: string, value: unknown] | null;
}

const catalog = (name: string, column: string, edited: TableRow["edited"]): TableRow => ({
  name,
  column,
  member: "all",
  admin: "all",
  operator: "all",
  edited,
});

const ofCommunity = (name: string, more: Partial<TableRow> = {}): TableRow => ({
  name,
  column: "community_id",
  member: "own",
  admin: "own",
  operator: "all",
  edited: null,
  ...more,
});

const forOperator = (name: string, column = "community_id") =>
  ofCommunity(name, { column, member: "refused", admin: "refused" });

/** Schema `public`, which the data API exposes. */
export const tables: TableRow[] = [
  catalog("plans", "code", ["name", "Nothing"]),
  catalog("features", "code", ["name", "Nothing"]),
  catalog("plan_limits", "feature", ["quota", 1]),
  ofCommunity("communities", { column: "id", edited: ["title", "Nothing"] }),
  ofCommunity("subscriptions"),
  ofCommunity("invoices", { member: "none" }),
  ofCommunity("usage_events"),
  ofCommunity("usage_counters"),
  ofCommunity("usage_overview"),
  forOperator("usage_reports_overview", "state"),
  forOperator("unsent_usage_reports"),
  forOperator("billing_overview"),
  forOperator("open_anomalies"),
  forOperator("subscription_items"),
];

/** Functions of schema `public`: people may call them, each about their own community. */
export const functions = ["billing_info"];

/** Functions that these and the views call. Whoever calls one by itself learns no more than from the tables. */
export const helpers = ["plan_in_force"];
