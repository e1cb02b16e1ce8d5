import { chooseLanguage } from "../../browser/language/choose_language.ts";
import Note from "../../components/Note.tsx";
import PageHeader from "../../components/PageHeader.tsx";
import ParentListener from "../../islands/ParentListener.tsx";
import Paywall from "../../islands/Paywall.tsx";
import Toasts from "../../islands/Toasts.tsx";
import type { PublicConfig } from "../../server/page_context.ts";
import Assistant from "./Assistant.tsx";

interface AssistantPageProps {
  req: Request;
  url: URL;
  config: PublicConfig;
}

/** The page of a feature that the plan limits: the feature, and the paywall for when its limit is reached. */
export default function AssistantPage({ req, url, config }: AssistantPageProps) {
  const { texts } = chooseLanguage(req);
  return (
    <main>
      <PageHeader page="assistant" texts={texts.pages} search={url.search} showsExamples>
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
        stripeJs={null} // embedded checkout is only on the billing page
      />
    </main>
  );
}
