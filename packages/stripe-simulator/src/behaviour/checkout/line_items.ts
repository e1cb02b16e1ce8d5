import type { Account } from "../../account/account.ts";
import { type CheckoutSession, type LineItem, newLineItem } from "../../objects/checkout_session.ts";
import { priceInAdvance } from "../invoices/invoice_lines.ts";

/** The line items of a session. They are created when they are requested, since replies show them only on demand. */
export function listLineItems(account: Account, session: CheckoutSession): LineItem[] {
  return account.checkoutOrders.get(session.id).items.map((item) => {
    const price = account.prices.get(item.price);
    return newLineItem(item, price, {
      amount: priceInAdvance(price, item.quantity),
      description: account.products.find(price.product)?.name ?? price.product,
    });
  });
}
