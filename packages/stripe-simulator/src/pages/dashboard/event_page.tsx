import type { Account } from "../../account/account.ts";
import type { Attempt, Delivery } from "../../objects/delivery.ts";
import type { Event } from "../../objects/event.ts";
import type { ThinEvent } from "../../objects/thin_event.ts";
import { formatMoment, formatSecond } from "../formats.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "../page_layout.tsx";
import { Form } from "../submitted_form.ts";
import { addressOf } from "./delivery_states.tsx";
import { Status } from "./table.tsx";

/** `GET /events/:id`: one event with its payload and deliveries. */
export function showEvent(account: Account, id: string): Response {
  const event = findEvent(account, id);
  return event ? html(<EventPage account={account} event={event} />) : notFound();
}

/** `POST /events/:id/resend`: sends the event again to the recipient in the form. */
export async function resendEvent(account: Account, id: string, request: Request): Promise<Response> {
  const event = findEvent(account, id);
  if (!event) return notFound();
  const recipient = (await Form.of(request)).get("recipient");
  const delivery = account.deliveries.of(event.id).find(({ endpoint }) => endpoint === recipient);
  if (delivery) account.onResend(event, [recipient]);
  return seeOther(`/events/${id}`);
}

function findEvent(account: Account, id: string): Event | ThinEvent | undefined {
  return account.events.find(id) ?? account.thinEvents.find(id);
}

function notFound(): Response {
  return html(
    <Notice title="No such event" text="There is no event with this id, or it is older than 30 days." />,
    404,
  );
}

function EventPage({ account, event }: { account: Account; event: Event | ThinEvent }) {
  const deliveries = account.deliveries.of(event.id);
  return (
    <Layout title={event.type} kind="dashboard">
      <header>
        <a class="back" href="/">
          Dashboard
        </a>
        <Sandbox />
      </header>
      <main>
        <h1>{event.type}</h1>
        <p>
          <span class="id">{event.id}</span>, {formatMoment(event.created)} UTC
        </p>
        <section aria-labelledby="deliveries">
          <h2 id="deliveries">Deliveries ({deliveries.length})</h2>
          {deliveries.length === 0 && <p>It had no recipients.</p>}
          {deliveries.map((delivery) => (
            <DeliveryCard key={delivery.id} address={addressOf(account, delivery)} delivery={delivery} />
          ))}
        </section>
        <section aria-labelledby="payload">
          <h2 id="payload">Payload</h2>
          <pre class="card" tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
        </section>
      </main>
    </Layout>
  );
}

function DeliveryCard({ address, delivery }: { address: string; delivery: Delivery }) {
  return (
    <article class="card">
      <h3 class="id">{address}</h3>
      <p>
        <Status status={delivery.status} />
      </p>
      {delivery.attempts.length > 0 && (
        <ol>{delivery.attempts.map((attempt, index) => <li key={index}>{describeAttempt(attempt)}</li>)}</ol>
      )}
      <form method="post" action={`/events/${delivery.event}/resend`}>
        <input type="hidden" name="recipient" value={delivery.endpoint} />
        <button type="submit" class="secondary">Resend</button>
      </form>
    </article>
  );
}

function describeAttempt({ at, status, error }: Attempt): string {
  return `${formatSecond(at)}: ${status ?? error}`;
}
