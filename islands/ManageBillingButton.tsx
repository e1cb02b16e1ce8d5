import { departure } from "../browser/billing_store.ts";
import { openPortal } from "../browser/plugin.ts";
import { texts } from "../browser/texts.ts";
import NewTabLink from "../components/NewTabLink.tsx";

/** Takes an admin to the billing portal. */
export default function ManageBillingButton() {
  const leaving = departure.value;
  const isOpening = leaving?.to === "portal";
  return (
    <>
      <button type="button" class="button" aria-disabled={leaving !== null} onClick={openPortal}>
        {isOpening ? texts.openingPortal : texts.manageBilling}
      </button>
      {isOpening && leaving.stuck && <NewTabLink url={leaving.url} />}
    </>
  );
}
