import type { Account } from "../../account/account.ts";
import { type CheckoutSession, returnAddress } from "../../objects/checkout_session.ts";
import { siteOf } from "../formats.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "../page_layout.tsx";
import {
  Challenge,
  CheckoutForm,
  type Entries,
  firstEntries,
  submit,
  submitLabel,
  Summary,
} from "./checkout_form.tsx";

/** `GET /c/pay/:id`: the hosted page, a session's `url`. */
export function showCheckout(account: Account, id: string): Response {
  const session = account.checkoutSessions.find(id);
  if (session?.status === "complete") return html(<Completed session={session} />);
  if (session?.status !== "open" || session.ui_mode !== "hosted_page") {
    return html(<Expired session={session} />, session ? 410 : 404);
  }
  return html(<CheckoutPage account={account} session={session} entries={firstEntries(account, session)} />);
}

/** `POST /c/pay/:id`: pays, then redirects to `success_url`. After a declined card it shows the page again. */
export async function submitCheckout(account: Account, id: string, request: Request): Promise<Response> {
  const session = account.checkoutSessions.find(id);
  if (session?.status !== "open" || session.ui_mode !== "hosted_page") return showCheckout(account, id);
  const result = await submit(account, session, request);
  switch (result.kind) {
    case "completed":
      return seeOther(returnAddress(result.session) ?? "/");
    case "repriced":
      return html(<CheckoutPage account={account} session={result.session} entries={result.entries} />);
    case "challenge":
      return html(<ChallengePage session={session} entries={result.entries} />);
    case "refused": {
      const { entries, error } = result;
      const page = (
        <CheckoutPage account={account} session={session} entries={entries} error={error.message} />
      );
      return html(page, error.status);
    }
  }
}

interface CheckoutPageProps {
  account: Account;
  session: CheckoutSession;
  entries: Entries;
  error?: string;
}

function CheckoutPage({ account, session, entries, error }: CheckoutPageProps) {
  return (
    <Layout title={submitLabel(session)} kind="checkout">
      <header>
        {session.cancel_url && (
          <a class="back" href={session.cancel_url}>
            Back
          </a>
        )}
        <Sandbox />
      </header>
      <main>
        <Summary account={account} session={session} />
        <CheckoutForm account={account} session={session} entries={entries} error={error} />
      </main>
    </Layout>
  );
}

function ChallengePage({ session, entries }: { session: CheckoutSession; entries: Entries }) {
  return (
    <Layout title="Authentication" kind="notice">
      <main>
        <Challenge action={submitLabel(session)} entries={entries} />
      </main>
    </Layout>
  );
}

function Completed({ session }: { session: CheckoutSession }) {
  const url = returnAddress(session);
  return (
    <Notice
      title="You are all done here"
      text="This checkout has already been completed."
      link={url ? { href: url, label: `Return to ${siteOf(url)}` } : undefined}
    />
  );
}

function Expired({ session }: { session: CheckoutSession | undefined }) {
  const url = session?.cancel_url;
  return (
    <Notice
      title="This checkout is no longer available"
      text="It has expired, or it never existed. Go back and start again."
      link={url ? { href: url, label: `Return to ${siteOf(url)}` } : undefined}
    />
  );
}
