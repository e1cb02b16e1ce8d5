import { texts } from "../browser/texts.ts";
import Note from "../components/Note.tsx";
import { define } from "../define.ts";
import BillingSection from "../islands/BillingSection.tsx";
import ParentListener from "../islands/ParentListener.tsx";
import Toasts from "../islands/Toasts.tsx";

/** The billing page. Who looks at it is known only once the parent page says so, hence the islands. */
export default define.page(({ state }) => (
  <main>
    <h1>{texts.heading}</h1>
    <Toasts />
    <noscript>
      <Note text={texts.scriptsNeeded} />
    </noscript>
    <BillingSection />
    <ParentListener
      parentOrigin={new URL(state.config.parentAppUrl).origin}
      identityProvider={state.config.identityProvider}
    />
  </main>
));
