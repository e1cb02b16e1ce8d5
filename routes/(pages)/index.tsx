import { chooseLanguage } from "../../browser/language/choose_language.ts";
import Note from "../../components/Note.tsx";
import PageHeader from "../../components/PageHeader.tsx";
import Skeleton from "../../components/Skeleton.tsx";
import { define } from "../../server/page_context.ts";
import BillingSection from "../../islands/BillingSection.tsx";
import ParentListener from "../../islands/ParentListener.tsx";
import Toasts from "../../islands/Toasts.tsx";

/**
 * The billing page. Who looks at it is known only once the parent page says so, hence the islands; what can be said
 * without that is written here and handed to them.
 */
export default define.page(({ req, state: { config }, url }) => {
  const { texts } = chooseLanguage(req);
  return (
    <main>
      <PageHeader page="billing" texts={texts.pages} search={url.search} showsExamples={config.showsExamples}>
        <Toasts />
      </PageHeader>
      <noscript>
        <Note text={texts.scriptsNeeded} />
      </noscript>
      <BillingSection
        skeleton={<Skeleton label={texts.loading} />}
        outside={<Note title={texts.outsideTitle} text={texts.outside} />}
        checkout={
          <>
            <h2>{texts.checkout.heading}</h2>
            <div class="place" data-loading={texts.checkout.loading} />
          </>
        }
        confirming={
          <>
            <Note text={texts.confirming} isBusy />
            <Skeleton label={texts.loading} />
          </>
        }
      />
      <ParentListener
        parentOrigin={config.parentAppUrl}
        identityProvider={config.identityProvider}
        stripeJs={config.stripeJs}
      />
    </main>
  );
});
