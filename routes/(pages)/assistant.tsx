import { chooseLanguage } from "../../browser/language/choose_language.ts";
import Note from "../../components/Note.tsx";
import PageHeader from "../../components/PageHeader.tsx";
import { define } from "../../server/page_context.ts";
import Assistant from "../../islands/Assistant.tsx";
import ParentListener from "../../islands/ParentListener.tsx";
import Paywall from "../../islands/Paywall.tsx";
import Toasts from "../../islands/Toasts.tsx";

/** A feature that the plan limits, from end to end: an assistant, and what happens when its limit is reached. */
export default define.page(({ req, state: { config }, url }) => {
  const { texts } = chooseLanguage(req);
  return (
    <main>
      <PageHeader page="assistant" texts={texts.pages} search={url.search}>
        <Toasts />
      </PageHeader>
      <noscript>
        <Note text={texts.scriptsNeeded} />
      </noscript>
      <p class="quiet">{texts.assistant.intro}</p>
      <Paywall />
      <Assistant>
        <label for="text">{texts.assistant.field}</label>
        <div class="composer">
          <input id="text" name="text" maxLength={2000} required autocomplete="off" />
          <button class="button primary" type="submit">{texts.assistant.send}</button>
        </div>
      </Assistant>
      <ParentListener
        parentOrigin={config.parentAppUrl}
        identityProvider={config.identityProvider}
        stripeJs={null} // a checkout inside the page has its place on the billing page
      />
    </main>
  );
});
