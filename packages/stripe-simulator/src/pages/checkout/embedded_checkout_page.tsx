import type { ComponentChildren } from "preact";
import type { Account } from "../../account/account.ts";
import { type CheckoutSession, returnAddress } from "../../objects/checkout_session.ts";
import { EmbeddedLayout, framedHtml } from "../page_layout.tsx";
import {
  Challenge,
  CheckoutForm,
  type Entries,
  firstEntries,
  submit,
  submitLabel,
  Summary,
} from "./checkout_form.tsx";

/** A visit to an embedded checkout. */
interface Visit {
  account: Account;
  session: CheckoutSession;
  /** The origin of the embedding page. */
  embedder: string;
}

/** `GET /c/embedded/:secret`: the checkout in the frame that the stand-in for Stripe.js creates. */
export function showEmbedded(account: Account, secret: string, request: Request): Response {
  const visit = findVisit(account, secret, request);
  return visit
    ? framedHtml(<FormPage visit={visit} entries={firstEntries(account, visit.session)} />)
    : gone();
}

/** `POST /c/embedded/:secret`: pays, then notifies the embedding page. */
export async function submitEmbedded(account: Account, secret: string, request: Request): Promise<Response> {
  const visit = findVisit(account, secret, request);
  if (!visit) return gone();
  const result = await submit(account, visit.session, request);
  switch (result.kind) {
    case "completed":
      return framedHtml(<CompletedPage visit={{ ...visit, session: result.session }} />);
    case "repriced":
      return framedHtml(<FormPage visit={{ ...visit, session: result.session }} entries={result.entries} />);
    case "challenge":
      return framedHtml(
        <Page visit={visit}>
          <Challenge action={submitLabel(visit.session)} entries={result.entries} />
        </Page>,
      );
    case "refused": {
      const { entries, error } = result;
      return framedHtml(<FormPage visit={visit} entries={entries} error={error.message} />, error.status);
    }
  }
}

/** A client secret is valid while its session is open. */
function findVisit(account: Account, secret: string, request: Request): Visit | undefined {
  const session = account.checkoutSessions.find(secret.split("_secret_")[0]);
  if (session?.client_secret !== secret) return;
  return { account, session, embedder: new URL(request.url).searchParams.get("embedder") ?? "" };
}

function FormPage({ visit, entries, error }: { visit: Visit; entries: Entries; error?: string }) {
  return (
    <Page visit={visit}>
      <Summary account={visit.account} session={visit.session} />
      <CheckoutForm account={visit.account} session={visit.session} entries={entries} error={error} />
    </Page>
  );
}

function Page({ visit: { session, embedder }, children }: { visit: Visit; children: ComponentChildren }) {
  return (
    <EmbeddedLayout title={submitLabel(session)} embedder={embedder}>
      <main>{children}</main>
    </EmbeddedLayout>
  );
}

/** Cards need no redirect, so `if_required` does not redirect. */
function CompletedPage({ visit: { session, embedder } }: { visit: Visit }) {
  const redirectTo = session.redirect_on_completion === "always" ? returnAddress(session) : null;
  return (
    <EmbeddedLayout title="Thank you" embedder={embedder} completed={{ redirectTo }}>
      <main>
        <section class="card" role="status">
          <h1>Thank you</h1>
          <p>{session.mode === "setup" ? "The card is saved." : "The payment has been received."}</p>
        </section>
      </main>
    </EmbeddedLayout>
  );
}

function gone(): Response {
  return framedHtml(
    <EmbeddedLayout title="Checkout" embedder="">
      <main>
        <section class="card" role="alert">
          <h1>This checkout is no longer available</h1>
          <p>It has been completed, it has expired, or it never existed. Start again.</p>
        </section>
      </main>
    </EmbeddedLayout>,
    410,
  );
}
