import type { Invoice } from "../browser/api/contract.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";

/** The community's invoices, each with links to its page on Stripe and to its PDF. */
export default function InvoiceList({ invoices }: { invoices: Invoice[] }) {
  const { texts: { invoices: texts } } = pageLanguage();
  return (
    <section class="card invoices" aria-labelledby="invoices">
      <h2 id="invoices">{texts.heading}</h2>
      {invoices.length === 0
        ? <p class="quiet">{texts.none}</p>
        : <ul>{invoices.map((invoice) => <InvoiceRow key={invoice.createdAt} invoice={invoice} />)}</ul>}
    </section>
  );
}

/** Addresses of Stripe are https. Those of a simulator on the developer's own machine may be http. */
function isSafeLink(url: string | null): url is string {
  if (url === null || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

function InvoiceRow({ invoice }: { invoice: Invoice }) {
  const { texts: { invoices: texts }, date, money } = pageLanguage();
  const documents = [
    [invoice.hostedInvoiceUrl, texts.view, texts.viewLabel],
    [invoice.invoicePdf, texts.pdf, texts.pdfLabel],
  ] as const;
  return (
    <li>
      <span>{date(invoice.createdAt)}</span>
      <span class="amount">{money(invoice.amountDueCents, invoice.currency)}</span>
      <span class="tag" data-status={invoice.status}>{texts.statuses[invoice.status] ?? invoice.status}</span>
      <span class="links">
        {documents.map(([url, name, label]) =>
          isSafeLink(url) && (
            <a
              key={name}
              href={url}
              target="_blank"
              rel="noopener"
              aria-label={fill(label, { number: invoice.number ?? "" })}
            >
              {name}
            </a>
          )
        )}
      </span>
    </li>
  );
}
