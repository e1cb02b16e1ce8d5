import { pageLanguage } from "../browser/language/page_language.ts";
import { continueInNewTab } from "../browser/stripe/stripe_redirect.ts";
import { backToPlan } from "../browser/stripe/stripe_return.ts";
import { stripeRedirect } from "../browser/stripe/stripe_store.ts";
import Note from "../components/Note.tsx";

/** Replaces the plan while Stripe could not be opened in this window, or is open in another tab. */
export default function RedirectNote() {
  const { texts: { redirect: texts } } = pageLanguage();
  const isAway = stripeRedirect.value?.phase === "away";
  return (
    <Note
      title={isAway ? texts.awayTitle : texts.stuckTitle}
      text={isAway ? texts.away : texts.stuck}
      isBusy={isAway}
      takesFocus
    >
      <div class="actions">
        <a
          class={isAway ? "button" : "button primary"}
          href={stripeRedirect.value?.url}
          target="_blank"
          rel="noopener"
          onClick={continueInNewTab}
        >
          {isAway ? texts.openAgain : texts.open}
        </a>
        <button type="button" class="button plain" onClick={backToPlan}>{texts.backToPlan}</button>
      </div>
    </Note>
  );
}
